"""Katas on disk, as Harbor directories, and back."""

from collections.abc import Iterable
from pathlib import Path

from bowerbird.tasks.harbor import load_reference, load_task
from bowerbird.tasks.katas.build import KataTask
from bowerbird.tasks.loaded import Loaded
from bowerbird.tasks.write import write_task
from bowerbird.types import TaskError


def write_pack(directory: str | Path, tasks: Iterable[KataTask]) -> list[Path]:
    """One directory per task, named after its id; returns them in order. Raises TaskError when one exists already."""
    paths = []
    for task in tasks:
        path = Path(directory) / task.view.task_id.removeprefix("katas/")
        write_task(path, Loaded(task.view, task.spec), solution=task.solution, cheats=task.cheats)
        paths.append(path)
    return paths


def read_pack(directory: str | Path) -> list[KataTask]:
    """The katas of a written pack, by id. Raises TaskError for a directory without the author's solution."""
    tasks = []
    for path in sorted(p.parent for p in Path(directory).glob("*/task.toml")):
        loaded, reference = load_task(path), load_reference(path)
        if reference.solution is None:
            raise TaskError(f"{path / 'solution' / 'solution.py'}: missing; a kata carries its author's solution")
        tasks.append(KataTask(loaded.view, loaded.spec, reference.solution, tuple(reference.cheats.values())))
    return sorted(tasks, key=lambda task: task.view.task_id)
