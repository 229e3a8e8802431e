"""The group of all commands, and how their errors end."""

from typing import Any

import click

from bowerbird import __version__
from bowerbird.types import BowerbirdError, ConfigError, TaskError


class Failure(click.ClickException):
    """One of our errors on its way out: a line on standard error, no traceback, exit status 1."""

    def show(self, file: Any = None) -> None:
        from bowerbird.viewer.text import clean_lines

        click.echo(f"error: {clean_lines(self.message)}", file=file, err=True)


class Misuse(Failure):
    """An error that the user's settings or tasks caused: exit status 2, as for wrong arguments."""

    exit_code = 2


class Commands(click.Group):
    """Lists commands in the order they were added, and turns our errors into failures."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ConfigError, TaskError) as error:
            raise Misuse(str(error)) from error
        except BowerbirdError as error:
            raise Failure(str(error)) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="bowerbird")
def bowerbird() -> None:
    """Train a coding model to write its own harness, and look at what came of it.

    \b
    bowerbird sandbox check            does this machine have a sandbox that holds
    bowerbird train recipes/demo.toml  train, with an evaluation before and after
    bowerbird view runs/demo           tables and curves of a run

    Completion: see `bowerbird completion --help`.
    """
