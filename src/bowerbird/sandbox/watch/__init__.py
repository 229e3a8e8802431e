"""Watching by system call: what sandboxed processes tried to open, execute and connect to. Evidence, never a wall."""

from bowerbird.sandbox.watch.helper import Tracer, Watched
from bowerbird.sandbox.watch.trial import bounded, sees_calls

__all__ = ["Tracer", "Watched", "bounded", "sees_calls"]
