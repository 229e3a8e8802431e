"""Which Python runs inside: the machine's own below /usr, else the one this process was made from."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bowerbird.types import SandboxUnavailable

MINIMUM = (3, 9)
MOUNT_POINT = "/opt/python"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Inside a sandbox `python3` on the PATH is this one."""

    path: str  # inside
    folder: str  # inside; first on the PATH
    version: tuple[int, int]
    mount: Path | None = None  # a host folder to bind read-only on `mount_point`, if it is not below /usr
    mount_point: str = MOUNT_POINT
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def on_host(self) -> Path:
        """The same on this machine."""
        return Path(self.path) if self.mount is None else self.mount / "bin" / "python3"


def _version(path: Path) -> tuple[int, int] | None:
    code = "import sys; print(*sys.version_info[:2])"
    try:
        said = subprocess.run([path, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=20, env={})
        major, minor = said.stdout.split()
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return int(major), int(minor)


def find_interpreter(folders: tuple[str, ...] = ("/usr/local/bin", "/usr/bin")) -> Interpreter:
    """The Python for sandboxes. Raises SandboxUnavailable when there is none that a sandbox can see."""
    for folder in folders:
        path = Path(folder, "python3")
        # A link that leaves /usr would dangle inside.
        if path.exists() and path.resolve().is_relative_to("/usr"):
            version = _version(path)
            if version is not None and version >= MINIMUM:
                return Interpreter(str(path), folder, version)
    return _own_interpreter()


def _own_interpreter() -> Interpreter:
    base = Path(sys.base_prefix).resolve()
    if base == Path("/") or not (base / "bin" / "python3").exists():
        raise SandboxUnavailable("no python3 that a sandbox could use: install it with `apt install python3`")
    if os.geteuid() == 0 and not world_reachable(base):
        raise SandboxUnavailable(
            f"the Python in {base} is in a private folder, and sandboxes drop root: "
            "install python3 with `apt install python3`, or start as an ordinary user"
        )
    return Interpreter(
        path=f"{MOUNT_POINT}/bin/python3",
        folder=f"{MOUNT_POINT}/bin",
        version=(sys.version_info.major, sys.version_info.minor),
        mount=base,
        environment={"LD_LIBRARY_PATH": f"{MOUNT_POINT}/lib"},  # a shared libpython has the old place in it
    )


def world_reachable(path: Path) -> bool:
    """True if any user may walk to `path` and into it."""
    return all(part.stat().st_mode & 0o001 for part in (path, *path.parents))
