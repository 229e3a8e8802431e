"""Random arguments for kata functions. Everything drawn is plain JSON: None, bool, int, str, list, dict."""

from random import Random

from bowerbird.tasks.katas.family import Args, Draw

TEXT = """
apple banana cherry grape lemon melon peach plum mango kiwi tiger zebra horse mouse rabbit eagle otter whale river
ocean forest desert island mountain valley meadow garden window table pillow bottle basket candle hammer pencil rocket
planet comet moon star cloud storm thunder winter summer spring autumn bread butter cheese pepper sugar coffee cookie
pasta letter number color purple yellow orange silver golden happy little quick quiet brave gentle clever simple level
noon radar bubble coconut cabbage hubbub kayak mississippi success
"""
WORDS = tuple(TEXT.split())
LETTERS = "abcdeghiklmnoprstuw"


def ints(low: int, high: int, count: int = 1) -> Draw:
    return lambda rng: tuple(rng.randint(low, high) for _ in range(count))


def choice(*values: Args) -> Draw:
    return lambda rng: rng.choice(values)


def mix(*draws: Draw) -> Draw:
    """One of several draws, evenly: for outcomes that one distribution alone would rarely reach."""
    return lambda rng: rng.choice(draws)(rng)


def join(*draws: Draw) -> Draw:
    """The arguments of each, one after the other."""
    return lambda rng: tuple(value for draw in draws for value in draw(rng))


def words(count: int = 1) -> Draw:
    return lambda rng: tuple(rng.choice(WORDS) for _ in range(count))


def phrases(low: int = 2, high: int = 4) -> Draw:
    return lambda rng: (" ".join(rng.choice(WORDS) for _ in range(rng.randint(low, high))),)


def words_with(letter: str) -> Draw:
    """Words of which two thirds contain the letter."""
    having = [w for w in WORDS if letter in w]
    return lambda rng: (rng.choice(having if rng.random() < 0.67 else WORDS),)


def strings(alphabet: str, low: int, high: int) -> Draw:
    return lambda rng: ("".join(rng.choice(alphabet) for _ in range(rng.randint(low, high))),)


def int_lists(low: int, high: int, shortest: int = 1, longest: int = 6) -> Draw:
    return lambda rng: ([rng.randint(low, high) for _ in range(rng.randint(shortest, longest))],)


def word_lists(shortest: int = 1, longest: int = 5) -> Draw:
    return lambda rng: ([rng.choice(WORDS) for _ in range(rng.randint(shortest, longest))],)


def lists_with(value: int, low: int, high: int, longest: int = 6) -> Draw:
    """Integer lists of which about two thirds contain `value`, at times more than once."""

    def draw(rng: Random) -> Args:
        items = [rng.randint(low, high) for _ in range(rng.randint(1, longest))]
        for _ in range(rng.choice((0, 1, 2))):
            items.insert(rng.randint(0, len(items)), value)
        return (items,)

    return draw


def int_dicts(low: int, high: int, shortest: int = 1, longest: int = 4) -> Draw:
    def draw(rng: Random) -> Args:
        return ({k: rng.randint(low, high) for k in rng.sample(WORDS, rng.randint(shortest, longest))},)

    return draw
