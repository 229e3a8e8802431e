"""Files that are whole or absent."""

import os
from pathlib import Path

from bowerbird.types import RunError


def write_atomically(path: Path, text: str) -> None:
    """Replace `path` in one step. Raises RunError when the disk is full."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error}. Free some disk, then resume") from error
