"""Environment and secrets: a command starts with nothing of ours."""

import os
import secrets
import socket
import tempfile

from bowerbird.sandbox.conformance.check import Check, expect, expect_said, python, say
from bowerbird.sandbox.protocol import Limits, Sandbox

ALLOWED = {
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "PWD",
    "TMPDIR",
    "TERM",
    "HOSTNAME",
    "SHLVL",
    "_",
    "LD_LIBRARY_PATH",
}
_NAMES = """
import os
print(" ".join(sorted(os.environ)))
"""
_ENVIRONMENTS = """
import os, sys
found = []
for pid in [p for p in os.listdir("/proc") if p.isdigit()]:
    for name in ("environ", "cmdline"):
        try:
            text = open("/proc/%s/%s" % (pid, name), errors="replace").read()
        except OSError:
            continue
        if sys.argv[1][::-1] in text: found.append(pid + "/" + name)
print(" ".join(found))
"""
_DESCRIPTORS = """
import os
extra = []
for pid in [p for p in os.listdir("/proc") if p.isdigit()]:
    try:
        names = os.listdir("/proc/%s/fd" % pid)
    except OSError:
        continue
    for name in names:
        try:
            target = os.readlink("/proc/%s/fd/%s" % (pid, name))
        except OSError:
            continue
        if not target.startswith(("pipe:", "/dev/null", "/proc/")): extra.append(pid + ":" + target)
try:
    os.fstat(int(__import__("sys").argv[1]))
    extra.append("inherited")
except OSError:
    pass
print(" ".join(extra))
"""
_KERNEL = """
import os
found = []
for path in ("/proc/kcore", "/proc/kmsg", "/dev/kmsg", "/dev/mem", "/dev/port", "/proc/sys/kernel/core_pattern"):
    for mode, name in (("rb", "read"), ("wb", "write")):
        if path.endswith("pattern") and mode == "rb": continue
        try:
            with open(path, mode) as file:
                if mode == "wb" or file.read(1): found.append(name + path)
        except OSError:
            pass
try:
    with open("/proc/sysrq-trigger", "w"): found.append("sysrq")
except OSError:
    pass
print(" ".join(found))
"""
_KEYRING = """
import ctypes, platform
libc = ctypes.CDLL(None, use_errno=True)
number = 250 if platform.machine() == "x86_64" else 219
def ring(name): return libc.syscall(ctypes.c_long(number), ctypes.c_long(0), ctypes.c_long(name), ctypes.c_long(0))
got = [ring(name) for name in (-3, -4, -5)]
print(" ".join(str(key) for key in got if key != -1))
"""


def _environment_is_empty(sandbox: Sandbox) -> str:
    os.environ["BOWERBIRD_CHECK"] = "1"
    try:
        names = set(say(sandbox, _NAMES).split())
    finally:
        del os.environ["BOWERBIRD_CHECK"]
    expect(names <= ALLOWED, f"also has {' '.join(sorted(names - ALLOWED))}")
    return " ".join(sorted(names))


def _secret_is_in_no_environment(sandbox: Sandbox) -> str:
    secret = secrets.token_hex(16)
    os.environ["BOWERBIRD_CHECK_SECRET"] = secret
    try:
        # Reversed, or the program would find its own argument.
        return expect_said(sandbox, "", _ENVIRONMENTS, secret[::-1])
    finally:
        del os.environ["BOWERBIRD_CHECK_SECRET"]


def _no_descriptor_is_inherited(sandbox: Sandbox) -> str:
    with tempfile.TemporaryFile() as secret:
        os.set_inheritable(secret.fileno(), True)
        return expect_said(sandbox, "", _DESCRIPTORS, str(secret.fileno()))


def _host_name_is_hidden(sandbox: Sandbox) -> str:
    name = say(sandbox, "import os; print(os.uname().nodename)")
    expect(name != socket.gethostname(), f"{name} is the host's")
    return name


def _stdin_is_given(sandbox: Sandbox) -> str:
    with sandbox.open({}) as workspace:
        sent = bytes(range(256)) * 4096
        limits = Limits(wall_s=30.0, output_bytes=len(sent))
        done = workspace.run(["cat"], stdin=sent, limits=limits)
        expect(done.stdout == sent, f"{len(done.stdout)} bytes of {len(sent)} came back")
        none = workspace.run(["cat"], limits=Limits(wall_s=20.0))
        expect(none.exit_code == 0 and not none.stdout, "without input, standard input does not end")
        unread = workspace.run(["true"], stdin=sent, limits=limits)
        expect(unread.exit_code == 0, "a command that does not read its input fails")
    return "given"


def _endings_are_told(sandbox: Sandbox) -> str:
    with sandbox.open({}) as workspace:
        for code, wanted in (("raise SystemExit(3)", 3), ("pass", 0), ("import os; os.kill(os.getpid(), 11)", -11)):
            done = python(workspace, code)
            expect(done.exit_code == wanted, f"{code!r} ended with {done.exit_code}")
        missing = workspace.run(["no-such-program"])
        expect(missing.exit_code not in (0, None), f"a missing program ended with {missing.exit_code}")
    return "told"


def _python_is_there(sandbox: Sandbox) -> str:
    version = say(sandbox, "import sys; print('%d.%d' % sys.version_info[:2])")
    expect(tuple(map(int, version.split("."))) >= (3, 9), f"Python {version}")
    return version


def _kernel_is_shut(sandbox: Sandbox) -> str:
    return expect_said(sandbox, "", _KERNEL)


def _keyring_is_shut(sandbox: Sandbox) -> str:
    return expect_said(sandbox, "", _KEYRING)


CHECKS = [
    Check(
        "environment_is_empty",
        "environment",
        "PYTHONSTARTUP, LD_PRELOAD and the like steer programs",
        _environment_is_empty,
    ),
    Check(
        "no_descriptor_is_inherited",
        "environment",
        "an open file is a way past every mount",
        _no_descriptor_is_inherited,
    ),
    Check("host_name_is_hidden", "environment", "the uts namespace is shared", _host_name_is_hidden),
    Check("stdin_is_given", "environment", "inputs must arrive whole, and end", _stdin_is_given),
    Check("endings_are_told", "environment", "a crash that looks like success is a pass", _endings_are_told),
    Check("python_is_there", "environment", "candidates run under python3", _python_is_there),
    Check(
        "secret_is_in_no_environment",
        "secrets",
        "tokens live in environments, also in the launcher's",
        _secret_is_in_no_environment,
    ),
    Check("kernel_is_shut", "secrets", "kernel memory and its log hold everything", _kernel_is_shut),
    Check("keyring_is_shut", "secrets", "the session keyring of the host has no namespace", _keyring_is_shut),
]
