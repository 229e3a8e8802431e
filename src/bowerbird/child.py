"""Another process of ours at the other end of a socket: how a role of the pipeline leaves this process.

It ends with this one, whatever ends this one: a role that outlived its run could write into one that goes on elsewhere.
"""

import ctypes
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bowerbird.types import BowerbirdError, ProcessDied

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15
_JOIN_S = 5.0

Pipe = Connection  # what `serve` is given: send and recv


class Child:
    """Runs `serve(pipe, *args)` in a fresh process; both must be picklable. Messages are whatever the two agree on.

    `python` is the interpreter of another environment, where only this package is shared; by default our own.
    `receive` raises what `serve` raised, and `send` and `receive` raise ProcessDied once it is gone, or has let them
    wait for `patience` seconds (0: for ever).
    """

    def __init__(
        self, name: str, serve: Callable[..., None], *args: object, python: str = "", patience: float = 0.0
    ) -> None:
        ours, theirs = socket.socketpair()
        _limit(ours, patience)
        found = [str(Path(__file__).parents[1])] if python else [path for path in sys.path if path]
        with theirs:
            self._process = subprocess.Popen(
                [python or sys.executable, "-P", "-m", "bowerbird.child", name, str(theirs.fileno()), str(os.getpid())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(found)},
            )
        self.name, self._pipe, self._patience = name, Connection(ours.detach()), patience
        self.send((serve, args))

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: object) -> None:
        try:
            self._pipe.send(message)
        except OSError as error:
            raise self._died(error) from error

    def poll(self, seconds: float) -> bool:
        """Whether `receive` has something to say within that time."""
        return self._pipe.poll(seconds)

    def receive(self) -> Any:
        try:
            found = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise self._died(error) from error
        if isinstance(found, BowerbirdError):
            raise found
        return found

    def close(self) -> None:
        """End it at once; what it was doing is lost."""
        self._pipe.close()
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):  # one that is stuck in a driver ends when that lets go of it
            self._process.wait(_JOIN_S)

    def _died(self, error: Exception) -> ProcessDied:
        if isinstance(error, BlockingIOError):
            how = f"gave no sign for {self._patience:g} s ({self.name}.patience_s)"
        else:
            how = f"died (exit code {self._code()})"
        return ProcessDied(f"the {self.name}'s process {how}; no accepted rollout is lost: go on with --resume")

    def _code(self) -> int | None:
        try:
            return self._process.wait(_JOIN_S)
        except subprocess.TimeoutExpired:
            return None


def _limit(pipe: socket.socket, seconds: float) -> None:
    """The longest that a read or a write of it waits; 0: for ever. The kernel begins to count anew when we were stopped
    ourselves, as by Ctrl-Z: the other side was, too."""
    value = struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        pipe.setsockopt(socket.SOL_SOCKET, option, value)


def main(name: str, descriptor: str, parent: str) -> None:
    """The child's end."""
    _become(name, int(parent))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    pipe = Connection(int(descriptor))
    try:
        serve, args = pipe.recv()
        serve(pipe, *args)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except BowerbirdError as error:
        pipe.send(error)


def _become(name: str, parent: int) -> None:
    """End with the parent, and be called by the role's name in `ps` and `top`."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(_PR_SET_NAME, name.encode())
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
