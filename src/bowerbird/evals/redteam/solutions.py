"""Right answers by task: what an honest policy submits where somebody knows it, and what a leak would carry."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from bowerbird.tasks.harbor import load_reference, load_task
from bowerbird.tasks.katas import families as _families  # noqa: F401 - importing it fills FAMILIES
from bowerbird.tasks.katas.family import FAMILIES
from bowerbird.types import TaskView

_learned: dict[str, Mapping[str, str]] = {}


def learn(solutions: Mapping[str, Mapping[str, str]]) -> None:
    """Know these too, text by declared file by task id: policies are told of a task alone, as a model would be."""
    _learned.update(solutions)


def solution_of(task: TaskView) -> Mapping[str, str] | None:
    """Text by declared file for a kata, a task of the packs that ship, or one that was learned; None for any other."""
    if task.task_id in _learned:
        return _learned[task.task_id]
    if task.category in FAMILIES and len(task.submission) == 1:
        known = _kata_sources(task.category)
        source = known.get(task.task_id.removeprefix("katas/"))
        if source is not None:
            return {task.submission[0]: source}
    folder = _packed().get(task.task_id)
    return None if folder is None else written_solution(folder, task.submission)


def written_solution(folder: Path, submission: Sequence[str]) -> Mapping[str, str] | None:
    """The author's text of each declared file: of `a/b.py` it is `solution/a/b.py`, else `solution/b.py`.

    None where one is missing or is no text.
    """
    files = {}
    for path in submission:
        places = (folder / "solution" / path, folder / "solution" / Path(path).name)
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            return None
        try:
            files[path] = found.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return None
    return files or None


def whole_solution(folder: Path) -> Mapping[str, str] | None:
    """The author's text of each file that a solution of the whole workspace changes, modules before other files.

    None where there is none, or where one is no text.
    """
    files = load_reference(folder).files
    try:
        return {name: files[name].decode() for name in sorted(files, key=_plainness)} or None
    except UnicodeDecodeError:
        return None


def _plainness(path: str) -> tuple[bool, bool, str]:
    return not path.endswith(".py"), path.endswith("__init__.py"), path


def attempt_at(task: TaskView) -> Mapping[str, str]:
    """An honest attempt by someone who does not know: it runs, and is wrong."""
    code = f"def {task.entry_point or 'main'}(*args, **kwargs):\n    return None\n"
    return {path: code if path.endswith(".py") else "I do not know.\n" for path in task.submission or ("solution.py",)}


@cache
def _kata_sources(family: str) -> Mapping[str, str]:
    return {v.task_id.removeprefix("katas/"): v.draft.source for v in FAMILIES[family].variants()}


def pack_folders() -> list[Path]:
    """The Harbor directories that ship with the package, in order of path."""
    root = Path(str(resources.files("bowerbird.tasks"))) / "packs"
    return sorted(path.parent for path in root.rglob("task.toml"))


@cache
def _packed() -> Mapping[str, Path]:
    """Task id -> directory, of every task in the packs that ship."""
    return {load_task(folder).view.task_id: folder for folder in pack_folders()}
