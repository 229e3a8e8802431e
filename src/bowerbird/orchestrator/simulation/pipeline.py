"""The asynchronous loop with simulated clocks. Read it beside orchestrator/pipeline.py.

      ┌─ capacity ◀──────────────────────── weights land ◀── publish ◀─┐
      ▼                                                                │
    group ─▶ propose ─▶ turns (engine, then tools) ─▶ grade ─▶ ready ─▶ learner

The rule that admits groups and the way ages are counted are the real loop's. At max_age 0 this is the synchronous loop.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from bowerbird.orchestrator.admission import Admission
from bowerbird.orchestrator.simulation.books import SimulatedStep, total
from bowerbird.orchestrator.simulation.engine import Engine, EngineBooks, Versions
from bowerbird.orchestrator.simulation.events import Events
from bowerbird.orchestrator.simulation.workload import Call, GroupPlan, Turn, Workload


@dataclass(frozen=True, slots=True)
class Plant:
    """The machinery, with all its figures worked out. Seconds."""

    engines: int
    curve: tuple[float, ...]  # seconds of an engine's step by the number of its rows
    prefill_s: float  # per prompt token
    learn_fixed_s: float
    learn_token_s: float  # per token carried
    publish_s: float
    load_s: float
    tools: int | None  # sandboxes at once; None: any number
    admission: Admission
    last: int | None = None  # the run ends with this step: no group begins that it would not train


@dataclass(slots=True)
class _Flight:
    """A group under way."""

    plan: GroupPlan
    left: int  # proposals, then rollouts, still to come
    tokens: Counter[int] = field(default_factory=Counter)  # by the version that sampled them


@dataclass(slots=True)
class _Rollout:
    flight: _Flight
    engine: Engine
    turns: tuple[Turn, ...]
    at: int = 0
    left: int = 0  # calls, then tools, of this turn still to come


class Simulation:
    """One pipeline. `run` may be called again, to go on."""

    def __init__(self, plant: Plant, workload: Workload) -> None:
        self._plant, self._workload = plant, workload
        self.events = Events()
        self.engines = [Engine(self.events, plant.curve, plant.prefill_s) for _ in range(plant.engines)]
        self.version = self.accepted = self.running = 0
        self.steps: list[SimulatedStep] = []
        self.most_under_way = 0  # groups admitted and not yet trained, at their most
        self._ready: deque[_Flight] = deque()
        self._learning = False
        self._tools_busy = 0
        self._tools_waiting: deque[tuple[float, Callable[[], None]]] = deque()

    def run(self, step: int) -> None:
        """Until the weights of `step` have landed."""
        self._admit()
        while self.version < step:
            if not self.events.step():
                raise AssertionError(f"the pipeline stands still before step {step}")

    def books(self) -> EngineBooks:
        """All engines' books up to now."""
        for engine in self.engines:
            engine.advance()
        return total(engine.books for engine in self.engines)

    @property
    def waiting(self) -> int:
        """Groups accepted and not yet trained."""
        return len(self._ready) + (self._plant.admission.batch if self._learning else 0)

    # -- sampling: waits for capacity; unblocked by weights that land --------------------------------

    def _admit(self) -> None:
        room = self._plant.admission.capacity(self.version, self.accepted, self.running)
        if self._plant.last is not None:
            room = min(room, self._plant.last * self._plant.admission.batch - self.accepted - self.running)
        for _ in range(room):
            self.running += 1
            self._begin(self._workload.group())
        trained = sum(step.groups for step in self.steps)
        self.most_under_way = max(self.most_under_way, self.accepted + self.running - trained)

    def _begin(self, plan: GroupPlan) -> None:
        flight = _Flight(plan, len(plan.proposals))
        for call in plan.proposals:
            engine = self._idlest()
            engine.submit(call, partial(self._proposed, flight, engine))
        if not plan.proposals:
            self._solve(flight)

    def _idlest(self) -> Engine:
        """The engine with the fewest rollouts: a rollout stays with the engine that has its keys and values."""
        engine = min(self.engines, key=_live)
        engine.advance()
        engine.live += 1
        return engine

    def _proposed(self, flight: _Flight, engine: Engine, versions: Versions) -> None:
        self._leave(engine)
        self._stamp(flight, versions)
        flight.left -= 1
        if not flight.left:
            self._solve(flight)

    def _solve(self, flight: _Flight) -> None:
        flight.left = len(flight.plan.rollouts)
        for turns in flight.plan.rollouts:
            self._turn(_Rollout(flight, self._idlest(), turns))
        if not flight.left:
            self._grade(flight)

    def _turn(self, rollout: _Rollout) -> None:
        calls: tuple[Call, ...] = rollout.turns[rollout.at].calls
        rollout.left = len(calls)
        for call in calls:
            rollout.engine.submit(call, partial(self._answered, rollout))

    def _answered(self, rollout: _Rollout, versions: Versions) -> None:
        self._stamp(rollout.flight, versions)
        rollout.left -= 1
        if rollout.left:
            return
        tools = rollout.turns[rollout.at].tools
        rollout.left = len(tools)
        for seconds in tools:
            self._use(seconds, partial(self._returned, rollout))
        if not tools:
            self._next(rollout)

    def _use(self, seconds: float, then: Callable[[], None]) -> None:
        """A tool, as soon as a sandbox is free."""
        if self._plant.tools is not None and self._tools_busy >= self._plant.tools:
            self._tools_waiting.append((seconds, then))
            return
        self._tools_busy += 1
        self.events.after(seconds, self._freed, then)

    def _freed(self, then: Callable[[], None]) -> None:
        self._tools_busy -= 1
        if self._tools_waiting:
            self._use(*self._tools_waiting.popleft())
        then()

    def _returned(self, rollout: _Rollout) -> None:
        rollout.left -= 1
        if not rollout.left:
            self._next(rollout)

    def _next(self, rollout: _Rollout) -> None:
        rollout.at += 1
        if rollout.at < len(rollout.turns):
            self._turn(rollout)
            return
        self._leave(rollout.engine)
        rollout.flight.left -= 1
        if not rollout.flight.left:
            self._grade(rollout.flight)

    def _leave(self, engine: Engine) -> None:
        engine.advance()
        engine.live -= 1

    def _stamp(self, flight: _Flight, versions: Versions) -> None:
        for version, count in versions:
            flight.tokens[version] += count

    # -- grading: waits for a group's last rollout ---------------------------------------------------

    def _grade(self, flight: _Flight) -> None:
        self.events.after(flight.plan.grading_s, self._accept, flight)

    def _accept(self, flight: _Flight) -> None:
        self.accepted, self.running = self.accepted + 1, self.running - 1
        self._ready.append(flight)
        self._hand_over()

    # -- learning: waits for a full batch and an idle learner; unblocked by acceptance and landing -----

    def _hand_over(self) -> None:
        batch = self._plant.admission.batch
        if self._learning or len(self._ready) < batch:
            return
        self._learning = True
        taken = [self._ready.popleft() for _ in range(batch)]
        ages: Counter[int] = Counter()
        for flight in taken:
            for version, count in flight.tokens.items():
                ages[self.version - version] += count
        plant, began = self._plant, self.events.now
        seconds = plant.learn_fixed_s + plant.learn_token_s * sum(flight.plan.carried for flight in taken)
        self.events.after(seconds + plant.publish_s, self._load, began, began + seconds, ages, batch)

    def _load(self, began: float, learned: float, ages: Counter[int], groups: int) -> None:
        for engine in self.engines:
            engine.load(self.version + 1, self._plant.load_s)
        self.events.after(self._plant.load_s, self._land, began, learned, ages, groups)

    def _land(self, began: float, learned: float, ages: Counter[int], groups: int) -> None:
        self.version += 1
        self.steps.append(
            SimulatedStep(self.version, groups, began, learned, self.events.now, sum(ages.values()), ages)
        )
        self._learning = False
        self._hand_over()
        self._admit()


def _live(engine: Engine) -> int:
    return engine.live
