"""`bowerbird simulate`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bowerbird.cli.options import FILE, FOLDER

if TYPE_CHECKING:
    from bowerbird.orchestrator.simulation.workload import GroupPlan


@click.command()
@click.argument("file", type=FILE)
@click.option("--run", "run_dir", type=FOLDER, help="Take the rollouts' lengths from this run; tools as in FILE.")
@click.option("--gpus", metavar="N,N,...", help="Clusters to simulate, in place of FILE's.")
@click.option("--picture", type=FILE, help="Draw a picture into this PNG file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON in place of tables.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a figure of FILE, e.g. --set age.max_age=2.",
)
def simulate(
    file: Path, run_dir: Path | None, gpus: str | None, picture: Path | None, as_json: bool, overrides: tuple[str, ...]
) -> None:
    """Simulate the asynchronous loop on clusters of many sizes, from figures in FILE.

    Same admission rule and staleness weight as in training, simulated clocks: utilisation of both roles, ages of the
    tokens, throughput and cost, beside the synchronous loop. See recipes/simulate-35b.toml for what FILE says. A
    minute or so for five clusters.
    """
    import json
    from dataclasses import asdict

    from bowerbird.orchestrator.simulation.cluster import sweep
    from bowerbird.orchestrator.simulation.measured import read_run
    from bowerbird.orchestrator.simulation.settings import load_settings
    from bowerbird.viewer.progress import Progress
    from bowerbird.viewer.simulation import draw_simulation, remarks, simulation_tables
    from bowerbird.viewer.tables import show

    found = load_settings(file, [*overrides, *([f"gpus=[{gpus}]"] if gpus else [])])
    recorded: tuple[GroupPlan, ...] = ()
    if run_dir is not None:
        measured = read_run(run_dir)
        found = measured.apply(found)
        recorded = measured.with_tools(found)
    rows = []
    with Progress("simulating", len(found.gpus)) as progress:
        for row in sweep(found, recorded):
            rows.append(row)
            progress.advance()
    if as_json:
        click.echo(json.dumps({"settings": found.model_dump(), "rows": [asdict(row) for row in rows]}))
    else:
        for table in simulation_tables(found.name, rows):
            show(table)
            click.echo()
        for line in remarks(rows):
            click.echo(line)
    if picture is not None:
        drawn = draw_simulation(found.name, found.age, rows, picture)
        click.echo(f"picture: {drawn}", err=as_json)
