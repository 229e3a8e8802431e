"""The local back end: bubblewrap with namespaces, no capabilities, seccomp, and resource limits."""

import contextlib
import hashlib
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path

import bowerbird
from bowerbird.sandbox.bases import Bases, copy
from bowerbird.sandbox.bwrap import OVERLAYS, Bubblewrap, copy_for_others, find_bubblewrap, fixed_arguments
from bowerbird.sandbox.decoys import DecoyWatch
from bowerbird.sandbox.home import make_home, remove_home
from bowerbird.sandbox.interpreter import MOUNT_POINT, find_interpreter, world_reachable
from bowerbird.sandbox.layers import Layers
from bowerbird.sandbox.packages import Packages
from bowerbird.sandbox.probe import probe
from bowerbird.sandbox.process import execute
from bowerbird.sandbox.protocol import NO_BASE, Base, Limits, Watch, Workspace
from bowerbird.sandbox.watch import Tracer, sees_calls
from bowerbird.sandbox.workspace import LocalWorkspace, Site
from bowerbird.types import SandboxError, SandboxUnavailable

DROPPED_UID = 64_513  # what root becomes: an id that no account and no service manager hands out
WORKSPACE_BYTES = 256 << 20
SHARED_FILES, SHARED_BYTES = 32, 1 << 20  # a base with less is written out: an overlay costs every command some ms
COMMIT = """
git -c init.defaultBranch=main init -q && git config user.name agent && git config user.email agent@localhost &&
git config gc.auto 0 && git add -A -f && git commit -q --allow-empty -m base
"""
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
        self._bases = Bases(self._home, self._owner)
        self._packages = Packages(self._home, self._interpreter.version, self._owner)
        self._sharing: bool | None = None if found.version >= OVERLAYS else False  # None: not tried yet

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
        overlays = "works" if self._shares() else "missing: files are copied"
        watchers = ", ".join(self.watchers) or "none"
        return {**found, "watchers": watchers, "trace": self._no_trace or "works", "overlays": overlays}

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
                    with self._open({}, (), NO_BASE, self._tracer) as workspace:
                        problem = sees_calls(workspace)
                except SandboxUnavailable:
                    raise
                except SandboxError as error:
                    problem = str(error)
                if problem and self._watch == "trace":
                    raise SandboxUnavailable(f"this machine cannot trace system calls, use watch = 'decoys': {problem}")
                self._tracing, self._no_trace = not problem, problem
            return self._tracing

    def open(
        self, files: Mapping[str, bytes], *, protected: Collection[str] = (), base: Base = NO_BASE
    ) -> "LocalWorkspace":
        """A fresh workspace holding `files` on top of `base`. Raises SandboxError."""
        if unknown := set(protected) - set(files) - set(base.files):
            raise SandboxError(f"protected files that the workspace does not start with: {sorted(unknown)}")
        return self._open(files, protected, base, self._tracer if self._traces() else None)

    def _open(
        self, files: Mapping[str, bytes], protected: Collection[str], base: Base, tracer: Tracer | None
    ) -> "LocalWorkspace":
        lay = base.git or len(base.files) > SHARED_FILES or sum(map(len, base.files.values())) > SHARED_BYTES
        packages = str(self._packages.folder(base.requirements)) if base.requirements.strip() else ""
        with contextlib.ExitStack() as undo:
            laid = None
            if lay:
                laid = self._bases.borrow(base, self._commit)
                undo.callback(self._bases.give_back, laid)
            else:
                files = {**base.files, **files}
            workspace = self._made(laid, packages, tracer)
            undo.pop_all()
        try:
            for path, data in files.items():
                workspace.write(path, data)
        except SandboxError:
            workspace.close()
            raise
        given = {path: hashlib.sha256(files[path]).digest() for path in protected if path in files}
        workspace.protect(given, frozenset(protected) - frozenset(files))
        return workspace

    def _made(self, laid: Path | None, packages: str, tracer: Tracer | None) -> "LocalWorkspace":
        """A workspace that starts from `laid`, a copy of it where overlays do not work."""
        token = object()
        try:
            place = Path(tempfile.mkdtemp(prefix="ws-", dir=self._home))
        except OSError as error:
            raise SandboxError(f"cannot make a workspace in {self._home}: {error.strerror}") from error
        try:
            place.chmod(0o711)
            shared = laid is not None and self._shares()
            layers = Layers(place, self._owner, laid if shared else None)
            if laid is not None and not shared:
                copy(laid, place / "work")
            mounts: Mapping[str, Path] = {}
            if self._decoys is not None:
                mounts = self._decoys.lay(token, place / "decoys")
                (place / "decoys").chmod(0o755)
            whole, own = (
                fixed_arguments(self._interpreter, self._etc, work, mounts, self._hidden, packages)
                for work in (layers.mount(), layers.own_mount())
            )
            release = partial(self._release, token, laid)
            site = (place, layers, laid, whole, own, self.prefix(), self._owner, self._workspace_bytes)
            return LocalWorkspace(Site(*site, self._decoys, token, tracer, release))
        except (OSError, SandboxError) as error:
            self._release(token, None)  # the base is given back by whoever borrowed it
            shutil.rmtree(place, ignore_errors=True)
            if isinstance(error, SandboxError):
                raise
            raise SandboxError(f"cannot make a workspace in {place.parent}: {error.strerror}") from error

    def _shares(self) -> bool:
        """Whether workspaces can share a base by overlays; tried out once."""
        with self._trying:
            if self._sharing is None:
                with tempfile.TemporaryDirectory(dir=self._home) as folder:
                    Path(folder).chmod(0o711)
                    layers = Layers(Path(folder), self._owner, self._etc)
                    arguments = fixed_arguments(self._interpreter, self._etc, layers.mount(), {}, self._hidden)
                    command = ["/bin/sh", "-c", "test -f passwd && echo x >new && rm new"]
                    try:
                        done = execute(self.prefix(), arguments, command, stdin=b"", limits=Limits(wall_s=60.0))
                        self._sharing = done.exit_code == 0
                    except SandboxError:
                        self._sharing = False
                    layers.close()
            return self._sharing

    def _commit(self, folder: Path, base: Base) -> None:
        """Make the files of a base the one commit of a repository, in a sandbox. Raises SandboxError."""
        if not base.git:
            return
        work = ["--bind", str(folder), "/work"]
        arguments = fixed_arguments(self._interpreter, self._etc, work, {}, self._hidden)
        day = "GIT_AUTHOR_DATE=2000-01-01T00:00:00Z GIT_COMMITTER_DATE=2000-01-01T00:00:00Z"
        command = ["/bin/sh", "-c", f"export {day}\n{COMMIT}"]
        limits = Limits(wall_s=300.0, cpu_s=300, memory_bytes=4 << 30, file_bytes=1 << 30)
        done = execute(self.prefix(), arguments, command, stdin=b"", limits=limits)
        if done.exit_code != 0:
            said = done.stderr.decode(errors="replace").strip()[-200:]
            raise SandboxError(f"cannot make a git repository for a workspace (`apt install git`?): {said}")

    def _release(self, token: object, laid: Path | None) -> None:
        """A workspace is over."""
        if self._decoys is not None:
            self._decoys.forget(token)
        if laid is not None:
            self._bases.give_back(laid)

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
