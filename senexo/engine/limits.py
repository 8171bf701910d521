"""What the runs of one request may take, and which of them ended at such a limit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from threading import Timer
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Limits:
    """Limits of a request's runs; `ended` says of each run that reached one why and when.

    Parameters
    ----------
    events
        Events of one run (reactions of a stochastic run, SBML's events): one that reaches so many ends there.
    seconds
        Wall time of the whole request, counted from here on.
    """

    def __init__(self, events: int | None = None, seconds: float | None = None) -> None:
        self.events, self.seconds = events, seconds
        self._until = inf if seconds is None else time.monotonic() + seconds
        self.ended: dict[int, str] = {}

    @property
    def over(self) -> bool:
        """Whether the time has passed."""
        return time.monotonic() >= self._until

    def end(self, run: int, at: float | None, *, events: bool = False) -> None:
        """Note that a run ended at this time, by the limit of events or else of time; None: it was not begun."""
        limit = f"the limit of {self.events} events" if events else f"the limit of {self.seconds:g} s"
        self.ended[run] = f"not begun: {limit} was reached" if at is None else f"{limit} was reached at time {at:g}"

    @contextmanager
    def stopping(self, stop: NDArray[np.bool_]) -> Iterator[Any]:
        """Set `stop` when the time has passed, while the block runs."""
        timer = None
        if self._until < inf:
            timer = Timer(max(0.0, self._until - time.monotonic()), stop.__setitem__, (0, True))
            timer.daemon = True
            timer.start()
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()
