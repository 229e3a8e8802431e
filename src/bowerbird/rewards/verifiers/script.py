"""Harbor's own tests/test.sh, in a sandbox that is made after the workspace is gone.

    /work            the submitted files and the task's own, nothing else of the solving workspace
    /tests           the task's tests, read-only
    /logs/verifier   reward.txt and reward.json are mailboxes: opened once, written once, never read or replaced
    $CONFINE         in front of a command keeps it from the tests, the reward and the shell (see inside/confine.py)

The script decides what to run, and what it runs without $CONFINE shares its sandbox: such code cannot change a reward
that was written, but it can read the tests and it can mislead the script. What a script task is worth is in its script.
"""

import math
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files

from bowerbird.rewards.verifiers.reward import LONGEST, BadReward, read_reward
from bowerbird.sandbox.furnish import Letters, furnished
from bowerbird.sandbox.protocol import Base, Execution, Limits, Sandbox
from bowerbird.types import Facts, InfraError, SandboxUnavailable, TaskError, Verification, VerifierSpec

TESTS, TOOLS, LOGS = "/tests", "/verifier", "/logs/verifier"
SCRIPT = "tests/test.sh"
CONFINE = f"python3 -I -S -B {TOOLS}/confine.py"
REWARD_TXT, REWARD_JSON = f"{LOGS}/reward.txt", f"{LOGS}/reward.json"
# Nothing here can be changed by what the script runs: no home, no start-up files, no user's packages.
ENVIRONMENT = {
    "HOME": "/nonexistent",
    "LANG": "C.UTF-8",
    "PYTHONNOUSERSITE": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "CONFINE": CONFINE,
}
_confines: dict[str, bool] = {}
_lock = threading.Lock()
BAD_ENDINGS = frozenset({"no_reward", "bad_reward"})


class ScriptVerifier:
    """Grades tasks of kind "script". The reward is what test.sh wrote, a finite float in [0, 1].

    `Verification.failure` is no_code, timeout, crash (the script was killed), flood, no_reward, bad_reward (not a
    finite number in [0, 1]), forged_report (somebody besides the script wrote a reward), or test_failed.

    Where no reward or a bad one comes out, it is asked whose doing that is: the script runs once more without any
    submission. If it gives a good reward then (0, one hopes), the submission broke it and earns 0. If not, the script
    is broken and InfraError is raised, for a script that cannot say 0 cannot grade.
    """

    def __init__(self, sandbox: Sandbox, limits: Limits | None = None) -> None:
        """`limits` hold for one run of the script; the wall limit is the task's own."""
        self._sandbox = sandbox
        self._limits = limits if limits is not None else Limits()

    def verify(self, spec: VerifierSpec, submission: Mapping[str, bytes]) -> Verification:
        """Grade `submission`. Raises TaskError for a spec that cannot be graded, InfraError for a broken script or a
        lost sandbox."""
        check_script(spec)
        began = time.monotonic()
        if not any(data.strip() for data in submission.values()):
            return Verification(0.0, "no_code", 0, 1)
        if any(b"CONFINE" in data for data in spec.files.values()):
            self._check_confine()
        reward, failure, facts, why = self._grade(spec, submission)
        if failure in BAD_ENDINGS:
            _, control, _, _ = self._grade(spec, {})
            if control in BAD_ENDINGS:
                raise InfraError(
                    f"task {spec.task_id}: {why}, nor does it without a submission: tests/test.sh must always write "
                    f"a number in [0, 1] to {REWARD_TXT}"
                )
        return Verification(
            reward=reward,
            failure=failure,
            passed=int(reward == 1.0),
            total=1,
            facts=facts,
            wall_s=time.monotonic() - began,
            signs=("forged: a second reward",) if failure == "forged_report" else (),
        )

    def _check_confine(self) -> None:
        """Try $CONFINE once per process. Raises SandboxUnavailable: a refusal must not look like a wrong answer."""
        with _lock:
            if self._sandbox.name not in _confines:
                with self._sandbox.open({}) as workspace, furnished(workspace, {TOOLS: {"confine.py": _confine()}}):
                    done = workspace.run([*CONFINE.split(), "true"], limits=Limits(wall_s=60.0, cpu_s=60))
                _confines[self._sandbox.name] = done.exit_code == 0
            if not _confines[self._sandbox.name]:
                raise SandboxUnavailable(
                    "tests/test.sh uses $CONFINE, and this kernel lacks Landlock: use Linux 5.13 or newer, "
                    "with landlock among the modules that the kernel was started with (/sys/kernel/security/lsm)"
                )

    def _grade(self, spec: VerifierSpec, submission: Mapping[str, bytes]) -> tuple[float, str | None, Facts, str]:
        """(reward, class of failure, facts, what was wrong) of one run of the script."""
        done, text, table, facts = self._run(spec, submission)
        ending = _ending(done)
        if ending is not None:
            return 0.0, ending, facts, f"tests/test.sh ended by {ending}"
        try:
            reward = read_reward(one_writer(text), one_writer(table))
        except BadReward as bad:
            return 0.0, bad.failure, facts, f"tests/test.sh: {bad}"
        return reward, None if reward == 1.0 else "test_failed", facts, ""

    def _run(self, spec: VerifierSpec, submission: Mapping[str, bytes]) -> tuple[Execution, Letters, Letters, Facts]:
        tests = {name.removeprefix("tests/"): data for name, data in spec.files.items() if name.startswith("tests/")}
        own = {n.removeprefix("workspace/"): d for n, d in spec.files.items() if n.startswith("workspace/")}
        limits = replace(self._limits, wall_s=spec.timeout_s, cpu_s=max(1, math.ceil(spec.timeout_s)))
        settings = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
        shell = "bash" if spec.files[SCRIPT].split(b"\n")[0].rstrip().endswith(b"bash") else "sh"
        base = Base(own, requirements=spec.requirements, image=spec.image, folder=spec.folder)
        with self._sandbox.open(submission, base=base) as workspace:
            folders = {TESTS: tests, TOOLS: {"confine.py": _confine()}}
            with furnished(workspace, folders, (REWARD_TXT, REWARD_JSON)) as boxes:
                done = workspace.run(["env", *settings, shell, f"{TESTS}/test.sh"], limits=limits)
            text, table = boxes.letters(REWARD_TXT), boxes.letters(REWARD_JSON)
            return done, text, table, less_own(workspace.watched())


def check_script(spec: VerifierSpec) -> None:
    """Raises TaskError, with what to mend, unless this verifier can grade `spec`."""
    where = f"task {spec.task_id}"
    if spec.kind != "script":
        raise TaskError(f"{where}: its verifier is of kind {spec.kind!r}; this one grades 'script'")
    if spec.isolation == "image":
        raise TaskError(
            f"{where}: it is made for an image of its own: `bowerbird tasks images` writes it anew for that; or, if "
            "python3 and the system's tools are enough for its tests, say so in task.toml: [metadata.bowerbird] with "
            'kind = "script" and submission'
        )
    if SCRIPT not in spec.files:
        raise TaskError(f"{where}: {SCRIPT} is missing; it grades a script task")


def one_writer(letters: Letters) -> bytes:
    """What one writer wrote at once. Raises BadReward where there was more than one, or one that came twice."""
    written = b"".join(letters.pieces)
    whole = len(written) <= LONGEST  # one write of more than a pipe's PIPE_BUF, 4096 bytes, may come in pieces
    if letters.openings > 1 or (whole and len(letters.pieces) > 1):
        raise BadReward("forged_report", "the reward was opened or written more than once")
    return written


def _ending(done: Execution) -> str | None:
    if done.timed_out or done.exit_code == -24:  # SIGXCPU
        return "timeout"
    if done.truncated:
        return "flood"
    return "crash" if done.exit_code is None or done.exit_code < 0 else None


def less_own(facts: Facts) -> Facts:
    """Less what a verifier in the same sandbox is there to do: read its tests, write its reward, start programs."""
    own = (f"{TESTS}/", f"{TOOLS}/", f"{LOGS}/", "/logs/")
    opened = tuple(path for path in facts.opened if not f"{path}/".startswith(own) and path != "/dev/tty")
    return replace(facts, opened=opened, executed=())


@cache
def _confine() -> bytes:
    return files("bowerbird.rewards.verifiers.inside").joinpath("confine.py").read_bytes()
