"""The program tier: Python that defines `run(h)`. What is checked here is lint: the boundary is its sandbox."""

import ast
import re

MAX_CHARACTERS = 16_000  # about four thousand tokens
_BLOCK = re.compile(r"^```(?:python|py)?[ \t]*\n(.*?)^```[ \t]*$", re.DOTALL | re.MULTILINE)


def parse_program(text: str) -> tuple[str | None, str | None]:
    """The source in a completion, or why it is no scaffold. Exactly one of the two is None. A text that is a program as
    it stands is taken whole, fences in its own strings and all."""
    block = None if problem_of(text) is None else _BLOCK.search(text)
    source = block[1] if block else text
    return (None, problem) if (problem := problem_of(source)) else (source, None)


def problem_of(source: str) -> str | None:
    """Why a source is no scaffold; None where nothing is known against it."""
    if len(source) > MAX_CHARACTERS:
        return f"longer than {MAX_CHARACTERS} characters"
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"does not parse: {error}"
    run = next((node for node in reversed(tree.body) if isinstance(node, ast.FunctionDef) and node.name == "run"), None)
    if run is None or not _takes_one(run.args):
        return "does not define run(h)"
    if not _reaches_model(tree):
        return "no call of h.llm is reachable from run(h)"
    return None


def _takes_one(args: ast.arguments) -> bool:
    """Whether a call with one argument fits."""
    given = len(args.posonlyargs) + len(args.args)
    optional = len(args.defaults)
    named = all(default is not None for default in args.kw_defaults)
    return named and (given - optional <= 1 <= given or (given == 0 and args.vararg is not None))


def _reaches_model(tree: ast.Module) -> bool:
    """Whether something that `run` leads to speaks of `.llm`: functions, classes and what is assigned at the margin."""
    named = _named(tree)
    seen, waiting = set[str](), ["run"]
    while waiting:
        name = waiting.pop()
        seen.add(name)
        for node in (node for part in named[name] for node in ast.walk(part)):
            if isinstance(node, ast.Attribute) and node.attr == "llm":
                return True
            if isinstance(node, ast.Name) and node.id in named and node.id not in seen:
                waiting.append(node.id)
    return False


def _named(tree: ast.Module) -> dict[str, list[ast.AST]]:
    """What stands at the margin, by the names it gives."""
    found: dict[str, list[ast.AST]] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for name in (each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)):
                found.setdefault(name, []).append(node)
    return found
