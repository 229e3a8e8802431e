"""A user's rules, as `monitor.rules` names them; good ones and bad ones."""

from dataclasses import dataclass

from bowerbird.rewards import Evidence
from bowerbird.rewards.monitor import objection
from bowerbird.types import Flag


@dataclass(frozen=True)
class NoPerl:
    """Perl is not allowed in this house. It has its reasons."""

    id: str = "no-perl"
    reason: str = "started perl"

    def check(self, evidence: Evidence) -> Flag | None:
        return objection(self, [path for path in evidence.facts.executed if path.endswith("/perl")])


ready_made = NoPerl(id="no-perl-again")
same_id = NoPerl(id="withheld-read")
judge_id = NoPerl(id="judge")
bad_id = NoPerl(id="No Perl!")
no_reason = NoPerl(id="silent", reason=" ")
no_rule = 7


class NoCheck:
    id = "no-check"
    reason = "never asked"


class Demanding:
    def __init__(self, needed: int) -> None:
        self.needed = needed


class Broken:
    id = "broken"
    reason = "cannot work"

    def check(self, evidence: Evidence) -> Flag | None:
        raise KeyError(evidence.task.task_id)


class Talkative:
    id = "talkative"
    reason = "says too much"

    def check(self, evidence: Evidence) -> Flag | None:
        return Flag(self.id, self.reason, "much\n" * 10_000)
