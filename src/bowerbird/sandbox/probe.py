"""Run the full recipe once and assert its guarantees from inside. Fails closed."""

import os
import secrets
import tempfile
from collections.abc import Callable, Mapping

from bowerbird.sandbox.bwrap import hint
from bowerbird.sandbox.protocol import Limits, Sandbox, Workspace
from bowerbird.types import SandboxError, SandboxUnavailable

SECRET_VARIABLE = "BOWERBIRD_PROBE_SECRET"

# Argument 1 is a file on the host that must not be readable, argument 2 a secret in the host's environment.
PROGRAM = r"""
import os, sys
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
for key in ("CapEff", "CapPrm", "CapBnd", "NoNewPrivs", "Seccomp"):
    print(key, status[key].strip())
open("/work/owner", "w").close()
print("interfaces", ",".join(sorted(line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line)))
try:
    open(sys.argv[1]).read()
    print("canary readable")
except OSError:
    print("canary absent")
environments = ""
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        environments += open("/proc/%s/environ" % pid).read()
    except OSError:
        pass
print("environment", "leaks" if sys.argv[2] in environments else "clean")
print("folders", ",".join(sorted(os.listdir("/"))))
print("version", "%d.%d.%d" % sys.version_info[:3])
"""
EXPECTED = {
    "CapEff": "0000000000000000",
    "CapPrm": "0000000000000000",
    "CapBnd": "0000000000000000",
    "NoNewPrivs": "1",
    "Seccomp": "2",
    "interfaces": "lo",
    "canary": "absent",
    "environment": "clean",
}
# Top folders of a host that have no business inside.
FOREIGN = frozenset({"root", "home", "var", "mnt", "media", "srv", "boot", "sys", "run"})


def probe(
    sandbox: Sandbox,
    facts: Mapping[str, str],
    owner: Callable[[Workspace, str], int],
    foreign: frozenset[str] = FOREIGN,
) -> Mapping[str, str]:
    """`facts` with what was found inside. Raises SandboxUnavailable when a guarantee does not hold.

    `owner` says which host uid a file of the workspace belongs to, seen from outside. `foreign` are top folders that
    must not be there.
    """
    secret = secrets.token_hex(16)
    os.environ[SECRET_VARIABLE] = secret
    try:
        with tempfile.NamedTemporaryFile(prefix="bowerbird-canary-") as canary:
            canary.write(secret.encode())
            canary.flush()
            os.chmod(canary.name, 0o644)
            found = _look(sandbox, canary.name, secret, owner)
    except SandboxUnavailable:
        raise
    except SandboxError as error:
        raise SandboxUnavailable(f"the {sandbox.name} sandbox does not work here: {error}") from error
    finally:
        del os.environ[SECRET_VARIABLE]
    wrong = {key: found.get(key, "unknown") for key, value in EXPECTED.items() if found.get(key) != value}
    if found["host_uid"] == "0":
        wrong["host_uid"] = "0, root"
    if shown := foreign & set(found.get("folders", "").split(",")):
        wrong["folders"] = ",".join(sorted(shown))
    if wrong:
        said = ", ".join(f"{key} is {value}" for key, value in sorted(wrong.items()))
        raise SandboxUnavailable(f"the {sandbox.name} sandbox does not hold on this machine: {said}")
    return {**facts, **found}


def _look(sandbox: Sandbox, canary: str, secret: str, owner: Callable[[Workspace, str], int]) -> dict[str, str]:
    with sandbox.open({}) as workspace:
        argv = ["python3", "-I", "-S", "-B", "-c", PROGRAM, canary, secret]
        execution = workspace.run(argv, limits=Limits(wall_s=30, cpu_s=20))
        if execution.exit_code != 0:
            said = hint(execution.stderr.decode(errors="replace"))
            raise SandboxUnavailable(f"the {sandbox.name} sandbox cannot run python3: {said}")
        lines = (line.partition(" ") for line in execution.stdout.decode().splitlines())
        return {**{key: value for key, _, value in lines}, "host_uid": str(owner(workspace, "owner"))}
