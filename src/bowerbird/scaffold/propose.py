"""Stage 1: the request for a refined scaffold, and the scaffold that came back. Nothing is executed here."""

from bowerbird.config import ScaffoldConfig
from bowerbird.inference.chat import Chat, Message
from bowerbird.inference.protocol import Request
from bowerbird.scaffold.archive import Entry
from bowerbird.scaffold.card import card_fields, card_schema, parse_card
from bowerbird.types import Completion, Sampling, Scaffold, TaskView

_SYSTEM = "You choose the settings of a coding agent. Good settings solve the task within few tokens."


def proposal_messages(task: TaskView, previous: Entry | None, *, grammar: bool = True) -> list[Message]:
    """What the policy sees: the task, and the scaffold used before with its return and class of failure.

    Without a grammar also what a card may say: nothing else would tell it.
    """
    before = "none"
    if previous is not None:
        failure = f", {previous.failure}" if previous.failure else ""
        before = f"{previous.scaffold.text} return {previous.value:.2f}{failure}"
    fields = "" if grammar else f"A JSON object with these fields, one of the values each: {card_fields()}\n"
    content = f"Task: {task.instruction}\nSettings before: {before}\n{fields}Better settings, as JSON:"
    return [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": content}]


def proposal_request(
    task: TaskView, previous: Entry | None, chat: Chat, config: ScaffoldConfig, seed: int, *, explore: float
) -> Request:
    """One model call for one card."""
    sampling = Sampling(config.temperature, explore if config.grammar else 0.0, config.max_tokens, seed)
    schema = card_schema() if config.grammar else ""
    return Request(
        chat.prompt(proposal_messages(task, previous, grammar=config.grammar)), sampling, schema=schema, stop="}"
    )


def read_proposal(scaffold_id: str, task: TaskView, previous: Entry | None, completion: Completion) -> Scaffold:
    """The scaffold in a completion. An invalid one stays invalid: it is never replaced by a default."""
    card, problem = parse_card(completion.text)
    return Scaffold(
        scaffold_id=scaffold_id,
        task_id=task.task_id,
        tier="card",
        text=completion.text,
        spec=card.model_dump() if card else None,
        invalid=problem,
        parent_id=previous.scaffold.scaffold_id if previous else None,
        completion=completion,
        version=max(completion.versions, default=0),
    )


def hand_written(scaffold_id: str, task_id: str, text: str) -> Scaffold:
    """A scaffold that nobody sampled. Raises ValueError when the text is no card."""
    card, problem = parse_card(text)
    if card is None:
        raise ValueError(f"not a card: {problem}")
    return Scaffold(scaffold_id, task_id, "card", text, card.model_dump(), None, None, None, 0)
