"""Which cells of a well count as arrested: looks every hour, cells known by their lineage."""

from __future__ import annotations

import numpy as np
import pytest

from senexo.engine.population.control import Resampled
from senexo.lab.coupled.off_times import OffTimes

# per cell: the hours at which it is there (until 100 h), and at which its switch is on
CELLS = {
    "off all the time": (0, ()),
    "on for an hour": (0, (30,)),
    "woken": (0, (100,)),
    "off from 28 h on": (0, range(28)),
    "off from 29 h on": (0, range(29)),
    "born off at 27 h": (27, ()),
    "born off at 29 h": (29, ()),
    "on": (0, range(101)),
}
NAMES = list(CELLS)


def observed(clock: OffTimes, hour: int, others: tuple[int, ...] = ()) -> tuple[list[int], np.ndarray]:
    """The cells there at an hour and since when they are off; `others`: more cells, which are off."""
    there = [k for k, (born, _) in enumerate(CELLS.values()) if born <= hour] + list(others)
    there = there[::-1] if hour % 2 else there  # rows are in no order that a reader could rely on
    off = np.array([k >= len(CELLS) or hour not in CELLS[NAMES[k]][1] for k in there])
    return there, clock.look(keys(there), off, float(hour))


def keys(cells: list[int]) -> np.ndarray:
    """First words that are far from the order of the cells, some of them equal."""
    return np.array([[(cell * 2**61 + 2**63) % 2**64, cell] for cell in cells], dtype=np.uint64)


def test_arrest_takes_72_hours_of_hourly_looks_without_a_break() -> None:
    """At 100 h those that were off at each of the 73 looks from 28 h on; at 71 h none has been observed for so long."""
    clock = OffTimes()
    for hour in range(101):
        there, since = observed(clock, hour)
        arrested = {NAMES[k] for k, when in zip(there, since, strict=True) if hour - when >= 72.0}
        if hour < 72:
            assert not arrested
        if hour == 72:
            assert arrested == {"off all the time", "woken"}
    assert arrested == {"off all the time", "off from 28 h on", "born off at 27 h"}


def test_a_read_out_between_two_looks_is_not_remembered() -> None:
    clock = OffTimes()
    key, off, on = keys([0]), np.array([True]), np.array([False])
    assert clock.look(key, off, 0.0) == pytest.approx([0.0])
    assert np.isnan(clock.since(key, on, 0.5))
    assert clock.since(key, off, 0.75) == pytest.approx([0.0])
    assert clock.look(key, off, 1.0) == pytest.approx([0.0])


def test_a_clone_has_the_past_of_its_origin() -> None:
    """Split off the first cell, off all the time, and that clone again in the same hour; split off one that was on."""
    clock = OffTimes()
    for hour in range(91):
        observed(clock, hour)
    pairs = [(12, 11), (11, 0), (13, NAMES.index("on for an hour")), (14, 99)]  # clone, origin; 99 was never there
    clones, origins = keys([clone for clone, _ in pairs]), keys([origin for _, origin in pairs])
    clock.resampled(Resampled(np.full(4, 90.0), clones, origins, np.zeros(4, dtype=np.int64)))
    there, since = observed(clock, 91, others=(11, 12, 13, 14))
    found = dict(zip(there, since.tolist(), strict=True))
    assert (found[11], found[12], found[13], found[14]) == (0.0, 0.0, 31.0, 91.0)


def test_a_cell_that_was_merged_away_leaves_nothing() -> None:
    clock = OffTimes()
    clock.look(keys([1, 2]), np.array([True, True]), 0.0)
    gone = Resampled(np.zeros(1), keys([2]), np.zeros((1, 2), dtype=np.uint64), np.zeros(1, dtype=np.int64))
    clock.resampled(gone)
    assert clock.look(keys([1]), np.array([True]), 1.0) == pytest.approx([0.0])
    assert clock.look(keys([1, 2]), np.array([True, True]), 2.0) == pytest.approx([0.0, 2.0])
