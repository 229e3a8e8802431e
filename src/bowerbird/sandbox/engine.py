"""The command of a container engine: where it is, and what it says."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence

from bowerbird.types import SandboxUnavailable

# What the engine's client needs of ours; nothing of it reaches the container.
_KEPT = ("PATH", "HOME", "USER", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_HOST", "DOCKER_CONFIG", "CONTAINER_HOST")
_CLIENT_S = 120.0


def command_of(engine: str) -> tuple[str, ...]:
    """`$BOWERBIRD_DOCKER` or `$BOWERBIRD_PODMAN`, or the engine's plain name. Raises SandboxUnavailable."""
    command = tuple(shlex.split(os.environ.get(f"BOWERBIRD_{engine.upper()}", engine)))
    if shutil.which(command[0]) is None:
        raise SandboxUnavailable(f"{command[0]} is missing: install it, or use the local back end")
    return command


def environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


def ask(line: Sequence[str], seconds: float = _CLIENT_S) -> "subprocess.CompletedProcess[str]":
    """Raises SandboxUnavailable where the engine does not answer."""
    try:
        return subprocess.run(
            line, capture_output=True, text=True, env=environment(), cwd="/", timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SandboxUnavailable(f"{line[0]} did not answer within {seconds:.0f} s") from error
