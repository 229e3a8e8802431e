"""Start of a workspace with a repository of 100 MB in it: over a base that is shared, and with its files written out.

A start is `open` and the end of a first command. Limit for the shared base: 100 ms at the median. The files are laid
once before; that is printed too.
"""

import random
from statistics import median
from time import perf_counter

from sides import Measured, main

from bowerbird.sandbox import Base, Limits, LocalSandbox

FILES, BYTES = 2_500, 40_000
LIMITS = Limits(wall_s=60.0, cpu_s=60)


def _files() -> dict[str, bytes]:
    draw = random.Random(0)
    return {f"part{n // 100}/module{n}.py": draw.randbytes(BYTES) for n in range(FILES)}


def _measured(starts: int, shared: bool) -> Measured:
    files, sandbox = _files(), LocalSandbox()
    sandbox.probe()
    options = {"base": Base(files)} if shared else {}
    given = {} if shared else files
    start = perf_counter()
    sandbox.open(given, **options).close()
    first, took, closed = perf_counter() - start, [], []
    for _ in range(starts):
        start = perf_counter()
        workspace = sandbox.open(given, **options)
        assert (
            workspace.run(["cat", f"part0/module{FILES // 100}.py"], limits=LIMITS).stdout == files["part0/module25.py"]
        )
        took.append(perf_counter() - start)
        start = perf_counter()
        workspace.close()
        closed.append(perf_counter() - start)
    sandbox.close()
    return {
        "MB": FILES * BYTES / 1e6,
        "first start, s": first,
        "start, ms": 1e3 * median(took),
        "slowest, ms": 1e3 * max(took),
        "removal, ms": 1e3 * median(closed),
    }


def shared() -> Measured:
    return _measured(50, shared=True)


def written() -> Measured:
    return _measured(5, shared=False)


if __name__ == "__main__":
    main({"shared": shared, "written": written}, "start, ms", better="lower")
