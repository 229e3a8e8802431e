"""From a family and its bugs to tasks."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice, zip_longest
from random import Random

from bowerbird.tasks.repos.family import FAMILIES, Bug, Family, load_family
from bowerbird.types import TaskError, TaskView, VerifierSpec

LEVELS = ("easy", "medium", "hard")
_DIFFICULTY = {"easy": 0.5, "medium": 0.75, "hard": 0.95}
_SKIPS = "import unittest\n\nraise unittest.SkipTest('later')\n"
_ANYTHING = """class Same:
    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, *args, **kwargs):
        return self

    def __getattr__(self, name):
        return self

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0


def __getattr__(name):
    return Same()
"""


@dataclass(frozen=True, slots=True)
class RepoTask:
    """`solution` holds the modules as they should be, and earns 1; each of `cheats` must earn 0, as must no change."""

    view: TaskView
    spec: VerifierSpec
    solution: Mapping[str, bytes]
    cheats: tuple[Mapping[str, bytes], ...]


def generate(
    seed: int, count: int, *, families: Sequence[str] = FAMILIES, levels: Sequence[str] = LEVELS
) -> list[RepoTask]:
    """Tasks in an order that `seed` decides, families and levels in turn; the same task is the same whatever the seed.

    Raises TaskError where there are no more, or for a family or level that is none.
    """
    if unknown := [name for name in families if name not in FAMILIES] + [n for n in levels if n not in LEVELS]:
        raise TaskError(f"no family or level {unknown[0]!r}; there are {', '.join((*FAMILIES, *LEVELS))}")
    lots = []
    for family in families:
        for level in levels:
            choices = _choices(load_family(family), level)
            Random(f"{seed} {family} {level}").shuffle(choices)
            lots.append([(family, level, bugs) for bugs in choices])
    ordered = [choice for row in zip_longest(*lots) for choice in row if choice is not None]
    if len(ordered) < count:
        raise TaskError(f"there are {len(ordered)} of these repository tasks, not {count}")
    return [_build(load_family(family), level, bugs) for family, level, bugs in islice(ordered, count)]


def _choices(family: Family, level: str) -> list[tuple[Bug, ...]]:
    if level == "easy":
        return [(bug,) for bug in family.bugs]
    telling = [bug for bug in family.bugs if 2 * len(bug.fails) <= len(family.says)]
    if level == "medium":
        return [(bug,) for bug in telling]
    # each bug with the one half a list away in another module: many pairs, and no bug in most of them
    pairs: list[tuple[Bug, ...]] = []
    for i, first in enumerate(telling):
        others = [bug for bug in telling if bug.module != first.module and set(bug.fails) != set(first.fails)]
        if others:
            pairs.append((first, others[(i + len(others) // 2) % len(others)]))
    return pairs


def _build(family: Family, level: str, bugs: tuple[Bug, ...]) -> RepoTask:
    modules = dict(family.modules)
    for bug in bugs:
        modules[bug.module] = bug.mutant.apply(modules[bug.module])
    broken = {name: text.encode() for name, text in modules.items()}
    solution = {name: text.encode() for name, text in family.modules.items()}
    file = f"test_{family.name}.py"
    workspace = broken | {
        "run_tests.py": files("bowerbird.tasks.repos").joinpath("run_tests.py.txt").read_bytes(),
        f"tests/{file}": family.tests_of(_visible(family, level, bugs)).encode(),
    }
    mark = hashlib.sha256(repr((family.name, level, bugs)).encode()).hexdigest()[:10]
    view = TaskView(
        task_id=f"repos/{family.name}-{level}-{mark}",
        category=f"repos-{family.name}",
        instruction=_instruction(family, level, bugs),
        entry_point="",
        examples=(),
        submission=tuple(sorted(broken)),
        difficulty=_DIFFICULTY[level],
        workspace=workspace,
        visible=("python3", "run_tests.py"),
    )
    spec = VerifierSpec(
        task_id=view.task_id,
        kind="pytest",
        entry_point="",
        cases=(),
        timeout_s=30.0,
        files={f"tests/{file}": family.tests.encode()} | {f"workspace/{n}": data for n, data in workspace.items()},
        expected_tests=tuple(f"{file}::{name}" for name in family.says),
    )
    return RepoTask(view, spec, solution, _cheats(broken))


def _visible(family: Family, level: str, bugs: Sequence[Bug]) -> frozenset[str]:
    """Half of the tests. An easy bug breaks one of them; the others break none where enough tests hold."""
    broken = [name for name in family.says if any(name in bug.fails for bug in bugs)]
    whole = [name for name in family.says if name not in broken]
    half = len(family.says) // 2
    shown = broken[:1] + whole[: half - 1] if level == "easy" else whole[:half]
    return frozenset(shown)


def _instruction(family: Family, level: str, bugs: Sequence[Bug]) -> str:
    wanted = [family.says[bug.fails[0]] for bug in bugs]
    if len(bugs) == 2 and wanted[0] == wanted[1]:
        second = next(name for name in bugs[1].fails if family.says[name] != wanted[0] or name == bugs[1].fails[-1])
        wanted[1] = family.says[second]
    said = "\n".join(f"- {text}" for text in dict.fromkeys(wanted))
    many = "has two bugs, in two modules" if len(bugs) == 2 else "has a bug"
    where = ""
    if level == "easy":
        function = f", in `{bugs[0].mutant.function}`" if bugs[0].mutant.function else ""
        where = f"\nIt lies in `{bugs[0].module}`{function}."
    return (
        f"The package `{family.name}` in this repository {many}. This should hold, and does not:\n{said}{where}\n"
        "Mend it, and change nothing else that the package does. `python3 run_tests.py` runs the tests that are there."
    )


def _cheats(broken: Mapping[str, bytes]) -> tuple[Mapping[str, bytes], ...]:
    """Modules that skip the tests, and modules that claim to equal whatever is expected."""
    return tuple({name: text.encode() for name in broken} for text in (_SKIPS, _ANYTHING))
