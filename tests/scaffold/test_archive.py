"""Selection: what a task is shown next."""

from random import Random

from bowerbird.scaffold.archive import Archive, Entry, best
from bowerbird.types import Scaffold


def entry(name: str, task: str, value: float, category: str = "sums") -> Entry:
    return Entry(Scaffold(name, task, "card", "{}", {}, None, None, None, 0), category, value, None)


def drawn(archive: Archive, task: str, category: str = "sums") -> set[str | None]:
    found = [archive.previous(task, category, Random(seed)) for seed in range(200)]
    return {e.scaffold.scaffold_id if e else None for e in found}


def test_a_task_of_a_new_kind_starts_from_nothing() -> None:
    assert drawn(Archive([entry("a", "t", 1.0)]), "u", "other") == {None}


def test_a_new_task_is_shown_its_category_and_a_known_one_its_own_lineage() -> None:
    archive = Archive([entry("a", "t", 0.0), entry("b", "v", 1.0)])
    assert drawn(archive, "new") == {None, "b"}
    assert drawn(archive, "t") == {None, "a"}


def test_the_best_of_many_is_preferred() -> None:
    archive = Archive([entry(str(i), "t", i / 10) for i in range(10)])
    counts = [archive.previous("t", "sums", Random(seed)) for seed in range(400)]
    chosen = [int(e.scaffold.scaffold_id) for e in counts if e]
    assert sum(c >= 5 for c in chosen) > 3 * sum(c < 5 for c in chosen)


def texted(text: str, value: float, category: str = "sums", task: str = "t") -> Entry:
    return Entry(Scaffold(f"{text}{value}", task, "card", text, {}, None, None, None, 0), category, value, None)


def test_the_best_is_the_text_with_the_best_record() -> None:
    once = texted("lucky", 1.0)
    assert best([once, texted("poor", 0.0)], "sums") is once
    assert best([texted("elsewhere", 1.0, "words"), texted("here", 0.1)], "sums") == texted("here", 0.1)
    assert best([texted("elsewhere", 1.0, "words")], "sums") == texted("elsewhere", 1.0, "words")
    assert best([], "sums") is None


def test_a_record_is_what_it_earned_beyond_others_on_the_same_tasks() -> None:
    easy = [texted(name, 1.0, task="easy") for name in ("one", "other")]
    hard = [texted("helps", 0.5, task="hard"), texted("does not", 0.0, task="hard")]
    assert best([*hard, *easy], "sums") is hard[0]


def test_one_good_trial_is_not_much() -> None:
    steady = [texted("steady", 0.8, task=f"t{n}") for n in range(4)]
    others = [texted(f"other {n}", 0.2, task=f"t{n}") for n in range(4)]
    lucky = [texted("lucky", 1.0, task="t9"), texted("unlucky", 0.2, task="t9")]
    assert best([*steady, *others, *lucky], "sums") is steady[-1]


def test_where_nothing_can_be_compared_what_was_earned_decides() -> None:
    assert best([texted("a", 0.2, task="t1"), texted("b", 0.9, task="t2")], "sums") == texted("b", 0.9, task="t2")
