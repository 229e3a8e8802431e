"""Arguments that several commands share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from bowerbird.types import ConfigError

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)

settings = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a setting, e.g. --set steps=40 --set learner.learning_rate=1e-5. May be repeated.",
)
plain_lines = click.option("--plain", is_flag=True, help="Plain lines even on a terminal.")
run_argument = click.argument("run_dir", type=FOLDER)
source_argument = click.argument("source", default="katas")
count_option = click.option("--count", type=click.IntRange(min=1), help="How many tasks, from the start.")
seed_option = click.option("--seed", default=0, show_default=True, help="Seed of generated tasks.")


@contextmanager
def training_extra() -> Iterator[None]:
    """Around imports that need the extra `train`: a package that is missing becomes a ConfigError."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "bowerbird":
            raise
        raise ConfigError(
            f"this command needs the extra 'train': pip install 'bowerbird[train]' (no module {error.name})"
        ) from error
