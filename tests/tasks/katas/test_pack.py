from pathlib import Path

import pytest

from bowerbird.tasks import load_tasks
from bowerbird.tasks.katas import family_names, generate, read_pack, write_pack
from bowerbird.types import TaskError


def test_a_pack_of_every_family_loads_back_equal(tmp_path: Path) -> None:
    tasks = generate(5, len(family_names()))
    paths = write_pack(tmp_path, tasks)
    assert len(paths) == len(tasks)
    assert read_pack(tmp_path) == sorted(tasks, key=lambda t: t.view.task_id)
    assert dict(load_tasks(tmp_path).views) == {t.view.task_id: t.view for t in tasks}


def test_a_pack_is_not_written_over_and_needs_its_solutions(tmp_path: Path) -> None:
    tasks = generate(5, 1)
    [path] = write_pack(tmp_path, tasks)
    with pytest.raises(TaskError, match="not empty"):
        write_pack(tmp_path, tasks)
    (path / "solution" / "solution.py").unlink()
    with pytest.raises(TaskError, match="missing; a kata carries"):
        read_pack(tmp_path)
