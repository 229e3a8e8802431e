"""Properties of everything that reads what a model or a candidate wrote, on inputs nobody thought of.

CI takes the same inputs every time, a minute's worth; `scripts/fuzz --hours 24` runs the same properties on new ones.
No property may depend on chance, the clock or the machine. Those of the graders that came later are in
`test_fuzz_graders.py`.
"""

import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.inference.fake import FakeSampler, byte_chat
from bowerbird.rewards import OracleVerifier, grade
from bowerbird.rewards.verdict import checked_reward
from bowerbird.rollout.effects import Act, Ask
from bowerbird.rollout.prompts import FENCE, extract_code
from bowerbird.rollout.shell import SHOWN, run_shell
from bowerbird.sandbox import Execution, FakeSandbox, Limits, run_calls, scripted
from bowerbird.sandbox.beneath import open_beneath, parts_of
from bowerbird.sandbox.codec import decode, encode, same
from bowerbird.sandbox.collect import collect_files
from bowerbird.scaffold.card import Card, card_schema, parse_card, write_card
from bowerbird.types import (
    Case,
    Facts,
    InfraError,
    Outcome,
    Rollout,
    Scaffold,
    TaskView,
    Verification,
    VerifierSpec,
)
from tests.adversarial.fuzzing import SECRET, bounded, broken_texts, jsons, lines_of, mangled, often, texts

# -- what a model writes --------------------------------------------------------------------------------------------

ONE, SEVERAL = (
    {name: field["enum"] for name, field in kind["properties"].items()} for kind in json.loads(card_schema())["anyOf"]
)
CHOICES = {name: [*values, *SEVERAL[name]] for name, values in ONE.items()}
cards = st.one_of(
    [st.fixed_dictionaries({name: st.sampled_from(values) for name, values in kind.items()}) for kind in (ONE, SEVERAL)]
)


@often(3)
@given(texts | mangled(cards.map(json.dumps)).map(lambda data: data.decode("utf-8", "replace")))
def test_cards(text: str) -> None:
    with bounded():
        card, why = parse_card(text)
    assert parse_card(text) == (card, why)
    assert (card is None) == (why is not None)
    if card is None:
        assert why is not None
        assert len(why) <= 200
    else:
        assert parse_card(write_card(card)) == (card, None)
        assert all(json.dumps(getattr(card, name)) in map(json.dumps, values) for name, values in CHOICES.items())


@often()
@given(cards, texts.filter(lambda text: "{" not in text and "}" not in text))
def test_cards_that_were_written_are_read(raw: dict[str, Any], prose: str) -> None:
    card = Card.model_validate(raw)
    assert parse_card(write_card(card)) == (card, None)
    assert parse_card(json.dumps(raw, indent=1)) == (card, None)
    assert parse_card(prose[:40] + write_card(card) + prose[:40]) == (card, None)


@often(3)
@given(texts, texts | st.just(""))
def test_code_in_an_answer(answer: str, begun: str) -> None:
    with bounded():
        code = extract_code(answer, begun)
    assert code == extract_code(answer, begun)
    assert code in begun + answer
    assert code.startswith(begun)
    assert begun or FENCE not in answer or FENCE not in code


SHELL_TASK = TaskView("t", "c", "Write f.", "f", ())
outputs = st.builds(
    Execution, st.none() | st.integers(-64, 255), st.binary(max_size=200), st.binary(max_size=9000), st.booleans()
)


@often(2)
@given(st.lists(texts, max_size=6), st.lists(outputs, min_size=9, max_size=9), st.integers(0, 600))
def test_the_shell_loop(replies: list[str], results: list[Execution], tokens: int) -> None:
    chat = byte_chat()
    left, done = iter(replies), iter(results)
    sampler = FakeSampler(chat, lambda _: next(left, "over"))
    run = run_shell(SHELL_TASK, ("ls",), chat, token_budget=tokens, call_tokens=300, turns=5, seed=0)
    acts, said = [], ["```sh\nls```"]
    try:
        effect = next(run)
        while True:
            if isinstance(effect, Ask):
                answer = sampler.generate(effect.requests)
                said.append(answer[0].text)
                effect = run.send(tuple(answer))
            else:
                assert isinstance(effect, Act)
                acts.append(effect.argv)
                effect = run.send(next(done))
    except StopIteration as stop:
        draft = stop.value
    assert len(acts) <= len(said) <= 6
    assert sum(len(call.token_ids) for call in draft.calls) <= tokens
    assert all(argv[:2] == ("/bin/sh", "-c") and any(argv[2] in text for text in said) for argv in acts)
    assert [entry["command"] for entry in draft.log] == [argv[2] for argv in acts]
    assert all(len(entry["result"]) <= SHOWN + 100 for entry in draft.log)
    json.dumps(draft.log)


# -- what a candidate reports ---------------------------------------------------------------------------------------

FAILURES = {None, "no_code", "syntax_error", "import_error", "missing_function", "timeout", "crash", "flood"}
call_lines = lines_of(
    st.sampled_from([{"loaded": True}, {"done": True}, {"loaded": 1}, {"call": 0}])
    | st.fixed_dictionaries({"failure": st.sampled_from(sorted(map(str, FAILURES)))}, optional={"message": jsons})
    | st.builds(lambda number, value: {"call": number, "value": value}, st.integers(-1, 3), jsons)
    | st.builds(lambda number, error: {"call": number, "error": error}, st.integers(0, 2), jsons)
    | jsons,
    6,
)
# The right lines with any values: only these get as far as a comparison.
whole_reports = st.lists(jsons | st.sampled_from([7, 7.0, "7", True]), min_size=2, max_size=2).map(
    lambda values: "\n".join(
        ['{"loaded": true}', *(json.dumps({"call": n, "value": v}) for n, v in enumerate(values)), '{"done": true}', ""]
    )
)
call_reports = mangled(call_lines) | mangled(whole_reports) | st.binary(max_size=300)
endings = st.tuples(st.none() | st.sampled_from([0, 1, -9, -24]), st.booleans(), st.booleans())


def played(report: bytes, ending: tuple[int | None, bool, bool]) -> FakeSandbox:
    code, late, cut = ending
    return FakeSandbox(scripted([Execution(code, report, b"", late, cut)]))


@often(3)
@given(call_reports, endings)
def test_reports_of_calls(report: bytes, ending: tuple[int | None, bool, bool]) -> None:
    cases = (Case((1,), 7), Case((2,), 7))
    with played(report, ending).open({"solution.py": b"x"}) as workspace, bounded():
        found = run_calls(workspace, "solution.py", "f", cases, Limits())
    assert found.failure in FAILURES
    assert len(found.results) <= len(cases)
    assert (found.failure is None) <= (len(found.results) == len(cases))
    assert len(found.message) <= 200
    assert found.message == "" or found.message.isprintable()
    for result in found.results:
        assert result.error is None or (result.value is None and result.error.isprintable())


@often(3)
@given(call_reports, endings)
def test_a_forged_report_is_no_pass(report: bytes, ending: tuple[int | None, bool, bool]) -> None:
    cases = (Case((1,), SECRET), Case((2,), encode((SECRET, 1))))
    spec = VerifierSpec("t", "oracle", "f", cases)
    done = OracleVerifier(played(report, ending)).verify(spec, {"solution.py": b"x"})
    assert (done.reward, done.failure in FAILURES | {"exception", "wrong_answer"}) == (0.0, True)
    assert done.failure is not None


@often(2)
@given(whole_reports, endings)
def test_a_pass_is_the_right_values_and_nothing_else(report: str, ending: tuple[int | None, bool, bool]) -> None:
    spec = VerifierSpec("t", "oracle", "f", (Case((1,), 7), Case((2,), 7)))
    done = OracleVerifier(played(report.encode(), ending)).verify(spec, {"solution.py": b"x"})
    values = [json.loads(line)["value"] for line in report.splitlines()[1:-1]]
    right = [(type(v) is int and v == 7) or v == {"$int": "0x7"} for v in values]
    assert done.reward in (0.0, 1.0)
    assert (done.reward == 1.0) == all(right)


@often(3)
@given(jsons, jsons)
def test_encoded_values(left: Any, right: Any) -> None:
    with bounded():
        assert same(left, right) == same(right, left)
        assert not same(left, {"$other": "x"})
        assert not same(left, SECRET)
        try:
            value = decode(left)
        except ValueError:
            return
        again = encode(value)
        assert same(again, again)
        assert same(encode(decode(again)), again)


# -- files and rewards ----------------------------------------------------------------------------------------------

names = st.lists(
    st.sampled_from(
        ["..", ".", "/", "a", "link", "away", "loop", "fifo", "~", "\0", "//", "", "é", "x" * 300, "\udcff"]
    )
    | st.text(max_size=3),
    max_size=6,
)
paths = names.map("/".join) | names.map("".join) | broken_texts


@often(5)
@given(paths)
def test_paths_stay_inside(path: str) -> None:
    parts = parts_of(path)
    if parts is not None:
        assert not os.path.isabs(path)
        assert ".." not in path.split("/")
        assert parts
        assert os.path.normpath(f"/work/{path}").startswith("/work/")


@contextmanager
def hostile_folder() -> Iterator[int]:
    """A workspace full of ways out of it, open, beside a secret."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        (root / "secret").write_text(SECRET)
        work = root / "work"
        (work / "a").mkdir(parents=True)
        (work / "a" / "x").write_text("inside")
        (work / "link").symlink_to("../secret")
        (work / "away").symlink_to(root)
        (work / "loop").symlink_to("loop")
        (work / "a" / "hard").hardlink_to(root / "secret")
        os.mkfifo(work / "fifo")
        folder = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield folder
        finally:
            os.close(folder)


@pytest.mark.parametrize(
    "path", ["a/x", "a/hard", "link", "away/secret", "loop", "fifo", "../secret", "a/../../secret"]
)
def test_the_hostile_folder_is_hostile(path: str) -> None:
    with hostile_folder() as folder:
        found = collect_files(partial(open_beneath, folder), [path], 100)
    assert found.files == ({"a/x": b"inside"} if path == "a/x" else {})
    assert bool(found.anomalies) == (path != "a/x")


@often(2)
@given(st.lists(st.sampled_from(["a/x", "a/hard", "link", "away/secret", "fifo"]) | paths, max_size=5))
def test_collecting_takes_nothing_from_outside(declared: list[str]) -> None:
    with hostile_folder() as folder, bounded():
        found = collect_files(partial(open_beneath, folder), declared, 100)
    assert set(found.files) <= set(declared)
    assert set(found.files.values()) <= {b"inside"}


VIEW, SPEC = TaskView("t", "c", "x", "f", ()), VerifierSpec("t", "oracle", "f", ())
SCAFFOLD = Scaffold("s", "t", "card", "", {}, None, None, None, 0)


class Saying:
    """A verifier that says what it is told to."""

    def __init__(self, reward: float) -> None:
        self._reward = reward

    def verify(self, spec: VerifierSpec, submission: Mapping[str, bytes]) -> Verification:
        del spec, submission
        return Verification(self._reward, None, 1, 1)


@often(3)
@given(st.floats() | st.integers() | st.booleans() | jsons)
def test_a_reward_is_a_finite_float_from_0_to_1(reward: Any) -> None:
    fine = type(reward) is float and math.isfinite(reward) and 0 <= reward <= 1
    try:
        assert checked_reward(reward) == reward
        assert fine
    except (TypeError, InfraError):
        assert not fine
    if type(reward) is float:
        rollout = Rollout("r", "t", "s", (), {"solution.py": b"x = 1"}, (), Facts(), None, None)
        verdict = grade(VIEW, SPEC, SCAFFOLD, rollout, Saying(reward), rules=()).verdict
        assert verdict.outcome is (Outcome.VALID if fine else Outcome.INFRA_ERROR)
        assert verdict.reward == (reward if fine else 0.0)
