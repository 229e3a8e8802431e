"""Task sets by name or path, as recipes and commands give them."""

from collections.abc import Sequence
from pathlib import Path

from bowerbird.tasks.harbor import load_tasks
from bowerbird.tasks.jsonl import load_jsonl
from bowerbird.tasks.katas import KataTask, generate
from bowerbird.tasks.loaded import Loaded, TaskSet
from bowerbird.tasks.repos import RepoTask
from bowerbird.tasks.repos import generate as generate_repos
from bowerbird.types import TaskError

KATAS, REPOS = 161, 600
GENERATED = ("katas", "repos")


def generated(name: str, seed: int, count: int | None) -> Sequence[KataTask | RepoTask]:
    """The tasks of one of `GENERATED`, as `load_named` counts them, with what their authors wrote to check them."""
    if name == "katas":
        return generate(seed, KATAS if count is None else count)
    return generate_repos(seed, REPOS if count is None else count)


def load_named(name: str, seed: int = 0, count: int | None = None) -> TaskSet:
    """ "katas" or "repos" (generated from `seed`), a `.jsonl` or `.jsonl.gz` file, or a directory of Harbor tasks.

    `count` is how many to make (by default 161 katas, one of each family, and 600 repositories), or how many tasks to
    keep of a file or directory, from its start. Raises TaskError when there is nothing of that name.
    """
    if name in GENERATED:
        return TaskSet(Loaded(task.view, task.spec) for task in generated(name, seed, count))
    path = Path(name)
    if path.is_file() and path.name.endswith((".jsonl", ".jsonl.gz")):
        tasks = load_jsonl(path).tasks
    elif path.is_dir():
        tasks = load_tasks(path)
    else:
        raise TaskError(f"no tasks {name!r}; give 'katas', 'repos', a .jsonl file or a directory of Harbor tasks")
    if count is None:
        return tasks
    return TaskSet((Loaded(tasks.views[task_id], tasks.spec(task_id)) for task_id in list(tasks)[:count]), tasks.note)
