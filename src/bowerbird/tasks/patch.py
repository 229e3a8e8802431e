"""What is different between two sets of files, and how that is written down."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from bowerbird.types import mode_of

_CONTROL = {".git", ".hg", ".svn"}
_CONTEXT, _COMPARED = 3, 250_000  # lines shown around a change; lines of one side times lines of the other
_LINES = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Change:
    """New content by path, some of it `Executable`; None where a file is gone."""

    files: Mapping[str, bytes | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.files)


def changed(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Change:
    """What is different in `after`, be it the mode alone."""
    files: dict[str, bytes | None] = {name: data for name, data in after.items() if before.get(name) != data}
    return Change(files | {name: None for name in before if name not in after})


def unified(before: Mapping[str, bytes], change: Change) -> str:
    """As a patch that `git apply` takes, modes included, binary files named only."""
    parts: list[str] = []
    for name in sorted(change.files):
        old, new = before.get(name), change.files[name]
        if old != new:
            parts += _file(name, old, new)
    return "".join(parts)


def _file(name: str, old: bytes | None, new: bytes | None) -> Iterator[str]:
    """The part of one file; None where there is none."""
    same = old is not None and new is not None and bytes(old) == bytes(new)
    pair = (b"", b"") if same else (old or b"", new or b"")
    try:
        lines = [_LINES.findall(data.decode()) for data in pair]
    except UnicodeDecodeError:
        yield f"Binary file {name} differs\n{_modes(old, new)}"
        return
    yield f"diff --git a/{name} b/{name}\n{_modes(old, new)}"
    if lines[0] != lines[1]:  # else a file that is empty, or another mode
        source, target = ("/dev/null" if d is None else f"{side}/{name}" for side, d in (("a", old), ("b", new)))
        yield f"--- {source}\n+++ {target}\n"
        yield from (_ended(line) for line in _hunks(*lines))


def _modes(old: bytes | None, new: bytes | None) -> str:
    """What git says of them between the head and the hunks."""
    if old is None or new is None:
        return f"{'new' if old is None else 'deleted'} file mode 100{mode_of(new if old is None else old):o}\n"
    if mode_of(old) == mode_of(new):
        return ""
    return f"old mode 100{mode_of(old):o}\nnew mode 100{mode_of(new):o}\n"


def _hunks(old: list[str], new: list[str]) -> Iterator[str]:
    """As `diff -u` has them. What is equal at both ends is not compared, and where what is left between is large it is
    one replacement: comparing texts that somebody made to be hard takes hours."""
    least = min(len(old), len(new))
    head = next((i for i in range(least) if old[i] != new[i]), least)
    tail = next((i for i in range(least - head) if old[-1 - i] != new[-1 - i]), least - head)
    start, ends = max(head - _CONTEXT, 0), (len(old) - tail, len(new) - tail)
    left, right = (lines[start : end + _CONTEXT] for lines, end in zip((old, new), ends, strict=True))
    if (ends[0] - head) * (ends[1] - head) <= _COMPARED:
        groups = list(difflib.SequenceMatcher(None, left, right, autojunk=False).get_grouped_opcodes(_CONTEXT))
    else:
        at, last = head - start, len(left) - (ends[0] - start)
        i, j = len(left) - last, len(right) - last
        whole = [("equal", 0, at, 0, at), ("replace", at, i, at, j), ("equal", i, len(left), j, len(right))]
        groups = [[step for step in whole if step[1] < step[2] or step[3] < step[4]]]
    for group in groups:
        (_, i1, _, j1, _), (_, _, i2, _, j2) = group[0], group[-1]
        yield f"@@ -{_range(start + i1, i2 - i1)} +{_range(start + j1, j2 - j1)} @@\n"
        for kind, i1, i2, j1, j2 in group:
            if kind == "equal":
                yield from (f" {line}" for line in left[i1:i2])
                continue
            yield from (f"-{line}" for line in left[i1:i2])
            yield from (f"+{line}" for line in right[j1:j2])


def _range(start: int, count: int) -> str:
    return f"{start + 1 if count else start},{count}"


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def is_control(name: str) -> bool:
    """Whether a path lies in a folder of version control: no work of an agent's belongs there."""
    return bool(_CONTROL & set(PurePosixPath(name).parts))
