"""A sandbox thread never waits for the judge."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bowerbird.rewards.judge import GradingLine, grade_all


def _same(n: int) -> int:
    return n


def _late(n: int) -> int:
    time.sleep(0.002 * (n % 7))
    return n + 1


def test_results_come_in_order() -> None:
    with ThreadPoolExecutor(3) as sandboxes, ThreadPoolExecutor(5) as judges:
        found = grade_all(range(40), lambda n: n * 2, _late, sandboxes, judges)
    assert found == [n * 2 + 1 for n in range(40)]


def test_all_is_examined_while_the_judge_has_not_answered_once() -> None:
    """One sandbox thread, a judge that answers only when everything has been examined: waiting would never end."""
    examined = threading.Semaphore(0)
    all_examined = threading.Event()
    count = 30

    def examine(n: int) -> int:
        examined.release()
        return n

    def advise(n: int) -> int:
        assert all_examined.wait(10)
        return n

    with ThreadPoolExecutor(1) as sandboxes, ThreadPoolExecutor(2) as judges:
        line = GradingLine(examine, advise, sandboxes, judges)
        for n in range(count):
            line.add(n)
        for _ in range(count):
            assert examined.acquire(timeout=10)
        all_examined.set()
        assert line.finish() == list(range(count))


def test_questions_begin_before_the_last_item_is_added() -> None:
    asked = threading.Event()

    def ask(n: int) -> int:
        asked.set()
        return n

    with ThreadPoolExecutor(1) as sandboxes, ThreadPoolExecutor(1) as judges:
        line = GradingLine(_same, ask, sandboxes, judges)
        line.add(1)
        assert asked.wait(10)
        line.add(2)
        assert line.finish() == [1, 2]


@pytest.mark.parametrize("where", ["examine", "advise"])
def test_errors_come_out_and_the_rest_is_dropped(where: str) -> None:
    seen: list[int] = []

    def fails(n: int) -> int:
        seen.append(n)
        if n == 3:
            raise RuntimeError("broken")
        time.sleep(0.01)
        return n

    with ThreadPoolExecutor(1) as sandboxes, ThreadPoolExecutor(1) as judges:
        examine, advise = (fails, _same) if where == "examine" else (_same, fails)
        with pytest.raises(RuntimeError, match="broken"):
            grade_all(range(200), examine, advise, sandboxes, judges)
    if where == "examine":
        assert len(seen) < 200


def test_a_closed_pool_is_an_error_and_no_endless_wait() -> None:
    judges = ThreadPoolExecutor(1)
    judges.shutdown()
    with ThreadPoolExecutor(1) as sandboxes, pytest.raises(RuntimeError):
        grade_all([1], lambda n: n, lambda n: n, sandboxes, judges)
