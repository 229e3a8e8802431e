"""A scaffold for small models: one function after the other is shown with what the tests say, and written anew.

    bowerbird solve "..." --repo PATH --tests "python3 run_tests.py" --scaffold recipes/scaffolds/repair.py ...

Functions of which the tests or the task speak come first. A rewrite stays only if the tests pass; else the files are
what they were, and the next try or function comes.
"""

import ast
import textwrap

TRIES = 5
ASK = """{instruction}

The tests say:
{said}

This is a function of {path}:
```python
{text}
```
Is there a mistake in it? Answer with the whole function, corrected, in one Python block. Change as little as needed."""


def run(h):
    said = h.visible_tests()["text"][-1000:]
    instruction = h.task()["instruction"]
    files = {path: h.read(path) for path in h.list(".") if path.endswith(".py") and "test" not in path}
    for path, name, first, last in ranked(files, f"{instruction} {said}"):
        lines = files[path].splitlines()
        text = textwrap.dedent("\n".join(lines[first:last]))
        ask, seen = ASK.format(instruction=instruction, said=said, path=path, text=text), {same(text)}
        for n in range(TRIES):
            new = function(h.llm(ask, temperature_class="low" if n == 0 else "high"), name)
            if new and same(new) not in seen:
                seen.add(same(new))
                indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
                body = textwrap.indent(new, indent).splitlines()
                h.write(path, "\n".join([*lines[:first], *body, *lines[last:]]) + "\n")
                if h.visible_tests()["passed"]:
                    return
                h.write(path, files[path])


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


def function(answer, name):
    """The text of that function in an answer; "" where it is not there."""
    parts = answer.split("```")
    code = textwrap.dedent(parts[1].partition("\n")[2] if len(parts) > 1 else answer)
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
    """What a rewrite does, whatever it looks like."""
    return ast.dump(ast.parse(text))
