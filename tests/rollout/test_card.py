"""The meaning of a card, effect by effect."""

from collections.abc import Callable, Sequence

import pytest

from bowerbird.inference.chat import Chat
from bowerbird.inference.fake import FakeSampler, byte_chat
from bowerbird.inference.protocol import Request, no_answer
from bowerbird.rollout.card import run_card, run_plain
from bowerbird.rollout.effects import Ask, Check, Checked, Draft, Reply, Run
from bowerbird.rollout.seeds import derive
from bowerbird.scaffold.card import Card
from bowerbird.types import Completion, TaskView

BASE = Card(
    decompose="none",
    max_steps=8,
    memory="none",
    k=1,
    view="full",
    on_error="retry",
    retries=0,
    verify="none",
    candidates=1,
    select="first",
    tools="run",
    temperature="mid",
)
GOOD, BAD = "```python\ngood\n```", "```python\nbad\n```"


class Host:
    """Drives one run: answers come from `reply`, checks pass where the source says good."""

    def __init__(self, chat: Chat, reply: Callable[[Request], str]) -> None:
        self.sampler, self.chat = FakeSampler(chat, reply), chat
        self.asked: list[Ask] = []
        self.checked: list[Check] = []

    def drive(self, run: Run) -> Draft:
        reply: Reply | None = None
        while True:
            try:
                effect = next(run) if reply is None else run.send(reply)
            except StopIteration as stop:
                draft: Draft = stop.value
                return draft
            if isinstance(effect, Ask):
                self.asked.append(effect)
                reply = tuple(self.sampler.generate(effect.requests))
            else:
                assert isinstance(effect, Check)
                self.checked.append(effect)
                reply = tuple(
                    Checked("good" in s, "broken" not in s, s, None if "good" in s else "wrong_answer", f"bad: {s}")
                    for s in effect.sources
                )

    def prompt(self, ask: int) -> str:
        return self.chat.decode(self.asked[ask].requests[0].prompt_ids)


@pytest.fixture
def run(chat: Chat, task: TaskView) -> Callable[..., tuple[Host, Draft]]:
    def start(replies: list[str], budget: int = 1000, draw_all: bool = True, **changes: object) -> tuple[Host, Draft]:
        card = BASE.model_copy(update=changes)
        left = iter(replies)
        host = Host(chat, lambda _: next(left))
        start = run_card(task, card, chat, token_budget=budget, call_tokens=200, seed=1, draw_all=draw_all)
        return host, host.drive(start)

    return start


Start = Callable[..., tuple[Host, Draft]]


def test_one_answer(run: Start) -> None:
    host, draft = run([GOOD])
    assert draft.source == "good\n"
    assert len(host.asked) == 1
    assert host.checked == []


def test_the_first_that_passes_the_examples_is_chosen(run: Start) -> None:
    host, draft = run([BAD, GOOD, BAD], candidates=3, select="visible_pass")
    assert draft.source == "good\n"
    assert len(host.asked[0].requests) == 3
    assert len({r.sampling.seed for r in host.asked[0].requests}) == 3
    assert host.checked == [Check(("good\n", "bad\n"))] or set(host.checked[0].sources) == {"good\n", "bad\n"}


def test_candidates_one_after_the_other_end_with_the_first_that_passes(run: Start) -> None:
    host, draft = run([BAD, GOOD], draw_all=False, candidates=4, select="visible_pass")
    assert draft.source == "good\n"
    assert [len(ask.requests) for ask in host.asked] == [1, 1]


@pytest.mark.parametrize("verify", ["none", "compile", "visible_tests"])
@pytest.mark.parametrize("on_error", ["retry", "revert", "stop"])
@pytest.mark.parametrize("select", ["visible_pass", "vote"])
@pytest.mark.parametrize("good", [None, 0, 2, 4])
@pytest.mark.parametrize("budget", [40, 70, 1000])
def test_candidates_one_after_the_other_submit_the_same(
    chat: Chat, task: TaskView, verify: str, on_error: str, select: str, good: int | None, budget: int
) -> None:
    changes = {"candidates": 3, "retries": 1, "verify": verify, "on_error": on_error, "select": select}
    card = BASE.model_copy(update=changes)
    texts = [GOOD if i == good else f"```python\nbroken{i}\n```" for i in range(6)]

    def drive(draw_all: bool) -> tuple[Draft, list[int]]:
        host = Host(chat, lambda request: texts[seeds.index(request.sampling.seed)])
        draft = host.drive(run_card(task, card, chat, token_budget=budget, call_tokens=200, seed=1, draw_all=draw_all))
        return draft, [r.sampling.max_tokens for ask in host.asked for r in ask.requests]

    seeds = [derive(1, "call", i) for i in range(6)]
    (together, limits), (apart, fewer) = drive(True), drive(False)
    assert apart.source == together.source
    assert set(apart.calls) <= set(together.calls)
    assert len(fewer) <= len(limits)


def test_an_answer_that_came_before_is_not_run_again(run: Start) -> None:
    host, _ = run([BAD] * 6, candidates=3, select="visible_pass", verify="visible_tests", on_error="revert", retries=1)
    assert [len(ask.requests) for ask in host.asked] == [3, 3]
    assert host.checked == [Check(("bad\n",))]


def test_the_commonest_behaviour_is_chosen(run: Start) -> None:
    assert run(["```\na\n```", BAD, BAD], candidates=3, select="vote")[1].source == "bad\n"


def test_code_in_the_models_reasoning_is_no_answer(run: Start) -> None:
    assert run([f"<think>Perhaps {BAD}</think>{GOOD}"])[1].source == "good\n"
    assert run([f"<think>Perhaps {BAD}"])[1].source == ""


def test_a_repair_sees_the_error_and_extends_the_conversation(run: Start) -> None:
    host, draft = run([BAD, GOOD], retries=1, verify="visible_tests", memory="last_k")
    first, second = draft.calls
    assert second.prompt_ids[: len(first.prompt_ids) + len(first.token_ids)] == first.prompt_ids + first.token_ids
    assert "That failed: bad: bad" in host.prompt(1)
    assert draft.source == "good\n"


@pytest.mark.parametrize(
    ("changes", "text", "absent"),
    [
        ({"on_error": "retry", "memory": "none", "view": "full"}, "An earlier attempt failed: bad", "That failed"),
        ({"on_error": "retry", "memory": "notes"}, "- bad: bad", "That failed"),
        ({"on_error": "replan"}, "Solve it another way", "bad: bad"),
        ({"on_error": "revert"}, "plus 7", "attempt"),
        ({"on_error": "retry", "memory": "last_k", "view": "errors_only"}, "That failed: bad\n", "bad: bad"),
    ],
)
def test_what_a_second_round_is_told(run: Start, changes: dict[str, str], text: str, absent: str) -> None:
    host, _ = run([BAD, GOOD], retries=1, verify="visible_tests", **changes)
    assert text in host.prompt(1)
    assert absent not in host.prompt(1)


def test_stop_means_stop(run: Start) -> None:
    assert len(run([BAD], retries=2, verify="visible_tests", on_error="stop")[0].asked) == 1


def test_compile_is_enough_where_the_card_says_so(run: Start) -> None:
    assert len(run([BAD], retries=2, verify="compile")[0].asked) == 1
    assert len(run(["```\nbroken\n```", BAD], retries=1, verify="compile")[0].asked) == 2


def test_steps_and_tokens_are_budgets(run: Start) -> None:
    host, _ = run([BAD] * 2, candidates=4, max_steps=2, retries=2, verify="visible_tests")
    assert sum(len(a.requests) for a in host.asked) == 2
    _, draft = run(["x" * 500] * 4, candidates=4, budget=100, retries=2, verify="visible_tests")
    assert sum(len(c.token_ids) for c in draft.calls) <= 100
    assert run([], budget=0)[1] == Draft("", (), ())


CUT = "```python\ncut " + "x" * 400  # longer than a call may be


@pytest.mark.parametrize(
    ("replies", "source", "changes"),
    [
        ([BAD, CUT], "bad\n", {"candidates": 2, "select": "visible_pass"}),
        ([CUT, BAD, CUT], "bad\n", {"candidates": 3, "select": "vote"}),
        ([BAD, CUT], "bad\n", {"retries": 1, "verify": "visible_tests"}),
        ([BAD, CUT.replace("cut", "good")], "good " + "x" * 185, {"candidates": 2, "select": "visible_pass"}),
        ([CUT], "cut " + "x" * 186, {}),
    ],
)
def test_an_answer_that_was_cut_off_is_the_last_to_be_chosen(
    run: Start, replies: list[str], source: str, changes: dict[str, object]
) -> None:
    assert run(replies, **changes)[1].source == source


def test_who_cannot_be_made_to_begin_writes_the_beginning_again(task: TaskView) -> None:
    class Free(Chat):
        constrains = False

    loose = Free(byte_chat()._tokenizer)
    card = BASE.model_copy(update={"decompose": "stubs_then_fill", "retries": 1, "verify": "visible_tests"})
    whole = "```python\ndef add_7(x):\n    return good\n```"
    host = Host(loose, lambda _: whole)
    draft = host.drive(run_card(task, card, loose, token_budget=900, call_tokens=200, seed=1))
    assert draft.source == "def add_7(x):\n    return good\n"
    assert host.asked[0].requests[0].stop_count == 2


def test_a_repair_for_which_the_context_had_no_room_is_not_submitted(chat: Chat, task: TaskView) -> None:
    class Narrow(FakeSampler):
        def generate(self, requests: Sequence[Request]) -> list[Completion]:
            first = CUT[:20] not in self.chat.decode(requests[0].prompt_ids)
            return super().generate(requests) if first else [no_answer(request) for request in requests]

    card = BASE.model_copy(update={"retries": 1, "verify": "visible_tests", "memory": "last_k"})
    host = Host(chat, lambda _: CUT)
    host.sampler = Narrow(chat, lambda _: CUT)
    draft = host.drive(run_card(task, card, chat, token_budget=900, call_tokens=200, seed=1))
    assert [call.finish for call in draft.calls] == ["length", "too_long"]
    assert draft.source == "cut " + "x" * 186


def test_a_plain_answer_that_was_cut_off_ends_with_a_whole_statement(chat: Chat, task: TaskView) -> None:
    text = "```python\ndef f(x):\n    return x\n\nprint(f(1"
    draft = Host(chat, lambda _: text).drive(run_plain(task, chat, token_budget=len(text) - 1, temperature=0.7, seed=0))
    assert draft.source == "def f(x):\n    return x\n\n"


@pytest.mark.parametrize(("budget", "asked"), [(2 * len(BAD) - 1, 1), (2 * len(BAD), 2)])
def test_a_repair_without_room_is_not_begun(run: Start, budget: int, asked: int) -> None:
    host, _ = run([BAD, GOOD[: len(BAD)]], budget=budget, retries=1, verify="visible_tests")
    assert len(host.asked) == asked


def test_as_many_repairs_as_there_is_room_for(run: Start) -> None:
    changes = {"candidates": 3, "select": "visible_pass", "retries": 1, "verify": "visible_tests", "on_error": "revert"}
    host, _ = run([BAD] * 5, budget=5 * len(BAD), **changes)
    assert [len(ask.requests) for ask in host.asked] == [3, 2]


def test_a_stub_is_part_of_the_source(run: Start) -> None:
    host, draft = run(["    return x + 7\n```"], decompose="stubs_then_fill")
    assert draft.source == "def add_7(x):\n    return x + 7\n"
    assert host.prompt(0).endswith("```python\ndef add_7(x):\n")


def test_examples_are_shown_as_asserts(run: Start) -> None:
    assert "assert add_7(1) == 8" in run([GOOD], decompose="tests_first")[0].prompt(0)


def test_plain(chat: Chat, task: TaskView) -> None:
    host = Host(chat, lambda _: GOOD)
    draft = host.drive(run_plain(task, chat, token_budget=50, temperature=0.7, seed=0))
    assert (draft.source, len(draft.calls)) == ("good\n", 1)
