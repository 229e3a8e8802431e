"""What a scaffold means, by its tier: the one place that training, evaluation and `solve` ask."""

from bowerbird.inference.chat import Chat
from bowerbird.rollout.budget import Budget
from bowerbird.rollout.card import run_card
from bowerbird.rollout.effects import Run
from bowerbird.rollout.plan import run_plan
from bowerbird.rollout.program import command, run_program
from bowerbird.scaffold.card import Card
from bowerbird.scaffold.plan import Plan
from bowerbird.types import Scaffold, TaskView


def run_of(task: TaskView, scaffold: Scaffold, chat: Chat, budget: Budget, seed: int, *, draw_all: bool = True) -> Run:
    """The run of a valid scaffold; `draw_all` is a card's, as `run_card` has it."""
    assert scaffold.spec is not None
    match scaffold.tier:
        case "plan":
            return run_plan(task, Plan.model_validate(scaffold.spec), chat, budget, seed)
        case "program":
            return run_program(task, scaffold.spec["source"], chat, budget, seed)
        case _:
            card, tokens, limit = Card.model_validate(scaffold.spec), budget.tokens, budget.call_tokens
            return run_card(task, card, chat, token_budget=tokens, call_tokens=limit, seed=seed, draw_all=draw_all)


def program_of(scaffold: Scaffold) -> tuple[str, ...]:
    """The command that runs the scaffold in a sandbox of its own; empty where it is no program."""
    return command() if scaffold.tier == "program" else ()
