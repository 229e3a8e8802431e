"""Scaffolds that are programs, in the real sandbox, over a scripted model. Whatever a program does is an outcome."""

import ast
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from bowerbird.inference.chat import Chat
from bowerbird.inference.fake import FakeSampler
from bowerbird.inference.protocol import Request
from bowerbird.rollout import desk
from bowerbird.rollout.budget import Budget
from bowerbird.rollout.driver import Driver, Job, run_null
from bowerbird.rollout.program import command, run_program
from bowerbird.sandbox import Limits, Sandbox
from bowerbird.scaffold.program import parse_program
from bowerbird.tasks.repos import generate
from bowerbird.types import Rollout, TaskView

RIGHT = "def add_7(x):\n    return x + 7\n"
BUDGET = Budget(tokens=2000, calls=6, actions=20, call_tokens=400, action_s=5.0)


@pytest.fixture
def rolled(sandbox: Sandbox, chat: Chat, task: TaskView) -> Callable[..., Rollout]:
    def roll(body: str, reply: Callable[[Request], str] = lambda _: RIGHT, budget: Budget = BUDGET) -> Rollout:
        source = "def run(h):\n" + "".join(f"    {line}\n" for line in dedent(body).strip().splitlines())
        with ThreadPoolExecutor(2) as pool:
            driver = Driver(FakeSampler(chat, reply), sandbox, pool)
            (done,) = driver.run([job(task, chat, source, budget)])
        assert done.infra_error is None
        return done

    return roll


def job(task: TaskView, chat: Chat, source: str, budget: Budget = BUDGET) -> Job:
    return Job("r", task, "s", lambda n: run_program(task, source, chat, budget, n), command())


def events(done: Rollout, kind: str) -> list[dict[str, Any]]:
    return [dict(event) for event in done.log if event["event"] == kind]


def test_a_program_solves_through_the_host(rolled: Callable[..., Rollout]) -> None:
    done = rolled(
        """
        task = h.task()
        code = h.llm([{"role": "user", "content": task["instruction"]}])
        h.note_put("draft", code)
        h.write("solution.py", "garbage(")
        before = h.snapshot()
        h.write("solution.py", h.note_get("draft"))
        h.write("extra/notes.txt", "words")
        assert "extra/notes.txt" in h.list()
        passed = h.visible_tests()
        assert passed["passed"], passed
        assert h.run("python3 -c 'import solution; print(solution.add_7(1))'")["output"].strip() == "8"
        h.restore(before)
        assert h.read("solution.py") == "garbage(" and "extra/notes.txt" not in h.list()
        h.write("solution.py", code)
        assert h.budget()["calls"] == 5
        assert h.tool("search", {"pattern": "return"}).startswith("./solution.py:2:")
        h.submit(["solution.py"])
        h.write("solution.py", "after the end")
        """
    )
    assert done.submission == {"solution.py": RIGHT.encode()}
    assert len(done.calls) == 1
    assert done.failure is None
    assert not events(done, "program")


def test_a_talk_that_goes_on_extends_the_tokens_that_were_sampled(rolled: Callable[..., Rollout]) -> None:
    done = rolled(
        """
        talk = [{"role": "user", "content": "first"}]
        talk.append({"role": "assistant", "content": h.llm(talk)})
        talk.append({"role": "user", "content": "second"})
        h.write("solution.py", h.llm(talk))
        h.llm("something else")
        """,
        lambda r: "<think>hidden</think>\nseen",
    )
    first, second, third = done.calls
    assert second.prompt_ids[: len(first.prompt_ids) + len(first.token_ids)] == first.prompt_ids + first.token_ids
    assert third.prompt_ids[: len(first.prompt_ids)] != first.prompt_ids
    assert done.submission == {"solution.py": b"seen"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise SystemExit(3)", ""),
        ("h.llm(1 / 0)", "ZeroDivisionError"),
        ("import os; os.kill(os.getpid(), 9)", ""),
        ("import os; os.write(os.open('/work/x', os.O_CREAT | os.O_WRONLY), b'x')", "Error"),
        ("import subprocess; subprocess.run(['true'])", "Error"),
        ("import socket; socket.create_connection(('1.1.1.1', 80), 2)", "Error"),
        ("x = 'x' * (1 << 30)", "MemoryError"),
        ("def f(): return f()\nf()", "RecursionError"),
    ],
)
def test_what_a_program_breaks_is_its_own_affair(rolled: Callable[..., Rollout], body: str, said: str) -> None:
    done = rolled(f"h.write('solution.py', 'kept = 1')\n{body}")
    (end,) = events(done, "program")
    assert end["exit"] != 0
    assert said in str(end["said"])
    assert done.submission == {"solution.py": b"kept = 1"}, "what stood there is submitted all the same"


def test_a_program_that_never_ends_is_ended(rolled: Callable[..., Rollout], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "PROGRAM_LIMITS", Limits(wall_s=1.0, cpu_s=1, file_bytes=0, output_bytes=1 << 16))
    for body in ("while True: pass", "import time; time.sleep(100)", "while True: print('x' * 1000)"):
        (end,) = events(rolled(body), "program")
        assert end["exit"] is None or end["exit"] < 0, body


def test_budgets_force_a_submit(rolled: Callable[..., Rollout]) -> None:
    for body in ("while True: h.llm('again')", "while True: h.run('true')"):
        done = rolled(f"h.write('solution.py', 'kept = 1')\n{body}")
        assert events(done, "exhausted")
        assert done.submission == {"solution.py": b"kept = 1"}
    assert len(rolled("while True: h.llm('again')").calls) == BUDGET.calls


def test_a_program_that_only_talks_is_ended(rolled: Callable[..., Rollout]) -> None:
    assert rolled("while True: h.budget()").submission == {}


def test_forged_messages_are_only_calls(rolled: Callable[..., Rollout]) -> None:
    """A program that writes to the wire itself can ask for nothing that `h` could not."""
    done = rolled(
        """
        say, hear = h._say, h._hear
        answers = []
        for line in ("no json", "[]", '{"call": "reward", "args": {}}',
                     '{"call": "read", "args": {"path": "/etc/passwd"}}',
                     '{"call": "read", "args": {"path": "../x"}}', '{"call": "llm", "args": {"messages": []}}',
                     '{"call": "llm", "args": {"messages": [{"role": "tool", "content": "x"}], "temperature": "mid"}}',
                     '{"call": "submit", "args": {"paths": ["tests/hidden.py"]}}', '{"call": "run", "args": {}}',
                     '{"call": "write", "args": {"path": "/tests/x", "text": ""}}',
                     '{"call": "restore", "args": {"number": 9}}'):
            say.write(line + "\\n"); say.flush()
            answers.append("error" in hear.readline())
        h.write("solution.py", repr(answers))
        """
    )
    assert done.submission == {"solution.py": repr([True] * 11).encode()}


def test_the_null_test_runs_a_program_without_a_model(sandbox: Sandbox, chat: Chat, task: TaskView) -> None:
    source = f"def run(h):\n    h.llm('never mind')\n    h.write('solution.py', {RIGHT!r})\n    h.submit()\n"
    assert run_null(job(task, chat, source), sandbox) == {"solution.py": RIGHT.encode()}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("def run(h):\n    h.llm('x')\n", None),
        ("def run(h):\n    h.llm('''```python\nx\n```''')\n", None),
        ("Here:\n```python\ndef ask(h):\n    return h.llm('x')\ndef run(h):\n    ask(h)\n```\nDone.", None),
        ("class A:\n    def go(self, h):\n        h.llm('x')\ndef run(h, n=3):\n    A().go(h)\n", None),
        ("def ask(h):\n    h.llm('x')\nWAYS = {'ask': ask}\ndef run(h, *, way='ask'):\n    WAYS[way](h)\n", None),
        ("ask = lambda h: h.llm('x')\ndef run(*all):\n    ask(*all)\n", None),
        ("def run(h, other):\n    h.llm('x')\n", "run"),
        ("def run(h, *, way):\n    h.llm('x')\n", "run"),
        ("class A:\n    def go(self, h):\n        h.llm('x')\ndef run(h):\n    pass\n", "reachable"),
        ("def run(h):\n    pass\ndef other(h):\n    h.llm('x')\n", "reachable"),
        ("def run():\n    h.llm('x')\n", "run"),
        ("x = 1", "run"),
        ("def run(h:\n", "parse"),
        (f"def run(h):\n    h.llm('x')\n#{'x' * 20_000}", "longer"),
    ],
)
def test_a_program_is_linted(text: str, problem: str | None) -> None:
    source, why = parse_program(text)
    assert (source is None) == (problem is not None)
    assert problem is None or (why is not None and problem in why)


def test_numbers_and_texts_that_are_none_are_refused_and_nothing_falls_over(rolled: Callable[..., Rollout]) -> None:
    done = rolled(
        """
        inf, nan = float("inf"), float("nan")
        told = []
        for call in (
            lambda: h.llm("x", max_tokens=inf), lambda: h.restore(inf), lambda: h.run("true", 10**400),
            lambda: h.tool("read", {"path": "solution.py", "first": inf}), lambda: h.read("a/" * 5000),
            lambda: h.write("a/" * 5000, ""), lambda: h.note_put("x" * 500, ""), lambda: h.restore(1),
        ):
            try:
                told.append(str(call())[:6])
            except HostError:
                told.append("no")
        assert h.run("true", nan)["exit"] == 0 and h.run("true", -1)["exit"] == 0
        h.llm("half a pair: \\ud800", max_tokens=1)
        h.write("solution.py", repr(told))
        """
    )
    assert [end["exit"] for end in events(done, "program")] == [0]
    assert done.submission["solution.py"] == repr(["no"] * 3 + ["soluti"] + ["no"] * 4).encode()


def test_a_program_that_asks_without_listening_is_ended(rolled: Callable[..., Rollout]) -> None:
    done = rolled(
        """
        for _ in range(20000):
            h._say.write('{"call": "task", "args": {}}\\n')
        h._say.flush()
        import time; time.sleep(30)
        """
    )
    (end,) = events(done, "program")
    assert "without listening" in str(end["said"])


def test_a_file_that_cannot_be_copied_makes_no_snapshot(rolled: Callable[..., Rollout]) -> None:
    done = rolled(
        """
        h.run("touch locked; chmod 000 locked")
        try:
            h.snapshot()
        except HostError as error:
            h.write("solution.py", str(error))
        """
    )
    assert done.submission == {"solution.py": b"the files cannot be copied"}


def test_commands_through_a_tool_are_still_the_scaffolds(rolled: Callable[..., Rollout]) -> None:
    assert [event["by"] for event in events(rolled('h.tool("shell", {"command": "true"})'), "action")] == ["scaffold"]


REPAIR = Path(__file__).parents[2] / "recipes" / "scaffolds" / "repair.py"


def test_the_recipe_that_repairs_puts_back_what_does_not_pass(sandbox: Sandbox, chat: Chat) -> None:
    """A real repository with a seeded bug. The model first breaks a function, then knows it: one rewrite stays."""
    (made,) = generate(3, 1, levels=["easy"])
    right = {name: data.decode() for name, data in made.solution.items()}

    def reply(request: Request) -> str:
        shown = chat.decode(list(request.prompt_ids)).split("```python\n")[-1].split("```")[0]
        name = shown.split("def ", 1)[1].split("(")[0]
        if request.sampling.temperature < 0.3:
            return f"```python\n{shown.splitlines()[0]}\n    raise ValueError\n```"
        whole = next(text for text in right.values() if f"def {name}(" in text)
        node = next(n for n in ast.walk(ast.parse(whole)) if isinstance(n, ast.FunctionDef) and n.name == name)
        return f"Here:\n```python\n{dedent(ast.get_source_segment(whole, node, padded=True) or '')}\n```\nDone."

    budget = Budget(tokens=40_000, calls=60, actions=120, call_tokens=2000, action_s=20.0)
    with ThreadPoolExecutor(2) as pool:
        driver = Driver(FakeSampler(chat, reply), sandbox, pool)
        (done,) = driver.run([job(made.view, chat, REPAIR.read_text(), budget)])
    assert done.infra_error is None
    broken = {name for name in right if made.view.workspace[name] != made.solution[name]}
    changed = {name for name, data in done.submission.items() if made.view.workspace[name] != data}
    assert changed == broken
    assert all(done.submission[name].decode().strip() == right[name].strip() for name in broken)
