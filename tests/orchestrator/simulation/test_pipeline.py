"""The simulated pipeline, against schedules worked out on paper and by what must hold of any."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bowerbird.orchestrator.admission import Admission
from bowerbird.orchestrator.simulation.pipeline import Plant, Simulation
from bowerbird.orchestrator.simulation.workload import Call, GroupPlan, Recorded, Turn

# One engine with four places and a second a token; a learner that takes 20 s; nothing else takes time.
PLANT = Plant(
    engines=1,
    curve=(1.0,) * 5,
    prefill_s=0.0,
    learn_fixed_s=20.0,
    learn_token_s=0.0,
    publish_s=0.0,
    load_s=0.0,
    tools=None,
    admission=Admission(batch=1, max_age=0),
)
TURN = Turn((Call(10, 0),), (5.0,))
GROUP = GroupPlan((), ((TURN,),), 0.0)  # 10 s in the engine, then 5 s in a tool


class Counting(Recorded):
    """Remembers what it gave."""

    def __init__(self, groups: Sequence[GroupPlan]) -> None:
        super().__init__(groups)
        self.given: list[GroupPlan] = []

    def group(self) -> GroupPlan:
        self.given.append(super().group())
        return self.given[-1]


def test_the_synchronous_loop_does_one_thing_after_the_other() -> None:
    simulation = Simulation(PLANT, Recorded([GROUP]))
    simulation.run(3)
    assert [(s.began, s.landed) for s in simulation.steps] == [(15, 35), (50, 70), (85, 105)]
    assert [dict(s.ages) for s in simulation.steps] == [{0: 10}] * 3
    books = simulation.books()
    assert (books.decoding, books.tools, books.closed) == pytest.approx((30, 15, 60))


def test_with_age_one_the_learner_never_waits() -> None:
    """Two groups begin at 0 and are there at 15. From then on each landing, 20 s apart, admits the group that is
    trained after the next: it is sampled under the version before."""
    simulation = Simulation(replace(PLANT, admission=Admission(1, 1)), Recorded([GROUP]))
    simulation.run(5)
    assert [(s.began, s.landed) for s in simulation.steps] == [(15, 35), (35, 55), (55, 75), (75, 95), (95, 115)]
    assert [dict(s.ages) for s in simulation.steps] == [{0: 10}, {1: 10}, {1: 10}, {1: 10}, {1: 10}]
    assert simulation.most_under_way == 2


def test_publishing_and_loading_hold_up_what_they_should() -> None:
    """2 s until the weights are there, 3 s to take them: the learner waits 5, the engine 3. The group that begins when
    they have landed is learned from the same way again."""
    simulation = Simulation(replace(PLANT, publish_s=2.0, load_s=3.0), Recorded([GROUP]))
    simulation.run(2)
    assert [(s.began, s.learned, s.landed) for s in simulation.steps] == [(15, 35, 40), (55, 75, 80)]
    assert simulation.books().loading == pytest.approx(6.0)


def test_one_rollout_mixes_versions() -> None:
    """The long group is under way from 0 to 40. The other is there at 15, and weights land at 20 and, with the group
    begun at 20, at 40: 20 tokens of version 0, 20 of version 1, and it is trained at version 2."""
    long = GroupPlan((), ((Turn((Call(40, 0),), ()),),), 0.0)
    plant = replace(PLANT, learn_fixed_s=5.0, admission=Admission(1, 1))
    simulation = Simulation(plant, Recorded([long, GROUP, GROUP, GROUP, GROUP]))
    simulation.run(3)
    assert [s.began for s in simulation.steps] == [15, 35, 40]
    assert dict(simulation.steps[2].ages) == {2: 20, 1: 20}


def test_proposals_come_first_then_rollouts_then_grading() -> None:
    group = GroupPlan((Call(3, 0), Call(4, 0)), ((TURN, TURN), (TURN,)), 6.0)
    simulation = Simulation(PLANT, Recorded([group]))
    simulation.run(1)
    assert simulation.steps[0].began == 4 + 15 + 15 + 6
    assert simulation.steps[0].tokens == 7 + 30


def test_calls_of_a_turn_go_together_and_tools_wait_for_a_sandbox() -> None:
    """Both calls are there at 12; the tools of 5 s take turns in one sandbox."""
    group = GroupPlan((), ((Turn((Call(8, 0), Call(12, 0)), (5.0, 5.0)),),), 0.0)
    plenty, one = (Simulation(replace(PLANT, tools=tools), Recorded([group])) for tools in (None, 1))
    plenty.run(1)
    one.run(1)
    assert (plenty.steps[0].began, one.steps[0].began) == (17, 22)


def test_the_learners_seconds_grow_with_what_it_carries() -> None:
    group = GroupPlan((), ((Turn((Call(10, 90),), ()),),), 0.0)
    simulation = Simulation(replace(PLANT, learn_token_s=0.1), Recorded([group]))
    simulation.run(1)
    assert simulation.steps[0].landed - simulation.steps[0].began == pytest.approx(20 + 10)


few = settings(max_examples=40)
calls = st.builds(Call, st.integers(0, 9), st.integers(0, 9))
turns = st.builds(
    Turn,
    st.lists(calls, min_size=1, max_size=2).map(tuple),
    st.lists(st.floats(0, 30), max_size=2).map(tuple),
)
groups = st.builds(
    GroupPlan,
    st.lists(calls, max_size=2).map(tuple),
    st.lists(st.lists(turns, min_size=1, max_size=3).map(tuple), max_size=3).map(tuple),
    st.floats(0, 5),
)
plants = st.builds(
    Plant,
    engines=st.integers(1, 3),
    curve=st.just((0.1, 0.1, 0.15)),
    prefill_s=st.sampled_from([0.0, 0.05]),
    learn_fixed_s=st.floats(0, 20),
    learn_token_s=st.sampled_from([0.0, 0.01]),
    publish_s=st.sampled_from([0.0, 1.0]),
    load_s=st.sampled_from([0.0, 0.5]),
    tools=st.sampled_from([None, 1, 3]),
    admission=st.builds(Admission, st.integers(1, 3), st.integers(0, 3)),
)


@few
@given(plants, st.lists(groups, min_size=1, max_size=4))
def test_the_books_balance(plant: Plant, plans: list[GroupPlan]) -> None:
    """After every step: accepted = trained + waiting, and never more under way than the rule allows."""
    simulation = Simulation(plant, Recorded(plans))
    rule = plant.admission
    for step in range(1, 6):
        simulation.run(step)
        assert simulation.accepted == step * rule.batch + simulation.waiting
        assert simulation.most_under_way <= (rule.max_age + 1) * rule.batch
        assert rule.capacity(simulation.version, simulation.accepted, simulation.running) == 0, "all that may, runs"
    landed = [s.landed for s in simulation.steps]
    assert landed == sorted(landed)
    assert all(age >= 0 for s in simulation.steps for age in s.ages)
    if rule.max_age == 0:
        assert all(set(s.ages) <= {0} for s in simulation.steps)


@few
@given(plants, st.lists(groups, min_size=1, max_size=4))
def test_a_whole_run_trains_every_token_once(plant: Plant, plans: list[GroupPlan]) -> None:
    workload = Counting(plans)
    simulation = Simulation(replace(plant, last=4), workload)
    simulation.run(4)
    assert len(workload.given) == 4 * plant.admission.batch == simulation.accepted
    assert sum(s.tokens for s in simulation.steps) == sum(group.tokens for group in workload.given)
    assert simulation.books().tokens == sum(group.tokens for group in workload.given)


@few
@given(plants, st.lists(groups, min_size=1, max_size=4))
def test_engines_account_for_all_their_time(plant: Plant, plans: list[GroupPlan]) -> None:
    simulation = Simulation(plant, Recorded(plans))
    simulation.run(4)
    b = simulation.books()
    spent = b.decoding + b.prefilling + b.loading + b.tools + b.closed
    assert spent == pytest.approx(plant.engines * simulation.events.now, abs=1e-6)
    assert b.full_speed <= b.decoding + 1e-6


def test_the_same_again_is_the_same() -> None:
    group = GroupPlan((Call(3, 5),), ((TURN, TURN), (TURN,)), 1.5)
    plant = replace(PLANT, engines=2, admission=Admission(2, 3), tools=2)
    runs = [Simulation(plant, Recorded([group, GROUP])) for _ in range(2)]
    for simulation in runs:
        simulation.run(6)
    assert runs[0].steps == runs[1].steps
