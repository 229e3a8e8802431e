"""Which tasks come next: those near the frontier, where some rollouts pass and some fail."""

from collections.abc import Mapping, Sequence
from random import Random

from bowerbird.config import CurriculumConfig
from bowerbird.types import TaskView


class Curriculum:
    """A running success rate for every category, and a draw weighted by p (1 - p).

    The variance of a pass/fail group is p (1 - p): at 0 and 1 there is nothing to learn from it. The author's guess of
    the difficulty is the rate before any result.
    """

    def __init__(self, tasks: Sequence[TaskView], config: CurriculumConfig) -> None:
        self._config = config
        self._by_category: dict[str, list[TaskView]] = {}
        for task in tasks:
            self._by_category.setdefault(task.category, []).append(task)
        self._rates = {
            name: 1.0 - sum(t.difficulty for t in members) / len(members) for name, members in self._by_category.items()
        }

    def draw(self, count: int, random: Random) -> list[TaskView]:
        """Distinct tasks, of different categories while there are enough of those; fewer where the set is smaller."""
        free = {name: list(members) for name, members in self._by_category.items()}
        chosen: list[TaskView] = []
        while len(chosen) < count and any(free.values()):
            round_of = [name for name, members in free.items() if members]
            while round_of and len(chosen) < count:
                name = random.choices(round_of, [self.weight(n) for n in round_of])[0]
                round_of.remove(name)
                chosen.append(free[name].pop(random.randrange(len(free[name]))))
        return chosen

    def weight(self, category: str) -> float:
        rate = self._rates[category]
        return max(4.0 * rate * (1.0 - rate), self._config.floor)

    def record(self, category: str, rewards: Sequence[float]) -> None:
        """Take the rewards of one task's valid rollouts into account."""
        if rewards:
            keep = self._config.memory ** len(rewards)
            self._rates[category] = keep * self._rates[category] + (1 - keep) * sum(rewards) / len(rewards)

    def state(self) -> dict[str, float]:
        return dict(self._rates)

    def restore(self, state: Mapping[str, float]) -> None:
        self._rates.update(state)
