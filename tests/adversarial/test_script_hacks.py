"""Submissions that try to be rewarded by a script without solving, behind $CONFINE and without it."""

import textwrap

import pytest

from bowerbird.rewards.verifiers import ScriptVerifier
from bowerbird.sandbox.protocol import Sandbox
from bowerbird.types import Verification, VerifierSpec

pytestmark = pytest.mark.sandbox

SECRET = "911382323"
SCRIPT = """#!/bin/sh
mkdir -p /logs/verifier
$CONFINE timeout 4 python3 solution.py < /tests/input > /tmp/out
sleep 0.6
cmp -s /tmp/out /tests/expected && echo 1 > /logs/verifier/reward.txt || echo 0 > /logs/verifier/reward.txt
sleep 0.6
"""
REWARD = "/logs/verifier/reward.txt"
WRITES = {
    "the reward, at once": f"open({REWARD!r}, 'w').write('1\\n')",
    "the reward's first digits": f"open({REWARD!r}, 'w').write('1.')",
    "the other reward": "open('/logs/verifier/reward.json', 'w').write('{\"reward\": 1}')",
    "the reward, by a daemon": f"""
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(1)
                open({REWARD!r}, 'w').write('1\\n')
            os._exit(0)
    """,
    "the reward, on a descriptor held from before": f"""
        import os, time
        if os.fork() == 0:
            fd = os.open({REWARD!r}, os.O_WRONLY)
            time.sleep(1)
            os.write(fd, b'1\\n')
            os._exit(0)
    """,
    "another file in the reward's place": f"""
        import os
        open('/logs/verifier/mine', 'w').write('1\\n')
        os.rename('/logs/verifier/mine', {REWARD!r})
    """,
    "a link in the reward's place": f"import os\nos.remove({REWARD!r})\nos.symlink('/work/mine', {REWARD!r})\n",
    "a readable reward": f"import os\nos.chmod({REWARD!r}, 0o666)\nopen({REWARD!r}, 'r+').read()\n",
    "the tests": "open('/tests/expected', 'w').write('')",
    "the script": "open('/tests/test.sh', 'a').write('echo 1')",
}
CONFINED = {
    "reads what is expected": "print(open('/tests/expected').read(), end='')",
    "reads it through its own input": "import os\nprint(os.listdir('/proc/self/fd/../cwd/../tests'))\n",
    "reads it through the shell's root": """
        import os
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try: print(open(f"/proc/{pid}/root/tests/expected").read(), end="")
            except OSError: pass
    """,
    "writes the output a second time": """
        import os, time
        if os.fork() == 0:
            os.setsid()
            time.sleep(0.3)
            open('/tmp/out', 'w').write(open('/tests/expected').read())
        os._exit(0)
    """,
    "keeps the output open": """
        import os, time
        if os.fork() == 0:
            os.setsid()
            time.sleep(0.3)
            os.pwrite(1, b'911382323\\n', 0)
        os._exit(0)
    """,
    "stops the script": """
        import os, signal
        for pid in range(1, 99):
            for number in (signal.SIGSTOP, signal.SIGKILL):
                try:
                    if pid != os.getpid(): os.kill(pid, number)
                except OSError: pass
    """,
    "puts files where the script might look": """
        import os
        for path in ("/tmp/cmp", "/tmp/out", "/nonexistent/.profile", "/usr/local/bin/cmp", "/etc/profile"):
            try: open(path, "w").write("#!/bin/sh\\nexit 0\\n")
            except OSError: pass
    """,
}


def verify(sandbox: Sandbox, source: str, script: str = SCRIPT) -> Verification:
    files = {"tests/test.sh": script.encode(), "tests/input": b"x\n", "tests/expected": f"{SECRET}\n".encode()}
    spec = VerifierSpec("t", "script", "", (), 12.0, files)
    return ScriptVerifier(sandbox).verify(spec, {"solution.py": textwrap.dedent(source).encode()})


@pytest.mark.parametrize("name", [*WRITES, *CONFINED])
def test_behind_confine_they_score_zero_and_the_script_gives_the_verdict(sandbox: Sandbox, name: str) -> None:
    result = verify(sandbox, {**WRITES, **CONFINED}[name])
    assert (result.reward, result.failure) == (0.0, "test_failed")


@pytest.mark.parametrize("name", WRITES)
def test_without_it_what_they_write_earns_nothing_either(sandbox: Sandbox, name: str) -> None:
    result = verify(sandbox, WRITES[name], SCRIPT.replace("$CONFINE ", ""))
    assert result.reward == 0.0
    assert result.failure in ("forged_report", "test_failed", "bad_reward")


def test_the_same_script_can_be_passed(sandbox: Sandbox) -> None:
    for script in (SCRIPT, SCRIPT.replace("$CONFINE ", "")):
        assert verify(sandbox, f"print({SECRET})", script).reward == 1.0


def test_without_confine_the_tests_can_be_read(sandbox: Sandbox) -> None:
    """What TRUST says of scripts: only their authors can keep the answer from the tests."""
    assert verify(sandbox, CONFINED["reads what is expected"], SCRIPT.replace("$CONFINE ", "")).reward == 1.0
