"""`bowerbird sandbox check`."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bowerbird.sandbox.conformance import CheckResult


@click.group()
def sandbox() -> None:
    """Does this machine have a sandbox that holds."""


@sandbox.command()
@click.option("--backend", default="local", show_default=True, help="The sandbox to check.")
@click.option("--quick", is_flag=True, help="Only what every run checks first (under a second).")
def check(backend: str, quick: bool) -> None:
    """Check that the sandbox starts, and attack it in every way that the conformance suite knows.

    Exit status 1 when it does not start, with what to install, or when some guarantee does not hold.
    """
    from bowerbird.sandbox import open_sandbox

    opened = open_sandbox(backend)  # it has passed its probe, or this raises
    if quick:
        click.echo(f"sandbox {opened.name}: works")
        return
    from bowerbird.sandbox.conformance import checks, run_conformance
    from bowerbird.viewer.progress import Progress
    from bowerbird.viewer.tables import Table, show

    with Progress("attacking the sandbox", len(checks)) as progress:
        results = run_conformance(opened, seen=lambda _result: progress.advance())
    rows = tuple(
        (r.area, r.name, _word(r), f"{r.seconds:.1f}", r.detail[:100] if r.passed else f"{r.detail}: {r.why}")
        for r in results
    )
    columns = ("area", "check", "result", "seconds", "seen")
    show(Table(f"Conformance of the {opened.name} sandbox", columns, rows, frozenset({"seconds"})))
    failed = sum(not r.passed for r in results)
    skipped = sum(r.skipped for r in results)
    told = f", {skipped} need a watcher that this machine does not have" if skipped else ""
    click.echo(f"{len(results) - failed - skipped} of {len(results)} guarantees hold{told}")
    if failed:
        raise click.exceptions.Exit(1)


def _word(result: "CheckResult") -> str:
    return "skipped" if result.skipped else "holds" if result.passed else "FAILS"
