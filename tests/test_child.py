"""A process of ours at the other end of a socket."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bowerbird.child import Child, Pipe
from bowerbird.types import ConfigError, ProcessDied


def adder(pipe: Pipe, start: int) -> None:
    while True:
        start += pipe.recv()
        pipe.send(start)


def refuser(pipe: Pipe) -> None:
    raise ConfigError("not like this")


def test_messages_go_both_ways() -> None:
    child = Child("adder", adder, 3)
    child.send(4)
    assert child.receive() == 7
    assert not child.poll(0.0)
    assert Path(f"/proc/{child.pid}/comm").read_text().strip() == "adder"
    child.close()


def test_what_it_raises_is_raised_here() -> None:
    child = Child("refuser", refuser)
    with pytest.raises(ConfigError, match="not like this"):
        child.receive()
    child.close()


def test_a_dead_child_is_said_with_what_to_do() -> None:
    child = Child("adder", adder, 0)
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(ProcessDied, match=r"adder's process died \(exit code -9\).*--resume"):
        child.receive()
    with pytest.raises(ProcessDied):
        child.send(1)
    child.close()


def test_one_that_hangs_is_gone_when_patience_is_over() -> None:
    """Whether it is to say something or to read more than the socket holds."""
    child = Child("adder", adder, 0, patience=0.2)
    os.kill(child.pid, signal.SIGSTOP)
    child.send(1)
    with pytest.raises(ProcessDied, match=r"adder's process gave no sign for 0.2 s \(adder.patience_s\)"):
        child.receive()
    with pytest.raises(ProcessDied, match="gave no sign"):
        child.send(bytes(1 << 24))
    child.close()


def test_it_ends_with_its_parent_even_when_that_is_killed() -> None:
    script = (
        "from tests.test_child import *\nchild = Child('adder', adder, 0)\nchild.send(1)\nchild.receive()\n"
        "print(child.pid, flush=True)\ntime.sleep(60)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    for _ in range(100):
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError("the child outlived its parent")
