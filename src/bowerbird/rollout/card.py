"""The card's meaning: rounds of answers, checks, repairs and a choice, within a budget of tokens and calls."""

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import cast

from bowerbird.inference.chat import Chat
from bowerbird.inference.protocol import Request
from bowerbird.rollout.effects import LEAST_TOKENS, Ask, Check, Checked, Draft, Effect, Reply, Run
from bowerbird.rollout.prompts import FENCE, Prompt, extract_code, first_prompt, repair_text
from bowerbird.rollout.seeds import derive
from bowerbird.scaffold.card import TEMPERATURES, Card
from bowerbird.types import Completion, JsonValue, Sampling, TaskView


@dataclass(frozen=True, slots=True)
class Attempt:
    """One answer and the source in it."""

    completion: Completion
    source: str

    @property
    def whole(self) -> bool:
        """Whether the model ended it: not the limit of tokens, and not a full context."""
        return self.completion.finish == "stop"


@dataclass(slots=True)
class _State:
    """What one run of a card has used and seen so far."""

    chat: Chat
    tokens_left: int
    steps_left: int
    attempts: list[Attempt] = field(default_factory=list)
    checks: dict[int, Checked] = field(default_factory=dict)  # by attempt
    log: list[dict[str, JsonValue]] = field(default_factory=list)


def run_card(
    task: TaskView, card: Card, chat: Chat, *, token_budget: int, call_tokens: int, seed: int, draw_all: bool = True
) -> Run:
    """Interpret a card. Never raises for what the model did; running out of budget ends the run with what there is.

    With `draw_all` a round's candidates are sampled together: training learns from each of them. Without it, a card
    that submits the first candidate to pass has them one after the other, up to that one: the same submission for
    fewer tokens.
    """
    state = _State(chat, token_budget, card.max_steps)
    together = draw_all or card.select != "visible_pass"
    prompt, ids = _opened(chat, first_prompt(task, card.decompose))
    for round_number in range(card.retries + 1):
        fresh = yield from _answers(state, card, ids, prompt, call_tokens, seed, together)
        if not fresh or (yield from _verified(state, card, fresh)):
            break
        if card.on_error == "stop" or round_number == card.retries:
            break
        state.log.append({"event": "repair", "how": card.on_error})
        prompt, ids = _next_prompt(task, card, chat, state, fresh[0])
    chosen = yield from _select(state, card)
    calls = tuple(a.completion for a in state.attempts)
    source = state.attempts[chosen].source if chosen is not None else ""
    return Draft(source, calls, tuple(state.checks.values()), tuple(state.log))


def run_plain(task: TaskView, chat: Chat, *, token_budget: int, temperature: float, seed: int) -> Run:
    """One sample without any scaffold: the baseline."""
    prompt = first_prompt(task, "none")
    request = _request(chat.prompt(prompt.messages), prompt, token_budget, temperature, derive(seed, "call", 0))
    replies = cast(tuple[Completion, ...], (yield Ask((request,))))
    return Draft(_attempt(replies[0], prompt.code, chat).source, replies, ())


def _answers(
    state: _State, card: Card, ids: tuple[int, ...], prompt: Prompt, call_tokens: int, seed: int, together: bool
) -> Generator[Effect, Reply, list[int]]:
    """Draw a round's answers, as many as the budgets allow and the choice needs; their numbers among the attempts.

    A repair is as long as what it repairs: one for which no room is left is not begun.
    """
    length = min((n for a in state.attempts if (n := len(a.completion.token_ids))), default=0)
    count = min(card.candidates, state.steps_left, state.tokens_left // max(length, LEAST_TOKENS))
    if count == 0:
        return []
    limit = min(call_tokens, state.tokens_left // count)
    start = len(state.attempts)
    requests = [
        _request(ids, prompt, limit, TEMPERATURES[card.temperature], derive(seed, "call", start + i))
        for i in range(count)
    ]
    for lot in [tuple(requests)] if together else [(request,) for request in requests]:
        yield from _draw(state, lot, prompt.code)
        if not together and (yield from _passed(state)):
            break
    return list(range(start, len(state.attempts)))


def _draw(state: _State, requests: tuple[Request, ...], code: str) -> Generator[Effect, Reply, None]:
    """Sample attempts, charged to the budgets."""
    replies = cast(tuple[Completion, ...], (yield Ask(requests)))
    state.steps_left -= len(replies)
    state.tokens_left -= sum(len(reply.token_ids) for reply in replies)
    state.attempts += [_attempt(reply, code, state.chat) for reply in replies]
    state.log.append({"event": "answers", "count": len(replies), "tokens": [len(r.token_ids) for r in replies]})


def _attempt(reply: Completion, code: str, chat: Chat) -> Attempt:
    return Attempt(reply, extract_code(chat.answer(reply.prompt_ids, reply.text), code, cut=reply.finish == "length"))


def _passed(state: _State) -> Generator[Effect, Reply, bool]:
    """Whether the newest attempt passes the examples."""
    newest = len(state.attempts) - 1
    yield from _check(state, [newest])
    return state.checks[newest].passed


def _verified(state: _State, card: Card, fresh: list[int]) -> Generator[Effect, Reply, bool]:
    """Whether the round needs no repair. Without a check it never does."""
    if card.verify == "none":
        return True
    yield from _check(state, fresh)
    if card.verify == "compile":
        return any(state.checks[i].compiled for i in fresh)
    return any(state.checks[i].passed for i in fresh)


def _check(state: _State, numbers: list[int]) -> Generator[Effect, Reply, None]:
    """Run the attempts not yet run; equal sources once."""
    fresh = [i for i in numbers if i not in state.checks]
    by_source = {state.attempts[i].source: found for i, found in state.checks.items()}
    unknown = tuple(dict.fromkeys(s for i in fresh if (s := state.attempts[i].source) not in by_source))
    if unknown:
        found = cast(tuple[Checked, ...], (yield Check(unknown)))
        by_source |= zip(unknown, found, strict=True)
    if fresh:
        state.checks |= {i: by_source[state.attempts[i].source] for i in fresh}
        state.log.append({"event": "checks", "passed": [state.checks[i].passed for i in numbers]})


def _select(state: _State, card: Card) -> Generator[Effect, Reply, int | None]:
    """The number of the attempt to submit: one that was cut off only where it passes, or there is no other."""
    if not state.attempts:
        return None
    numbers = list(range(len(state.attempts)))
    if card.select != "first":
        yield from _check(state, numbers)
    there = [i for i in numbers if state.attempts[i].source] or numbers
    whole = [i for i in numbers if state.attempts[i].whole] or there
    if card.select == "visible_pass":
        return next((i for i in numbers if state.checks[i].passed), whole[-1])
    if card.select == "vote":
        behaviour = {i: state.checks[i].behaviour for i in whole}
        commonest = Counter(behaviour.values()).most_common(1)[0][0]
        return next(i for i in whole if behaviour[i] == commonest)
    return whole[-1]  # of the one candidate a round


def _next_prompt(task: TaskView, card: Card, chat: Chat, state: _State, failed: int) -> tuple[Prompt, tuple[int, ...]]:
    """The opening of the next round, after attempt `failed`."""
    message = state.checks[failed].message if failed in state.checks else "it did not pass"
    edit = card.decompose == "localize_edit"
    if card.on_error == "retry" and card.memory == "last_k" and len(state.attempts) <= card.k * card.candidates:
        last = state.attempts[failed].completion
        opening = first_prompt(task, card.decompose)
        talk = repair_text(message, card.view, edit)
        ids = chat.extend(last.prompt_ids + last.token_ids, talk, opening.prefill)
        return opening if chat.constrains else Prompt(opening.messages), ids
    note = ""
    if card.on_error == "retry":
        note = "An earlier attempt failed" + (f": {message}" if card.view == "full" else ".")
        if card.memory == "notes":
            lines = {f"- {c.message}" for c in state.checks.values() if c.message}
            note = "Earlier attempts failed:\n" + "\n".join(sorted(lines)[:3])
    elif card.on_error == "replan":
        note = "An earlier attempt failed. Solve it another way."
    return _opened(chat, first_prompt(task, card.decompose, note))


def _opened(chat: Chat, prompt: Prompt) -> tuple[Prompt, tuple[int, ...]]:
    """A prompt as it will be answered, and its ids. Who cannot be made to begin so writes that beginning again."""
    ids = chat.prompt(prompt.messages, prompt.prefill)
    return prompt if chat.constrains else Prompt(prompt.messages), ids


def _request(ids: tuple[int, ...], prompt: Prompt, limit: int, temperature: float, seed: int) -> Request:
    fences = 1 if prompt.prefill else 2
    return Request(ids, Sampling(temperature, 0.0, limit, seed), stop=FENCE, stop_count=fences)
