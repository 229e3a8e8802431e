"""Two connected sandboxes: what one says the other hears, and nothing else crosses or outlives."""

import time

import pytest

from bowerbird.sandbox import FakeSandbox, Limits
from bowerbird.sandbox import pair as pairs
from bowerbird.sandbox.pair import Side, run_pair
from bowerbird.sandbox.protocol import Execution, Sandbox
from bowerbird.types import SandboxError

pytestmark = pytest.mark.sandbox
LIMITS = Limits(wall_s=20.0, cpu_s=20, memory_bytes=1 << 28, output_bytes=1 << 16)
ECHO = "import sys\nfor line in sys.stdin:\n    print(line.strip() + '!', flush=True)\n"


def talk(sandbox: Sandbox, first: str, second: str, *, wall_s: float = 20.0) -> tuple[Execution, Execution]:
    with sandbox.open({}) as one, sandbox.open({}) as two:
        command = ["python3", "-I", "-S", "-c"]
        return run_pair(Side(one, [*command, first], LIMITS), Side(two, [*command, second], LIMITS), wall_s=wall_s)


def test_questions_and_answers(sandbox: Sandbox) -> None:
    ask = "import sys\nfor n in range(200):\n    print(n, flush=True)\n    assert input() == f'{n}!'\n"
    ask += "sys.stderr.write('ok')\n"
    first, second = talk(sandbox, ask, ECHO)
    assert (first.exit_code, first.stderr, first.stdout, first.timed_out) == (0, b"ok", b"", False)
    assert (second.stdout, second.stderr) == (b"", b"")


def test_more_than_a_pipe_holds_goes_both_ways(sandbox: Sandbox) -> None:
    size = 3_000_000
    ask = f"import sys\nprint('x' * {size}, flush=True)\nsys.stderr.write(str(len(sys.stdin.readline())))\n"
    first, _ = talk(sandbox, ask, ECHO)
    assert first.stderr == str(size + 2).encode()


def test_the_second_ends_before_the_first(sandbox: Sandbox) -> None:
    ask = "import sys\nsys.stderr.write(repr(sys.stdin.read()))\n"
    first, second = talk(sandbox, ask, "print('last words')\nraise SystemExit(3)\n")
    assert (first.exit_code, first.stderr) == (0, b"'last words\\n'")
    assert second.exit_code == 3


def test_the_first_ends_and_the_second_is_killed(sandbox: Sandbox) -> None:
    began = time.monotonic()
    first, second = talk(sandbox, "pass", "import time\ntime.sleep(60)\n")
    assert (first.exit_code, second.timed_out) == (0, False)
    assert time.monotonic() - began < 15


def test_the_wall_limit_holds_for_both(sandbox: Sandbox) -> None:
    first, second = talk(sandbox, "input()\n", "import time\ntime.sleep(60)\n", wall_s=1.0)
    assert (first.timed_out, second.timed_out) == (True, True)
    assert (first.exit_code, second.exit_code) == (None, None)


def test_a_flood_of_complaints_ends_its_side(sandbox: Sandbox) -> None:
    ask = "import sys\nsys.stdin.read()\nsys.stderr.write('alone')\n"
    first, second = talk(sandbox, ask, "import os\nwhile True: os.write(2, b'x' * 65536)\n")
    assert first.stderr == b"alone"
    assert second.truncated
    assert len(second.stderr) == LIMITS.output_bytes


def test_a_flood_of_answers_ends_its_side(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "RELAY_BYTES", 1 << 20)
    ask = "import sys\nsys.stderr.write(str(len(sys.stdin.read())))\n"
    first, second = talk(sandbox, ask, "import os\nwhile True: os.write(1, b'x' * 65536)\n")
    assert second.truncated
    assert int(first.stderr) < 1 << 22


def test_answers_that_nobody_reads_are_held_back(sandbox: Sandbox) -> None:
    flood = "import os\nwhile True: os.write(1, b'x' * 65536)\n"
    first, second = talk(sandbox, "import time\ntime.sleep(1)\n", flood)
    assert (first.exit_code, second.truncated) == (0, False)


def test_a_side_that_uses_too_much_is_killed(sandbox: Sandbox) -> None:
    hungry = "x = []\ntry:\n    while True: x.append(bytearray(1 << 24))\nexcept MemoryError: raise SystemExit(9)\n"
    first, second = talk(sandbox, "import sys\nsys.stdin.read()\n", hungry)
    assert first.exit_code == 0
    assert second.exit_code not in (0, None)


def test_the_two_see_nothing_of_each_other(sandbox: Sandbox) -> None:
    look = "import os\nprint(len([p for p in os.listdir('/proc') if p.isdigit()]), os.listdir('.'), flush=True)\n"
    with sandbox.open({"secret": b"1"}) as one, sandbox.open({"mine": b""}) as two:
        keep = "import sys\nsys.stderr.write(input())\n"
        command = ["python3", "-I", "-S", "-c"]
        first, _ = run_pair(Side(one, [*command, keep], LIMITS), Side(two, [*command, look], LIMITS), wall_s=20.0)
    processes, _, files = first.stderr.decode().partition(" ")
    assert int(processes) <= 3
    assert files == "['mine']"


def test_a_back_end_that_cannot_do_it_says_so() -> None:
    with (
        FakeSandbox().open({}) as one,
        FakeSandbox().open({}) as two,
        pytest.raises(SandboxError, match="two sandboxes"),
    ):
        run_pair(Side(one, ["true"], LIMITS), Side(two, ["true"], LIMITS), wall_s=1.0)
