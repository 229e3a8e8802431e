"""The turn loop: the model acts, reads what came of it, and acts again, until it is done or its turns are."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from bowerbird.inference.chat import Message
from bowerbird.rollout.actions import parse_action
from bowerbird.rollout.effects import Effect, Reply
from bowerbird.rollout.host import Full, Host, Refused, short
from bowerbird.rollout.tools import TOOLS, schemas, use
from bowerbird.scaffold.plan import SUBMIT

VIEWS = {"full": 8000, "head_tail": 2000, "errors_only": 2000}  # characters of an observation
REMINDERS = 2  # to a model that only talks where it is to change something
_FINE = ("exit 0", "passed", "wrote", "changed", "noted")


@dataclass(frozen=True, slots=True)
class Manner:
    """How the loop goes: turns at the most, what is remembered, how observations are shown, how warm the model is."""

    turns: int
    tools: tuple[str, ...]
    tokens: int  # of these turns together
    memory: str = "all"  # all, none, last_k or notes
    k: int = 4
    view: str = "head_tail"
    temperature: str = "mid"
    native: bool = False  # tools in the form of the model's own template


def work(host: Host, opening: Sequence[Message], manner: Manner) -> Generator[Effect, Reply, bool]:
    """Whether the model ended the work by itself: an answer without an action ends it, once there was one. Raises
    Exhausted when the rollout's budget is."""
    talk: list[Message] = []
    acted, reminded = False, 0
    stop_at = host.tokens_left - manner.tokens
    own = [host.budget.tools[name] for name in manner.tools]
    known = {**TOOLS, **host.budget.tools}  # of one that is there and not for this run the model hears so
    tools, changing = schemas(own) if manner.native else [], any(tool.changes for tool in own)
    for _ in range(manner.turns):
        if host.tokens_left <= stop_at:
            return False
        try:
            shown = _shown(host, opening, talk, manner)
            answer = yield from host.llm(shown, temperature=manner.temperature, tools=tools)
        except Full:
            if not talk:
                return False
            del talk[: len(talk) // 4 * 2 or 2]  # the older half, in pairs of an answer and what came of it
            continue
        except Refused:  # a template that takes no such talk
            return False
        action = parse_action(answer, known)
        if action is None and not acted and reminded < REMINDERS and changing:
            reminded += 1
            talk += [_says("assistant", answer), _says("user", _reminder(manner))]
            continue
        if action is None or action.tool == SUBMIT:
            return True
        acted = True
        if action.tool in manner.tools:
            seen = yield from use(host, action.tool, action.args)
        else:
            seen = str(action.args.get("problem") or f"{action.tool} is none of {', '.join(manner.tools)}")
        role = "tool" if manner.native and action.called else "user"
        talk += [_says("assistant", answer), _says(role, _view(seen, manner.view))]
    return False


def _reminder(manner: Manner) -> str:
    how = "Call one of your tools." if manner.native else "Answer with one action in a block, as you were told."
    return f"Nothing was done: there is no action in your answer, and text alone changes nothing. {how}"


def _shown(host: Host, opening: Sequence[Message], talk: Sequence[Message], manner: Manner) -> list[Message]:
    """What the model gets to see of the talk so far."""
    kept = {"all": len(talk), "last_k": 2 * manner.k, "none": 2, "notes": 2}[manner.memory]
    shown = [*opening, *(talk[-kept:] if kept else ())]
    if manner.memory == "notes" and host.notes and talk:
        notes = "\n".join(f"{name}: {text}" for name, text in host.notes.items())
        shown[-1] = _says(shown[-1]["role"], f"Your notes:\n{notes}\n\n{shown[-1]['content']}")
    return shown


def _view(seen: str, view: str) -> str:
    if view == "errors_only" and seen.startswith(_FINE):
        return seen.split("\n", 1)[0]
    return short(seen, VIEWS[view])


def _says(role: str, content: str) -> Message:
    return {"role": role, "content": content}
