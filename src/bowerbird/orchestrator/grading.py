"""Grading a step's rollouts: verifier and monitor in the sandbox threads, the judge in threads of its own.

rollouts ─▶ verify, inspect ─▶ judge ─▶ verdicts
            (sandbox threads)  (its own threads: an answer that takes seconds holds up no sandbox)
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bowerbird.config import Config, JudgeConfig
from bowerbird.inference.answering import open_local
from bowerbird.orchestrator.progress import Watcher
from bowerbird.rewards.grade import Graded, advise, grade
from bowerbird.rewards.judge import Judge, JudgeProcess, OpenJudge, counted, doubt_about, grade_all, open_judge
from bowerbird.rewards.monitor import RULES, Rule, load_rules
from bowerbird.rewards.oracle import Verifier
from bowerbird.rewards.verifiers import make_verifier
from bowerbird.rollout.driver import REFILLS, Job, run_null
from bowerbird.sandbox import Sandbox
from bowerbird.tasks import TaskSet
from bowerbird.types import InfraError, Outcome, Rollout, Scaffold


@dataclass(frozen=True, slots=True)
class Defences:
    """What stands between a rollout and its reward. `rules` empty: no monitor; `judge` None: no judge.

    `audit`, if there is one, grades once more and decides nothing: for experiments with a verifier that can be cheated.
    """

    verifier: Verifier
    rules: tuple[Rule, ...] = RULES
    judge: Judge | None = None
    judges: int = 1  # questions to it under way at once
    veto: bool = False
    audit: Verifier | None = None


def rules_of(config: Config) -> tuple[Rule, ...]:
    """The monitor's rules and the user's own; none where nothing watches. Raises ConfigError."""
    return load_rules(config.monitor.rules) if config.monitor.watch != "off" else ()


@contextmanager
def opened_judge(config: JudgeConfig, folder: Path | None = None) -> Iterator[OpenJudge | None]:
    """The judge, if one is to be asked, with its answers in `folder` or in memory. Raises ConfigError, ModelError."""
    if config.mode == "off":
        yield None
        return
    judge: OpenJudge
    judge = JudgeProcess(config, folder) if config.endpoint else open_judge(config, folder, local=open_local)
    try:
        yield judge
    finally:
        judge.close()


@contextmanager
def open_defences(config: Config, sandbox: Sandbox, watcher: Watcher, folder: Path | None) -> Iterator[Defences]:
    """The defences that a configuration asks for; the judge keeps its answers in `folder`, or in memory.

    Raises ConfigError for rules or a judge that cannot be had. What is weaker than it looks is said to `watcher`.
    """
    if config.verifier.kind != "task":
        watcher.says(f"warning: {config.verifier.kind} can be cheated; this run is an experiment")
    with opened_judge(config.judge, folder) as judge:
        if judge is not None and (doubt := doubt_about(config.judge.calibration, judge)):
            watcher.says(f"warning: {doubt}")
        yield Defences(
            verifier=make_verifier(config.verifier.kind, sandbox),
            rules=rules_of(config),
            judge=judge,
            judges=config.judge.at_once,
            veto=config.judge.mode == "veto",
            audit=make_verifier("task", sandbox) if config.verifier.audit else None,
        )


class Grader:
    """Grades finished rollouts of one task set."""

    def __init__(self, tasks: TaskSet, sandbox: Sandbox, defences: Defences, pool: ThreadPoolExecutor) -> None:
        self._tasks, self._sandbox, self._defences, self._pool = tasks, sandbox, defences, pool

    def grade(
        self,
        scaffolds: Mapping[str, Scaffold],
        rollouts: Sequence[Rollout],
        nulls: Mapping[str, float | None],
        on_done: Callable[[int], None] = lambda _: None,
    ) -> list[Graded]:
        """One verdict a rollout, in order. `scaffolds` and `nulls` (null rewards) are by scaffold id."""

        def examine(rollout: Rollout) -> Graded:
            return self._examine(scaffolds[rollout.scaffold_id], rollout, nulls.get(rollout.scaffold_id))

        if self._defences.judge is None:
            return list(counted(self._pool.map(examine, rollouts), on_done))
        with ThreadPoolExecutor(self._defences.judges, thread_name_prefix="judge") as judges:
            return grade_all(rollouts, examine, self._advise, self._pool, judges, on_done)

    def rewards(self, rollouts: Sequence[Rollout]) -> list[float | None]:
        """What the verifier alone gives each submission, neither inspected nor judged; None where machinery failed."""
        return self._rewards(self._defences.verifier, rollouts)

    def audit(self, rollouts: Sequence[Rollout]) -> list[float]:
        """What the second verifier thinks of each submission; rollouts that the machinery lost are left out."""
        second = self._defences.audit
        return [] if second is None else [r for r in self._rewards(second, rollouts) if r is not None]

    def nulls(self, jobs: Mapping[str, Job]) -> dict[str, float | None]:
        """What each scaffold (a job by scaffold id) earns when the model says nothing; None where that is unknown.

        Equal submissions for a task are verified once.
        """
        known: dict[tuple[str, tuple[tuple[str, bytes], ...]], float | None] = {}
        rewards: dict[str, float | None] = {}
        submitted = self._pool.map(self._null, jobs.values())
        for (scaffold_id, job), files in zip(jobs.items(), submitted, strict=True):
            if files is None:
                rewards[scaffold_id] = None  # not tested is not the same as passed
                continue
            key = (job.task.task_id, tuple(sorted(files.items())))
            if key not in known:
                known[key] = self._reward(self._defences.verifier, job.task.task_id, files) if files else 0.0
            rewards[scaffold_id] = known[key]
        return rewards

    def _null(self, job: Job) -> Mapping[str, bytes] | None:
        try:
            return run_null(job, self._sandbox)
        except InfraError:
            return None

    def _examine(self, scaffold: Scaffold, rollout: Rollout, null: float | None) -> Graded:
        """Verify and inspect; a verifier whose sandbox was lost is asked again."""
        view, spec = self._tasks.views[rollout.task_id], self._tasks.spec(rollout.task_id)
        for _ in range(REFILLS + 1):
            graded = grade(
                view, spec, scaffold, rollout, self._defences.verifier, null_reward=null, rules=self._defences.rules
            )
            if graded.verdict.outcome is not Outcome.INFRA_ERROR or rollout.infra_error is not None:
                break
        return graded

    def _advise(self, examined: Graded) -> Graded:
        assert self._defences.judge is not None
        return advise(examined, self._defences.judge, veto=self._defences.veto)

    def _rewards(self, verifier: Verifier, rollouts: Sequence[Rollout]) -> list[float | None]:
        def reward(rollout: Rollout) -> float | None:
            return None if rollout.infra_error else self._reward(verifier, rollout.task_id, rollout.submission)

        return list(self._pool.map(reward, rollouts))

    def _reward(self, verifier: Verifier, task_id: str, files: Mapping[str, bytes]) -> float | None:
        try:
            return verifier.verify(self._tasks.spec(task_id), files).reward
        except InfraError:
            return None
