"""SWE-bench instances of a small repository of our own, as tasks that are graded here."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bowerbird.cli import main
from bowerbird.config import load_config
from bowerbird.evals.session import task_sets
from bowerbird.rewards.grade import grade
from bowerbird.rewards.verifiers import make_verifier
from bowerbird.sandbox import Sandbox
from bowerbird.tasks import load_reference, load_task
from bowerbird.tasks.swebench import checkout, is_test, read_instances
from bowerbird.types import WHOLE, Executable, Facts, Outcome, Rollout, Scaffold, TaskError

OLD = "def half(x):\n    return x // 3\n"
TEST = "from small.sums import half\n\n\ndef test_kept():\n    assert half(0) == 0\n"


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A file of one instance; its repository is at clones/org__small."""
    clone = tmp_path / "clones" / "org__small"
    files = {"src/small/__init__.py": "", "src/small/sums.py": OLD, "tests/test_sums.py": TEST, "README.md": "Small.\n"}
    for name, text in files.items():
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text(text)
    (clone / "link").symlink_to("/etc/passwd")
    git(clone, "init", "-q")
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "old")
    base = git(clone, "rev-parse", "HEAD").strip()
    (clone / "src/small/sums.py").write_text(OLD.replace("3", "2"))
    (clone / "tests/test_sums.py").write_text(TEST + "\n\ndef test_new():\n    assert half(4) == 2\n")
    row = {
        "instance_id": "org__small-1",
        "repo": "org/small",
        "base_commit": base,
        "patch": git(clone, "diff", "--", "src"),
        "test_patch": git(clone, "diff", "--", "tests"),
        "problem_statement": "half() of 4 is 1.",
        "FAIL_TO_PASS": '["tests/test_sums.py::test_new"]',
        "PASS_TO_PASS": ["tests/test_sums.py::test_kept"],
    }
    git(clone, "checkout", "-q", "--", ".")
    (tmp_path / "data.jsonl").write_text(json.dumps(row) + "\n")
    return tmp_path / "data.jsonl"


def convert(dataset: Path, *options: str) -> Any:
    folders = [str(dataset), str(dataset.parent / "out"), "--clones", str(dataset.parent / "clones")]
    return CliRunner().invoke(main, ["tasks", "swebench", *folders, *options])


def changed(dataset: Path, **fields: object) -> None:
    dataset.write_text(json.dumps(json.loads(dataset.read_text()) | fields) + "\n")


@pytest.mark.sandbox
def test_an_instance_is_graded_by_its_own_tests(dataset: Path, sandbox: Sandbox) -> None:
    done = convert(dataset)
    assert done.exit_code == 0, done.output
    folder = dataset.parent / "out" / "org__small-1"
    task, verifier = load_task(folder), make_verifier("task", sandbox)
    assert task.view.submission == WHOLE
    assert task.view.git
    assert "link" not in task.view.workspace
    right = load_reference(folder).files
    assert right == {"src/small/sums.py": OLD.replace("3", "2").encode()}
    assert verifier.verify(task.spec, right).reward == 1.0
    assert verifier.verify(task.spec, {}).reward == 0.0
    assert verifier.verify(task.spec, {"src/small/sums.py": OLD.encode()}).reward == 0.0
    cheat = {"tests/test_sums.py": b"def test_new(): pass\ndef test_kept(): pass\n"}
    assert verifier.verify(task.spec, cheat).reward == 0.0
    assert CliRunner().invoke(main, ["tasks", "check", str(folder.parent)]).exit_code == 0


@pytest.mark.sandbox
def test_a_rollout_that_changes_any_file_is_graded_and_not_flagged(dataset: Path, sandbox: Sandbox) -> None:
    convert(dataset)
    task = load_task(dataset.parent / "out" / "org__small-1")
    scaffold = Scaffold("s", task.view.task_id, "plan", "{}", {}, None, None, None, 0)
    files = {"src/small/sums.py": OLD.replace("3", "2").encode(), "notes.md": b"what I did\n"}
    rollout = Rollout("r", task.view.task_id, "s", (), files, (), Facts(), None, None)
    verdict = grade(task.view, task.spec, scaffold, rollout, make_verifier("task", sandbox)).verdict
    assert (verdict.outcome, verdict.reward, verdict.flags) == (Outcome.VALID, 1.0, ())


def test_one_text_cannot_answer_a_whole_workspace(dataset: Path) -> None:
    convert(dataset)
    source = f'tasks.source="{dataset.parent / "out"}"'
    with pytest.raises(TaskError, match=r"scaffold.tier = 'card' and eval.arms has 'plain'"):
        task_sets(load_config(None, [source, "tasks.train=1", "tasks.heldout=1"]))


def test_a_renamed_file_is_found_under_its_old_name(dataset: Path) -> None:
    clone = dataset.parent / "clones" / "org__small"
    git(clone, "mv", "src/small/sums.py", "src/small/halves.py")
    (clone / "src/small/halves.py").write_text(OLD + "\n\nx = 1\n")
    git(clone, "add", "-A")
    changed(dataset, patch=git(clone, "diff", "--cached", "-M10", "--", "src"))
    git(clone, "reset", "-q", "--hard")
    assert "rename from" in json.loads(dataset.read_text())["patch"]
    assert convert(dataset).exit_code == 0
    assert set(load_reference(dataset.parent / "out" / "org__small-1").files) == {"src/small/halves.py"}


def test_modes_are_those_of_git(dataset: Path) -> None:
    clone = dataset.parent / "clones" / "org__small"
    for name in ("run.sh", "plain.sh", "tests/tool.sh"):
        (clone / name).write_text("#!/bin/sh\n")
    for name in ("run.sh", "tests/tool.sh"):
        (clone / name).chmod(0o755)
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "scripts")
    (clone / "plain.sh").chmod(0o755)
    (clone / "run.sh").write_text("#!/bin/sh\necho 1\n")
    (clone / "new.sh").write_text("#!/bin/sh\n")
    (clone / "new.sh").chmod(0o755)
    git(clone, "add", "-A")
    changed(dataset, base_commit=git(clone, "rev-parse", "HEAD").strip(), patch=git(clone, "diff", "--cached"))
    assert convert(dataset).exit_code == 0
    folder, script = dataset.parent / "out" / "org__small-1", b"#!/bin/sh\n"
    task = load_task(folder)
    assert task.view.workspace["run.sh"] == Executable(script) == task.spec.files["workspace/run.sh"]
    assert task.view.workspace["plain.sh"] == script
    assert task.spec.files["tests/tests/tool.sh"] == Executable(script)
    assert load_reference(folder).files == {
        "run.sh": Executable(b"#!/bin/sh\necho 1\n"),
        "plain.sh": Executable(script),
        "new.sh": Executable(script),
    }


def test_nothing_of_the_answer_is_shown(dataset: Path) -> None:
    convert(dataset)
    shown = repr(load_task(dataset.parent / "out" / "org__small-1").view)
    assert "test_new" not in shown
    assert "// 2" not in shown


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"FAIL_TO_PASS": '["test_new (tests.Sums)"]'}, "a test runner of its own"),
        ({"base_commit": "0" * 40}, "has no commit"),
        ({"patch": "no patch"}, "is none"),
        ({"test_patch": "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+2\n"}, "does not apply"),
        ({"PASS_TO_PASS": ["tests/gone.py::test_x"]}, "tests/gone.py is not there"),
    ],
)
def test_what_cannot_be_converted_is_left_out(dataset: Path, fields: dict[str, object], said: str) -> None:
    changed(dataset, **fields)
    done = convert(dataset)
    assert done.exit_code != 0
    assert said in done.output


def test_bad_files_are_refused(tmp_path: Path) -> None:
    for text, said in (("{", "not JSON"), ("", "no instances"), ('{"repo": "a/b"}', "instance_id")):
        (tmp_path / "x.jsonl").write_text(text)
        with pytest.raises(TaskError, match=said):
            read_instances(tmp_path / "x.jsonl")


def test_a_missing_clone_is_made(dataset: Path) -> None:
    (dataset.parent / "origin" / "org").mkdir(parents=True)
    (dataset.parent / "clones" / "org__small").rename(dataset.parent / "origin" / "org" / "small")
    done = convert(dataset, "--from", f"file://{dataset.parent / 'origin'}")
    assert done.exit_code == 0, done.output
    assert (dataset.parent / "clones" / "org__small.git").is_dir()


def test_files_of_a_commit_are_exact(dataset: Path) -> None:
    clone = dataset.parent / "clones" / "org__small"
    (clone / "odd name\n").write_bytes(b"\0\n\n")
    (clone / "empty").write_bytes(b"")
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "odd")
    files = checkout(clone, "HEAD")
    assert files["odd name\n"] == b"\0\n\n"
    assert files["empty"] == b""
    assert files["README.md"] == b"Small.\n"


def test_tests_are_known_by_their_names() -> None:
    assert all(map(is_test, ("tests/data/x.json", "a/test/b.py", "test_x.py", "a/b_test.py", "conftest.py")))
    assert not any(map(is_test, ("src/testing.py", "contest.py", "latest/x.py", "docs/test_plan.md")))
