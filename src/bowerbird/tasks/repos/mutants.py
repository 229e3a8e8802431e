"""Seeded bugs: small changes of a module's text, of the kinds that people make. All around them stays as it was."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARE = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: (" in ", " not in "),
}
_ARITHMETIC = {ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "+"), ast.FloorDiv: ("//", "%")}
_CALLS = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "append": "extend",
    "startswith": "endswith",
    "endswith": "startswith",
    "lower": "upper",
    "lstrip": "rstrip",
    "rstrip": "lstrip",
    "ljust": "rjust",
    "rjust": "ljust",
    "keys": "values",
    "popleft": "pop",
}
_ERRORS = {"KeyError": "IndexError", "ValueError": "TypeError", "IndexError": "KeyError"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """Put `after` in the place of `before`, which begins at character `at` of a module's text."""

    kind: str
    function: str  # the function it lies in, "" outside of any
    at: int
    before: str
    after: str

    def apply(self, text: str) -> str:
        """Raises ValueError where `before` does not stand there."""
        end = self.at + len(self.before)
        if text[self.at : end] != self.before:
            raise ValueError(f"{self.before!r} does not stand at {self.at}")
        return text[: self.at] + self.after + text[end:]


def mutants(text: str) -> list[Mutant]:
    """All of a module, in the order of their places."""
    lines = [0]
    for line in text.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    found = [
        Mutant(kind, function, lines[row - 1] + column, before, after)
        for function, node in _nodes(ast.parse(text))
        for kind, row, column, before, after in _changes(node, text, lines)
    ]
    return sorted({m.apply(text): m for m in found}.values(), key=lambda m: (m.at, m.kind, m.after))


def _nodes(tree: ast.AST, function: str = "") -> Iterator[tuple[str, ast.AST]]:
    for child in ast.iter_child_nodes(tree):
        inside = child.name if isinstance(child, ast.FunctionDef) else function
        yield inside, child
        yield from _nodes(child, inside)


_Change = tuple[str, int, int, str, str]


def _changes(node: ast.AST, text: str, lines: list[int]) -> Iterator[_Change]:
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
            yield from _between("comparison", left, right, _COMPARE[type(op)], text, lines)
        case ast.BoolOp(op=op, values=[left, right]):
            pair = ("and", "or") if isinstance(op, ast.And) else ("or", "and")
            yield from _between("logic", left, right, pair, text, lines)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC and not _textual(left, right):
            yield from _between("arithmetic", left, right, _ARITHMETIC[type(op)], text, lines)
        case ast.AugAssign(target=target, op=op, value=value) if isinstance(op, (ast.Add, ast.Sub)):
            pair = ("+=", "-=") if isinstance(op, ast.Add) else ("-=", "+=")
            yield from _between("arithmetic", target, value, pair, text, lines)
        case ast.Constant(value=bool() as value):
            yield _whole("constant", node, text, lines, str(not value))
        case ast.Constant(value=int() as value):
            yield _whole("constant", node, text, lines, str(value + 1))
            if value > 0:
                yield _whole("constant", node, text, lines, str(value - 1))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield _whole("negation", node, text, lines, _source(operand, text, lines))
        case ast.If(test=test) | ast.While(test=test) if not isinstance(test, ast.UnaryOp):
            yield _whole("negation", test, text, lines, f"not ({_source(test, text, lines)})")
        case ast.Call(func=ast.Name(id=name) as called) if name in _CALLS:
            yield _whole("wrong call", called, text, lines, _CALLS[name])
        case ast.Call(func=ast.Attribute(attr=name) as called) if name in _CALLS:
            start = called.end_col_offset - len(name) if called.end_col_offset else 0
            yield "wrong call", called.end_lineno or 0, start, name, _CALLS[name]
        case ast.Raise(exc=ast.Call(func=ast.Name(id=name) as raised)) if name in _ERRORS:
            yield _whole("wrong error", raised, text, lines, _ERRORS[name])
        case ast.Continue():
            yield _whole("loop", node, text, lines, "break")
        case ast.Break():
            yield _whole("loop", node, text, lines, "continue")
        case ast.AugAssign() | ast.Delete():
            yield _whole("lost statement", node, text, lines, "pass")
        case ast.Expr(value=ast.Call()):
            yield _whole("lost statement", node, text, lines, "pass")
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield _whole("lost result", value, text, lines, "None")
    if isinstance(node, ast.Call) and len(node.args) == 2 and not node.keywords:
        first, second = (_source(argument, text, lines) for argument in node.args)
        if first != second and isinstance(node.args[0], ast.Name) and isinstance(node.args[1], ast.Name):
            start, end = _place(node.args[0], lines), _end(node.args[1], lines)
            yield "swapped", node.args[0].lineno, node.args[0].col_offset, text[start:end], f"{second}, {first}"


def _between(
    kind: str, left: ast.expr, right: ast.expr, pair: tuple[str, str], text: str, lines: list[int]
) -> Iterator[_Change]:
    """The operator between two operands, where it stands there alone."""
    start, end = _end(left, lines), _place(right, lines)
    gap = text[start:end]
    if gap.count(pair[0]) == 1:
        at = start + gap.index(pair[0])
        row = max(i for i, begin in enumerate(lines) if begin <= at)
        yield kind, row + 1, at - lines[row], pair[0], pair[1]


def _whole(kind: str, node: ast.expr | ast.stmt, text: str, lines: list[int], after: str) -> _Change:
    return kind, node.lineno, node.col_offset, _source(node, text, lines), after


def _source(node: ast.expr | ast.stmt, text: str, lines: list[int]) -> str:
    return text[_place(node, lines) : _end(node, lines)]


def _place(node: ast.expr | ast.stmt, lines: list[int]) -> int:
    return lines[node.lineno - 1] + node.col_offset


def _end(node: ast.expr | ast.stmt, lines: list[int]) -> int:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return lines[node.end_lineno - 1] + node.end_col_offset


def _textual(left: ast.expr, right: ast.expr) -> bool:
    """Whether one side is plainly text: a difference of texts fails before any test looks."""
    return any(
        isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in (left, right)
    )
