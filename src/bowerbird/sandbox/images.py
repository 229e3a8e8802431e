"""Images of a container engine: built from a task's own recipe, and asked what they are."""

import hashlib
import json
import shlex
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from bowerbird.sandbox.engine import ask
from bowerbird.types import SandboxUnavailable

_BUILD_S = 3600.0
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # what engines take where an image says none


def find_image(engine: Sequence[str], name: str, *, pull: bool) -> str:
    """The image's name with its digest, where it came from a registry; else its name. Raises SandboxUnavailable."""
    if pull and ask([*engine, "image", "inspect", name]).returncode != 0:
        _done(engine, ["pull", name])
    digests = _inspect(engine, name).get("RepoDigests") or []
    return str(digests[0]) if digests else name


def build_image(engine: Sequence[str], context: Path) -> str:
    """The image of a folder with a Dockerfile, named after all that is in the folder. It is built by the engine, with
    what network the engine gives it. Raises SandboxUnavailable."""
    whole = hashlib.sha256()
    for path in sorted(path for path in context.rglob("*") if path.is_file()):
        named = f"{path.relative_to(context)} {path.stat().st_mode & 0o100:o}"
        whole.update(f"{named}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    name = f"bowerbird-task:{whole.hexdigest()[:16]}"
    if ask([*engine, "image", "inspect", name]).returncode != 0:
        _done(engine, ["build", "--tag", name, str(context)])
    return name


def working_folder(engine: Sequence[str], image: str) -> str:
    """Where commands start in it; "" where that is the root, or not said. Raises SandboxUnavailable."""
    folder = str(_inspect(engine, image)["Config"].get("WorkingDir") or "").rstrip("/")
    return "" if folder == "/work" else folder


def path_of(engine: Sequence[str], image: str) -> str:
    """The PATH of its commands. Raises SandboxUnavailable."""
    variables = _inspect(engine, image)["Config"].get("Env") or []
    return next((text.removeprefix("PATH=") for text in variables if text.startswith("PATH=")), _PATH)


def _inspect(engine: Sequence[str], image: str) -> dict[str, Any]:
    return _inspected(tuple(engine), image)


@cache
def _inspected(engine: tuple[str, ...], image: str) -> dict[str, Any]:
    """What the engine knows of it; each workspace asks."""
    found = ask([*engine, "image", "inspect", image])
    if found.returncode != 0:
        said = found.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise SandboxUnavailable(
            f"{engine[0]} has no image {image} ({said[0][:200]}): `{shlex.join([*engine, 'pull', image])}`, or name "
            "another (BOWERBIRD_IMAGE, where a task has none of its own)"
        )
    facts: dict[str, Any] = json.loads(found.stdout)[0]
    return facts


def _done(engine: Sequence[str], words: Sequence[str]) -> None:
    done = ask([*engine, *words], _BUILD_S)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise SandboxUnavailable(f"{engine[0]} {words[0]} {words[-1]} failed: {' '.join(said)[-300:]}")
