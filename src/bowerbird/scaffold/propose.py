"""Stage 1: the request for a refined scaffold, and the scaffold that came back. Nothing is executed here."""

from collections.abc import Sequence

from bowerbird.config import BUILT_IN_TOOLS, ScaffoldConfig
from bowerbird.inference.chat import Chat, Message
from bowerbird.inference.protocol import Request
from bowerbird.scaffold.archive import Entry
from bowerbird.scaffold.tiers import TIERS
from bowerbird.types import Completion, Sampling, Scaffold, TaskView

_SYSTEMS = {
    "card": "You choose the settings of a coding agent. Good settings solve the task within few tokens.",
    "plan": "You plan the work of a coding agent. A good plan solves the task within few tokens.",
    "program": "You write the program that drives a coding agent. A good one solves the task within few tokens.",
}


_SHOWN = 8000  # characters: a longer scaffold is not shown again, it would leave no room for the next


def proposal_messages(
    task: TaskView,
    previous: Entry | None,
    *,
    tier: str = "card",
    grammar: bool = True,
    tools: Sequence[str] = BUILT_IN_TOOLS,
) -> list[Message]:
    """What the policy sees: the task, and the scaffold used before with its return and class of failure.

    Without a grammar also what a scaffold may say: nothing else would tell it.
    """
    kind = TIERS[tier]
    before = "none"
    if previous is not None and len(previous.scaffold.text) <= _SHOWN:
        failure = f", {previous.failure}" if previous.failure else ""
        before = f"{previous.scaffold.text} return {previous.value:.2f}{failure}"
    told = "" if grammar and kind.schema(tools) else f"{kind.told(tools)}\n"
    noun = kind.noun.split(",")[0].capitalize()
    content = f"Task: {task.instruction}\n{noun} before: {before}\n{told}Better {kind.noun}:"
    return [{"role": "system", "content": _SYSTEMS[tier]}, {"role": "user", "content": content}]


def proposal_request(
    task: TaskView, previous: Entry | None, chat: Chat, config: ScaffoldConfig, seed: int, *, explore: float
) -> Request:
    """One model call for one scaffold."""
    tier = TIERS[config.tier]
    schema = tier.schema(config.tool_names) if config.grammar else ""
    sampling = Sampling(config.temperature, explore if schema else 0.0, config.max_tokens, seed)
    grammar = config.grammar and chat.constrains
    messages = proposal_messages(task, previous, tier=config.tier, grammar=grammar, tools=config.tool_names)
    return Request(chat.prompt(messages), sampling, schema=schema, stop=tier.stop)


def read_proposal(
    scaffold_id: str, task: TaskView, previous: Entry | None, completion: Completion, chat: Chat, config: ScaffoldConfig
) -> Scaffold:
    """The scaffold in a completion. An invalid one stays invalid: it is never replaced by a default."""
    tier = TIERS[config.tier]
    bound = config.grammar and chat.constrains and tier.schema(config.tool_names)  # and no reasoning before it
    answer = completion.text if bound else chat.answer(completion.prompt_ids, completion.text)
    spec, problem = tier.parse(answer, config.tool_names)
    return Scaffold(
        scaffold_id=scaffold_id,
        task_id=task.task_id,
        tier=config.tier,
        text=completion.text,
        spec=spec,
        invalid=problem,
        parent_id=previous.scaffold.scaffold_id if previous else None,
        completion=completion,
        version=max(completion.versions, default=0),
    )
