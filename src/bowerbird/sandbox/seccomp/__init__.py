"""The seccomp filter of this machine's architecture, as checked-in bytes. `generate.py` makes them."""

import platform
from functools import cache
from importlib.resources import files

from bowerbird.types import SandboxUnavailable


@cache
def seccomp_filter() -> bytes:
    """The BPF program to hand to bubblewrap. Raises SandboxUnavailable on an architecture without one."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    resource = files(__package__).joinpath(f"{machine}.bpf")
    if not resource.is_file():
        raise SandboxUnavailable(f"no seccomp filter for {machine}: add it to bowerbird.sandbox.seccomp.generate")
    return resource.read_bytes()
