"""Our end of watching: helper processes, and the thread that starts a sandbox under the filter."""

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files

from bowerbird.sandbox.watch.listener import install_listener
from bowerbird.types import Facts, SandboxError

START_S = 60.0  # for a helper to come up; generous, because a loaded machine is not a failure
ANSWER_S = 20.0
_IMPORT = "from bowerbird.sandbox.watch.places import normal, noted, plain\n"
_FUTURE = "from __future__ import annotations\n"
_LONGEST = 1 << 20

Process = subprocess.Popen[bytes]


class Helper:
    """One helper process. Serves one sandbox at a time. Raises SandboxError when it is lost."""

    def __init__(self, user: int | None) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            arguments = [str(theirs.fileno()), "-1" if user is None else str(user)]
            library = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
            try:
                self._process = subprocess.Popen(
                    [_python(), "-I", "-S", "-B", "-c", _program(), *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=library,
                    cwd="/",
                    start_new_session=True,
                    pass_fds=[theirs.fileno()],
                )
            except OSError as error:
                ours.close()
                raise SandboxError(f"cannot start the watcher: {error.strerror}") from error
        self._socket = ours
        self._receive(1, START_S)

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    def watch(self, listener: int) -> None:
        """Serve this listener from now on."""
        try:
            socket.send_fds(self._socket, [b"w"], [listener])
        except OSError as error:
            raise SandboxError(f"the watcher died: {error.strerror}") from error

    def stop(self) -> Facts:
        """End the watch; what was seen."""
        try:
            self._socket.sendall(b"s")
        except OSError as error:
            raise SandboxError(f"the watcher died: {error.strerror}") from error
        data = bytearray()
        while not data.endswith(b"\n") and len(data) < _LONGEST:
            data += self._receive(1 << 16, ANSWER_S)
        found = json.loads(data)
        return Facts(
            watchers=("seccomp",),
            opened=tuple(found["opened"]),
            executed=tuple(found["executed"]),
            connected=tuple(found["connected"]),
            lost=found["lost"],
        )

    def _receive(self, size: int, within: float) -> bytes:
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        data = self._socket.recv(size) if poller.poll(within * 1000) else b""
        if not data:
            raise SandboxError("the watcher died, and with it the sandbox that it watched")
        return data

    def close(self) -> None:
        """End the process. Safe to call again."""
        self._socket.close()
        self._process.kill()
        self._process.wait()


class Tracer:
    """Helpers for any number of sandboxes at once, kept for the next. Safe to share among threads.

    `user` is whom a helper becomes: the host user that sandboxed processes run as, or None when that is us.
    """

    def __init__(self, user: int | None) -> None:
        self._user = user
        self._idle: list[Helper] = []
        self._most = 2 * (os.cpu_count() or 1)
        self._lock = threading.Lock()
        self._maker = os.getpid()
        self._closed = False

    @contextlib.contextmanager
    def watch(self) -> Iterator["Watched"]:
        """Watch one sandbox. `facts` of the result is there after the block. Raises SandboxError."""
        with self._lock:
            if os.getpid() != self._maker:  # a forked child: the helpers are its parent's
                self._idle, self._maker = [], os.getpid()
            self._idle = [helper for helper in self._idle if helper.alive]  # one may have been killed meanwhile
            helper = self._idle.pop() if self._idle else None
        helper = helper if helper is not None else Helper(self._user)
        watched = Watched(helper)
        try:
            yield watched
            watched.end()
        except BaseException:
            watched.abandon()
            helper.close()
            raise
        with self._lock:
            if len(self._idle) < self._most and not self._closed:
                self._idle.append(helper)
                return
        helper.close()

    def close(self) -> None:
        """End all idle helpers. Safe to call again."""
        with self._lock:
            self._closed = True
            if os.getpid() == self._maker:
                for helper in self._idle:
                    helper.close()
            self._idle = []

    def __del__(self) -> None:
        self.close()


class Watched:
    """One sandbox under watch. `facts` is empty until its block has ended."""

    def __init__(self, helper: Helper) -> None:
        self.facts = Facts()
        self._helper = helper
        self._thread: threading.Thread | None = None
        self._over = threading.Event()

    def start(self, launch: Callable[[], Process]) -> Process:
        """Call `launch`, which starts a process and does nothing else, on a thread that is watched.

        The thread lives until the watch ends: what the process does when its parent dies is tied to the thread.
        Raises what `launch` raises, and SandboxError where this machine cannot watch.
        """
        ready, go, done = threading.Event(), threading.Event(), threading.Event()
        listeners: list[int] = []
        started: list[Process] = []
        failed: list[Exception] = []

        def live() -> None:
            # Any call of ours that is reported waits for the helper, which gets the listener before "go".
            try:
                listeners.append(install_listener())
                ready.set()
                go.wait()
                if listeners:
                    started.append(launch())
            except Exception as error:  # noqa: BLE001 - carried to the thread that asked
                failed.append(error)
            ready.set()
            done.set()
            self._over.wait()

        self._thread = threading.Thread(target=live, name="bowerbird-watched", daemon=True)
        self._thread.start()
        ready.wait()
        if listeners:
            try:
                self._helper.watch(listeners[0])
            except SandboxError as error:
                failed.append(error)
            finally:
                os.close(listeners.pop() if failed else listeners[0])
        go.set()
        done.wait()
        if failed:
            raise failed[0]
        return started[0]

    def end(self) -> None:
        """Let the thread go, and ask the helper for its notes. Raises SandboxError when it died."""
        self.abandon()
        if self._thread is not None:
            self.facts = self._helper.stop()

    def abandon(self) -> None:
        """Let the thread go."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()


def _python() -> str:
    found = sys.executable or shutil.which("python3")
    if not found:
        raise SandboxError("cannot start the watcher: this process does not know its Python")
    return found


@cache
def _program() -> str:
    """The helper as one text: it starts without this package, and before any user's site hooks."""
    folder = files("bowerbird.sandbox.watch")
    places, supervisor = (folder.joinpath(name).read_text() for name in ("places.py", "supervisor.py"))
    if _IMPORT not in supervisor or _FUTURE not in supervisor:
        raise SandboxError("the installed bowerbird.sandbox.watch is damaged: install the package again")
    return places + supervisor.replace(_FUTURE, "").replace(_IMPORT, "")
