"""Source code without its comments: what talks to a reader and does nothing. Whatever might do something stays.

Hiding code from the judge would be worse than showing it a comment, so every doubtful case is left as it is.
"""

import io
import re
import tokenize
from collections.abc import Iterator

LONGEST = 100_000  # characters; a longer source is cut to its ends anyway
_SAID_FROM = 80  # removed docstrings from this length on leave a note: data can hide in one
_Span = tuple[
    tuple[int, int], tuple[int, int], str
]  # start and end as (line from 1, column), what stands there instead


def decode_source(data: bytes) -> str:
    """Text of a Python file as Python itself would read it: a declared encoding can turn a comment into code."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding, "replace")  # refuses what is no text encoding, such as zlib
    except (SyntaxError, LookupError, ValueError):
        text = data.decode("utf-8", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def strip_python(source: str, *, perhaps_shell: bool = False) -> str:
    """`source` without comments and docstrings, as far as it can be read as Python tokens.

    A long docstring leaves a note of its length. Line ends are expected as \\n. With `perhaps_shell` only that goes
    which would do nothing in a shell either: the same text may be fed to both.
    """
    if len(source) > LONGEST or "\0" in source or "\r" in source:
        return source
    spans = list(_spans(source))
    if perhaps_shell:
        lines = source.split("\n")
        spans = [span for span in spans if _idle_in_shell(lines, span)]
    return _without(source, spans)


def _idle_in_shell(lines: list[str], span: _Span) -> bool:
    (top, left), (bottom, right), instead = span
    text = "\n".join([lines[top - 1][left:], *lines[top:bottom]]) if bottom > top else lines[top - 1][left:right]
    if instead:  # a string: to a shell it is the name of a program, and $( ) works in it
        return bool(re.search(r"\s", text)) and not re.search(r"[$`\\]", text)
    return left == 0 or lines[top - 1][left - 1] in " \t"  # `x=1#;evil` is no comment to a shell


def _spans(source: str) -> Iterator[_Span]:
    """Comments, and strings that are statements of their own. Stops where the tokens end to make sense."""
    fresh = True  # at the start of a statement
    strings: list[tokenize.TokenInfo] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.ERRORTOKEN:
                return  # no Python; and a line of open quotes takes the square of its length to read on
            if token.type == tokenize.COMMENT:
                yield token.start, token.end, ""
            elif token.type in (tokenize.NL, tokenize.INDENT, tokenize.DEDENT):
                pass
            elif token.type == tokenize.STRING and (fresh or strings) and _inert(token.string):
                strings.append(token)
                fresh = False
            else:
                ends = token.type in (tokenize.NEWLINE, tokenize.ENDMARKER) or token.string == ";"
                if ends and strings:
                    yield strings[0].start, strings[-1].end, _note(strings)
                strings, fresh = [], ends
    except (tokenize.TokenError, SyntaxError):
        return


def _inert(text: str) -> bool:
    """A string without expressions in it; only these are docstrings."""
    return not set("fFtTbB") & set(text[: re.search("['\"]", text).start()])  # type: ignore[union-attr]


def _note(strings: list[tokenize.TokenInfo]) -> str:
    length = sum(len(token.string) for token in strings)
    return f'"(docstring of {length} characters)"' if length >= _SAID_FROM else '"..."'


def _without(source: str, spans: list[_Span]) -> str:
    """`source` with the spans replaced. Lines that held nothing but a comment are gone."""
    lines = source.split("\n")
    gone: set[int] = set()
    for (top, left), (bottom, right), instead in reversed(spans):
        before, after = lines[top - 1][:left], lines[bottom - 1][right:]
        joined = before + instead + after
        lines[top - 1] = joined if after.strip() else joined.rstrip()
        gone.update(range(top, bottom))  # indices of the lines after the first
        if not lines[top - 1].strip():
            gone.add(top - 1)
    return "\n".join(line for i, line in enumerate(lines) if i not in gone)
