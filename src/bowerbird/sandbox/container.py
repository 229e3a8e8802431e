"""Docker and Podman as back ends: one container a command, all of them over the same folder of this machine.

Slower than `local` (a third of a second a command), and where an image brings what a task needs, the only way. The
engine's own client is used, so that its contexts, storage and rootless set-ups work as its user knows them.
"""

import os
import platform
import secrets
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bowerbird.sandbox.box import Mount
from bowerbird.sandbox.bwrap import PACKAGES, TMP_BYTES
from bowerbird.sandbox.engine import ask, command_of, environment
from bowerbird.sandbox.ground import Ground, run_once
from bowerbird.sandbox.images import path_of
from bowerbird.sandbox.layers import Stack
from bowerbird.sandbox.local import WORKSPACE_BYTES
from bowerbird.sandbox.packages import Packages
from bowerbird.sandbox.probe import probe
from bowerbird.sandbox.process import INIT, OPEN_FILES, Launch, Life, Start, life_of
from bowerbird.sandbox.protocol import NO_BASE, Base, Limits, Watch, Workspace
from bowerbird.sandbox.seccomp.profile import engine_profile
from bowerbird.sandbox.workspace import LocalWorkspace
from bowerbird.types import SandboxError, SandboxUnavailable

IMAGE = "python:3.12-slim"
LABEL = "bowerbird.home"  # the machine and folder of the process that a container belongs to
_EMPTIED = ("/root", "/home", "/var", "/mnt", "/media", "/srv", "/boot", "/run", "/usr/src")
# Podman mounts into /sys itself, so that it can only be masked; and sets a limit that it may not have.
_PODMAN = ("--read-only-tmpfs=false", "--security-opt", "mask=/sys", "--ulimit", "nproc=8192:8192")
_COPY = 'cp -a "$1/." /work/; rm -rf /work/.git'


@dataclass(frozen=True, slots=True)
class ContainerBox:
    """One image under one engine, with its options."""

    engine: tuple[str, ...]
    options: tuple[str, ...]
    image: str
    mounts: tuple[Mount, ...]

    def launch(self, argv: Sequence[str], limits: Limits) -> Launch:
        """See `Box`."""
        name = f"bowerbird-{secrets.token_hex(8)}"
        line = [*self.engine, "run", "--rm", "--interactive", "--name", name, *self.options, *_limited(limits)]
        for mount in _last_of_each(self.mounts):
            line += _mounted(mount)
        line += ["--entrypoint", "/bin/sh", self.image, "-c", f"unset container; {INIT}", "sh", *argv]
        return partial(self._start, name, line)

    def _start(self, name: str, line: Sequence[str], start: Start) -> Life:
        try:
            outer = start(lambda: _client(line))
        except OSError as error:
            raise SandboxError(f"cannot start {self.engine[0]}: {error}") from error
        life = life_of(outer, kill=partial(_remove, self.engine, name))
        life.find = partial(_pid_of, self.engine, name)
        return life

    def plus(self, mounts: Sequence[Mount]) -> "ContainerBox":
        """See `Box`."""
        return replace(self, mounts=(*self.mounts, *mounts))


class ContainerSandbox:
    """Sandboxes of a container engine, "docker" or "podman".

    The image is `$BOWERBIRD_IMAGE`, python:3.12-slim by default: it must have /bin/sh and python3, and is never pulled
    here. `$BOWERBIRD_DOCKER` and `$BOWERBIRD_PODMAN` give the engine's command with options, where its plain name will
    not do. `hide` means nothing: no folder of this machine shows. Raises SandboxUnavailable.
    """

    def __init__(
        self,
        engine: str,
        *,
        watch: Watch = "auto",
        workspace_bytes: int = WORKSPACE_BYTES,
        hide: Collection[Path] = (),
    ) -> None:
        del hide
        if watch == "trace":
            raise SandboxUnavailable(f"{engine} cannot trace system calls: use watch = 'decoys', or the local back end")
        self._name, self._watch, self._is_podman = engine, watch, engine == "podman"
        self._engine = command_of(engine)
        self._image = os.environ.get("BOWERBIRD_IMAGE", IMAGE)
        self._path = path_of(self._engine, self._image)
        self._ground = Ground(workspace_bytes, decoys=watch != "off")  # which removes the homes of the dead
        self._label = f"{platform.node()}:{self._ground.home}"
        _sweep(self._engine)
        self._user = self._ground.owner if self._ground.owner is not None else os.geteuid()
        self._packages = Packages(self._ground.home, (3, 0), self._ground.owner)  # until the probe has asked
        self._etc = self._ground.home / "etc"
        self._etc.mkdir()
        for name, text in self._settings().items():
            (self._etc / name).write_text(text)
            (self._etc / name).chmod(0o644)
        (self._etc / "empty").mkdir(mode=0o755)
        self._etc.chmod(0o755)

    @property
    def name(self) -> str:
        """The name `open_sandbox` knows it by."""
        return self._name

    def probe(self) -> Mapping[str, str]:
        """See `Sandbox.probe`."""

        def owner(workspace: Workspace, path: str) -> int:
            assert isinstance(workspace, LocalWorkspace)
            return workspace.host_owner(path)

        facts = {"engine": " ".join(self._engine), "image": self._image}
        found = probe(self, facts, owner, foreign=frozenset())  # an image has such folders of its own
        major, minor = found["version"].split(".")[:2]
        self._packages = Packages(self._ground.home, (int(major), int(minor)), self._ground.owner)
        return {**found, "watchers": "inotify" if self._watch != "off" else "none"}

    def open(
        self, files: Mapping[str, bytes], *, protected: Collection[str] = (), base: Base = NO_BASE
    ) -> LocalWorkspace:
        """A fresh workspace holding `files` on top of `base`. Raises SandboxError."""
        return self._ground.open(_InImage(self, base.image, base.folder), files, protected, base, self._packages)

    def box(
        self, work: Stack, decoys: Mapping[str, Path], packages: Path | None, image: str = "", folder: str = ""
    ) -> ContainerBox:
        """A sandbox over `work`, of an image of its own where one is named: then nothing of it is hidden but what
        engines keep from it, and `work` stands at `folder` too. See `ground.Builder`."""
        assert work.base is None, "bases are copied"
        emptied = [*(() if image else _EMPTIED), *(() if self._is_podman else ("/sys",))]
        mounts = [Mount(place, self._etc / "empty") for place in emptied]
        mounts += [Mount(f"/etc/{name}", self._etc / name) for name in ("passwd", "group", "hosts", "resolv.conf")]
        mounts += [Mount(inside, folder) for inside, folder in decoys.items()]
        mounts += [Mount(place, work.own, writable=True) for place in dict.fromkeys(("/work", folder or "/work"))]
        options = [*self._options(), "--workdir", folder or "/work"]
        if packages is not None:
            mounts.append(Mount(PACKAGES, packages))
            path = path_of(self._engine, image) if image else self._path
            options += ["--env", f"PYTHONPATH={PACKAGES}", "--env", f"PATH={PACKAGES}/bin:{path}"]
        return ContainerBox(self._engine, tuple(options), image or self._image, tuple(mounts))

    def close(self) -> None:
        """Remove everything this sandbox made on the host. Also happens at exit."""
        self._ground.close()

    def _options(self) -> Sequence[str]:
        profile = self._etc / "seccomp.json"
        podman: tuple[str, ...] = _PODMAN if self._is_podman else ()
        if self._is_podman and self._ground.owner is None:
            podman += ("--userns", "keep-id")
        return (
            *("--pull", "never", "--label", f"{LABEL}={self._label}", "--network", "none", "--hostname", "sandbox"),
            *("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--security-opt", f"seccomp={profile}"),
            *("--user", f"{self._user}:{self._user}", *podman),
            *("--read-only", "--ipc", "private", "--shm-size", str(TMP_BYTES)),
            *("--tmpfs", f"/tmp:rw,exec,nosuid,nodev,mode=1777,size={TMP_BYTES}"),
            *("--env", "HOME=/tmp", "--env", "LANG=C.UTF-8", "--log-driver", "none"),
        )

    def _settings(self) -> Mapping[str, str]:
        user = self._user
        return {
            "passwd": f"root:x:0:0:root:/:/usr/sbin/nologin\nuser:x:{user}:{user}:user:/work:/bin/sh\n",
            "group": f"root:x:0:\nuser:x:{user}:\n",
            "hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
            "resolv.conf": "",
            "seccomp.json": engine_profile(),
        }


@dataclass(frozen=True, slots=True)
class _InImage:
    """Builds workspaces in an image of their own, or in the sandbox's where none is named."""

    sandbox: ContainerSandbox
    image: str
    folder: str

    def box(self, work: Stack, decoys: Mapping[str, Path], packages: Path | None) -> ContainerBox:
        """See `ground.Builder`."""
        return self.sandbox.box(work, decoys, packages, self.image, self.folder)

    def shares(self) -> bool:
        """No: an engine mounts no overlay of ours."""
        return False

    def fill(self, folder: Path) -> None:
        """See `ground.Builder`. What the user of the sandbox may not read stays behind, and all history."""
        if self.folder:
            run_once(self.sandbox.box(Stack(folder), {}, None, self.image), _COPY, self.folder)


def _limited(limits: Limits) -> list[str]:
    memory = str(2 * limits.memory_bytes)  # we count ourselves, and end all; this is for what is too fast for us
    ulimits = {
        "core": "0:0",
        "nofile": f"{OPEN_FILES}:{OPEN_FILES}",
        "fsize": f"{limits.file_bytes}:{limits.file_bytes}",
        "cpu": f"{limits.cpu_s}:{limits.cpu_s + 1}",
    }
    options = ["--memory", memory, "--memory-swap", memory, "--pids-limit", str(limits.processes + 1)]
    for name, value in ulimits.items():
        options += ["--ulimit", f"{name}={value}"]
    return options


def _last_of_each(mounts: Sequence[Mount]) -> list[Mount]:
    """Engines refuse a place that is mounted twice; here the later one counts."""
    return list({mount.inside: mount for mount in mounts}.values())


def _mounted(mount: Mount) -> list[str]:
    if mount.source is None:
        return ["--tmpfs", f"{mount.inside}:rw,nosuid,nodev,mode=0777,size={mount.size}"]
    return ["--volume", f"{mount.source}:{mount.inside}:{'rw' if mount.writable else 'ro'}"]


def _client(line: Sequence[str]) -> "subprocess.Popen[bytes]":
    pipe = subprocess.PIPE
    return subprocess.Popen(
        line,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env=environment(),
        cwd="/",
        start_new_session=True,
        bufsize=0,
    )


def _pid_of(engine: Sequence[str], name: str) -> int:
    """Pid 1 of a container on this machine; 0 where the engine runs on another."""
    pid, _, container = (
        ask([*engine, "inspect", "--format", "{{.State.Pid}} {{.Id}}", name]).stdout.strip().partition(" ")
    )
    try:
        ours = pid.isdigit() and container in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return 0
    return int(pid) if ours and container else 0


def _remove(engine: Sequence[str], name: str) -> None:
    """End a container and everything in it."""
    ask([*engine, "kill", name])  # at once; Podman's rm would ask politely for ten seconds
    ask([*engine, "rm", "--force", name])


def _sweep(engine: Sequence[str]) -> None:
    """Remove containers of ours whose process was killed."""
    shown = f'{{{{.ID}}}} {{{{.Label "{LABEL}"}}}}'
    listed = ask([*engine, "ps", "--all", "--filter", f"label={LABEL}", "--format", shown])
    for line in listed.stdout.splitlines():
        container, _, label = line.partition(" ")
        machine, _, home = label.partition(":")
        if machine == platform.node() and home and not Path(home).exists():
            _remove(engine, container)
