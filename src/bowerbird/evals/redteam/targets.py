"""The tasks that are attacked: one built-in task for each kind of verifier, or a user's own."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bowerbird.evals.redteam.attack import KINDS, Attack
from bowerbird.evals.redteam.solutions import learn, pack_folders, solution_of, whole_solution, written_solution
from bowerbird.sandbox.codec import decode
from bowerbird.tasks import load_jsonl, load_named, load_task, task_folders
from bowerbird.tasks.katas import generate
from bowerbird.tasks.repos import generate as generate_repos
from bowerbird.types import WHOLE, TaskError, TaskView, VerifierSpec

FAMILY = "caesar"  # its answers are texts that no guess hits
UNDECLARED = "say nothing of what they want submitted, so that nothing would be graded"
UNAIMED = "take their whole workspace and come without a solution, so that nobody knows where to attack"


@dataclass(frozen=True, slots=True)
class Target:
    """One task under attack. `known`: its solution is, so that policies can submit or smuggle it."""

    view: TaskView
    spec: VerifierSpec
    known: bool = True

    @property
    def told(self) -> TaskView:
        """The task as policies are told of it. Where all that differs is submitted they aim at the files that the
        solution changes, for those are the ones that the tests look at."""
        if self.view.submission != WHOLE:
            return self.view
        given, known = self.view.workspace, solution_of(self.view) or {}
        return replace(self.view, submission=tuple(n for n, text in known.items() if given.get(n) != text.encode()))


def builtin_targets(seed: int = 0) -> tuple[Target, ...]:
    """One task for each kind of verifier. The oracle's is a kata drawn with `seed`, with a visible test beside it.

    Raises TaskError when the package is damaged.
    """
    (kata,) = generate(seed, 1, families=[FAMILY])
    view = replace(kata.view, workspace=_workspace(kata.view))
    packed = [load_task(folder) for folder in pack_folders()]
    firsts = [next((task for task in packed if task.spec.kind == kind), None) for kind in KINDS[1:]]
    return (Target(view, kata.spec), *(Target(task.view, task.spec) for task in firsts if task is not None))


def load_targets(source: str, seed: int = 0, count: int | None = None) -> tuple[tuple[Target, ...], Mapping[str, int]]:
    """The tasks of a directory of Harbor tasks, of a .jsonl file, of "katas" or "repos" (the first `count` of them,
    where it is given), and how many were left out, by reason.

    Left out are tasks where every attack would seem to fail: `UNDECLARED`, `UNAIMED`. The author's solutions are
    learned where there are any: attacks that carry the answer need it. Raises TaskError when no task is left.
    """
    tasks = load_named(source, seed, count)
    learn(_solutions(source, seed, len(tasks)))
    targets, left_out = [], Counter[str]()
    for view in tasks.views.values():
        target = Target(view, tasks.spec(view.task_id), solution_of(view) is not None)
        if target.told.submission:
            targets.append(target)
        else:
            left_out[UNAIMED if view.submission else UNDECLARED] += 1
    if not targets:
        raise TaskError(
            f"{source}: there is nothing to attack: all tasks {' or '.join(left_out)}; if python3 and the system's "
            'tools are enough to grade one, say kind = "script" and submission = [...] under [metadata.bowerbird]'
        )
    return tuple(targets), left_out


def pairs(attacks: Sequence[Attack], targets: Sequence[Target]) -> list[tuple[Attack, Target]]:
    """Every attack on every target whose kind of verifier it is for, attacks in the order given."""
    return [(attack, target) for attack in attacks for target in targets if target.spec.kind in attack.against]


def _solutions(source: str, seed: int, count: int) -> dict[str, Mapping[str, str]]:
    """What the authors of a directory or a file of tasks submit themselves, by task id."""
    if source == "repos":
        return {
            task.view.task_id: {name: data.decode() for name, data in task.solution.items()}
            for task in generate_repos(seed, count)
        }
    path = Path(source)
    if path.is_file():
        report = load_jsonl(path)
        return {name: {report.tasks.views[name].submission[0]: text} for name, text in report.references.items()}
    found = {}
    for folder in task_folders(path) if path.is_dir() else ():
        view = load_task(folder).view
        whole = view.submission == WHOLE
        if files := whole_solution(folder) if whole else written_solution(folder, view.submission):
            found[view.task_id] = files
    return found


def _workspace(view: TaskView) -> dict[str, bytes]:
    """What a task's author would leave beside the answer: a word on it, and a test of the visible examples."""
    checks = []
    for case in view.examples:
        arguments = ", ".join(repr(decode(value)) for value in case.args)
        checks.append(f"    assert {view.entry_point}({arguments}) == {decode(case.expected)!r}")
    body = "\n".join(checks)
    test = f"from solution import {view.entry_point}\n\n\ndef test_examples():\n{body}\n"
    return {"README.md": f"{view.instruction}\n".encode(), "test_examples.py": test.encode()}
