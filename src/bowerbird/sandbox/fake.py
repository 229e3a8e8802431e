"""A sandbox without a sandbox: files in memory and scripted executions. For tests of everything above this room.

It contains nothing: hand it no code that you did not write.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bowerbird.sandbox.beneath import parts_of
from bowerbird.sandbox.protocol import NO_BASE, Base, Collected, Execution, Limits, Watch
from bowerbird.types import Executable, Facts, SandboxError


@dataclass(frozen=True, slots=True)
class FakeCall:
    """One command as a script sees it. `files` is the live content of /work: a script may change it."""

    argv: tuple[str, ...]
    stdin: bytes
    files: dict[str, bytes]
    limits: Limits


Script = Callable[[FakeCall], Execution]


def scripted(executions: Iterable[Execution]) -> Script:
    """A script that plays `executions` in order and raises SandboxError when it has run out."""
    left = iter(executions)

    def play(call: FakeCall) -> Execution:
        found = next(left, None)
        if found is None:
            raise SandboxError(f"no scripted execution left for {' '.join(call.argv)[:200]}")
        return found

    return play


def succeed(call: FakeCall) -> Execution:
    """The default script: every command ends with status 0 and says nothing."""
    del call
    return Execution(0, b"", b"")


class FakeSandbox:
    """A back end of scripts. `workspaces` holds all it ever opened, in order, for a test to look at.

    `script` answers every command. `anomalies` maps a path to what `collect` says is wrong with it. With `watch`
    "off" workspaces tell no facts; otherwise they tell what `note` and `read_decoy` put there. `hide` is remembered as
    `hidden`: there is no host to hide from.
    """

    def __init__(
        self,
        script: Script = succeed,
        *,
        anomalies: Mapping[str, str] | None = None,
        watch: Watch = "auto",
        hide: Collection[Path] = (),
    ) -> None:
        self.hidden = frozenset(hide)
        self._script = script
        self._watch = watch
        self._anomalies = dict(anomalies or {})
        self.workspaces: list[FakeWorkspace] = []

    @property
    def name(self) -> str:
        """Always "fake"."""
        return "fake"

    def probe(self) -> Mapping[str, str]:
        """Claims nothing."""
        return {"sandbox": "fake"}

    def open(
        self, files: Mapping[str, bytes], *, protected: Collection[str] = (), base: Base = NO_BASE
    ) -> "FakeWorkspace":
        """A workspace in memory."""
        files = {**base.files, **files}
        unknown = set(protected) - set(files)
        if unknown:
            raise SandboxError(f"protected files that the workspace does not start with: {sorted(unknown)}")
        workspace = FakeWorkspace(self._script, files, protected, self._anomalies, self._watch)
        self.workspaces.append(workspace)
        return workspace


class FakeWorkspace:
    """Files in a dictionary. `calls` holds the commands run so far; `read_decoy` and `note` play a cheat."""

    def __init__(
        self,
        script: Script,
        files: Mapping[str, bytes],
        protected: Collection[str],
        anomalies: Mapping[str, str],
        watch: Watch = "auto",
    ) -> None:
        self._script = script
        self._watch = watch
        self._noted = Facts()
        self._anomalies = anomalies
        self._reads: set[str] = set()
        self._closed = False
        self.files: dict[str, bytes] = {}
        self.calls: list[FakeCall] = []
        self._snapshots: list[dict[str, bytes]] = []
        for path, data in files.items():
            self.write(path, data)
        self._protected = {path: _digest(files[path]) for path in protected}

    def _check_open(self) -> None:
        if self._closed:
            raise SandboxError("the workspace is closed")

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", limits: Limits = Limits()) -> Execution:
        """Ask the script; its output is cut at the limits as a real one's would be."""
        self._check_open()
        call = FakeCall(tuple(argv), stdin, self.files, limits)
        self.calls.append(call)
        done = self._script(call)
        cut = max(len(done.stdout), len(done.stderr)) > limits.output_bytes
        out, err = done.stdout[: limits.output_bytes], done.stderr[: limits.output_bytes]
        return Execution(done.exit_code, out, err, done.timed_out, done.truncated or cut, done.wall_s)

    def write(self, path: str, data: bytes) -> None:
        """Put a file into the workspace. One that was executable stays so."""
        self._check_open()
        if parts_of(path) is None:
            raise SandboxError(f"{path!r} is not a path inside the workspace")
        kept = isinstance(self.files.get(path), Executable)
        self.files[path] = Executable(data) if kept else data

    def collect(self, paths: Collection[str], *, max_bytes: int = 1 << 20) -> Collected:
        """Files with their anomalies, in the words of the real thing."""
        self._check_open()
        files: dict[str, bytes] = {}
        anomalies: list[str] = []
        for path in paths:
            if parts_of(path) is None:
                anomalies.append(f"{path}: outside the workspace")
            elif path in self._anomalies:
                anomalies.append(f"{path}: {self._anomalies[path]}")
            elif len(self.files.get(path, b"")) > max_bytes:
                anomalies.append(f"{path}: larger than {max_bytes} bytes")
            elif path in self.files:
                files[path] = self.files[path]
        return Collected(files, tuple(anomalies))

    def snapshot(self) -> int:
        """A copy of the dictionary."""
        self._check_open()
        self._snapshots.append(dict(self.files))
        return len(self._snapshots)

    def restore(self, number: int) -> bool:
        """The dictionary as it was."""
        self._check_open()
        if not 1 <= number <= len(self._snapshots):
            return False
        self.files.clear()
        self.files.update(self._snapshots[number - 1])
        return True

    def read_decoy(self, path: str) -> None:
        """Record that the content of a decoy was opened."""
        self._reads.add(path)

    def note(self, facts: Facts) -> None:
        """Add to what `watched` tells."""
        self._noted |= facts

    def watched(self) -> Facts:
        """What was recorded, and which protected files changed."""
        self._check_open()
        if self._watch == "off":
            return Facts()
        changed = [
            p for p, digest in self._protected.items() if hashlib.sha256(self.files.get(p, b"")).digest() != digest
        ]
        return Facts(("fake",), tuple(sorted(self._reads)), tuple(changed)) | self._noted

    def close(self) -> None:
        """Refuse everything from now on."""
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()


def _digest(data: bytes | None) -> bytes | None:
    return None if data is None else hashlib.sha256(data).digest()
