"""Verification in the sandbox threads, the judge's answers in threads of their own.

    items ──examine──▶ sandbox threads ──▶ advise ──▶ judge threads ──▶ results, in the order of the items

A sandbox thread hands its result over and takes the next item: however slow the judge is, as long as enough questions
may be under way, only the last answer is waited for, once.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Generic, TypeVar

Item = TypeVar("Item")
Examined = TypeVar("Examined")
Advised = TypeVar("Advised")


class GradingLine(Generic[Item, Examined, Advised]):
    """Takes items one by one, as they come, and gives all results at the end.

    `examine` runs in `sandbox_pool`, then `advise` of what it returned in `judge_pool`. Neither may wait for another
    item. What they raise is raised by `finish`.
    """

    def __init__(
        self,
        examine: Callable[[Item], Examined],
        advise: Callable[[Examined], Advised],
        sandbox_pool: Executor,
        judge_pool: Executor,
    ) -> None:
        self._examine, self._advise = examine, advise
        self._sandbox_pool, self._judge_pool = sandbox_pool, judge_pool
        self._examined: list[Future[Examined]] = []
        self._results: list[Future[Advised]] = []

    def add(self, item: Item) -> None:
        """Queue one item; never waits."""
        result: Future[Advised] = Future()
        examined = self._sandbox_pool.submit(self._examine, item)
        self._examined.append(examined)
        self._results.append(result)
        examined.add_done_callback(lambda done: self._hand_over(done, result))

    def finish(self, on_done: Callable[[int], None] = lambda _: None) -> list[Advised]:
        """Wait for everything added. On an error what has not begun is dropped, and the error is raised."""
        try:
            return list(counted((result.result() for result in self._results), on_done))
        except BaseException:
            for examined in self._examined:
                examined.cancel()
            raise

    def _hand_over(self, examined: Future[Examined], result: Future[Advised]) -> None:
        """In the thread that examined: queue the question and be gone."""
        if examined.cancelled():
            result.cancel()
            return
        error = examined.exception()
        if error is not None:
            result.set_exception(error)
            return
        try:
            advised = self._judge_pool.submit(self._advise, examined.result())
        except RuntimeError as closed:  # the pool was shut down meanwhile
            result.set_exception(closed)
            return
        advised.add_done_callback(lambda done: _copy(done, result))


def _copy(source: Future[Advised], target: Future[Advised]) -> None:
    if source.cancelled():
        target.cancel()
    elif (error := source.exception()) is not None:
        target.set_exception(error)
    else:
        target.set_result(source.result())


def grade_all(
    items: Iterable[Item],
    examine: Callable[[Item], Examined],
    advise: Callable[[Examined], Advised],
    sandbox_pool: Executor,
    judge_pool: Executor,
    on_done: Callable[[int], None] = lambda _: None,
) -> list[Advised]:
    """All items through both, results in order; `on_done` hears how many are there. See `GradingLine`."""
    line = GradingLine(examine, advise, sandbox_pool, judge_pool)
    for item in items:
        line.add(item)
    return line.finish(on_done)


def counted(results: Iterable[Advised], on_done: Callable[[int], None]) -> Iterator[Advised]:
    """The results as they are; `on_done` hears how many there were so far."""
    for number, result in enumerate(results, 1):
        on_done(number)
        yield result
