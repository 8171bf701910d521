"""The hot room: arrays in, arrays out."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def _writable(folder: Path) -> bool:
    """Whether a folder, or the nearest one above it that exists, lets this process write."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK)


def _give_numba_a_folder() -> None:
    """Numba refuses to work at all when it can keep machine code neither beside the source nor in the user's cache.

    A read-only installation used by an account without a home is such a place: it gets a folder for this process.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    if "NUMBA_CACHE_DIR" not in os.environ and not _writable(Path(__file__).parent) and not _writable(home):
        folder = tempfile.TemporaryDirectory(prefix="senexo-", ignore_cleanup_errors=True)
        _kept.append(folder)  # removed when the process ends
        os.environ["NUMBA_CACHE_DIR"] = folder.name


_kept: list[tempfile.TemporaryDirectory[str]] = []
_give_numba_a_folder()
