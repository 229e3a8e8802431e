"""Program text as words and signs: enough to compare texts, without parsing what a hostile program may hold.

Python's own parser can be brought down by deep nesting, and this runs in the trainer's process.
"""

import keyword
import re
from itertools import islice, pairwise
from typing import TypeAlias

Runs: TypeAlias = set[tuple[str, ...]]

MAX_TOKENS = 500_000  # a megabyte of the shortest ones: what lies behind padding is still seen
MAX_DEFINITIONS = 200

_KEYWORDS = frozenset(keyword.kwlist)
_CODE = re.compile(
    r"""(?s:
      (?P<comment> \#[^\n]*+ )
    | (?P<string>  \"\"\"(?:[^\"\\]++|\\.|\"(?!\"\"))*+(?:\"\"\")? | '''(?:[^'\\]++|\\.|'(?!''))*+(?:''')?
                 | \"(?:[^\"\\\n]++|\\.)*+\"? | '(?:[^'\\\n]++|\\.)*+'? )
    | (?P<word>    \w++ )
    | (?P<sign>    == | != | [^\w\s] )
    )""",
    re.VERBOSE,
)
_DEFINITION = re.compile(r"^(?:async[ \t]+def|def|class)\b", re.MULTILINE)
_LOOSE = re.compile(r"\w++|==|!=|[^\w\s'\"\\]")


def code_tokens(source: str) -> list[tuple[str, str]]:
    """(kind, text) of program text: kinds are "string", "word" and "sign"; comments are left out. Linear."""
    found = ((str(match.lastgroup), match[0]) for match in _CODE.finditer(source))
    return list(islice((token for token in found if token[0] != "comment"), MAX_TOKENS))


def code_runs(source: str, size: int) -> Runs:
    """Every `size` neighbouring tokens of a program: comments and docstrings left out, strings as the words in them."""
    words: list[str] = []
    for kind, text in code_tokens(source):
        if kind != "string":
            words.append(text)
        elif not text.startswith(('"""', "'''")):
            words += _LOOSE.findall(_unescaped(text))
    return _runs(words[:MAX_TOKENS], size)


def shape_runs(source: str, size: int) -> Runs:
    """Runs of a program with all its own words made equal: renaming does not change them."""
    words = [text if text in _KEYWORDS or kind == "sign" else kind for kind, text in code_tokens(source)]
    return _runs(words, size)


def text_runs(text: str, size: int) -> Runs:
    """The same of any text that may hold programs, with quotes, backslashes and escaped line ends left out."""
    return _runs([match[0] for match in islice(_LOOSE.finditer(_unescaped(text)), MAX_TOKENS)], size)


def definitions(source: str) -> list[str]:
    """A program cut where a line begins a function or a class: each with what follows it up to the next."""
    starts = (match.start() for match in islice(_DEFINITION.finditer(source), MAX_DEFINITIONS))
    return [source[start:stop] for start, stop in pairwise([*starts, len(source)])]


def _unescaped(text: str) -> str:
    return re.sub(r"(?<!\\)\\++[nrt]", " ", text)


def _runs(words: list[str], size: int) -> Runs:
    return set(zip(*(words[start:] for start in range(size)), strict=False))
