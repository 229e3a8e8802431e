"""One workspace of the local back end: folders on this machine, bound on /work for one command after the other."""

import contextlib
import hashlib
import os
import stat
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from bowerbird.sandbox.beneath import open_beneath, open_up, parts_of
from bowerbird.sandbox.box import Box, Mount
from bowerbird.sandbox.collect import collect_files
from bowerbird.sandbox.decoys import DecoyWatch
from bowerbird.sandbox.home import remove
from bowerbird.sandbox.layers import Layers
from bowerbird.sandbox.process import Start, execute, unusable
from bowerbird.sandbox.protocol import Collected, Execution, Limits
from bowerbird.sandbox.snapshots import Snapshots
from bowerbird.sandbox.usage import MAX_DEPTH, disk_use, memory_of_tree
from bowerbird.sandbox.watch import Tracer, bounded
from bowerbird.types import Executable, Facts, SandboxError


@dataclass(frozen=True, slots=True)
class Site:
    """All that a workspace is made of. `box` has all files on /work, `own_box` those of the workspace alone. `laid` is
    the base that it borrows; `release` lets it go."""

    place: Path
    layers: Layers
    laid: Path | None
    box: Box
    own_box: Box
    owner: int | None
    most_bytes: int
    most_entries: int
    decoys: DecoyWatch | None
    token: object
    tracer: Tracer | None
    release: Callable[[], None]


class LocalWorkspace:
    """A folder on the host, bound on /work. One command at a time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._closed = False
        self._seen = Facts()
        self._lock = threading.Lock()
        self._protected: Mapping[str, bytes] = {}
        self._protected_base: frozenset[str] = frozenset()
        self.box = site.box  # what later commands run in
        self._snapshots = Snapshots(site.place, site.own_box, site.owner)
        self._bound: list[Path] = []

    @property
    def place(self) -> Path:
        """The workspace's folder on the host, for what belongs to it."""
        return self._site.place

    def bind(self, inside: str) -> Path:
        """A new folder of the workspace's, on the host, that later commands find at `inside`. Its files count with the
        rest."""
        folder = self._site.place / f"bound-{len(self._bound)}"
        folder.mkdir(mode=0o700)
        if self._site.owner is not None:
            os.chown(folder, self._site.owner, self._site.owner)
        self._bound.append(folder)
        self.box = self.box.plus([Mount(inside, folder, writable=True)])
        return folder

    @property
    def owner(self) -> int | None:
        """Whose files these are, where it is not who runs this."""
        return self._site.owner

    def protect(self, hashes: Mapping[str, bytes], of_base: frozenset[str]) -> None:
        """Remember the SHA-256 that files had at the start, and which files of the base are not to change."""
        self._protected, self._protected_base = dict(hashes), of_base

    def host_owner(self, path: str) -> int:
        """The host uid that owns a file of the workspace."""
        return os.stat(path, dir_fd=self._open_folder(), follow_symlinks=False).st_uid

    def _open_layers(self) -> Layers:
        if self._closed:
            raise SandboxError("the workspace is closed")
        return self._site.layers

    def _open_folder(self) -> int:
        return self._open_layers().folder

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", limits: Limits = Limits()) -> Execution:
        """Run a command in /work. Every process of it is dead when this returns. Raises SandboxError."""
        with self._lock:
            folder = self._open_folder()
            if problem := unusable(argv) or self._too_big(folder):
                return Execution(126, b"", problem.encode())
            open_up(folder)  # locked by an earlier command, it would keep this one from starting

            def overuse(pid: int) -> str | None:
                return self._overuse(folder, pid, limits)

            with self._watching() as start:
                launch = self.box.launch(argv, limits)
                return execute(launch, stdin=stdin, limits=limits, overuse=overuse, start=start)

    @contextlib.contextmanager
    def _watching(self) -> Iterator[Start]:
        """How to start one sandbox, so that it is watched until the end of the block. The caller holds the lock."""
        if self._site.tracer is None:
            yield lambda launch: launch()
            return
        with self._site.tracer.watch() as watched:
            yield watched.start
        self._seen = bounded(self._seen | watched.facts)

    def _overuse(self, folder: int, pid: int, limits: Limits) -> str | None:
        memory = memory_of_tree(pid)
        if memory > limits.memory_bytes:
            return f"used more than {limits.memory_bytes} bytes of memory in all"
        return self._too_big(folder)

    def _too_big(self, folder: int) -> str | None:
        most_bytes, most_entries = self._site.most_bytes, self._site.most_entries
        size, entries, depth = disk_use(folder, most_entries)
        for place in self._bound:
            descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                more = disk_use(descriptor, most_entries)
            finally:
                os.close(descriptor)
            size, entries, depth = size + more[0], entries + more[1], max(depth, more[2])
        if size > most_bytes or entries > most_entries or depth > MAX_DEPTH:
            return f"the workspace grew beyond {most_bytes} bytes or {most_entries} files"
        return None

    def write(self, path: str, data: bytes, *, exact: bool = False) -> None:
        """See `Workspace.write`; with `exact` the mode is that of `data`, whatever was there. Raises SandboxError."""
        if parts_of(path) is None:
            raise SandboxError(f"{path!r} is not a path inside the workspace")
        with self._lock:
            try:
                layers = self._open_layers()
                kept = not exact and layers.executable(path)
                layers.write(path, Executable(data) if kept else data)
            except OSError as error:
                raise SandboxError(f"cannot write {path} into the workspace: {error.strerror}") from error

    def collect(self, paths: Collection[str], *, max_bytes: int = 1 << 20) -> Collected:
        """Take declared files out; see `collect.collect_files`. Raises SandboxError only when closed."""
        with self._lock:
            return collect_files(self._open_layers().open, paths, max_bytes)

    def snapshot(self) -> int:
        """See `Workspace.snapshot`."""
        with self._lock:
            folder = self._open_folder()
            open_up(folder)
            return 0 if self._too_big(folder) else self._snapshots.take()

    def restore(self, number: int) -> bool:
        """See `Workspace.restore`."""
        with self._lock:
            open_up(self._open_folder())
            return self._snapshots.restore(number)

    def watched(self) -> Facts:
        """Facts so far: decoys opened, protected files changed or gone, system calls where they are traced."""
        with self._lock:
            layers, decoys = self._open_layers(), self._site.decoys
            if decoys is None:
                return Facts()
            changed = [path for path, digest in self._protected.items() if _digest(layers.open, path) != digest]
            changed += self._changed_of_base(layers)
            found = Facts(("inotify",), decoys.opened(self._site.token), tuple(changed))
            return found if self._site.tracer is None else found | Facts(("seccomp",)) | self._seen

    def _changed_of_base(self, layers: Layers) -> list[str]:
        touched = sorted(self._protected_base - layers.untouched(self._protected_base))
        if self._site.laid is None or not touched:
            return []
        before = os.open(self._site.laid, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            started = {path: _digest(partial(open_beneath, before), path) for path in touched}
        finally:
            os.close(before)
        return [path for path, digest in started.items() if _digest(layers.open, path) != digest]

    def close(self) -> None:
        """Remove the workspace from the host. Safe to call again."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._site.layers.close()
            with contextlib.suppress(OSError):  # a failing disk; the folder goes with the sandbox's own
                remove(self._site.place)
            self._site.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()


def _digest(open_file: Callable[[str], int], path: str) -> bytes | None:
    try:
        descriptor = open_file(path)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return hashlib.file_digest(file, "sha256").digest()
    finally:
        os.close(descriptor)
