"""Hard: reading and writing small text formats."""

from itertools import combinations, permutations, product
from random import Random

from bowerbird.tasks.katas.draw import WORDS, ints, mix, phrases, strings
from bowerbird.tasks.katas.family import Args, Draft, code, family


@family(0.70, range(2, 12))
def run_length(n: int) -> Draft:
    body = code(
        """
        out = []
        i = 0
        while i < len(s):
            j = i
            while j < len(s) and s[j] == s[i]:
                j += 1
            out.append(s[i] + str(j - i) if j - i >= $n else s[i:j])
            i = j
        return "".join(out)
        """,
        n=n,
    )

    def draw(rng: Random) -> Args:
        return (
            "".join(rng.choice("abcd") * rng.choice((1, 2, n - 1, n, n + 1, n + 2)) for _ in range(rng.randint(2, 4))),
        )

    return Draft(
        f"compress_from_{n}",
        "s",
        f"replaces each run of {n} or more equal characters in s by the character and the length of "
        f'the run ("{"a" * n}" gives "a{n}") and returns the string',
        body,
        draw,
        (("",), ("x" * (n - 1),), ("a" * n + "b" + "a" * (n + 9),), ("z",)),
    )


@family(0.75, range(2, 22))
def expand_runs(n: int) -> Draft:
    body = code(
        """
        out, i = [], 0
        while i < len(s):
            letter = s[i]
            i += 1
            j = i
            while j < len(s) and s[j].isdigit():
                j += 1
            out.append(letter * (int(s[i:j]) if j > i else $n))
            i = j
        return "".join(out)
        """,
        n=n,
    )

    def draw(rng: Random) -> Args:
        return (
            "".join(rng.choice("abcdx") + rng.choice(("", "", "1", "2", "3", "10")) for _ in range(rng.randint(1, 4))),
        )

    return Draft(
        f"expand_default_{n}",
        "s",
        f'expands a string of letters each followed by an optional count ("a3b"): repeats each letter '
        f"that often, {n} times without a count",
        body,
        draw,
        (("",), ("a",), ("a0b1",), ("c12",)),
    )


@family(0.75, combinations(("w", "d", "h", "m", "s"), 2))
def duration(big: str, small: str) -> Draft:
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
    body = code(
        """
        total, number = 0, 0
        for c in s:
            if c.isdigit():
                number = number * 10 + int(c)
            else:
                total += number * {$big: $x, $small: $y}[c]
                number = 0
        return total
        """,
        big=big,
        small=small,
        x=seconds[big],
        y=seconds[small],
    )

    def draw(rng: Random) -> Args:
        parts = [f"{rng.randint(0, 40)}{unit}" for unit in (big, small)]
        return (rng.choice(("".join(parts), parts[0], parts[1])),)

    return Draft(
        f"seconds_{big}_{small}",
        "s",
        f'reads a duration like "2{big}15{small}" (either part may be missing) and returns it in seconds',
        body,
        draw,
        (("",), (f"0{big}",), (f"1{small}",), (f"100{big}1{small}",)),
    )


@family(0.75, [(a, b) for a in ";,|&/" for b in "=:>~"])
def key_values(sep: str, eq: str) -> Draft:
    body = code(
        """
        result = {}
        for part in s.split($sep):
            if $eq in part:
                key, value = part.split($eq, 1)
                result[key.strip()] = value.strip()
        return result
        """,
        sep=sep,
        eq=eq,
    )

    def draw(rng: Random) -> Args:
        pairs = [
            rng.choice(WORDS) + rng.choice(("", " ")) + eq + rng.choice(("", " ")) + rng.choice(WORDS[:30])
            for _ in range(rng.randint(1, 3))
        ]
        if rng.random() < 0.3:
            pairs.append(rng.choice(("", "plain", f"a{eq}b{eq}c")))
        return (sep.join(pairs),)

    names = dict(
        zip(";,|&/=:>~", ("semi", "comma", "bar", "and", "slash", "eq", "colon", "arrow", "tilde"), strict=True)
    )
    return Draft(
        f"parse_{names[sep]}_{names[eq]}",
        "s",
        f'reads pairs like "a{eq}1{sep}b{eq}2" into a dictionary of strings, stripping spaces, '
        f'splitting at the first "{eq}" and skipping parts without "{eq}"',
        body,
        draw,
        (("",), ("x",), (f"a{eq}b{eq}c",), (f" k {eq} {sep}j{eq}1",)),
    )


@family(0.75, permutations(("()", "[]", "{}", "<>"), 2))
def balanced(a: str, b: str) -> Draft:
    body = code(
        """
        pairs = {$a1: $a0, $b1: $b0}
        stack = []
        for c in s:
            if c in $opening:
                stack.append(c)
            elif c in pairs:
                if not stack or stack.pop() != pairs[c]:
                    return False
        return not stack and $b0 in s
        """,
        a0=a[0],
        a1=a[1],
        b0=b[0],
        b1=b[1],
        opening=a[0] + b[0],
    )
    names = {"()": "round", "[]": "square", "{}": "curly", "<>": "angle"}

    def nested(rng: Random, depth: int) -> str:
        if depth == 0:
            return rng.choice(("", "x"))
        kind = rng.choice((a, b))
        return kind[0] + nested(rng, depth - 1) + kind[1] + (nested(rng, depth - 1) if rng.random() < 0.4 else "")

    def draw(rng: Random) -> Args:
        text = nested(rng, rng.randint(1, 3))
        cut = rng.randrange(len(text) + 1)
        return (rng.choice((text, text, text[:cut] + rng.choice(a + b) + text[cut:], text[:cut] + text[cut + 1 :])),)

    return Draft(
        f"balanced_{names[a]}_{names[b]}",
        "s",
        f"returns True if the brackets {a} and {b} in s are balanced and properly nested and s has at "
        f'least one "{b[0]}", otherwise False',
        body,
        draw,
        (("",), (a[0] + b[0] + a[1] + b[1],), (b[0] + b[1] + a[0],), (a[0] + b + a[1],)),
    )


@family(0.75, range(6, 26))
def word_wrap(n: int) -> Draft:
    body = code(
        """
        lines = []
        for word in s.split():
            if lines and len(lines[-1]) + 1 + len(word) <= $n:
                lines[-1] += " " + word
            else:
                lines.append(word)
        return lines
        """,
        n=n,
    )
    short = strings("abcdef", 1, 5)
    return Draft(
        f"wrap_{n}",
        "s",
        f"wraps the words of s greedily into lines of at most {n} characters (a longer word gets a "
        "line of its own) and returns the list of lines",
        body,
        mix(phrases(2, 5), lambda rng: (" ".join(short(rng)[0] for _ in range(rng.randint(3, 8))),)),
        (("",), ("a" * (n + 2) + " b",), ("a" * (n - 2) + " b",), ("a" * (n - 1) + " b",)),
    )


@family(0.80, [(d, q) for d in ",;|:/ " for q in "'\"`"])
def split_quoted(delimiter: str, quote: str) -> Draft:
    body = code(
        """
        fields, field, inside = [], "", False
        for c in s:
            if c == $quote:
                inside = not inside
            elif c == $delimiter and not inside:
                fields.append(field)
                field = ""
            else:
                field += c
        return fields + [field]
        """,
        delimiter=delimiter,
        quote=quote,
    )
    names = {
        ",": "comma",
        ";": "semi",
        "|": "bar",
        ":": "colon",
        "/": "slash",
        " ": "space",
        "'": "single",
        '"': "double",
        "`": "back",
    }

    def draw(rng: Random) -> Args:
        cells = []
        for _ in range(rng.randint(1, 4)):
            a, b = rng.choice(WORDS[:20]), rng.choice(WORDS[20:40])
            cells.append(rng.choice((a, f"{quote}{a}{delimiter}{b}{quote}", f"{quote}{b}{quote}", "")))
        return (delimiter.join(cells),)

    return Draft(
        f"split_{names[delimiter]}_{names[quote]}",
        "s",
        f"splits s at each {names[delimiter]} ({delimiter!r}) that is not inside {names[quote]} "
        f"quotes ({quote}), drops the quotes and returns the list of fields",
        body,
        draw,
        (("",), (delimiter,), (f"{quote}{delimiter}{quote}",), (f"a{quote}b{delimiter}c{quote}d{delimiter}e",)),
    )


@family(0.70, product(".-_", range(1, 8)))
def version_bump(sep: str, n: int) -> Draft:
    body = code(
        """
        x, y = [int(p) for p in a.split($sep)], [int(p) for p in b.split($sep)]
        size = max(len(x), len(y))
        x += [0] * (size - len(x))
        y += [0] * (size - len(y))
        return $n * ((x > y) - (x < y))
        """,
        sep=sep,
        n=n,
    )
    names = {".": "dot", "-": "dash", "_": "underscore"}

    def one(rng: Random) -> str:
        return sep.join(str(rng.choice((0, 0, 1, 2, 9, 10))) for _ in range(rng.randint(1, 3)))

    return Draft(
        f"compare_{names[sep]}_{n}",
        "a, b",
        f'compares the versions a and b (numbers separated by "{sep}", missing parts count as 0) and '
        f"returns {n} if a is newer, -{n} if older, 0 if equal",
        body,
        lambda rng: (one(rng), one(rng)),
        (("1", f"1{sep}0{sep}0"), (f"1{sep}0", "1"), (f"2{sep}9", f"2{sep}10{sep}0"), ("0", f"0{sep}0{sep}1")),
    )


@family(0.65, product(("{}", "<>", "[]", "()"), ("?", "-", "none", "missing")))
def fill_template(braces: str, default: str) -> Draft:
    body = code(
        """
        out, i = "", 0
        while i < len(s):
            end = s.find($close, i)
            if s[i] == $opening and end != -1:
                out += str(values.get(s[i + 1:end], $default))
                i = end + 1
            else:
                out += s[i]
                i += 1
        return out
        """,
        opening=braces[0],
        close=braces[1],
        default=default,
    )
    names = {"{}": "curly", "<>": "angle", "[]": "square", "()": "round", "?": "ask", "-": "dash"}

    def draw(rng: Random) -> Args:
        keys = rng.sample(WORDS, 3)
        text = " ".join(
            rng.choice((rng.choice(WORDS), braces[0] + rng.choice(keys) + braces[1])) for _ in range(rng.randint(2, 4))
        )
        return text, {k: rng.choice(WORDS) for k in keys[:2]}

    o, c = braces[0], braces[1]
    return Draft(
        f"fill_{names[braces]}_{names.get(default, default)}",
        "s, values",
        f"replaces each {o}key{c} in s by the value of key in the dictionary values, or by "
        f'"{default}" if it is missing, and returns the string',
        body,
        draw,
        (("", {}), (f"{o}a{c}", {"a": "b"}), (f"x{o}a{c}{o}b{c}", {"b": "c"}), (f"x {o}a", {"a": "b"})),
    )


@family(0.70, range(2, 22))
def look_and_say(n: int) -> Draft:
    body = code(
        """
        s = str($n)
        for _ in range(x):
            out, i = "", 0
            while i < len(s):
                j = i
                while j < len(s) and s[j] == s[i]:
                    j += 1
                out += str(j - i) + s[i]
                i = j
            s = out
        return s
        """,
        n=n,
    )
    return Draft(
        f"look_and_say_{n}",
        "x",
        f'starts with the string "{n}" and x times replaces it by its spoken form (each run of equal '
        "digits becomes its length and the digit), then returns it",
        body,
        ints(0, 11),
        ((0,), (1,), (2,)),
    )
