import pytest

from bowerbird.tasks import Loaded, TaskSet
from bowerbird.types import Case, TaskError, TaskView, VerifierSpec


def loaded(task_id: str, spec_id: str | None = None) -> Loaded:
    view = TaskView(task_id, "c", "do", "f", ())
    return Loaded(view, VerifierSpec(spec_id or task_id, "oracle", "f", (Case((1,), "secret"),)))


def test_a_set_gives_views_by_id_and_specs_on_request() -> None:
    tasks = TaskSet([loaded("b"), loaded("a")])
    assert list(tasks.views) == ["b", "a"] == list(tasks)
    assert tasks.spec("a").cases[0].expected == "secret"
    assert len(tasks) == 2
    assert "a" in tasks
    assert "z" not in tasks


def test_an_unknown_id_and_a_doubled_id_and_torn_halves_are_errors() -> None:
    with pytest.raises(TaskError, match="no task 'z'"):
        TaskSet([loaded("a")]).spec("z")
    with pytest.raises(TaskError, match="two tasks"):
        TaskSet([loaded("a"), loaded("a")])
    with pytest.raises(TaskError, match="disagree"):
        TaskSet([loaded("a", "b")])


def test_views_cannot_be_changed_and_printing_shows_no_case() -> None:
    tasks = TaskSet([loaded("a")])
    with pytest.raises(TypeError):
        tasks.views["b"] = tasks.views["a"]  # type: ignore[index]
    assert "secret" not in repr(tasks)
