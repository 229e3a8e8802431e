"""A user's repository: what is taken, how a change reads, and that nothing is lost."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from bowerbird.scaffold.plan import REACT
from bowerbird.solve.repository import apply, read_repository
from bowerbird.solve.shelf import Kept, Shelf, identity
from bowerbird.tasks.patch import Change, changed, unified
from bowerbird.types import ConfigError, Executable, RunError


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    (root / "src").mkdir(parents=True)
    (root / "src" / "a.py").write_text("one\ntwo\n")
    (root / "b.bin").write_bytes(b"\xff\x00")
    (root / "link").symlink_to("b.bin")
    (root / ".venv").mkdir()
    (root / ".venv" / "x.py").write_text("no")
    return root


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@x", *words], check=True)


def test_without_git_all_but_environments_is_taken(repo: Path) -> None:
    found = read_repository(repo)
    assert found.files == {"src/a.py": b"one\ntwo\n", "b.bin": b"\xff\x00"}
    assert found.left_out == ("link: not a regular file",)


def test_with_git_what_is_ignored_stays_out(repo: Path) -> None:
    git(repo, "init", "-q")
    (repo / ".gitignore").write_text("b.bin\n.venv\n")
    git(repo, "add", "src")
    (repo / "new file.txt").write_text("untracked")
    assert set(read_repository(repo).files) == {"src/a.py", ".gitignore", "new file.txt"}


def test_a_patch_is_one_that_git_applies(repo: Path, tmp_path: Path) -> None:
    found = read_repository(repo)
    after = {"src/a.py": b"one\n2\n", "b.bin": b"\xff\x01", "src/new.py": b"x = 1"}
    change = changed(found.files, after)
    text = unified(found.files, change)
    assert "-two\n+2\n" in text
    assert "Binary file b.bin differs" in text
    assert "\\ No newline at end of file" in text
    (tmp_path / "p.patch").write_text("".join(line for line in text.splitlines(True) if not line.startswith("Binary")))
    git(repo, "init", "-q")
    git(repo, "apply", str(tmp_path / "p.patch"))
    assert (repo / "src" / "a.py").read_text() == "one\n2\n"
    assert (repo / "src" / "new.py").read_text() == "x = 1"


def test_applying_keeps_modes_and_removes_what_is_gone(repo: Path) -> None:
    (repo / "src" / "a.py").chmod(0o755)
    found = read_repository(repo)
    assert found.files["src/a.py"] == Executable(b"one\ntwo\n")
    apply(found, Change({"src/a.py": Executable(b"new\n"), "b.bin": None, "deep/er/c.py": b"c"}))
    assert (repo / "src" / "a.py").read_text() == "new\n"
    assert mode(repo / "src" / "a.py") == 0o755
    assert not (repo / "b.bin").exists()
    assert (repo / "deep" / "er" / "c.py").read_text() == "c"
    assert not mode(repo / "deep" / "er" / "c.py") & 0o111


def test_only_an_executable_bit_that_changed_is_applied(repo: Path) -> None:
    for name, kept in (("gains", 0o640), ("loses", 0o775), ("theirs", 0o600)):
        (repo / name).write_text("x")
        (repo / name).chmod(kept)
    found = read_repository(repo)
    (repo / "theirs").chmod(0o700)  # by the user, meanwhile
    apply(found, Change({"gains": Executable(b"x"), "loses": b"x", "theirs": b"y", "new": Executable(b"x")}))
    modes = {name: mode(repo / name) for name in ("gains", "loses", "theirs", "new")}
    umask = os.umask(0)
    os.umask(umask)
    assert modes == {"gains": 0o750, "loses": 0o664, "theirs": 0o700, "new": 0o777 & ~umask}


def test_a_file_that_the_user_changed_meanwhile_stops_it_before_anything_is_written(repo: Path) -> None:
    found = read_repository(repo)
    (repo / "src" / "a.py").write_text("mine\n")
    with pytest.raises(RunError, match=r"src/a\.py has changed"):
        apply(found, Change({"b.bin": b"", "src/a.py": b"theirs\n"}))
    assert (repo / "b.bin").read_bytes() == b"\xff\x00"
    (repo / "out").symlink_to("/tmp")
    with pytest.raises(RunError, match="a link is in the way"):
        apply(found, Change({"out/x": b""}))


def test_no_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no folder"):
        read_repository(tmp_path / "gone")


def test_the_shelf_gives_the_best_of_a_repository(tmp_path: Path, repo: Path) -> None:
    shelf = Shelf(tmp_path / "data" / "scaffolds.jsonl")
    assert shelf.best("a") is None
    plans = {k: REACT.model_copy(update={"k": k}).model_dump_json() for k in (1, 2, 4, 8)}
    for k, value in ((1, 1.0), (2, 1.0), (4, 0.5)):
        shelf.keep(Kept("a", "plan", plans[k], "task", value, 10))
    shelf.keep(Kept("b", "plan", plans[8], "task", 1.0, 10))
    shelf.keep(Kept("a", "plan", "no plan", "task", 1.0, 10))
    with shelf.path.open("a") as file:
        file.write("no json\n{}\n")
    best = shelf.best("a")
    assert best is not None
    assert best.text == plans[2]
    assert shelf.best("a", "plan") == best
    assert shelf.best("a", "program") is None
    assert identity(repo) == str(repo)
    git(repo, "init", "-q")
    git(repo, "remote", "add", "origin", "https://example.com/x.git")
    assert identity(repo) == "https://example.com/x.git"


def test_no_change_reaches_version_control_or_goes_through_a_link(repo: Path) -> None:
    found = read_repository(repo)
    (repo / ".git").mkdir()
    (repo / "way").symlink_to(".git")
    for name in (".git/commondir", "way/hooks", "src/../../x", "src"):
        with pytest.raises(RunError, match="nothing was changed"):
            apply(found, Change({name: b"x"}))
    assert list((repo / ".git").iterdir()) == []


def test_odd_lines_and_empty_files_are_in_the_patch(repo: Path) -> None:
    text = unified(
        {"a": b"one\x0c\xe2\x80\xa8two\nlast\n", "gone": b""}, Change({"a": b"1\nlast\n", "gone": None, "new": b""})
    )
    assert "-one\x0c\u2028two\n+1\n last\n" in text
    assert "No newline" not in text
    assert "diff --git a/gone b/gone\ndeleted file mode" in text
    assert "diff --git a/new b/new\nnew file mode" in text
