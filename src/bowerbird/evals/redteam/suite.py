"""One run of the red team: which policies, on which tasks, against which defences, to a report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from bowerbird.config import Config
from bowerbird.evals.redteam.attack import Attack
from bowerbird.evals.redteam.leftovers import GradesWorkspace
from bowerbird.evals.redteam.report import Report, Setup, compare
from bowerbird.evals.redteam.runner import Trial, play_all
from bowerbird.evals.redteam.script import SHELL
from bowerbird.evals.redteam.targets import Target, pairs
from bowerbird.orchestrator.grading import Defences, opened_judge, rules_of
from bowerbird.rewards import Rule
from bowerbird.rewards.judge import OpenJudge
from bowerbird.rewards.verifiers.task import TRUST, make_verifier, trust_key
from bowerbird.sandbox import Sandbox, open_sandbox
from bowerbird.types import ConfigError

NAIVE = ("naive-exit", "naive-stdout", "naive-pytest")  # graders of others, for the comparison


@dataclass(frozen=True, slots=True)
class Plan:
    """What to play. `config` gives sandbox, verifier, monitor, judge and seed; `monitor` False puts its rules aside."""

    config: Config
    attacks: tuple[Attack, ...]
    clean: tuple[Attack, ...]
    targets: tuple[Target, ...]
    tasks: str = "built in"
    monitor: bool = True
    graders: tuple[str, ...] = ()  # play the attacks against these as well

    @property
    def pairs(self) -> list[tuple[Attack, Target]]:
        """Clean policies and attacks with their targets, in the order they are played."""
        return pairs((*self.attacks, *self.clean), self.targets)

    @property
    def size(self) -> int:
        """How many trials there will be."""
        return len(self.pairs) + len(self.graders) * len(pairs(self.attacks, self.targets))


def select(policies: Sequence[Attack], only: Sequence[str]) -> tuple[Attack, ...]:
    """Those that some pattern names: an id, a shell pattern over ids, or the number of a class. All for no pattern."""
    return tuple(policy for policy in policies if not only or any(_named(policy, pattern) for pattern in only))


def check_patterns(policies: Sequence[Attack], only: Sequence[str]) -> None:
    """Raises ConfigError for a pattern that names nothing: a typing error must not look like a pass."""
    for pattern in only:
        if not select(policies, [pattern]):
            raise ConfigError(f"--only {pattern}: no attack or clean policy of that id, class or pattern; see --list")


def run_plan(plan: Plan, on_done: Callable[[Trial], None] = lambda _: None) -> Report:
    """Play it all. Raises SandboxUnavailable, ConfigError and ModelError for defences that cannot be made."""
    config = plan.config
    if not plan.pairs:
        raise ConfigError("nothing to play: none of the chosen policies is for a kind of verifier that the tasks have")
    sandbox = open_sandbox(config.sandbox.backend, config.monitor.watch, hide=[Path(config.tasks.source)])
    rules = rules_of(config) if plan.monitor else ()
    with opened_judge(config.judge) as judge:
        trials = _played(plan, plan.pairs, sandbox, config.verifier.kind, rules, judge, on_done)
        own = [trial for trial in trials if trial.attack in plan.attacks]
        compared = [compare(config.verifier.kind, own)] if plan.graders else []
        for grader in plan.graders:
            chosen = pairs(plan.attacks, plan.targets)
            compared.append(compare(grader, _played(plan, chosen, sandbox, grader, rules, None, on_done)))
    return Report(_setup(plan, rules, judge), tuple(trials), tuple(compared))


def _played(
    plan: Plan,
    chosen: Sequence[tuple[Attack, Target]],
    sandbox: Sandbox,
    grader: str,
    rules: tuple[Rule, ...],
    judge: OpenJudge | None,
    on_done: Callable[[Trial], None],
) -> list[Trial]:
    config = plan.config
    naive, verifier = grader != "task", make_verifier(grader, sandbox)  # the naive grade where the agent worked
    defences = Defences(
        GradesWorkspace(verifier) if naive else verifier, rules, judge, veto=config.judge.mode == "veto"
    )
    return play_all(
        chosen,
        sandbox,
        defences,
        seed=config.seed,
        workers=config.sandbox.workers,
        tier=_tier(config),
        keep=naive,
        on_done=on_done,
    )


def _tier(config: Config) -> str:
    return SHELL if config.scaffold.tier == "card" else config.scaffold.tier  # a card acts through nobody


def _setup(plan: Plan, rules: tuple[Rule, ...], judge: OpenJudge | None) -> Setup:
    config = plan.config
    return Setup(
        backend=config.sandbox.backend,
        grader=config.verifier.kind,
        watch=config.monitor.watch,
        rules=tuple(rule.id for rule in rules),
        judge="none" if judge is None else f"{judge.model} ({config.judge.mode}, {judge.model_hash[:12]})",
        seed=config.seed,
        tasks=plan.tasks,
        tier=_tier(config),
        trust=_trust(plan),
    )


def _trust(plan: Plan) -> dict[str, str]:
    """What can be said of each kind of verifier that graded."""
    grader = plan.config.verifier.kind
    if grader != "task":
        return {grader: TRUST[grader]}
    kinds = dict.fromkeys(trust_key(target.spec) for target in plan.targets)
    return {kind: TRUST[kind] for kind in kinds}


def _named(policy: Attack, pattern: str) -> bool:
    if pattern.isdecimal():
        return policy.number == int(pattern)
    return fnmatchcase(policy.id, pattern)
