"""Rollouts as jobs for the driver, the same for training and for evaluation."""

from typing import Protocol

from bowerbird.config import Config
from bowerbird.inference.chat import Chat
from bowerbird.rollout.budget import Budget
from bowerbird.rollout.card import run_plain
from bowerbird.rollout.driver import Job
from bowerbird.rollout.effects import Run
from bowerbird.rollout.interpret import program_of, run_of
from bowerbird.rollout.seeds import derive
from bowerbird.rollout.tools import toolset
from bowerbird.scaffold.card import TEMPERATURES
from bowerbird.tasks import TaskSet
from bowerbird.types import Scaffold


class SolvingParts(Protocol):
    """What a rollout needs: the tasks' public halves and the words for the model."""

    @property
    def tasks(self) -> TaskSet: ...

    @property
    def chat(self) -> Chat: ...


def scaffold_job(
    config: Config, parts: SolvingParts, scaffold: Scaffold, rollout_id: str, seed: int, *, draw_all: bool
) -> Job:
    """A rollout of a scaffold, valid by now, on its task; `draw_all` is a card's, as `run_of` has it."""
    task, settings = parts.tasks.views[scaffold.task_id], config.rollout
    tokens = _remaining_budget(config, scaffold)
    limits = (settings.calls, settings.actions, settings.call_tokens, settings.action_s, settings.seconds)
    budget = Budget(tokens, *limits, settings.native_tools, toolset(config.scaffold.tools))

    def start(attempt: int) -> Run:
        return run_of(task, scaffold, parts.chat, budget, derive(seed, "attempt", attempt), draw_all=draw_all)

    return Job(rollout_id, task, scaffold.scaffold_id, start, program_of(scaffold))


def plain_job(parts: SolvingParts, scaffold: Scaffold, rollout_id: str, seed: int, *, tokens: int) -> Job:
    """One sample of at most `tokens` tokens, without the help of any scaffold; `scaffold` is `no_scaffold`."""
    task = parts.tasks.views[scaffold.task_id]

    def start(attempt: int) -> Run:
        own = derive(seed, "attempt", attempt)
        return run_plain(task, parts.chat, token_budget=tokens, temperature=TEMPERATURES["low"], seed=own)

    return Job(rollout_id, task, scaffold.scaffold_id, start)


def no_scaffold(scaffold_id: str, task_id: str) -> Scaffold:
    """Stands where a plain sample needs a scaffold."""
    return Scaffold(scaffold_id, task_id, "none", "", {}, None, None, None, 0)


def _remaining_budget(config: Config, scaffold: Scaffold) -> int:
    """Tokens left for solving: a scaffold pays for its own tokens out of the rollout's budget."""
    own = len(scaffold.completion.token_ids) if scaffold.completion is not None else 0
    return max(config.rollout.token_budget - own, 0)
