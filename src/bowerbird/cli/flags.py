"""`bowerbird flags`."""

from pathlib import Path

import click

from bowerbird.cli.options import run_argument


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
