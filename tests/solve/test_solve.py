"""`bowerbird solve` as a user runs it, over a scripted endpoint on a real socket and the real sandbox."""

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bowerbird.evals.arms import FIXED
from bowerbird.scaffold.card import write_card
from bowerbird.scaffold.plan import REACT, one_loop
from tests.serving import serving

FIX = "I mend it.\n```edit calc.py\n    return a - b\n=======\n    return a + b\n```"
TESTS = "python3 -c 'from calc import add; assert add(1, 2) == 3'"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    (root / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    (root / "other.txt").write_text("left alone\n")
    return root


@pytest.fixture
def solve(repo: Path, tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    def run(url: str, *more: str, answer: str = "y\n") -> "subprocess.CompletedProcess[str]":
        words = ["solve", "add subtracts", "--repo", str(repo), "--endpoint", url, "--model", "m", *more]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
        environment["PYTHONPATH"] = str(tmp_path)
        command = [sys.executable, "-m", "bowerbird", *words]
        return subprocess.run(command, input=answer, env=environment, capture_output=True, text=True, timeout=120)

    return run


def rule(asked: str) -> str:
    """The model: a plan when it is asked for one, an edit, and then it is done."""
    if "Better plan" in asked:
        return REACT.model_dump_json()
    return "It works." if "changed calc.py" in asked else FIX


def test_a_task_is_solved_shown_and_applied(
    solve: Callable[..., "subprocess.CompletedProcess[str]"], repo: Path
) -> None:
    with serving(rule) as url:
        done = solve(url, "--tests", TESTS, "--price", "1,2")
    assert done.returncode == 0, done.stderr
    assert "-    return a - b\n+    return a + b\n" in done.stdout
    assert "visible tests pass" in done.stdout
    assert "read calc.py" in done.stdout
    assert "write calc.py" in done.stdout
    assert (repo / "calc.py").read_text() == "def add(a, b):\n    return a + b\n"
    assert (repo / "other.txt").read_text() == "left alone\n"


TOOL = """
from bowerbird.rollout.tools import Tool

def _oracle(host, args):
    yield from ()
    return f"the oracle says that {args['question']} subtracts"

oracle = Tool(name="oracle", says="knows", use=_oracle, argument="question")
"""


def test_a_tool_of_ones_own(solve: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(TOOL)

    def ask(asked: str) -> str:
        if "Better plan" in asked:
            return one_loop(["oracle", "edit"]).model_dump_json()
        return rule(asked) if "the oracle says that add subtracts" in asked else "```oracle add\n```"

    with serving(ask) as url:
        done = solve(url, "--tool", "mine:oracle", "--tests", TESTS)
        lost = solve(url, "--tool", "yours:oracle")
    assert done.returncode == 0, done.stderr
    assert "visible tests pass" in done.stdout
    assert (lost.returncode, lost.stdout) == (2, "")
    assert "cannot load 'yours:oracle'" in lost.stderr


def test_without_consent_nothing_changes(solve: Callable[..., "subprocess.CompletedProcess[str]"], repo: Path) -> None:
    with serving(rule) as url:
        refused = solve(url, answer="n\n")
        patched = solve(url, "--patch", str(repo.parent / "p.patch"))
    assert refused.returncode == 0, refused.stderr
    assert patched.returncode == 0, patched.stderr
    assert "+    return a + b" in (repo.parent / "p.patch").read_text()
    assert "a - b" in (repo / "calc.py").read_text()


def test_what_worked_is_kept_and_refined_next_time(
    solve: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    prompts: list[str] = []

    def noting(asked: str) -> str:
        prompts.append(asked)
        return rule(asked)

    with serving(noting) as url:
        first = solve(url, "--tests", TESTS, "--keep", answer="n\n")
        second = solve(url, "--tests", TESTS, answer="n\n")
    assert "kept the scaffold" in first.stdout, first.stderr
    assert json.loads((tmp_path / "data" / "bowerbird" / "scaffolds.jsonl").read_text())["value"] == 1.0
    assert "starting from the plan" in second.stdout
    assert "return 1.00" in [p for p in prompts if "Better plan" in p][-1]


def test_what_was_kept_is_used_where_the_model_writes_nothing_better(
    solve: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    program = tmp_path / "own.py"
    program.write_text("def run(h):\n    h.write('calc.py', h.llm('the whole file'))\n")
    right = "def add(a, b):\n    return a + b\n"
    with serving(lambda asked: "no program" if "Better program" in asked else right) as url:
        first = solve(url, "--tests", TESTS, "--keep", "--scaffold", str(program), answer="n\n")
        again = solve(url, "--tests", TESTS, answer="n\n")
        other = solve(url, "--tests", TESTS, "--tier", "plan", answer="n\n")
    assert "kept the scaffold" in first.stdout, first.stderr
    assert "starting from the program" in again.stdout
    assert "working under what worked here before" in again.stderr
    assert "+    return a + b" in again.stdout
    assert "starting from" not in other.stdout
    assert "working in the plain loop" in other.stderr


def test_a_scaffold_that_changed_nothing_is_not_kept(
    solve: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    with serving(lambda asked: REACT.model_dump_json() if "Better plan" in asked else "It works.") as url:
        done = solve(url, "--tests", "true", "--keep")
    assert "nothing was changed" in done.stdout
    assert not (tmp_path / "data").exists()


def test_a_program_of_the_users_own_is_used(
    solve: Callable[..., "subprocess.CompletedProcess[str]"], repo: Path, tmp_path: Path
) -> None:
    program = tmp_path / "own.py"
    program.write_text(
        "def run(h):\n    h.write('made.py', h.llm(h.task()['instruction']))\n    h.run('rm other.txt')\n"
    )
    with serving(lambda _: "x = 1\n") as url:
        done = solve(url, "--scaffold", str(program), "--yes")
    assert done.returncode == 0, done.stderr
    assert (repo / "made.py").read_text() == "x = 1\n"
    assert not (repo / "other.txt").exists()


def test_an_unusable_proposal_is_said(solve: Callable[..., "subprocess.CompletedProcess[str]"]) -> None:
    with serving(lambda asked: "no plan" if "Better plan" in asked else rule(asked)) as url:
        done = solve(url, answer="n\n")
    assert "cannot be used (no JSON object)" in done.stderr


def test_bad_input_is_said(solve: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path) -> None:
    gone = solve("http://127.0.0.1:9/v1", "--price", "x")
    assert gone.returncode == 2
    assert "two numbers" in gone.stderr
    (tmp_path / "bad.json").write_text("{}")
    with serving(rule) as url:
        bad = solve(url, "--scaffold", str(tmp_path / "bad.json"))
    assert bad.returncode == 2
    assert "bad.json: not a plan" in bad.stderr
    (tmp_path / "bad.json").write_text(write_card(FIXED))
    with serving(rule) as url:
        card = solve(url, "--scaffold", str(tmp_path / "bad.json"))
    assert card.returncode == 2
    assert "answers with one text" in card.stderr
    refused = solve("no-url")
    assert refused.returncode == 2
    assert "no endpoint" in refused.stderr


def test_what_cannot_be_taken_back_is_left_as_it_was(
    solve: Callable[..., "subprocess.CompletedProcess[str]"], repo: Path, tmp_path: Path
) -> None:
    program = tmp_path / "own.py"
    program.write_text(
        "def run(h):\n    h.llm('x')\n    h.run('ln -sf /etc/passwd calc.py; head -c 3000000 /dev/zero > other.txt')\n"
        "    h.run('git init -q . 2>/dev/null; mkdir -p .git; echo x > .git/commondir; echo 1 > made.py')\n"
    )
    with serving(lambda _: "x") as url:
        done = solve(url, "--scaffold", str(program), "--yes")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in repo.iterdir()) == ["calc.py", "made.py", "other.txt"]
    assert (repo / "calc.py").read_text() == "def add(a, b):\n    return a - b\n"
    assert (repo / "other.txt").read_text() == "left alone\n"


def test_scripts_run_in_the_copy_and_come_back_as_scripts(
    solve: Callable[..., "subprocess.CompletedProcess[str]"], repo: Path, tmp_path: Path
) -> None:
    (repo / "run.sh").write_text(f"#!/bin/sh\n{TESTS}\n")
    (repo / "run.sh").chmod(0o755)
    program = tmp_path / "own.py"
    program.write_text(
        "def run(h):\n    h.llm('x')\n    h.tool('edit', {'path': 'calc.py', 'old': 'a - b', 'new': 'a + b'})\n"
        "    h.write('run.sh', h.read('run.sh') + 'echo ran\\n')\n    h.run('chmod +x other.txt')\n"
        "    h.write('new.sh', '#!/bin/sh\\n')\n    h.run('chmod 4777 new.sh')\n"
    )
    words = ("--scaffold", str(program), "--tests", "./run.sh")
    with serving(lambda _: "x") as url:
        patched = solve(url, *words, "--patch", str(tmp_path / "p.patch"))
        done = solve(url, *words)
    assert "visible tests pass" in patched.stdout, patched.stderr
    assert "other.txt b/other.txt\nold mode 100644\nnew mode 100755\n" in done.stdout
    patch = (tmp_path / "p.patch").read_text()
    assert "b/new.sh\nnew file mode 100755\n" in patch
    assert "run.sh b/run.sh\n---" in patch, "its mode did not change"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) & 0o7100 for path in repo.iterdir()}
    assert modes == {"calc.py": 0, "other.txt": 0o100, "run.sh": 0o100, "new.sh": 0o100}
