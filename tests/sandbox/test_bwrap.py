"""Finding bubblewrap, and telling people what is wrong with their machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bowerbird.sandbox.bwrap import copy_for_others, find_bubblewrap, hint, pack
from bowerbird.sandbox.interpreter import find_interpreter, world_reachable
from bowerbird.types import SandboxUnavailable


def fake_bwrap(folder: Path, version: str) -> str:
    path = folder / "bwrap"
    path.write_text(f"#!/bin/sh\necho bubblewrap {version}\n")
    path.chmod(0o755)
    return str(folder)


def test_a_new_enough_system_bwrap_comes_first(tmp_path):
    found = find_bubblewrap(fake_bwrap(tmp_path, "0.9.1"))
    assert found.path == tmp_path / "bwrap"
    assert found.version == (0, 9, 1)
    assert not found.bundled


@pytest.mark.parametrize("version", ["0.6.1", "0.7.0", "nonsense"])
def test_an_old_one_is_passed_over(tmp_path, version):
    found = find_bubblewrap(fake_bwrap(tmp_path, version))
    assert found.bundled
    assert found.version >= (0, 8)


def test_a_setuid_one_is_passed_over(tmp_path):
    search = fake_bwrap(tmp_path, "0.11.0")
    os.chmod(tmp_path / "bwrap", 0o4755)
    assert find_bubblewrap(search).bundled


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("bwrap: Creating new namespace failed: nesting depth exceeded (ENOSPC)", "user.max_user_namespaces"),
        ("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", "systempaths=unconfined"),
        ("bwrap: setting up uid map: Permission denied", "apparmor_restrict_unprivileged_userns"),
        ("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", "apparmor_restrict_unprivileged_userns"),
        ("bwrap: No permissions to create new namespace, likely because", "unprivileged_userns_clone"),
        ("setpriv: failed to execute /tmp/x/bwrap: Permission denied", "TMPDIR"),
        ("setpriv: setresuid failed: Operation not permitted", "ordinary user"),
    ],
)
def test_known_complaints_come_with_advice(said, advice):
    assert said in hint(said)
    assert advice in hint(said)


def test_unknown_complaints_are_passed_on():
    assert hint("first\nbwrap: something new\n") == "bwrap: something new"
    assert hint("") == "it said nothing"


def test_the_bundled_one_runs_from_a_copy_that_all_can_reach(tmp_path):
    found = find_bubblewrap("/nonexistent")
    copy = copy_for_others(found, tmp_path / "bin")
    said = subprocess.run([copy.path, "--version"], capture_output=True, text=True, env={}, check=True).stdout
    assert str(found.version[1]) in said
    assert all(path.stat().st_mode & 0o005 == 0o005 for path in (tmp_path / "bin").rglob("*"))


def test_arguments_are_packed_for_the_descriptor():
    assert pack(["--bind", "/a b", "/c"]) == b"--bind\0/a b\0/c\0"


def test_a_python_that_sandboxes_can_see():
    found = find_interpreter()
    assert found.version >= (3, 9)
    if found.mount is None:
        assert Path(found.path).resolve().is_relative_to("/usr")


def test_a_python_that_is_no_python_is_passed_over(tmp_path):
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)
    base = Path(sys.base_prefix).resolve()
    if os.geteuid() == 0 and not world_reachable(base):
        with pytest.raises(SandboxUnavailable, match="apt install python3"):
            find_interpreter((str(tmp_path),))
    else:
        assert find_interpreter((str(tmp_path),)).mount == base
