"""Does tracing work here: run a command that does what a watcher must see, and look whether it did."""

from dataclasses import replace

from bowerbird.sandbox.protocol import Limits, Workspace
from bowerbird.sandbox.watch.supervisor import MOST
from bowerbird.types import Facts

MISSING = "/withheld/by-the-trial"
PROGRAM = f"""
import os, socket
try: open({MISSING!r})
except OSError: pass
with socket.socket() as s:
    s.settimeout(5)
    try: s.connect(("127.0.0.1", 9))
    except OSError: pass
"""


def sees_calls(workspace: Workspace) -> str:
    """What is wrong with the tracing of `workspace`, which is fresh; empty when it works. Raises SandboxError."""
    done = workspace.run(["python3", "-I", "-S", "-B", "-c", PROGRAM], limits=Limits(wall_s=30, cpu_s=20))
    facts = workspace.watched()
    if done.exit_code != 0:
        return f"a traced program ended with {done.exit_code}: {done.stderr.decode(errors='replace')[-200:]}"
    if facts.lost:
        return "the watcher may not read other processes: set kernel.yama.ptrace_scope below 3, or add CAP_SYS_PTRACE"
    seen = {
        "open": MISSING in facts.opened,
        "execve": any(path.endswith("/python3") for path in facts.executed),
        "connect": "inet 127.0.0.1:9" in facts.connected,
    }
    missed = [name for name, was_seen in seen.items() if not was_seen]
    return f"the watcher did not hear of {', '.join(missed)}" if missed else ""


def bounded(facts: Facts) -> Facts:
    """`facts` with at most `MOST` notes of a kind; the others are counted as lost."""
    lists = {"opened": facts.opened, "executed": facts.executed, "connected": facts.connected}
    over = sum(max(0, len(found) - MOST) for found in lists.values())
    if not over:
        return facts
    return replace(facts, **{kind: found[:MOST] for kind, found in lists.items()}, lost=facts.lost + over)
