"""`bowerbird flags`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bowerbird.cli.options import run_argument

if TYPE_CHECKING:
    from bowerbird.orchestrator.progress import StepReport
    from bowerbird.viewer.tables import Table


@click.command()
@run_argument
@click.option("--rule", metavar="ID", help="Only objections of this rule.")
def flags(run_dir: Path, rule: str | None) -> None:
    """List the rollouts that the monitor objected to, with its evidence."""
    from bowerbird.viewer.run_folder import RunFolder
    from bowerbird.viewer.tables import Table, show

    folder = RunFolder(run_dir)
    found = [flag for flag in folder.flags() if rule is None or flag.rule == rule]
    rollouts = sum(folder.outcomes().values())
    if not found:
        click.echo(f"no flag on {rollouts} rollouts" + (f" by the rule {rule}" if rule is not None else ""))
        return
    rows = tuple((str(f.step), f.rollout_id, f.task_id, f.rule, f.reason, f.evidence) for f in found)
    columns = ("step", "rollout", "task", "rule", "reason", "evidence")
    title = f"{len({f.rollout_id for f in found})} of {rollouts} rollouts flagged"
    show(Table(title, columns, rows, frozenset({"step"})))
    click.echo()
    show(_rates(folder.metrics(), rule))


def _rates(reports: "Sequence[StepReport]", rule: str | None) -> "Table":
    """Share of the graded rollouts that each rule flagged: in the whole run, and in its first and last quarter."""
    from bowerbird.viewer.tables import Table

    quarter = max(len(reports) // 4, 1)
    spans = (reports, reports[:quarter], reports[-quarter:])
    rules = sorted({name for report in reports for name in report.flags if rule is None or name == rule})
    rows = tuple((name, *(_rate(span, name) for span in spans)) for name in rules)
    columns = ("rule", "all steps", "first quarter", "last quarter")
    return Table("Share of rollouts by rule", columns, rows, frozenset(columns[1:]))


def _rate(reports: "Sequence[StepReport]", rule: str) -> str:
    graded = sum(report.valid + report.hacked for report in reports)
    flagged = sum(report.flags.get(rule, 0) for report in reports)
    return f"{flagged} ({flagged / graded:.1%})" if graded else "-"
