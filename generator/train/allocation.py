"""glibc's allocator, told to keep what training frees: each step asks for the same large pieces again.

By default glibc gives a large piece back to the system when it is freed, and the system fills it with zeros when it is
asked for again, page by page. Source: mallopt(3).
"""

import ctypes
import os
import sys

# Of mallopt, which takes an int. A variable of the environment that the user has set is left as it is.
SETTINGS = {
    "MALLOC_MMAP_THRESHOLD_": (-3, 1 << 30),  # smaller pieces come from the heap
    "MALLOC_TRIM_THRESHOLD_": (-1, (1 << 31) - 1),  # the heap shrinks when more than so much is free at its end
    "MALLOC_TOP_PAD_": (-2, 1 << 26),  # and grows by so much more than is asked for
}


def keep_freed_memory() -> tuple[str, ...]:
    """Set what the user has not set; returns the names of what was set. Nothing where the C library is no glibc."""
    if not sys.platform.startswith("linux"):
        return ()
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version") or not hasattr(library, "mallopt"):
        return ()
    wanted = {name: setting for name, setting in SETTINGS.items() if name not in os.environ}
    return tuple(name for name, (number, value) in wanted.items() if library.mallopt(number, value) == 1)
