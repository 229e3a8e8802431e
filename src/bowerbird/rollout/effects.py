"""What a running scaffold asks the host for. A rollout is a generator of these: it does no I/O itself."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeAlias

from bowerbird.inference.protocol import Request
from bowerbird.sandbox import Collected, Execution
from bowerbird.types import Completion, Facts, JsonValue

LEAST_TOKENS = 8  # a model call that may sample fewer is not worth making


@dataclass(frozen=True, slots=True)
class Ask:
    """Model calls that may run side by side. The reply has one completion for each, in order."""

    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """Run each source on the visible examples, each in a workspace of its own. The reply has one `Checked` each."""

    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Act:
    """Run a command in the rollout's own workspace, which lives from its first action to its end. The reply is what
    came of it; every process of the command is dead by then."""

    argv: tuple[str, ...]
    wall_s: float = 20.0
    output_bytes: int = 1 << 16


@dataclass(frozen=True, slots=True)
class Read:
    """Take regular files out of the workspace, without following links. The reply is a `Collected`."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Write:
    """Put a file into the workspace. The reply is True, or False where the path is not one inside it."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Remember the workspace as it is. The reply is the snapshot's number."""


@dataclass(frozen=True, slots=True)
class Restore:
    """Make the workspace what it was. The reply is True, or False where there is no such snapshot."""

    number: int


@dataclass(frozen=True, slots=True)
class Speak:
    """Say a line to the scaffold's own program and wait for the next one of it. Saying nothing starts it. The reply is
    a `Heard`."""

    line: bytes = b""


@dataclass(frozen=True, slots=True)
class Heard:
    """A line of the scaffold's program; None when it has ended, and then how."""

    line: bytes | None
    end: Execution | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """How one source did on the visible examples."""

    passed: bool
    compiled: bool
    behaviour: str  # equal for sources that behave equally on the examples
    failure: str | None = None
    message: str = ""  # safe to show to the model: it speaks of visible examples only
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a scaffold leaves: the source to submit ("" for none) and what it did on the way.

    `source` is None where the declared files are to be collected from the rollout's own workspace.
    """

    source: str | None
    calls: tuple[Completion, ...]
    checks: tuple[Checked, ...]
    log: tuple[dict[str, JsonValue], ...] = field(default=())


AtDesk: TypeAlias = Act | Read | Write | Snapshot | Restore | Speak
Effect: TypeAlias = Ask | Check | AtDesk
Reply: TypeAlias = tuple[Completion, ...] | tuple[Checked, ...] | Execution | Collected | Heard | int
Run: TypeAlias = Generator[Effect, Reply, Draft]
