"""Shell commands without their comments. Line by line, and only where quoting is plain; else nothing is taken out."""

import ast
import re

from bowerbird.rewards.judge.stripping import LONGEST, strip_python

# Inside these a `#` may be anything and a quote may not be what it seems.
_TRICKY = re.compile(r"\$\(|`|\$\{|\$'|\$\"|\(\(|\\['\"#<]|\\$|\r|\0")
_HASH = re.compile(r"(?<![^ \t;])#")  # where a word could begin
_HEREDOC = re.compile(r"<<(-?)[ \t]*(?:'([\w.-]+)'|\"([\w.-]+)\"|([A-Za-z_][\w.-]*))(?=[\s;|&<>)]|$)")


def strip_shell(command: str) -> str:
    """`command` without its comments, nor those of Python text in its here-documents.

    A command that this reader is not sure to understand comes back as it was.
    """
    stripped = _stripped(command.split("\n")) if len(command) <= LONGEST else None
    return command if stripped is None else "\n".join(stripped)


def _stripped(lines: list[str]) -> list[str] | None:
    kept: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        code = _code_of(line)
        if code is None:
            return None
        if code.strip() or not line.strip():
            kept.append(code if code == line else code.rstrip())
        documents = _documents(code)
        if documents is None:
            return None
        for word, quoted, tabs in documents:
            stop = _end_of(lines, at, word, tabs)
            if stop is None:
                return None
            body = "\n".join(lines[at:stop])
            plain = quoted or not re.search(r"[$`\\]", body)  # else the shell looks into it
            kept += [_document(body) if plain else body, lines[stop]]
            at = stop + 1
    return kept


def _code_of(line: str) -> str | None:
    """One line up to its comment; None where a quote does not close on it or it holds something tricky."""
    quoted, closed = _quoted(line)
    for found in _HASH.finditer(line):
        if not quoted[found.start()]:
            line, closed = line[: found.start()], True
            break
    return line if closed and not _TRICKY.search(line) else None


def _documents(code: str) -> list[tuple[str, bool, bool]] | None:
    """(end word, quoted, tabs are dropped) of each here-document that begins on this line; None where unsure."""
    quoted, _ = _quoted(code)
    found = []
    at = 0
    while (at := code.find("<<", at)) >= 0:
        if quoted[at]:
            at += 2
            continue
        match = _HEREDOC.match(code, at)
        if match is None:  # a here-string, an odd end word
            return None
        found.append((match[2] or match[3] or match[4], match[4] is None, match[1] == "-"))
        at = match.end()
    return found


def _quoted(line: str) -> tuple[list[bool], bool]:
    """For each character whether it stands inside quotes, and whether all quotes are closed at the end."""
    inside, quote = [], ""
    for character in line:
        inside.append(bool(quote))
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
    return inside, not quote


def _end_of(lines: list[str], at: int, word: str, tabs: bool) -> int | None:
    return next((i for i in range(at, len(lines)) if (lines[i].lstrip("\t") if tabs else lines[i]) == word), None)


def _document(body: str) -> str:
    try:
        ast.parse(body)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return body
    return strip_python(body, perhaps_shell=True)
