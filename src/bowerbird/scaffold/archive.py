"""The memory of scaffolds: mutation and selection. What a task is shown next time is drawn from here."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from bowerbird.types import Scaffold

_TOURNAMENT = 3  # the best of this many drawn at random: the strong are preferred, the rest not forgotten
_FRESH = 0.5  # share of proposals that start from nothing, as for a task of a kind never seen
_KEPT = 16  # newest entries remembered per task and per category


@dataclass(frozen=True, slots=True)
class Entry:
    """One scaffold with what it earned. `failure` is the commonest class of failure of its rollouts."""

    scaffold: Scaffold
    category: str
    value: float
    failure: str | None


def best(entries: Iterable[Entry], category: str) -> Entry | None:
    """The entry whose text has the best record in a category, or in all where nothing of that one is known.

    A record is how much more it earned than others did on the same tasks, since a full reward for an easy task says
    nothing; what it earned decides where nothing else was tried. Entries of equal text and tier are one scaffold that
    was tried more often. What was tried seldom is trusted less: sums are divided by one trial more than there were. The
    newest among equals.
    """
    known = list(entries)
    own = [entry for entry in known if entry.category == category] or known
    by_task: dict[str, list[float]] = {}
    for entry in own:
        by_task.setdefault(entry.scaffold.task_id, []).append(entry.value)
    usual = {task_id: sum(values) / len(values) for task_id, values in by_task.items()}
    tried: dict[tuple[str, str], list[Entry]] = {}
    for entry in own:
        tried.setdefault((entry.scaffold.tier, entry.scaffold.text), []).append(entry)

    def record(entry: Entry) -> tuple[float, float]:
        same = tried[entry.scaffold.tier, entry.scaffold.text]
        more = sum(each.value - usual[each.scaffold.task_id] for each in same)
        return more / (len(same) + 1), sum(each.value for each in same) / (len(same) + 1)

    return max(reversed(own), key=record, default=None)


class Archive:
    """Entries by task and by category. Filled from the run's database after a restart."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._by_task: dict[str, list[Entry]] = {}
        self._by_category: dict[str, list[Entry]] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        for key, store in ((entry.scaffold.task_id, self._by_task), (entry.category, self._by_category)):
            kept = store.setdefault(key, [])
            kept.append(entry)
            del kept[:-_KEPT]

    def previous(self, task_id: str, category: str, random: Random) -> Entry | None:
        """The scaffold to refine: from the task's own lineage, or its category's for a task never seen, or None."""
        pool = self._by_task.get(task_id) or self._by_category.get(category)
        if not pool or random.random() < _FRESH:
            return None
        return max(random.sample(pool, min(_TOURNAMENT, len(pool))), key=lambda e: e.value)
