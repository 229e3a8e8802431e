"""`bowerbird import`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bowerbird.cli.options import FOLDER

if TYPE_CHECKING:
    from bowerbird.orchestrator.imported import Imported


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--to", "run_dir", required=True, type=FOLDER, help="The run directory to make.")
def import_(paths: tuple[Path, ...], run_dir: Path) -> None:
    """Read ATIF trajectories with token ids and log-probabilities into a new run directory.

    PATHS are files, or folders such as `bowerbird export` and Harbor leave. Every call is checked; what cannot be used
    is named. A run's own trajectories come back as the rollouts they were: rollouts/N.jsonl, with verdicts and flags.
    """
    from bowerbird.orchestrator.imported import read_trajectories, write_run
    from bowerbird.viewer.text import clean

    found, left_out = read_trajectories(paths)
    for why in left_out:
        click.echo(f"left out: {clean(why)}", err=True)
    write_run(run_dir, found)
    for line in _told(found):
        click.echo(clean(line))
    click.echo(f"rollouts in {run_dir / 'rollouts'}")


def _told(found: "Sequence[Imported]") -> list[str]:
    """What is in them."""
    from collections import Counter

    calls = [call for one in found for call in one.line["calls"]]
    versions = {version for call in calls for version in call["versions"]}
    tokens = sum(len(call["token_ids"]) for call in calls)
    verdicts = [one.verdict for one in found if one.verdict is not None]
    outcomes = Counter(verdict.outcome.value for verdict in verdicts)
    valid = [verdict.reward for verdict in verdicts if verdict.outcome.value == "valid"]
    return [
        f"{len(found)} trajectories, {len(calls)} calls, {tokens:,} tokens of policy versions "
        f"{min(versions, default=0)} to {max(versions, default=0)}",
        f"models: {', '.join(sorted({one.model for one in found if one.model})) or 'not named'}",
        f"verdicts: {', '.join(f'{count} {name}' for name, count in outcomes.items()) or 'none'}"
        + (f"; mean reward of the valid {sum(valid) / len(valid):.2f}" if valid else ""),
    ]
