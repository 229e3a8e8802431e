"""What a command says of the verifiers that graded."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bowerbird.evals.report import EvalReport


def trust_lines(trust: Mapping[str, str]) -> list[str]:
    """One line a kind of verifier: how far its rewards can be trusted."""
    return [f"graded by {kind}: {sentence}" for kind, sentence in trust.items()]


def show_trust(report: "EvalReport") -> None:
    """After the tables of an evaluation."""
    lines = trust_lines(report.trust)
    if lines:
        click.echo()
    for line in lines:
        click.echo(line)
