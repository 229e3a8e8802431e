"""Python packages that a task's requirements name, installed once on this machine and shown inside read-only.

Only wheels are taken: to build a package is to run its code, and that would be here and not in a sandbox.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from bowerbird.config import cache_dir
from bowerbird.sandbox.interpreter import world_reachable
from bowerbird.types import SandboxError

_SHEBANG = b"#!/usr/bin/env python3\n"


class Packages:
    """Installed sets of packages for the Python of `version`. Safe to share among threads and processes.

    `home` is a folder of ours that every user can walk to, for machines on which the user's cache is not one.
    """

    def __init__(self, home: Path, version: tuple[int, int], owner: int | None) -> None:
        self._home, self._version, self._owner = home, version, owner
        self._shown: dict[str, Path] = {}
        self._lock = threading.Lock()

    def folder(self, requirements: str) -> Path:
        """Where the packages lie that `requirements`, the text of such a file, names. Installs them the first time.
        Raises SandboxError with what pip said."""
        with self._lock:
            if requirements not in self._shown:
                self._shown[requirements] = self._reachable(install(requirements, self._version))
            return self._shown[requirements]

    def _reachable(self, folder: Path) -> Path:
        """The folder, or a copy of it: root drops its uid, and a cache is often below a private home."""
        if self._owner is None or world_reachable(folder):
            return folder
        target = self._home / f"packages-{len(self._shown) + 1}"
        try:
            shutil.copytree(folder, target, symlinks=True)
        except (OSError, shutil.Error) as error:
            raise SandboxError(f"cannot copy {folder} to {target}: {error}") from error
        return target


def install(requirements: str, version: tuple[int, int]) -> Path:
    """The folder of the user's cache that holds these packages for that Python. Raises SandboxError."""
    python = ".".join(map(str, version))
    name = hashlib.sha256(f"{python}\n{requirements}".encode()).hexdigest()[:16]
    parent = cache_dir() / "packages"
    target = parent / name
    if target.is_dir():
        return target
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with (parent / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another process may be at it
            if not target.is_dir():
                _install(requirements, python, parent, target)
    except OSError as error:
        raise SandboxError(f"cannot install packages in {parent}: {error.strerror}") from error
    return target


def _install(requirements: str, python: str, parent: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=parent) as place:
        listed, fresh = Path(place, "requirements.txt"), Path(place, "packages")
        listed.write_text(requirements)
        fresh.mkdir()
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
        command += ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}", "--no-compile"]
        done = subprocess.run([*command, f"--target={fresh}", "-r", str(listed)], capture_output=True, text=True)
        if done.returncode != 0:
            said = " ".join(done.stderr.split())[-600:]
            raise SandboxError(f"pip could not install a task's requirements (wheels only, Python {python}): {said}")
        for script in (fresh / "bin").glob("*"):
            _, newline, rest = script.read_bytes().partition(b"\n")
            script.write_bytes(_SHEBANG + rest if newline else b"")  # the first line named our own Python
        for path in [fresh, *fresh.rglob("*")]:
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        os.rename(fresh, target)
