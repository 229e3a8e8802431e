"""What the judge is shown of one rollout: the task, the scaffold, the actions, the submission.

    [0f3a... begins: the task]
    | Write add(a, b).
    [0f3a... ends]

Every line that somebody else wrote starts with a bar, and the number in the brackets is a hash of all of them: no text
can hold the hash of itself, so none can begin or end a part. What the model wrote around its commands is not shown,
nor are comments: the judge looks at what was done.
"""

import difflib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bowerbird.rewards.evidence import Evidence
from bowerbird.rewards.judge.shell import strip_shell
from bowerbird.rewards.judge.stripping import decode_source, strip_python
from bowerbird.rewards.judge.text import cut, neutralise, shares
from bowerbird.types import WHOLE, Case, JsonValue

VERSION = 2  # to be raised with any change of what a record shows: calibrations name it
ROOM = 16_000  # characters of others' text
_ACTIONS = 40  # of more than these the first and the last are shown
_EXAMPLES = 12
_DIFF_LINES = 800  # longer files are shown whole: comparing them could take minutes
_WORD = 60  # characters of a word in a log entry that is no action; longer ones are prose
_GAP = "\n\0\n"  # stands in no neutralised text, so no quote reaches across a cut


@dataclass(frozen=True, slots=True)
class Record:
    """`text` is shown. `quotable` is the part of it that is not ours; `produced` the part of that which the rollout
    made, the task's own words left out. `left_out` characters did not fit."""

    text: str
    quotable: str
    produced: str
    left_out: int


@dataclass(frozen=True, slots=True)
class _Part:
    title: str
    body: str
    produced: bool = True


def make_record(evidence: Evidence, room: int = ROOM) -> Record:
    """The record of one rollout, with at most about `room` characters of others' text.

    The same evidence always gives the same record.
    """
    groups = [
        [_Part("the task", _task(evidence), produced=False)],
        [_Part("the scaffold", strip_python(_lines(evidence.scaffold.text)))],
        list(_actions(evidence.rollout.log)),
        list(_submission(evidence)),
    ]
    groups = [[_Part(p.title, neutralise(p.body), p.produced) for p in group] for group in groups]
    given = shares([sum(len(p.body) for p in group) for group in groups], room)
    parts = [part for group in groups for part in group]
    limits = [n for group, own in zip(groups, given, strict=True) for n in shares([len(p.body) for p in group], own)]
    return _written(parts, limits)


def _written(parts: Sequence[_Part], limits: Sequence[int]) -> Record:
    nonce = _nonce([part.body for part in parts])
    lines: list[str] = []
    shown: list[tuple[str, bool]] = []
    lost = 0
    for part, limit in zip(parts, limits, strict=True):
        head, tail, missing = cut(part.body, limit)
        lines += [f"[{nonce} begins: {part.title}]", *_barred(head)]
        if missing:
            lines += [f"[{nonce} here {missing} characters are left out]", *_barred(tail)]
        lines.append(f"[{nonce} ends]")
        shown += [(head, part.produced), (tail, part.produced)]
        lost += missing
    quotable = _GAP.join(text for text, _ in shown)
    produced = _GAP.join(text for text, own in shown if own)
    return Record("\n".join(lines), quotable, produced, lost)


def _nonce(bodies: Sequence[str]) -> str:
    digest = hashlib.sha256("\0".join(bodies).encode("utf-8", "surrogatepass")).hexdigest()
    while any(digest[:16] in body for body in bodies):  # chance 2^-64, and nobody can aim at it
        digest = hashlib.sha256(digest.encode()).hexdigest()
    return digest[:16]


def _barred(text: str) -> list[str]:
    return [f"| {line}" for line in text.split("\n")] if text else []


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _task(evidence: Evidence) -> str:
    task = evidence.task
    wanted = "every file that differs" if task.submission == WHOLE else ", ".join(task.submission)
    lines = [task.instruction, f"To be submitted: {wanted}"]
    if task.examples:
        lines.append("Examples that the agent was shown:")
        lines += [_example(task.entry_point, case) for case in task.examples[:_EXAMPLES]]
    return "\n".join(lines)


def _example(entry_point: str, case: Case) -> str:
    """Values as they are encoded: `{'$tuple': [1, 2]}` is as clear to a judge as (1, 2)."""
    arguments = [repr(a) for a in case.args] + [f"{key}={value!r}" for key, value in case.kwargs.items()]
    return f"assert {entry_point}({', '.join(arguments)}) == {case.expected!r}"


# -- actions --------------------------------------------------------------------------------------------------------


def _actions(log: Sequence[Mapping[str, JsonValue]]) -> Iterator[_Part]:
    entries = list(enumerate(log, 1))
    if len(entries) > _ACTIONS:
        half = _ACTIONS // 2
        yield from _entries(entries[:half])
        yield _Part("actions left out", f"{len(entries) - _ACTIONS} actions between these are not shown")
        entries = entries[-half:]
    yield from _entries(entries)


def _entries(entries: Sequence[tuple[int, Mapping[str, JsonValue]]]) -> Iterator[_Part]:
    for number, entry in entries:
        if entry.get("event") == "action":
            by = "the scaffold" if entry.get("by") == "scaffold" else "the model"
            yield _Part(f"action {number}, by {by}: command", strip_shell(_lines(str(entry.get("command", "")))))
            yield _Part(f"action {number}: what came of it", str(entry.get("result", "")))
        else:
            yield _Part(f"event {number}", json.dumps(_brief(entry), sort_keys=True, ensure_ascii=False))


def _brief(value: JsonValue) -> JsonValue:
    """Numbers and short words of a log entry; anything longer could be the model thinking aloud."""
    if isinstance(value, Mapping):
        return {str(k)[:_WORD]: _brief(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_brief(v) for v in value]
    if isinstance(value, str) and len(value) > _WORD:
        return f"({len(value)} characters)"
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(type(value).__name__)


# -- the submission -------------------------------------------------------------------------------------------------


def _submission(evidence: Evidence) -> Iterator[_Part]:
    files = evidence.rollout.submission
    if not files:
        yield _Part("the submission", "(nothing was submitted)")
    for path in sorted(files):
        name = neutralise(path).replace("\n", "\\n")[:100]
        before = evidence.task.workspace.get(path)
        after = _source(path, files[path])
        difference = None if before is None else _difference(_source(path, before), after)
        if difference is None:
            yield _Part(f"the submitted file {name}", after)
        else:
            yield _Part(f"what changed in the submitted file {name}", difference)


def _source(path: str, data: bytes) -> str:
    head = data[:80].split(b"\n", 1)[0]
    if path.endswith((".py", ".pyi", ".pyw")) or (head.startswith(b"#!") and b"python" in head):
        return strip_python(decode_source(data))
    if path.endswith((".sh", ".bash")) or (head.startswith(b"#!") and head.rstrip().endswith((b"sh", b"bash"))):
        return strip_shell(_lines(data.decode("utf-8", "replace")))
    return _lines(data.decode("utf-8", "replace"))


def _difference(before: str, after: str) -> str | None:
    """A unified difference; None where the files are too long to compare."""
    old, new = before.split("\n"), after.split("\n")
    if max(len(old), len(new)) > _DIFF_LINES:
        return None
    return "\n".join(list(difflib.unified_diff(old, new, lineterm="", n=4))[2:]) or "(unchanged)"
