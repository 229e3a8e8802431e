"""Probing for tasks at the frontier, with a scripted model and the real sandbox."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.config import Config, CurriculumConfig, parse_config
from bowerbird.inference.fake import FakeSampler, byte_chat
from bowerbird.inference.protocol import Request
from bowerbird.orchestrator.curriculum import Curriculum
from bowerbird.orchestrator.frontier import Probe, variance
from bowerbird.orchestrator.grading import Defences, Grader
from bowerbird.orchestrator.progress import Silent
from bowerbird.orchestrator.wave import Stages
from bowerbird.rewards.oracle import OracleVerifier
from bowerbird.rollout.driver import Driver
from bowerbird.sandbox import Sandbox
from bowerbird.tasks import Loaded, TaskSet
from bowerbird.tasks.katas import train_heldout_split

KATAS = train_heldout_split(3, 12, 1, families=["add_constant", "square_plus", "sum_two_plus"])[0]


def answers(kinds: dict[str, str]) -> FakeSampler:
    """A model that always, sometimes or never solves a kata, by the kind that its instruction is given."""
    chat = byte_chat()

    def reply(request: Request) -> str:
        prompt = chat.decode(request.prompt_ids)
        kata = next(k for k in KATAS if k.view.instruction in prompt)
        kind = kinds[kata.view.task_id]
        solved = kind == "always" or (kind == "sometimes" and request.sampling.seed % 2)
        source = kata.solution if solved else "x = 1"
        return f"```python\n{source}\n```"

    return FakeSampler(chat, reply)


def drawn(sandbox: Sandbox, kinds: dict[str, str], config: Config) -> tuple[list[str], Curriculum, FakeSampler]:
    tasks, sampler = TaskSet(Loaded(k.view, k.spec) for k in KATAS), answers(kinds)
    curriculum = Curriculum([k.view for k in KATAS], config.curriculum)
    with ThreadPoolExecutor(2) as pool:
        grader = Grader(tasks, sandbox, Defences(OracleVerifier(sandbox)), pool)
        parts = Stages(tasks, byte_chat(), sampler, sandbox, pool, grader)
        probe = Probe(config, parts, Driver(sampler, sandbox, pool), grader, Silent())
        found = [view.task_id for view in probe.draw(curriculum, 5)]
    return found, curriculum, sampler


def settings(**curriculum: int) -> Config:
    return parse_config({"rollout": {"call_tokens": 400}, "curriculum": {"tasks_per_step": 2, **curriculum}}, "test")


def test_tasks_that_are_solved_sometimes_are_taken(sandbox: Sandbox) -> None:
    names = [k.view.task_id for k in KATAS]
    kinds = dict(zip(names, ["never", "always", "sometimes"] * 4, strict=True))
    found, _, sampler = drawn(sandbox, kinds, settings(drawn_per_task=6, probes=8))
    assert [kinds[name] for name in found] == ["sometimes", "sometimes"]
    assert len(sampler.requests) == 12 * 8
    assert len({r.sampling.seed for r in sampler.requests}) == 12 * 8


def test_the_rates_hear_of_every_probe(sandbox: Sandbox) -> None:
    kinds = {k.view.task_id: "never" for k in KATAS}
    config = settings(drawn_per_task=6, probes=4)
    _, curriculum, _ = drawn(sandbox, kinds, config)
    before = Curriculum([k.view for k in KATAS], config.curriculum).state()
    assert all(rate == pytest.approx(before[name] * 0.9**16) for name, rate in curriculum.state().items())


def test_without_a_probe_nothing_is_sampled(sandbox: Sandbox) -> None:
    found, curriculum, sampler = drawn(sandbox, {k.view.task_id: "always" for k in KATAS}, settings())
    assert len(found) == 2
    assert sampler.requests == []
    assert curriculum.state() == Curriculum([k.view for k in KATAS], CurriculumConfig()).state()


@given(st.lists(st.sampled_from([0.0, 1.0]), max_size=8))
def test_variance_is_zero_where_all_agree(rewards: list[float]) -> None:
    assert (variance(rewards) > 0) == (len(set(rewards)) > 1)
    assert variance(rewards) <= 0.25
