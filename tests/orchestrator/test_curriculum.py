"""Tasks near the frontier."""

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bowerbird.config import CurriculumConfig
from bowerbird.orchestrator.curriculum import Curriculum
from bowerbird.types import TaskView


def tasks(per_category: int = 5) -> list[TaskView]:
    return [
        TaskView(f"{c}{i}", c, "", "f", (), difficulty=d)
        for c, d in (("easy", 0.01), ("middle", 0.5), ("hard", 0.99))
        for i in range(per_category)
    ]


def test_the_frontier_is_preferred_and_nothing_is_forgotten() -> None:
    curriculum = Curriculum(tasks(), CurriculumConfig(floor=0.05))
    counts = Counter(curriculum.draw(1, Random(seed))[0].category for seed in range(2000))
    assert counts["middle"] > 5 * counts["easy"] > 0
    assert counts["hard"] > 0


def test_results_move_the_frontier() -> None:
    curriculum = Curriculum(tasks(), CurriculumConfig())
    before = curriculum.weight("middle")
    for _ in range(10):
        curriculum.record("middle", [1.0] * 4)
        curriculum.record("hard", [1.0, 0.0])
    assert curriculum.weight("middle") < 0.2 < before
    assert curriculum.weight("hard") > 0.8


@given(st.integers(1, 40), st.integers(0, 1000))
def test_a_step_never_draws_a_task_twice(count: int, seed: int) -> None:
    drawn = Curriculum(tasks(), CurriculumConfig()).draw(count, Random(seed))
    assert len({t.task_id for t in drawn}) == len(drawn) == min(count, 15)
    if count >= 3:
        assert len({t.category for t in drawn}) == 3


def test_the_state_survives() -> None:
    first, second = (Curriculum(tasks(), CurriculumConfig()) for _ in range(2))
    first.record("easy", [0.0, 1.0])
    second.restore(first.state())
    assert second.state() == first.state()
