from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bowerbird.tasks.katas import capacity, family_names, generate, train_heldout_split
from bowerbird.types import TaskError

seeds = st.integers(0, 2**32)


def test_there_are_enough_families_of_every_grade() -> None:
    assert len(family_names()) >= 64
    assert len(family_names(0.0, 0.25)) >= 35
    assert len(family_names(0.3, 0.6)) >= 15
    assert len(family_names(0.65, 1.0)) >= 15


@given(seeds, st.integers(1, 12))
@settings(max_examples=15, deadline=None)
def test_a_seed_gives_the_same_tasks_and_they_are_distinct(seed: int, count: int) -> None:
    tasks = generate(seed, count)
    assert tasks == generate(seed, count)
    assert len({t.view.task_id for t in tasks}) == count


@given(seeds, seeds, st.integers(1, 10), st.integers(1, 10))
@settings(max_examples=20, deadline=None)
def test_no_heldout_task_is_ever_a_training_task_whatever_the_seeds(a: int, b: int, train: int, heldout: int) -> None:
    left, _ = train_heldout_split(a, train, heldout)
    _, right = train_heldout_split(b, train, heldout)
    assert (len(left), len(right)) == (train, heldout)
    assert not {t.view.task_id for t in left} & {t.view.task_id for t in right}
    assert not {t.solution for t in left} & {t.solution for t in right}


def test_the_pools_part_the_whole_space_of_every_family() -> None:
    for name in family_names():
        train, heldout = capacity([name], "train"), capacity([name], "heldout")
        assert train >= 7, name
        assert heldout >= 3, name
        assert train + heldout == capacity([name])


def test_two_seeds_differ_but_give_a_shared_variant_the_same_bytes() -> None:
    name = family_names()[0]
    first = {t.view.task_id: t for t in generate(1, 40, families=[name])}
    second = {t.view.task_id: t for t in generate(2, 40, families=[name])}
    assert list(first) != list(second)
    shared = first.keys() & second.keys()
    assert shared
    assert all(first[i] == second[i] for i in shared)


def test_tasks_are_balanced_over_families() -> None:
    families = family_names(0.0, 0.1)
    counts = Counter(t.view.category for t in generate(3, 2 * len(families) + 1, families=families))
    assert set(counts) == set(families)
    assert sorted(counts.values())[0] == 2
    assert sorted(counts.values())[-1] == 3


def test_exclusion() -> None:
    name = family_names()[0]
    ids = {t.view.task_id for t in generate(0, 30, families=[name])}
    rest = {t.view.task_id for t in generate(0, 30, families=[name], exclude=ids)}
    assert not ids & rest


def test_too_many_and_unknown_are_errors() -> None:
    with pytest.raises(TaskError, match="only 12 are left"):
        generate(0, 13, families=["has_key"])
    with pytest.raises(TaskError, match="unknown kata families nope"):
        generate(0, 1, families=["nope"])
