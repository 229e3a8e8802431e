"""Open a back end by name: probed once per process, and refused when the probe fails."""

import os
import threading
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import cast, get_args

from bowerbird.config import imported
from bowerbird.sandbox.container import ContainerSandbox
from bowerbird.sandbox.local import LocalSandbox
from bowerbird.sandbox.protocol import Sandbox, Watch
from bowerbird.types import ConfigError

# Each takes `watch=`, a protocol.Watch, and `hide=`, folders of the host.
BACK_ENDS: dict[str, Callable[..., Sandbox]] = {
    "local": LocalSandbox,
    "docker": partial(ContainerSandbox, "docker"),
    "podman": partial(ContainerSandbox, "podman"),
}
_open: dict[tuple[int, str, Watch, frozenset[Path]], Sandbox] = {}
_lock = threading.Lock()


def open_sandbox(name: str = "local", watch: Watch = "auto", hide: Iterable[Path] = ()) -> Sandbox:
    """The back end `name`, or your own as "module:Class", shared by the whole process. It has passed its probe.

    `watch` says what fills `Workspace.watched` (see protocol.Watch). The host folders in `hide`, and files as the
    folders they are in, look empty inside even where they lie below what the sandbox shows; one that does not exist is
    passed over. Raises ConfigError for an unknown name or watch, SandboxUnavailable with what to do when this machine
    has no sandbox, or cannot trace and was told to.
    """
    make = BACK_ENDS[name] if name in BACK_ENDS else _imported(name)
    if watch not in get_args(Watch):
        raise ConfigError(f"unknown watch {watch!r}: use one of {', '.join(get_args(Watch))}")
    with _lock:
        folders = frozenset(_folder(path.resolve()) for path in hide if path.exists())
        key = (os.getpid(), name, watch, folders)  # a forked child makes its own: folders and watches are not shared
        if key not in _open:
            sandbox = make(watch=watch, hide=folders)
            sandbox.probe()
            _open[key] = sandbox
        return _open[key]


def _imported(name: str) -> Callable[..., Sandbox]:
    """A back end of somebody else's, named "module:Class"."""
    if ":" not in name:
        known = ", ".join(sorted(BACK_ENDS))
        raise ConfigError(f"unknown sandbox {name!r}: use one of {known}, or name your own as module:Class")
    return cast(Callable[..., Sandbox], imported(name, "sandbox.backend"))


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent
