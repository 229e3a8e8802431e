"""A wave: the tasks that were drawn together. What each stage is asked about them, the same in both loops.

Ids and seeds come from the wave's number and a task's place in it, never from the clock.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from random import Random

from bowerbird.config import Config
from bowerbird.inference.chat import Chat
from bowerbird.inference.protocol import Request, Sampler
from bowerbird.orchestrator.credit import Trial
from bowerbird.orchestrator.grading import Grader
from bowerbird.orchestrator.jobs import scaffold_job
from bowerbird.rewards.verdict import scaffold_return
from bowerbird.rollout.driver import Job
from bowerbird.rollout.seeds import derive
from bowerbird.sandbox import Sandbox
from bowerbird.scaffold.archive import Archive, Entry
from bowerbird.scaffold.propose import proposal_request, read_proposal
from bowerbird.tasks import TaskSet
from bowerbird.types import Completion, Rollout, Scaffold, TaskView

_TRANSPLANTED = "-t"  # ends the id of a rollout on a sibling task


@dataclass(frozen=True, slots=True)
class Stages:
    """The parts that a wave goes through. Each knows nothing of the others."""

    tasks: TaskSet
    chat: Chat
    sampler: Sampler
    sandbox: Sandbox
    pool: ThreadPoolExecutor
    grader: Grader


@dataclass(frozen=True, slots=True)
class Proposal:
    """A scaffold that is asked for: its id, its task, the scaffold it refines, and the model call."""

    scaffold_id: str
    task: TaskView
    before: Entry | None
    request: Request


class Wave:
    """Wave `number`, counted from 1. In the synchronous loop it is the step of that number."""

    def __init__(self, config: Config, stages: Stages, number: int) -> None:
        self._config, self._stages, self.number = config, stages, number
        self.seed = derive(config.seed, "step", number)

    # -- stage 1 -----------------------------------------------------------------------------------

    def proposals(self, tasks: Iterable[tuple[int, TaskView]], archive: Archive) -> list[Proposal]:
        """S scaffolds for each task, given with its place; each task's are conditioned on one scaffold used before."""
        config, found = self._config.scaffold, []
        for place, task in tasks:
            random = Random(derive(self.seed, "previous", task.task_id))
            before = archive.previous(task.task_id, task.category, random)
            for i in range(config.proposals):
                own = derive(self.seed, "scaffold", task.task_id, i)
                request = proposal_request(task, before, self._stages.chat, config, own, explore=config.explore)
                found.append(Proposal(f"{self.number}-{place}-{i}", task, before, request))
        return found

    def scaffolds(self, proposals: Sequence[Proposal], completions: Sequence[Completion]) -> list[Scaffold]:
        """What the model wrote, valid or not."""
        chat, config = self._stages.chat, self._config.scaffold
        pairs = zip(proposals, completions, strict=True)
        return [read_proposal(p.scaffold_id, p.task, p.before, c, chat, config) for p, c in pairs]

    # -- stage 2 -----------------------------------------------------------------------------------

    def jobs(self, scaffolds: Iterable[Scaffold]) -> list[Job]:
        """K rollouts under each valid scaffold, and one on another task for some of them."""
        valid = [scaffold for scaffold in scaffolds if scaffold.invalid is None]
        own = [self._job(scaffold, k) for scaffold in valid for k in range(self._config.rollout.per_scaffold)]
        return own + [job for scaffold in valid if (job := self._transplant(scaffold)) is not None]

    def _job(self, scaffold: Scaffold, k: int) -> Job:
        """Rollout k under every scaffold of a task draws from the same random numbers: luck that is shared cancels when
        scaffolds are compared, and no gradient is biased by it, since no scaffold knows the numbers."""
        own = derive(self.seed, "rollout", scaffold.task_id, k)
        return scaffold_job(self._config, self._stages, scaffold, f"{scaffold.scaffold_id}-{k}", own, draw_all=True)

    def _transplant(self, scaffold: Scaffold) -> Job | None:
        """The transplant test: the scaffold on a sibling, another task of its category. One that knows its own task's
        answer does badly there. A card has no room for any."""
        random = Random(derive(self.seed, "transplant", scaffold.scaffold_id))
        if scaffold.tier == "card" or random.random() >= self._config.scaffold.transplants:
            return None
        views = self._stages.tasks.views
        category = views[scaffold.task_id].category
        siblings = [name for name, view in views.items() if view.category == category and name != scaffold.task_id]
        if not siblings:
            return None
        moved = replace(scaffold, task_id=random.choice(siblings))
        own = derive(self.seed, "transplanted", scaffold.scaffold_id)
        return scaffold_job(
            self._config, self._stages, moved, f"{scaffold.scaffold_id}{_TRANSPLANTED}", own, draw_all=False
        )

    # -- rewards -----------------------------------------------------------------------------------

    def trials(
        self,
        scaffolds: Sequence[Scaffold],
        rollouts: Sequence[Rollout],
        on_done: Callable[[int], None] = lambda _: None,
    ) -> list[Trial]:
        """Verdicts for all rollouts, then a return for each scaffold. A transplanted one is no part of either."""
        away = [r for r in rollouts if r.rollout_id.endswith(_TRANSPLANTED)]
        rollouts = [r for r in rollouts if not r.rollout_id.endswith(_TRANSPLANTED)]
        elsewhere = dict(zip((r.scaffold_id for r in away), self._stages.grader.rewards(away), strict=True))
        by_id = {s.scaffold_id: s for s in scaffolds}
        jobs = {s.scaffold_id: self._job(s, 0) for s in scaffolds if s.invalid is None}
        grader = self._stages.grader
        found = grader.grade(by_id, rollouts, grader.nulls(jobs), on_done)
        verdicts = {graded.verdict.rollout_id: graded.verdict for graded in found}
        trials = []
        for scaffold in scaffolds:
            own = tuple(r for r in rollouts if r.scaffold_id == scaffold.scaffold_id)
            judged = tuple(verdicts[r.rollout_id] for r in own)
            spent = sum(len(c.token_ids) for r in own for c in r.calls)
            price = self._config.scaffold.price_per_token
            result = scaffold_return(scaffold, judged, spent // (len(own) or 1), price)
            trials.append(Trial(scaffold, own, judged, result, elsewhere.get(scaffold.scaffold_id)))
        return trials
