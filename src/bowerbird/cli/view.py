"""`bowerbird view`."""

from pathlib import Path

import click

from bowerbird.cli.options import run_argument


@click.command()
@run_argument
def view(run_dir: Path) -> None:
    """Show a run: its last steps, its evaluations, and curves.png drawn anew. Works while the run goes on."""
    from bowerbird.viewer.curves import draw_curves
    from bowerbird.viewer.run_folder import RunFolder
    from bowerbird.viewer.tables import evaluation_tables, show, steps_table

    folder = RunFolder(run_dir)
    reports = folder.metrics()
    if reports:
        show(steps_table(reports))
    for table in evaluation_tables(folder.evaluation("before"), folder.evaluation("after")):
        click.echo()
        show(table)
    click.echo(f"\ncurves: {draw_curves(run_dir)}")
