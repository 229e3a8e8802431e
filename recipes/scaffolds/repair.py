"""A scaffold for small models: it looks at one function after the other, and there at one line after the other.

    bowerbird solve "..." --repo PATH --tests "python3 run_tests.py" --scaffold recipes/scaffolds/repair.py ...

Functions of which the tests or the task speak come first. The model writes the whole function anew once, then each
line of it a few times. A rewrite stays only if the tests pass; else the file is what it was, and the next try comes.
"""

import ast
import textwrap

TRIES = 4
SHOWN = """{instruction}

The tests say:
{said}

This is a function of {path}:
```python
{text}
```
"""
WHOLE = """Is there a mistake in it? Answer with the whole function, corrected, in one Python block.
Change as little as needed."""
LINE = """There is a mistake in this line of it:
```python
{line}
```
Answer with this one line, corrected, in one Python block."""


def run(h):
    said = h.visible_tests()["text"][-1000:]
    instruction = h.task()["instruction"]
    files = {path: h.read(path) for path in h.list(".") if path.endswith(".py") and "test" not in path}
    for path, name, first, last in ranked(files, f"{instruction} {said}"):
        lines = files[path].splitlines()
        text = textwrap.dedent("\n".join(lines[first:last]))
        shown = SHOWN.format(instruction=instruction, said=said, path=path, text=text)
        tried = {same(files[path])}
        answer = function(block(h.llm(shown + WHOLE, temperature_class="low")), name)
        if answer and passes(h, path, files[path], first, last, answer, tried):
            return
        for number in code_lines(lines, first, last, said):
            ask = shown + LINE.format(line=lines[number].strip())
            for n in range(TRIES):
                answer = block(h.llm(ask, max_tokens=120, temperature_class="low" if n == 0 else "mid")).strip("\n")
                one = answer.strip() and "\n" not in answer.strip()
                if one and passes(h, path, files[path], number, number + 1, answer.strip(), tried):
                    return


def passes(h, path, before, first, last, new, tried):
    """Whether the tests pass with these lines in place of the old ones; else the file is put back at once, since the
    budget may end here. What was tried is not tried again."""
    lines = before.splitlines()
    indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
    text = "\n".join([*lines[:first], *textwrap.indent(new, indent).splitlines(), *lines[last:]]) + "\n"
    key = same(text)
    if key is None or key in tried:
        return False
    tried.add(key)
    h.write(path, text)
    if h.visible_tests()["passed"]:
        return True
    h.write(path, before)
    return False


def code_lines(lines, first, last, said):
    """The lines between that do something, those that the tests show first."""
    tree = ast.parse(textwrap.dedent("\n".join(lines[first:last])))
    doing = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt) and not constant(node)]
    numbers = sorted({first + number - 1 for number in doing} - {first})
    return sorted(numbers, key=lambda number: lines[number].strip() not in said)


def constant(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def ranked(files, words):
    """(path, name, first line, line after the last) of every function, those most spoken of first."""
    found = []
    for path, text in files.items():
        try:
            tree = ast.parse(text)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1
                spoken = words.count(node.name) + words.count(path.split("/")[-1])
                found.append((-spoken, path, node.name, first, node.end_lineno))
    return [place[1:] for place in sorted(found)]


def block(answer):
    """The first block of code in an answer, or all of it."""
    parts = answer.split("```")
    return textwrap.dedent(parts[1].partition("\n")[2] if len(parts) > 1 else answer)


def function(code, name):
    """The text of that function in it; "" where it is not there."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1
            return textwrap.dedent("\n".join(code.splitlines()[first : node.end_lineno]))
    return ""


def same(text):
    """What a file does, however it is laid out; None where it is no Python."""
    try:
        return ast.dump(ast.parse(text))
    except SyntaxError:
        return None
