"""Folders a hostile program has filled: opened, written and removed without leaving them."""

import errno
import os
from functools import partial

import pytest

from bowerbird.sandbox.beneath import has_openat2, open_beneath, open_by_steps, parts_of, remove_tree, write_beneath
from bowerbird.sandbox.collect import collect_files


@pytest.fixture
def folder(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    (work / "sub").mkdir()
    (work / "sub" / "file").write_text("inside")
    (work / "link").symlink_to("sub/file")
    (work / "out").symlink_to("../outside/secret")
    (work / "door").symlink_to("../outside")
    descriptor = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def test_openat2_is_used_here():
    assert has_openat2(), "the ways below are tested both, but this machine should have the first"


@pytest.mark.parametrize("way", [open_beneath, open_by_steps])
def test_opens_only_what_is_inside(folder, way):
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = way(folder, "sub/file", flags)
    assert os.read(descriptor, 10) == b"inside"
    os.close(descriptor)
    for path in ("link", "out", "door/secret"):
        with pytest.raises(OSError, match="symbolic links") as caught:
            way(folder, path, flags)
        assert caught.value.errno == errno.ELOOP
    with pytest.raises(FileNotFoundError):
        way(folder, "sub/none", flags)
    with pytest.raises(NotADirectoryError):
        way(folder, "sub/file/x", flags)


@pytest.mark.parametrize("path", ["", "/", "/a", "..", "a/../b", "a/..", "a\0b"])
def test_paths_that_leave_are_refused(path, folder):
    assert parts_of(path) is None
    assert collect_files(partial(open_beneath, folder), [path], 100).anomalies == (f"{path}: outside the workspace",)


def test_dots_and_slashes_are_fine():
    assert parts_of("./a//b/") == ("a", "b")


def test_write_replaces_whatever_is_in_the_way(folder, tmp_path):
    work = tmp_path / "work"
    os.mkfifo(work / "fifo")
    (work / "full" / "deep").mkdir(parents=True)
    (work / "full" / "deep" / "x").write_text("x")
    for path in ("out", "fifo", "full", "door/secret", "link", "sub/file/below", "new/very/new"):
        write_beneath(folder, path, b"mine")
        assert (work / path).read_bytes() == b"mine"
        assert not (work / path).is_symlink()
    assert (tmp_path / "outside" / "secret").read_text() == "secret"
    assert not [name for name in os.listdir(work) if name.startswith(".")]


def test_removes_trees_deeper_than_any_path(tmp_path):
    (tmp_path / "tree").mkdir()
    here = os.open(tmp_path / "tree", os.O_RDONLY)
    for _ in range(2500):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    (tmp_path / "keep").write_text("kept")
    (tmp_path / "tree" / "link").symlink_to("../keep")
    parent = os.open(tmp_path, os.O_RDONLY)
    remove_tree(parent, "tree")
    os.close(parent)
    assert os.listdir(tmp_path) == ["keep"]
