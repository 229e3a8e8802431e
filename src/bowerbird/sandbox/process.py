"""Start one bubblewrap, feed it, read it with caps, and see that nothing of it is left.

The life of a command:

    spawn ─▶ bwrap names its child in the info file ─▶ the child prints a newline ("ready")
          ─▶ we write "go" ─▶ the command runs ─▶ the child (pid 1 inside) ends, and the kernel ends its namespace
          ─▶ bwrap reaps it and ends ─▶ we reap bwrap

Pid 1 is a shell that waits for "go" and then for the command. If we are killed before "go", its standard
input ends and it leaves; after "go", die-with-parent holds on both sides. The info file is in memory and
no pipe: writing to a pipe that we no longer read kills bwrap, and its child then waits for it for ever.
For the same reason we kill the child first, and bwrap ends by itself.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import IO

from bowerbird.sandbox.bwrap import hint, pack
from bowerbird.sandbox.protocol import Execution, Limits
from bowerbird.sandbox.seccomp import seccomp_filter
from bowerbird.types import SandboxError

SETUP_S = 60.0  # to build the namespaces; generous, because a loaded machine is not a failure
POLL_S = 0.1  # between two looks at what a command uses
OPEN_FILES = 1024
MAX_ARGUMENT = 120_000  # bytes; Linux takes 131,072
MAX_COMMAND = 1_000_000  # and at least twice this in all
_CHUNK = 1 << 16

Start = Callable[[Callable[[], "subprocess.Popen[bytes]"]], "subprocess.Popen[bytes]"]

# $@ is the command with its limits. The shell's own words ("Killed") must not reach the command's stderr.
INIT = 'echo; read -r go || exit 125; exec 3>&2 2>/dev/null; (exec "$@" 2>&3 3>&-); exit $?'


@dataclass
class Life:
    """What we hold of one running sandbox."""

    outer: "subprocess.Popen[bytes]"  # what we started: bwrap, or the client of a container engine
    stdin: IO[bytes]
    out: int
    err: int
    info: int | None = None  # where bwrap says which process is its child
    kill: Callable[[], None] | None = None  # ends all inside, where that is not to kill the child
    find: Callable[[], int] | None = None  # asks which process of this machine pid 1 is, where nobody says it
    outer_fd: int | None = None  # pidfd
    child_fd: int | None = None  # pidfd of pid 1 inside
    child_pid: int | None = None
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)

    def pid_1(self) -> int:
        """Pid 1 inside as this machine counts; 0 where it cannot be known."""
        if self.child_pid is None and self.find is not None:
            self.child_pid = self.find()
        return self.child_pid or 0

    @property
    def streams(self) -> dict[int, bytearray]:
        """What was read so far, by descriptor."""
        return {self.out: self.stdout, self.err: self.stderr}


Launch = Callable[[Start], Life]


@dataclass
class _Ending:
    """Why we stopped watching; nothing set: the command ended by itself."""

    timed_out: bool = False
    truncated: bool = False
    complaint: str | None = None


def limited(argv: Sequence[str], limits: Limits) -> list[str]:
    """`argv` under resource limits. The process limit counts per sandbox because it is set inside."""
    return [
        "prlimit",
        "--core=0",
        f"--nofile={OPEN_FILES}",
        f"--fsize={limits.file_bytes}",
        f"--as={limits.memory_bytes}",
        f"--nproc={limits.processes}",
        f"--cpu={limits.cpu_s}:{limits.cpu_s + 1}",  # the first can be caught, the second cannot
        "--",
        *argv,
    ]


def unusable(argv: Sequence[str]) -> str | None:
    """Why the kernel would not take this command line, or None. Models write commands: a bad one is no SandboxError."""
    try:
        sizes = [len(os.fsencode(argument)) for argument in argv]
    except UnicodeEncodeError:
        return "the command holds characters that cannot be encoded"
    if not sizes or not argv[0]:
        return "the command is empty"
    if any("\0" in argument for argument in argv):
        return "the command holds a NUL character"
    if max(sizes) > MAX_ARGUMENT or sum(sizes) > MAX_COMMAND:
        return "the command is too long"
    return None


def execute(
    launch: Launch,
    *,
    stdin: bytes,
    limits: Limits,
    overuse: Callable[[int], str | None] = lambda _pid: None,
    start: Start = lambda launch: launch(),
) -> Execution:
    """Run a command in a fresh sandbox, which `launch` starts, and return when all of its processes are dead.

    `overuse` is called with the host pid of pid 1 (0 where it is not known) every 0.1 s and says why to kill the
    command, or None. `start` calls what starts bwrap, on a thread that must live until this returns. Raises
    SandboxError when the sandbox does not come up.
    """
    life = launch(start)
    try:
        set_up(life)
        return _run(life, stdin, limits, overuse)
    finally:
        try:
            bury(life)
        finally:
            close_all(life)


def spawn(prefix: Sequence[str], arguments: Sequence[str], command: Sequence[str], start: Start) -> Life:
    """Start bwrap; it waits for `set_up` and then for "go". Raises SandboxError. Whoever has a Life must bury it."""
    info, ours = -1, list[int]()
    try:
        info = os.memfd_create("info")
        ours.append(seccomp := _memory_file("seccomp", seccomp_filter()))
        options = [*arguments, "--seccomp", str(seccomp), "--info-fd", str(info)]
        ours.append(args := _memory_file("args", pack(options)))
        line = [*prefix, "--args", str(args), "--", "/bin/sh", "-c", INIT, "sh", *command]
        bwrap = start(lambda: _launch(line, (args, seccomp, info)))
    except (OSError, SandboxError) as error:
        if info >= 0:
            os.close(info)
        if isinstance(error, SandboxError):
            raise
        raise SandboxError(f"cannot start bubblewrap: {error}") from error
    finally:
        for descriptor in ours:
            os.close(descriptor)
    return life_of(bwrap, info)


def life_of(outer: "subprocess.Popen[bytes]", info: int | None = None, kill: Callable[[], None] | None = None) -> Life:
    """What we hold of a sandbox that was just started with three pipes."""
    assert outer.stdin is not None
    assert outer.stdout is not None
    assert outer.stderr is not None
    life = Life(outer, outer.stdin, outer.stdout.fileno(), outer.stderr.fileno(), info, kill)
    for descriptor in (life.stdin.fileno(), life.out, life.err):
        os.set_blocking(descriptor, False)
    return life


def _launch(line: Sequence[str], inherited: Sequence[int]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        line,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={},  # whatever bwrap has is readable inside in /proc/1/environ
        cwd="/",
        start_new_session=True,
        pass_fds=inherited,
        bufsize=0,
    )


def _memory_file(name: str, data: bytes) -> int:
    descriptor = os.memfd_create(name)
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def read_some(descriptor: int, size: int = _CHUNK) -> bytes | None:
    """Bytes, b"" at the end, None where there is nothing yet."""
    try:
        return os.read(descriptor, size)
    except BlockingIOError:
        return None


def set_up(life: Life) -> None:
    """Wait until pid 1 inside says it is ready. Raises SandboxError."""
    deadline = time.monotonic() + SETUP_S
    ready = False
    with selectors.DefaultSelector() as selector:
        for descriptor in (life.out, life.err):
            selector.register(descriptor, selectors.EVENT_READ)
        while not ready:
            left = deadline - time.monotonic()
            events = selector.select(left) if left > 0 else []
            if not events:
                raise SandboxError(f"the sandbox was not up after {SETUP_S:.0f} s: the machine is overloaded")
            for key, _ in events:
                data = read_some(key.fd, 1 if key.fd == life.out else _CHUNK)
                if data == b"":
                    selector.unregister(key.fd)
                    if key.fd == life.out:
                        raise SandboxError(f"the sandbox could not be built: {_last_words(life)}")
                elif data is not None and key.fd == life.out:
                    ready = True
                elif data is not None:
                    life.stderr += data
    if life.kill is None:
        _meet_child(life)
    try:
        life.outer_fd = os.pidfd_open(life.outer.pid)
    except OSError as error:
        raise SandboxError(f"cannot watch a sandbox: {error.strerror}") from error
    if life.child_fd is None and life.kill is None:
        raise SandboxError(f"bubblewrap did not say which process it started: {_last_words(life)}")


def _meet_child(life: Life) -> None:
    """Take hold of pid 1 inside, if bwrap has written its number down."""
    assert life.info is not None
    with contextlib.suppress(ValueError, KeyError, OSError):
        pid = int(json.loads(os.pread(life.info, _CHUNK, 0))["child-pid"])
        # It is bwrap's child, and bwrap reaps it only to end itself: while bwrap is there the number is its own.
        life.child_fd, life.child_pid = os.pidfd_open(pid), pid


def _last_words(life: Life) -> str:
    with contextlib.suppress(subprocess.TimeoutExpired):
        life.outer.wait(5)
    while data := read_some(life.err):
        life.stderr += data
    return hint(life.stderr.decode(errors="replace"))


def _run(life: Life, stdin: bytes, limits: Limits, overuse: Callable[[int], str | None]) -> Execution:
    """Let the command go, and put together what came of it."""
    life.stderr.clear()  # a warning of bwrap's is not the command's
    start = time.monotonic()
    ending = _watch(life, stdin, limits, overuse)
    wall = time.monotonic() - start
    exit_code = bury(life)
    for descriptor, kept in life.streams.items():  # what was still in the pipes; every writer is dead
        while len(kept) <= limits.output_bytes and (data := read_some(descriptor)):
            kept += data
        ending.truncated = ending.truncated or len(kept) > limits.output_bytes
        del kept[limits.output_bytes :]
    if ending.complaint:
        life.stderr += f"\nkilled: {ending.complaint}\n".encode()
    return Execution(
        exit_code=None if ending.timed_out else exit_code,
        stdout=bytes(life.stdout),
        stderr=bytes(life.stderr),
        timed_out=ending.timed_out,
        truncated=ending.truncated,
        wall_s=wall,
    )


def _watch(life: Life, stdin: bytes, limits: Limits, overuse: Callable[[int], str | None]) -> _Ending:
    """Feed and read until bwrap ends or a limit is reached."""
    assert life.outer_fd is not None
    feed, pending = life.stdin.fileno(), memoryview(b"go\n" + stdin)
    streams, start = life.streams, time.monotonic()
    next_look, end = start + POLL_S, start + limits.wall_s
    with selectors.DefaultSelector() as selector:
        for descriptor in (*streams, life.outer_fd):
            selector.register(descriptor, selectors.EVENT_READ)
        selector.register(feed, selectors.EVENT_WRITE)
        while True:
            now = time.monotonic()
            if now >= end:
                return _Ending(timed_out=True)
            if now >= next_look:
                if complaint := overuse(life.pid_1()):
                    return _Ending(complaint=complaint)
                next_look = time.monotonic() + POLL_S
            events = selector.select(max(0.0, min(end, next_look) - now))
            for key, _ in events:
                if key.fd == feed:
                    pending = _feed(life, selector, pending)
                elif key.fd in streams:
                    data = read_some(key.fd)
                    if data == b"":
                        selector.unregister(key.fd)
                    streams[key.fd].extend(data or b"")
                    if len(streams[key.fd]) > limits.output_bytes:
                        return _Ending(truncated=True)
            if any(key.fd == life.outer_fd for key, _ in events):
                return _Ending()


def _feed(life: Life, selector: selectors.BaseSelector, pending: memoryview) -> memoryview:
    """Write some of `pending` and return the rest; close standard input after the last byte."""
    feed = life.stdin.fileno()
    try:
        rest = pending[os.write(feed, pending[:_CHUNK]) :]
    except BlockingIOError:
        return pending
    except BrokenPipeError:  # the command does not read; that is its own affair
        rest = pending[:0]
    if not rest:
        selector.unregister(feed)
        life.stdin.close()
    return rest


def bury(life: Life) -> int | None:
    """End all inside, then what we started, and reap. Safe to call again. The exit code as Execution has it.

    When pid 1 has ended the kernel has ended its whole namespace, and bwrap ends only after reaping pid 1.
    """
    if life.kill is not None:
        if life.outer.poll() is None:
            life.outer.kill()  # first: an engine waits for a client that waits for us to read
            life.kill()
        life.outer.wait()
    elif life.outer.returncode is None:
        if life.child_fd is None and life.outer.poll() is None:
            _meet_child(life)
        if life.child_fd is None:
            life.stdin.close()  # a child that we never meet leaves at its gate
            life.outer.kill()
        else:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(life.child_fd, signal.SIGKILL)
        life.outer.wait()
    if life.child_fd is not None:
        _await_end(life.child_fd)
    code = life.outer.returncode
    return -(code - 128) if 128 < code <= 128 + signal.NSIG else code


def _await_end(pidfd: int) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(pidfd, selectors.EVENT_READ)
        selector.select()


def close_all(life: Life) -> None:
    """Give every descriptor back, once."""
    for stream in (life.outer.stdin, life.outer.stdout, life.outer.stderr):
        if stream is not None:
            stream.close()
    for descriptor in (life.info, life.outer_fd, life.child_fd):
        if descriptor is not None:
            os.close(descriptor)
