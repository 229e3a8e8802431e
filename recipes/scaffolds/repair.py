"""A scaffold for small models: one file after the other is shown with what the tests say, and rewritten whole.

    bowerbird solve "..." --repo PATH --tests "python3 run_tests.py" --scaffold recipes/scaffolds/repair.py ...

A rewrite stays only if the tests pass; else the files are what they were, and the next try or file comes.
"""

TRIES = 4
ASK = """{instruction}

The tests say:
{said}

This is {path}:
```python
{text}
```
Find the mistake in it and answer with the whole corrected file in one Python block. Change as little as possible."""


def run(h):
    task = h.task()
    tests = h.visible_tests()
    paths = [p for p in h.list(".") if p.endswith(".py") and "test" not in p and h.read(p).strip()]
    said = tests["text"][-1200:]
    words = " ".join((task["instruction"], said))
    paths.sort(key=lambda path: -words.count(path) - words.count(path.split("/")[-1]))
    for path in paths:
        before = h.snapshot()
        text = h.read(path)
        ask = ASK.format(instruction=task["instruction"], said=said, path=path, text=text)
        for n in range(TRIES):
            code = block(h.llm(ask, temperature_class="low" if n == 0 else "high"))
            if code.strip() and code.strip() != text.strip():
                h.write(path, code)
                if h.visible_tests()["passed"]:
                    return
                h.restore(before)


def block(answer):
    parts = answer.split("```")
    if len(parts) < 2:
        return ""
    first, _, rest = parts[1].partition("\n")
    return rest if first.strip() in ("", "python", "py") else parts[1]
