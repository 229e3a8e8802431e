"""Kills at random moments: of the command by us, and of us by someone else. Nothing may live on."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from bowerbird.sandbox import Limits

OWNER = """
import sys
from bowerbird.sandbox import LocalSandbox, Limits
workspace = LocalSandbox().open({})
print("up", flush=True)
while True:
    argv = ["sh", "-c", "(setsid sleep $0 &) ; sleep $0", sys.argv[1]]
    workspace.run(argv, limits=Limits(wall_s=0.1))
"""


def alive(mark):
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if mark.encode() in (folder / "cmdline").read_bytes():
                    found.append(folder.name)
            except OSError:  # it ended
                continue
    return found


def test_a_command_cut_off_at_any_moment_leaves_nothing(sandbox):
    mark, rng = f"9871.{os.getpid()}", random.Random(5)
    with sandbox.open({}) as workspace:
        for _ in range(60):
            wall = rng.random() * 0.04
            done = workspace.run(["sh", "-c", f"(setsid sleep {mark} &) ; sleep {mark}"], limits=Limits(wall_s=wall))
            assert done.timed_out
            assert not alive(mark)


def test_our_own_death_at_any_moment_leaves_nothing():
    rng = random.Random(6)
    for number in range(12):
        mark = f"9872.{os.getpid()}{number}"
        owner = subprocess.Popen([sys.executable, "-c", OWNER, mark], stdout=subprocess.PIPE)
        assert owner.stdout is not None
        owner.stdout.readline()
        time.sleep(rng.random() * 0.05)
        owner.kill()
        owner.wait()
        owner.stdout.close()
        deadline = time.monotonic() + 5
        while (left := alive(mark)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not left
