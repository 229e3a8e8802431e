"""A tool of one's own: in this file, and named in the configuration."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from bowerbird.config import BUILT_IN_TOOLS, ScaffoldConfig, load_config
from bowerbird.inference.chat import Chat
from bowerbird.inference.fake import FakeSampler
from bowerbird.inference.protocol import Request
from bowerbird.rollout.budget import Budget
from bowerbird.rollout.driver import Driver, Job
from bowerbird.rollout.host import Host
from bowerbird.rollout.plan import run_plan
from bowerbird.rollout.program import command, run_program
from bowerbird.rollout.tools import TOOLS, Tool, Using, schemas, toolset, use
from bowerbird.sandbox import Sandbox
from bowerbird.scaffold.plan import one_loop, parse_plan, plan_schema
from bowerbird.scaffold.propose import proposal_request, read_proposal
from bowerbird.types import ConfigError, Scaffold, TaskView


def _count(host: Host, args: Mapping[str, Any]) -> Using:
    text = yield from host.read(str(args["path"]))
    return f"{text.count(str(args['word']).strip())} times"


count = Tool(name="count", says="how often a word is in a file", use=_count, argument="path", body="word")


def _trip(host: Host, args: Mapping[str, Any]) -> Using:
    yield from ()
    return str(args["path"].strip())


def _plain(host: Host, args: Mapping[str, Any]) -> str:
    return "no generator"


trip = Tool(name="trip", says="takes only a text", use=_trip, argument="path")
plain = Tool(name="plain", says="asks nothing and does not say so", use=_plain)  # type: ignore[arg-type]
submit = Tool(name="submit", says="is taken", use=_count)
misnamed = Tool(name="something", says="is not called that", use=_count)
OWN = f"{__name__}:count"
BUDGET = Budget(9000, 9, 9, 900, tools=toolset((*BUILT_IN_TOOLS, OWN)))


@pytest.fixture
def poem(task: TaskView) -> TaskView:
    return replace(task, examples=(), submission=("poem.txt",), workspace={"poem.txt": b"a rose is a rose is a rose"})


def test_the_configuration_knows_the_tools_that_there_are() -> None:
    assert (*BUILT_IN_TOOLS, "submit") == tuple(TOOLS)
    assert BUDGET.tool_names == [*BUILT_IN_TOOLS, "count"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dig", "there is no tool 'dig': use shell, "),
        ("submit", "there is no tool 'submit'"),
        ("nowhere:dig", "scaffold.tools: cannot load 'nowhere:dig': ModuleNotFoundError"),
        (f"{__name__}:BUDGET", "no Tool of that name"),
        (f"{__name__}:misnamed", "no Tool of that name"),
        (f"{__name__}:plain", "no generator; one that asks the host nothing begins `yield from"),
    ],
)
def test_what_is_no_tool_is_refused(name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        toolset((name,))


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="the same name"):
        toolset((OWN, OWN))
    with pytest.raises(ConfigError, match="the same name"):
        toolset(("read", f"{__name__}:submit"))
    with pytest.raises(ConfigError, match="17 tools are more than 16"):
        toolset(tuple(f"{__name__}:count" for _ in range(17)))


def test_what_a_tool_trips_over_is_read_by_the_model(poem: TaskView, chat: Chat) -> None:
    host = Host(poem, chat, replace(BUDGET, tools=toolset((f"{__name__}:trip",))), 0)
    with pytest.raises(StopIteration) as end:
        next(use(host, "trip", {"path": 3}))
    assert end.value.value == "trip takes path (AttributeError: 'int' object has no attribute 'strip')"


def test_a_plan_uses_it(poem: TaskView, sandbox: Sandbox, chat: Chat) -> None:
    answers = iter(["```count poem.txt\nrose\n```", "done"])
    sampler, plan = FakeSampler(chat, lambda _: next(answers)), one_loop(BUDGET.tool_names)
    with ThreadPoolExecutor(2) as pool:
        Driver(sampler, sandbox, pool).run([Job("r", poem, "s", lambda n: run_plan(poem, plan, chat, BUDGET, n))])
    first, last = (chat.decode(request.prompt_ids) for request in sampler.requests)
    assert "how often a word is in a file:\n```count PATH\nWORD\n```" in first
    assert "3 times" in last


def test_a_program_uses_it(poem: TaskView, sandbox: Sandbox, chat: Chat) -> None:
    source = (
        "def run(h):\n    h.write('poem.txt', h.tool('count', {'path': 'poem.txt', 'word': 'rose'}))\n    h.submit()\n"
    )
    with ThreadPoolExecutor(2) as pool:
        job = Job("r", poem, "s", lambda n: run_program(poem, source, chat, BUDGET, n), command())
        (done,) = Driver(FakeSampler(chat, lambda _: ""), sandbox, pool).run([job])
    assert done.submission == {"poem.txt": b"3 times"}


def test_a_plan_that_names_one_that_is_gone_goes_on_without(poem: TaskView, sandbox: Sandbox, chat: Chat) -> None:
    sampler = FakeSampler(chat, lambda _: "```count poem.txt\nrose\n```")
    few, plan = replace(BUDGET, calls=2, tools=toolset(("read",))), one_loop(BUDGET.tool_names)
    with ThreadPoolExecutor(2) as pool:
        (done,) = Driver(sampler, sandbox, pool).run(
            [Job("r", poem, "s", lambda n: run_plan(poem, plan, chat, few, n))]
        )
    assert done.infra_error is None
    assert "```read" in chat.decode(sampler.requests[0].prompt_ids)
    assert "```count" not in chat.decode(sampler.requests[0].prompt_ids)


def proposed(names: list[str], request: Request, task: TaskView, chat: Chat, config: ScaffoldConfig) -> Scaffold:
    (answer,) = FakeSampler(chat, lambda _: one_loop(names).model_dump_json()).generate([request])
    return read_proposal("s", task, None, answer, chat, config)


def test_only_what_is_configured_is_proposed_and_read(poem: TaskView, chat: Chat) -> None:
    settings = ["scaffold.tier=plan", f'scaffold.tools=["read", "{OWN}"]']
    config = load_config(None, settings).scaffold
    request = proposal_request(poem, None, chat, config, 0, explore=0.0)
    assert '"enum": ["read", "count"]' in request.schema
    assert proposed(["read", "count"], request, poem, chat, config).invalid is None
    other = proposed(["read", "shell"], request, poem, chat, config)
    assert other.invalid == "there is no tool shell; there are read, count"


def test_a_plan_over_other_tools_is_none() -> None:
    text = one_loop(["read", "count"]).model_dump_json()
    assert parse_plan(text, ["read", "count"])[1] is None
    assert parse_plan(text) == (None, f"there is no tool count; there are {', '.join(BUILT_IN_TOOLS)}")
    assert "count" not in plan_schema()


def test_its_schema_says_what_it_takes() -> None:
    (schema,) = schemas([count])
    assert schema["function"]["parameters"]["required"] == ["path", "word"]
