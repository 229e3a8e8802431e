"""The local back end: bubblewrap with namespaces, no capabilities, seccomp, and resource limits."""

import os
import shutil
import tempfile
import threading
from collections.abc import Collection, Mapping
from pathlib import Path

import bowerbird
from bowerbird.sandbox.box import BwrapBox
from bowerbird.sandbox.bwrap import OVERLAYS, Bubblewrap, copy_for_others, find_bubblewrap, fixed_arguments
from bowerbird.sandbox.ground import Ground
from bowerbird.sandbox.interpreter import MOUNT_POINT, find_interpreter, world_reachable
from bowerbird.sandbox.layers import Layers, Stack
from bowerbird.sandbox.packages import Packages
from bowerbird.sandbox.probe import probe
from bowerbird.sandbox.process import execute
from bowerbird.sandbox.protocol import NO_BASE, Base, Limits, Watch, Workspace
from bowerbird.sandbox.watch import Tracer, sees_calls
from bowerbird.sandbox.workspace import LocalWorkspace
from bowerbird.types import SandboxError, SandboxUnavailable

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
        self._ground = Ground(workspace_bytes, decoys=watch != "off")
        home = self._ground.home
        if self._ground.owner is not None and found.bundled and not world_reachable(found.path.parent):
            found = copy_for_others(found, home / "bin")
        self._bwrap = found
        inside = self._interpreter
        self._packages = Packages(home, inside.version, self._ground.owner, inside.on_host)
        self._hidden = _hidden([*hide, *own_folders()], self._interpreter.mount)
        self._watch: Watch = watch
        self._tracer = Tracer(self._ground.owner)
        self._tracing: bool | None = None if watch in ("auto", "trace") else False  # None: not tried yet
        self._no_trace = f"not asked for: watch is {watch!r}"
        self._trying = threading.Lock()
        self._etc = home / "etc"
        self._etc.mkdir()
        for name, text in ETC.items():
            (self._etc / name).write_text(text)
            (self._etc / name).chmod(0o644)
        self._etc.chmod(0o755)
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
        overlays = "works" if self.shares() else "missing: files are copied"
        watchers = ", ".join(self.watchers) or "none"
        return {**found, "watchers": watchers, "trace": self._no_trace or "works", "overlays": overlays}

    @property
    def watchers(self) -> tuple[str, ...]:
        """What watches the workspaces. Raises SandboxUnavailable where tracing is asked for and does not work."""
        if self._ground.decoys is None:
            return ()
        return ("inotify", "seccomp") if self._traces() else ("inotify",)

    def _traces(self) -> bool:
        """Whether system calls are traced; tried out once."""
        with self._trying:
            if self._tracing is None:
                try:
                    with self._ground.open(self, {}, (), NO_BASE, self._packages, self._tracer) as workspace:
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
    ) -> LocalWorkspace:
        """A fresh workspace holding `files` on top of `base`. Raises SandboxError."""
        tracer = self._tracer if self._traces() else None
        return self._ground.open(self, files, protected, base, self._packages, tracer)

    def box(self, work: Stack, decoys: Mapping[str, Path], packages: Path | None) -> BwrapBox:
        """See `ground.Builder`."""
        arguments = fixed_arguments(self._interpreter, self._etc, work, decoys, self._hidden, packages)
        return BwrapBox(tuple(self._prefix()), tuple(arguments))

    def fill(self, folder: Path) -> None:
        """See `ground.Builder`. Raises SandboxUnavailable: there are no images here."""
        raise SandboxUnavailable("the local back end has no container images: use sandbox.backend = docker or podman")

    def shares(self) -> bool:
        """Whether workspaces can share a base by overlays; tried out once."""
        with self._trying:
            if self._sharing is None:
                with tempfile.TemporaryDirectory(dir=self._ground.home) as folder:
                    Path(folder).chmod(0o711)
                    base = Path(folder) / "base"
                    (base / "folder").mkdir(parents=True)
                    (base / "folder" / "file").touch()
                    for path in (base, *base.rglob("*")):
                        if self._ground.owner is not None:
                            os.chown(path, self._ground.owner, self._ground.owner)
                    self._sharing = self._overlays(Layers(Path(folder), self._ground.owner, base))
            return self._sharing

    def _overlays(self, layers: Layers) -> bool:
        limits, command = Limits(wall_s=60.0), 'rm -r folder && mkdir folder && test -z "$(ls folder)"'
        launch = self.box(layers.stack, {}, None).launch(["/bin/sh", "-c", command], limits)
        try:
            return execute(launch, stdin=b"", limits=limits).exit_code == 0
        except SandboxError:
            return False
        finally:
            layers.close()

    def close(self) -> None:
        """Remove everything this sandbox made on the host. Also happens at exit."""
        self._tracer.close()
        self._ground.close()

    def _prefix(self) -> list[str]:
        """What starts bwrap. Root gives its uid up first: bwrap alone would map to host uid 0."""
        if self._ground.owner is None:
            return [str(self._bwrap.path)]
        user, setpriv = str(self._ground.owner), _tool("setpriv")
        return [
            *(setpriv, "--reuid", user, "--regid", user, "--clear-groups"),
            *("--inh-caps=-all", "--no-new-privs", "--", str(self._bwrap.path)),
        ]


def _tool(name: str) -> str:
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if found is None:
        raise SandboxUnavailable(f"{name} is missing: install it with `apt install util-linux`")
    return found


def own_folders() -> list[Path]:
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
