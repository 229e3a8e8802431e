"""What is different between two sets of files, and how that is written down."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

_CONTROL = {".git", ".hg", ".svn"}
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
        if lines[0] == lines[1]:  # a file that is empty
            parts.append(f"Empty file {name} {'is gone' if new is None else 'is new'}\n")
            continue
        source, target = ("/dev/null" if data is None else f"{side}/{name}" for side, data in (("a", old), ("b", new)))
        parts += [_ended(line) for line in difflib.unified_diff(lines[0], lines[1], source, target)]
    return "".join(parts)


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def is_control(name: str) -> bool:
    """Whether a path lies in a folder of version control: no work of an agent's belongs there."""
    return bool(_CONTROL & set(PurePosixPath(name).parts))
