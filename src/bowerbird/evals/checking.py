"""Do tasks hold: the author's solution earns 1, nothing earns 0, and so does every cheat."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bowerbird.rewards.oracle import Verifier
from bowerbird.tasks import Loaded, load_jsonl, load_reference, load_task, task_folders
from bowerbird.tasks.katas import KataTask
from bowerbird.tasks.named import GENERATED, generated
from bowerbird.tasks.repos import RepoTask
from bowerbird.types import TaskError


@dataclass(frozen=True, slots=True)
class TaskCheck:
    """One task with what its author wrote to check it."""

    task: Loaded
    solution: str | Mapping[str, bytes]  # the text of its one file, or all files
    cheats: Mapping[str, str | Mapping[str, bytes]]  # name -> the same


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a task does not hold."""

    task_id: str
    what: str


def load_checks(source: str, seed: int, count: int | None) -> tuple[list[TaskCheck], list[Problem], int]:
    """(what can be graded, what is wrong before that, how many tasks need an image of their own).

    A broken task directory is a problem among others. Raises TaskError when `source` is nothing at all.
    """
    if source in GENERATED:
        return [_generated(task) for task in generated(source, seed, count)], [], 0
    path = Path(source)
    if path.is_file() and path.name.endswith((".jsonl", ".jsonl.gz")):
        return _from_file(path, count)
    if not path.is_dir():
        raise TaskError(f"no tasks {source!r}; give 'katas', 'repos', a .jsonl file or a directory of Harbor tasks")
    return _from_folders(path, count)


def check_all(
    verifier: Verifier, checks: Sequence[TaskCheck], workers: int, advance: Callable[[], None]
) -> list[Problem]:
    """Grade everything, calling `advance` after each task. Raises InfraError when the machinery fails."""
    problems = []
    with ThreadPoolExecutor(workers) as pool:
        for found in pool.map(lambda check: list(_check(verifier, check)), checks):
            problems += found
            advance()
    return problems


def _check(verifier: Verifier, check: TaskCheck) -> Iterable[Problem]:
    view, spec = check.task.view, check.task.spec
    name = view.submission[0] if len(view.submission) == 1 else "solution.py"
    wanted: list[tuple[str, str | Mapping[str, bytes], float]] = [("its solution", check.solution, 1.0)]
    wanted += [("nothing", {}, 0.0), *((cheat, answer, 0.0) for cheat, answer in check.cheats.items())]
    for what, answer, reward in wanted:
        got = verifier.verify(spec, {name: answer.encode()} if isinstance(answer, str) else answer)
        if got.reward != reward:
            why = f" ({got.failure}, {got.passed} of {got.total} cases)" if got.failure else ""
            yield Problem(view.task_id, f"{what} earns {got.reward:g}, not {reward:g}{why}")


def _generated(task: KataTask | RepoTask) -> TaskCheck:
    cheats: Sequence[str | Mapping[str, bytes]] = task.cheats
    named = {f"cheat {number}": cheat for number, cheat in enumerate(cheats)}
    return TaskCheck(Loaded(task.view, task.spec), task.solution, named)


def _from_file(path: Path, count: int | None) -> tuple[list[TaskCheck], list[Problem], int]:
    report = load_jsonl(path)
    tasks = report.tasks
    checks = [
        TaskCheck(Loaded(tasks.views[task_id], tasks.spec(task_id)), report.references[task_id], {})
        for task_id in list(tasks)[:count]
    ]
    return checks, [Problem(task_id, f"skipped: {why}") for task_id, why in report.skipped.items()], 0


def _from_folders(root: Path, count: int | None) -> tuple[list[TaskCheck], list[Problem], int]:
    folders = task_folders(root)[:count]
    if not folders:
        raise TaskError(f"{root}: no task.toml at or below it; a task is a directory that holds one")
    checks: list[TaskCheck] = []
    problems: list[Problem] = []
    seen: dict[str, Path] = {}
    left_out = 0
    for folder in folders:
        try:
            task, reference = load_task(folder), load_reference(folder)
        except TaskError as error:
            problems.append(Problem(str(folder.relative_to(root)), str(error)))
            continue
        task_id = task.view.task_id
        if task_id in seen:
            problems.append(Problem(task_id, f"{folder} and {seen[task_id]} have the same id; rename one"))
        seen[task_id] = folder
        if task.spec.isolation == "image":
            left_out += 1
        elif reference.files:
            checks.append(TaskCheck(task, reference.files, reference.cheats))
        elif reference.solution is None:
            problems.append(Problem(task_id, "has no solution/solution.py, so nothing shows that it can be solved"))
        else:
            checks.append(TaskCheck(task, reference.solution, reference.cheats))
    return checks, problems, left_out
