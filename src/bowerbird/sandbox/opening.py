"""Open a back end by name: probed once per process, and refused when the probe fails."""

import os
import threading
from collections.abc import Callable

from bowerbird.sandbox.local import LocalSandbox
from bowerbird.sandbox.protocol import Sandbox
from bowerbird.types import ConfigError

BACK_ENDS: dict[str, Callable[[], Sandbox]] = {"local": LocalSandbox}
_open: dict[tuple[int, str], Sandbox] = {}
_lock = threading.Lock()


def open_sandbox(name: str = "local") -> Sandbox:
    """The back end `name`, shared by the whole process. It has passed its probe, or this raises.

    Raises ConfigError for an unknown name, SandboxUnavailable with what to do when this machine has none.
    """
    if name not in BACK_ENDS:
        raise ConfigError(f"unknown sandbox {name!r}: use one of {', '.join(sorted(BACK_ENDS))}")
    with _lock:
        key = (os.getpid(), name)  # a forked child makes its own: folders and watches are not shared
        if key not in _open:
            sandbox = BACK_ENDS[name]()
            sandbox.probe()
            _open[key] = sandbox
        return _open[key]
