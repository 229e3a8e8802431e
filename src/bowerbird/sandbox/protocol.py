"""What every sandbox back end provides. The conformance suite (`sandbox.conformance`) tests exactly this."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Protocol, Self, TypeAlias

from bowerbird.types import Facts

# What fills `Workspace.watched`. "decoys": opens of planted files, and hashes of protected ones. "trace": also system
# calls, or SandboxUnavailable where that does not work. "auto": the best that works here. "off": nothing at all.
Watch: TypeAlias = Literal["auto", "decoys", "trace", "off"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one command may use. Bytes, seconds and counts."""

    wall_s: float = 5.0
    cpu_s: int = 5
    memory_bytes: int = 1 << 30
    file_bytes: int = 16 << 20
    processes: int = 64
    output_bytes: int = 1 << 20  # of stdout and of stderr each; the rest is read and dropped, then killed


@dataclass(frozen=True, slots=True)
class Execution:
    """One finished command. `exit_code` is negative for a signal, and None when it was killed at the wall limit."""

    exit_code: int | None
    stdout: bytes
    stderr: bytes
    timed_out: bool = False
    truncated: bool = False  # an output limit was hit and the command was killed
    wall_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Collected:
    """The declared files taken out of a workspace, and what was wrong with those that were not."""

    files: Mapping[str, bytes]
    anomalies: tuple[str, ...] = ()  # e.g. "solution.py: symbolic link"


@dataclass(frozen=True, slots=True)
class Base:
    """What many workspaces start from alike. A back end may lay it once and let them share it: what one of them writes
    is its own. With `git` the files are the one commit of a repository; what `requirements` names, as the text of such
    a file, every command can import. With an `image` commands run in that container image, and the workspace, which
    stands at `folder` too, starts with what the image has there."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    git: bool = False
    requirements: str = ""
    image: str = ""
    folder: str = ""


class Workspace(Protocol):
    """A writable /work that lives across commands. Every process of a command is dead when `run` returns. Of modes it
    keeps and tells only which files may be executed: their content is `Executable`."""

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", limits: Limits = Limits()) -> Execution: ...

    def write(self, path: str, data: bytes) -> None:
        """Put a file there, whatever is in its place. One that was executable stays so. Raises SandboxError."""
        ...

    def collect(self, paths: Collection[str], *, max_bytes: int = 1 << 20) -> Collected: ...

    def snapshot(self) -> int:
        """Remember all files as they are; the snapshot's number, 0 where they cannot be copied. The last few are kept.
        Raises SandboxError."""
        ...

    def restore(self, number: int) -> bool:
        """Make the files what they were then; False where there is no such snapshot, or a file is in the way. Raises
        SandboxError."""
        ...

    def watched(self) -> Facts:
        """What its commands did so far. `watchers` is empty where nothing watched."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


NO_BASE = Base()


class Sandbox(Protocol):
    """A back end."""

    @property
    def name(self) -> str: ...

    def probe(self) -> Mapping[str, str]:
        """Run the full recipe once and assert its guarantees from inside; facts by name.

        Raises SandboxUnavailable, with what to install or switch on, when any of them does not hold.
        """
        ...

    def open(self, files: Mapping[str, bytes], *, protected: Collection[str] = (), base: Base = NO_BASE) -> Workspace:
        """A fresh workspace holding the files of `base` and, on top, `files`; `protected` ones are watched. Raises
        SandboxError."""
        ...
