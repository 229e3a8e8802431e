"""One sandbox for many commands: what one of them leaves running is there for the next, as in a container."""

import base64
import json
import threading
from collections.abc import Mapping, Sequence
from importlib.resources import files

from bowerbird.sandbox import Dialogue, Execution, Limits, Workspace

DAY_S = 86_400
LIMITS = Limits(
    wall_s=DAY_S, cpu_s=DAY_S, memory_bytes=4 << 30, file_bytes=1 << 30, processes=512, output_bytes=16 << 20
)
_TOLD = 4 << 20  # bytes of each output


class Session:
    """Commands in `workspace`, one after the other, under limits for all that runs there together.

    It starts with its first command, and again with the next one after it was ended or died: it dies, and everything in
    it, where the limits are broken.
    """

    def __init__(self, workspace: Workspace, python: str) -> None:
        source = files("bowerbird.evals.harbor").joinpath("attendant.py").read_text()
        self._workspace, self._argv = workspace, (python, "-I", "-S", "-B", "-c", source)
        self._lock = threading.Lock()
        self._dialogue: Dialogue | None = None

    def run(self, argv: Sequence[str], folder: str, variables: Mapping[str, str], seconds: float) -> Execution:
        """`timed_out` after so many seconds, when its group of processes is killed. Raises SandboxError where the
        sandbox does not come up."""
        asked = {"argv": list(argv), "cwd": folder, "env": dict(variables), "seconds": seconds, "most": _TOLD}
        with self._lock:
            if self._dialogue is None:
                self._dialogue = Dialogue(self._workspace, self._argv, LIMITS)
            line = self._dialogue.turn(json.dumps(asked).encode())
            if line is None:
                return self._end() or Execution(None, b"", b"")
            try:
                return _read(line)
            except (ValueError, LookupError, TypeError) as error:  # who shares a sandbox with it can speak for it
                self._end()
                return Execution(None, b"", f"the session was ended: {error!r}".encode())

    def end(self) -> None:
        """Everything that runs in it is dead when this returns, also a command that somebody waits for."""
        if (running := self._dialogue) is not None:
            running.interrupt()
        with self._lock:
            self._end()

    def _end(self) -> Execution | None:
        if self._dialogue is None:
            return None
        dialogue, self._dialogue = self._dialogue, None
        return dialogue.close()


def _read(line: bytes) -> Execution:
    told = json.loads(line)
    code = told["code"]
    if not isinstance(code, int | None):
        raise TypeError(f"{code!r} is no exit code")
    out, err = (base64.b64decode(told[name]) for name in ("out", "err"))
    return Execution(code, out, err, timed_out=code is None)
