"""The books: what goes in comes out the same, and a group belongs to one step at most."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bowerbird.orchestrator.credit import Credited, Trial, credit
from bowerbird.orchestrator.ledger import Group, Ledger
from bowerbird.rewards.verdict import ScaffoldReturn
from bowerbird.types import Completion, Executable, Facts, Flag, Outcome, Rollout, Sampling, Scaffold, Verdict


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    db = sqlite3.connect(":memory:", isolation_level=None)

    @contextmanager
    def transaction() -> Iterator[None]:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("COMMIT")

    yield Ledger(db, transaction)
    db.close()


def call(seed: int) -> Completion:
    return Completion(
        prompt_ids=(1, 2, 3),
        token_ids=(4, 5, 6),
        logprobs=(-0.1, -1 / 3, 0.0),
        versions=(0, 0, 1),
        sampled=(True, True, False),
        choices=(None, (5, 7), None),
        sampling=Sampling(0.7, 0.1, 16, seed),
        finish="stop",
        text="a\n",
    )


def group(wave: int, place: int) -> Group:
    spec = {"candidates": 2, "select": "vote", "nested": [1, {"a": None}]}
    trials = []
    for i in range(2):
        own = f"{wave}-{place}-{i}"
        scaffold = Scaffold(own, f"t{place}", "card", "{}", spec, None, None, call(i), 1)
        rollouts = tuple(
            Rollout(
                f"{own}-{k}",
                f"t{place}",
                own,
                (call(k),),
                {"solution.py": b"\xff\x00 not text", "run.sh": Executable(b"#!/bin/sh\n")},
                (),
                Facts(),
                None,
                None,
            )
            for k in range(2)
        )
        verdicts = (
            Verdict(f"{own}-0", Outcome.VALID, float(i), None),
            Verdict(f"{own}-1", Outcome.HACKED, 0.0, "hacked", flags=(Flag("rule", "why", "what"),)),
        )
        trials.append(Trial(scaffold, rollouts, verdicts, ScaffoldReturn(own, Outcome.VALID, float(i))))
    return Group(wave, place, tuple(credit(trials)))


def test_a_group_comes_back_the_same(ledger: Ledger) -> None:
    before = group(1, 0)
    ledger.accept(before)
    (after,) = ledger.waiting()
    assert isinstance(after.credited[0], Credited)
    for old, new in zip(before.credited, after.credited, strict=True):
        assert new.advantage == old.advantage
        assert new.trial.scaffold.completion == old.trial.scaffold.completion
        assert new.trial.verdicts == old.trial.verdicts
        assert new.trial.rollouts == old.trial.rollouts
    assert after == before


def test_a_group_has_one_step_and_the_others_wait(ledger: Ledger) -> None:
    groups = [group(1, 0), group(1, 1), group(2, 0)]
    for item in groups:
        ledger.accept(item)
    ledger.assign(1, groups[:2], {"a": 0.5})
    ledger.assign(2, groups[1:], {"a": 0.25})
    assert ledger.waiting() == []
    assert ledger.steps_after(0) == {1: groups[:2], 2: groups[2:]}, "what step 1 has, step 2 cannot take"
    assert ledger.steps_after(1) == {2: groups[2:]}
    assert ledger.rates() == {"a": 0.25}
    ledger.forget_bodies(1)
    assert ledger.steps_after(1) == {2: groups[2:]}
    assert ledger.accepted() == {(1, 0), (1, 1), (2, 0)}


def test_a_group_is_accepted_once(ledger: Ledger) -> None:
    ledger.accept(group(1, 0))
    with pytest.raises(sqlite3.IntegrityError):
        ledger.accept(group(1, 0))


def test_waves_keep_their_order(ledger: Ledger) -> None:
    ledger.draw(1, ["b", "a"], {})
    ledger.draw(2, ["c"], {"x": 0.1})
    assert ledger.waves() == {1: ["b", "a"], 2: ["c"]}
