"""Repository tasks: seeded bugs that tests notice, and only their mending is paid."""

import ast
import json
import subprocess
import sys
from collections.abc import Mapping
from random import Random

import pytest

from bowerbird.rewards.verifiers.hardened import PytestVerifier
from bowerbird.sandbox import Sandbox
from bowerbird.tasks import load_named
from bowerbird.tasks.repos import FAMILIES, LEVELS, RepoTask, generate, load_family
from bowerbird.tasks.repos.mutants import Mutant, mutants
from bowerbird.types import TaskError

MODULE = """
def first(items, least=1):
    found = []
    for item in items:
        if item < least and not item == 0:
            continue
        found.append(item)
    return min(found) + 2
"""


def test_mutants_are_small_changes_that_still_parse() -> None:
    found = mutants(MODULE)
    assert {m.kind for m in found} >= {
        "comparison",
        "logic",
        "arithmetic",
        "constant",
        "negation",
        "loop",
        "wrong call",
    }
    assert {m.function for m in found} == {"first"}
    texts = [m.apply(MODULE) for m in found]
    assert len(set(texts)) == len(texts)
    for text in texts:
        ast.parse(text)
        lines = zip(MODULE.splitlines(), text.splitlines(), strict=True)
        assert sum(old != new for old, new in lines) == 1
    with pytest.raises(ValueError, match="does not stand"):
        Mutant("constant", "", 0, "7", "8").apply(MODULE)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_has_words_for_its_tests_and_enough_bugs(name: str) -> None:
    family = load_family(name)
    assert len(family.says) >= 10
    assert all(family.says.values())
    assert len(family.bugs) >= 30
    assert len({bug.mutant.kind for bug in family.bugs}) >= 6
    assert len({bug.module for bug in family.bugs}) >= 2
    for bug in family.bugs:
        ast.parse(bug.mutant.apply(family.modules[bug.module]))
        assert bug.fails
        assert set(bug.fails) <= set(family.says)


def test_generation_is_the_same_every_time_and_varied() -> None:
    tasks = generate(0, 48)
    assert [t.view.task_id for t in tasks] == [t.view.task_id for t in generate(0, 48)]
    assert {t.view.category for t in tasks} == {f"repos-{name}" for name in FAMILIES}
    assert {t.view.task_id.split("-")[1] for t in tasks} == set(LEVELS)
    assert len({t.view.task_id for t in generate(1, 600)}) == 600
    by_id = {t.view.task_id: t for t in generate(0, 600)}
    for task in generate(5, 200):
        assert by_id.get(task.view.task_id, task) == task
    with pytest.raises(TaskError, match="no family or level"):
        generate(0, 1, families=["gone"])
    with pytest.raises(TaskError, match="there are"):
        generate(0, 100_000)


def test_named_as_a_source() -> None:
    assert len(load_named("repos", 0, 12)) == 12


def visible(task: RepoTask, sandbox: Sandbox, files: Mapping[str, bytes]) -> int | None:
    with sandbox.open({**task.view.workspace, **files}) as workspace:
        return workspace.run(task.view.visible).exit_code


TASKS = [generate(3, 1, families=[name], levels=[LEVELS[i % 3]])[0] for i, name in enumerate(FAMILIES)]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.view.task_id)
def test_the_mending_earns_and_nothing_else_does(task: RepoTask, sandbox: Sandbox) -> None:
    verifier = PytestVerifier(sandbox)
    assert verifier.verify(task.spec, task.solution).reward == 1.0
    unchanged = {name: task.view.workspace[name] for name in task.view.submission}
    for cheat in (unchanged, {}, *task.cheats):
        assert verifier.verify(task.spec, cheat).reward == 0.0
    level = task.view.task_id.split("-")[1]
    assert visible(task, sandbox, task.solution) == 0
    if level == "easy":
        assert visible(task, sandbox, {}) == 1
        assert "It lies in" in task.view.instruction


def test_the_catalog_is_of_the_packages_as_they_are() -> None:
    """A few bugs of each family, run again as the script that wrote it does."""
    code = (
        "import json, runpy, sys; script = runpy.run_path('scripts/mutants'); "
        "from bowerbird.tasks.repos import load_family\n"
        "for name, i in json.loads(sys.argv[1]):\n"
        "    family = load_family(name); bug = family.bugs[i]\n"
        "    modules = dict(family.modules) | {bug.module: bug.mutant.apply(family.modules[bug.module])}\n"
        "    assert script['broken_by'](family, modules) == list(bug.fails), (name, i)\n"
    )
    random = Random(0)
    chosen = [(name, random.randrange(len(load_family(name).bugs))) for name in FAMILIES for _ in range(3)]
    done = subprocess.run([sys.executable, "-c", code, json.dumps(chosen)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
