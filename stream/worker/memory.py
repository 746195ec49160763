"""Memory of a worker: what it frees it keeps, and garbage is looked for seldom.

A poll takes and frees some megabytes in a few large pieces. By default glibc gives such pieces back to the kernel and
gets them again, zeroed, a page fault at a time.
"""

import ctypes
import gc

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # numbers of glibc's malloc.h
KEPT_BYTES = 256 * 1024 * 1024
GROWN_BYTES = 2 * 1024 * 1024
COLLECT_AFTER = (5_000, 20, 100)
"""Objects made and not freed until the youngest are looked at; a poll makes few that refer to each other."""


def keep_freed_memory() -> None:
    """What is free now goes back, and from now on pieces of up to `KEPT_BYTES` stay; nothing where there is no glibc."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return
    library.malloc_trim(0)
    library.mallopt(_MMAP_THRESHOLD, KEPT_BYTES)
    library.mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
    library.mallopt(_TOP_PAD, GROWN_BYTES)


def collect_seldom() -> None:
    """What is loaded now is never looked at again, and what comes later seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
