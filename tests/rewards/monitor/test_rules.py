"""All rules together: order, totality, users' rules, documentation."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bowerbird.rewards import RULES, inspect
from bowerbird.rewards.monitor import HINTS, load_rules
from bowerbird.rewards.monitor.rule import MAX_EVIDENCE
from bowerbird.types import ConfigError, Facts, InfraError, Verification
from tests.rewards.monitor import house_rules
from tests.rewards.monitor.evidences import evidence, rules_of, seen
from tests.rewards.records import completion, rollout, scaffold, task

HOUSE = "tests.rewards.monitor.house_rules"


def test_an_honest_rollout_has_no_flags() -> None:
    assert inspect(evidence()) == ()
    assert inspect(evidence(verification=None, null_reward=None)) == ()


def test_all_objections_are_kept_in_order() -> None:
    bad = rollout(facts=Facts(withheld_reads=("/tests/a",), protected_changes=("b",)), anomalies=("c: FIFO",))
    assert rules_of(evidence(rollout=bad)) == ["withheld-read", "protected-change", "submission-anomaly"]


def test_rules_are_unique_and_documented() -> None:
    rules = (*RULES, *HINTS)
    assert len({rule.id for rule in rules}) == len(rules)
    assert all(rule.reason and len(type(rule).__doc__ or "") > 20 for rule in rules)


def test_a_users_rules_come_after_ours() -> None:
    rules = load_rules([f"{HOUSE}:NoPerl", f"{HOUSE}:ready_made"])
    assert [rule.id for rule in rules] == [*(rule.id for rule in RULES), "no-perl", "no-perl-again"]
    assert [flag.rule for flag in inspect(seen(executed=("/usr/bin/perl",)), rules)] == ["no-perl", "no-perl-again"]
    assert inspect(seen(executed=("/usr/bin/python3",)), rules) == ()
    assert load_rules([]) == RULES


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nothing", "module:name"),
        (":x", "module:name"),
        ("a:b c", "module:name"),
        ("no_such_module_anywhere:rule", "PYTHONPATH"),
        (f"{HOUSE}:missing", "missing"),
        (f"{HOUSE}:Demanding", "needed"),
        (f"{HOUSE}:same_id", "taken"),
        (f"{HOUSE}:judge_id", "taken"),
        (f"{HOUSE}:bad_id", "`id`"),
        (f"{HOUSE}:no_rule", "`id`"),
        (f"{HOUSE}:no_reason", "`reason`"),
        (f"{HOUSE}:NoCheck", "`check"),
    ],
)
def test_a_bad_rule_is_refused_with_what_to_do(name: str, told: str) -> None:
    with pytest.raises(ConfigError, match=r"monitor\.rules") as error:
        load_rules([name])
    assert told in str(error.value)


def test_the_same_rule_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="taken"):
        load_rules([f"{HOUSE}:NoPerl", f"{HOUSE}:NoPerl"])


def test_a_rule_that_fails_is_a_failure_of_the_machinery() -> None:
    with pytest.raises(InfraError, match="rule broken failed: KeyError"):
        inspect(evidence(), [house_rules.Broken()])


def test_evidence_is_bounded_and_on_one_line() -> None:
    (flag,) = inspect(evidence(), [house_rules.Talkative()])
    assert len(flag.evidence) == MAX_EVIDENCE
    assert flag.evidence.isprintable()
    (flag,) = inspect(evidence(rollout=rollout(anomalies=tuple(f"{i}\x1b[2J" * 99 for i in range(99)))))
    assert len(flag.evidence) <= MAX_EVIDENCE
    assert flag.evidence.isprintable()


def test_a_lost_rollout_is_inspected_like_any_other() -> None:
    assert inspect(evidence(rollout=rollout(infra_error="lost", submission={}), verification=None)) == ()


texts = st.text(max_size=200)
paths = st.lists(texts | st.builds("/{}/{}".format, texts, texts), max_size=4).map(tuple)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
facts = st.builds(
    Facts,
    watchers=paths,
    withheld_reads=paths,
    protected_changes=paths,
    opened=paths,
    executed=paths,
    connected=paths,
    lost=st.integers(0, 9),
)


@st.composite
def anything(draw: st.DrawFn) -> Any:
    """Evidence of whatever a model, a candidate and a sandbox might come up with."""
    return evidence(
        task=task(task_id=draw(texts), workspace=draw(st.dictionaries(texts, st.binary(max_size=60), max_size=2))),
        scaffold=scaffold(text=draw(texts)),
        rollout=rollout(
            submission=draw(st.dictionaries(texts, st.binary(max_size=300), max_size=3)),
            calls=tuple(completion(text) for text in draw(st.lists(texts, max_size=2))),
            anomalies=draw(paths),
            facts=draw(facts),
            log=tuple(draw(st.lists(st.dictionaries(st.sampled_from(["command", "by", "x"]), values), max_size=3))),
        ),
        verification=draw(
            st.none()
            | st.builds(Verification, st.floats(), st.none() | texts, st.integers(), st.integers(), facts, signs=paths)
        ),
        null_reward=draw(st.none() | st.floats()),
        canaries=tuple(draw(st.lists(texts, max_size=2))),
    )


@settings(max_examples=150)
@given(anything())
def test_inspection_never_fails_and_is_always_the_same(found: Any) -> None:
    flags = inspect(found)
    assert flags == inspect(found)
    assert all(len(flag.evidence) <= MAX_EVIDENCE and flag.evidence.isprintable() for flag in flags)


name = st.from_regex(r"[a-zA-Z0-9_.-]{1,12}", fullmatch=True).filter(lambda text: text not in (".", ".."))
inside = st.lists(name, min_size=1, max_size=4).map("/".join)
honest_paths = st.one_of(
    st.builds(
        "{}/{}".format,
        st.sampled_from(["/work", "/tmp", "/usr", "/etc", "/home/user", "/var/log", "/opt", "/dev/shm", "/proc/self"]),
        inside,
    ),
    inside,
    st.sampled_from(["/", "/tests", "/solution", "/logs", "/proc/1/stat", "/proc/12/status", "/proc/9/cmdline"]),
)
honest_programs = st.builds(
    "{}/{}".format,
    st.sampled_from(["/usr/bin", "/bin", "/work", "/work/.venv/bin", "/tmp/x"]),
    st.sampled_from(["ls", "python3.11", "cat", "gcc", "make", "node", "run.sh", "a.out", "pytest-3"]),
)


@settings(max_examples=150)
@given(st.lists(honest_paths, max_size=8), st.lists(honest_programs, max_size=4), texts, st.binary(max_size=300))
def test_honest_work_is_never_flagged(opened: list[str], executed: list[str], said: str, code: bytes) -> None:
    found = seen(said, opened=tuple(opened), executed=tuple(executed), connected=("inet 127.0.0.1:80", "unix @x"))
    graded = rollout(
        facts=found.rollout.facts,
        log=found.rollout.log,
        submission={"solution.py": code},
        calls=(completion(said),),
    )
    assert rules_of(evidence(rollout=graded)) == []
