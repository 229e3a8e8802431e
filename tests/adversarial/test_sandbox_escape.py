"""Attacks on the sandbox itself that the conformance suite, which any back end must pass, does not hold."""

import os
import secrets
import threading
import time

import pytest

from bowerbird.sandbox import Limits

LIMITS = Limits(wall_s=30.0, cpu_s=20)


def run(workspace, code, *args, limits=LIMITS):
    return workspace.run(["python3", "-I", "-S", "-B", "-c", code, *args], limits=limits)


def test_a_link_swapped_while_we_collect(sandbox, tmp_path):
    """22: the file becomes a link between look and open. openat2 refuses whichever it meets."""
    secret = tmp_path / "secret"
    secret.write_text(token := secrets.token_hex(16))
    with sandbox.open({}) as workspace:
        work = workspace.place / "work"
        stop = threading.Event()

        def swap():
            while not stop.is_set():
                for make in (lambda p: p.symlink_to(secret), lambda p: p.write_text("honest"), lambda p: os.mkfifo(p)):
                    path = work / "fresh"
                    make(path)
                    os.replace(path, work / "solution.py")

        thread = threading.Thread(target=swap)
        thread.start()
        try:
            seen = [workspace.collect(["solution.py"]) for _ in range(2000)]
        finally:
            stop.set()
            thread.join()
    assert all(token.encode() not in data for got in seen for data in got.files.values())
    assert any(got.anomalies for got in seen)


@pytest.mark.parametrize(
    "code",
    [
        # 20: a daemon that outlives its session, its group and its parent
        "import os\nfor _ in range(3):\n    if os.fork(): os._exit(0)\n    os.setsid()\nimport time\nwhile True:\n"
        "    open('late', 'a').write('x'); time.sleep(.01)",
        # a thread pool of processes that restart one another
        "import os, time\ndef life():\n    while True:\n        if os.fork() == 0:\n"
        "            open('late', 'a').write('x')\n"
        "            time.sleep(.02); os.execv('/bin/sh', ['sh', '-c', 'echo x >> late'])\n        time.sleep(.05)\n"
        "if os.fork() == 0: life()",
    ],
)
def test_nothing_writes_after_the_end(sandbox, code):
    with sandbox.open({}) as workspace:
        run(workspace, code + "\nimport time; time.sleep(.3)", limits=Limits(wall_s=2.0))
        workspace.write("late", b"")
        time.sleep(0.3)
        assert workspace.collect(["late"]).files == {"late": b""}


def test_killing_everything_only_ends_oneself(sandbox):
    """24: the verifier is not among the processes that can be killed."""
    with sandbox.open({}) as workspace:
        code = (
            "import os\nfor pid in (-1, 1, os.getppid()):\n    try: os.kill(pid, 9)\n    except OSError: 0\nprint('on')"
        )
        assert run(workspace, code).stdout == b"on\n"
        assert workspace.run(["echo", "next"]).stdout == b"next\n"


def test_stopping_pid_1_is_caught_by_the_wall(sandbox):
    with sandbox.open({}) as workspace:
        done = run(workspace, "import os; os.kill(1, 19); os.kill(os.getpid(), 19)", limits=Limits(wall_s=1.0))
        assert done.timed_out
        assert workspace.run(["echo", "next"]).stdout == b"next\n"


def test_closing_every_descriptor_does_not_hang_us(sandbox):
    with sandbox.open({}) as workspace:
        start = time.monotonic()
        done = run(
            workspace, "import os\nos.closerange(0, 1000)\nimport time\ntime.sleep(100)", limits=Limits(wall_s=1.0)
        )
        assert done.timed_out
        assert time.monotonic() - start < 10


def test_the_end_is_not_taken_from_output(sandbox):
    """A command that closes its output early is still waited for."""
    with sandbox.open({}) as workspace:
        done = run(workspace, "import os, time\nos.close(1); os.close(2); time.sleep(.3); open('late', 'w').write('x')")
        assert done.exit_code == 0
        assert workspace.collect(["late"]).files == {"late": b"x"}


def test_pid_1_cannot_be_made_to_forge_a_ready_sandbox(sandbox):
    """The words between us and pid 1 come before the command; its own first line is output like any other."""
    with sandbox.open({}) as workspace:
        assert workspace.run(["echo"], stdin=b"go\n").stdout == b"\n"
        assert workspace.run(["cat"], stdin=b"go\nmore").stdout == b"go\nmore"


def test_setuid_and_file_capabilities_give_nothing(sandbox):
    code = """
import os, shutil
shutil.copy("/bin/sh", "mine")
try:
    os.chmod("mine", 0o6755)
except OSError:
    pass
os.execv("mine", ["mine", "-p", "-c", "id -u"])
"""
    with sandbox.open({}) as workspace:
        assert run(workspace, code).stdout == b"1000\n"


def test_files_made_inside_never_belong_to_root_outside(sandbox):
    with sandbox.open({}) as workspace:
        run(workspace, "import os; open('a', 'w'); os.chmod('a', 0o6777)")
        assert workspace.host_owner("a") != 0
        assert (workspace.place.stat().st_mode & 0o077) == 0o011


@pytest.mark.parametrize("name", ["PYTHONSTARTUP", "LD_PRELOAD", "BASH_ENV", "PYTHONPATH", "PYTEST_ADDOPTS", "ENV"])
def test_host_variables_do_not_steer(sandbox, monkeypatch, name):
    """4, 8, 37"""
    monkeypatch.setenv(name, "/tmp/evil")
    with sandbox.open({}) as workspace:
        assert name.encode() + b"=" not in workspace.run(["env"]).stdout


def test_a_dead_write_end_and_a_flood_of_input(sandbox):
    with sandbox.open({}) as workspace:
        done = workspace.run(["sh", "-c", "exec 0<&-; echo ok"], stdin=b"x" * (8 << 20), limits=LIMITS)
        assert done.stdout == b"ok\n"


def test_other_workspaces_of_the_host_cannot_be_found(sandbox):
    """51, 52: mount tables name folders of the host, but nothing of them is there."""
    with sandbox.open({"mine": b"1"}) as one, sandbox.open({}) as two:
        place = str(one.place)
        code = "import os, sys; print(os.path.exists(sys.argv[1]), os.path.exists(os.path.dirname(sys.argv[1])))"
        assert run(two, code, place).stdout == b"False False\n"


def test_decoys_lead_nowhere(sandbox):
    """46, 48: what lies in /tests and /solution holds canaries only."""
    code = (
        "import os\nfor r, _, n in os.walk('/'):\n    if r.startswith(('/proc', '/usr', '/dev')): continue\n"
        "    for x in n:\n        p = os.path.join(r, x)\n"
        "        print(p, open(p, 'rb').read(200) if os.path.isfile(p) else '')"
    )
    with sandbox.open({}) as workspace:
        lines = run(workspace, code).stdout.decode().splitlines()
        tests = [line for line in lines if line.startswith(("/tests", "/solution", "/verifier", "/logs"))]
        assert tests
        assert all("bowerbird-canary" in line for line in tests)
        assert len(workspace.watched().withheld_reads) == len(tests)
