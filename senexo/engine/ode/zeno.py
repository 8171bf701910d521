"""Zeno points: events that follow each other faster and faster, infinitely many in a finite time.

The intervals between the bounces of a ball shrink geometrically; past their sum the model says nothing, and a solver
goes on with whatever rounding has left (the ball falls through the floor). Johansson et al. 1999,
doi 10.1016/S0167-6911(99)00059-6.
"""

from __future__ import annotations

from dataclasses import dataclass

SHRINKING = 12  # intervals in a row, each shorter than the one before
SHORT = 1e-6  # share of the run


@dataclass(slots=True)
class _Series:
    """The last executions of one event: their number, the last time, the last interval, how many shrank in a row."""

    number: int = 0
    time: float = 0.0
    interval: float = 0.0
    shrunk: int = 0


class Accumulations:
    """Watches the executions of the events of one run; `end` is its last time."""

    def __init__(self, ids: tuple[str, ...], end: float) -> None:
        self.ids, self.end = ids, end
        self.series = [_Series() for _ in ids]
        self.points: dict[int, tuple[int, float]] = {}  # event -> number of its executions, time

    def note(self, event: int, time: float) -> None:
        """An event has been executed."""
        series = self.series[event]
        interval = time - series.time
        if series.number and interval > 0.0:
            series.shrunk = series.shrunk + 1 if interval < series.interval else 0
            series.interval = interval
            if series.shrunk >= SHRINKING and interval < SHORT * self.end:
                self.points.setdefault(event, (series.number + 1, time))
        series.number, series.time = series.number + 1, time

    def found(self) -> list[str]:
        """A sentence for each event that has passed such a point."""
        return [
            f"event {self.ids[event]} follows itself faster and faster ({number} times until time {time:.6g}, a Zeno"
            " point); the model determines nothing after that time"
            for event, (number, time) in self.points.items()
        ]
