"""Scaffolds that worked, kept for the next task in a repository: one JSON line each, in the user's data folder."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bowerbird.config import BUILT_IN_TOOLS
from bowerbird.scaffold.tiers import TIERS
from bowerbird.types import RunError


@dataclass(frozen=True, slots=True)
class Kept:
    """One scaffold, and what it did."""

    repository: str
    tier: str
    text: str
    task: str
    value: float  # 1: the visible tests passed; 0.5: there were none, and the user took the change
    tokens: int


class Shelf:
    """A file of them. A line that cannot be read is passed over: the file is the user's to edit."""

    def __init__(self, path: Path | None = None, tools: Sequence[str] = BUILT_IN_TOOLS) -> None:
        """A plan that names another tool than `tools` is passed over too."""
        self.path = path or _data_folder() / "scaffolds.jsonl"
        self._tools = tools

    def keep(self, kept: Kept) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a") as file:
                file.write(json.dumps(asdict(kept)) + "\n")
        except OSError as error:
            raise RunError(f"cannot keep the scaffold in {self.path}: {error}") from error

    def best(self, repository: str, tier: str = "") -> Kept | None:
        """The most successful of this repository (and of this tier, if one is named), the newest among equals."""
        own = [kept for kept in self.all() if kept.repository == repository and tier in ("", kept.tier)]
        return max(reversed(own), key=lambda kept: kept.value, default=None)

    def all(self) -> list[Kept]:
        """Oldest first."""
        found = []
        for line in self.path.read_text().splitlines() if self.path.is_file() else []:
            try:
                kept = Kept(**json.loads(line))
            except (ValueError, TypeError):
                continue
            if _usable(kept, self._tools):
                found.append(kept)
        return found


def _usable(kept: Kept, tools: Sequence[str]) -> bool:
    """Whether a line says what the program writes: people edit files."""
    texts = all(isinstance(value, str) for value in (kept.repository, kept.tier, kept.text, kept.task))
    number = isinstance(kept.value, (int, float))
    return texts and number and kept.tier in TIERS and TIERS[kept.tier].parse(kept.text, tools)[0] is not None


def identity(root: Path) -> str:
    """What a repository is known by: its remote, so that clones are one; else its path."""
    command = ["git", "-C", str(root), "config", "--get", "remote.origin.url"]
    try:
        found = subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        found = ""
    return found or str(root.resolve())


def _data_folder() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "bowerbird"
