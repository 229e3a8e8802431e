"""What workspaces start from, laid on disk once and shared among them by overlays."""

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bowerbird.sandbox.beneath import write_beneath
from bowerbird.sandbox.home import remove
from bowerbird.sandbox.protocol import Base
from bowerbird.types import SandboxError

KEPT_BYTES = 4 << 30  # of bases that no workspace uses any more


@dataclass
class _Laid:
    base: Base
    folder: Path
    size: int
    users: int = 0


class Bases:
    """Bases below `home`, which belong to `owner`. Safe to share among threads; while one is laid, others wait."""

    def __init__(self, home: Path, owner: int | None) -> None:
        self._home, self._owner = home, owner
        self._laid: list[_Laid] = []  # the one used last at the end
        self._count = 0
        self._lock = threading.Lock()

    def borrow(self, base: Base, finish: Callable[[Path, Base], None]) -> Path:
        """The folder that holds its files; `finish` is called on it when they are there for the first time. It stays at
        least until it is given back. Raises SandboxError."""
        with self._lock:
            found = next((laid for laid in self._laid if laid.base == base), None) or self._lay(base, finish)
            found.users += 1
            self._laid.remove(found)
            self._laid.append(found)
            return found.folder

    def give_back(self, folder: Path) -> None:
        """A workspace over it has closed."""
        with self._lock:
            next(laid for laid in self._laid if laid.folder == folder).users -= 1
            idle = [laid for laid in self._laid if not laid.users]
            while sum(laid.size for laid in idle) > KEPT_BYTES:
                oldest = idle.pop(0)
                self._laid.remove(oldest)
                with contextlib.suppress(OSError):  # a failing disk; it goes with the sandbox
                    remove(oldest.folder)

    def _lay(self, base: Base, finish: Callable[[Path, Base], None]) -> _Laid:
        self._count += 1
        folder = self._home / f"base-{self._count}"
        try:
            folder.mkdir(mode=0o700)
            if self._owner is not None:
                os.chown(folder, self._owner, self._owner)
            here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                for path, data in base.files.items():
                    write_beneath(here, path, data, self._owner)
            finally:
                os.close(here)
            finish(folder, base)
        except (OSError, SandboxError) as error:
            with contextlib.suppress(OSError):
                remove(folder)
            if isinstance(error, SandboxError):
                raise
            raise SandboxError(f"cannot lay the files of a workspace in {self._home}: {error.strerror}") from error
        laid = _Laid(base, folder, sum(map(len, base.files.values())))
        self._laid.append(laid)
        return laid


def copy(folder: Path, target: Path) -> None:
    """All of a base into `target`, for machines that cannot share it. Raises SandboxError."""
    done = subprocess.run(
        ["cp", "-a", "--reflink=auto", f"{folder}/.", str(target)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SandboxError(f"cannot copy the files of a workspace: {done.stderr.strip()[-200:]}")
