"""Hard: simulation, intervals, matrices and graphs."""

from itertools import product
from random import Random

from bowerbird.tasks.katas.draw import int_lists, ints, mix
from bowerbird.tasks.katas.families.numbers import PRIMES
from bowerbird.tasks.katas.family import Args, Draft, Draw, code, family, ordinal


def grids(low: int, high: int) -> Draw:
    def draw(rng: Random) -> Args:
        columns = rng.randint(1, 4)
        return ([[rng.randint(low, high) for _ in range(columns)] for _ in range(rng.randint(1, 4))],)

    return draw


@family(0.75, range(12))
def merge_intervals(n: int) -> Draft:
    body = code(
        """
        merged = []
        for start, end in sorted(intervals):
            if merged and start - merged[-1][1] <= $n:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([start, end])
        return merged
        """,
        n=n,
    )

    def draw(rng: Random) -> Args:
        starts = [rng.randint(0, 30) for _ in range(rng.randint(2, 4))]
        return ([[s, s + rng.randint(0, 8)] for s in starts],)

    return Draft(
        f"merge_gap_{n}",
        "intervals",
        f"merges the intervals [start, end] whose gap is at most {n} and returns the sorted list of intervals",
        body,
        draw,
        (([],), ([[5, 9]],), ([[20, 25], [1, 2], [2 + n, 5 + n]],), ([[1, 30], [3, 4], [31 + n, 40 + n]],)),
    )


@family(0.75, range(2, 22))
def josephus(n: int) -> Draft:
    body = code(
        """
        left, i = list(range(1, x + 1)), 0
        while len(left) > 1:
            i = (i + $n - 1) % len(left)
            left.pop(i)
        return left[0]
        """,
        n=n,
    )
    return Draft(
        f"last_of_circle_{n}",
        "x",
        f"puts the numbers 1 to x in a circle, removes every {ordinal(n)} one until one is left, and returns it",
        body,
        ints(2, 60),
        ((1,), (2,), (3,), (41,)),
    )


@family(0.70, range(1, 40))
def spiral(n: int) -> Draft:
    body = code(
        """
        out = []
        rows = [list(row) for row in grid]
        while rows:
            out += rows.pop(0)
            rows = [list(row) for row in zip(*rows)][::-1]
        return [x + $n for x in out]
        """,
        n=n,
    )
    return Draft(
        f"spiral_plus_{n}",
        "grid",
        f"walks the grid in a clockwise spiral from the top left and returns the list of the numbers "
        f"met, each plus {n}",
        body,
        grids(0, 30),
        (([],), ([[5]],), ([[1, 2, 3], [4, 5, 6], [7, 8, 9]],), ([[1], [2], [3]],)),
    )


@family(0.65, product(("left", "right"), range(2, 10)))
def rotate_grid(side: str, n: int) -> Draft:
    turned = "[list(row) for row in zip(*grid)][::-1]" if side == "left" else "[list(row) for row in zip(*grid[::-1])]"
    return Draft(
        f"turn_{side}_times_{n}",
        "grid",
        f"turns the grid by 90 degrees to the {side} and returns it with each number times {n}",
        f"return [[x * {n} for x in row] for row in {turned}]",
        grids(0, 20),
        (([],), ([[5]],), ([[1, 2], [3, 4]],), ([[1, 2, 3]],)),
    )


@family(0.70, range(2, 12))
def window_max(n: int) -> Draft:
    return Draft(
        f"window_max_{n}",
        "numbers",
        f"returns the list of the largest minus the smallest number of every {n} neighbouring numbers of the list",
        f"return [max(numbers[i:i + {n}]) - min(numbers[i:i + {n}]) for i in range(len(numbers) - {n} + 1)]",
        int_lists(-9, 30, n, n + 4),
        (([],), ([3] * (n - 1),), (list(range(n + 1)),), ([5] * n,)),
    )


@family(0.90, product(range(1, 4), range(2, 6)))
def life(born: int, lives: int) -> Draft:
    body = code(
        """
        def around(i, j):
            return sum(grid[a][b] for a in range(max(0, i - 1), min(len(grid), i + 2))
                       for b in range(max(0, j - 1), min(len(grid[0]), j + 2)) if (a, b) != (i, j))
        return [[int(around(i, j) == $born or (cell == 1 and around(i, j) == $lives))
                 for j, cell in enumerate(row)] for i, row in enumerate(grid)]
        """,
        born=born,
        lives=lives,
    )
    return Draft(
        f"life_{born}_{lives}",
        "grid",
        f"returns the next state of a grid of 0 and 1, where a cell becomes 1 if exactly {born} of "
        f"its up to 8 neighbours are 1, or if it is 1 and exactly {lives} are",
        body,
        grids(0, 1),
        (([[1]],), ([[1, 1], [1, 1]],), ([[0, 1, 0], [0, 1, 0], [0, 1, 0]],), ([[1, 0, 1], [0, 0, 0], [1, 0, 1]],)),
    )


@family(0.80, product(range(1, 9), range(1, 4)))
def islands(value: int, smallest: int) -> Draft:
    body = code(
        """
        cells = {(i, j) for i, row in enumerate(grid) for j, x in enumerate(row) if x == $value}
        count = 0
        while cells:
            stack, size = [cells.pop()], 0
            while stack:
                i, j = stack.pop()
                size += 1
                for near in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):
                    if near in cells:
                        cells.remove(near)
                        stack.append(near)
            count += size >= $smallest
        return count
        """,
        value=value,
        smallest=smallest,
    )

    def draw(rng: Random) -> Args:
        columns = rng.randint(2, 5)
        return ([[rng.choice((value, 0)) for _ in range(columns)] for _ in range(rng.randint(2, 4))],)

    v = value
    return Draft(
        f"islands_{value}_min_{smallest}",
        "grid",
        f"counts the groups of cells equal to {value} in the grid, connected up, down, left or right, "
        f"that have at least {smallest} cells",
        body,
        draw,
        (([],), ([[0, 0]],), ([[v, 0, v, v], [0, 0, 0, v]],), ([[v, 0], [0, v]],)),
    )


@family(0.80, range(1, 22))
def hops(n: int) -> Draft:
    body = code(
        """
        distance, queue = {start: 0}, [start]
        for node in queue:
            for near in graph.get(node, []):
                if near not in distance:
                    distance[near] = distance[node] + $n
                    queue.append(near)
        return distance.get(goal, -1)
        """,
        n=n,
    )

    def draw(rng: Random) -> Args:
        nodes = "abcdef"[: rng.randint(3, 6)]
        graph = {x: sorted(rng.sample([y for y in nodes if y != x], rng.randint(0, 2))) for x in nodes}
        return graph, rng.choice(nodes), rng.choice(nodes)

    return Draft(
        f"route_cost_{n}",
        "graph, start, goal",
        f"returns the cost of the shortest route from start to goal in the graph (a dictionary from "
        f"node to list of next nodes), at {n} per step, or -1 if there is none",
        body,
        draw,
        (
            ({}, "a", "b"),
            ({"a": ["b"], "b": ["c"]}, "a", "c"),
            ({"a": ["b"]}, "b", "a"),
            ({"a": ["b", "c"], "b": ["c"]}, "a", "c"),
        ),
    )


@family(0.80, range(2, 22))
def round_robin(n: int) -> Draft:
    body = code(
        """
        queue, time, done = [[i, x] for i, x in enumerate(jobs)], 0, [0] * len(jobs)
        while queue:
            i, x = queue.pop(0)
            time += min(x, $n)
            if x > $n:
                queue.append([i, x - $n])
            else:
                done[i] = time
        return done
        """,
        n=n,
    )
    return Draft(
        f"schedule_{n}",
        "jobs",
        f"runs the jobs (a list of lengths) in turns of at most {n} units, an unfinished one going to "
        "the back of the queue, and returns the list of finishing times",
        body,
        int_lists(1, 3 * n, 2, 4),
        (([],), ([5],), ([n, n + 1],), ([2 * n, 1, n],)),
    )


@family(0.75, [n for n in PRIMES if n < 98])
def nth_prime_above(n: int) -> Draft:
    body = code(
        """
        found, candidate = 0, $n
        while found < x:
            candidate += 1
            if all(candidate % d for d in range(2, int(candidate ** 0.5) + 1)):
                found += 1
        return candidate
        """,
        n=n,
    )
    return Draft(
        f"prime_after_{n}",
        "x",
        f"returns the x-th prime number greater than {n} (x is at least 1)",
        body,
        ints(1, 25),
        ((1,), (2,), (3,), (30,)),
    )


@family(0.85, range(2, 12))
def next_permutation(n: int) -> Draft:
    body = code(
        """
        items = list(numbers)
        for _ in range($n):
            i = len(items) - 2
            while i >= 0 and items[i] >= items[i + 1]:
                i -= 1
            if i < 0:
                items.reverse()
                continue
            j = len(items) - 1
            while items[j] <= items[i]:
                j -= 1
            items[i], items[j] = items[j], items[i]
            items[i + 1:] = reversed(items[i + 1:])
        return items
        """,
        n=n,
    )
    return Draft(
        f"permute_{n}",
        "numbers",
        f"moves the list {n} steps on in the lexicographic order of its distinct permutations (after "
        "the last comes the first) and returns it",
        body,
        mix(int_lists(1, 4, 3, 5), lambda rng: (rng.sample(range(1, 6), rng.randint(3, 5)),)),
        (([],), ([1],), ([3, 2, 1],), ([1, 2, 3, 4],)),
    )


@family(0.75, range(2, 22))
def robot(n: int) -> Draft:
    body = code(
        """
        x, y, dx, dy = 0, 0, 0, 1
        for c in s:
            if c == "L":
                dx, dy = -dy, dx
            elif c == "R":
                dx, dy = dy, -dx
            else:
                x, y = x + dx * $n, y + dy * $n
        return [x, y]
        """,
        n=n,
    )
    return Draft(
        f"robot_{n}",
        "s",
        f"follows commands from [0, 0] facing up (F moves {n} forward, L and R turn left and right) "
        "and returns the position [x, y]",
        body,
        lambda rng: ("".join(rng.choice("FFFLR") for _ in range(rng.randint(3, 9))),),
        (("",), ("LF",), ("FFRFF",), ("RRFLF",)),
    )
