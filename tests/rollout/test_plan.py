"""Plans over a scripted model, in the real sandbox."""

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bowerbird.inference.chat import Chat
from bowerbird.inference.fake import FakeSampler
from bowerbird.inference.loading import load_tokenizer
from bowerbird.inference.protocol import no_answer
from bowerbird.rollout.actions import Action, parse_action
from bowerbird.rollout.budget import Budget
from bowerbird.rollout.driver import Driver, Job
from bowerbird.rollout.effects import Ask
from bowerbird.rollout.plan import run_plan
from bowerbird.rollout.tools import TOOLS, schemas
from bowerbird.sandbox import Sandbox
from bowerbird.scaffold.plan import REACT, Node, Plan, parse_plan
from bowerbird.types import Completion, Rollout, TaskView

BUDGET = Budget(tokens=20_000, calls=40, actions=80, call_tokens=2000, action_s=10.0)
REPO = {"calc/__init__.py": b"", "calc/sums.py": b"def total(values):\n    return 0\n", "README.md": b"sums\n"}
VISIBLE = ("python3", "-c", "from calc.sums import total; assert total([1, 2]) == 3")
FIX = "```edit calc/sums.py\n    return 0\n=======\n    return sum(values)\n```"


@pytest.fixture
def repo_task(task: TaskView) -> TaskView:
    return replace(task, entry_point="", examples=(), submission=("calc/sums.py",), workspace=REPO, visible=VISIBLE)


class Narrow(FakeSampler):
    """A model with room for prompts of so many tokens."""

    room = 1 << 30

    def step(self) -> list[tuple[int, Completion]]:
        if self._waiting and len(self._waiting[0][1].prompt_ids) > self.room:
            ticket, request = self._waiting.pop(0)
            return [(ticket, no_answer(request))]
        return super().step()


@pytest.fixture
def walked(sandbox: Sandbox, chat: Chat, repo_task: TaskView) -> Callable[..., tuple[Rollout, list[str]]]:
    def walk(
        plan: Plan, answers: Iterable[str], budget: Budget = BUDGET, room: int = 1 << 30
    ) -> tuple[Rollout, list[str]]:
        left = iter(answers)
        sampler = Narrow(chat, lambda _: next(left, "done"))
        sampler.room = room
        with ThreadPoolExecutor(2) as pool:
            driver = Driver(sampler, sandbox, pool)
            (done,) = driver.run([Job("r", repo_task, "s", lambda n: run_plan(repo_task, plan, chat, budget, n))])
        assert done.infra_error is None
        return done, [chat.decode(request.prompt_ids) for request in sampler.requests]

    return walk


def test_the_plain_loop_solves_a_repository(walked: Callable[..., tuple[Rollout, list[str]]]) -> None:
    answers = [
        "I look around.\n```list .\n```",
        "```sh\ncd calc && export MARK=7 && grep -n return sums.py\n```",
        '```sh\necho "$PWD $MARK"\n```',
        "```read calc/sums.py\n```",
        FIX,
        "```tests\n```",
        "It works.",
    ]
    done, asked = walked(REACT, answers)
    assert done.submission == {"calc/sums.py": b"def total(values):\n    return sum(values)\n"}
    assert "calc/sums.py" in asked[1]
    assert "2:    return 0" in asked[2]
    assert "/work/calc 7" in asked[3], "folder and variables live on"
    assert "return 0" in asked[4]
    assert "changed calc/sums.py" in asked[5]
    assert "passed" in asked[6]
    for before, after in zip(done.calls[:-1], done.calls[1:], strict=True):
        known = before.prompt_ids + before.token_ids
        assert after.prompt_ids[: len(known)] == known, "nothing is tokenised again"


def test_a_full_context_forgets_the_older_half(walked: Callable[..., tuple[Rollout, list[str]]]) -> None:
    look = "```sh\npython3 -c 'print(\"x\" * 400)'\n```"
    room = len(walked(REACT, ["done"])[1][0]) + 1500
    done, asked = walked(REACT, [look] * 6 + [FIX, "It works."], room=room)
    assert done.submission == {"calc/sums.py": b"def total(values):\n    return sum(values)\n"}
    assert [call.finish for call in done.calls].count("too_long") >= 1
    assert max(len(prompt) for prompt in asked) > room
    nothing, _ = walked(REACT, [FIX], room=10)
    assert (nothing.failure, len(nothing.calls)) == (None, 1)
    assert nothing.submission == {"calc/sums.py": REPO["calc/sums.py"]}


def test_the_seconds_of_all_commands_are_a_budget(walked: Callable[..., tuple[Rollout, list[str]]]) -> None:
    wait = "```sh\nsleep 0.6\n```"
    done, _ = walked(REACT, [wait] * 5, replace(BUDGET, seconds=1.0))
    assert len(done.calls) == 3, "the second command is cut short, and there is no third"
    assert done.log[-1] == {"event": "exhausted", "what": "no seconds are left"}


def test_a_model_that_only_talks_is_told_so_twice(walked: Callable[..., tuple[Rollout, list[str]]]) -> None:
    done, asked = walked(REACT, ["I would return the sum.", FIX, "It works."])
    assert done.submission == {"calc/sums.py": b"def total(values):\n    return sum(values)\n"}
    assert "no action in your answer" in asked[1]
    done, asked = walked(REACT, ["I would return the sum."] * 9)
    assert len(asked) == 3
    assert done.submission == {"calc/sums.py": REPO["calc/sums.py"]}


TWO = Plan(
    max_steps=4,
    memory="notes",
    k=2,
    view="errors_only",
    on_error="revert",
    retries=1,
    temperature="high",
    nodes=(
        Node.model_validate(
            {
                "id": "look",
                "role": "explore",
                "prompt": "Find the bug.",
                "tools": ["read", "note"],
                "budget_share": 30,
                "next": {"ok": "fix", "fail": "submit"},
            }
        ),
        Node.model_validate(
            {
                "id": "fix",
                "role": "write",
                "prompt": "Mend it.",
                "tools": ["edit", "write", "tests"],
                "budget_share": 50,
                "next": {"ok": "submit", "fail": "fix"},
            }
        ),
    ),
)


def test_nodes_hand_on_notes_and_failed_visits_are_undone(walked: Callable[..., tuple[Rollout, list[str]]]) -> None:
    answers = [
        "```note bug\ntotal is always 0\n```",
        "found",
        "```write calc/sums.py\nbroken(\n```",
        "done",
        FIX,
        "done",
    ]
    done, asked = walked(TWO, answers)
    assert [event["id"] for event in done.log if event["event"] == "node"] == ["look", "fix", "fix"]
    assert "bug: total is always 0" in asked[2]
    assert "Mend it." in asked[2]
    assert done.submission == {"calc/sums.py": b"def total(values):\n    return sum(values)\n"}


def test_a_node_uses_its_own_tools_and_no_more_than_its_share(
    walked: Callable[..., tuple[Rollout, list[str]]],
) -> None:
    done, asked = walked(TWO, ["```sh\nrm -rf /work\n```", "done"])
    assert "shell is none of read, note" in asked[1]
    small = replace(BUDGET, tokens=200)
    done, asked = walked(TWO, ["```read README.md\n```" + "x" * 60] * 9, small)
    assert sum("Find the bug." in prompt for prompt in asked) == 1
    assert done.failure is None


def test_loops_are_bounded(walked: Callable[..., tuple[Rollout, list[str]]]) -> None:
    done, _ = walked(TWO, ["done"] * 40)
    assert [event["id"] for event in done.log if event["event"] == "node"] == ["look", "fix", "fix"]


@pytest.mark.parametrize(
    ("answer", "action"),
    [
        ("```sh\nls\n```", Action("shell", {"command": "ls\n"})),
        ("words\n```read a b.py\n```", Action("read", {"path": "a b.py"})),
        ("```python\nprint(1)\n```", None),
        ("```python\nprint(1)\n```\n```tests\n```", Action("tests", {})),
        ("````write a.md\n```\ncode\n```\n````", Action("write", {"path": "a.md", "content": "```\ncode\n```\n"})),
        ("nothing", None),
        ("```sh\nunfinished", None),
    ],
)
def test_actions(answer: str, action: Action | None) -> None:
    assert parse_action(answer, TOOLS) == action


def test_a_tool_call_that_is_no_call_is_told() -> None:
    action = parse_action("<tool_call>{broken</tool_call>", TOOLS)
    assert action is not None
    assert "JSON" in str(action.args["problem"])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, None),
        ({"nodes": []}, "nodes"),
        ({"max_steps": 5}, "max_steps"),
        ({"nodes": [REACT.nodes[0].model_dump(mode="json")] * 2}, "differ"),
        ({"nodes": [REACT.nodes[0].model_dump(mode="json") | {"next": {"ok": "gone", "fail": "submit"}}]}, "gone"),
        ({"nodes": [REACT.nodes[0].model_dump(mode="json") | {"prompt": "x" * 401}]}, "prompt"),
    ],
)
def test_a_plan_is_whole(change: dict[str, object], why: str | None) -> None:
    import json

    plan, problem = parse_plan(json.dumps(REACT.model_dump(mode="json") | change))
    assert (plan == REACT) if why is None else (problem is not None and why in problem)


def test_an_action_that_is_deeply_nested_is_told() -> None:
    action = parse_action("<tool_call>" + "[" * 100_000, TOOLS)
    assert action is not None
    assert "problem" in action.args


CALLS = """{% if tools %}tools: {% for tool in tools %}{{ tool.function.name }} {% endfor %}as <tool_call>
{% endif %}{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}<assistant>"""


def test_tools_in_the_form_of_the_models_own_template(
    sandbox: Sandbox, chat: Chat, repo_task: TaskView, tiny: Path
) -> None:
    assert not chat.takes_tools
    tokenizer = load_tokenizer(str(tiny))
    tokenizer.chat_template = CALLS
    own = Chat(tokenizer)
    assert own.takes_tools
    edit = {"path": "calc/sums.py", "old": "return 0", "new": "return sum(values)"}
    answers = iter([f'<tool_call>{{"name": "edit", "arguments": {json.dumps(edit)}}}</tool_call>', FIX, "done"])
    sampler = FakeSampler(own, lambda _: next(answers, "done"))
    with ThreadPoolExecutor(2) as pool:
        job = Job("r", repo_task, "s", lambda n: run_plan(repo_task, REACT, own, BUDGET, n))
        (done,) = Driver(sampler, sandbox, pool).run([job])
    assert done.submission == {"calc/sums.py": b"def total(values):\n    return sum(values)\n"}
    first, second, third = (own.decode(request.prompt_ids) for request in sampler.requests[:3])
    assert first.startswith("tools: shell read write edit list search tests")
    assert "```" not in first
    assert "<tool>changed calc/sums.py" in second
    assert "<user>" in third.partition("<tool>")[2], "what came of a fenced action is no tool's turn"
    asked = sampler.requests
    assert asked[1].prompt_ids[: len(asked[0].prompt_ids)] == asked[0].prompt_ids, "it goes on from the same tokens"


def test_native_tools_can_be_switched_off(tiny: Path, repo_task: TaskView) -> None:
    tokenizer = load_tokenizer(str(tiny))
    tokenizer.chat_template = CALLS
    budget = replace(BUDGET, native_tools=False)
    effect = next(run_plan(repo_task, REACT, Chat(tokenizer), budget, 0))
    assert isinstance(effect, Ask)
    assert "```shell" in Chat(tokenizer).decode(effect.requests[0].prompt_ids)


@pytest.mark.parametrize(
    "answer",
    [
        '<tool_call>\n{"name": "read", "arguments": {"path": "a.py"}}\n</tool_call>',
        "<tool_call>\n<function=read>\n<parameter=path>\na.py\n</parameter>\n</function>\n</tool_call>",
        '[TOOL_CALLS][{"name": "read", "arguments": {"path": "a.py"}}]',
        '{"name": "read", "parameters": {"path": "a.py"}}',
        '{"name": "read", "arguments": "{\\"path\\": \\"a.py\\"}"}',
    ],
)
def test_the_forms_of_calls_that_templates_teach(answer: str) -> None:
    assert parse_action(answer, TOOLS) == Action("read", {"path": "a.py"}, called=True)


def test_json_that_is_no_call_is_an_answer() -> None:
    assert parse_action('{"answer": 4}', TOOLS) is None


def test_every_tool_has_a_schema_with_what_it_needs() -> None:
    found = {s["function"]["name"]: s["function"]["parameters"] for s in schemas(TOOLS.values())}
    assert found["edit"]["required"] == ["path", "old", "new"]
    assert found["read"]["required"] == ["path"]
    assert found["read"]["properties"]["first"] == {"type": "integer"}
    assert found["tests"] == {"type": "object", "properties": {}, "required": []}


@pytest.mark.parametrize(
    "template",
    [
        CALLS.replace("<tool_call>", "something else"),
        CALLS.replace(
            "{% for m", "{% if messages[-1].role == 'tool' %}{{ raise_exception('no id') }}{% endif %}{% for m"
        ),
        CALLS.replace("tools", "utilities"),
    ],
)
def test_a_template_whose_calls_cannot_be_read_gets_fences(tiny: Path, template: str) -> None:
    tokenizer = load_tokenizer(str(tiny))
    tokenizer.chat_template = template
    assert not Chat(tokenizer).takes_tools


def test_many_blanks_in_a_call_cost_no_time() -> None:
    assert parse_action("<tool_call>x" + " " * 400_000 + "y", TOOLS) is not None
