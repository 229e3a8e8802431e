"""The simulator against the real asynchronous loop: trained tokens per second, simulated over real.

Runs the loop of pipeline.py with its slow tools and measures what the simulator has to be told: the groups with their
tokens, what a sampler's step takes with so many rows, seconds of tools, grading, learning, publishing and loading. Then
simulates that run: with the very groups in the order they were drawn, and DRAWS times with groups drawn from them at
random. The first ratio says whether the clockwork is right and should be within 0.9 and 1.1; the second how far a
prediction from distributions is off. The first step warms up and is not counted.
"""

import os
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from statistics import mean
from time import perf_counter
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before anything imports a library that reads it
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import numpy as np
from pipeline import STEPS, WORKERS, Overlapped, overlapped, told

from bowerbird.inference.engine import Engine
from bowerbird.inference.protocol import Request
from bowerbird.orchestrator.admission import Admission
from bowerbird.orchestrator.grading import Grader
from bowerbird.orchestrator.loop import Step
from bowerbird.orchestrator.simulation.measured import read_groups
from bowerbird.orchestrator.simulation.pipeline import Plant, Simulation
from bowerbird.orchestrator.simulation.workload import GroupPlan, Recorded, Turn, Workload
from bowerbird.rewards.grade import Graded
from bowerbird.rollout.driver import Job
from bowerbird.trainer.process import Learned, LearnerPlan, LearnerProcess, Update
from bowerbird.types import Completion, PolicyVersion, Rollout, Scaffold

DRAWS = 20
_KNOTS = 6  # of the curve of a step's seconds over its rows


class WatchedEngine(Engine):
    """Notes for each step its rows, the prompt tokens it carried, and the seconds until the next one begins.

    So what the loop does in between is counted, as it holds up the rows too. Idle time and the loading of weights are
    not.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.steps: list[tuple[int, int, float]] = []
        self.loads: list[float] = []
        self._under_way = 0
        self._open: tuple[int, int, float] | None = None  # a step whose end is not known yet: rows, prompt, beginning

    def submit(self, request: Request) -> int:
        self._under_way += 1
        return super().submit(request)

    def step(self) -> list[tuple[int, Completion]]:
        began = perf_counter()
        self._shut(began)
        sampled, carried = self.tokens_sampled, self.tokens_carried
        done: list[tuple[int, Completion]] = super().step()
        self._under_way -= len(done)
        rows = self.tokens_sampled - sampled
        self._open = (rows, max(0, self.tokens_carried - carried - rows), began)
        if not self._under_way:
            self._shut(perf_counter())
        return done

    def load(self, version: PolicyVersion) -> None:
        began = perf_counter()
        self._shut(began)
        super().load(version)
        self.loads.append(perf_counter() - began)

    def _shut(self, now: float) -> None:
        if self._open is not None:
            rows, prompt, began = self._open
            self.steps.append((rows, prompt, now - began))
            self._open = None


class WatchedLearner(LearnerProcess):
    """Notes each update's seconds from the hand-over to its result, and those that the step itself took."""

    def __init__(self, plan: LearnerPlan) -> None:
        super().__init__(plan)
        self.updates: list[tuple[float, float]] = []
        self._began = 0.0

    def begin(self, update: Update) -> None:
        self._began = perf_counter()
        super().begin(update)

    def poll(self, seconds: float) -> Learned | None:
        learned = super().poll(seconds)
        if learned is not None:
            self.updates.append((perf_counter() - self._began, learned.stats.seconds))
        return learned


class WatchedPool(ThreadPoolExecutor):
    """Notes what each visible check took, by its task, in the order asked for. Waiting for a thread is not counted."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        self.checks: dict[str, list[float]] = defaultdict(list)

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        times = self.checks[arguments[1].task_id]  # of check_visible(sandbox, task, source, limits)
        place = len(times)
        times.append(0.0)

        def timed() -> Any:
            began = perf_counter()
            try:
                return call(*arguments, **named)
            finally:
                times[place] = perf_counter() - began

        return super().submit(timed)


class WatchedGrader(Grader):
    """Notes what grading each group took, the null test included."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.seconds: list[float] = []
        self._began = threading.local()  # each group is graded in a thread of its own

    def nulls(self, jobs: Mapping[str, Job]) -> dict[str, float | None]:
        self._began.at = perf_counter()
        return super().nulls(jobs)

    def grade(
        self,
        scaffolds: Mapping[str, Scaffold],
        rollouts: Sequence[Rollout],
        nulls: Mapping[str, float | None],
        on_done: Callable[[int], None] = lambda _: None,
    ) -> list[Graded]:
        found = super().grade(scaffolds, rollouts, nulls, on_done)
        self.seconds.append(perf_counter() - self._began.at)
        return found


Run = Overlapped[WatchedEngine, WatchedLearner, WatchedPool]


def real() -> tuple[Plant, list[GroupPlan], float]:
    """One run: the plant and the groups that it measured, and the tokens per second of the groups it learned from."""
    with overlapped(WatchedEngine, WatchedLearner, WatchedPool, WatchedGrader) as run:
        steps: list[Step] = []
        landed: list[float] = []
        for step in told(run.pipeline.steps()):
            landed.append(perf_counter())
            run.store.add_step(step.report.step, step.credited)  # the transcripts that `plans` reads
            steps.append(step)
        # sampled ones of the groups learned from: the simulator knows no rollout that is left out of the update
        tokens_s = sum(step.report.tokens_sampled for step in steps[1:]) / (landed[-1] - landed[0])
        groups = plans(run, steps)
        return plant(run, groups), groups, tokens_s


def plans(run: Run, steps: Sequence[Step]) -> list[GroupPlan]:
    """All groups of the run as they were begun, with what they took."""
    found: dict[str, GroupPlan] = {}
    for step in steps:
        text = (run.store.folder / "rollouts" / f"{step.report.step}.jsonl").read_text()
        found |= read_groups(text.splitlines())
    scaffolds = [item.trial.scaffold for step in steps for item in step.credited]
    tasks = {scaffold.scaffold_id.rpartition("-")[0]: scaffold.task_id for scaffold in scaffolds}
    checks = {task: deque(times) for task, times in run.pool.checks.items()}
    grader = run.stages.grader
    assert isinstance(grader, WatchedGrader)
    carried = sum(prompt for _, prompt, _ in run.engine.steps)
    share = carried / sum(call.prompt for group in found.values() for call in group.calls)
    order = sorted(found, key=lambda name: [int(part) for part in name.split("-")])
    return [measured(found[name], share, checks.get(tasks[name], deque()), mean(grader.seconds)) for name in order]


def measured(group: GroupPlan, share: float, checks: deque[float], grading_s: float) -> GroupPlan:
    """A group with its prompts scaled to what went through the model, since beginnings that calls share are computed
    once, and with the seconds of its task's checks, dealt out in order: a source that was checked before took none."""

    def turn(each: Turn) -> Turn:
        calls = tuple(call._replace(prompt=round(call.prompt * share)) for call in each.calls)
        return Turn(calls, tuple(checks.popleft() for _ in each.tools if checks))

    return GroupPlan(
        turn(Turn(group.proposals, ())).calls,
        tuple(tuple(turn(each) for each in turns) for turns in group.rollouts),
        grading_s,
    )


def plant(run: Run, groups: Sequence[GroupPlan]) -> Plant:
    curve, prefill_s = fitted(run.engine.steps, run.config.sampler.places)
    return Plant(
        engines=1,
        curve=curve,
        prefill_s=prefill_s,
        learn_fixed_s=0.0,
        learn_token_s=sum(own for _, own in run.learner.updates) / sum(group.carried for group in groups),
        publish_s=mean(whole - own for whole, own in run.learner.updates),
        load_s=mean(run.engine.loads),
        tools=WORKERS,
        admission=Admission(run.config.curriculum.tasks_per_step, run.config.pipeline.max_age),
        last=STEPS,
    )


def fitted(steps: Sequence[tuple[int, int, float]], places: int) -> tuple[tuple[float, ...], float]:
    """Seconds of a step by its rows, straight between knots, and seconds per prompt token: least squares."""
    rows, prompts, seconds = (np.array(column, dtype=float) for column in zip(*steps, strict=True))
    knots = np.unique(np.quantile(rows, np.linspace(0, 1, _KNOTS)))
    hats = [np.interp(rows, knots, unit) for unit in np.eye(len(knots))]
    found = np.linalg.lstsq(np.stack([*hats, prompts], axis=1), seconds, rcond=None)[0]
    curve = np.interp(np.arange(places + 1), knots, np.maximum(found[:-1], 1e-4))
    return tuple(float(each) for each in curve), max(0.0, float(found[-1]))


def simulated(plant: Plant, workload: Workload) -> float:
    """Trained tokens per second of the steps after the first."""
    simulation = Simulation(plant, workload)
    simulation.run(1)
    began = simulation.events.now
    simulation.run(STEPS)
    return sum(step.tokens for step in simulation.steps[1:]) / (simulation.events.now - began)


def main() -> None:
    found, groups, tokens_s = real()
    steps = ", ".join(f"{1e3 * found.curve[rows]:.0f} ms with {rows} rows" for rows in (1, 8, 32, 64))
    print(
        f"measured: {len(groups)} groups; a sampler's step takes {steps}, a prompt token {1e3 * found.prefill_s:.2f} ms"
    )
    print(
        f"a token carried by the learner {1e3 * found.learn_token_s:.1f} ms, publishing {found.publish_s:.1f} s, ",
        end="",
    )
    print(f"loading {found.load_s:.2f} s")
    again = simulated(found, Recorded(groups))
    drawn = [simulated(found, Recorded(groups, np.random.default_rng(seed))) / tokens_s for seed in range(DRAWS)]
    print(f"real {tokens_s:.1f} tokens/s, simulated {again:.1f}")
    print(f"ratio simulated / real in tokens/s: {again / tokens_s:.2f} (0.9 to 1.1)")
    print(f"with groups drawn at random: {mean(drawn):.2f}, {min(drawn):.2f} to {max(drawn):.2f} in {DRAWS} draws")


if __name__ == "__main__":
    main()
