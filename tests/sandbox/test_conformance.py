"""The suite passes on the local back end and fails when any one protection is taken away."""

import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bowerbird.sandbox import NO_BASE, FakeSandbox, LocalSandbox
from bowerbird.sandbox.box import BwrapBox
from bowerbird.sandbox.conformance import AREAS, checks, run_check, run_conformance
from bowerbird.sandbox.probe import probe
from bowerbird.sandbox.watch import helper, listener
from bowerbird.types import SandboxUnavailable

BY_NAME = {check.name: check for check in checks}


def test_the_suite_is_whole():
    assert len(checks) >= 30
    assert len(BY_NAME) == len(checks)
    assert {check.area for check in checks} == set(AREAS)
    assert all(check.why for check in checks)


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_local_holds(sandbox, name):
    result = run_check(BY_NAME[name], sandbox)
    assert result.passed, result.detail
    assert not result.skipped, result.detail


def test_the_suite_says_what_it_skips():
    local = LocalSandbox(watch="decoys")
    try:
        for check in checks:
            if check.area == "watching":
                result = run_check(check, local)
                assert result.skipped, result
                assert "watched by inotify" in result.detail
    finally:
        local.close()


def test_a_sandbox_that_does_nothing_fails_every_check():
    results = run_conformance(FakeSandbox())
    passed = {result.name for result in results if result.passed and not result.skipped}
    assert {result.area for result in results if result.skipped} == {"watching"}
    # No program of a check ran, so nothing was shown; only refusals that the fake shares remain.
    assert passed <= {"paths_stay_inside", "host_name_is_hidden"}, passed


class Weakened:
    """The local back end with its bubblewrap arguments changed."""

    def __init__(self, local: LocalSandbox, change: Callable[[list[str]], list[str]]) -> None:
        self._local = local
        self._change = change
        self.name = "weakened"

    def probe(self):
        def owner(workspace: Any, path: str) -> int:
            return int(workspace.host_owner(path))

        return probe(self, {}, owner)

    def open(self, files, *, protected=(), base=NO_BASE):
        workspace = self._local.open(files, protected=protected, base=base)
        assert isinstance(workspace.box, BwrapBox)
        workspace.box = replace(workspace.box, arguments=tuple(self._change(list(workspace.box.arguments))))
        return workspace


def without(*flags: str) -> Callable[[list[str]], list[str]]:
    return lambda arguments: [argument for argument in arguments if argument not in flags]


def plus(*more: str) -> Callable[[list[str]], list[str]]:
    return lambda arguments: [*arguments, *more]


def replaced(old: list[str], new: list[str]) -> Callable[[list[str]], list[str]]:
    def change(arguments: list[str]) -> list[str]:
        for at in range(len(arguments)):
            if arguments[at : at + len(old)] == old:
                return [*arguments[:at], *new, *arguments[at + len(old) :]]
        raise AssertionError(f"{old} is not among the arguments")

    return change


HOST = ["--remount-ro", "/dev", "--remount-ro", "/"]
WEAKENINGS = {
    "network": (without("--unshare-net"), "host_port_is_unreachable"),
    "hostname": (replaced(["--hostname", "sandbox"], ["--hostname", socket.gethostname()]), "host_name_is_hidden"),
    "root is writable": (replaced(["--remount-ro", "/"], []), "system_is_read_only"),
    "environment": (plus("--setenv", "BASH_ENV", "/tmp/x"), "environment_is_empty"),
    "host root": (replaced(HOST, ["--ro-bind", "/", "/mnt", *HOST]), "host_folders_are_absent"),
    "host tmp": (replaced(HOST, ["--ro-bind", "/tmp", "/tmp", *HOST]), "host_file_is_absent"),
    "shadow": (replaced(HOST, ["--ro-bind-try", "/etc/machine-id", "/etc/machine-id", *HOST]), "accounts_are_absent"),
    "scratch": (without("--size", str(64 << 20)), "scratch_is_sized"),
    "devices": (replaced(["--dev", "/dev"], ["--dev-bind", "/dev", "/dev"]), "no_devices"),
    "host proc": (replaced(["--proc", "/proc"], ["--ro-bind", "/proc", "/proc"]), "host_processes_are_invisible"),
    "no decoys": (lambda a: [x.replace("/tests", "/elsewhere") for x in a], "reading_a_decoy_is_seen"),
}


@pytest.mark.parametrize("name", sorted(WEAKENINGS))
def test_the_suite_sees_what_is_missing(sandbox, name):
    change, check = WEAKENINGS[name]
    assert not run_check(BY_NAME[check], Weakened(sandbox, change)).passed


def test_the_suite_sees_a_missing_seccomp_filter(sandbox, monkeypatch):
    allow = bytes.fromhex("060000000000ff7f")  # return ALLOW
    monkeypatch.setattr("bowerbird.sandbox.process.seccomp_filter", lambda: allow)
    for name in ("syscalls_are_filtered", "odd_families_are_refused", "no_terminal"):
        assert not run_check(BY_NAME[name], sandbox).passed


def test_the_suite_sees_a_blind_watcher(sandbox, monkeypatch):
    assert "seccomp" in sandbox.watchers  # tried out before it is blinded
    number, _ = listener._program()
    monkeypatch.setattr(listener, "_program", lambda: (number, bytes.fromhex("060000000000ff7f")))
    quiet = {"ordinary_work_is_quiet"}
    for check in checks:
        if check.area == "watching" and check.name not in quiet:
            assert not run_check(check, sandbox).passed, check.name


def test_the_suite_sees_noise(sandbox, monkeypatch):
    assert "seccomp" in sandbox.watchers
    noisy = helper._program().replace('"/etc"', '"/nowhere"')
    monkeypatch.setattr(helper, "_program", lambda: noisy)
    local = LocalSandbox(watch="trace")
    try:
        result = run_check(BY_NAME["ordinary_work_is_quiet"], local)
        assert not result.passed
        assert "/etc/" in result.detail
    finally:
        local.close()


def test_the_suite_sees_neighbours(sandbox):
    """Without its own network and process namespaces a workspace meets the other one."""
    open_door = without("--unshare-net", "--unshare-ipc")
    assert not run_check(BY_NAME["running_workspaces_are_apart"], Weakened(sandbox, open_door)).passed


def test_the_suite_sees_missing_limits(sandbox, monkeypatch):
    monkeypatch.setattr("bowerbird.sandbox.box.limited", lambda argv, limits: list(argv))
    for name in ("file_size", "processes", "open_files"):
        assert not run_check(BY_NAME[name], sandbox).passed


def test_the_suite_sees_that_memory_is_not_counted_in_all(sandbox, monkeypatch):
    monkeypatch.setattr("bowerbird.sandbox.workspace.memory_of_tree", lambda pid: 0)
    assert not run_check(BY_NAME["memory_in_all"], sandbox).passed


def test_the_suite_sees_survivors():
    """Without a pid namespace a daemon lives on. (This one ends when its folder is removed. Under a tracer it would
    end with the tracer, whose kernel side refuses every open from then on.)"""
    alone = without("--unshare-pid", "--as-pid-1", "--die-with-parent")
    host_proc = replaced(["--proc", "/proc"], ["--ro-bind", "/proc", "/proc"])
    local = LocalSandbox(watch="decoys")
    try:
        weak = Weakened(local, lambda arguments: host_proc(alone(arguments)))
        for name in ("daemon_dies", "tree_dies_at_the_wall", "host_processes_are_invisible"):
            result = run_check(BY_NAME[name], weak)
            assert not result.passed
            assert "process" in result.detail, result.detail
    finally:
        local.close()


@pytest.mark.parametrize("weakening", ["network", "host root", "host tmp"])
def test_the_probe_fails_closed(sandbox, weakening):
    with pytest.raises(SandboxUnavailable, match="does not hold"):
        Weakened(sandbox, WEAKENINGS[weakening][0]).probe()


def test_the_probe_passes_and_tells(sandbox):
    facts = sandbox.probe()
    assert facts["Seccomp"] == "2"
    assert facts["interfaces"] == "lo"
    assert facts["host_uid"] != "0"
