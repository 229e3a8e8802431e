"""Turn test asserts and doctests into cases, by reading them. Nothing here executes anybody's code."""

import ast
import doctest
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bowerbird.tasks.literals import encode_literal
from bowerbird.types import Case, JsonValue


class Unconvertible(ValueError):
    """This assert is not a call of the function under test compared with a literal."""


@dataclass(frozen=True, slots=True)
class Converted:
    """The cases found, in order and without repeats, and how many asserts could not be converted."""

    cases: tuple[Case, ...]
    dropped: int


def convert_asserts(source: str, function: str) -> Converted:
    """Cases of the asserts in `source` that call `function`.

    Understood: `f(..) == literal` either way round, `f(..) is True / False / None`, `f(..)`, `not f(..)`, and `and`
    of these, at the top level or directly inside a function such as `check(candidate)`. An assert in a loop or a
    condition, on names that are not literals, or with a tolerance is counted as dropped.
    Raises SyntaxError, or ValueError for null bytes, when `source` is not Python.
    """
    tree = ast.parse(source)
    total = sum(isinstance(node, ast.Assert) and not _is_true(node.test) for node in ast.walk(tree))
    converted = 0
    cases: list[Case] = []
    for node in _reachable_asserts(tree):
        try:
            found = list(_cases_of(node.test, function))
        except Unconvertible:
            continue
        converted += 1
        cases += [case for case in found if case not in cases]
    return Converted(tuple(cases), total - converted)


def convert_doctests(text: str, function: str) -> tuple[Case, ...]:
    """The examples `>>> f(..)` in a docstring whose expected output is a literal. Others are left out."""
    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:  # a prompt line without a space after >>>, or uneven indentation
        return ()
    cases: list[Case] = []
    for example in examples:
        try:
            call = ast.parse(example.source.strip(), mode="eval").body
            case = _case(call, ast.parse(example.want.strip() or "None", mode="eval").body, function)
        except (SyntaxError, ValueError):
            continue
        if case not in cases:
            cases.append(case)
    return tuple(cases)


def called_functions(source: str) -> list[str]:
    """Names of the plain functions that asserts in `source` call, the most frequent first. Raises SyntaxError."""
    names = [
        node.func.id
        for statement in ast.walk(ast.parse(source))
        if isinstance(statement, ast.Assert)
        for node in ast.walk(statement.test)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    return sorted(dict.fromkeys(names), key=lambda name: -names.count(name))


def _reachable_asserts(tree: ast.Module) -> Iterator[ast.Assert]:
    """Asserts that run exactly once, unconditionally: of the module, and of functions defined in it."""
    for node in tree.body:
        body: Sequence[ast.stmt] = node.body if isinstance(node, ast.FunctionDef) else [node]
        for statement in body:
            if isinstance(statement, ast.Assert) and not _is_true(statement.test):
                yield statement


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _cases_of(test: ast.expr, function: str) -> Iterator[Case]:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        for part in test.values:
            yield from _cases_of(part, function)
    elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield _case(test.operand, ast.Constant(False), function)
    elif isinstance(test, ast.Compare):
        yield _compared(test, function)
    else:
        yield _case(test, ast.Constant(True), function)


def _compared(test: ast.Compare, function: str) -> Case:
    if len(test.ops) != 1:
        raise Unconvertible("a chain of comparisons")
    left, right = test.left, test.comparators[0]
    if isinstance(test.ops[0], ast.Eq):
        return _case(left, right, function) if _is_call(left, function) else _case(right, left, function)
    if isinstance(test.ops[0], ast.Is) and isinstance(right, ast.Constant) and right.value in (True, False, None):
        return _case(left, right, function)
    raise Unconvertible("not an equality")


def _is_call(node: ast.expr, function: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function


def _case(call: ast.expr, expected: ast.expr, function: str) -> Case:
    if not isinstance(call, ast.Call) or not _is_call(call, function):
        raise Unconvertible(f"not a call of {function}")
    if any(keyword.arg is None for keyword in call.keywords):
        raise Unconvertible("** in the call")
    return Case(
        args=tuple(_literal(arg) for arg in call.args),
        expected=_literal(expected),
        kwargs={str(keyword.arg): _literal(keyword.value) for keyword in call.keywords},
    )


def _literal(node: ast.expr) -> JsonValue:
    """The encoding of a literal, or of `float("nan")` and its like. Raises Unconvertible."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
        if len(node.args) == 1 and not node.keywords and isinstance(node.args[0], ast.Constant):
            value = node.args[0].value
            if isinstance(value, str) and value.lower().lstrip("+-") in ("nan", "inf", "infinity"):
                number = float(value)
                return {"$float": "nan"} if math.isnan(number) else encode_literal(number)
        raise Unconvertible("a computed float")
    try:
        return encode_literal(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise Unconvertible(f"not a literal: {error}") from None
