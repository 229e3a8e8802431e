"""`bowerbird train`."""

from pathlib import Path

import click

from bowerbird.cli.grading import show_trust
from bowerbird.cli.options import FILE, FOLDER, plain_lines, settings, training_extra
from bowerbird.types import ConfigError, RunError


@click.command()
@click.argument("config_file", metavar="[CONFIG]", type=FILE, required=False)
@click.option("--resume", type=FOLDER, metavar="RUN_DIR", help="Go on with this run from its last checkpoint.")
@click.option(
    "--loop",
    type=click.Choice(["sync", "async"]),
    help="async: sampling, grading and learning overlap. Short for --set loop=...",
)
@settings
@click.option("--runs", type=FOLDER, default=Path("runs"), show_default=True, help="Where run directories are made.")
@plain_lines
def train(
    config_file: Path | None,
    resume: Path | None,
    loop: str | None,
    overrides: tuple[str, ...],
    runs: Path,
    plain: bool,
) -> None:
    """Train as the TOML file CONFIG says, then evaluate the model as it was and as it is.

    Makes the directory RUNS/NAME. Ctrl-C finishes the step at hand, saves and stops; `--resume RUNS/NAME` goes on
    as if nothing had happened, and may change `steps` and the like with --set. A second Ctrl-C stops at once.
    """
    from bowerbird.config import load_config
    from bowerbird.viewer.live import make_watcher

    if loop is not None:
        overrides = (*overrides, f"loop={loop}")
    if resume is not None:
        if config_file is not None:
            raise click.UsageError("a resumed run keeps its own configuration: give --resume without CONFIG")
        folder = resume
        if not (folder / "config.toml").is_file():
            raise RunError(f"{folder} is not a run directory: it has no config.toml")
        if overrides:
            from bowerbird.orchestrator.store import reconfigure

            reconfigure(folder, overrides)
        config = load_config(folder / "config.toml")
    elif config_file is not None:
        config = load_config(config_file, list(overrides))
        folder = runs / config.name
    else:
        raise click.UsageError("name a configuration to train, or a run to --resume")
    with training_extra():
        from bowerbird.evals.session import train_and_evaluate
    try:
        with make_watcher(True if plain else None) as watcher:
            done = train_and_evaluate(config, runs, watcher, resume)
    except KeyboardInterrupt:
        if not (folder / "config.toml").is_file():
            raise RunError("stopped before the run began") from None
        raise RunError(f"stopped; go on with: bowerbird train --resume {folder}") from None
    _finish(done)


def _finish(run_dir: Path) -> None:
    """The run is done and saved: what fails from here on is only told."""
    from bowerbird.viewer.curves import draw_curves
    from bowerbird.viewer.run_folder import RunFolder
    from bowerbird.viewer.tables import evaluation_tables, show

    folder = RunFolder(run_dir)
    for table in evaluation_tables(folder.evaluation("before"), folder.evaluation("after")):
        click.echo()
        show(table)
    latest = folder.evaluation("after") or folder.evaluation("before")
    if latest is not None:
        show_trust(latest)
    click.echo()
    try:
        click.echo(f"curves: {draw_curves(run_dir)}")
    except (ConfigError, RunError) as error:
        click.echo(f"no curves: {error}", err=True)
    click.echo(f"run:    {run_dir}")
