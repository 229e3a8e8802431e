"""A sampling engine: rows that share a batch, and how fast they move.

Every running row gets one token a step, and a step's seconds depend on the number of rows. So between two events all
rows move alike: `v`, the tokens that a row running since the start would have, grows by 1 / step seconds. A row that
starts at v0 with n tokens to go ends at v0 + n, and nothing has to be done in between. Prompts and new weights hold up
all rows for a while.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from bowerbird.orchestrator.simulation.events import Events
from bowerbird.orchestrator.simulation.workload import Call

Versions = Sequence[tuple[int, int]]  # policy version and how many of a call's tokens it sampled, newest first
_CLOSE = 1e-6  # tokens


@dataclass(slots=True)
class EngineBooks:
    """Seconds by what the engine did, and what came of it."""

    decoding: float = 0.0
    prefilling: float = 0.0
    loading: float = 0.0  # taking new weights
    tools: float = 0.0  # no row to run: its rollouts wait for tools or grading
    closed: float = 0.0  # no rollout at all: admission waits for new weights
    full_speed: float = 0.0  # seconds that a full batch would have needed for the tokens it sampled
    tokens: int = 0


class Engine:
    """`curve[n]` is the seconds of a step with n rows; its length less one is the number of places."""

    def __init__(self, events: Events, curve: Sequence[float], prefill_s: float) -> None:
        self._events, self._curve, self._prefill_s = events, curve, prefill_s
        self._places = len(curve) - 1
        self._full = self._places / curve[-1]  # tokens per second at its best
        self._rows: list[tuple[float, int, float, int, Callable[[Versions], None]]] = []
        self._waiting: deque[tuple[Call, Callable[[Versions], None]]] = deque()
        self._marks = [(-1.0, 0)]  # v at which each version was taken
        self._v, self._time = 0.0, 0.0
        self._loading, self._prefill = 0.0, 0.0  # seconds still to spend on these
        self._plan_number, self._started = 0, 0
        self.live = 0  # rollouts and proposals that belong here, running or at their tools
        self.books = EngineBooks()

    def submit(self, call: Call, then: Callable[[Versions], None]) -> None:
        """Queue a call; `then` is told which versions sampled its tokens."""
        self.advance()
        if len(self._rows) < self._places:
            self._start(call, then)
            self._plan()
        else:
            self._waiting.append((call, then))

    def load(self, version: int, seconds: float) -> None:
        """Stand still for `seconds`; the tokens after that are of `version`."""
        self.advance()
        self._loading += seconds
        self._marks.append((self._v, version))
        self._plan()

    def advance(self) -> None:
        """Bring the books up to now."""
        left, books, rows = self._events.now - self._time, self.books, len(self._rows)
        if left <= 0.0:
            return
        self._time = self._events.now
        if self._loading:
            spent = min(left, self._loading)
            self._loading -= spent
            books.loading += spent
            left -= spent
        if not rows:
            if self.live:
                books.tools += left
            else:
                books.closed += left
            return
        if self._prefill:
            spent = min(left, self._prefill)
            self._prefill -= spent
            books.prefilling += spent
            left -= spent
        step = self._curve[rows]
        self._v += left / step
        books.decoding += left
        books.full_speed += left * rows / step / self._full

    def _start(self, call: Call, then: Callable[[Versions], None]) -> None:
        self._started += 1
        heappush(self._rows, (self._v + call.tokens, self._started, self._v, call.tokens, then))
        self._prefill += call.prompt * self._prefill_s

    def _plan(self) -> None:
        """Come back when the next row ends, should nothing change before."""
        self._plan_number += 1
        if self._rows:
            decoding = max(0.0, self._rows[0][0] - self._v) * self._curve[len(self._rows)]
            self._events.at(self._time + self._loading + self._prefill + decoding, self._finish, self._plan_number)

    def _finish(self, plan: int) -> None:
        if plan != self._plan_number:
            return
        self.advance()
        done = []
        while self._rows and self._rows[0][0] <= self._v + _CLOSE:
            _, _, start, tokens, then = heappop(self._rows)
            self.books.tokens += tokens
            done.append((then, self._versions(start, tokens)))
        while self._waiting and len(self._rows) < self._places:
            self._start(*self._waiting.popleft())
        self._plan()
        for then, versions in done:
            then(versions)

    def _versions(self, start: float, tokens: int) -> Versions:
        """Weights come between two tokens: one that was begun under the old ones is theirs."""
        found, left = [], tokens
        for mark, version in reversed(self._marks):
            if mark <= start + _CLOSE:
                found.append((version, left))
                break
            own = left - min(left, _above(mark - start))
            if own:
                found.append((version, own))
            left -= own
        return found


def _above(value: float) -> int:
    """The least whole number that is not below `value`, but for rounding."""
    return -int(-(value - _CLOSE) // 1)
