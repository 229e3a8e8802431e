"""What is different between two sets of files, and how that is written down."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

_CONTROL = {".git", ".hg", ".svn"}
_CONTEXT, _COMPARED = 3, 250_000  # lines shown around a change; lines of one side times lines of the other
_LINES = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Change:
    """New content by path; None where a file is gone."""

    files: Mapping[str, bytes | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.files)


def changed(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Change:
    """What is different in `after`."""
    files: dict[str, bytes | None] = {name: data for name, data in after.items() if before.get(name) != data}
    return Change(files | {name: None for name in before if name not in after})


def unified(before: Mapping[str, bytes], change: Change) -> str:
    """As a patch that `git apply` takes, binary files named only."""
    parts = []
    for name in sorted(change.files):
        new, old = change.files[name], before.get(name)
        try:
            lines = [_LINES.findall((data or b"").decode()) for data in (old, new)]
        except UnicodeDecodeError:
            parts.append(f"Binary file {name} differs\n")
            continue
        mode = f"{'new' if old is None else 'deleted'} file mode 100644\n" if old is None or new is None else ""
        parts.append(f"diff --git a/{name} b/{name}\n{mode}")
        if lines[0] != lines[1]:  # else a file that is empty
            source, target = ("/dev/null" if d is None else f"{side}/{name}" for side, d in (("a", old), ("b", new)))
            parts.append(f"--- {source}\n+++ {target}\n")
            parts += [_ended(line) for line in _hunks(*lines)]
    return "".join(parts)


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
