"""Copies of a workspace to come back to. They are made inside a sandbox: what a program left there is never walked by
the host, and nothing but the copy can see where they lie."""

import contextlib
import os
from pathlib import Path

from bowerbird.sandbox.box import Box, Mount
from bowerbird.sandbox.home import remove
from bowerbird.sandbox.process import execute
from bowerbird.sandbox.protocol import Limits
from bowerbird.types import SandboxError

KEPT = 8  # the oldest goes when there is one more
_INSIDE = "/snapshot"
_LIMITS = Limits(wall_s=60.0, cpu_s=60, file_bytes=1 << 30)
_SAVE = f"cp -a --reflink=auto /work/. {_INSIDE}/"
_BACK = f"find /work -mindepth 1 -delete && cp -a --reflink=auto {_INSIDE}/. /work/"


class Snapshots:
    """Those of one workspace, in `place`. `box` has what is to be copied on /work; `owner` is who the workspace belongs
    to."""

    def __init__(self, place: Path, box: Box, owner: int | None) -> None:
        self._place, self._box, self._owner = place, box, owner
        self._count = 0
        self._kept: dict[int, Path] = {}

    def take(self) -> int:
        """A new one's number; 0 where the files cannot be copied, because one is locked, say. Raises SandboxError."""
        self._count += 1
        folder = self._place / f"snapshot-{self._count}"
        try:
            folder.mkdir(mode=0o700)
            if self._owner is not None:
                os.chown(folder, self._owner, self._owner)
        except OSError as error:
            raise SandboxError(f"cannot make a snapshot in {self._place}: {error.strerror}") from error
        if not self._copy(folder, _SAVE):
            _remove(folder)
            return 0
        self._kept[self._count] = folder
        if len(self._kept) > KEPT:
            _remove(self._kept.pop(min(self._kept)))
        return self._count

    def restore(self, number: int) -> bool:
        """Whether the workspace is what it was: there is such a snapshot, and it could be put back."""
        return number in self._kept and self._copy(self._kept[number], _BACK)

    def _copy(self, folder: Path, command: str) -> bool:
        box = self._box.plus([Mount(_INSIDE, folder, writable=True)])
        done = execute(box.launch(["/bin/sh", "-c", command], _LIMITS), stdin=b"", limits=_LIMITS)
        return done.exit_code == 0


def _remove(folder: Path) -> None:
    with contextlib.suppress(OSError):  # a failing disk; it goes with the workspace
        remove(folder)
