"""What a running command uses in all, where resource limits only count per process or per file."""

import contextlib
import errno
import os
import stat
from pathlib import Path

from bowerbird.sandbox.beneath import open_beneath

PAGE = os.sysconf("SC_PAGE_SIZE")
MAX_ENTRIES = 20_000
MAX_DEPTH = 128
_FOLDER = os.O_RDONLY | os.O_DIRECTORY


def memory_of_tree(pid: int) -> int:
    """Bytes of private memory of `pid` and all that descend from it. A process that ends meanwhile counts 0.

    Inside a pid namespace every orphan becomes a child of its pid 1, so nothing hides from this.
    """
    total, waiting = 0, [pid]
    while waiting:
        current = waiting.pop()
        with contextlib.suppress(OSError, ValueError):
            _, resident, shared = Path(f"/proc/{current}/statm").read_text().split()[:3]
            total += max(0, int(resident) - int(shared)) * PAGE
            for thread in os.listdir(f"/proc/{current}/task"):
                children = Path(f"/proc/{current}/task/{thread}/children").read_text()
                waiting.extend(int(child) for child in children.split())
    return total


def disk_use(folder: int, most: int = MAX_ENTRIES) -> tuple[int, int, int]:
    """Bytes on disk, entries and depth below an open folder; follows no link and gives up counting beyond `most`.

    Runs while a hostile program changes the tree, so it works on descriptors and ignores what vanishes.
    """
    total = entries = deepest = 0
    waiting = [("", 1)]  # names and no descriptors: a folder may hold thousands of others
    while waiting and entries <= most and deepest <= MAX_DEPTH:
        name, depth = waiting.pop()
        deepest = max(deepest, depth)
        try:
            here = open_beneath(folder, name, _FOLDER) if name else os.dup(folder)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:  # no path of an honest file is
                entries = most + 1
            continue
        try:
            size, count, below = _listed(here, most + 1 - entries)
        except OSError:
            continue
        finally:
            os.close(here)
        total, entries = total + size, entries + count
        waiting += [(f"{name}/{folder_name}" if name else folder_name, depth + 1) for folder_name in below]
    return total, entries, deepest


def _listed(here: int, most: int) -> tuple[int, int, list[str]]:
    """Bytes, entries and names of the folders in one folder, up to `most` entries."""
    total, below = 0, []
    names = os.listdir(here)[:most]
    for name in names:
        with contextlib.suppress(OSError):
            facts = os.stat(name, dir_fd=here, follow_symlinks=False)
            total += facts.st_blocks * 512
            if stat.S_ISDIR(facts.st_mode):
                below.append(name)
    return total, len(names), below
