"""The words of stage 2: prompts for a first attempt and for a repair, and code out of an answer."""

import json
import re
from dataclasses import dataclass

from bowerbird.inference.chat import Message
from bowerbird.types import Case, JsonValue, TaskView

SYSTEM = "You write short, correct Python functions."
_ASK = "Answer with one Python code block."
FENCE = "```"
# The beginning of a statement at the margin, its decorators included.
_STATEMENT = re.compile(r"^(?:@.*\n)*(?!(?:else|elif|except|finally)\b)[^\s#)\]}]", re.MULTILINE)

_TEXT = re.compile(r'"""(?:(?!""").)*"""|\'\'\'(?:(?!\'\'\').)*\'\'\'', re.DOTALL)
_BEGUN = re.compile(r'"""|\'\'\'')


@dataclass(frozen=True, slots=True)
class Prompt:
    """Messages, and the forced beginning of the answer. `code` is the part of that beginning which is source."""

    messages: tuple[Message, ...]
    prefill: str = ""
    code: str = ""


def first_prompt(task: TaskView, decompose: str, note: str = "") -> Prompt:
    """The opening of a round."""
    parts = [task.instruction]
    if decompose == "tests_first" and task.examples:
        parts.append("It must satisfy:\n" + "\n".join(as_assert(task.entry_point, case) for case in task.examples))
    if note:
        parts.append(note)
    messages = (_message("system", SYSTEM), _message("user", "\n".join([*parts, _ASK])))
    if decompose == "stubs_then_fill" and (stub := signature(task)):
        return Prompt(messages, f"{FENCE}python\n{stub}\n", f"{stub}\n")
    return Prompt(messages)


def repair_text(message: str, view: str, edit: bool) -> str:
    """What the model reads after a failed check."""
    shown = {"full": message, "head_tail": _head_tail(message), "errors_only": message.split(":", 1)[0]}[view]
    ask = "Change only the line that is wrong." if edit else "Write it again, correctly."
    return f"That failed: {shown}\n{ask} {_ASK}"


def signature(task: TaskView) -> str:
    """`def name(arguments):` as the instruction states it; "" where it does not."""
    if not task.entry_point:
        return ""
    found = re.search(rf"\b{re.escape(task.entry_point)}\(([\w\s,=]*)\)", task.instruction)
    return f"def {task.entry_point}({found[1].strip()}):" if found else ""


def as_assert(entry_point: str, case: Case) -> str:
    """A visible example as an assert."""
    arguments = [_literal(a) for a in case.args] + [f"{k}={_literal(v)}" for k, v in case.kwargs.items()]
    return f"assert {entry_point}({', '.join(arguments)}) == {_literal(case.expected)}"


def extract_code(answer: str, code: str = "", cut: bool = False) -> str:
    """The source in an answer: what stands in the first code block, or after the first `def` where there is none.

    `code` is source that the answer was made to begin with. Where the answer was `cut` off by its limit of tokens
    within the source, that ends with the last statement that is surely whole.
    """
    fences = answer.split(FENCE, 2)
    if code:
        source, open_end = code + fences[0], len(fences) == 1
    elif len(fences) > 1:
        source, open_end = re.sub(r"\A(python|py|Python)?[ \t]*\n", "", fences[1]), len(fences) == 2
    else:
        found = re.search(r"^(def|class|import|from) ", answer, re.MULTILINE)
        source, open_end = answer[found.start() :] if found else "", True
    return _whole(source) if cut and open_end else source


def _whole(source: str) -> str:
    """Source without its last statement, if a definition is left then. By the look of lines: models' code is not
    parsed in this process."""
    starts = (found.start() for found in _STATEMENT.finditer(source) if not _within_text(source[: found.start()]))
    kept = source[: max(starts, default=0)]
    return kept if re.search(r"^(def|class|async def) ", kept, re.MULTILINE) else source


def _within_text(before: str) -> bool:
    """Whether a text of more lines has begun and not ended."""
    return bool(_BEGUN.search(_TEXT.sub("", before)))


def _literal(value: JsonValue) -> str:
    """An encoded value as Python source, for people and models only: it is never evaluated."""
    if isinstance(value, dict):
        if "$tuple" in value:
            items = [_literal(v) for v in value["$tuple"]]
            return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
        if "$set" in value:
            return "{" + ", ".join(_literal(v) for v in value["$set"]) + "}" if value["$set"] else "set()"
        if "$dict" in value:
            return "{" + ", ".join(f"{_literal(k)}: {_literal(v)}" for k, v in value["$dict"]) + "}"
        if any(key.startswith("$") for key in value):
            return json.dumps(value)
        return "{" + ", ".join(f"{k!r}: {_literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_literal(v) for v in value) + "]"
    return repr(value)


def _head_tail(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:40]} ... {text[-40:]}"


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}
