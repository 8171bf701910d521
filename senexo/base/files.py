"""What may be opened for reading: plain files. A named pipe would wait for a writer, a device has no end."""

from __future__ import annotations

import stat
from pathlib import Path

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def no_plain_file(path: Path) -> str | None:
    """What stands at a path, where it is no plain file; None for a plain file (a link to one, too).

    OSError where nothing is there or it cannot be looked up; ValueError for a name with a NUL.

    >>> no_plain_file(Path("/"))
    'a folder'
    """
    mode = path.stat().st_mode
    return next((word for is_kind, word in _KINDS if is_kind(mode)), None)
