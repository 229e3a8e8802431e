"""What a rollout leaves, where a task takes the whole workspace."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bowerbird.rollout.desk import Desk
from bowerbird.rollout.effects import Act, Write
from bowerbird.sandbox import Sandbox
from bowerbird.tasks.patch import Change, unified
from bowerbird.types import WHOLE, Executable, TaskView

FILES = {f"part/{n}.py": f"n = {n}\n".encode() for n in range(50)} | {"README": b"hello\n"}
TASK = TaskView("t", "c", "do", "", (), WHOLE, workspace=FILES)


def left(sandbox: Sandbox, command: str, task: TaskView = TASK) -> tuple[dict[str, bytes], tuple[str, ...]]:
    desk = Desk(sandbox, task)
    desk.act(Act(("/bin/sh", "-c", command)))
    found, facts = desk.leave()
    assert facts.protected_changes == ()
    return dict(found.files), found.anomalies


@pytest.mark.sandbox
def test_all_that_differs_is_submitted(sandbox: Sandbox, tmp_path: Path) -> None:
    done = "echo x >>part/3.py; mkdir new; echo y >new/y; rm part/4.py; rm README; ln -s part/1.py README"
    files, odd = left(sandbox, f"{done}; mkdir .git __pycache__; echo >.git/z; echo >__pycache__/a")
    assert files == {"part/3.py": b"n = 3\nx\n", "new/y": b"y\n"}
    assert odd == ()
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    patch = unified(FILES, Change(files))
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=patch.encode(), check=True)
    assert {name: (tmp_path / name).read_bytes() for name in files} == files


@pytest.mark.sandbox
def test_sparse_files_do_not_fill_our_memory(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bowerbird.rollout.desk.MOST_BYTES", 3 << 20)
    command = "for i in $(seq 2000); do truncate -s 1M f$i; done"
    assert left(sandbox, command) == ({}, ())


@pytest.mark.sandbox
def test_nothing_done_is_nothing_submitted(sandbox: Sandbox) -> None:
    assert left(sandbox, "cat README; touch part/1.py") == ({}, ())


@pytest.mark.sandbox
def test_too_much_to_look_through(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bowerbird.rollout.desk.MOST_CHANGED", 10)
    files, odd = left(sandbox, "for i in $(seq 20); do echo >n$i; done")
    assert (files, odd) == ({}, ()), "too much is nothing submitted, and no attack"


@pytest.mark.sandbox
def test_an_executable_bit_is_part_of_the_work(sandbox: Sandbox) -> None:
    tools = {name: Executable(b"#!/bin/sh\necho 1\n") for name in ("kept", "edited", "loses", "linked")}
    desk = Desk(sandbox, replace(TASK, workspace=FILES | tools))
    command = "./kept && chmod +x part/1.py && chmod 4711 part/2.py && chmod 4755 kept && chmod -x loses && rm linked"
    assert desk.act(Act(("/bin/sh", "-c", f"{command} && ln -s kept linked"))).exit_code == 0
    assert desk.do(Write("edited", b"#!/bin/sh\necho 2\n"))
    assert desk.act(Act(("./edited",))).stdout == b"2\n"
    found, _ = desk.leave()
    assert found.files == {
        "part/1.py": Executable(FILES["part/1.py"]),
        "part/2.py": Executable(FILES["part/2.py"]),
        "loses": bytes(tools["loses"]),
        "edited": Executable(b"#!/bin/sh\necho 2\n"),
    }
