"""Helpers: shared among threads, given back, and never a reason to hang."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from bowerbird.sandbox import Limits, LocalSandbox
from bowerbird.sandbox.watch.supervisor import MOST
from bowerbird.types import SandboxError, SandboxUnavailable

LIMITS = Limits(wall_s=30.0, cpu_s=20)
TRY = "import sys\nfor path in sys.argv[1:]:\n    try: open(path)\n    except OSError: pass"


@pytest.fixture
def traced():
    local = LocalSandbox(watch="trace")
    yield local
    local.close()


def attempt(workspace, *paths, limits=LIMITS):
    return workspace.run(["python3", "-I", "-S", "-c", TRY, *paths], limits=limits)


def test_facts_gather_over_commands_and_stay_apart(traced):
    with traced.open({}) as first, traced.open({}) as second:
        assert first.watched().watchers == ("inotify", "seccomp")
        attempt(first, "/tests/a")
        attempt(second, "/tests/b")
        attempt(first, "/tests/c", "/tests/a")
        assert first.watched().opened == ("/tests/a", "/tests/c")
        assert second.watched().opened == ("/tests/b",)


def test_facts_of_many_commands_are_bounded(traced):
    with traced.open({}) as workspace:
        for turn in range(3):
            attempt(workspace, *[f"/tests/{turn}-{number}" for number in range(MOST - 20)])
        facts = workspace.watched()
    assert len(facts.opened) == MOST
    assert facts.lost == 3 * (MOST - 20) - MOST


def test_many_threads_have_their_own(traced):
    seen = {}

    def work(number):
        with traced.open({}) as workspace:
            for turn in range(3):
                attempt(workspace, f"/tests/{number}-{turn}")
            seen[number] = workspace.watched().opened

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {number: tuple(f"/tests/{number}-{turn}" for turn in range(3)) for number in range(6)}


def helpers():
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = [int(pid) for file in children for pid in file.read_text().split()]
    return [pid for pid in pids if b"helper process that hears" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def kill_all(pids, number):
    for pid in pids:
        os.kill(pid, number)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_dead_helper_is_an_infra_error_and_no_hang(traced, number):
    with traced.open({}) as workspace:
        before = set(helpers())
        threading.Timer(0.5, lambda: kill_all(before, number)).start()
        start = time.monotonic()
        code = "import os, time\nwhile True:\n    try: os.close(os.open('/tests', 0))\n    except OSError: pass"
        with pytest.raises(SandboxError, match="watcher died"):
            workspace.run(["python3", "-I", "-S", "-c", code], limits=Limits(wall_s=4.0, cpu_s=3))
        assert time.monotonic() - start < 20
        attempt(workspace, "/tests/after")  # a new one takes its place
        assert "/tests/after" in workspace.watched().opened


def test_nothing_is_left_behind():
    def held():
        return len(os.listdir("/proc/self/fd")), threading.active_count(), len(helpers())

    before = held()
    for _ in range(2):
        local = LocalSandbox(watch="trace")
        with local.open({}) as workspace:
            attempt(workspace, "/tests/x")
            workspace.run(["sleep", "9"], limits=Limits(wall_s=0.05))
        assert len(helpers()) > before[2]
        local.close()
    assert held() == before


def test_a_helper_ends_with_us():
    import subprocess

    code = "import time\nfrom bowerbird.sandbox import LocalSandbox\ns = LocalSandbox(watch='trace')\n"
    code += "with s.open({}): pass\nprint(s._tracer._idle[0]._process.pid, flush=True)\ntime.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        helper = int(owner.stdout.readline())
        owner.kill()
    deadline = time.monotonic() + 10
    while _runs(helper) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(helper)


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_root_helpers_give_root_up(traced):
    with traced.open({}):
        for pid in helpers():
            status = Path(f"/proc/{pid}/status").read_text()
            assert os.geteuid() != 0 or "Uid:\t64513\t64513\t64513\t64513" in status


def test_hostile_names_do_not_stop_the_watch(traced):
    code = """
import os
os.mkdir(b"\\xff\\xfe\\n")
os.chdir(b"\\xff\\xfe\\n")
for name in (b"x", b"\\xff", b"../../tests/\\xff", b"/solution/" + b"y" * 4000, b"/solution/" + b"z" * 5000, b""):
    try: os.open(name, os.O_RDONLY)
    except OSError: pass
import ctypes
libc = ctypes.CDLL(None)
for pointer in (0, 1, 2**47, 2**63, 2**64 - 1): libc.open(ctypes.c_void_p(pointer), 0)
libc.prctl(4, 0, 0, 0, 0)
try: os.open("/tests/undumpable", os.O_RDONLY)
except OSError: pass
"""
    with traced.open({}) as workspace:
        done = workspace.run(["python3", "-I", "-S", "-c", code], limits=LIMITS)
        assert done.exit_code == 0, done.stderr
        facts = workspace.watched()
    assert facts.lost == 0
    assert "/tests/undumpable" in facts.opened
    assert any(path.startswith("/tests/\\xff") or path == "/tests/\\udcff" for path in facts.opened)
    assert any(path.startswith("/solution/yyy") and path.endswith("...") for path in facts.opened)


def test_a_named_file_opened_again_is_seen(traced):
    code = "import os\nheld = os.open('/logs', os.O_PATH)\n"
    code += "for way in ('/proc/self', '/proc/%d' % os.getpid(), '/proc/self/./task/..', '/dev'):\n"
    code += "    os.close(os.open('%s/fd/%d' % (way, held), os.O_RDONLY))\n    print(way)"
    with traced.open({}) as workspace:
        done = workspace.run(["python3", "-I", "-S", "-c", code], limits=LIMITS)
        assert done.stdout.count(b"\n") == 4, done.stderr
        assert workspace.watched().opened == ("/logs",)


class Blind(LocalSandbox):
    """A machine on which the kernel mechanism does not work."""

    def __init__(self, watch):
        super().__init__(watch=watch)

        def refuse():
            raise SandboxError("cannot start the watcher: forbidden here")

        self._tracer.watch = refuse  # type: ignore[method-assign]


def test_where_tracing_fails_auto_takes_decoys():
    blind = Blind("auto")
    try:
        facts = blind.probe()
        assert blind.watchers == ("inotify",)
        assert facts["watchers"] == "inotify"
        assert "forbidden here" in facts["trace"]
        with blind.open({}) as workspace:
            assert workspace.run(["cat", "/tests/test.sh"]).exit_code == 0
            assert workspace.watched().withheld_reads == ("/tests/test.sh",)
    finally:
        blind.close()


def test_where_tracing_fails_trace_is_refused():
    blind = Blind("trace")
    try:
        for use in (blind.probe, lambda: blind.open({})):
            with pytest.raises(SandboxUnavailable, match=r"use watch = 'decoys'.*forbidden here"):
                use()
    finally:
        blind.close()


def test_off_watches_nothing():
    off = LocalSandbox(watch="off")
    try:
        assert off.probe()["watchers"] == "none"
        with off.open({"a": b"1"}, protected=["a"]) as workspace:
            done = workspace.run(["sh", "-c", "cat /tests/test.sh; echo 2 > a"])
            assert b"bowerbird-canary" not in done.stdout
            facts = workspace.watched()
        assert facts == type(facts)()
        assert not off._tracer._idle
    finally:
        off.close()
