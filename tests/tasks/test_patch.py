"""Patches that git takes, of any change, and of texts that were made to be hard to compare."""

import random
import subprocess
from pathlib import Path

import pytest

from bowerbird.tasks.patch import Change, changed, unified
from bowerbird.types import Executable, mode_of, with_mode


def applied(before: dict[str, bytes], patch: str, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    for name, data in before.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        (folder / name).chmod(mode_of(data))
    subprocess.run(["git", "apply", "-"], cwd=folder, input=patch.encode(), check=True)
    there = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): with_mode(path.read_bytes(), path.stat().st_mode) for path in there}


def text(draw: random.Random) -> bytes:
    lines = [draw.choice(("a", "b", "", "c d", "e")) + "\n" for _ in range(draw.randint(0, 30))]
    return "".join(lines).encode().removesuffix(b"\n" if draw.random() < 0.3 else b"")


@pytest.mark.parametrize("compared", [250_000, 0])
def test_git_applies_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compared: int) -> None:
    monkeypatch.setattr("bowerbird.tasks.patch._COMPARED", compared)
    draw = random.Random(0)
    for number in range(40):
        before = {name: text(draw) for name in ("x.py", "d/y.py", "z")}
        after = {name: text(draw) for name in ("x.py", "d/y.py", "new/n.py")}
        if number % 2:
            lines = before["x.py"].splitlines(keepends=True)
            after["x.py"] = b"".join([*lines[:5], b"changed\n", *lines[6:]])
        patch = unified(before, Change({**after, "z": None}))
        assert applied(before, patch, tmp_path / str(number)) == after, patch


def test_empty_files_come_and_go(tmp_path: Path) -> None:
    before = {"old": b"", "kept": b"1\n"}
    patch = unified(before, Change({"old": None, "pkg/__init__.py": b"", "kept": b"2\n"}))
    assert applied(before, patch, tmp_path / "x") == {"pkg/__init__.py": b"", "kept": b"2\n"}


def test_a_text_that_is_hard_to_compare_is_replaced(tmp_path: Path) -> None:
    before = {"x": b"head\n" + b"".join(b"%d\n" % (i % 90) for i in range(9000)) + b"tail\n"}
    after = {"x": b"head\n" + b"".join(b"%d\n" % (i * 7 % 90) for i in range(9000)) + b"tail\n"}
    patch = unified(before, Change(after))
    assert patch.count("@@ -") == 1, "one hunk: what is between was not compared"
    assert applied(before, patch, tmp_path / "x") == after


SCRIPT = b"#!/bin/sh\necho 1\n"


def test_git_applies_modes(tmp_path: Path) -> None:
    tool, binary = Executable(SCRIPT), b"\xff\x00"
    before = {"kept": tool, "gains": SCRIPT, "loses": tool, "gone": tool, "both": SCRIPT, "image": binary}
    after = {
        "kept": Executable(SCRIPT + b"echo 2\n"),
        "gains": tool,
        "loses": SCRIPT,
        "both": Executable(b"echo 3\n"),
        "image": Executable(binary),
        "new": tool,
        "empty": Executable(b""),
        "plain": SCRIPT,
    }
    patch = unified(before, changed(before, after))
    assert applied(before, patch, tmp_path / "x") == after, patch
    assert "diff --git a/gains b/gains\nold mode 100644\nnew mode 100755\ndiff --git" in patch
    assert "diff --git a/gone b/gone\ndeleted file mode 100755\n" in patch
    assert "diff --git a/new b/new\nnew file mode 100755\n" in patch


def test_what_did_not_change_is_not_in_the_patch() -> None:
    before = {"a": SCRIPT, "b": Executable(SCRIPT), "c": b"\xff"}
    assert not changed(before, before)
    assert unified(before, Change(before)) == ""


def test_of_a_new_binary_file_the_mode_is_shown(tmp_path: Path) -> None:
    before = {"a": b"1\n", "x": b"\xff"}
    patch = unified(before, Change({"a": b"2\n", "x": Executable(b"\xfe"), "y": Executable(b"\xff")}))
    assert "Binary file x differs\nold mode 100644\nnew mode 100755\n" in patch
    assert "Binary file y differs\nnew file mode 100755\n" in patch
    assert applied(before, patch, tmp_path / "x")["a"] == b"2\n"
