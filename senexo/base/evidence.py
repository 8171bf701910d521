"""How well a number is supported: the status of every parameter, prior and noise number."""

from __future__ import annotations

from typing import Literal, get_args

Status = Literal["seen", "unverified", "assumed", "derived"]
STATUSES: tuple[Status, ...] = get_args(Status)  # read in its source; cited from recall; a guess; computed from others
FORMER_STATUSES: dict[str, Status] = {"memory": "unverified"}  # words of the last version, in tables and study files


def current_status(word: str) -> str:
    """A status in the words of this version; any other word as it is.

    >>> current_status("memory"), current_status("seen")
    ('unverified', 'seen')
    """
    return FORMER_STATUSES.get(word, word)
