"""The capacity rule, by its formula and by what it promises."""

from hypothesis import given
from hypothesis import strategies as st

from bowerbird.orchestrator.admission import Admission


def test_the_formula() -> None:
    rule = Admission(batch=4, max_age=2)
    assert rule.capacity(version=0, accepted=0, running=0) == 12
    assert rule.capacity(version=0, accepted=4, running=8) == 0
    assert rule.capacity(version=1, accepted=4, running=8) == 4
    assert rule.capacity(version=0, accepted=20, running=0) == 0, "never negative"
    assert Admission(batch=4, max_age=0).capacity(version=3, accepted=12, running=0) == 4


@given(st.integers(1, 5), st.integers(0, 4), st.lists(st.booleans(), min_size=1, max_size=200))
def test_a_group_that_none_overtakes_is_at_most_max_age_old(batch: int, max_age: int, turns: list[bool]) -> None:
    """Start groups whenever the rule lets one in, finish them first in first out, learn whenever a batch is there."""
    rule, version, accepted = Admission(batch, max_age), 0, 0
    running: list[int] = []  # the version each began under
    finished: list[int] = []
    for learns in turns:
        running += [version] * rule.capacity(version, accepted, len(running))
        assert running or finished, "it never comes to a stand"
        if running:
            finished.append(running.pop(0))
            accepted += 1
        if learns and len(finished) >= batch:
            taken, finished = finished[:batch], finished[batch:]
            assert all(version - began <= max_age for began in taken)
            version += 1
