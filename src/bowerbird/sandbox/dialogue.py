"""A sandboxed command that talks with the host, a line each way: it asks, waits, and goes on with the answer.

    host ──line──▶ stdin   command
         ◀──line── stdout

Only the time in which the command itself is at work counts for its wall limit; while the host prepares an answer it
sleeps. What it says is bytes and nothing more: whoever listens decides what they mean.
"""

import os
import selectors
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress

from bowerbird.sandbox.beneath import open_up
from bowerbird.sandbox.process import POLL_S, bury, close_all, read_some, set_up, unusable
from bowerbird.sandbox.protocol import Execution, Limits, Workspace
from bowerbird.sandbox.workspace import LocalWorkspace
from bowerbird.types import SandboxError

_PIECE = 1 << 16


class Dialogue:
    """One running command in `workspace`, which can do nothing else meanwhile.

    `limits.output_bytes` bounds each line, and its standard error in all. Raises SandboxError where the sandbox does
    not come up, or belongs to a back end that cannot do this.
    """

    def __init__(self, workspace: Workspace, argv: Sequence[str], limits: Limits) -> None:
        if not isinstance(workspace, LocalWorkspace):
            raise SandboxError("this back end cannot talk with a command, which programs need")
        if problem := unusable(argv):
            raise SandboxError(problem)
        self._workspace, self._limits = workspace, limits
        self._left_s, self._took_s = limits.wall_s, 0.0
        self._heard = bytearray()
        self._ended = self._timed_out = self._truncated = False
        self._complaint: str | None = None
        with ExitStack() as stack:
            stack.enter_context(workspace._lock)
            start = stack.enter_context(workspace._watching())
            open_up(workspace._open_folder())
            self._life = workspace.box.launch(argv, limits)(start)
            stack.callback(close_all, self._life)
            stack.callback(bury, self._life)
            set_up(self._life)
            self._life.stderr.clear()  # a warning of bwrap's is not the command's
            self._outbox, self._spoken = bytearray(b"go\n"), False
            self._next_look = time.monotonic() + POLL_S
            self._stack = stack.pop_all()

    def turn(self, line: bytes = b"") -> bytes | None:
        """Say `line`, and wait for the next one of the command's, without its end. None: it has ended, or was killed
        for breaking a limit; `close` tells."""
        if self._spoken and self._outbox:  # an honest command has read its answer before it asks again
            self._complaint, self._ended = "it asks without listening", True
            return None
        self._outbox += line + b"\n" if line else b""
        self._spoken = True
        start = time.monotonic()
        try:
            return self._exchange(start + self._left_s)
        finally:
            spent = time.monotonic() - start
            self._left_s -= spent
            self._took_s += spent

    def interrupt(self) -> None:
        """From another thread: kill it, so that a `turn` under way ends. It is to be closed all the same."""
        if self._life.child_fd is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._life.child_fd, signal.SIGKILL)

    def close(self) -> Execution:
        """End it. Every process of it is dead when this returns. `stdout` is empty: it was said line by line."""
        try:
            return self._over()
        finally:
            self._stack.close()

    def _over(self) -> Execution:
        by_itself = self._ended and not (self._timed_out or self._truncated or self._complaint)
        code = bury(self._life)
        if self._complaint:
            self._life.stderr += f"\nkilled: {self._complaint}\n".encode()
        return Execution(
            exit_code=code if by_itself else None,
            stdout=b"",
            stderr=bytes(self._life.stderr[: self._limits.output_bytes]),
            timed_out=self._timed_out,
            truncated=self._truncated,
            wall_s=self._took_s,
        )

    def _exchange(self, end: float) -> bytes | None:
        assert self._life.outer_fd is not None
        while (line := self._line()) is None and not self._ended:
            now = time.monotonic()
            if now >= end:
                self._timed_out = self._ended = True
            elif now >= self._next_look:
                self._look()
                self._next_look = time.monotonic() + POLL_S
            else:
                self._wait(min(end, self._next_look) - now)
        return line

    def _line(self) -> bytes | None:
        """The next whole line; also, once it has ended, what it said without ending the line: nothing."""
        line, newline, rest = bytes(self._heard).partition(b"\n")
        if not newline:
            if len(line) > self._limits.output_bytes:
                self._truncated = self._ended = True
            return None
        self._heard[:] = rest
        return line

    def _wait(self, seconds: float) -> None:
        life = self._life
        with selectors.DefaultSelector() as selector:
            for stream in (life.out, life.err, life.outer_fd):
                if stream is not None and stream >= 0:
                    selector.register(stream, selectors.EVENT_READ)
            if self._outbox and not life.stdin.closed:
                selector.register(life.stdin.fileno(), selectors.EVENT_WRITE)
            ready = {key.fd for key, _ in selector.select(max(0.0, seconds))}
        if not life.stdin.closed and life.stdin.fileno() in ready:
            self._write()
        self._read()
        if life.outer_fd in ready:
            self._read()  # what it said last
            self._ended = True

    def _write(self) -> None:
        try:
            sent = os.write(self._life.stdin.fileno(), self._outbox[:_PIECE])
        except BlockingIOError:
            return
        except BrokenPipeError:  # it does not read; that is its own affair
            self._life.stdin.close()
            return
        del self._outbox[:sent]

    def _read(self) -> None:
        """All that is there of both streams. A flood is cut and ends it."""
        life = self._life
        for name, kept in (("out", self._heard), ("err", life.stderr)):
            descriptor = life.out if name == "out" else life.err
            while descriptor >= 0 and (data := read_some(descriptor, _PIECE)) is not None:
                if data == b"":
                    setattr(life, name, -1)  # closed; the descriptor itself is the process's to close
                    break
                kept += data
                if len(kept) > 2 * self._limits.output_bytes:
                    self._truncated = self._ended = True
                    return

    def _look(self) -> None:
        """End a command that uses more than its share."""
        folder = self._workspace._open_folder()
        self._complaint = self._workspace._overuse(folder, self._life.pid_1(), self._limits)
        self._ended = self._complaint is not None
