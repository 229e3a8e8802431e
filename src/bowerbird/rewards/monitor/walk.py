"""Paths as a process gave them, walked as text: what do they name, and by which detour?"""

import re
from dataclasses import dataclass
from functools import lru_cache

HOME = "/work"  # where relative paths begin
SCRATCH = (HOME, "/tmp", "/var/tmp", "/dev/shm")  # folders that a candidate may write to
_MAX_PATH = 4096  # the kernel takes no longer ones
_MAGIC = re.compile(r"/proc/(\d+|self|thread-self)(?:/task/\d+)?/(root|cwd)\Z")


@dataclass(frozen=True, slots=True)
class Walked:
    """`path` is absolute, without `.`, `..` and `//`. `detour` is the first magic link that was walked through."""

    path: str
    detour: str = ""  # e.g. "/proc/1/root"
    folder: bool = False  # written with a slash at the end: only a folder can be meant


@lru_cache(maxsize=4096)
def walk(text: str) -> Walked:
    """Follow `text` component by component. `/proc/*/root` leads to `/` and `/proc/*/cwd` to the workspace.

    Other links are unknown here: the kernel's own watch on the decoys does not depend on names.
    """
    text = text[:_MAX_PATH]
    parts = [] if text.startswith("/") else ["work"]
    detour = ""
    names = [name for name in text.split("/") if name not in ("", ".")]
    for number, name in enumerate(names):
        if name == "..":
            del parts[-1:]
            continue
        parts.append(name)
        last = number == len(names) - 1
        if name in ("root", "cwd") and not last and len(parts) in (3, 5):
            here = "/" + "/".join(parts)
            if found := _MAGIC.match(here):
                detour = detour or here
                parts = [] if found[2] == "root" else ["work"]
    return Walked("/" + "/".join(parts), detour, text.endswith("/"))


def below(path: str, folders: tuple[str, ...]) -> bool:
    """Whether a walked path lies strictly below one of `folders`."""
    return any(path.startswith(f"{folder}/") for folder in folders)
