"""A workspace over a base that it shares: what the host sees is what commands see, and the base stays what it was."""

import os
import random
import stat
from ast import literal_eval
from collections.abc import Iterator
from pathlib import Path

import pytest

from bowerbird.sandbox import Base, Limits, LocalSandbox
from bowerbird.sandbox.bases import Bases
from bowerbird.sandbox.layers import Layers, Stack
from bowerbird.types import Executable, SandboxError

FILES = {f"{folder}/{name}": f"{folder}{name}".encode() for folder in ("a", "a/b", "c/d", "e") for name in "xyz"}
BASE = Base(FILES | {f"many/{number}": b"" for number in range(40)})  # enough of them to be shared
GIT = Base(FILES | {"run": Executable(b"#!/bin/sh\n")}, git=True)
LIMITS = Limits(wall_s=60.0, cpu_s=60)
PATHS = [*FILES, "a", "a/b/n", "c", "n", "e/new/n"]

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def local() -> Iterator[LocalSandbox]:
    """One of our own, whose bases are nobody else's."""
    sandbox = LocalSandbox(watch="decoys")
    if sandbox.probe()["overlays"] != "works":
        pytest.skip("no overlays on this machine")
    yield sandbox
    sandbox.close()


LOOK = """
import os, sys
for path in sys.argv[1:]:
    plain = os.path.isfile(path) and os.path.realpath(path) == os.path.join(os.getcwd(), path)
    print(repr(open(path).read()) if plain else "")
"""


def seen_inside(workspace) -> dict[str, bytes]:
    done = workspace.run(["python3", "-c", LOOK, *PATHS], limits=LIMITS)
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    return {path: literal_eval(line).encode() for path, line in zip(PATHS, lines, strict=True) if line}


COMMANDS = (
    "rm -rf a", "rm -rf c/d", "rm a/x", "echo 1 >a/x", "mkdir -p a/b; echo 2 >a/b/n", "mv a/b n", "mv e/x c",
    "rm -rf e; ln -s a e", "rm -rf c; echo 3 >c", "ln -s /work/a/x n", "mkdir -p e/new; echo 4 >e/new/n",
    "cp -r a/. e/", "rm -rf a; mkdir a", "find . -name y -delete",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_the_host_sees_what_commands_see(local: LocalSandbox, seed: int) -> None:
    draw = random.Random(seed)
    with local.open({}, base=BASE) as workspace:
        assert seen_inside(workspace) == FILES
        for _ in range(8):
            if draw.random() < 0.3:
                workspace.write(path := draw.choice([*FILES, "e/new/n", "n"]), b"host")
                assert workspace.collect([path]).files == {path: b"host"}
            else:
                workspace.run(["sh", "-c", draw.choice(COMMANDS)], limits=LIMITS)
            assert workspace.collect(PATHS).files == seen_inside(workspace)
    with local.open({}, base=BASE) as workspace:
        assert seen_inside(workspace) == FILES, "what one workspace did is its own"


def test_a_folder_in_place_of_a_removed_one_hides_the_base(local: LocalSandbox) -> None:
    with local.open({}, base=BASE) as workspace:
        workspace.run(["rm", "-r", "a"])
        workspace.write("a/n", b"new")
        assert workspace.run(["ls", "a"]).stdout == b"n\n"
        assert workspace.collect(["a/n", "a/x"]).files == {"a/n": b"new"}


def test_a_locked_folder_is_written_to(local: LocalSandbox) -> None:
    with local.open({}, base=BASE) as workspace:
        workspace.run(["sh", "-c", "touch a/b/z; chmod 0 a/b a ."])
        workspace.write("a/b/n", b"1")
        assert workspace.collect(["a/b/n", "a/b/x"]).files == {"a/b/n": b"1", "a/b/x": b"a/bx"}


def test_protected_files_of_the_base(local: LocalSandbox) -> None:
    with local.open({"own": b"1"}, base=BASE, protected=["a/x", "a/y", "c/d/x", "own"]) as workspace:
        assert workspace.watched().protected_changes == ()
        workspace.run(["sh", "-c", "touch a/y; chmod 600 a/y"])  # the same bytes
        assert workspace.watched().protected_changes == ()
        workspace.run(["sh", "-c", "echo >>a/x; rm -r c; echo >>own"])
        assert set(workspace.watched().protected_changes) == {"a/x", "c/d/x", "own"}


def test_snapshots_hold_what_was_removed_and_what_was_hidden(local: LocalSandbox) -> None:
    with local.open({}, base=BASE) as workspace:
        workspace.run(["sh", "-c", "rm -r c; rm -r a; mkdir a; echo 1 >a/n"])
        number, there = workspace.snapshot(), seen_inside(workspace)
        assert number == 1
        workspace.run(["sh", "-c", "rm -rf * .[a-z]*; echo >c"])
        assert workspace.restore(number)
        assert seen_inside(workspace) == there == workspace.collect(PATHS).files


def test_only_what_it_wrote_itself_counts_for_a_workspace(tmp_path: Path) -> None:
    small = LocalSandbox(watch="off", workspace_bytes=1 << 20)
    try:
        with small.open({}, base=Base({f"{n}": bytes(1 << 16) for n in range(40)})) as workspace:
            assert workspace.run(["true"], limits=LIMITS).exit_code == 0
            assert workspace.run(["sh", "-c", "cat [0-9]* >all; sleep 1"], limits=LIMITS).exit_code is not None
            assert b"grew beyond" in workspace.run(["true"], limits=LIMITS).stderr
    finally:
        small.close()


@pytest.mark.skipif(not os.path.exists("/usr/bin/git"), reason="no git for sandboxes on this machine")
def test_a_base_can_be_one_commit(local: LocalSandbox) -> None:
    with local.open({}, base=GIT) as workspace:
        said = workspace.run(["sh", "-c", "git log --format=%s; git status --short; git remote"], limits=LIMITS)
        assert (said.exit_code, said.stdout) == (0, b"base\n")
        assert workspace.run(["git", "ls-files", "-s", "run"]).stdout.startswith(b"100755 ")
        workspace.run(["sh", "-c", "echo 1 >a/x; rm c/d/x"])
        assert workspace.run(["git", "status", "--short"]).stdout == b" M a/x\n D c/d/x\n"
        assert workspace.run(["git", "commit", "-qam", "mine"]).exit_code == 0
    with local.open({}, base=GIT) as workspace:
        assert workspace.run(["git", "log", "--format=%s"]).stdout == b"base\n"


def test_where_overlays_do_not_work_files_are_copied(local: LocalSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_sharing", False)
    with local.open({}, base=BASE, protected=["a/x"]) as workspace:
        assert seen_inside(workspace) == FILES == workspace.collect(PATHS).files
        workspace.run(["rm", "a/x"])
        assert workspace.watched().protected_changes == ("a/x",)


def done(_folder: Path, _base: Base) -> None:
    """Nothing is to be done with its files."""


def test_what_takes_a_place_is_no_more_executable_than_it_was(tmp_path: Path) -> None:
    layers = Layers(tmp_path, None)
    layers.write("tool", Executable(b"1"))
    (tmp_path / "work" / "way").symlink_to("tool")
    (tmp_path / "work" / "folder").mkdir(mode=0o755)
    there = {name: layers.executable(name) for name in ("tool", "way", "folder", "gone", "tool/x")}
    assert there == {"tool": True, "way": False, "folder": False, "gone": False, "tool/x": False}
    (tmp_path / "work" / "tool").chmod(0o6755)
    layers.write("tool", Executable(b"2"))
    assert stat.S_IMODE((tmp_path / "work" / "tool").stat().st_mode) == 0o755
    layers.close()


def test_bases_nobody_uses_are_given_up_oldest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bowerbird.sandbox.bases.KEPT_BYTES", 25)
    bases = Bases(tmp_path, None)
    held, *others = [bases.borrow(Base({"f": bytes([number]) * 10}), done) for number in range(5)]
    assert bases.borrow(Base({"f": bytes(10)}), done) == held, "the same files lie once"
    for folder in others:
        bases.give_back(folder)
    assert [folder.exists() for folder in (held, *others)] == [True, False, False, True, True]


def test_files_of_another_mode_are_another_base(tmp_path: Path) -> None:
    bases = Bases(tmp_path, None)
    plain, tool = bases.borrow(Base({"f": b"1"}), done), bases.borrow(Base({"f": Executable(b"1")}), done)
    assert plain != tool
    assert [bool((folder / "f").stat().st_mode & 0o111) for folder in (plain, tool)] == [False, True]
    assert bases.borrow(Base({"f": Executable(b"1")}), done) == tool


def test_a_base_that_cannot_be_laid_leaves_nothing(tmp_path: Path) -> None:
    def fail(_folder: Path, _base: Base) -> None:
        raise SandboxError("no")

    with pytest.raises(SandboxError, match="no"):
        Bases(tmp_path, None).borrow(Base({"f": b"1"}), fail)
    assert list(tmp_path.iterdir()) == []


def test_without_a_base_there_is_one_folder(tmp_path: Path) -> None:
    layers = Layers(tmp_path, None)
    layers.write("a/x", b"1")
    assert layers.stack == Stack(tmp_path / "work")
    assert layers.untouched(["a/x", "gone"]) == set()
    layers.close()
