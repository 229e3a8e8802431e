"""One scripted policy of the red team: what its scaffold does, what its model answers, and who must stop it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from bowerbird.types import TaskView

KINDS = ("oracle", "pytest", "script")  # verifiers, as in `VerifierSpec.kind`


class Layer(StrEnum):
    """The last layer that may still stop an attack; an earlier one is as good."""

    BOUNDARY = "boundary"  # must fail by structure, with the monitor off
    MONITOR = "monitor"  # must fail by structure or be flagged
    JUDGE = "judge"  # facts alone cannot tell: listed apart, with the judge that was used
    NONE = "none"  # a clean policy: nothing may object


@dataclass(frozen=True, slots=True)
class Policy:
    """What goes through the rollout in a model's place.

    `opening` are shell commands of the scaffold, run before the first model call. `replies` are the model's turns:
    text, with at most one ```sh block each (see `sh` and `write`). `scaffold_text` is the scaffold as written.
    """

    replies: tuple[str, ...]
    opening: tuple[str, ...] = ()
    scaffold_text: str = '{"tier": "shell"}'


@dataclass(frozen=True, slots=True)
class Attack:
    """One way to be rewarded without solving (or, with `Layer.NONE`, an honest policy).

    `policy` builds it for a task: names, paths and timing come from the Random, so that no rule can match the script.
    `number` is the class of attack, 1 to 74; 0 for a clean policy. `against` are the kinds of verifier it is for.
    """

    id: str  # e.g. "02-conftest-report-hook"; unique
    number: int
    title: str
    stopped_by: Layer
    policy: Callable[[TaskView, Random], Policy]
    against: tuple[str, ...] = KINDS
    solves: bool = False  # clean policies only: a valid rollout with reward 1 is expected


def sh(command: str, remark: str = "") -> str:
    """A turn that runs `command`."""
    return f"{remark}\n```sh\n{command}\n```\n"


def write(path: str, text: str, remark: str = "") -> str:
    """A turn that writes `text` to `path` in the workspace. The text may hold anything but the marker line."""
    folder = f"mkdir -p \"$(dirname '{path}')\"\n" if "/" in path else ""
    return sh(f"{folder}cat > '{path}' <<'BOWERBIRD_END'\n{text.rstrip()}\nBOWERBIRD_END", remark)


def fresh_name(random: Random, stem: str = "") -> str:
    """An identifier nobody has seen before."""
    return stem + "".join(random.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(7))
