"""The asynchronous loop over a scripted model, in which one group takes longer than all others."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bowerbird.algo import staleness_weight
from bowerbird.config import Config, load_config
from bowerbird.evals.arms import FIXED
from bowerbird.inference.fake import FakeSampler, byte_chat
from bowerbird.inference.protocol import Request
from bowerbird.orchestrator.curriculum import Curriculum
from bowerbird.orchestrator.experience import Experience
from bowerbird.orchestrator.grading import Defences, Grader
from bowerbird.orchestrator.loop import Step
from bowerbird.orchestrator.pipeline import Pipeline
from bowerbird.orchestrator.progress import Silent
from bowerbird.orchestrator.store import RunStore
from bowerbird.orchestrator.wave import Stages
from bowerbird.rewards.oracle import OracleVerifier
from bowerbird.sandbox import Sandbox
from bowerbird.scaffold.archive import Archive
from bowerbird.scaffold.card import TEMPERATURES, write_card
from bowerbird.tasks import Loaded, TaskSet
from bowerbird.tasks.katas import train_heldout_split
from bowerbird.trainer.learner import LearnerStats
from bowerbird.trainer.process import Learned, Update
from bowerbird.types import Completion, PolicyVersion

KATAS = train_heldout_split(3, 12, 1, families=["add_constant", "square_plus", "sum_two_plus"])[0]
CARD = write_card(FIXED.model_copy(update={"candidates": 1, "retries": 0, "verify": "none", "select": "first"}))
STEPS, BATCH, LATE = 6, 2, 4  # LATE: the version under which the slow group's answers end
SETTINGS = [
    *(f"steps={STEPS}", f"curriculum.tasks_per_step={BATCH}", "pipeline.max_age=2", "scaffold.proposals=2"),
    *("scaffold.max_tokens=400", "rollout.per_scaffold=2", "rollout.call_tokens=400", "rollout.token_budget=1200"),
]


class Slow(FakeSampler):
    """The four answers of the first group, begun under version 0, end under version LATE: half their tokens are old
    then, half young. Proposals and probes come at once."""

    def __init__(self) -> None:
        super().__init__(byte_chat(), self._says)
        self._slow, self._late, self._right = "", set[int](), False

    def submit(self, request: Request) -> int:
        prompt, ticket = self.chat.decode(request.prompt_ids), super().submit(request)
        if request.schema and not self._slow:
            self._slow = next(kata.view.instruction for kata in KATAS if kata.view.instruction in prompt)
        solving = not request.schema and request.sampling.temperature == TEMPERATURES["mid"]
        if solving and self._slow in prompt and len(self._late) < 4:
            self._late.add(ticket)
        return ticket

    def step(self) -> list[tuple[int, Completion]]:
        for place, (ticket, request) in enumerate(self._waiting):
            if ticket not in self._late or self.version >= LATE:
                del self._waiting[place]
                done = self._answer(request)
                old = len(done.token_ids) // 2 if ticket in self._late else 0
                return [(ticket, replace(done, versions=(0,) * old + done.versions[old:]))]
        return []

    def _says(self, request: Request) -> str:
        """Every other answer is right, so that there is something to learn in every group."""
        if request.schema:
            return CARD
        prompt = self.chat.decode(request.prompt_ids)
        kata = next(kata for kata in KATAS if kata.view.instruction in prompt)
        self._right = not self._right
        return f"```python\n{kata.solution if self._right else 'x = 1'}\n```"


class Learner:
    """Takes every update, and is done with it when it is asked the second time."""

    def __init__(self) -> None:
        self.busy, self.updates, self._asked = False, list[Update](), 0

    def begin(self, update: Update) -> None:
        self.updates.append(update)
        self.busy, self._asked = True, 0

    def poll(self, seconds: float) -> Learned | None:
        self._asked += 1
        if not self.busy or self._asked < 2:
            return None
        self.busy = False
        number = self.updates[-1].number
        return Learned(LearnerStats(0, 1, 1, 1, 1, 1, 0, 0, 1, 1, None, 0, 0), PolicyVersion(number, "nowhere"))


def piped(config: Config, sandbox: Sandbox, folder: Path, learner: Learner, sampler: FakeSampler) -> Iterator[Step]:
    tasks = TaskSet(Loaded(kata.view, kata.spec) for kata in KATAS)
    store = RunStore.create(folder, config)
    with ThreadPoolExecutor(2) as pool:
        grader = Grader(tasks, sandbox, Defences(OracleVerifier(sandbox)), pool)
        stages = Stages(tasks, byte_chat(), sampler, sandbox, pool, grader)
        experience = Experience(tasks, Archive(), Curriculum([k.view for k in KATAS], config.curriculum))
        yield from Pipeline(config, stages, learner, experience, store.ledger, Silent(), 0).steps()
    assert len(store.ledger.accepted()) == STEPS * BATCH + len(store.ledger.waiting())
    store.close()


@pytest.mark.parametrize("drawn", [1, 2])
def test_a_slow_group_holds_nobody_up_and_is_trained_once(sandbox: Sandbox, tmp_path: Path, drawn: int) -> None:
    config = load_config(None, [*SETTINGS, f"curriculum.drawn_per_task={drawn}"])
    learner, sampler = Learner(), Slow()
    steps = list(piped(config, sandbox, tmp_path, learner, sampler))
    assert [step.report.step for step in steps] == list(range(1, STEPS + 1))
    old = [(u.number, s.completion) for u in learner.updates for s in u.samples if 0 in s.completion.versions[:1]]
    late = [(number, call) for number, call in old if len(set(call.versions)) > 1]
    assert len(late) == 4, "two scaffolds, two rollouts each: every one is trained, and once"
    (number,) = {number for number, _ in late}
    assert number > LATE, "the steps before it did not wait"
    for _, call in late:
        ages = [number - 1 - version for version in call.versions]
        weights = [staleness_weight(age, config.algo.k1, config.algo.k2, config.algo.decay) for age in ages]
        assert list(call.versions) == sorted(call.versions)
        assert ages[0] > config.algo.k1
        assert weights[0] < 1.0 == weights[-1], "its old tokens count less, its young ones fully"
    calls = Counter((s.completion.prompt_ids, s.completion.sampling.seed) for u in learner.updates for s in u.samples)
    assert calls.total() == STEPS * BATCH * (2 + 4), "every call of every group is trained"
    assert max(calls.values()) == 2, "and once: two scaffolds of a task share their seeds"
