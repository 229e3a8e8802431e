"""Another process of ours at the other end of a pipe: how a role of the pipeline leaves this process.

It ends with this one, whatever ends this one: a role that outlived its run could write into one that goes on elsewhere.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from bowerbird.types import BowerbirdError, ProcessDied

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15
_JOIN_S = 5.0


class Child:
    """Runs `serve(pipe, *args)` in a fresh process; both must be picklable. Messages are whatever the two agree on.

    `receive` raises what `serve` raised, and `send` and `receive` raise ProcessDied once it is gone.
    """

    def __init__(self, name: str, serve: Callable[..., None], *args: object) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would copy the threads' locks, not the threads
        self._pipe, theirs = context.Pipe()
        arguments = (name, serve, theirs, os.getpid(), args)
        self._process = context.Process(target=_run, args=arguments, daemon=True, name=name)
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def send(self, message: object) -> None:
        try:
            self._pipe.send(message)
        except OSError as error:
            raise self._died() from error

    def poll(self, seconds: float) -> bool:
        """Whether `receive` has something to say within that time."""
        return self._pipe.poll(seconds)

    def receive(self) -> Any:
        try:
            found = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise self._died() from error
        if isinstance(found, BowerbirdError):
            raise found
        return found

    def close(self) -> None:
        """End it at once; what it was doing is lost."""
        self._pipe.close()
        self._process.kill()
        self._process.join()

    def _died(self) -> ProcessDied:
        self._process.join(_JOIN_S)
        return ProcessDied(
            f"the {self._process.name}'s process died (exit code {self._process.exitcode}); no accepted rollout is "
            "lost: go on with --resume"
        )


def _run(
    name: str, serve: Callable[..., None], pipe: "Connection[Any, Any]", parent: int, args: tuple[object, ...]
) -> None:
    _become(name, parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    try:
        serve(pipe, *args)
    except (EOFError, BrokenPipeError):
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
