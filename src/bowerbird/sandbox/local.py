"""The local back end: bubblewrap with namespaces, no capabilities, seccomp, and resource limits."""

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
import threading
import weakref
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import bowerbird
from bowerbird.sandbox.beneath import open_beneath, open_up, parts_of, write_beneath
from bowerbird.sandbox.bwrap import Bubblewrap, copy_for_others, find_bubblewrap, fixed_arguments
from bowerbird.sandbox.collect import collect_files
from bowerbird.sandbox.decoys import DecoyWatch
from bowerbird.sandbox.home import make_home, remove, remove_home
from bowerbird.sandbox.interpreter import MOUNT_POINT, find_interpreter, world_reachable
from bowerbird.sandbox.probe import probe
from bowerbird.sandbox.process import Start, execute, unusable
from bowerbird.sandbox.protocol import Collected, Execution, Limits, Watch, Workspace
from bowerbird.sandbox.snapshots import Snapshots
from bowerbird.sandbox.usage import MAX_DEPTH, MAX_ENTRIES, disk_use, memory_of_tree
from bowerbird.sandbox.watch import Tracer, bounded, sees_calls
from bowerbird.types import Facts, SandboxError, SandboxUnavailable

DROPPED_UID = 64_513  # what root becomes: an id that no account and no service manager hands out
WORKSPACE_BYTES = 256 << 20
ETC = {
    "passwd": "root:x:0:0:root:/:/usr/sbin/nologin\nuser:x:1000:1000:user:/work:/bin/sh\n",
    "group": "root:x:0:\nuser:x:1000:\n",
    "hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}


class LocalSandbox:
    """Sandboxes on this machine, as root or as an ordinary user. Safe to share among threads.

    `workspace_bytes` bounds what one workspace may hold on disk. `hide` names further host folders below
    /usr (or below the Python that is mounted) that must look empty inside; this package always does.
    `watch` says what fills `Workspace.watched`; whether this machine can trace system calls is tried out by
    `probe`, or else at the first workspace. Raises SandboxUnavailable when bubblewrap or a Python for the
    sandbox is missing.
    """

    def __init__(
        self, *, watch: Watch = "auto", workspace_bytes: int = WORKSPACE_BYTES, hide: Collection[Path] = ()
    ) -> None:
        found = find_bubblewrap()
        self._interpreter = find_interpreter()
        self._owner = DROPPED_UID if os.geteuid() == 0 else None
        self._home, lock = make_home()
        self._sweep = weakref.finalize(self, remove_home, self._home, lock, os.getpid())
        if self._owner is not None and found.bundled and not world_reachable(found.path.parent):
            found = copy_for_others(found, self._home / "bin")
        self._bwrap = found
        self._workspace_bytes = workspace_bytes
        self._hidden = _hidden([*hide, *_own_folders()], self._interpreter.mount)
        self._decoys = DecoyWatch() if watch != "off" else None
        self._watch: Watch = watch
        self._tracer = Tracer(self._owner)
        self._tracing: bool | None = None if watch in ("auto", "trace") else False  # None: not tried yet
        self._no_trace = f"not asked for: watch is {watch!r}"
        self._trying = threading.Lock()
        self._etc = self._home / "etc"
        self._etc.mkdir()
        for name, text in ETC.items():
            (self._etc / name).write_text(text)
            (self._etc / name).chmod(0o644)
        self._etc.chmod(0o755)

    @property
    def name(self) -> str:
        """The name `open_sandbox` knows it by."""
        return "local"

    @property
    def python(self) -> str:
        """Path, inside, of the Python that `python3` means."""
        return self._interpreter.path

    @property
    def bwrap(self) -> Bubblewrap:
        """The bubblewrap in use."""
        return self._bwrap

    def probe(self) -> Mapping[str, str]:
        """See `Sandbox.probe`."""

        def owner(workspace: Workspace, path: str) -> int:
            assert isinstance(workspace, LocalWorkspace)
            return workspace.host_owner(path)

        version = ".".join(map(str, self._bwrap.version))
        facts = {"bwrap": version, "bwrap_path": str(self._bwrap.path), "python": self.python}
        found = probe(self, facts, owner)
        return {**found, "watchers": ", ".join(self.watchers) or "none", "trace": self._no_trace or "works"}

    @property
    def watchers(self) -> tuple[str, ...]:
        """What watches the workspaces. Raises SandboxUnavailable where tracing is asked for and does not work."""
        if self._decoys is None:
            return ()
        return ("inotify", "seccomp") if self._traces() else ("inotify",)

    def _traces(self) -> bool:
        """Whether system calls are traced; tried out once."""
        with self._trying:
            if self._tracing is None:
                try:
                    with self._open({}, (), self._tracer) as workspace:
                        problem = sees_calls(workspace)
                except SandboxUnavailable:
                    raise
                except SandboxError as error:
                    problem = str(error)
                if problem and self._watch == "trace":
                    raise SandboxUnavailable(f"this machine cannot trace system calls, use watch = 'decoys': {problem}")
                self._tracing, self._no_trace = not problem, problem
            return self._tracing

    def open(self, files: Mapping[str, bytes], *, protected: Collection[str] = ()) -> "LocalWorkspace":
        """A fresh workspace holding `files`. Raises SandboxError."""
        unknown = set(protected) - set(files)
        if unknown:
            raise SandboxError(f"protected files that the workspace does not start with: {sorted(unknown)}")
        return self._open(files, protected, self._tracer if self._traces() else None)

    def _open(self, files: Mapping[str, bytes], protected: Collection[str], tracer: Tracer | None) -> "LocalWorkspace":
        token = object()
        try:
            place = Path(tempfile.mkdtemp(prefix="ws-", dir=self._home))
        except OSError as error:
            raise SandboxError(f"cannot make a workspace in {self._home}: {error.strerror}") from error
        try:
            place.chmod(0o711)
            work = place / "work"
            work.mkdir(mode=0o700)
            if self._owner is not None:
                os.chown(work, self._owner, self._owner)
            mounts: Mapping[str, Path] = {}
            if self._decoys is not None:
                mounts = self._decoys.lay(token, place / "decoys")
                (place / "decoys").chmod(0o755)
            arguments = fixed_arguments(self._interpreter, self._etc, work, mounts, self._hidden)
            workspace = LocalWorkspace(self, place, arguments, token, tracer)
        except (OSError, SandboxError) as error:
            self._forget(token)
            shutil.rmtree(place, ignore_errors=True)
            if isinstance(error, SandboxError):
                raise
            raise SandboxError(f"cannot make a workspace in {place.parent}: {error.strerror}") from error
        try:
            for path, data in files.items():
                workspace.write(path, data)
        except SandboxError:
            workspace.close()
            raise
        workspace.protect({path: hashlib.sha256(files[path]).digest() for path in protected})
        return workspace

    def _forget(self, token: object) -> None:
        if self._decoys is not None:
            self._decoys.forget(token)

    def close(self) -> None:
        """Remove everything this sandbox made on the host. Also happens at exit."""
        if self._decoys is not None:
            self._decoys.close()
        self._tracer.close()
        self._sweep()

    def prefix(self) -> list[str]:
        """What starts bwrap. Root gives its uid up first: bwrap alone would map to host uid 0."""
        if self._owner is None:
            return [str(self._bwrap.path)]
        user, setpriv = str(self._owner), _tool("setpriv")
        return [
            *(setpriv, "--reuid", user, "--regid", user, "--clear-groups"),
            *("--inh-caps=-all", "--no-new-privs", "--", str(self._bwrap.path)),
        ]


class LocalWorkspace:
    """A folder on the host, bound on /work. One command at a time."""

    def __init__(
        self, sandbox: LocalSandbox, place: Path, arguments: Sequence[str], token: object, tracer: Tracer | None
    ) -> None:
        self._sandbox = sandbox
        self._place = place
        self._arguments = arguments
        self._token = token
        self._tracer = tracer
        self._seen = Facts()
        self._lock = threading.Lock()
        self._protected: Mapping[str, bytes] = {}
        self._snapshots = Snapshots(place, sandbox.prefix(), arguments, sandbox._owner)
        self._folder: int | None = os.open(place / "work", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)

    def protect(self, hashes: Mapping[str, bytes]) -> None:
        """Remember the SHA-256 that files had at the start."""
        self._protected = dict(hashes)

    def host_owner(self, path: str) -> int:
        """The host uid that owns a file of the workspace."""
        return os.stat(path, dir_fd=self._open_folder(), follow_symlinks=False).st_uid

    def _open_folder(self) -> int:
        if self._folder is None:
            raise SandboxError("the workspace is closed")
        return self._folder

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
                prefix = self._sandbox.prefix()
                return execute(prefix, self._arguments, argv, stdin=stdin, limits=limits, overuse=overuse, start=start)

    @contextlib.contextmanager
    def _watching(self) -> Iterator[Start]:
        """How to start one sandbox, so that it is watched until the end of the block. The caller holds the lock."""
        if self._tracer is None:
            yield lambda launch: launch()
            return
        with self._tracer.watch() as watched:
            yield watched.start
        self._seen = bounded(self._seen | watched.facts)

    def _overuse(self, folder: int, pid: int, limits: Limits) -> str | None:
        memory = memory_of_tree(pid)
        if memory > limits.memory_bytes:
            return f"used more than {limits.memory_bytes} bytes of memory in all"
        return self._too_big(folder)

    def _too_big(self, folder: int) -> str | None:
        size, entries, depth = disk_use(folder)
        if size > self._sandbox._workspace_bytes or entries > MAX_ENTRIES or depth > MAX_DEPTH:
            return f"the workspace grew beyond {self._sandbox._workspace_bytes} bytes or {MAX_ENTRIES} files"
        return None

    def write(self, path: str, data: bytes) -> None:
        """Put a file into the workspace, whatever is in its place. Raises SandboxError."""
        if parts_of(path) is None:
            raise SandboxError(f"{path!r} is not a path inside the workspace")
        with self._lock:
            try:
                write_beneath(self._open_folder(), path, data, self._sandbox._owner)
            except OSError as error:
                raise SandboxError(f"cannot write {path} into the workspace: {error.strerror}") from error

    def collect(self, paths: Collection[str], *, max_bytes: int = 1 << 20) -> Collected:
        """Take declared files out; see `collect.collect_files`. Raises SandboxError only when closed."""
        with self._lock:
            return collect_files(self._open_folder(), paths, max_bytes)

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
            folder, decoys = self._open_folder(), self._sandbox._decoys
            if decoys is None:
                return Facts()
            changed = tuple(path for path, digest in self._protected.items() if _digest(folder, path) != digest)
            found = Facts(("inotify",), decoys.opened(self._token), changed)
            return found if self._tracer is None else found | Facts(("seccomp",)) | self._seen

    def close(self) -> None:
        """Remove the workspace from the host. Safe to call again."""
        with self._lock:
            if self._folder is None:
                return
            os.close(self._folder)
            self._folder = None
            self._sandbox._forget(self._token)
            with contextlib.suppress(OSError):  # a failing disk; the folder goes with the sandbox's own
                remove(self._place)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()


def _digest(folder: int, path: str) -> bytes | None:
    try:
        descriptor = open_beneath(folder, path)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return hashlib.file_digest(file, "sha256").digest()
    finally:
        os.close(descriptor)


def _tool(name: str) -> str:
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if found is None:
        raise SandboxUnavailable(f"{name} is missing: install it with `apt install util-linux`")
    return found


def _own_folders() -> list[Path]:
    """This package and, in a source checkout, the repository around it: both hold tasks with their tests."""
    package = Path(bowerbird.__file__).resolve().parent
    checkout = package.parent.parent
    return [package, checkout] if (checkout / "pyproject.toml").is_file() else [package]


def _hidden(folders: Collection[Path], mount: Path | None) -> list[Path]:
    """Where, inside, those of `folders` show that lie below what is mounted."""
    shown: list[Path] = []
    for folder in {path.resolve() for path in (*folders, Path("/usr/src"))}:
        if folder.is_dir() and folder != Path("/usr") and folder.is_relative_to("/usr"):
            shown.append(folder)
        if folder.is_dir() and mount is not None and folder != mount and folder.is_relative_to(mount):
            shown.append(Path(MOUNT_POINT) / folder.relative_to(mount))
    return sorted(path for path in shown if not any(path != other and path.is_relative_to(other) for other in shown))
