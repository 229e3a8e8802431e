from keepbox.cache import Cache
from keepbox.limiter import Backoff, Limiter
from keepbox.memo import Memo, batches


def fails(kind, call, *args):
    try:
        call(*args)
    except kind:
        return True
    return False


def test_a_cache_gives_back():
    """get() gives what was put, or the default"""
    cache = Cache(2, 10)
    cache.put("a", 1, 0)
    assert cache.get("a", 1) == 1
    assert cache.get("b", 1) is None
    assert cache.get("b", 1, 7) == 7


def test_sizes_are_at_least_one():
    """a cache has room for at least one entry, for at least one unit of time"""
    assert fails(ValueError, Cache, 0, 1)
    assert fails(ValueError, Cache, 1, 0)
    assert Cache(1, 1).names(0) == []


def test_what_was_not_used_longest_goes_first():
    """a full cache forgets what was not used longest"""
    cache = Cache(2, 100)
    cache.put("a", 1, 0)
    cache.put("b", 2, 1)
    cache.get("a", 2)
    cache.put("c", 3, 3)
    assert cache.names(4) == ["a", "c"]


def test_putting_again_renews():
    """putting an entry again makes it the newest and needs no room"""
    cache = Cache(2, 100)
    cache.put("a", 1, 0)
    cache.put("b", 2, 1)
    cache.put("a", 9, 2)
    assert cache.names(3) == ["b", "a"]
    assert cache.get("a", 3) == 9


def test_old_entries_are_forgotten():
    """an entry is forgotten once it is as old as the cache keeps"""
    cache = Cache(5, 10)
    cache.put("a", 1, 0)
    cache.put("b", 2, 5)
    assert cache.names(9) == ["a", "b"]
    assert cache.names(10) == ["b"]
    assert cache.get("a", 10) is None


def test_getting_does_not_make_younger():
    """getting an entry does not make it younger"""
    cache = Cache(5, 10)
    cache.put("a", 1, 0)
    cache.get("a", 9)
    assert cache.get("a", 10) is None


def test_hits_and_misses_are_counted():
    """hits and misses are counted, and their rate in percent"""
    cache = Cache(2, 10)
    assert cache.rate() == 0
    cache.put("a", 1, 0)
    for name in ("a", "a", "b"):
        cache.get(name, 1)
    assert (cache.hits, cache.misses) == (2, 1)
    assert cache.rate() == 66


def test_a_limiter_counts_within_its_span():
    """a limiter allows so many within its span"""
    limiter = Limiter(2, 10)
    assert limiter.allow(0)
    assert limiter.allow(4)
    assert not limiter.allow(9)
    assert limiter.allow(10)
    assert not limiter.allow(13)
    assert limiter.allow(14)


def test_a_limiter_says_how_long_to_wait():
    """wait() says how long until it may happen again"""
    limiter = Limiter(1, 10)
    assert limiter.wait(0) == 0
    limiter.allow(3)
    assert limiter.wait(3) == 10
    assert limiter.wait(8) == 5
    assert limiter.wait(13) == 0


def test_waits_double_up_to_the_limit():
    """waits double up to the limit, and begin anew after a success"""
    backoff = Backoff(1, 5)
    assert [backoff.failed() for _ in range(5)] == [1, 2, 4, 5, 5]
    backoff.succeeded()
    assert backoff.failed() == 1


def test_a_memo_calls_once():
    """a memo calls its function once for each arguments"""
    memo = Memo(lambda a, b: a + b, 10, 100)
    assert memo(0, 1, 2) == 3
    assert memo(1, 1, 2) == 3
    assert memo(2, 2, 2) == 4
    assert memo.calls == 2
    assert memo.saved() == 1


def test_a_memo_remembers_none_too():
    """a memo remembers None like any value, for as long as it keeps"""
    memo = Memo(lambda: None, 10, 5)
    for now in (0, 1, 4):
        assert memo(now) is None
    assert memo.calls == 1
    assert memo(5) is None
    assert memo.calls == 2


def test_batches_are_in_order():
    """batches() cuts lists in order, the last may be shorter"""
    assert batches([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]
    assert batches([], 3) == []
    assert batches([1], 1) == [[1]]
    assert fails(ValueError, batches, [1], 0)
