"""Datasets of Harbor's registry, by Harbor's own command in its own environment."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bowerbird.types import TaskError

INSTALL = "install it in an environment of its own (`uv tool install harbor`, Python 3.12), and name it with --harbor"


def download(harbor: str, dataset: str, folder: Path, options: Sequence[str] = ()) -> Path:
    """The folder with the tasks of a dataset. What Harbor says goes to the terminal. Raises TaskError."""
    if shutil.which(harbor) is None:
        raise TaskError(f"there is no command {harbor!r}: {INSTALL}")
    before = set(folder.iterdir()) if folder.is_dir() else set()
    folder.mkdir(parents=True, exist_ok=True)
    command = [harbor, "download", dataset, "--export", "--output-dir", str(folder), *options]
    plain = os.environ | {"PYTHONPATH": ""}  # ours is for another Python
    if (done := subprocess.run(command, env=plain, check=False)).returncode != 0:
        raise TaskError(f"harbor could not download {dataset} (exit {done.returncode})")
    new = sorted(path for path in set(folder.iterdir()) - before if path.is_dir())
    if not new and not before:
        raise TaskError(f"harbor downloaded nothing for {dataset}")
    return new[0] if len(new) == 1 else folder
