"""Which tasks are trained on and which are held out, where they come from a file or a directory."""

import json
from pathlib import Path

import pytest

from bowerbird.config import Config, TasksConfig
from bowerbird.evals.session import refuse_trained, task_sets
from bowerbird.orchestrator.credit import credit
from bowerbird.orchestrator.store import RunStore
from bowerbird.types import TaskError
from tests.evals.plain import plain_task
from tests.orchestrator.test_credit import GROUP


def row(number: int) -> dict[str, object]:
    return {
        "task_id": number,
        "text": f"Write a function to add {number} to a number.",
        "code": f"def add_{number}(x):\n    return x + {number}\n",
        "test_list": [f"assert add_{number}({x}) == {x + number}" for x in (1, 2, 3)],
    }


def config(folder: Path, numbers: list[int], train: int = 4, heldout: int = 3) -> Config:
    path = folder / "tasks.jsonl"
    path.write_text("".join(json.dumps(row(number)) + "\n" for number in numbers))
    return Config(tasks=TasksConfig(source=str(path), train=train, heldout=heldout))


def test_the_order_of_a_file_means_nothing_and_no_task_is_in_both(tmp_path: Path) -> None:
    train, heldout = task_sets(config(tmp_path, list(range(12))))
    assert (len(train), len(heldout), set(train) & set(heldout)) == (4, 3, set())
    again = task_sets(config(tmp_path, list(range(11, -1, -1))))
    assert (set(again[0]), set(again[1])) == (set(train), set(heldout))


def test_an_added_task_makes_no_held_out_task_of_one_trained_on(tmp_path: Path) -> None:
    train, _ = task_sets(config(tmp_path, list(range(12))))
    for added in range(12, 40):
        _, heldout = task_sets(config(tmp_path, [*range(12), added]))
        assert not set(train) & set(heldout)


def test_tasks_that_nothing_can_grade_are_refused_before_a_run_begins(tmp_path: Path) -> None:
    plain_task(tmp_path / "plain")
    with pytest.raises(TaskError, match="declare no submission"):
        task_sets(Config(tasks=TasksConfig(source=str(tmp_path), train=1, heldout=1)))


def test_a_run_is_not_evaluated_on_what_it_was_trained_on(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path, Config(name="r"))
    store.add_step(1, credit(GROUP))
    store.close()
    _, heldout = task_sets(config(tmp_path, list(range(7))))
    refuse_trained(tmp_path / "r", heldout)
    with pytest.raises(TaskError, match="was trained on 1 of the tasks"):
        refuse_trained(tmp_path / "r", {"t": None})
