"""`bowerbird scaffolds`."""

from pathlib import Path

import click

from bowerbird.cli.options import run_argument
from bowerbird.types import RunError


@click.command()
@run_argument
@click.option("--task", "task_id", metavar="ID", help="Only scaffolds of this task.")
@click.option("--best", default=10, show_default=True, type=click.IntRange(min=1), help="How many cards to list.")
@click.option("--lineage", metavar="ID", help="Draw the lineage of this scaffold instead of the best card's.")
def scaffolds(run_dir: Path, task_id: str | None, best: int, lineage: str | None) -> None:
    """Show the best cards of a run and where they came from.

    Equal cards are taken together. The order is by mean return, drawn towards the mean of all cards as if each had
    four average results more, so that one lucky try does not lead. In the lineage, forebears stand above the
    scaffold marked *, descendants below; each line says what changed against its parent.
    """
    from bowerbird.viewer.cards import card_text, lineage_lines, rank_cards
    from bowerbird.viewer.run_folder import RunFolder
    from bowerbird.viewer.tables import Table, show

    rows = RunFolder(run_dir).scaffolds()
    if not rows:
        raise RunError(f"{run_dir} has no scaffolds yet: no step is finished")
    chosen = [row for row in rows if task_id is None or row.task_id == task_id]
    if not chosen:
        raise RunError(f"no scaffold for task {task_id!r} in this run")
    invalid = sum(row.invalid is not None for row in chosen)
    hacked = sum(row.outcome == "hacked" for row in chosen)
    ranked = rank_cards(chosen)
    if lineage is None:
        lines = tuple(
            (f"{c.mean:.2f}", str(c.uses), f"{c.first_step}-{c.last_step}", c.best.scaffold_id, card_text(c.spec))
            for c in ranked[:best]
        )
        title = f"{len(chosen)} scaffolds, {len(ranked)} different cards, {invalid} invalid, {hacked} hacked"
        columns = ("return", "uses", "steps", "best use", "card")
        show(Table(title, columns, lines, frozenset({"return", "uses", "steps"})))
        if not ranked:
            return
        click.echo()
    subject = lineage if lineage is not None else ranked[0].best.scaffold_id
    drawn = lineage_lines(rows, subject)
    click.echo("\n".join([f"Lineage of {subject}", *drawn]))
