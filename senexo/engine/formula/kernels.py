"""How kernels written by hand are compiled: one decorator, and machine code that never outlives its source.

Numba looks for changes in a function's own file only; a kernel kept from before would go on with yesterday's
version of what it calls, or fail on a table that has got another column. So the folder for machine code is named by
a digest of all files of the engine, those of its sub-packages included.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba

from senexo.base import streams
from senexo.engine.formula.codegen import cache_folder


def kernel(*, forceinline: bool = False) -> Callable[[Callable[..., Any]], Any]:
    """Compile without Python's lock, with IEEE division, kept in the user's cache folder between processes."""

    def decorate(function: Callable[..., Any]) -> Any:
        config: Any = numba.config
        folder, before = _folder(), config.CACHE_DIR
        if folder is not None:
            config.CACHE_DIR = str(folder)  # read when the decorator is applied
        try:
            compiled = numba.njit(nogil=True, error_model="numpy", forceinline=forceinline, cache=folder is not None)
            return compiled(function)
        finally:
            config.CACHE_DIR = before

    return decorate


@cache
def _folder() -> Path | None:
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    parent = Path(chosen) if chosen else cache_folder()
    if parent is None:
        return None
    content = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    for file in [*sorted(Path(__file__).parents[1].rglob("*.py")), Path(streams.__file__)]:
        content.update(file.read_bytes())
    return parent / f"kernels_{content.hexdigest()[:16]}"
