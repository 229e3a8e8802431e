"""The verifier that a task asks for, and how far each kind can be trusted."""

from collections.abc import Mapping

from bowerbird.rewards.lenient import LenientVerifier
from bowerbird.rewards.naive import HOWS, NaiveVerifier
from bowerbird.rewards.oracle import OracleVerifier, Verifier
from bowerbird.rewards.verifiers.hardened import PytestVerifier
from bowerbird.rewards.verifiers.script import ScriptVerifier
from bowerbird.sandbox.protocol import Limits, Sandbox
from bowerbird.types import ConfigError, TaskError, Verification, VerifierSpec

# Kind of verifier (`trust_key`) -> one sentence for reports.
TRUST: Mapping[str, str] = {
    "oracle": "inputs go into the candidate's sandbox and values come out; what is expected and the comparison never "
    "enter it, so to pass is to compute the answers",
    "pytest": "the tests and the report are in a sandbox that the candidate is not in, and a reference to its objects "
    "never equals a plain value; what a test asks of the candidate's own objects is the candidate's word",
    "pytest-together": "the candidate shares the tests' process: exact test ids, a nonce and canaries catch forgeries "
    "that are known or clumsy, and a value that claims to equal everything passes",
    "script": "test.sh runs in a sandbox of its own and its reward cannot be overwritten; what test.sh runs without "
    "$CONFINE can read the tests and can mislead it, so it is worth what its author made of it",
    "naive-exit": "none: whatever ends the process with status 0 passes",
    "naive-stdout": "none: whatever prints the word passes",
    "naive-pytest": "none: the candidate's files configure the test runner",
    "naive-lenient": "none: what breaks before it can be seen failing passes",
}


def trust_key(spec: VerifierSpec) -> str:
    """The entry of `TRUST` for a task that is graded by `TaskVerifier`."""
    return "pytest-together" if spec.kind == "pytest" and spec.isolation == "none" else spec.kind


class TaskVerifier:
    """Grades every task by the verifier that its spec names. Raises what that one raises."""

    def __init__(self, sandbox: Sandbox, limits: Limits | None = None) -> None:
        """`limits` hold for one verification; wall limits are the tasks' own."""
        self._by_kind: Mapping[str, Verifier] = {
            "oracle": OracleVerifier(sandbox, limits),
            "pytest": PytestVerifier(sandbox, limits),
            "script": ScriptVerifier(sandbox, limits),
        }

    def verify(self, spec: VerifierSpec, submission: Mapping[str, bytes]) -> Verification:
        """Grade `submission`. Raises TaskError for a kind that nobody knows."""
        verifier = self._by_kind.get(spec.kind)
        if verifier is None:
            known = ", ".join(self._by_kind)
            raise TaskError(f"task {spec.task_id}: unknown kind of verifier {spec.kind!r}; known ones: {known}")
        return verifier.verify(spec, submission)


def make_verifier(kind: str, sandbox: Sandbox, limits: Limits | None = None) -> Verifier:
    """What `verifier.kind` of a configuration names: "task", or one of the naive graders. Raises ConfigError."""
    if kind == "task":
        return TaskVerifier(sandbox, limits)
    if kind == "naive-lenient":
        return LenientVerifier(sandbox, limits)
    if kind.removeprefix("naive-") in HOWS and kind.startswith("naive-"):
        return NaiveVerifier(sandbox, kind.removeprefix("naive-"), limits)
    known = ", ".join(["task", *(f"naive-{how}" for how in HOWS), "naive-lenient"])
    raise ConfigError(f"verifier.kind: {kind!r} is not known; known ones: {known}")
