"""Trees of tokens: every sampled token once, in its own context, and what is shared computed once."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bowerbird.trainer.packing import Packed, pack
from bowerbird.types import Completion, Sampling, Stage, TrainingSample

PROMPT = tuple(range(100, 130))


def sample(prompt: tuple[int, ...], tokens: tuple[int, ...], sampled: tuple[bool, ...] = ()) -> TrainingSample:
    n = len(tokens)
    call = Completion(prompt, tokens, (-1.0,) * n, (0,) * n, sampled or (True,) * n, (None,) * n, Sampling(), "stop")
    return TrainingSample(call, 1.0, Stage.SOLVE)


def contexts(packed: Packed) -> list[tuple[int, ...]]:
    """For each position of the row, the ids from the root down to it."""
    found: list[tuple[int, ...]] = []
    for segment in packed.segments:
        above = packed.segments[segment.parent] if segment.parent >= 0 else None
        before = found[above.start + above.length - 1] if above else ()
        for i in range(segment.start, segment.start + segment.length):
            before = (*before, packed.ids[i])
            found.append(before)
    return found


def test_shared_prompts_are_carried_once() -> None:
    (packed,) = pack([sample(PROMPT, (50 + i, 60)) for i in range(5)], 1024)
    assert len(packed.ids) == len(PROMPT) + 5 * 2
    assert packed.positions[-2:] == [30, 31]
    assert len(packed.terms) == 10


def test_forks_below_forks_are_carried_once() -> None:
    """Two scaffolds under one task, and repairs of one answer."""
    task, one, other = PROMPT, tuple(range(200, 220)), tuple(range(300, 320))
    answer, told = (1, 2, 3), tuple(range(400, 420))
    samples = [sample(task + one, answer), sample(task + one, (4, 5)), sample(task + other, (6,))]
    samples += [sample(task + one + answer + told, (7 + i,)) for i in range(3)]
    (packed,) = pack(samples, 1024)
    assert len(packed.ids) == len(task) + len(one) + len(other) + len(answer) + len(told) + 2 + 1 + 3
    assert sorted({s.parent for s in packed.segments})[0] == -1
    assert len(packed.terms) == 3 + 2 + 1 + 3


def test_tasks_that_share_a_template_alone_are_apart() -> None:
    packs = pack([sample((1, 2, 3, *range(10 * i, 10 * i + 9)), (5,)) for i in range(1, 4)], 1024)
    assert [len(packed.segments) for packed in packs] == [1, 1, 1]


def test_no_row_is_longer_than_asked_unless_a_sequence_is() -> None:
    samples = [sample(PROMPT, tuple(range(i, i + 30))) for i in range(40)] + [sample(PROMPT, (7,) * 200)]
    packs = pack(samples, 128)
    assert sorted(len(packed.ids) > 128 for packed in packs) == [False] * (len(packs) - 1) + [True]


TOKENS = st.lists(st.integers(0, 2), min_size=1, max_size=12).map(tuple)


@given(st.data())
def test_each_sampled_token_is_trained_exactly_once_and_in_its_context(data: st.DataObject) -> None:
    """Calls that begin anew, extend an earlier one, or fork within it, over few ids so that they often coincide."""
    trunk = tuple(range(10, 28))
    samples: list[TrainingSample] = []
    for _ in range(data.draw(st.integers(1, 9))):
        prompt = trunk
        again = data.draw(st.booleans())
        if samples and again:
            earlier = data.draw(st.sampled_from(samples)).completion
            whole = earlier.prompt_ids + earlier.token_ids
            more = data.draw(st.sampled_from(((), trunk)))
            prompt = whole[: data.draw(st.integers(1, len(whole)))] + more
        tokens = data.draw(TOKENS)
        sampled = tuple(data.draw(st.booleans()) for _ in tokens)
        samples.append(sample(prompt, tokens, sampled))
    wanted = Counter(
        (s.completion.prompt_ids + s.completion.token_ids[:i], token)
        for s in samples
        for i, token in enumerate(s.completion.token_ids)
        if s.completion.sampled[i]
    )
    found: Counter[tuple[tuple[int, ...], int]] = Counter()
    for packed in pack(samples, data.draw(st.sampled_from([24, 64, 4096]))):
        context = contexts(packed)
        assert packed.positions == [len(ids) - 1 for ids in context]
        found.update((context[term.source], term.target) for term in packed.terms)
    assert found == wanted
