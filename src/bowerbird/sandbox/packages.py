"""Python packages that a task's requirements name, installed once on this machine and shown inside read-only.

Only wheels are taken: to build a package is to run its code, and that would be here and not in a sandbox. So a line of
the requirements is a name with versions and markers and nothing else: an option or an address could undo that, or send
our environment somewhere. Where packages come from is the user's own affair (pip's configuration and PIP_ variables).
"""

import fcntl
import hashlib
import os
import re
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
_VERSION = r"(?:===|==|~=|!=|<=|>=|<|>)\s*[A-Za-z0-9.*+!_-]+"
_LINE = re.compile(
    rf"[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[A-Za-z0-9,._\s-]*\])?\s*(?:{_VERSION}(?:\s*,\s*{_VERSION})*)?"
    r"\s*(?:;[^$@\\]*)?"
)


class Packages:
    """Installed sets of packages for the Python of `version`. Safe to share among threads and processes.

    `home` is a folder of ours that every user can walk to, for machines on which the user's cache is not one.
    """

    def __init__(
        self, home: Path, version: tuple[int, int], owner: int | None, interpreter: Path | None = None
    ) -> None:
        """`interpreter`: that Python, where it is on this machine; else markers are read as of ours."""
        self._home, self._version, self._owner, self._interpreter = home, version, owner, interpreter
        self._shown: dict[str, Path] = {}
        self._lock = threading.Lock()

    def folder(self, requirements: str) -> Path:
        """Where the packages lie that `requirements`, the text of such a file, names. Installs them the first time.
        Raises SandboxError with what pip said."""
        with self._lock:
            if requirements not in self._shown:
                self._shown[requirements] = self._reachable(install(requirements, self._version, self._interpreter))
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


def install(requirements: str, version: tuple[int, int], interpreter: Path | None = None) -> Path:
    """The folder of the user's cache that holds these packages for that Python. Raises SandboxError."""
    for line in requirements.splitlines():
        text = re.sub(r"(^|\s)#.*", "", line).strip()
        if text and not _LINE.fullmatch(text):
            raise SandboxError(
                f"a task's requirements say {line.strip()[:80]!r}: write NAME, versions and markers only"
            )
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
                _install(requirements, python, interpreter, parent, target)
    except OSError as error:
        raise SandboxError(f"cannot install packages in {parent}: {error.strerror}") from error
    return target


def _install(requirements: str, python: str, interpreter: Path | None, parent: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=parent) as place:
        listed, fresh = Path(place, "requirements.txt"), Path(place, "packages")
        listed.write_text(requirements)
        fresh.mkdir()
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
        command += ["--python", str(interpreter)] if interpreter is not None else []
        command += ["install", "--quiet", "--only-binary=:all:", "--no-compile"]
        command += [] if interpreter is not None else ["--implementation=cp", f"--python-version={python}"]
        done = subprocess.run([*command, f"--target={fresh}", "-r", str(listed)], capture_output=True, text=True)
        if done.returncode != 0:
            said = " ".join(done.stderr.split())[-600:]
            if "No module named pip" in said:
                raise SandboxError("a task has requirements, and pip is missing here: python -m ensurepip")
            raise SandboxError(f"pip could not install a task's requirements (wheels only, Python {python}): {said}")
        for script in (fresh / "bin").glob("*"):
            first, _, rest = script.read_bytes().partition(b"\n")
            if first.startswith(b"#!") and b"python" in first:
                script.write_bytes(_SHEBANG + rest)  # it named our own Python
        for path in [fresh, *fresh.rglob("*")]:
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o111 else 0o644)
        os.rename(fresh, target)
