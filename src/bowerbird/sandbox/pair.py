"""Two sandboxes at once, connected: what one says on standard output is the other's standard input.

    first  stdout ──▶ (this loop, bounded) ──▶ stdin  second
           stdin  ◀──                      ◀── stdout
           stderr ──▶ kept: a channel of the first side's own

The two share nothing else: no file, no process table, no memory, no descriptor. So one side can ask the other
for answers while the other has no handle on the first, nor on what the first reports on its standard error.
The first side decides when the conversation is over: when it ends, the second is killed.
"""

import os
import selectors
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from bowerbird.sandbox.beneath import open_up
from bowerbird.sandbox.process import POLL_S, Life, bury, close_all, read_some, set_up, unusable
from bowerbird.sandbox.protocol import Execution, Limits, Workspace
from bowerbird.sandbox.workspace import LocalWorkspace
from bowerbird.types import SandboxError

RELAY_BYTES = 64 << 20  # either way, in one conversation
_AHEAD = 1 << 20  # bytes held for a side that does not read yet
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Side:
    """One half of a conversation: a command, where it runs and what it may use. Its wall limit is the pair's."""

    workspace: Workspace
    argv: Sequence[str]
    limits: Limits


@dataclass
class _Talker:
    """One running side. `inbox` holds what is to be written to its standard input."""

    life: Life
    side: Side
    inbox: bytearray = field(default_factory=lambda: bytearray(b"go\n"))
    said: int = 0
    heard_all: bool = False  # nothing will be added to the inbox any more
    ended: bool = False
    truncated: bool = False
    complaint: str | None = None


def run_pair(first: Side, second: Side, *, wall_s: float) -> tuple[Execution, Execution]:
    """Run both until the first ends, or for `wall_s` seconds; every process of both is dead when this returns.

    `stdout` of both executions is empty: it went to the other side. `stderr` is kept up to the side's output limit;
    a side that says more there, or more than `RELAY_BYTES` to the other, is killed and marked `truncated`. When the
    second ends before the first, the first reads the end of its input and may go on alone; the second's exit code is
    None where it was still running at the end. Raises SandboxError when a sandbox does not come up, or where the
    workspaces belong to a back end that cannot do this.
    """
    with ExitStack() as stack:
        talkers = []
        for side in (first, second):
            talkers.append(_Talker(stack.enter_context(_started(side)), side))
        for talker in talkers:
            set_up(talker.life)
            talker.life.stderr.clear()  # a warning of bwrap's is not the command's
        began = time.monotonic()
        timed_out = _converse(talkers[0], talkers[1], began + wall_s)
        took = time.monotonic() - began
        return _execution(talkers[0], timed_out, took), _execution(talkers[1], timed_out, took)


@contextmanager
def _started(side: Side) -> Iterator[Life]:
    """The side's sandbox, waiting for its "go"; no process of it is left afterwards."""
    workspace = _local(side.workspace)
    if problem := unusable(side.argv):
        raise SandboxError(problem)
    with workspace._lock, workspace._watching() as start:
        open_up(workspace._open_folder())
        life = workspace.box.launch(side.argv, side.limits)(start)
        try:
            yield life
        finally:
            bury(life)
            close_all(life)


def _local(workspace: Workspace) -> LocalWorkspace:
    if not isinstance(workspace, LocalWorkspace):
        raise SandboxError("this back end cannot connect two sandboxes, which isolated pytest tasks need")
    return workspace


def _converse(first: _Talker, second: _Talker, end: float) -> bool:
    """Relay until the first side is over. True: the time was up before."""
    next_look = time.monotonic() + POLL_S
    while not first.ended:
        now = time.monotonic()
        if now >= end:
            return True
        if now >= next_look:
            _look(first)
            _look(second)
            next_look = time.monotonic() + POLL_S
        _turn(first, second, max(0.0, min(end, next_look) - now))
        for talker, other in ((first, second), (second, first)):
            if talker.ended:
                _drain(talker, other)
                other.heard_all = True
    return False


def _turn(first: _Talker, second: _Talker, wait_s: float) -> None:
    """One round of reading and writing whatever is ready."""
    with selectors.DefaultSelector() as selector:
        for talker, other in ((first, second), (second, first)):
            if talker.ended:
                continue
            assert talker.life.outer_fd is not None
            selector.register(talker.life.outer_fd, selectors.EVENT_READ, ("end", talker, other))
            for stream, name in ((talker.life.out, "out"), (talker.life.err, "err")):
                if stream >= 0 and (name == "err" or len(other.inbox) < _AHEAD):
                    selector.register(stream, selectors.EVENT_READ, (name, talker, other))
            if not talker.life.stdin.closed:
                if talker.inbox:
                    selector.register(talker.life.stdin.fileno(), selectors.EVENT_WRITE, ("in", talker, other))
                elif talker.heard_all:
                    talker.life.stdin.close()
        events = selector.select(wait_s)
    for key, _ in sorted(events, key=lambda event: event[0].data[0] == "end"):  # what was said before it ended
        what, talker, other = key.data
        if what == "end":
            _stop(talker)
        elif what == "in":
            _write(talker)
        else:
            _hear(talker, other, what)


def _hear(talker: _Talker, other: _Talker, stream: str) -> None:
    """Take in a piece of what one side says, to the other side ("out") or for the report ("err")."""
    if talker.ended:
        return
    descriptor = talker.life.out if stream == "out" else talker.life.err
    data = read_some(descriptor, _PIECE)
    if data == b"":  # closed; the descriptor itself is the process's to close
        if stream == "out":
            talker.life.out = -1
            other.heard_all = True
        else:
            talker.life.err = -1
        return
    if data:
        _take(talker, other, stream, data)


def _take(talker: _Talker, other: _Talker, stream: str, data: bytes) -> None:
    limit = talker.side.limits.output_bytes
    if stream == "err":
        talker.life.stderr += data
        talker.truncated = talker.truncated or len(talker.life.stderr) > limit
        del talker.life.stderr[limit:]
    else:
        talker.said += len(data)
        talker.truncated = talker.truncated or talker.said > RELAY_BYTES
        if not other.ended:
            other.inbox += data
    if talker.truncated:
        _stop(talker)


def _write(talker: _Talker) -> None:
    if talker.ended:
        return
    try:
        sent = os.write(talker.life.stdin.fileno(), talker.inbox[:_PIECE])
    except BlockingIOError:
        return
    except BrokenPipeError:  # it does not read; that is its own affair
        talker.life.stdin.close()
        sent = len(talker.inbox)
    del talker.inbox[:sent]


def _look(talker: _Talker) -> None:
    """Kill a side that uses more than its share."""
    if talker.ended:
        return
    workspace = _local(talker.side.workspace)
    talker.complaint = workspace._overuse(workspace._open_folder(), talker.life.pid_1(), talker.side.limits)
    if talker.complaint is not None:
        _stop(talker)


def _stop(talker: _Talker) -> None:
    """All of its processes are dead after this."""
    if not talker.ended:
        bury(talker.life)
        talker.ended = True


def _drain(talker: _Talker, other: _Talker) -> None:
    """What a dead side had still in its pipes."""
    for stream in ("out", "err"):
        descriptor = talker.life.out if stream == "out" else talker.life.err
        while descriptor >= 0 and not talker.truncated and len(other.inbox) < _AHEAD:
            data = read_some(descriptor, _PIECE)
            if not data:
                break
            _take(talker, other, stream, data)


def _execution(talker: _Talker, timed_out: bool, wall_s: float) -> Execution:
    by_itself = talker.ended
    code = bury(talker.life)
    if talker.complaint:
        talker.life.stderr += f"\nkilled: {talker.complaint}\n".encode()
    return Execution(
        exit_code=code if by_itself else None,
        stdout=b"",
        stderr=bytes(talker.life.stderr),
        timed_out=timed_out,
        truncated=talker.truncated,
        wall_s=wall_s,
    )
