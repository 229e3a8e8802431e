"""`bowerbird redteam`."""

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from bowerbird.cli.options import FILE, settings
from bowerbird.types import ConfigError, RunError

if TYPE_CHECKING:
    from bowerbird.config import Config
    from bowerbird.evals.redteam.report import Grid, Report
    from bowerbird.evals.redteam.suite import Plan

NAIVE = ("naive-exit", "naive-stdout", "naive-pytest")


class Options(TypedDict):
    """What was asked for on the command line."""

    tasks: str | None
    count: int | None
    only: tuple[str, ...]
    listing: bool
    clean: bool
    config_file: Path | None
    overrides: tuple[str, ...]
    backend: str | None
    watch: str | None
    monitor: str
    judge: str | None
    judge_endpoint: str | None
    judge_model: str | None
    against: str | None
    compare: bool
    seed: int | None
    workers: int | None
    tier: str | None
    json_file: Path | None
    markdown_file: Path | None


@click.command()
@click.option(
    "--tasks", metavar="SOURCE", help="Attack these: a directory of Harbor tasks, a .jsonl file, katas or repos."
)
@click.option("--count", type=click.IntRange(min=1), help="With --tasks: only so many of them, from the start.")
@click.option("--only", multiple=True, metavar="WHICH", help="An id, a class (1 to 74) or a pattern. May be repeated.")
@click.option("--list", "listing", is_flag=True, help="List the policies and play none.")
@click.option("--clean/--no-clean", default=True, show_default=True, help="Play the clean policies too.")
@click.option("--config", "config_file", type=FILE, help="Defences as this run configuration has them.")
@settings
@click.option("--backend", metavar="NAME", help="Sandbox to play in; local by default.")
@click.option("--watch", type=click.Choice(["auto", "decoys", "trace", "off"]), help="What watches the processes.")
@click.option(
    "--monitor", type=click.Choice(["on", "off"]), default="on", show_default=True, help="The monitor's rules."
)
@click.option("--judge", type=click.Choice(["off", "advisory", "veto"]), help="Ask a frozen judge; off by default.")
@click.option("--judge-endpoint", metavar="URL", help="Its OpenAI-compatible server; without one, in this process.")
@click.option("--judge-model", metavar="NAME", help="Its model.")
@click.option("--against", type=click.Choice(NAIVE), help="Put a grader that can be cheated in the verifiers' place.")
@click.option("--compare", is_flag=True, help="Play the attacks against those graders as well, side by side.")
@click.option("--seed", type=int, help="Seed of the built-in task and of all names; 0 by default.")
@click.option("--workers", type=click.IntRange(min=1), help="Policies at once; 2 by default.")
@click.option(
    "--tier",
    type=click.Choice(["shell", "plan", "program"]),
    help="How the scripts act: a linear loop (the default), the turn loop of plans, a program in its own sandbox.",
)
@click.option("--json", "json_file", type=FILE, help="Write every trial with its evidence here.")
@click.option("--markdown", "markdown_file", type=FILE, help="Write the tables here.")
def redteam(**options: Unpack[Options]) -> None:
    """Play scripted attacks through rollout, verifier, monitor and judge, and say which layer stopped each.

    \b
    prevented  worth nothing, whatever the monitor says
    detected   it would have been rewarded; the monitor flagged it
    vetoed     neither; the judge vetoed
    succeeded  rewarded

    Exit status 1 when an attack that the first two layers can decide was rewarded, when one was stopped by another
    layer than it says, when the machinery failed, or when the monitor flagged a clean policy.
    """
    from bowerbird.evals.redteam.report import listing
    from bowerbird.evals.redteam.suite import run_plan
    from bowerbird.viewer.progress import Progress

    for path in (options["json_file"], options["markdown_file"]):
        if path is not None and not path.absolute().parent.is_dir():
            raise ConfigError(f"cannot write {path}: there is no folder {path.parent}")
    plan = _plan(options)
    if options["listing"]:
        _show(listing(plan.attacks + plan.clean))
        return
    with Progress("playing policies", plan.size) as progress:
        report = run_plan(plan, lambda _trial: progress.advance())
    _tell(report)
    _save(report, options["json_file"], options["markdown_file"])
    if report.problems:
        raise click.exceptions.Exit(1)


def _plan(options: Options) -> "Plan":
    """Raises ConfigError for a setting or a pattern that means nothing, TaskError for tasks that do not load."""
    from bowerbird.evals.redteam.attacks import ATTACKS
    from bowerbird.evals.redteam.clean import CLEAN
    from bowerbird.evals.redteam.suite import NAIVE, Plan, check_patterns, select
    from bowerbird.evals.redteam.targets import builtin_targets, load_targets

    config, only, tasks = _config(options), options["only"], options["tasks"]
    clean = CLEAN if options["clean"] else ()
    check_patterns((*ATTACKS, *clean), only)
    if tasks is None:
        targets, where = builtin_targets(config.seed), "built in"
    else:
        targets, left_out = load_targets(tasks, config.seed, options["count"])
        where = f"{len(targets)} of {tasks}"
        unknown = sum(not target.known for target in targets)
        where += f" ({unknown} without a solution, where attacks that bring it can earn nothing)" if unknown else ""
        where += "".join(f" ({number} left out: they {why})" for why, number in left_out.items())
    return Plan(
        config=config,
        attacks=select(ATTACKS, only),
        clean=select(clean, only),
        targets=targets,
        tasks=where,
        monitor=options["monitor"] == "on",
        graders=NAIVE if options["compare"] else (),
    )


def _config(options: Options) -> "Config":
    """The configuration that was named, or all defaults, with the options on top."""
    from bowerbird.config import load_config

    given = {
        "tasks.source": options["tasks"],
        "sandbox.backend": options["backend"],
        "sandbox.workers": options["workers"],
        "monitor.watch": options["watch"],
        "judge.mode": options["judge"],
        "judge.endpoint": options["judge_endpoint"],
        "judge.model": options["judge_model"],
        "verifier.kind": options["against"],
        "seed": options["seed"],
        "scaffold.tier": {None: None, "shell": "card"}.get(options["tier"], options["tier"]),
    }
    on_top = [f"{key}={value}" for key, value in given.items() if value is not None]
    return load_config(options["config_file"], [*options["overrides"], *on_top])


def _tell(report: "Report") -> None:
    from bowerbird.evals.redteam.report import grids, totals
    from bowerbird.viewer.text import clean

    for grid in grids(report):
        _show(grid)
        click.echo()
    for line in totals(report):
        click.echo(clean(line))


def _show(grid: "Grid") -> None:
    from bowerbird.viewer.tables import Table, show

    show(Table(grid.title, grid.columns, grid.rows, grid.right))


def _save(report: "Report", json_file: Path | None, markdown_file: Path | None) -> None:
    from bowerbird.evals.redteam.report import to_json, to_markdown

    for path, write in ((json_file, to_json), (markdown_file, to_markdown)):
        if path is None:
            continue
        try:
            path.write_text(write(report), encoding="utf-8")
        except OSError as error:
            raise RunError(f"cannot write {path}: {error.strerror}") from error
        click.echo(f"report: {path}")
