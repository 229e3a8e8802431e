"""What a running command uses in all, where resource limits only count per process or per file."""

import contextlib
import os
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
MAX_ENTRIES = 20_000
MAX_DEPTH = 128


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
    waiting = [(os.dup(folder), 1)]
    try:
        while waiting and entries <= most and deepest <= MAX_DEPTH:
            here, depth = waiting.pop()
            deepest = max(deepest, depth)
            try:
                for name in os.listdir(here):
                    entries += 1
                    if entries > most:
                        break
                    with contextlib.suppress(OSError):
                        facts = os.stat(name, dir_fd=here, follow_symlinks=False)
                        total += facts.st_blocks * 512
                        if facts.st_mode & 0o170000 == 0o040000 and len(waiting) < 512:
                            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                            waiting.append((os.open(name, flags, dir_fd=here), depth + 1))
            except OSError:
                continue
            finally:
                os.close(here)
    finally:
        for descriptor, _ in waiting:
            os.close(descriptor)
    return total, entries, deepest
