"""What one command runs in: how it is started, and what is mounted there. Every workspace has one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, Self

from bowerbird.sandbox.bwrap import with_mounts
from bowerbird.sandbox.process import Launch, limited, spawn
from bowerbird.sandbox.protocol import Limits


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder or file of the host at `inside`; without one a scratch folder of `size` bytes that all may write to."""

    inside: str
    source: Path | None
    writable: bool = False
    size: int = 16 << 20


class Box(Protocol):
    """A sandbox that can be started again and again."""

    def launch(self, argv: Sequence[str], limits: Limits) -> Launch:
        """How to start it with this command in it. Raises SandboxError when called."""
        ...

    def plus(self, mounts: Sequence[Mount]) -> Self:
        """The same with more in it."""
        ...


@dataclass(frozen=True, slots=True)
class BwrapBox:
    """bubblewrap. `prefix` ends in its path."""

    prefix: tuple[str, ...]
    arguments: tuple[str, ...]

    def launch(self, argv: Sequence[str], limits: Limits) -> Launch:
        """See `Box`."""
        return lambda start: spawn(self.prefix, self.arguments, limited(argv, limits), start)

    def plus(self, mounts: Sequence[Mount]) -> "BwrapBox":
        """See `Box`."""
        more: list[str] = []
        for mount in mounts:
            if mount.source is None:
                more += ["--perms", "0777", "--size", str(mount.size), "--tmpfs", mount.inside]
            else:
                more += ["--bind" if mount.writable else "--ro-bind", str(mount.source), mount.inside]
        return replace(self, arguments=tuple(with_mounts(self.arguments, more)))
