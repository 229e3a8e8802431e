"""What `bowerbird solve` says and asks, from the wish to the change. Not in the command: --help is quick."""

import shlex
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click

from bowerbird.cli.options import training_extra
from bowerbird.cli.solve import Wish
from bowerbird.config import BUILT_IN_TOOLS
from bowerbird.inference.protocol import Sampler
from bowerbird.inference.remote import Endpoint, RemoteSampler, Usage
from bowerbird.rollout.budget import Budget
from bowerbird.rollout.tools import toolset
from bowerbird.sandbox import open_sandbox
from bowerbird.scaffold.written import acting_from_file
from bowerbird.solve.repository import Repository, apply, read_repository
from bowerbird.solve.shelf import Kept, Shelf, identity
from bowerbird.solve.work import Result, Workshop, again, propose, react, task_view, work
from bowerbird.tasks.fields import read_text
from bowerbird.tasks.patch import unified
from bowerbird.types import ConfigError, Scaffold, TaskView
from bowerbird.viewer.text import clean, clean_lines
from bowerbird.viewer.working import WorkView

_ACTION_S, _SHOWN = 120.0, 200


def solve_it(wish: Wish) -> None:
    """Raises ConfigError, RunError or InfraError; until the user agrees nothing of theirs is touched."""
    prices = _prices(wish["price"])
    repository = read_repository(wish["repo"])
    requirements = read_text(wish["requirements"]) if wish["requirements"] is not None else ""
    for line in repository.left_out:
        click.echo(f"left out: {clean(line)}", err=True)
    tools = toolset((*BUILT_IN_TOOLS, *wish["tools"]))
    budget = Budget(wish["tokens"], wish["turns"], 4 * wish["turns"], wish["turn_tokens"], _ACTION_S, tools=tools)
    sandbox = open_sandbox(wish["backend"], hide=(repository.root,))
    with sandbox.open({}) as workspace:
        git = workspace.run(["git", "--version"]).exit_code == 0
    task = task_view(wish["instruction"], repository, _words(wish["tests"]), requirements, git=git)
    with _sampler(wish) as (sampler, usage):
        shop = Workshop(sampler, sandbox, budget)
        scaffold = _scaffold(wish, task, shop, repository)
        click.echo(f"scaffold ({scaffold.tier}): {clean(scaffold.text, _SHOWN)}")
        result = work(task, scaffold, shop, wish["seed"], WorkView(click.echo))
    _tell(result, usage, prices)
    taken = _offer(repository, result, wish["patch"], wish["yes"])
    if wish["keep"] and result.change and _worked(result, taken):
        value = 1.0 if result.passed else 0.5
        name, text = identity(repository.root), scaffold.text
        Shelf().keep(Kept(name, scaffold.tier, text, wish["instruction"], value, result.tokens))
        click.echo(f"kept the scaffold in {Shelf().path}")


@contextmanager
def _sampler(wish: Wish) -> Iterator[tuple[Sampler, Usage]]:
    """The model to work with, and what an endpoint counts of it."""
    if wish["endpoint"]:
        endpoint = Endpoint(wish["endpoint"], wish["model"], wish["key_env"])
        with closing(RemoteSampler(endpoint, tools=wish["tool_calls"])) as remote:
            yield remote, remote.usage
        return
    with training_extra():
        from bowerbird.config import Config
        from bowerbird.inference.models import resolve
        from bowerbird.inference.opening import open_sampler
    path = resolve(wish["model"], lambda text: click.echo(text, err=True))
    with open_sampler(Config(), path, 0) as own:
        yield own, Usage()


def _scaffold(wish: Wish, task: TaskView, shop: Workshop, repository: Repository) -> Scaffold:
    """The user's, the model's own, or else what worked here before, or the plain loop."""
    if wish["scaffold_file"] is not None:
        return acting_from_file(wish["scaffold_file"], "given", "solve", shop.budget.tool_names)
    if wish["tier"] == "none":
        return react(shop)
    before = Shelf(tools=shop.budget.tool_names).best(identity(repository.root), wish["tier"] or "")
    if before is not None:
        click.echo(f"starting from the {before.tier} that worked here: {clean(before.task, 80)}")
    click.echo("the model proposes a scaffold ...")
    own = propose(task, shop, before.tier if before else wish["tier"] or "plan", before, wish["seed"])
    if own.invalid is None:
        return own
    instead = "under what worked here before" if before else "in the plain loop"
    click.echo(f"its scaffold cannot be used ({clean(own.invalid)}); working {instead} instead", err=True)
    return again(before, shop) if before else react(shop)


def _tell(result: Result, usage: Usage, prices: tuple[float, float]) -> None:
    counted = (
        f"{usage.prompt:,} tokens in, {usage.completion:,} out" if usage.calls else f"{result.tokens:,} tokens out"
    )
    cost = (usage.prompt * prices[0] + usage.completion * prices[1]) / 1e6
    told = f", {cost:.4f} at the given price" if any(prices) and usage.calls else ""
    tests = {None: "no visible tests", True: "visible tests pass", False: "visible tests FAIL"}[result.passed]
    click.echo(f"\n{len(result.draft.calls)} answers, {counted}{told}; {tests}")
    if full := sum(call.finish == "too_long" for call in result.draft.calls):
        click.echo(f"the model's context was full {full} times: serve it with more room, or lower --turn-tokens")


def _offer(repository: Repository, result: Result, patch: Path | None, yes: bool) -> bool:
    """Show the difference, and apply it where the user agrees. Whether it was taken."""
    if not result.change:
        click.echo("nothing was changed")
        return False
    text = unified(repository.files, result.change)
    if patch is not None:
        patch.write_bytes(text.encode("utf-8", "surrogateescape"))
        click.echo(f"patch: {patch}")
        return True
    click.echo(clean_lines(text, 200_000))
    if not (yes or click.confirm(f"apply this to {repository.root}?")):
        return False
    apply(repository, result.change)
    click.echo(f"applied to {len(result.change.files)} files")
    return True


def _worked(result: Result, taken: bool) -> bool:
    return taken if result.passed is None else result.passed


def _words(tests: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(tests))
    except ValueError as error:
        raise ConfigError(f"--tests is no command: {error}") from error


def _prices(text: str) -> tuple[float, float]:
    if not text:
        return 0.0, 0.0
    try:
        first, second = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(f"--price takes two numbers, such as 0.5,1.5, not {text!r}") from error
    return first, second
