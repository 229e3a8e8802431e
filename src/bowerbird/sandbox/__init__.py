"""The only place where model-written text executes: back ends behind one protocol."""

from bowerbird.sandbox.calls import CallReport, CallResult, decode, encode, run_calls, same
from bowerbird.sandbox.dialogue import Dialogue
from bowerbird.sandbox.fake import FakeCall, FakeSandbox, FakeWorkspace, scripted
from bowerbird.sandbox.local import LocalSandbox
from bowerbird.sandbox.opening import open_sandbox
from bowerbird.sandbox.protocol import NO_BASE, Base, Collected, Execution, Limits, Sandbox, Watch, Workspace

__all__ = [
    "NO_BASE",
    "Base",
    "CallReport",
    "CallResult",
    "Collected",
    "Dialogue",
    "Execution",
    "FakeCall",
    "FakeSandbox",
    "FakeWorkspace",
    "Limits",
    "LocalSandbox",
    "Sandbox",
    "Watch",
    "Workspace",
    "decode",
    "encode",
    "open_sandbox",
    "run_calls",
    "same",
    "scripted",
]
