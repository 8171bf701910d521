"""What in the values of a simulation no model means: no number, infinite, a compartment without a positive size, an
amount below zero. Each is reported once, by name and time; the values stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf, isfinite

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.network import Lowered

MOST = 20  # sentences
BELOW = 1e-6  # share of its largest size by which an amount of a deterministic run is below zero, beyond its error
_WATCHED = ("species", "parameter", "compartment", "species reference")

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def doubts(lowered: Lowered, times: Floats, values: Floats, runs: Sequence[int] | None = None) -> list[str]:
    """A sentence for everything in `values` [runs, times, slots] that no model means, in the order of time.

    A quantity that has no value from the start, because the model gives it none, is reported like any other.
    runs: the numbers of the runs where they are not 0, 1, 2 and so on.
    """
    found = sorted(_doubts(lowered, times, values, runs), key=lambda one: one[0])
    sentences = [sentence for _, sentence in found[:MOST]]
    return [*sentences, f"... and {len(found) - MOST} more of this kind"] if len(found) > MOST else sentences


def _doubts(lowered: Lowered, times: Floats, values: Floats, runs: Sequence[int] | None) -> Iterator[tuple[float, str]]:
    for slot in _suspects(lowered, values):
        info = lowered.slots[slot]
        course = values[:, :, slot]
        with np.errstate(invalid="ignore"):
            kinds: list[tuple[str, Bools]] = [
                ("is not a number", np.isnan(course)),
                ("is infinite", np.isinf(course)),
            ]
            if info.kind == "compartment":
                kinds.append(("has a size that is not positive", course <= 0.0))
            if info.kind == "species":
                largest = np.max(np.abs(course), initial=0.0, where=np.isfinite(course))
                kinds.append(("is below zero", np.isfinite(course) & (course < -BELOW * largest)))
        for what, where in kinds:
            if where.any():
                run, time = _first(where)
                number = None if len(values) == 1 and runs is None else run if runs is None else runs[run]
                yield float(times[time]), _sentence(lowered, slot, what, float(times[time]), number)


def _suspects(lowered: Lowered, values: Floats) -> list[int]:
    """The slots of quantities that may be in doubt; of a sound run none."""
    if not values.size or _all_sound(lowered, float(values.min()), float(values.max())):
        return []
    watched = [slot for slot, info in enumerate(lowered.slots) if info.kind in _WATCHED and info.changes]
    if not watched:
        return []
    courses = values.reshape(-1, values.shape[2])
    with np.errstate(invalid="ignore"):
        lows, highs = courses.min(axis=0).tolist(), courses.max(axis=0).tolist()
    return [slot for slot in watched if not _sound(lowered.slots[slot].kind, lows[slot], highs[slot])]


def _all_sound(lowered: Lowered, low: float, high: float) -> bool:
    """Whether everything is sound because the least and the largest value of all are."""
    if not high < inf:  # infinite, or not a number
        return False
    sizes = any(info.kind == "compartment" and info.changes for info in lowered.slots)
    return low > 0.0 or (low == 0.0 and not sizes)


def _sound(kind: str, low: float, high: float) -> bool:
    if not (isfinite(low) and isfinite(high)):
        return False
    return low > 0.0 if kind == "compartment" else kind != "species" or low >= 0.0


def _first(where: Bools) -> tuple[int, int]:
    """Run and time of the earliest place."""
    time = int(np.argmax(where.any(axis=0)))
    return int(np.argmax(where[:, time])), time


def _sentence(lowered: Lowered, slot: int, what: str, time: float, run: int | None) -> str:
    place = f"at time {time:g}" + ("" if run is None else f" of run {run}")
    return f"{lowered.slots[slot].id} {what} {place}, the first output that shows it{_cause(lowered, slot)}"


def _cause(lowered: Lowered, slot: int) -> str:
    """What in the model sets the quantity."""
    events = [event.id for event in lowered.events if any(item.slot == slot for item in event.assignments)]
    if any(item.slot == slot for item in lowered.assignments):
        return " (an assignment rule sets it)"
    return f" (set by {'events' if len(events) > 1 else 'event'} {', '.join(events)})" if events else ""
