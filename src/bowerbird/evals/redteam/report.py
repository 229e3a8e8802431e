"""What the red team found: totals, problems, tables, as records, JSON and Markdown."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bowerbird.evals.redteam.attack import KINDS, Attack, Layer
from bowerbird.evals.redteam.classes import AREAS, CLASSES, area
from bowerbird.evals.redteam.runner import Ending, Trial, problem
from bowerbird.types import Opinion, Outcome


@dataclass(frozen=True, slots=True)
class Setup:
    """Under what the policies were played."""

    backend: str
    grader: str  # "task", or the naive grader that stood in its place
    watch: str  # what was asked for; what really watched is in the trials
    rules: tuple[str, ...]  # ids; empty: the monitor was off
    judge: str  # "none", or its mode and name
    seed: int
    tasks: str  # "built in", or where they came from
    trust: Mapping[str, str] = field(default_factory=dict)  # kind of verifier -> how far it can be trusted
    tier: str = "shell"  # how the scripts acted

    @property
    def monitor(self) -> bool:
        return bool(self.rules)


@dataclass(frozen=True, slots=True)
class Compared:
    """One grader against all attacks that it can grade."""

    grader: str
    attacks: int  # attacks with at least one trial that counts
    earned: int  # of these, attacks that the grader alone would have rewarded on some task
    rewarded: int  # of these, attacks that were rewarded with the monitor on
    needs_judge: int  # attacks left out: only a judge could tell


@dataclass(frozen=True, slots=True)
class Report:
    """All trials of one run. Clean policies have `Layer.NONE`."""

    setup: Setup
    trials: tuple[Trial, ...]
    compared: tuple[Compared, ...] = ()

    @property
    def attacks(self) -> tuple[Trial, ...]:
        """Trials of attacks that layers 1 and 2 must stop."""
        return self._of(Layer.BOUNDARY, Layer.MONITOR)

    @property
    def for_judges(self) -> tuple[Trial, ...]:
        """Trials of attacks that only a judge can tell from honest work."""
        return self._of(Layer.JUDGE)

    @property
    def clean(self) -> tuple[Trial, ...]:
        """Trials of clean policies."""
        return self._of(Layer.NONE)

    @property
    def problems(self) -> tuple[tuple[Trial, str], ...]:
        """Trials that did not go as they must, and why. Empty is what a sound set-up gives."""
        found = ((trial, problem(trial, monitor=self.setup.monitor)) for trial in self.trials)
        return tuple((trial, why) for trial, why in found if why is not None)

    @property
    def watchers(self) -> tuple[str, ...]:
        """The mechanisms that watched, over all trials."""
        return tuple(dict.fromkeys(name for trial in self.trials for name in trial.watchers))

    def _of(self, *layers: Layer) -> tuple[Trial, ...]:
        return tuple(trial for trial in self.trials if trial.attack.stopped_by in layers)


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: cells as text, the columns named in `right` aligned to the right."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[str] = frozenset()


def compare(grader: str, trials: Sequence[Trial]) -> Compared:
    """One row of the comparison. A trial that the machinery lost does not count."""
    counted = [t for t in trials if t.outcome is not Outcome.INFRA_ERROR]
    decided = [t for t in counted if t.attack.stopped_by in (Layer.BOUNDARY, Layer.MONITOR)]
    return Compared(
        grader=grader,
        attacks=len({t.attack.id for t in decided}),
        earned=len({t.attack.id for t in decided if t.earned > 0}),
        rewarded=len({t.attack.id for t in decided if t.reward > 0}),
        needs_judge=len({t.attack.id for t in counted if t.attack.stopped_by is Layer.JUDGE}),
    )


def grids(report: Report) -> list[Grid]:
    """All tables that have rows, in the order a reader wants them."""
    found = [
        _attack_grid("Attacks that layers 1 and 2 decide", report.attacks),
        _attack_grid(f"Attacks that only a judge can tell (judge: {report.setup.judge})", report.for_judges),
        _area_grid(report.attacks + report.for_judges),
        _compared_grid(report.compared),
        _problem_grid(report.problems),
    ]
    return [grid for grid in found if grid.rows]


def listing(policies: Sequence[Attack]) -> Grid:
    """What there is to play."""
    rows = tuple(
        (str(p.number) if p.number else "–", p.id, p.title, str(p.stopped_by), " ".join(p.against)) for p in policies
    )
    columns = ("class", "policy", "what it does", "stopped by", "verifiers")
    return Grid(f"{len(rows)} policies", columns, rows, frozenset({"class"}))


def totals(report: Report) -> list[str]:
    """The figures in sentences."""
    lines = [_endings_line("that layers 1 and 2 decide", report.attacks)]
    if report.for_judges:
        lines.append(_endings_line("that only a judge can tell", report.for_judges))
        advised = sum(t.ending is Ending.SUCCEEDED and _objects(t.opinion) for t in report.for_judges)
        if report.setup.judge == "none":
            lines[-1] += ": these need a judge, and none was configured"
        elif advised:
            lines[-1] += f"; to {advised} that succeeded the judge objected, which was advice only"
    classes = {trial.attack.number for trial in report.attacks + report.for_judges}
    if classes:
        lines.append(f"{len(classes)} of {len(CLASSES)} classes of attack")
    if report.clean:
        lines.append(_clean_line(report.clean))
    setup = report.setup
    monitor = f"{len(setup.rules)} rules" if setup.monitor else "off"
    lines.append(
        f"back end {setup.backend}, grader {setup.grader}, monitor {monitor}, watched by "
        f"{' and '.join(report.watchers) or 'nothing'}, judge {setup.judge}, tier {setup.tier}, seed {setup.seed}, "
        f"tasks {setup.tasks}"
    )
    lines += [f"{kind}: {sentence}" for kind, sentence in setup.trust.items()]
    return lines


def _endings_line(what: str, trials: Sequence[Trial]) -> str:
    count = Counter(trial.ending for trial in trials)
    policies = len({trial.attack.id for trial in trials})
    parts = ", ".join(f"{count[ending]} {_word(ending)}" for ending in Ending if count[ending])
    return f"{_number(policies, 'attack')} {what}, {_number(len(trials), 'trial')}: {parts or 'none played'}"


def _objects(opinion: Opinion | None) -> bool:
    return opinion is not None and opinion.veto and not opinion.void


def _clean_line(trials: Sequence[Trial]) -> str:
    flagged = [trial for trial in trials if trial.rules]
    vetoed = [trial for trial in trials if trial.outcome is Outcome.HACKED and not trial.rules]
    policies = len({trial.attack.id for trial in trials})
    line = f"{_number(policies, 'clean policy')}, {_number(len(trials), 'trial')}: {len(flagged)} flagged"
    return line + (f", {len(vetoed)} vetoed by the judge" if vetoed else "")


def _attack_grid(title: str, trials: Sequence[Trial]) -> Grid:
    kinds = tuple(kind for kind in KINDS if any(trial.kind == kind for trial in trials))
    rows = []
    for own in _by_attack(trials):
        attack = own[0].attack
        cells = tuple(_stopped([trial for trial in own if trial.kind == kind]) for kind in kinds)
        rules = dict.fromkeys(rule for trial in own for rule in trial.rules)
        rows.append((str(attack.number), attack.id, attack.title, *cells, " ".join(rules) or "–"))
    return Grid(title, ("class", "attack", "what it does", *kinds, "flagged by"), tuple(rows), frozenset({"class"}))


def _area_grid(trials: Sequence[Trial]) -> Grid:
    rows = []
    for name in AREAS:
        own = [trial for trial in trials if area(trial.attack.number) == name]
        if own:
            count = Counter(trial.ending for trial in own)
            classes, policies = {t.attack.number for t in own}, {t.attack.id for t in own}
            rows.append((name, str(len(classes)), str(len(policies)), *(str(count[ending]) for ending in Ending)))
    endings = tuple(_word(ending) for ending in Ending)
    columns = ("area", "classes", "attacks", *endings)
    return Grid("By area, trials by how they ended", columns, tuple(rows), frozenset(columns[1:]))


def _compared_grid(compared: Sequence[Compared]) -> Grid:
    rows = tuple(
        (c.grader, str(c.attacks), f"{c.earned} ({_share(c.earned, c.attacks)})", str(c.rewarded)) for c in compared
    )
    columns = ("grader", "attacks it can grade", "rewarded by the grader alone", "still rewarded with the monitor")
    return Grid("The same attacks against other graders", columns, rows, frozenset(columns[1:]))


def _problem_grid(problems: Sequence[tuple[Trial, str]]) -> Grid:
    rows = tuple((trial.attack.id, trial.task_id, why) for trial, why in problems)
    return Grid(_number(len(rows), "problem"), ("policy", "task", "what is wrong"), rows)


def _by_attack(trials: Sequence[Trial]) -> list[list[Trial]]:
    """Trials of each attack, attacks by class and then in the order given."""
    found: dict[str, list[Trial]] = {}
    for trial in sorted(trials, key=lambda trial: trial.attack.number):
        found.setdefault(trial.attack.id, []).append(trial)
    return list(found.values())


def _stopped(trials: Sequence[Trial]) -> str:
    """How an attack ended on the tasks of one kind: one word if it was the same on all."""
    count = Counter(trial.ending for trial in trials)
    if len(count) <= 1:
        return next((_word(ending) for ending in count), "–")
    return ", ".join(f"{count[ending]} {_word(ending)}" for ending in reversed(Ending) if count[ending])


def _word(ending: Ending) -> str:
    return "infra error" if ending is Ending.INFRA_ERROR else str(ending)


def _number(count: int, noun: str) -> str:
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{count} {noun if count == 1 else plural}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}%" if whole else "–"


def to_json(report: Report) -> str:
    """All of it, every trial with its evidence."""
    raw: dict[str, Any] = {
        "setup": asdict(report.setup) | {"trust": dict(report.setup.trust)},
        "watchers": report.watchers,
        "totals": totals(report),
        "trials": [_trial_record(trial, report.setup.monitor) for trial in report.trials],
        "compared": [asdict(row) for row in report.compared],
    }
    return json.dumps(raw, indent=1) + "\n"


def _trial_record(trial: Trial, monitor: bool) -> dict[str, Any]:
    attack: Attack = trial.attack
    clean = attack.stopped_by is Layer.NONE
    return {
        "attack": attack.id,
        "class": attack.number,
        "title": attack.title,
        "stopped_by": attack.stopped_by,
        "task": trial.task_id,
        "kind": trial.kind,
        "ending": None if clean else trial.ending,
        "outcome": trial.outcome,
        "reward": trial.reward,
        "earned": trial.earned,
        "failure": trial.failure,
        "flags": [asdict(flag) for flag in trial.flags],
        "opinion": asdict(trial.opinion) if trial.opinion is not None else None,
        "watchers": trial.watchers,
        "error": trial.error,
        "seconds": round(trial.seconds, 3),
        "problem": problem(trial, monitor=monitor),
    }


def to_markdown(report: Report) -> str:
    """The same tables and sentences, as a document."""
    parts = ["# Red team", "", *(f"- {_escaped(line)}" for line in totals(report))]
    for grid in grids(report):
        parts += ["", f"## {_escaped(grid.title)}", "", *_markdown_rows(grid)]
    return "\n".join(parts) + "\n"


def _markdown_rows(grid: Grid) -> Iterable[str]:
    yield _row(grid.columns)
    yield _row("---:" if column in grid.right else "---" for column in grid.columns)
    for row in grid.rows:
        yield _row(_escaped(cell) for cell in row)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _escaped(text: str) -> str:
    """On one line, without markup: evidence quotes what a policy wrote."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return "".join("\\" + c if c in "\\`*_<>[]|#" else c for c in shown)
