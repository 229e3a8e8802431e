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
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if "run" not in functions or len(functions["run"].args.args) != 1:
        return "does not define run(h)"
    if not _reaches_model(functions):
        return "no call of h.llm is reachable from run(h)"
    return None


def _reaches_model(functions: dict[str, ast.FunctionDef]) -> bool:
    """Whether some function that `run` leads to speaks of `.llm`."""
    seen, waiting = set[str](), ["run"]
    while waiting:
        name = waiting.pop()
        seen.add(name)
        for node in ast.walk(functions[name]):
            if isinstance(node, ast.Attribute) and node.attr == "llm":
                return True
            if isinstance(node, ast.Name) and node.id in functions and node.id not in seen:
                waiting.append(node.id)
    return False
