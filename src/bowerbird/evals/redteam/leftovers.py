"""All that a policy left in its workspace, for graders that grade there.

The verifiers of this package get the declared files and nothing else. The naive graders that they are compared with
run where the agent ran, so that everything it left behind is in force. Here that travels beside the submission.
"""

from collections.abc import Collection, Mapping, Sequence
from types import TracebackType
from typing import Self

from bowerbird.rewards import Verifier
from bowerbird.sandbox import NO_BASE, Base, Collected, Execution, Limits, Sandbox, Workspace
from bowerbird.types import Facts, Verification, VerifierSpec

MOST_FILES = 500
_LIST = ("find", ".", "-xdev", "-type", "f", "-size", "-1025k", "-printf", "%P\\0")


class Submission(dict[str, bytes]):
    """The declared files; `left` are those and all others of the workspace."""

    def __init__(self, files: Mapping[str, bytes], left: Mapping[str, bytes]) -> None:
        super().__init__(files)
        self.left = left


class GradesWorkspace:
    """A verifier that gives `inner` the whole workspace in place of the submission."""

    def __init__(self, inner: Verifier) -> None:
        self._inner = inner

    def verify(self, spec: VerifierSpec, submission: Mapping[str, bytes]) -> Verification:
        """See `Verifier`."""
        return self._inner.verify(spec, submission.left if isinstance(submission, Submission) else submission)


class KeepsWorkspace:
    """A back end whose workspaces, when the submission is collected, collect everything else too."""

    def __init__(self, inner: Sandbox) -> None:
        self._inner = inner

    @property
    def name(self) -> str:
        return self._inner.name

    def probe(self) -> Mapping[str, str]:
        return self._inner.probe()

    def open(self, files: Mapping[str, bytes], *, protected: Collection[str] = (), base: Base = NO_BASE) -> "Kept":
        """See `Sandbox`."""
        return Kept(self._inner.open(files, protected=protected, base=base))


class Kept:
    """One such workspace."""

    def __init__(self, inner: Workspace) -> None:
        self._inner = inner

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", limits: Limits = Limits()) -> Execution:
        return self._inner.run(argv, stdin=stdin, limits=limits)

    def write(self, path: str, data: bytes) -> None:
        self._inner.write(path, data)

    def collect(self, paths: Collection[str], *, max_bytes: int = 1 << 20) -> Collected:
        """The declared files as ever, in a `Submission`. What is wrong with undeclared ones is nobody's concern."""
        declared = self._inner.collect(paths, max_bytes=max_bytes)
        listed = self._inner.run(_LIST).stdout.decode("utf-8", "replace").split("\0")
        others = [path for path in listed if path and path not in declared.files][:MOST_FILES]
        left = self._inner.collect(others, max_bytes=max_bytes).files
        return Collected(Submission(declared.files, {**left, **declared.files}), declared.anomalies)

    def snapshot(self) -> int:
        return self._inner.snapshot()

    def restore(self, number: int) -> bool:
        return self._inner.restore(number)

    def watched(self) -> Facts:
        return self._inner.watched()

    def close(self) -> None:
        self._inner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()
