"""Easy: one string method or operator."""

from itertools import permutations, product

from bowerbird.tasks.katas.draw import LETTERS, WORDS, join, mix, phrases, strings, words, words_with
from bowerbird.tasks.katas.family import Draft, family

ENDINGS = (
    "ing",
    "ed",
    "er",
    "est",
    "ly",
    "ness",
    "less",
    "ful",
    "able",
    "ish",
    "ment",
    "ward",
    "like",
    "wise",
    "s",
    "ette",
    "ism",
    "ist",
    "hood",
    "ship",
)
BEGINNINGS = (
    "re",
    "un",
    "pre",
    "anti",
    "over",
    "under",
    "super",
    "mini",
    "mega",
    "sub",
    "non",
    "out",
    "up",
    "inter",
    "micro",
    "auto",
    "bio",
    "eco",
    "neo",
    "tele",
)
GREETINGS = (
    "Hello",
    "Hi",
    "Welcome",
    "Goodbye",
    "Thanks",
    "Hey",
    "Dear",
    "Howdy",
    "Sorry",
    "Bravo",
    "Congrats",
    "Cheers",
    "Greetings",
    "Bye",
    "Yes",
    "Ahoy",
    "Well done",
    "Good morning",
    "Good night",
    "See you",
)
MARKS = {
    "star": "*",
    "hash": "#",
    "dash": "-",
    "plus": "+",
    "equals": "=",
    "dot": ".",
    "tilde": "~",
    "at": "@",
    "percent": "%",
    "bar": "|",
    "slash": "/",
    "colon": ":",
    "comma": ",",
    "underscore": "_",
    "caret": "^",
}


@family(0.05, ENDINGS)
def add_suffix(end: str) -> Draft:
    return Draft(
        f"add_{end}",
        "s",
        f'returns the string s followed by "{end}"',
        f'return s + "{end}"',
        words(),
        (("",), (end,), ("a b",)),
    )


@family(0.06, BEGINNINGS)
def add_prefix(start: str) -> Draft:
    return Draft(
        f"prefix_{start}",
        "s",
        f'returns "{start}" followed by the string s',
        f'return "{start}" + s',
        words(),
        (("",), (start,), ("a b",)),
    )


@family(0.10, product(GREETINGS, "!.?"))
def greet(word: str, mark: str) -> Draft:
    name = "greet_" + word.lower().replace(" ", "_") + {"!": "", ".": "_calm", "?": "_ask"}[mark]
    return Draft(
        name,
        "name",
        f'returns the string "{word}, " followed by name and "{mark}"',
        f'return "{word}, " + name + "{mark}"',
        lambda rng: (rng.choice(WORDS).capitalize(),),
        (("",), ("x",), ("Al Bo",)),
    )


@family(0.12, product(MARKS, (1, 2, 3)))
def wrap_with(mark: str, times: int) -> Draft:
    text = MARKS[mark] * times
    return Draft(
        f"wrap_{mark}_{times}",
        "s",
        f'returns the string s with "{text}" added before and after it',
        f'return "{text}" + s + "{text}"',
        words(),
        (("",), (text,), ("a b",)),
    )


@family(0.10, LETTERS)
def starts_with(c: str) -> Draft:
    hits = tuple(w for w in WORDS if w[0] == c) or (c + "ot", c + "im", c + "aba", c + "e", c + "ylo")
    return Draft(
        f"starts_with_{c}",
        "s",
        f'returns True if the string s starts with "{c}", otherwise False',
        f'return s.startswith("{c}")',
        mix(words(), lambda rng: (rng.choice(hits) + rng.choice(("", "s", "y")),)),
        (("",), (c,), ("x" + c,), (c.upper() + "x",)),
    )


@family(0.10, LETTERS)
def ends_with(c: str) -> Draft:
    return Draft(
        f"ends_with_{c}",
        "s",
        f'returns True if the string s ends with "{c}", otherwise False',
        f'return s.endswith("{c}")',
        mix(words(), lambda rng: (rng.choice(WORDS) + c,)),
        (("",), (c,), (c + "x",), ("x" + c.upper(),)),
    )


@family(0.20, LETTERS)
def count_letter(c: str) -> Draft:
    return Draft(
        f"count_letter_{c}",
        "s",
        f'returns how many times the letter "{c}" occurs in the string s',
        f'return s.count("{c}")',
        words_with(c),
        (("",), (c * 4,), (c + "x" + c,), ("xyz",)),
    )


@family(0.12, LETTERS)
def contains_letter(c: str) -> Draft:
    return Draft(
        f"contains_{c}",
        "s",
        f'returns True if the letter "{c}" is in the string s, otherwise False',
        f'return "{c}" in s',
        mix(words_with(c), strings("xyzvq", 2, 6)),
        (("",), (c,), ("x" + c,), ("xyz",)),
    )


@family(0.20, LETTERS)
def remove_letter(c: str) -> Draft:
    return Draft(
        f"remove_{c}",
        "s",
        f'returns the string s with every "{c}" removed',
        f'return s.replace("{c}", "")',
        words_with(c),
        (("",), (c * 3,), (c + "x" + c,), ("xyz",)),
    )


@family(0.15, permutations("aeiostr", 2))
def replace_letter(a: str, b: str) -> Draft:
    return Draft(
        f"replace_{a}_with_{b}",
        "s",
        f'returns the string s with every "{a}" replaced by "{b}"',
        f'return s.replace("{a}", "{b}")',
        words_with(a),
        (("",), (a * 2,), (b + a,), ("xyz",)),
    )


@family(0.08, range(2, 13))
def repeat_times(n: int) -> Draft:
    return Draft(
        f"repeat_{n}",
        "s",
        f"returns the string s repeated {n} times",
        f"return s * {n}",
        mix(words(), strings("abc", 1, 3)),
        (("",), ("a",), ("a b",)),
    )


@family(0.10, range(1, 12))
def first_chars(n: int) -> Draft:
    return Draft(
        f"first_{n}_chars",
        "s",
        f"returns the first {n} characters of the string s",
        f"return s[:{n}]",
        phrases(),
        (("",), ("a",), ("abcdefghijklm",), (" " + "ab" * n,)),
    )


@family(0.14, range(1, 12))
def last_chars(n: int) -> Draft:
    return Draft(
        f"last_{n}_chars",
        "s",
        f"returns the last {n} characters of the string s",
        f"return s[-{n}:]",
        phrases(),
        (("",), ("a",), ("abcdefghijklm",), ("ab" * n + "c",)),
    )


@family(0.14, range(1, 12))
def drop_first_chars(n: int) -> Draft:
    return Draft(
        f"drop_{n}_chars",
        "s",
        f"returns the string s without its first {n} characters",
        f"return s[{n}:]",
        phrases(),
        (("",), ("a",), ("abcdefghijklm",), ("ab" * n + "c",)),
    )


@family(0.12, product(("upper", "lower"), ("!", "!!", "?", ".", "...", "#", "*", "-")))
def cased_with_mark(case: str, mark: str) -> Draft:
    name = ("shout" if case == "upper" else "whisper") + "_" + "_".join(NAMES[c] for c in mark)
    return Draft(
        name,
        "s",
        f'returns the string s in {case} case followed by "{mark}"',
        f'return s.{case}() + "{mark}"',
        lambda rng: (rng.choice(WORDS).title() + rng.choice(("", " Bo", "X")),),
        (("",), ("aB",), ("A1 b",)),
    )


NAMES = {"!": "bang", "?": "ask", ".": "dot", "#": "hash", "*": "star", "-": "dash"}


@family(0.15, ENDINGS)
def reverse_then_add(end: str) -> Draft:
    return Draft(
        f"reverse_add_{end}",
        "s",
        f'returns the string s reversed, followed by "{end}"',
        f'return s[::-1] + "{end}"',
        words(),
        (("",), ("ab",), (end,)),
    )


@family(0.06, range(1, 60))
def length_plus(n: int) -> Draft:
    return Draft(
        f"length_plus_{n}",
        "s",
        f"returns the length of the string s plus {n}",
        f"return len(s) + {n}",
        mix(words(), phrases()),
        (("",), ("a",), ("a b",)),
    )


@family(0.10, range(2, 14))
def is_longer_than(n: int) -> Draft:
    return Draft(
        f"longer_than_{n}",
        "s",
        f"returns True if the string s has more than {n} characters, otherwise False",
        f"return len(s) > {n}",
        mix(words(), phrases(), strings("abcd", max(1, n - 2), n + 2)),
        (("",), ("a" * n,), ("b" * (n + 1),), ("c" * (n - 1),)),
    )


@family(0.10, range(2, 14))
def length_is(n: int) -> Draft:
    return Draft(
        f"length_is_{n}",
        "s",
        f"returns True if the length of the string s is {n}, otherwise False",
        f"return len(s) == {n}",
        mix(words(), strings("abcdegh", n, n), strings("abc", 1, n + 4)),
        (("",), ("a" * n,), ("b" * (n + 1),), ("c" * (n - 1),)),
    )


@family(0.10, product(MARKS, (1, 2)))
def join_two(mark: str, times: int) -> Draft:
    text = MARKS[mark] * times
    return Draft(
        f"join_{mark}_{times}",
        "a, b",
        f'returns the strings a and b joined with "{text}" between them',
        f'return a + "{text}" + b',
        join(words(), words()),
        (("", ""), ("a", ""), ("", "b")),
    )


@family(0.45, product("aeo", range(2, 12)))
def vowels_plus(skip: str, n: int) -> Draft:
    kept = "aeiou".replace(skip, "")
    shown = ", ".join(kept)
    return Draft(
        f"count_no_{skip}_plus_{n}",
        "s",
        f"counts the letters {shown} in the string s and returns the count plus {n}",
        f'return sum(s.count(c) for c in "{kept}") + {n}',
        words(),
        (("",), (skip * 2,), (kept,), ("xyz",)),
    )
