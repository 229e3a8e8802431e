"""Hard: dynamic programming and search."""

from itertools import combinations, product
from random import Random

from bowerbird.tasks.katas.draw import int_lists, ints, join, mix, strings, words
from bowerbird.tasks.katas.family import Args, Draft, code, family


@family(0.80, [(1, a, b) for a, b in combinations(range(3, 12), 2)])
def fewest_coins(one: int, a: int, b: int) -> Draft:
    body = code(
        """
        best = [0] + [None] * x
        for i in range(1, x + 1):
            best[i] = 1 + min(best[i - c] for c in ($one, $a, $b) if c <= i)
        return best[x]
        """,
        one=one,
        a=a,
        b=b,
    )
    return Draft(
        f"coins_{one}_{a}_{b}",
        "x",
        f"returns the smallest number of coins of {one}, {a} and {b} that add up to x",
        body,
        ints(1, 60),
        ((0,), (2 * a,), (2 * a + b,), (b + 2,)),
    )


@family(0.80, combinations(range(1, 10), 3))
def coin_ways(a: int, b: int, c: int) -> Draft:
    body = code(
        """
        ways = [1] + [0] * x
        for coin in ($a, $b, $c):
            for i in range(coin, x + 1):
                ways[i] += ways[i - coin]
        return ways[x]
        """,
        a=a,
        b=b,
        c=c,
    )
    return Draft(
        f"ways_{a}_{b}_{c}",
        "x",
        f"returns in how many ways coins of {a}, {b} and {c} add up to x (order does not matter)",
        body,
        ints(2, 50),
        ((0,), (a,), (b + c,), (2 * c,)),
    )


@family(0.75, combinations(range(1, 8), 2))
def stair_ways(a: int, b: int) -> Draft:
    body = code(
        """
        ways = [1]
        for i in range(1, x + 1):
            ways.append(sum(ways[i - s] for s in ($a, $b) if s <= i))
        return ways[x]
        """,
        a=a,
        b=b,
    )
    return Draft(
        f"stairs_{a}_{b}",
        "x",
        f"returns in how many ways one can climb x stairs with steps of {a} or {b} (order matters)",
        body,
        ints(1, 30),
        ((0,), (b,), (a + b,), (2 * b + a,)),
    )


@family(0.90, [(c, g) for c, g in product(range(1, 8), range(1, 5)) if c < 2 * g])  # dearer is never used
def edit_distance(change: int, gap: int) -> Draft:
    body = code(
        """
        row = [j * $gap for j in range(len(b) + 1)]
        for i, x in enumerate(a):
            previous, row = row, [(i + 1) * $gap]
            for j, y in enumerate(b):
                row.append(min(previous[j] + (0 if x == y else $change), previous[j + 1] + $gap, row[j] + $gap))
        return row[-1]
        """,
        change=change,
        gap=gap,
    )
    short = strings("abc", 1, 6)
    return Draft(
        f"edit_{change}_{gap}",
        "a, b",
        f"returns the cheapest way to turn string a into b, where replacing a letter costs {change} "
        f"and inserting or deleting one costs {gap}",
        body,
        mix(join(words(), words()), join(short, short)),
        (("", ""), ("abc", ""), ("kitten", "sitting"), ("ab", "ba")),
    )


@family(0.80, range(12))
def common_subsequence(n: int) -> Draft:
    body = code(
        """
        row = [0] * (len(b) + 1)
        for x in a:
            previous = row
            row = [0]
            for j, y in enumerate(b):
                row.append(previous[j] + 1 if x == y else max(previous[j + 1], row[j]))
        return row[-1] + $n
        """,
        n=n,
    )
    short = strings("abc", 3, 8)
    return Draft(
        f"common_plus_{n}",
        "a, b",
        f"returns the length of the longest common subsequence of the strings a and b, plus {n}",
        body,
        mix(join(words(), words()), join(short, short)),
        (("", "a"), ("abc", "abc"), ("abcbdab", "bdcaba"), ("ab", "cd")),
    )


@family(0.85, range(1, 12))
def increasing_with_gap(n: int) -> Draft:
    body = code(
        """
        best = []
        for i, x in enumerate(numbers):
            best.append(1 + max([best[j] for j in range(i) if x - numbers[j] >= $n], default=0))
        return max(best, default=0)
        """,
        n=n,
    )
    return Draft(
        f"rising_by_{n}",
        "numbers",
        f"returns the length of the longest subsequence of the list in which each number is at least "
        f"{n} more than the one before",
        body,
        int_lists(0, 5 * n + 5, 3, 8),
        (([],), ([5],), ([9, 8, 1],), ([0, n, n + 1, 2 * n],)),
    )


@family(0.80, range(2, 14))
def best_non_adjacent(n: int) -> Draft:
    body = code(
        """
        best = [0]
        for i, x in enumerate(numbers):
            best.append(max(best[-1], x + best[max(0, i + 1 - $n)]))
        return best[-1]
        """,
        n=n,
    )
    return Draft(
        f"best_apart_{n}",
        "numbers",
        f"returns the largest sum of numbers of the list whose indices are pairwise at least {n} "
        "apart (0 for choosing none)",
        body,
        int_lists(-5, 20, 3, n + 5),
        (([],), ([-3, -1],), ([4],), ([5, 1, 1, 5, 9],)),
    )


@family(0.80, range(12))
def max_subarray(n: int) -> Draft:
    body = code(
        """
        best, current = None, 0
        for x in numbers:
            current = max(current, 0) + x - $n
            best = current if best is None else max(best, current)
        return best
        """,
        n=n,
    )
    taxed = f", where each number counts {n} less than it is" if n else ""
    return Draft(
        f"best_run_minus_{n}",
        "numbers",
        f"returns the largest sum of a non-empty run of neighbouring numbers of the list{taxed}",
        body,
        int_lists(-15, n + 15, 3, 7),
        (([-4],), ([-5, -2, -9],), ([n + 3, -1, n + 4],), ([n + 1, -40, n + 2],)),
    )


@family(0.80, range(2, 30))
def subset_sum(n: int) -> Draft:
    body = code(
        """
        sums = {0}
        for x in numbers:
            sums |= {s + x for s in sums}
        return sum(1 for s in sums if s % $n == 0)
        """,
        n=n,
    )
    return Draft(
        f"subset_sums_{n}",
        "numbers",
        f"returns how many distinct sums of subsets of the list (the empty one included) are divisible by {n}",
        body,
        int_lists(1, n + 9, 2, 7),
        (([],), ([n],), ([n, n],), ([1, 2, 3, n, n + 1],)),
    )


@family(0.85, product(range(1, 8), range(2, 5)))
def grid_paths(wall: int, n: int) -> Draft:
    body = code(
        """
        row = None
        for line in grid:
            new = []
            for j, cell in enumerate(line):
                above = 0 if row is None else row[j]
                left = new[j - 1] if j else 0
                start = 1 if row is None and j == 0 else 0
                new.append(0 if cell == $wall else start + above + left)
            row = new
        return row[-1] * $n
        """,
        wall=wall,
        n=n,
    )

    def draw(rng: Random) -> Args:
        rows, columns = rng.randint(2, 4), rng.randint(2, 4)
        return ([[rng.choice((0, 0, 0, 0, wall, 8)) for _ in range(columns)] for _ in range(rows)],)

    return Draft(
        f"paths_{wall}_times_{n}",
        "grid",
        f"counts the paths from the top left to the bottom right cell of the grid that go right or "
        f"down and avoid cells equal to {wall}, and returns the count times {n}",
        body,
        draw,
        (([[0]],), ([[wall]],), ([[0, 0], [0, 0]],), ([[0, wall], [0, 0]],)),
    )


@family(0.75, range(1, 14))
def longest_distinct(n: int) -> Draft:
    body = code(
        """
        best = 0
        for i in range(len(s)):
            for j in range(i, len(s)):
                if len(set(s[i:j + 1])) <= $n:
                    best = max(best, j - i + 1)
        return best
        """,
        n=n,
    )
    alphabet = "abcdefghijklmnopqrstuvwxyz"[: n + 3]
    return Draft(
        f"window_of_{n}_letters",
        "s",
        f"returns the length of the longest part of the string s with at most {n} distinct characters",
        body,
        strings(alphabet, 2, 2 * n + 8),
        (("",), ("a",), (alphabet,), ("ab" * n + "cd" + "a" * n,)),
    )


@family(0.80, range(2, 30))
def count_sum_runs(n: int) -> Draft:
    body = code(
        """
        return sum(sum(numbers[i:j]) == $n for i in range(len(numbers)) for j in range(i + 1, len(numbers) + 1))
        """,
        n=n,
    )
    return Draft(
        f"runs_with_sum_{n}",
        "numbers",
        f"returns how many runs of neighbouring numbers of the list add up to {n}",
        body,
        lambda rng: ([rng.choice((1, n - 1, n, -1, 0, n // 2, n - n // 2, 2)) for _ in range(rng.randint(2, 7))],),
        (([],), ([n],), ([n, 0, 0],), ([-n, n, n, 1],)),
    )
