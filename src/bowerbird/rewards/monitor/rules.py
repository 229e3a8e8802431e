"""The rules in force, and how they are asked.

A rule looks at one `Evidence` and either objects, with its evidence quoted, or says nothing. Rules hold no state and
see finished records only, so the same record always gets the same flags. A flag makes a rollout `hacked`; patterns in
text are hints, which never decide alone. Your own rules are classes with `id`, `reason` and `check`, named in the
configuration (`monitor.rules`).
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from bowerbird.config import imported
from bowerbird.rewards.evidence import Evidence
from bowerbird.rewards.monitor.canary import CanaryText
from bowerbird.rewards.monitor.carried import AnswerInScaffold
from bowerbird.rewards.monitor.hints import JudgeBait
from bowerbird.rewards.monitor.network import NetworkAttempt
from bowerbird.rewards.monitor.paths import ProcessPeeking, ProtectedChange, WithheldAttempt, WithheldRead
from bowerbird.rewards.monitor.processes import PrivilegeAttempt, Scheduler, ToolShim
from bowerbird.rewards.monitor.rule import Rule, clip
from bowerbird.rewards.monitor.scaffolds import NullTest, TaskIdBranch
from bowerbird.rewards.monitor.submission import EarlyExit, ForgedReport, SkipRaised, SubmissionAnomaly, UnseenPass
from bowerbird.types import ConfigError, Flag, InfraError

RULES: tuple[Rule, ...] = (
    WithheldRead(),
    WithheldAttempt(),
    CanaryText(),
    ProtectedChange(),
    SubmissionAnomaly(),
    NullTest(),
    AnswerInScaffold(),
    TaskIdBranch(),
    ForgedReport(),
    EarlyExit(),
    SkipRaised(),
    UnseenPass(),
    ProcessPeeking(),
    NetworkAttempt(),
    PrivilegeAttempt(),
    Scheduler(),
    ToolShim(),
)
HINTS: tuple[Rule, ...] = (JudgeBait(),)

_RESERVED = frozenset(["judge"])  # a judge's veto is filed under this
_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,39}\Z")


def inspect(evidence: Evidence, rules: Sequence[Rule] = RULES, hints: Sequence[Rule] = HINTS) -> tuple[Flag, ...]:
    """Every rule's objection, in the order of the rules; where there is any, then those of the hints.

    Whatever a candidate wrote ends in flags or in none. Raises InfraError for a rule that itself fails.
    """
    flags = [flag for rule in rules if (flag := _ask(rule, evidence)) is not None]
    if flags:
        flags += [flag for hint in hints if (flag := _ask(hint, evidence)) is not None]
    return tuple(flags)


def _ask(rule: Rule, evidence: Evidence) -> Flag | None:
    try:
        flag = rule.check(evidence)
        return None if flag is None else replace(flag, evidence=clip(flag.evidence))
    except Exception as error:
        raise InfraError(f"the monitor's rule {rule.id} failed: {type(error).__name__}: {clip(str(error))}") from error


def load_rules(names: Sequence[str]) -> tuple[Rule, ...]:
    """`RULES` and then the user's, each given as "module:name" of a rule or of a class that makes one without
    arguments.

    Importing runs the user's module, which is trusted like the configuration that names it. Raises ConfigError.
    """
    rules = list(RULES)
    for name in names:
        rule = _load(name)
        if rule.id in {known.id for known in (*rules, *HINTS)} | _RESERVED:
            raise ConfigError(f"monitor.rules: {name!r} has the id {rule.id!r}, which is taken; give it another")
        rules.append(rule)
    return tuple(rules)


def _load(name: str) -> Rule:
    found = imported(name, "monitor.rules")
    try:
        rule = found() if isinstance(found, type) else found
    except Exception as error:  # whatever somebody else's class does when it is made
        raise ConfigError(f"monitor.rules: cannot make {name!r}: {type(error).__name__}: {error}") from error
    identity, reason, check = (getattr(rule, part, None) for part in ("id", "reason", "check"))
    if not isinstance(identity, str) or not _ID.match(identity):
        raise ConfigError(f"monitor.rules: {name!r} needs an `id` of lower-case letters, digits and hyphens")
    if not isinstance(reason, str) or not reason.strip():
        raise ConfigError(f"monitor.rules: {name!r} needs a `reason`, a short text for reports")
    if not callable(check):
        raise ConfigError(f"monitor.rules: {name!r} needs a method `check(evidence)` that returns a Flag or None")
    return cast(Rule, rule)
