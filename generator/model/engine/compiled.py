"""Compiling kernels: how, and where the machine code is kept."""

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from generator.base.files import cache_home

# No `nnan` and no `ninf`: logits may be infinite. `reassoc` lets sums run in vector lanes, in an order that is fixed
# when the kernel is compiled.
FAST_MATH = ("reassoc", "contract", "nsz", "arcp")


@cache
def code_folder() -> Path | None:
    """Where compiled kernels are kept, by the digest of the engine's sources; None where nothing can be written.

    Numba looks only at the file that a kernel stands in, not at those that it calls, hence the digest.
    """
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    try:
        folder = cache_home() / f"kernels-{digest.hexdigest()[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder if os.access(folder, os.W_OK) else None
    except (OSError, RuntimeError):
        return None


def kernel(function: Callable[..., Any]) -> Any:
    """A compiled function that runs without the interpreter's lock; its machine code is kept on disk."""
    import numba

    before, folder = numba.config.CACHE_DIR, code_folder()
    try:
        if folder:
            numba.config.CACHE_DIR = str(folder)
        return numba.njit(cache=folder is not None, nogil=True, fastmath=set(FAST_MATH), error_model="numpy")(function)
    finally:
        numba.config.CACHE_DIR = before


def compiled_before() -> bool:
    folder = code_folder()
    return folder is not None and any(folder.rglob("*.nbc"))
