"""Memory back to the system. A run's phases need very different tensors, one after the other."""

import ctypes
import gc


def give_back() -> None:
    """Free what only cycles hold, then `trim`."""
    gc.collect()
    trim()


def trim() -> None:
    """Hand back what the C library keeps of memory that is already free.

    glibc keeps freed blocks of up to 32 MB in its heap, whose holes the next phase's tensors do not fit: without this a
    run's resident size grows by gigabytes. Other C libraries hand back by themselves.
    """
    found = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if found is not None:
        found(0)
