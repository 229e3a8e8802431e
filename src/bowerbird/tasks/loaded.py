"""A task in two halves, and a set of them that keeps the halves apart."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bowerbird.types import TaskError, TaskView, VerifierSpec


@dataclass(frozen=True, slots=True)
class Loaded:
    """One task: what everybody may see, and what only the verifier may hold."""

    view: TaskView
    spec: VerifierSpec


class TaskSet:
    """Tasks by id. Hand out `views`; call `spec` only where answers are graded.

    Printing a set shows ids, never a hidden case. `note` tells a person, in a line, what the source holds and the set
    does not; it is empty where that is nothing. Raises TaskError when two tasks share an id.
    """

    def __init__(self, tasks: Iterable[Loaded], note: str = "") -> None:
        self.note = note
        views: dict[str, TaskView] = {}
        specs: dict[str, VerifierSpec] = {}
        for task in tasks:
            task_id = task.view.task_id
            if task_id != task.spec.task_id:
                raise TaskError(f"the halves of a task disagree: {task_id!r} and {task.spec.task_id!r}")
            if task_id in views:
                raise TaskError(f"two tasks have the id {task_id!r}; ids must be unique in a set, rename one of them")
            views[task_id] = task.view
            specs[task_id] = task.spec
        self._views = MappingProxyType(views)
        self._specs = specs

    @property
    def views(self) -> Mapping[str, TaskView]:
        """Task id -> public half, in the order they were given."""
        return self._views

    def spec(self, task_id: str) -> VerifierSpec:
        """The private half. Raises TaskError for an id that is not in the set."""
        try:
            return self._specs[task_id]
        except KeyError:
            raise TaskError(f"no task {task_id!r} in this set of {len(self._specs)}") from None

    def __len__(self) -> int:
        return len(self._views)

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._views

    def __repr__(self) -> str:
        return f"TaskSet({', '.join(list(self._views)[:3])}{', ...' if len(self._views) > 3 else ''})"
