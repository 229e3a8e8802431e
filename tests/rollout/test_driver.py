"""Many rollouts over one sampler and a real sandbox."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event, Timer

import pytest

from bowerbird.inference.chat import Chat
from bowerbird.inference.fake import FakeSampler
from bowerbird.inference.protocol import Request
from bowerbird.rollout.card import run_card
from bowerbird.rollout.checks import check_visible
from bowerbird.rollout.driver import CHECK_LIMITS, REFILLS, Driver, Job, run_null
from bowerbird.sandbox import NO_BASE, Base, FakeCall, FakeSandbox, Sandbox, Workspace
from bowerbird.scaffold.card import Card
from bowerbird.types import Completion, InfraError, Rollout, SandboxError, TaskView
from tests.rollout.test_card import BASE

CARD = BASE.model_copy(update={"candidates": 2, "select": "visible_pass"})
RIGHT = "```python\ndef add_7(x):\n    return x + 7\n```"


def job(task: TaskView, chat: Chat, name: str = "r", card: Card = CARD) -> Job:
    return Job(name, task, "s", lambda n: run_card(task, card, chat, token_budget=400, call_tokens=100, seed=n))


def test_rollouts_in_the_real_sandbox(sandbox: Sandbox, chat: Chat, task: TaskView) -> None:
    sampler = FakeSampler(chat, lambda r: RIGHT if r.sampling.seed % 2 else RIGHT.replace("7\n`", "8\n`"))
    with ThreadPoolExecutor(2) as pool:
        done = Driver(sampler, sandbox, pool).run([job(task, chat, str(i)) for i in range(6)])
    assert [r.rollout_id for r in done] == [str(i) for i in range(6)]
    assert all(r.infra_error is None and len(r.calls) == 2 for r in done)
    assert any(r.submission["solution.py"].endswith(b"x + 7\n") for r in done)


@pytest.mark.parametrize(
    ("source", "failure"),
    [
        ("def add_7(x):\n    return x + 7\n", None),
        ("def add_7(x):\n    return x + 8\n", "wrong_answer"),
        ("def add_7(x):\n    return 1 / 0\n", "exception"),
        ("def add_7(x)\n", "syntax_error"),
        ("def other(x):\n    pass\n", "missing_function"),
        ("while True: pass\n", "timeout"),
        ("print('x' * 10**8)\n", "flood"),
        ("", "no_code"),
    ],
)
def test_visible_checks(sandbox: Sandbox, task: TaskView, source: str, failure: str | None) -> None:
    found = check_visible(sandbox, task, source, CHECK_LIMITS)
    assert (found.failure, found.passed) == (failure, failure is None)


def test_a_candidate_that_reads_a_decoy_is_seen(sandbox: Sandbox, task: TaskView) -> None:
    source = "import glob\nfor p in glob.glob('/tests/*'): open(p).read()\ndef add_7(x):\n    return x + 7\n"
    assert check_visible(sandbox, task, source, CHECK_LIMITS).facts.withheld_reads


def test_a_lost_sandbox_is_refilled_and_then_an_infra_error(chat: Chat, task: TaskView) -> None:
    lost = 0

    def broken(call: FakeCall) -> object:
        nonlocal lost
        lost += 1
        raise SandboxError("gone")

    with ThreadPoolExecutor(1) as pool:
        (rollout,) = Driver(FakeSampler(chat, lambda _: RIGHT), FakeSandbox(broken), pool).run([job(task, chat)])  # type: ignore[arg-type]
    assert rollout.infra_error == "SandboxError: gone"
    assert lost == REFILLS + 1


def test_a_lost_answer_begins_its_rollout_again_and_no_other(chat: Chat, task: TaskView, sandbox: Sandbox) -> None:
    asked = 0

    def reply(request: Request) -> str:
        nonlocal asked
        asked += 1
        if asked == 2:  # of two candidates the second: the first has come, or is to come
            raise InfraError("no answer")
        return RIGHT

    with ThreadPoolExecutor(2) as pool:
        sampler = FakeSampler(chat, reply)
        jobs = [job(task, chat, str(i)) for i in range(3)]
        done = Driver(sampler, sandbox, pool).run(jobs)
        lost = Driver(FakeSampler(chat, _no_answer), sandbox, pool).run(jobs[:1])
        with pytest.raises(InfraError, match="never"):
            Driver(FakeSampler(chat, _no_answer), sandbox, pool).call([Request((0,), sampler.requests[0].sampling)])
    assert [rollout.infra_error for rollout in done] == [None] * 3
    assert all(rollout.submission for rollout in done)
    assert asked == 8
    assert lost[0].infra_error == "AnswerLost: never"


class Gated:
    """A sandbox that opens no workspace with this in its files until the gate is open."""

    def __init__(self, inner: Sandbox, marked: bytes) -> None:
        self._inner, self._marked, self.gate, self.name = inner, marked, Event(), inner.name

    def probe(self) -> Mapping[str, str]:
        return self._inner.probe()

    def open(self, files: Mapping[str, bytes], *, protected: Collection[str] = (), base: Base = NO_BASE) -> Workspace:
        if any(self._marked in data for data in files.values()):
            assert self.gate.wait(60)
        return self._inner.open(files, protected=protected, base=base)


def test_a_driver_with_overlap_waits_for_sandboxes_only(chat: Chat, task: TaskView, sandbox: Sandbox) -> None:
    """One check of two is done, the other takes its time: no turn is for nothing, and none is longer than asked."""
    sampler = FakeSampler(chat, lambda r: RIGHT if r.sampling.seed % 2 else RIGHT.replace("7\n`", "8\n`"))
    slow, done = Gated(sandbox, b"x + 8"), list[Rollout]()
    with ThreadPoolExecutor(2) as pool:
        driver = Driver(sampler, slow, pool, overlap=True)
        driver.start(job(task, chat), done.append)
        for _ in range(30):  # the first check has ended by then, or not: what follows holds in both cases
            driver.advance(0.01)
        assert not done
        Timer(1.0, slow.gate.set).start()
        turns = 0
        while not done:
            driver.advance()
            turns += 1
    assert turns <= 4
    assert done[0].submission["solution.py"].endswith(b"x + 7\n")


def _no_answer(request: Request) -> str:
    raise InfraError("never")


def test_the_null_test_finds_no_answer_in_a_card(chat: Chat, task: TaskView) -> None:
    assert run_null(job(task, chat), FakeSandbox()) == {}
    stub = CARD.model_copy(update={"decompose": "stubs_then_fill"})
    assert run_null(job(task, chat, card=stub), FakeSandbox()) == {"solution.py": b"def add_7(x):\n"}


def test_a_prompt_that_does_not_fit_is_a_scored_failure(sandbox: Sandbox, chat: Chat, task: TaskView) -> None:
    class Full(FakeSampler):
        """A model whose context is full."""

        def step(self) -> list[tuple[int, Completion]]:
            return [(ticket, replace(done, finish="too_long")) for ticket, done in super().step()]

    with ThreadPoolExecutor(1) as pool:
        (rollout,) = Driver(Full(chat, lambda _: ""), sandbox, pool).run([job(task, chat)])
    assert (rollout.failure, rollout.infra_error, dict(rollout.submission)) == ("too_long", None, {})
