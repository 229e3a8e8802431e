"""A sampler over several processes, each with a model and a thread or more of its own.

    requests ──▶ lane 0 ─▶ engine ──┐
             ──▶ lane 1 ─▶ engine ──┴─▶ completions, one step of every lane at a time

A decoding step is half matrix products and half small operations that threads do not speed up, so two processes of one
thread each sample more than one of two threads where rows are many (LOG.md, 33), and stand work beside them better.
Requests with the same prompt go to the same lane, which computes it once, and a conversation stays in its lane. All
lanes step together, so results depend on the requests, their order and the number of lanes alone.
"""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from bowerbird.child import Child, Pipe
from bowerbird.inference.chat import Chat
from bowerbird.inference.protocol import Part, Request, Sampler
from bowerbird.types import Completion, PolicyVersion, ProcessDied

_SLACK = 8  # requests that a lane may have more than another for the sake of a prompt it has
_REMEMBERED = 512  # answers of a lane, from which a conversation may go on there
_LIVES = 3  # deaths of a lane, with nothing sampled in between, at which it is given up


@dataclass(frozen=True, slots=True)
class _Step:
    """Take these requests, by ticket, and move all rows on by one."""

    fresh: tuple[tuple[int, Request], ...]


@dataclass(frozen=True, slots=True)
class _Stepped:
    """By ticket: what unfinished answers have more than before, and the finished ones."""

    news: tuple[tuple[int, Part], ...]
    done: tuple[tuple[int, Completion], ...]


@dataclass(slots=True)
class _Lane:
    child: Child
    asked: dict[int, Request] = field(default_factory=dict)  # not answered yet, by ticket
    begun: dict[int, list[list[Any]]] = field(default_factory=dict)  # of their answers so far, the columns of a `Part`
    fresh: list[int] = field(default_factory=list)  # of these, not sent yet
    prompts: Counter[tuple[int, ...]] = field(default_factory=Counter)
    ended: deque[tuple[int, ...]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    lives: int = _LIVES

    def add(self, ticket: int, request: Request) -> None:
        self.asked[ticket] = request
        self.begun[ticket] = [list(column) for column in request.begun]
        self.fresh.append(ticket)
        self.prompts[request.prompt_ids] += 1

    def step(self) -> _Step:
        fresh, self.fresh = self.fresh, []
        return _Step(tuple((ticket, self.request(ticket)) for ticket in fresh))

    def has(self, prompt: tuple[int, ...]) -> bool:
        """Whether it works on that prompt, or answered what this one goes on from."""
        return prompt in self.prompts or any(prompt[: len(ids)] == ids for ids in self.ended)

    def stepped(self, found: _Stepped) -> None:
        for ticket, part in found.news:
            for column, more in zip(self.begun[ticket], part, strict=True):
                column.extend(more)
        for ticket, completion in found.done:
            self._answered(ticket, completion)
        if found.news or found.done:
            self.lives = _LIVES

    def request(self, ticket: int) -> Request:
        """What is left to do for it."""
        return replace(self.asked[ticket], begun=Part(*map(tuple, self.begun[ticket])))

    def _answered(self, ticket: int, completion: Completion) -> None:
        del self.begun[ticket]
        prompt = self.asked.pop(ticket).prompt_ids
        self.ended.append(prompt + completion.token_ids)
        self.prompts[prompt] -= 1
        if not self.prompts[prompt]:
            del self.prompts[prompt]


class Pool(Sampler):
    """A `Sampler` over `lanes` others in processes of their own, each what `make` (picklable) gives there.
    `python` is the interpreter of another environment, as in `Child`.

    A lane that dies, or hangs for `patience` seconds, is started again with the newest weights, and asked again what it
    had not answered: no rollout is lost, and the calls under way go on from the tokens that it had told of, each with
    the log-probability and the version that it was sampled with. `says` is told. Raises what `make` raises, and
    ProcessDied for a lane that keeps dying.
    """

    def __init__(
        self,
        make: Callable[[], Sampler],
        chat: Chat,
        version: int,
        *,
        lanes: int = 2,
        python: str = "",
        patience: float = 600.0,
        says: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.chat, self._version = chat, version
        self._says = says
        self._serve = partial(Child, "sampler", serve, make, python=python, patience=patience)
        self._loaded: PolicyVersion | None = None
        self._tickets = 0
        self._lanes = [_Lane(self._serve()) for _ in range(lanes)]
        for lane in self._lanes:
            try:
                lane.child.receive()  # its model is loaded
            except ProcessDied as died:
                self._revive(lane, died)

    @property
    def version(self) -> int:
        return self._version

    @property
    def pids(self) -> list[int]:
        """The lanes' processes."""
        return [lane.child.pid for lane in self._lanes]

    def submit(self, request: Request) -> int:
        if not request.prompt_ids:
            raise ValueError("a request without a prompt")
        self._tickets += 1
        self._lane_for(request.prompt_ids).add(self._tickets, request)
        return self._tickets

    def step(self) -> list[tuple[int, Completion]]:
        finished: list[tuple[int, Completion]] = []
        for lane, found in self._exchange([lane for lane in self._lanes if lane.asked], _Lane.step):
            lane.stepped(found)
            finished += found.done
        return sorted(finished, key=lambda pair: pair[0])

    def load(self, version: PolicyVersion) -> None:
        self._loaded, self._version = version, version.number
        self._exchange(self._lanes, lambda lane: version)

    def close(self) -> None:
        for lane in self._lanes:
            lane.child.close()

    def _lane_for(self, prompt: tuple[int, ...]) -> _Lane:
        """One that has the prompt already, unless others have much less to do; else the one with least to do."""
        least = min(self._lanes, key=lambda lane: len(lane.asked))
        having = [lane for lane in self._lanes if lane.has(prompt)]
        near = [lane for lane in having if len(lane.asked) <= len(least.asked) + _SLACK]
        return near[0] if near else least

    def _exchange(self, lanes: Sequence[_Lane], message: Callable[[_Lane], object]) -> list[tuple[_Lane, Any]]:
        """A message to each lane and its reply, all lanes at work at once. One that died is revived and has none."""
        sent, replies = [], []
        for lane in lanes:
            try:
                lane.child.send(message(lane))
                sent.append(lane)
            except ProcessDied as died:
                self._revive(lane, died)
        for lane in sent:
            try:
                replies.append((lane, lane.child.receive()))
            except ProcessDied as died:
                self._revive(lane, died)
        return replies

    def _revive(self, lane: _Lane, died: ProcessDied) -> None:
        """Also where it dies again before it has its model and its weights."""
        lane.lives -= 1
        if not lane.lives:
            raise died
        self._says(f"warning: {str(died).partition(';')[0]} and is started again")
        lane.child.close()
        lane.child = self._serve()
        try:
            lane.child.receive()
            if self._loaded is not None:
                lane.child.send(self._loaded)
                lane.child.receive()
        except ProcessDied as again:
            self._revive(lane, again)
        lane.fresh = sorted(lane.asked)


def serve(pipe: Pipe, make: Callable[[], Sampler]) -> None:
    """A lane's process: steps and versions as they come, each answered."""
    sampler = make()
    names: dict[int, int] = {}  # its tickets to ours
    pipe.send(None)
    while True:
        message = pipe.recv()
        if isinstance(message, _Step):
            names.update({sampler.submit(request): ticket for ticket, request in message.fresh})
            done = tuple((names.pop(ticket), completion) for ticket, completion in sampler.step())
            pipe.send(_Stepped(tuple((names[ticket], part) for ticket, part in sampler.news()), done))
        else:
            sampler.load(message)
            pipe.send(None)
