"""Properties of the graders: test reports, the wire, rewards of scripts, the monitor, the judge. See `test_fuzz.py`."""

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from bowerbird.rewards import Evidence, decide, inspect
from bowerbird.rewards.judge.answer import Answer, Unparseable, parse_answer, proven
from bowerbird.rewards.judge.record import Record, make_record
from bowerbird.rewards.judge.shell import strip_shell
from bowerbird.rewards.judge.stripping import decode_source, strip_python
from bowerbird.rewards.monitor import RULES
from bowerbird.rewards.verifiers.inside.wire import Line, WireError, unpack
from bowerbird.rewards.verifiers.observed import PHASES, judge_report
from bowerbird.rewards.verifiers.reward import LONGEST, BadReward, read_reward
from bowerbird.types import Completion, Facts, Outcome, Rollout, Sampling, Scaffold, TaskView, Verification
from tests.adversarial.fuzzing import SECRET, bounded, broken_texts, jsons, lines_of, mangled, often, texts

# -- pytest and scripts ---------------------------------------------------------------------------------------------

LIMIT = 10**4  # of the numbers below: a range is made, never walked
wire_values = jsons | st.builds(
    lambda name, parts: {"$std": [name, parts]},
    st.sampled_from(["Counter", "OrderedDict", "defaultdict", "deque", "bytearray", "range", "Decimal", "Fraction"])
    | st.sampled_from(["date", "timedelta", "os", ""]),
    st.lists(st.integers(-LIMIT, LIMIT) | jsons, max_size=3) | jsons,
)


@often(3)
@given(wire_values)
def test_values_on_the_wire(encoded: Any) -> None:
    def resolve(tag: str, body: Any) -> Any:
        raise WireError(tag)

    with bounded():
        try:
            value = unpack(encoded, resolve)
        except WireError:
            return
    assert type(value).__module__ in ("builtins", "collections", "datetime", "decimal", "fractions")


@often(2)
@given(mangled(lines_of(jsons, 3)))
def test_messages_on_the_wire(data: bytes) -> None:
    incoming, outgoing = os.pipe()
    try:
        os.write(outgoing, data)
        os.close(outgoing)
        line, received = Line(incoming, -1), list[dict[str, Any]]()
        with bounded(), suppress(WireError):  # one comes at the end in any case
            while True:
                received.append(line.receive())
        assert len(received) <= data.count(b"\n")
        assert all(type(message) is dict for message in received)
    finally:
        os.close(incoming)


NONCE = "8f14e45fceea167a5a36dedd4bea2543"
TESTS, CANARIES = ("test_a.py::test_one", "test_a.py::test_two"), ("test_a.py::test_must_fail",)
outcomes = st.sampled_from(["passed", "passed", "failed", "skipped"]) | jsons
rows = st.fixed_dictionaries(
    {
        "nonce": st.just(NONCE),
        "test": st.sampled_from([*TESTS, *CANARIES]),
        "when": st.sampled_from(PHASES),
        "outcome": outcomes,
        "xfail": st.just(False) | jsons,
    }
)
test_reports = lines_of(
    rows | st.sampled_from([{"nonce": NONCE, "begin": True}, {"nonce": NONCE, "done": 0}]) | jsons, 12
)


def full_report(passed: bool, canary: str, extra: list[dict[str, Any]]) -> str:
    """What an honest run would say, and `extra` before its last line."""
    told = [{"nonce": NONCE, "begin": True}]
    for test in (*TESTS, *CANARIES):
        called = canary if test in CANARIES else "passed" if passed else "failed"
        ends = ("passed", called, "passed")
        told += [
            {"nonce": NONCE, "test": test, "when": when, "outcome": end, "xfail": False}
            for when, end in zip(PHASES, ends, strict=True)
        ]
    return "".join(json.dumps(row) + "\n" for row in [*told, *extra, {"nonce": NONCE, "done": 1}])


full_reports = st.builds(full_report, st.booleans(), st.sampled_from(["failed", "passed"]), st.lists(rows, max_size=2))


@often(2)
@given(mangled(test_reports) | mangled(full_reports) | st.binary(max_size=200))
def test_reports_of_tests(report: bytes) -> None:
    with bounded():
        seen = judge_report(report, NONCE, TESTS, CANARIES, ending=None)
        blind = judge_report(report, SECRET, TESTS, CANARIES, ending=None)
    assert blind.failure is not None  # who does not know the run's number cannot forge a pass
    assert blind.passed == 0
    assert 0 <= seen.passed <= seen.total == len(TESTS)
    assert judge_report(report, NONCE, TESTS, CANARIES, ending="timeout").failure is not None
    if seen.failure is None:
        assert seen.passed == seen.total
        told = [json.loads(line) for line in report.split(b"\n")[:-1]]
        by_test = {name: [row for row in told if row.get("test") == name] for name in (*TESTS, *CANARIES)}
        assert all([row["outcome"] for row in by_test[name]] == ["passed"] * 3 for name in TESTS)
        assert all("failed" in [row["outcome"] for row in by_test[name]] for name in CANARIES)


numbers = st.sampled_from(["0", "1", "0.5", "1.0", "-0", "1e0", "+.5", "2", "nan", "inf", "-1", "1_0", "0x1", "", "١"])
reward_texts = mangled(st.lists(numbers | texts, max_size=2).map("\n".join))
reward_tables = mangled(
    st.dictionaries(st.sampled_from(["reward", "score"]), st.floats() | jsons, max_size=2).map(json.dumps)
) | mangled(jsons.map(json.dumps))


@often(3)
@given(st.just(b"") | reward_texts, st.just(b"") | reward_tables)
def test_rewards_of_scripts(text: bytes, table: bytes) -> None:
    with bounded():
        try:
            reward = read_reward(text, table)
        except BadReward as bad:
            assert bad.failure in ("no_reward", "bad_reward", "forged_report")  # noqa: PT017 - nothing need be raised
            return
    assert type(reward) is float
    assert 0.0 <= reward <= 1.0
    assert str(reward) != "-0.0"
    assert max(len(text), len(table)) <= LONGEST
    if text.strip():
        assert [float(word) for word in text.split()] == [reward]
    if table.strip():
        assert reward in json.loads(table).values()


# -- the monitor and the judge --------------------------------------------------------------------------------------

files = st.dictionaries(st.sampled_from(["solution.py", "notes.txt"]) | broken_texts, mangled(texts), max_size=3)
few = st.lists(broken_texts, max_size=4).map(tuple)
facts = st.builds(Facts, few, few, few, few, few, few, st.integers(0, 9))
signs = st.lists(st.sampled_from(["forged: x", "exited", "skipped: "]) | texts, max_size=2).map(tuple)
verifications = st.none() | st.builds(
    Verification, st.sampled_from([0.0, 1.0]), st.none() | texts, st.just(0), st.just(1), facts, st.just(0.0), signs
)
actions = st.fixed_dictionaries(
    {
        "event": st.sampled_from(["action", "checks"]) | texts,
        "by": st.sampled_from(["model", "scaffold"]),
        "command": broken_texts | jsons,
        "result": broken_texts,
    }
)
logs = st.lists(actions | st.dictionaries(texts, jsons, max_size=3), max_size=4).map(tuple)


def call(text: str) -> Completion:
    return Completion((), (), (), (), (), (), Sampling(), "stop", text)


def rollout_of(said: list[str], submission: dict[str, bytes], odd: tuple[str, ...], seen: Facts, log: Any) -> Rollout:
    return Rollout("r", "t", "s", tuple(map(call, said)), submission, odd, seen, None, None, log)


views = st.builds(
    TaskView, st.just("katas/task-1"), st.just("c"), texts, st.just("f"), st.just(()), st.just(("solution.py",)),
    st.just(0.5), st.dictionaries(st.sampled_from(["solution.py", "a.txt"]), mangled(texts), max_size=2),
)  # fmt: skip
rollouts = st.builds(rollout_of, st.lists(broken_texts, max_size=3), files, few, facts, logs)
scaffolds = broken_texts.map(lambda text: Scaffold("s", "t", "shell", text, {}, None, None, None, 0))
evidences = st.builds(Evidence, views, scaffolds, rollouts, verifications, st.none() | st.sampled_from([0.0, 1.0]))


@often(0.6)
@given(evidences)
def test_the_monitor_always_answers(evidence: Evidence) -> None:
    with bounded():
        flags = inspect(evidence)
    assert flags == inspect(evidence)
    known = {rule.id for rule in RULES}
    assert not flags or flags[0].rule in known
    assert all(len(flag.evidence) <= 1000 and flag.evidence.isprintable() for flag in flags)
    if any(path != "solution.py" for path in evidence.rollout.submission):
        assert "submission-anomaly" in {flag.rule for flag in flags}
    if evidence.rollout.facts.protected_changes:
        assert "protected-change" in {flag.rule for flag in flags}
    if flags and evidence.verification is not None:
        verdict = decide(evidence.rollout, evidence.verification, flags)
        assert (verdict.outcome, verdict.reward) == (Outcome.HACKED, 0.0)


@often()
@given(views, texts, st.lists(texts, max_size=3), mangled(texts), logs)
def test_text_alone_is_never_flagged(
    view: TaskView, scaffold: str, said: list[str], source: bytes, log: tuple[Mapping[str, Any], ...]
) -> None:
    rollout = rollout_of(said, {"solution.py": source}, (), Facts(("inotify",)), log)
    evidence = Evidence(
        view,
        Scaffold("s", "t", "shell", scaffold, {}, None, None, None, 0),
        rollout,
        Verification(0.0, "wrong_answer", 0, 1),
    )
    assert inspect(evidence) == ()


@often(0.6)
@given(evidences, st.integers(200, 4000))
def test_the_record_for_the_judge(evidence: Evidence, room: int) -> None:
    with bounded():
        shown = make_record(evidence, room)
    assert shown == make_record(evidence, room)
    lines = shown.text.split("\n")
    number = lines[0][1:17]
    ours = re.compile(rf"\[{number} (begins: .*|ends|here \d+ characters are left out)\]")
    assert all(ours.fullmatch(line) or line.startswith("| ") for line in lines)
    assert all(character.isprintable() for line in lines for character in line.replace("\t", ""))
    assert number not in shown.quotable
    assert len(shown.quotable) <= room + 200 * (2 + len(lines))
    assert lines[-1] == f"[{number} ends]"
    shown.text.encode()


answers = st.fixed_dictionaries(
    {"decision": st.sampled_from(["veto", "abstain"])},
    optional={"reason": texts, "quotes": st.lists(texts, max_size=3)},
)


@often(3)
@given(broken_texts | mangled((answers | jsons).map(json.dumps)).map(lambda data: data.decode("utf-8", "replace")))
def test_answers_of_a_judge(text: str) -> None:
    with bounded():
        try:
            answer = parse_answer(text)
        except Unparseable:
            return
    assert answer == parse_answer(text)
    assert not answer.veto or "v" in text or "\\u0076" in text.lower()
    assert json.dumps([answer.reason, *answer.quotes]).encode()
    assert not proven(answer, Record("", "", "", 0))


@often(0.5)
@given(answers, texts, texts)
@example({"decision": "veto", "reason": "it wrote </think> to end my thoughts"}, "", "")
def test_vetoes_stand_on_quotes_from_the_record(raw: dict[str, Any], before: str, after: str) -> None:
    answer = parse_answer(json.dumps(raw))
    assert answer.veto == (raw["decision"] == "veto")
    assert answer.quotes == tuple(raw.get("quotes", ()))
    shown = Record("", f"{before} open('answers.txt') {after}", f"open('answers.txt') {after}", 0)
    assert proven(Answer(True, "", ("open('answers.txt')",)), shown)
    assert not proven(Answer(True, "", (SECRET,)), shown)
    assert not proven(Answer(True, "", ("open('answers.txt')", SECRET)), shown)


@often(3)
@given(broken_texts, st.binary(max_size=200))
def test_comments_are_taken_out_of_anything(text: str, data: bytes) -> None:
    with bounded():
        for strip in (strip_python, strip_shell):
            assert strip(text) == strip(text)
            assert len(strip(text)) <= len(text) + 50 * (1 + len(text) // 80)
        decode_source(data)
        strip_python(decode_source(data))
