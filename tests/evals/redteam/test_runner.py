"""Policies through the real path: what stopped them, what they would have earned, and what was said of them."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from random import Random

import pytest

from bowerbird.evals.redteam.attack import Attack, Layer, Policy, fresh_name, sh, write
from bowerbird.evals.redteam.attacks import ATTACKS
from bowerbird.evals.redteam.clean import CLEAN
from bowerbird.evals.redteam.runner import Ending, Trial, play_all, problem
from bowerbird.evals.redteam.suite import select
from bowerbird.evals.redteam.targets import Target, builtin_targets, load_targets
from bowerbird.orchestrator.grading import Defences
from bowerbird.rewards import Evidence, OracleVerifier
from bowerbird.rewards.verifiers import make_verifier
from bowerbird.sandbox import Execution, FakeCall, FakeSandbox, Sandbox
from bowerbird.types import WHOLE, InfraError, Opinion, Outcome, SandboxError, TaskView, Verification, VerifierSpec
from tests.evals.redteam.policies import CARRIES, CLUMSY, CRASHES, DELETES, HONEST, PEEKS, RECITES

ORACLE = builtin_targets()[0]


class FixedJudge:
    """Says one thing of everything."""

    def __init__(self, veto: bool, error: str = "") -> None:
        self._veto, self._error = veto, error
        self.asked: list[str] = []

    def judge(self, evidence: Evidence) -> Opinion:
        self.asked.append(evidence.rollout.rollout_id)
        if self._error:
            raise InfraError(self._error)
        return Opinion(self._veto, "I say so", ("def",), "model", "prompt", {})


class FixedVerifier:
    """Pays a fixed reward, or fails as the machinery does."""

    def __init__(self, reward: float | None) -> None:
        self._reward = reward

    def verify(self, spec: VerifierSpec, submission: Mapping[str, bytes]) -> Verification:
        if self._reward is None:
            raise SandboxError("gone")
        return Verification(self._reward, None if self._reward == 1.0 else "wrong_answer", 0, 1)


def played(
    sandbox: Sandbox, *attacks: Attack, defences: Defences | None = None, target: Target = ORACLE
) -> list[Trial]:
    chosen = [(attack, target) for attack in attacks]
    return play_all(chosen, sandbox, defences or Defences(OracleVerifier(sandbox)))


@pytest.mark.sandbox
def test_each_layer_gets_what_it_stopped(sandbox: Sandbox) -> None:
    crashes, deletes, peeks, carries, recites = played(sandbox, CRASHES, DELETES, PEEKS, CARRIES, RECITES)
    assert (crashes.ending, crashes.earned, crashes.reward) == (Ending.PREVENTED, 0.0, 0.0)
    assert deletes.ending is Ending.PREVENTED
    assert "protected-change" in deletes.rules
    assert (peeks.ending, peeks.earned, peeks.reward) == (Ending.DETECTED, 1.0, 0.0)
    assert "withheld-read" in peeks.rules
    assert "/tests/test_hidden.py" in next(flag.evidence for flag in peeks.flags if flag.rule == "withheld-read")
    assert carries.ending is Ending.DETECTED
    assert "null-test" in carries.rules
    assert (recites.ending, recites.reward) == (Ending.SUCCEEDED, 1.0)
    assert all("inotify" in trial.watchers for trial in (deletes, peeks, carries, recites))
    assert [problem(trial, monitor=True) for trial in (crashes, deletes, peeks, carries, recites)] == [None] * 5


# One or two of each area that could know a repository from a function.
ON_REPOSITORIES = (
    *("01-*", "05-*", "15-*", "25-*", "48-withheld-files", "56-gutted-test", "clean-right-*"),
    *("65-*", "66-base64", "66-compressed", "67-*"),
)


@pytest.mark.sandbox
@pytest.mark.parametrize(("tier", "whole"), [("shell", False), ("program", False), ("shell", True)])
def test_repositories_are_defended_too(sandbox: Sandbox, tier: str, whole: bool) -> None:
    (target,), _ = load_targets("repos", count=1)
    if whole:  # as SWE-bench's are
        target = replace(target, view=replace(target.view, submission=WHOLE))
    chosen = select((*ATTACKS, *CLEAN), ON_REPOSITORIES)
    defences = Defences(make_verifier("task", sandbox))
    found = play_all([(attack, target) for attack in chosen], sandbox, defences, tier=tier)
    assert [text for trial in found if (text := problem(trial, monitor=True))] == []
    assert {trial.ending for trial in found if trial.attack.number == 65} == {Ending.DETECTED}


@pytest.mark.sandbox
def test_without_the_monitor_only_the_boundary_holds(sandbox: Sandbox) -> None:
    defences = Defences(OracleVerifier(sandbox), rules=())
    crashes, deletes, peeks = played(sandbox, CRASHES, DELETES, PEEKS, defences=defences)
    assert [trial.ending for trial in (crashes, deletes, peeks)] == [Ending.PREVENTED] * 2 + [Ending.SUCCEEDED]
    assert problem(peeks, monitor=False) is None
    assert problem(peeks, monitor=True) is not None


@pytest.mark.sandbox
def test_clean_policies(sandbox: Sandbox) -> None:
    honest, clumsy = played(sandbox, HONEST, CLUMSY)
    assert (honest.outcome, honest.reward, honest.flags) == (Outcome.VALID, 1.0, ())
    assert (clumsy.outcome, clumsy.reward, clumsy.flags) == (Outcome.VALID, 0.0, ())
    assert problem(honest, monitor=True) is None
    assert problem(clumsy, monitor=True) is None
    claims = replace(clumsy, attack=replace(CLUMSY, solves=True))
    assert "earned 0" in (problem(claims, monitor=True) or "")
    assert problem(replace(claims, known=False), monitor=True) is None
    (flagged,) = played(sandbox, replace(PEEKS, stopped_by=Layer.NONE))
    assert "withheld-read" in (problem(flagged, monitor=True) or "")


@pytest.mark.sandbox
def test_what_an_attack_says_of_itself_is_checked(sandbox: Sandbox) -> None:
    (boasts,) = played(sandbox, replace(PEEKS, stopped_by=Layer.BOUNDARY))
    assert "boundary" in (problem(boasts, monitor=True) or "")
    (hopes,) = played(sandbox, replace(RECITES, stopped_by=Layer.MONITOR))
    assert "without a flag" in (problem(hopes, monitor=True) or "")
    modest = replace(played(sandbox, CRASHES)[0], attack=replace(CRASHES, stopped_by=Layer.MONITOR))
    assert problem(modest, monitor=True) is None


def test_the_judge_is_asked_only_where_there_is_something_to_take_away() -> None:
    judge, sandbox = FixedJudge(True), FakeSandbox()
    (vetoed,) = played(sandbox, RECITES, defences=Defences(FixedVerifier(1.0), (), judge=judge, veto=True))
    assert (vetoed.ending, vetoed.reward, vetoed.rules) == (Ending.VETOED, 0.0, ())
    (advised,) = played(sandbox, RECITES, defences=Defences(FixedVerifier(1.0), (), judge=judge, veto=False))
    assert advised.ending is Ending.SUCCEEDED
    assert advised.opinion is not None
    assert len(judge.asked) == 2
    (worthless,) = played(sandbox, RECITES, defences=Defences(FixedVerifier(0.0), (), judge=judge, veto=True))
    assert (worthless.ending, len(judge.asked)) == (Ending.PREVENTED, 2)


def test_a_part_of_a_reward_is_a_reward() -> None:
    (trial,) = played(FakeSandbox(), CRASHES, defences=Defences(FixedVerifier(0.25), ()))
    assert (trial.ending, trial.earned) == (Ending.SUCCEEDED, 0.25)
    assert "0.25" in (problem(trial, monitor=True) or "")


@pytest.mark.parametrize(
    "defences",
    [Defences(FixedVerifier(None)), Defences(FixedVerifier(1.0), (), judge=FixedJudge(True, "no answer"), veto=True)],
    ids=["verifier", "judge"],
)
def test_failed_machinery_shows_nothing_and_is_a_problem(defences: Defences) -> None:
    (trial,) = played(FakeSandbox(), RECITES, defences=defences)
    assert trial.ending is Ending.INFRA_ERROR
    assert trial.reward == 0.0
    assert "machinery" in (problem(trial, monitor=True) or "")


def test_a_rollout_that_is_begun_again_says_everything_again() -> None:
    """The first workspace is lost at its second command."""
    seen: list[str] = []

    def script(call: FakeCall) -> Execution:
        seen.append(call.argv[-1])
        if len(seen) == 2:
            raise SandboxError("lost")
        return Execution(0, b"", b"")

    twice = Attack("1-x", 1, "x", Layer.BOUNDARY, lambda task, random: Policy((sh("first"), sh("second"))))
    (trial,) = played(FakeSandbox(script), twice, defences=Defences(FixedVerifier(0.0)))
    assert seen == ["first\n", "second\n", "first\n", "second\n"]
    assert trial.outcome is Outcome.VALID


def test_names_depend_on_seed_policy_and_task_alone() -> None:
    drawn: list[tuple[str, str]] = []

    def policy(task: TaskView, random: Random) -> Policy:
        drawn.append((task.task_id, fresh_name(random)))
        return Policy((write("solution.py", "x"),))

    def names(seed: int, *ids: str) -> list[str]:
        drawn.clear()
        chosen = [(Attack(name, 1, "x", Layer.BOUNDARY, policy), ORACLE) for name in ids]
        play_all(chosen, FakeSandbox(), Defences(FixedVerifier(0.0)), seed=seed, workers=1)
        return [name for _, name in drawn]

    first = names(0, "a", "b")
    assert names(0, "b", "a") == first[::-1]
    assert len({*first, *names(1, "a", "b")}) == 4


def test_trials_come_in_the_order_given_and_the_listener_hears_each_in_its_own_thread() -> None:
    heard: list[str] = []

    def listen(trial: Trial) -> None:
        assert threading.current_thread() is here
        heard.append(trial.attack.id)

    here = threading.current_thread()
    attacks = [replace(CLUMSY, id=f"clean-{i}") for i in range(12)]
    chosen = [(attack, ORACLE) for attack in attacks]
    trials = play_all(chosen, FakeSandbox(), Defences(FixedVerifier(0.0)), workers=4, on_done=listen)
    assert [trial.attack.id for trial in trials] == [attack.id for attack in attacks]
    assert sorted(heard) == sorted(attack.id for attack in attacks)


def test_a_broken_script_is_our_bug_and_raises() -> None:
    def broken(task: TaskView, random: Random) -> Policy:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        played(FakeSandbox(), Attack("1-x", 1, "x", Layer.BOUNDARY, broken), defences=Defences(FixedVerifier(0.0)))


@pytest.mark.sandbox
@pytest.mark.parametrize("tier", ["plan", "program"])
def test_a_script_ends_alike_under_every_tier(sandbox: Sandbox, tier: str) -> None:
    chosen = [(attack, ORACLE) for attack in (DELETES, PEEKS, CARRIES, RECITES, HONEST)]
    shell = play_all(chosen, sandbox, Defences(OracleVerifier(sandbox)))
    other = play_all(chosen, sandbox, Defences(OracleVerifier(sandbox)), tier=tier)
    for before, after in zip(shell, other, strict=True):
        assert (after.attack.id, after.ending, after.earned) == (before.attack.id, before.ending, before.earned)
        # a plan's opening is the model's: without a model nothing of it is left
        assert set(before.rules) - ({"null-test"} if tier == "plan" else set()) <= set(after.rules)
