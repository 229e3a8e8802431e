"""Patches that git takes, of any change, and of texts that were made to be hard to compare."""

import random
import subprocess
from pathlib import Path

import pytest

from bowerbird.tasks.patch import Change, unified


def applied(before: dict[str, bytes], patch: str, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    for name, data in before.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    subprocess.run(["git", "apply", "-"], cwd=folder, input=patch.encode(), check=True)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


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
