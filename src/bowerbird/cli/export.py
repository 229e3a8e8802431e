"""`bowerbird export`."""

from pathlib import Path

import click

from bowerbird.cli.options import FOLDER, run_argument


@click.command()
@run_argument
@click.option("--to", "folder", type=FOLDER, help="Where they go; RUN_DIR/trajectories by default.")
@click.option(
    "--stage",
    type=click.Choice(["solve", "scaffold"]),
    default="solve",
    show_default=True,
    help="The rollouts, or the proposals.",
)
def export(run_dir: Path, folder: Path | None, stage: str) -> None:
    """Write a run's rollouts as ATIF trajectories, with token ids and log-probabilities.

    The folder is one that `harbor view` opens: a job for each step, in it a trial for each rollout with its reward, its
    outcome and the file agent/trajectory.json. `bowerbird import` reads them back.
    """
    from bowerbird.config import load_config
    from bowerbird.viewer.harbor import export as write
    from bowerbird.viewer.run_folder import RunFolder

    run = RunFolder(run_dir)
    target = folder or run_dir / "trajectories"
    count = write(run, target, load_config(run_dir / "config.toml").model.name, stage)
    click.echo(f"{count} trajectories in {target}")
