"""Rollouts as jobs for the driver, the same for training and for evaluation."""

from typing import Protocol

from bowerbird.config import Config
from bowerbird.inference.chat import Chat
from bowerbird.rollout.card import run_card, run_plain
from bowerbird.rollout.driver import Job
from bowerbird.rollout.effects import Run
from bowerbird.rollout.host import Budget
from bowerbird.rollout.plan import run_plan
from bowerbird.rollout.program import command, run_program
from bowerbird.rollout.seeds import derive
from bowerbird.scaffold.card import TEMPERATURES, Card
from bowerbird.scaffold.plan import Plan
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
    """A rollout of a scaffold, valid by now, on its task; `draw_all` is a card's, as `run_card` has it."""
    task, chat, settings = parts.tasks.views[scaffold.task_id], parts.chat, config.rollout
    tokens, spec = _remaining_budget(config, scaffold), scaffold.spec
    budget = Budget(tokens, settings.calls, settings.actions, settings.call_tokens, settings.action_s)

    def start(attempt: int) -> Run:
        own = derive(seed, "attempt", attempt)
        match scaffold.tier:
            case "plan":
                return run_plan(task, Plan.model_validate(spec), chat, budget, own)
            case "program":
                assert spec is not None
                return run_program(task, spec["source"], chat, budget, own)
            case _:
                card, limit = Card.model_validate(spec), settings.call_tokens
                return run_card(task, card, chat, token_budget=tokens, call_tokens=limit, seed=own, draw_all=draw_all)

    program = command() if scaffold.tier == "program" else ()
    return Job(rollout_id, task, scaffold.scaffold_id, start, program)


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
