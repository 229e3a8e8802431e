"""A family of repository tasks: a package, its tests, and the seeded bugs that are known of it."""

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from bowerbird.tasks.repos.mutants import Mutant

FAMILIES = ("calendarly", "gridtext", "keepbox", "minicalc", "nestpath", "stockroom", "tariff", "waymap")


@dataclass(frozen=True, slots=True)
class Bug:
    """A mutant of one module, and the tests that it breaks."""

    module: str
    mutant: Mutant
    fails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """`modules` by path, such as "tariff/money.py"; `tests` is one file of plain functions; `says` is what each of them
    holds, in words."""

    name: str
    modules: Mapping[str, str]
    tests: str
    says: Mapping[str, str]
    bugs: tuple[Bug, ...]

    def tests_of(self, names: frozenset[str]) -> str:
        """The tests file with these tests alone; its imports and helpers stay."""
        tree = ast.parse(self.tests)
        left = [n for n in tree.body if not _is_test(n) or (isinstance(n, ast.FunctionDef) and n.name in names)]
        parts = [ast.get_source_segment(self.tests, node) or "" for node in left]
        head = [p for p, n in zip(parts, left, strict=True) if isinstance(n, (ast.Import, ast.ImportFrom))]
        rest = [p for p, n in zip(parts, left, strict=True) if not isinstance(n, (ast.Import, ast.ImportFrom))]
        return "\n".join(head) + "\n\n\n" + "\n\n\n".join(rest) + "\n"


@cache
def load_family(name: str) -> Family:
    """Raises KeyError for a name that is none."""
    if name not in FAMILIES:
        raise KeyError(name)
    folder = _here() / "packages" / name
    texts = {entry.name: entry.read_text() for entry in folder.iterdir() if entry.name.endswith(".py")}
    tests = texts.pop("tests.py")
    modules = {f"{name}/{file}": texts[file] for file in sorted(texts)}
    says = {
        n.name: ast.get_docstring(n) or ""
        for n in ast.parse(tests).body
        if isinstance(n, ast.FunctionDef) and _is_test(n)
    }
    return Family(name, modules, tests, says, _bugs(name))


def _bugs(name: str) -> tuple[Bug, ...]:
    catalog = _here() / "catalog.json"
    rows = json.loads(catalog.read_text()).get(name, []) if catalog.is_file() else []
    return tuple(Bug(row["module"], Mutant(**row["mutant"]), tuple(row["fails"])) for row in rows)


def _here() -> Traversable:
    return files("bowerbird.tasks.repos")


def _is_test(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
