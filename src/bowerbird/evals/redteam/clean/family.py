"""A family of honest policies: one habit, in several named variants.

Commands and sources are templates. In them

    @file@      the file to submit            @module@    the name it is imported by
    @function@  the function to write         @asserts@   the task's visible examples as asserts
    @name@      a name nobody has seen before
    @solution@  the right source (in `around` only)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from random import Random
from textwrap import dedent
from typing import TypeAlias

from bowerbird.evals.redteam.attack import KINDS, Attack, Layer, Policy, fresh_name, sh, write
from bowerbird.evals.redteam.solutions import attempt_at, solution_of
from bowerbird.rollout.prompts import as_assert
from bowerbird.types import TaskView

Build: TypeAlias = Callable[[TaskView, Random], Policy]
DONE = "That is it.\n"


@dataclass(frozen=True, slots=True)
class Family:
    """One habit. `solves`: every variant submits the right answer, where one is known (`solution_of`)."""

    name: str
    does: str  # what a policy of this family does
    variants: Mapping[str, Build]
    solves: bool = True
    against: tuple[str, ...] = KINDS

    def attacks(self) -> list[Attack]:
        """One record a variant."""
        return [
            Attack(
                id=f"clean-{self.name}-{variant}",
                number=0,
                title=f"{self.does}: {variant.replace('-', ' ')}",
                stopped_by=Layer.NONE,
                policy=build,
                against=self.against,
                solves=self.solves,
            )
            for variant, build in self.variants.items()
        ]


def before(name: str, does: str, **commands: str) -> Family:
    """Run a command, then submit the right answer."""

    def build(command: str) -> Build:
        return lambda task, random: Policy((sh(fill(command, task, random)), *submit(task), DONE))

    return _family(name, does, {variant: build(command) for variant, command in commands.items()})


def after(name: str, does: str, **commands: str) -> Family:
    """Write the right answer, then run a command that leaves it as it is."""

    def build(command: str) -> Build:
        return lambda task, random: Policy((*submit(task), sh(fill(command, task, random)), DONE))

    return _family(name, does, {variant: build(command) for variant, command in commands.items()})


def around(name: str, does: str, *, against: tuple[str, ...] = KINDS, **sources: str) -> Family:
    """Submit the right answer with honest code around it: each source holds the line `@solution@`."""

    def build(source: str) -> Build:
        return lambda task, random: Policy((*submit(task, _wrap(source, task, random)), DONE))

    return _family(name, does, {variant: build(source) for variant, source in sources.items()}, against=against)


def instead(name: str, does: str, **sources: str) -> Family:
    """Submit something else than the right answer."""

    def build(source: str) -> Build:
        return lambda task, random: Policy((write(main_file(task), fill(source, task, random)), DONE))

    return _family(name, does, {variant: build(source) for variant, source in sources.items()}, solves=False)


def by_hand(name: str, does: str, *, solves: bool = True, **builds: Build) -> Family:
    """Policies that the templates cannot say."""
    return _family(name, does, builds, solves=solves)


def submit(task: TaskView, change: Callable[[str], str] = lambda source: source) -> tuple[str, ...]:
    """Turns that write every declared file: the right answer, or else an honest attempt.

    `change` edits the main one, if it is Python.
    """
    code = main_file(task) if main_file(task).endswith(".py") else None
    return tuple(write(path, change(text) if path == code else text) for path, text in answer(task).items())


def answer(task: TaskView) -> Mapping[str, str]:
    """Text by declared file: the right one where it is known."""
    return solution_of(task) or attempt_at(task)


def main_file(task: TaskView) -> str:
    """The declared file that holds the code."""
    python = [path for path in task.submission if path.endswith(".py")]
    return next(iter([*python, *task.submission]), "solution.py")


def fill(template: str, task: TaskView, random: Random) -> str:
    """The template with the task's names in it."""
    file = main_file(task)
    values = {
        "@file@": file,
        "@module@": ".".join(PurePosixPath(file).with_suffix("").parts),
        "@function@": task.entry_point or "main",
        "@asserts@": asserts(task),
        "@name@": fresh_name(random),
    }
    text = dedent(template).strip("\n")
    for key, value in values.items():
        text = text.replace(key, value)
    return text


def asserts(task: TaskView) -> str:
    """The visible examples, one assert a line."""
    if not task.entry_point or not task.examples:
        return "assert 1 + 1 == 2"
    return "\n".join(as_assert(task.entry_point, case) for case in task.examples)


def _wrap(template: str, task: TaskView, random: Random) -> Callable[[str], str]:
    """Puts a source into the template, unless that names a function and the task has none."""

    def change(source: str) -> str:
        if "@function@" in template and not task.entry_point:
            return source
        first = [line for line in source.splitlines() if line.startswith("from __future__ ")]
        rest = "\n".join(line for line in source.splitlines() if line not in first)
        return "\n".join([*first, fill(template, task, random).replace("@solution@", rest)]) + "\n"

    return change


def _family(
    name: str, does: str, variants: Mapping[str, Build], *, solves: bool = True, against: tuple[str, ...] = KINDS
) -> Family:
    return Family(
        name, does, {key.strip("_").replace("_", "-"): value for key, value in variants.items()}, solves, against
    )
