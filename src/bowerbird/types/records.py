"""One frozen record per arrow of the data flow (docs/ARCHITECTURE.md). No stage changes its input."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

JsonValue: TypeAlias = Any  # whatever json.loads returns; mypy has no recursive alias for frozen dataclass fields


class Outcome(StrEnum):
    """How a finished rollout (or scaffold) counts."""

    VALID = "valid"
    HACKED = "hacked"  # reward 0, logged, and left out of the advantage computation
    INFRA_ERROR = "infra_error"  # the machinery failed: refilled, never scored


class Stage(StrEnum):
    """Which of the two stages sampled a token."""

    SCAFFOLD = "scaffold"
    SOLVE = "solve"


@dataclass(frozen=True, slots=True)
class Case:
    """One call of the function under test. Values are in the encoding of `sandbox.calls`."""

    args: tuple[JsonValue, ...]
    expected: JsonValue
    kwargs: Mapping[str, JsonValue] = field(default_factory=dict)


WHOLE = ("*",)  # as a task's submission: every file of the workspace that is new or different at the end


@dataclass(frozen=True, slots=True)
class TaskView:
    """The public half of a task: all that scaffolds, prompts and workspaces may ever see."""

    task_id: str
    category: str  # the family; archives share scaffolds within it
    instruction: str
    entry_point: str  # name of the function to write; "" for tasks that are not single functions
    examples: tuple[Case, ...]  # visible
    submission: tuple[str, ...] = ("solution.py",)  # declared files, relative to the workspace; WHOLE: all that differ
    difficulty: float = 0.5  # the author's guess, 0 easy to 1 never solved; used as a prior only
    workspace: Mapping[str, bytes] = field(default_factory=dict)  # files it starts with, some of them `Executable`
    visible: tuple[str, ...] = ()  # command that runs the visible tests there; examples have none
    git: bool = False  # those files are the one commit of a repository
    requirements: str = ""  # Python packages that its commands can import, as in a requirements file
    image: str = ""  # container image that its commands run in
    folder: str = ""  # where the workspace stands in it; it starts with what the image has there


@dataclass(frozen=True, slots=True)
class VerifierSpec:
    """The private half of a task. Only `rewards` may hold one."""

    task_id: str
    kind: str  # "oracle", "pytest" or "script"
    entry_point: str
    cases: tuple[Case, ...]  # hidden
    timeout_s: float = 5.0
    files: Mapping[str, bytes] = field(default_factory=dict)  # private files of other kinds of verifier
    expected_tests: tuple[str, ...] = ()  # pytest: ids, each of which must be observed passing
    canaries: tuple[str, ...] = ()  # pytest: ids of tests that must fail
    isolation: str = "process"  # from the grader: "process"; "none": they share one; "image": needs an image of its own
    requirements: str = ""  # this and the next two: as the task's
    image: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Sampling:
    """The distribution tokens were drawn from: what the learner must evaluate to get the same number.

    Logits are divided by `temperature`; where a grammar allowed only some tokens the softmax runs over
    those, and a share `explore` of the probability is spread evenly over them.
    """

    temperature: float = 1.0
    explore: float = 0.0
    max_tokens: int = 128
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """One model call, exactly as sampled. The four per-token tuples have equal length.

    `logprobs` are natural logs of the probability sampled from; forced tokens have 0 and are not trained.
    `choices[t]` holds the token ids the grammar allowed at `t`, or None where all were allowed.
    """

    prompt_ids: tuple[int, ...]
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    versions: tuple[int, ...]  # policy version that sampled each token
    sampled: tuple[bool, ...]  # False: forced by the grammar
    choices: tuple[tuple[int, ...] | None, ...]
    sampling: Sampling
    finish: str  # "stop", "length", or "too_long": the prompt left no room and nothing was sampled
    text: str = ""


@dataclass(frozen=True, slots=True)
class Scaffold:
    """A model-written harness as data. `spec` is None exactly when it is invalid, and `invalid` says why."""

    scaffold_id: str
    task_id: str
    tier: str  # "card", "plan" or "program"
    text: str
    spec: Mapping[str, JsonValue] | None
    invalid: str | None
    parent_id: str | None
    completion: Completion | None  # None for hand-written scaffolds
    version: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What sandboxed processes did, as far as `watchers` could see it. Every list is bounded; paths are as seen inside.

    `lost` counts events that were dropped: with any lost, silence proves nothing.
    """

    watchers: tuple[str, ...] = ()  # the mechanisms that watched, e.g. ("inotify", "seccomp")
    withheld_reads: tuple[str, ...] = ()  # decoys under /tests, /solution and the like whose content was opened
    protected_changes: tuple[str, ...] = ()  # protected files whose hash is no longer the one they started with
    opened: tuple[str, ...] = ()  # paths outside the workspace and the system folders that were opened or tried
    executed: tuple[str, ...] = ()  # programs started or tried
    connected: tuple[str, ...] = ()  # addresses connected to or tried, e.g. "inet 1.2.3.4:80"
    lost: int = 0

    def __or__(self, other: "Facts") -> "Facts":
        """Both together: every list without repeats, in order of first sight."""
        return Facts(
            watchers=_union(self.watchers, other.watchers),
            withheld_reads=_union(self.withheld_reads, other.withheld_reads),
            protected_changes=_union(self.protected_changes, other.protected_changes),
            opened=_union(self.opened, other.opened),
            executed=_union(self.executed, other.executed),
            connected=_union(self.connected, other.connected),
            lost=self.lost + other.lost,
        )


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


@dataclass(frozen=True, slots=True)
class Rollout:
    """One task solved (or not) under one scaffold."""

    rollout_id: str
    task_id: str
    scaffold_id: str
    calls: tuple[Completion, ...]
    submission: Mapping[str, bytes]  # declared files that were collected
    anomalies: tuple[str, ...]  # what was wrong with the submission's files
    facts: Facts  # of all its workspaces
    failure: str | None  # class of what went wrong while solving, never any test output
    infra_error: str | None  # set: the machinery failed and nothing else here counts
    log: tuple[Mapping[str, JsonValue], ...] = ()  # what the scaffold did, for people and judges


@dataclass(frozen=True, slots=True)
class Verification:
    """What the verifier measured on the submitted bytes."""

    reward: float  # finite, in [0, 1]
    failure: str | None  # None when the reward is 1
    passed: int
    total: int
    facts: Facts = Facts()  # what the submission did meanwhile, less what the verifier's own programs did
    wall_s: float = 0.0
    # What the submission did to the verifier itself, each "kind: details" in words of ours; kinds: "forged" (a report),
    # "exited" (its process, with status 0, before the end), "skipped" (raised a test runner's own outcome).
    signs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flag:
    """One objection of the monitor (or a judge), with its evidence."""

    rule: str
    reason: str
    evidence: str
    of_scaffold: bool = False  # the scaffold itself is the attack, not this rollout alone


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the frozen judge said of one rollout, with all that is needed to ask it again."""

    veto: bool  # False: it abstained
    reason: str
    quotes: tuple[str, ...]  # each stands word for word in the record that the judge was shown
    model_hash: str  # of a local model's weights; of the name and the endpoint for a remote one
    prompt_hash: str  # SHA-256 of all that was sent
    settings: Mapping[str, JsonValue]  # temperature, seed, longest answer
    void: bool = False  # a veto whose quotes are not in the record: counts as an abstention


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one rollout. `reward` is 0 unless the outcome is valid."""

    rollout_id: str
    outcome: Outcome
    reward: float
    failure: str | None
    flags: tuple[Flag, ...] = ()
    opinion: Opinion | None = None  # None: no judge was asked
    watchers: tuple[str, ...] = ()  # the mechanisms that watched this rollout
    error: str | None = None  # what the machinery did; where the outcome is valid, an advising judge was out


@dataclass(frozen=True, slots=True)
class Advantage:
    """Credit of one member of a group; `value` is None where it takes no part in the update."""

    member_id: str
    stage: Stage
    value: float | None


@dataclass(frozen=True, slots=True)
class TrainingSample:
    """One call with its credit: flat, and all the learner ever sees."""

    completion: Completion
    advantage: float
    stage: Stage


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A published set of weights: a complete directory in the Hugging Face layout."""

    number: int
    path: str
