"""The sampler against the model it runs, token by token."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
import torch

from bowerbird.inference.engine import Engine
from bowerbird.inference.protocol import Part, Request
from bowerbird.inference.tiny import write_tiny_model
from bowerbird.types import Completion, ModelError, PolicyVersion, Sampling
from tests.inference.exact import SCHEMA, recomputed

CPU, F32 = torch.device("cpu"), torch.float32


@pytest.fixture
def engine(tiny: Path) -> Engine:
    return Engine(str(tiny), places=4, dtype=F32, device=CPU)


def ask(engine: Engine, text: str, seed: int = 0, **changes: object) -> Request:
    sampling = Sampling(temperature=0.8, max_tokens=24, seed=seed)
    return Request(engine.chat.prompt([{"role": "user", "content": text}]), sampling, **changes)  # type: ignore[arg-type]


def test_logprobs_are_those_of_the_model(engine: Engine, tiny: Path) -> None:
    """Seven rows on four places, shared and single prompts: refilling and sharing change no number."""
    requests = [ask(engine, "same words for all of these rows", seed) for seed in range(5)]
    requests += [ask(engine, "another"), ask(engine, "a third prompt, a good deal longer than the others are")]
    for call in engine.generate(requests):
        assert call.logprobs == pytest.approx(recomputed(tiny, call), abs=2e-4)
        assert len(call.token_ids) == len(call.logprobs) == len(call.versions) == len(call.sampled)


def test_extended_prompt(engine: Engine, tiny: Path) -> None:
    (first,) = engine.generate([ask(engine, "begin")])
    longer = engine.chat.extend(first.prompt_ids + first.token_ids, "go on")
    assert longer[: len(first.prompt_ids) + len(first.token_ids)] == first.prompt_ids + first.token_ids
    (second,) = engine.generate([Request(longer, first.sampling)])
    assert second.logprobs == pytest.approx(recomputed(tiny, second), abs=2e-4)


@pytest.mark.parametrize("explore", [0.0, 0.3])
def test_choices_are_exact(engine: Engine, tiny: Path, explore: float) -> None:
    prompt = engine.chat.prompt([{"role": "user", "content": "choose"}])
    requests = [Request(prompt, Sampling(1.5, explore, 60, seed), schema=SCHEMA) for seed in range(6)]
    calls = engine.generate(requests)
    for call in calls:
        assert json.loads(call.text).keys() == {"a", "b"}
        assert call.finish == "stop"
        assert not all(call.sampled), "the keys are forced"
        assert call.logprobs == pytest.approx(recomputed(tiny, call), abs=2e-4)
    assert len({call.text for call in calls}) > 1


def test_the_same_requests_give_the_same_tokens(tiny: Path) -> None:
    def run() -> list[Completion]:
        engine = Engine(str(tiny), places=3, dtype=F32, device=CPU)
        return engine.generate([ask(engine, f"prompt {i % 2}", i) for i in range(6)])

    assert run() == run()


def test_stop_text_and_length(engine: Engine) -> None:
    calls = engine.generate([ask(engine, "x", seed, stop="e") for seed in range(8)])
    for call in calls:
        assert call.finish in ("stop", "length")
        assert call.text.count("e") <= 1
        assert len(call.token_ids) <= 24


def test_a_prompt_that_cannot_fit_gets_no_answer_and_others_go_on(engine: Engine) -> None:
    long, short = engine.generate([Request(tuple([5] * 5000), Sampling()), Request((5, 6), Sampling(max_tokens=4))])
    assert (long.finish, long.token_ids, long.text) == ("too_long", (), "")
    assert short.token_ids


def test_new_weights_change_the_answers_and_the_stamp(
    engine: Engine, tiny: Path, published: Callable[[Path, int], PolicyVersion], tmp_path: Path
) -> None:
    request = ask(engine, "hello")
    (before,) = engine.generate([request])
    other = write_tiny_model(tmp_path / "other", seed=1)
    engine.load(published(other, 7))
    (after,) = engine.generate([request])
    assert set(before.versions) == {0}
    assert set(after.versions) == {7}
    assert after.logprobs == pytest.approx(recomputed(other, after), abs=2e-4)


@pytest.mark.parametrize("recompute", [False, True])
def test_new_weights_in_the_middle_of_running_rows(
    tiny: Path, published: Callable[[Path, int], PolicyVersion], tmp_path: Path, recompute: bool
) -> None:
    """Each token carries the version that sampled it. Recomputed, a row goes on as one that began under the new
    weights with the same tokens; kept, its past is that of the old ones."""
    engine = Engine(str(tiny), places=4, dtype=F32, device=CPU, recompute=recompute)
    tickets = [engine.submit(ask(engine, text, seed)) for seed, text in enumerate(["same words"] * 3 + ["other words"])]
    done = dict(pair for _ in range(8) for pair in engine.step())
    assert not done
    new = write_tiny_model(tmp_path / "other", seed=1)
    engine.load(published(new, 3))
    while len(done) < len(tickets):
        done.update(engine.step())
    for call in (done[ticket] for ticket in tickets):
        switch = call.versions.index(3)
        assert call.versions == (0,) * switch + (3,) * (len(call.versions) - switch)
        assert switch in (8, 9), (
            "a row's first step may give it two tokens: it catches up, and moves on with the others"
        )
        before, after = recomputed(tiny, call), recomputed(new, call)
        assert call.logprobs[:switch] == pytest.approx(before[:switch], abs=2e-4)
        same = call.logprobs[switch:] == pytest.approx(after[switch:], abs=2e-4)
        assert same is recompute


@pytest.mark.parametrize("steps", [1, 4, 9])
def test_what_was_sampled_elsewhere_is_gone_on_from(tiny: Path, steps: int) -> None:
    """As if it had not been interrupted: the same tokens, the same end, also under a grammar and with a stop text."""
    one, other = (Engine(str(tiny), places=8, dtype=F32, device=CPU) for _ in range(2))
    requests = [ask(one, f"words {seed % 2}", seed, stop="e" if seed > 2 else "", stop_count=2) for seed in range(5)]
    prompt = one.chat.prompt([{"role": "user", "content": "choose"}])
    requests += [Request(prompt, Sampling(1.5, 0.3, 60, seed), schema=SCHEMA) for seed in range(4)]
    tickets = [one.submit(request) for request in requests]
    begun: dict[int, list[Part]] = {ticket: [] for ticket in tickets}
    done: dict[int, Completion] = {}
    for _ in range(steps):
        done.update(one.step())
        for ticket, part in one.news():
            begun[ticket].append(part)
    left = [(ticket, request) for ticket, request in zip(tickets, requests, strict=True) if ticket not in done]
    again = other.generate([replace(request, begun=joined(begun[ticket])) for ticket, request in left])
    while len(done) < len(tickets):
        done.update(one.step())
    assert left
    for (ticket, _), call in zip(left, again, strict=True):
        whole = done[ticket]
        assert replace(call, logprobs=whole.logprobs) == whole
        assert call.logprobs == pytest.approx(whole.logprobs, abs=2e-4)
        known = sum(len(part.token_ids) for part in begun[ticket])
        assert call.logprobs[:known] == whole.logprobs[:known]


def joined(parts: Sequence[Part]) -> Part:
    return Part(*(tuple(chain.from_iterable(column)) for column in zip(*parts, strict=True)))


def test_a_half_written_version_is_never_read(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="COMPLETE"):
        engine.load(PolicyVersion(1, str(tmp_path)))


def test_a_version_that_lacks_tensors_is_refused(engine: Engine, tiny: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(tiny / "model.safetensors")
    gone = next(name for name in tensors if "q_proj" in name)
    save_file({k: v for k, v in tensors.items() if k != gone}, tmp_path / "model.safetensors")
    (tmp_path / "COMPLETE").touch()
    with pytest.raises(ModelError, match=gone):
        engine.load(PolicyVersion(1, str(tmp_path)))
    save_file({**tensors, "model.extra": tensors[gone].clone()}, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match=r"model\.extra"):
        engine.load(PolicyVersion(1, str(tmp_path)))


def test_a_row_at_its_end_beside_a_long_newcomer(tiny: Path) -> None:
    """Their pass is padded to the newcomer's length, which reaches beyond the room of the row that is nearly done."""
    schema = json.dumps(
        {
            "type": "object",
            "properties": {"a": {"enum": ["none", "notes"]}, "bbbbbbbb": {"enum": [1, 2, 3]}},
            "required": ["a", "bbbbbbbb"],
            "additionalProperties": False,
        }
    )

    def request(length: int, tokens: int, grammar: str = "") -> Request:
        ids = tuple(5 + (7 * i + length) % 60 for i in range(length))
        return Request(ids, Sampling(0.8, 0.0, tokens, length), grammar)

    early, late = request(50, 70, schema), request(170, 20)
    alone = [Engine(str(tiny), places=4, dtype=F32, device=CPU).generate([r])[0] for r in (early, late)]
    engine = Engine(str(tiny), places=4, dtype=F32, device=CPU)
    first = engine.submit(early)
    done = dict(engine.step())
    second = engine.submit(late)
    while len(done) < 2:
        done.update(engine.step())
    for ticket, single in zip((first, second), alone, strict=True):
        assert done[ticket].token_ids == single.token_ids
        assert done[ticket].logprobs == pytest.approx(single.logprobs, abs=1e-5)


def test_long_requests_run_a_few_at_a_time_and_change_no_number(tiny: Path) -> None:
    """The store has room for two of them; the memory it takes never exceeds what it was given."""
    engine = Engine(str(tiny), places=8, kv_tokens=300, dtype=F32, device=CPU)
    words = [" ".join(f"{word}{i}" for i in range(12)) for word in ("kiwi", "plum", "fig", "pear", "lime")]
    requests = [ask(engine, text, seed) for seed, text in enumerate(words)] + [ask(engine, "short")]
    tickets, most = [engine.submit(request) for request in requests], 0
    found: dict[int, Completion] = {}
    while len(found) < len(tickets):
        found.update(engine.step())
        most = max(most, len(engine._rows))
        assert engine._places.tokens <= 300
    assert most < len(requests)
    for ticket in tickets:
        assert found[ticket].logprobs == pytest.approx(recomputed(tiny, found[ticket]), abs=1e-5)


def test_a_request_longer_than_the_store_runs_alone(tiny: Path) -> None:
    engine = Engine(str(tiny), places=8, kv_tokens=64, dtype=F32, device=CPU)
    long = ask(engine, " ".join(f"word{i}" for i in range(40)))
    assert all(call.token_ids for call in engine.generate([long, ask(engine, "short")]))


def test_a_prompt_that_is_the_stored_beginning_of_another_is_answered(engine: Engine) -> None:
    longer = ask(engine, "asked for twice, so that all but its last token is stored")
    request = Request(longer.prompt_ids[:-1], longer.sampling)
    engine.generate([longer, longer])
    ticket = engine.submit(request)
    found: dict[int, Completion] = {}
    for _ in range(3 * longer.sampling.max_tokens):
        found.update(engine.step())
    assert found[ticket].token_ids


def long(engine: Engine, name: str, seed: int = 0) -> Request:
    """A prompt long enough to be shared."""
    return ask(engine, " ".join(f"{name}{i}" for i in range(120)), seed)


def test_prefixes_that_nobody_uses_are_dropped_oldest_first(tiny: Path) -> None:
    engine = Engine(str(tiny), places=4, kept_tokens=4096, dtype=F32, device=CPU)
    for name in map(chr, range(97, 123)):
        for call in engine.generate([long(engine, name, seed) for seed in range(4)]):
            assert call.logprobs == pytest.approx(recomputed(tiny, call), abs=2e-4)
    assert sum(len(p.ids) for p in engine._prefixes) <= 4096
    last = long(engine, "z")
    assert engine._longest(last.prompt_ids).ids == last.prompt_ids[:-1]


def test_a_conversation_is_carried_once(engine: Engine, tiny: Path) -> None:
    """Each turn takes over what the turns before it computed, also beside a shared beginning, and changes no number."""
    requests = [*(long(engine, "a", seed) for seed in range(3)), ask(engine, "short")]
    for _ in range(3):
        calls = engine.generate(requests)
        assert all(c.logprobs == pytest.approx(recomputed(tiny, c), abs=2e-4) for c in calls)
        before = engine.tokens_carried
        new = [engine.chat.extend(c.prompt_ids + c.token_ids, "go on") for c in calls]
        fresh = sum(len(n) - len(c.prompt_ids) - len(c.token_ids) for n, c in zip(new, calls, strict=True))
        requests = [Request(n, c.sampling) for n, c in zip(new, calls, strict=True)]
        again = engine.generate(requests)
        # a turn's last token was sampled and not carried; the last of the new ones is not carried either
        assert engine.tokens_carried - before == fresh + sum(len(c.token_ids) for c in again)


def test_the_same_prompt_at_once_is_carried_once(engine: Engine, tiny: Path) -> None:
    engine.generate([ask(engine, "something else, to begin with")])
    before, request = engine.tokens_carried, ask(engine, "a question that four rows ask together, each for itself")
    calls = engine.generate([Request(request.prompt_ids, Sampling(0.8, 0.0, 8, seed)) for seed in range(4)])
    carried = engine.tokens_carried - before - sum(len(c.token_ids) - 1 for c in calls)
    assert carried <= len(request.prompt_ids) + 3
    for call in calls:
        assert call.logprobs == pytest.approx(recomputed(tiny, call), abs=2e-4)


def test_what_old_weights_computed_is_not_taken_over(
    engine: Engine, tiny: Path, published: Callable[[Path, int], PolicyVersion], tmp_path: Path
) -> None:
    """Neither of rows that finished before the new weights came, nor of rows that ran when they came."""
    (first,) = engine.generate([ask(engine, "before the new weights")])
    running = engine.submit(ask(engine, "under way when they come"))
    done = dict(engine.step())
    new = write_tiny_model(tmp_path / "other", seed=1)
    engine.load(published(new, 1))
    beside = engine.submit(ask(engine, "under way when they come", 5))
    while {running, beside} - set(done):
        done.update(engine.step())
    further = [engine.chat.extend(c.prompt_ids + c.token_ids, "go on") for c in (first, done[running])]
    for call in (done[beside], *engine.generate([Request(ids, first.sampling) for ids in further])):
        assert call.logprobs == pytest.approx(recomputed(new, call), abs=2e-4)


def test_who_goes_on_comes_before_who_begins(tiny: Path) -> None:
    engine = Engine(str(tiny), places=1, dtype=F32, device=CPU)
    (first,) = engine.generate([ask(engine, "begin")])
    newcomers = [engine.submit(ask(engine, f"newcomer {i}")) for i in range(3)]
    later = engine.submit(Request(engine.chat.extend(first.prompt_ids + first.token_ids, "go on"), first.sampling))
    order: list[int] = []
    while len(order) < 4:
        order += [ticket for ticket, _ in engine.step()]
    assert order == [later, *newcomers]


def test_a_plan_is_sampled_exactly_though_its_strings_are_free(
    engine: Engine, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tiny vocabulary counts as large here. What the grammar does not allow ends the answer, which then is none."""
    from bowerbird.inference import grammar
    from bowerbird.scaffold.plan import parse_plan, plan_schema

    monkeypatch.setattr(grammar, "_MOST_CHOICES", 100)
    prompt = engine.chat.prompt([{"role": "user", "content": "plan"}])
    requests = [Request(prompt, Sampling(0.7, 0.2, 900, seed), schema=plan_schema()) for seed in range(3)]
    for call in engine.generate(requests):
        assert call.logprobs == pytest.approx(recomputed(tiny, call), abs=2e-4)
        assert any(choice is None for choice, sampled in zip(call.choices, call.sampled, strict=True) if sampled)
        assert all(len(choice) <= 100 for choice in call.choices if choice is not None)
        assert parse_plan(call.text)[0] is not None or call.finish in ("stop", "length")
