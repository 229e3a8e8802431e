"""The folders of this machine that workspaces are made of. Every back end that runs on the machine stands on one."""

import contextlib
import hashlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol

from bowerbird.sandbox.bases import Bases, copy
from bowerbird.sandbox.box import Box
from bowerbird.sandbox.decoys import DecoyWatch
from bowerbird.sandbox.home import make_home, remove_home
from bowerbird.sandbox.layers import Layers, Stack
from bowerbird.sandbox.packages import Packages
from bowerbird.sandbox.process import execute
from bowerbird.sandbox.protocol import Base, Execution, Limits
from bowerbird.sandbox.usage import MAX_ENTRIES, disk_use
from bowerbird.sandbox.watch import Tracer
from bowerbird.sandbox.workspace import LocalWorkspace, Site
from bowerbird.types import SandboxError

DROPPED_UID = 64_513  # what root becomes: an id that no account and no service manager hands out
SHARED_FILES, SHARED_BYTES = 32, 1 << 20  # a base with less is written out: an overlay costs every command some ms
_LIMITS = Limits(wall_s=300.0, cpu_s=300, memory_bytes=4 << 30, file_bytes=1 << 30)
_COMMIT = """
export GIT_AUTHOR_DATE=2000-01-01T00:00:00Z GIT_COMMITTER_DATE=2000-01-01T00:00:00Z
git -c init.defaultBranch=main init -q && git config user.name agent && git config user.email agent@localhost &&
git config gc.auto 0 && git add -A -f && git commit -q --allow-empty -m base
"""


class Builder(Protocol):
    """What a back end adds to folders."""

    def box(self, work: Stack, decoys: Mapping[str, Path], packages: Path | None) -> Box:
        """A sandbox with these files on /work. `decoys`: path inside to folder here."""
        ...

    def shares(self) -> bool:
        """Whether workspaces can share a base by overlays."""
        ...

    def fill(self, folder: Path) -> None:
        """Copy what a base takes from an image into that folder. Raises SandboxError."""
        ...


class Ground:
    """A private folder that goes when the process ends, also after a kill. Safe to share among threads.

    `workspace_bytes` bounds what one workspace may hold on disk. Raises SandboxUnavailable where there is no place.
    """

    def __init__(self, workspace_bytes: int, *, decoys: bool) -> None:
        self.owner = DROPPED_UID if os.geteuid() == 0 else None
        self.home, lock = make_home()
        self._sweep = weakref.finalize(self, remove_home, self.home, lock, os.getpid())
        self.decoys = DecoyWatch() if decoys else None
        self._workspace_bytes = workspace_bytes
        self._bases = Bases(self.home, self.owner)

    def open(
        self,
        builder: Builder,
        files: Mapping[str, bytes],
        protected: Collection[str],
        base: Base,
        packages: Packages,
        tracer: Tracer | None = None,
    ) -> LocalWorkspace:
        """A fresh workspace holding `files` on top of `base`; `packages` has what it needs. Raises SandboxError."""
        if unknown := set(protected) - set(files) - set(base.files):
            raise SandboxError(f"protected files that the workspace does not start with: {sorted(unknown)}")
        large = len(base.files) > SHARED_FILES or sum(map(len, base.files.values())) > SHARED_BYTES
        lay = bool(base.git or base.image) or large
        required = packages.folder(base.requirements) if base.requirements.strip() else None
        with contextlib.ExitStack() as undo:
            laid = None
            if lay:
                laid = self._bases.borrow(base, partial(self._finish, builder))
                undo.callback(self._bases.give_back, laid)
            else:
                files = {**base.files, **files}
            workspace = self._made(builder, laid, required, tracer)
            undo.pop_all()
        try:
            for path, data in files.items():
                workspace.write(path, data, exact=True)
        except SandboxError:
            workspace.close()
            raise
        given = {path: hashlib.sha256(files[path]).digest() for path in protected if path in files}
        workspace.protect(given, frozenset(protected) - frozenset(files))
        return workspace

    def _made(
        self, builder: Builder, laid: Path | None, packages: Path | None, tracer: Tracer | None
    ) -> LocalWorkspace:
        """A workspace that starts from `laid`, or from a copy of it where overlays do not work."""
        token = object()
        try:
            place = Path(tempfile.mkdtemp(prefix="ws-", dir=self.home))
        except OSError as error:
            raise SandboxError(f"cannot make a workspace in {self.home}: {error.strerror}") from error
        layers, room, entries = None, self._workspace_bytes, MAX_ENTRIES
        try:
            place.chmod(0o711)
            shared = laid is not None and builder.shares()
            layers = Layers(place, self.owner, laid if shared else None)
            if laid is not None and not shared:
                copy(laid, place / "work")
                size, there, _ = disk_use(layers.folder, most=1 << 30)
                room, entries = room + size, entries + there  # it may write as much as one that shares
            mounts: Mapping[str, Path] = {}
            if self.decoys is not None:
                mounts = self.decoys.lay(token, place / "decoys")
                (place / "decoys").chmod(0o755)
            site = Site(
                place=place,
                layers=layers,
                laid=laid,
                box=builder.box(layers.stack, mounts, packages),
                own_box=builder.box(Stack(layers.stack.own), mounts, packages),
                owner=self.owner,
                most_bytes=room,
                most_entries=entries,
                decoys=self.decoys,
                token=token,
                tracer=tracer,
                release=partial(self._release, token, laid),
            )
            return LocalWorkspace(site)
        except (OSError, SandboxError) as error:
            self._release(token, None)  # the base is given back by whoever borrowed it
            if layers is not None:
                layers.close()
            shutil.rmtree(place, ignore_errors=True)
            if isinstance(error, SandboxError):
                raise
            raise SandboxError(f"cannot make a workspace in {place.parent}: {error.strerror}") from error

    def _finish(self, builder: Builder, folder: Path, base: Base) -> None:
        """Add what an image has to the files of a base, and make them the one commit of a repository: both in a
        sandbox. Raises SandboxError."""
        if base.image:
            builder.fill(folder)
        if base.git:
            done = run_once(builder.box(Stack(folder), {}, None), _COMMIT)
            if done.exit_code != 0:
                said = done.stderr.decode(errors="replace").strip()[-200:]
                raise SandboxError(f"cannot make a git repository for a workspace (is git there?): {said}")

    def _release(self, token: object, laid: Path | None) -> None:
        """A workspace is over."""
        if self.decoys is not None:
            self.decoys.forget(token)
        if laid is not None:
            self._bases.give_back(laid)

    def close(self) -> None:
        """Remove everything. Also happens at exit."""
        if self.decoys is not None:
            self.decoys.close()
        self._sweep()


def run_once(box: Box, script: str, *arguments: str) -> Execution:
    """A shell script that makes a base, in its sandbox. Raises SandboxError."""
    launch = box.launch(["/bin/sh", "-c", script, "sh", *arguments], _LIMITS)
    return execute(launch, stdin=b"", limits=_LIMITS)
