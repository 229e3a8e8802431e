"""`bowerbird solve`."""

from pathlib import Path
from typing import TypedDict, Unpack

import click

from bowerbird.cli.options import FILE, FOLDER


class Wish(TypedDict):
    """What was asked for on the command line."""

    instruction: str
    repo: Path
    model: str
    endpoint: str
    key_env: str
    tool_calls: bool
    tools: tuple[str, ...]
    tests: str
    requirements: Path | None
    scaffold_file: Path | None
    tier: str | None
    keep: bool
    tokens: int
    turn_tokens: int
    turns: int
    price: str
    patch: Path | None
    yes: bool
    seed: int
    backend: str


@click.command()
@click.argument("instruction")
@click.option("--repo", type=FOLDER, default=Path("."), show_default=True, help="The repository to work on.")
@click.option("--model", default="smollm2-135m", show_default=True, help="A name at the endpoint, or a local model.")
@click.option("--endpoint", default="", metavar="URL", help="Base URL of an OpenAI-compatible server.")
@click.option("--key-env", default="OPENAI_API_KEY", show_default=True, help="Variable that holds the server's key.")
@click.option("--tool-calls", is_flag=True, help="The endpoint takes tools and gives tool calls: use them.")
@click.option(
    "--tool",
    "tools",
    multiple=True,
    metavar="MODULE:NAME",
    help="A tool of your own beside the others; see docs/AGENT.md.",
)
@click.option("--tests", default="", metavar="COMMAND", help="Runs the visible tests, such as 'python3 -m pytest -q'.")
@click.option("--requirements", type=FILE, help="Python packages the code needs; wheels only, installed once.")
@click.option("--scaffold", "scaffold_file", type=FILE, help="Work under this plan (.json) or program (.py).")
@click.option(
    "--tier",
    type=click.Choice(["plan", "program", "none"]),
    help="What the model proposes for itself: by default what worked here before, or a plan. none: the plain loop over "
    "all tools.",
)
@click.option("--keep", is_flag=True, help="Keep the scaffold, if it worked, for the next task in this repository.")
@click.option("--tokens", default=200_000, show_default=True, help="Tokens the model may write.")
@click.option("--turn-tokens", default=4096, show_default=True, help="Tokens of one answer.")
@click.option("--turns", default=100, show_default=True, help="Answers at the most.")
@click.option("--price", default="", metavar="IN,OUT", help="Per million tokens, to show what it cost.")
@click.option("--patch", type=FILE, help="Write the change there as a patch, and do not ask.")
@click.option("--yes", is_flag=True, help="Apply the change without asking.")
@click.option("--seed", default=0, show_default=True, help="Of everything that is drawn.")
@click.option("--backend", default="local", show_default=True, help="Sandbox back end.")
def solve(**options: Unpack[Wish]) -> None:
    """Solve a task in a repository: the model proposes how to work, works on a copy, and shows the difference.

    Nothing in REPO changes before you say so. The copy lives in a sandbox without network.
    """
    from bowerbird.cli.solving import solve_it

    solve_it(options)
