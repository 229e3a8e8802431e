"""One task in a user's repository: a scaffold is proposed, works on a copy, and leaves a difference."""

from dataclasses import dataclass

from bowerbird.config import ScaffoldConfig
from bowerbird.inference.protocol import Sampler
from bowerbird.rollout.alone import Looker, run_alone
from bowerbird.rollout.budget import Budget
from bowerbird.rollout.desk import Desk
from bowerbird.rollout.effects import Act, Draft
from bowerbird.rollout.interpret import program_of, run_of
from bowerbird.sandbox import Sandbox
from bowerbird.scaffold.archive import Entry
from bowerbird.scaffold.plan import one_loop
from bowerbird.scaffold.propose import proposal_request, read_proposal
from bowerbird.scaffold.written import hand_written
from bowerbird.solve.repository import Repository
from bowerbird.solve.shelf import Kept
from bowerbird.tasks.patch import Change, changed
from bowerbird.types import WHOLE, RunError, Scaffold, TaskView

_CATEGORY = "repository"


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a task is worked on with."""

    sampler: Sampler
    sandbox: Sandbox
    budget: Budget


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it. `passed` is None where there are no visible tests."""

    change: Change
    passed: bool | None
    tokens: int
    draft: Draft


def task_view(
    instruction: str, repository: Repository, tests: tuple[str, ...], requirements: str = "", git: bool = False
) -> TaskView:
    """The user's words and files as a task. All that changes is taken."""
    return TaskView(
        task_id="solve",
        category=_CATEGORY,
        instruction=instruction,
        entry_point="",
        examples=(),
        submission=WHOLE,
        workspace=repository.files,
        visible=tests,
        requirements=requirements,
        git=git,
    )


def propose(task: TaskView, shop: Workshop, tier: str, before: Kept | None, seed: int) -> Scaffold:
    """One scaffold of the model's own, refined from the one that worked here before. It may be invalid: it says why."""
    entry = Entry(again(before, shop), _CATEGORY, before.value, None) if before is not None else None
    sizes = {"max_tokens": 4096, "temperature": 0.7}
    config = ScaffoldConfig.model_validate({"tier": tier, "tools": shop.budget.tool_names, **sizes})
    (done,) = shop.sampler.generate([proposal_request(task, entry, shop.sampler.chat, config, seed, explore=0.0)])
    return read_proposal("own", task, entry, done, shop.sampler.chat, config)


def again(kept: Kept, shop: Workshop) -> Scaffold:
    """A scaffold that worked before, as it was."""
    return hand_written("kept", "solve", kept.text, kept.tier, shop.budget.tool_names)


def react(shop: Workshop) -> Scaffold:
    """The plain loop over all tools."""
    names = shop.budget.tool_names
    return hand_written("react", "solve", one_loop(names).model_dump_json(), "plan", names)


def work(task: TaskView, scaffold: Scaffold, shop: Workshop, seed: int, look: Looker = lambda *_: None) -> Result:
    """Run a valid scaffold on a copy of the repository. Raises InfraError when the model or the sandbox is lost, and
    RunError for a workspace that nothing can be taken from."""
    run = run_of(task, scaffold, shop.sampler.chat, shop.budget, seed)
    desk = Desk(shop.sandbox, task, program_of(scaffold))
    try:
        draft = run_alone(run, task, shop.sampler, shop.sandbox, desk, look)
        passed = _passes(task, desk) if task.visible else None
        standing = desk.standing()
        if standing.anomalies:
            raise RunError(f"nothing was taken from the work: {'; '.join(standing.anomalies)}")
        change = changed(task.workspace, standing.files)
    finally:
        desk.close()
    tokens = sum(len(call.token_ids) for call in draft.calls)
    return Result(change, passed, tokens, draft)


def _passes(task: TaskView, desk: Desk) -> bool:
    return desk.act(Act(task.visible, 600.0)).exit_code == 0
