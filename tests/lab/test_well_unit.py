"""Which cells of a well count as arrested."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from senexo.engine.population.control import Resampled
from senexo.lab.coupled.measure import _arrested
from senexo.lab.coupled.readings import Reading

ON, OFF = 1.0, 0.0
# per cell: its type (1: senescent), and its switch at 0, 24, 48, 72 and 96 h; nan: not born yet
CELLS = {
    "off all the time": (0, [OFF] * 5),
    "off but once": (0, [OFF, OFF, ON, OFF, OFF]),
    "woken": (0, [OFF, OFF, OFF, OFF, ON]),
    "off since the first look of the last 72 h": (0, [ON, OFF, OFF, OFF, OFF]),
    "born off, not yet so long": (0, [np.nan, np.nan, OFF, OFF, OFF]),
    "senescent, with its switch on": (1, [ON] * 5),
    "on": (0, [ON] * 5),
}
COMMUNITY: Any = SimpleNamespace(senescent=np.array([False, True]), off=lambda values: values[:, 0] < 0.1)


def reading(time: float, look: int) -> Reading:
    there = [k for k, (_, switch) in enumerate(CELLS.values()) if not np.isnan(switch[look])]
    there = there[::-1] if look % 2 else there  # rows are in no order that a reader could rely on
    rows = [list(CELLS.values())[k] for k in there]
    key = np.array([[1, k] for k in there], dtype=np.uint64)
    type, values = np.array([row[0] for row in rows]), np.array([[row[1][look]] for row in rows])
    return Reading(time, type, key, key, np.zeros(len(rows)), values, np.ones_like(type), np.zeros(0, dtype=np.int64))


def test_arrested_is_off_all_the_last_72_hours_or_senescent() -> None:
    times = (0.0, 24.0, 48.0, 72.0, 96.0)
    readings = tuple(reading(time, look) for look, time in enumerate(times))
    course: Any = SimpleNamespace(readings=readings, resampled=Resampled.none())
    found = dict(zip(CELLS, _arrested(COMMUNITY, course, course.readings[4]).tolist(), strict=True))
    assert {name for name, arrested in found.items() if arrested} == {
        "off all the time", "off since the first look of the last 72 h", "senescent, with its switch on",
    }  # fmt: skip
    early = _arrested(COMMUNITY, course, course.readings[2])  # no cell has been observed for so long
    assert early.tolist() == [name.startswith("senescent") for name in CELLS]


def test_a_clone_was_the_cell_that_it_was_split_off() -> None:
    """Split off the first cell, off all the time, and that clone again: arrested. Split off one that was on: not."""
    times = (0.0, 24.0, 48.0, 72.0, 96.0)
    readings = [reading(time, look) for look, time in enumerate(times)]
    clones = {7: (0, 50.0), 8: (7, 90.0), 9: (1, 90.0)}  # last word of the key: (that of its origin, when)
    for clone, (origin, hour) in clones.items():
        for look, time in enumerate(times):
            if time >= hour:
                readings[look] = _with_a_copy(readings[look], origin, clone)
    words = np.array([[(1, clone), (1, origin)] for clone, (origin, _) in clones.items()], dtype=np.uint64)
    hours = np.array([hour for _, hour in clones.values()])
    done = Resampled(hours, words[:, 0], words[:, 1], np.zeros(3, dtype=np.int64))
    course: Any = SimpleNamespace(readings=tuple(readings), resampled=done)
    found = dict(zip(readings[4].key[:, 1].tolist(), _arrested(COMMUNITY, course, readings[4]).tolist(), strict=True))
    assert (found[7], found[8], found[9]) == (True, True, False)


def _with_a_copy(now: Reading, origin: int, clone: int) -> Reading:
    row = int(np.flatnonzero(now.key[:, 1] == origin)[0])
    rows = {name: getattr(now, name) for name in ("type", "key", "parent", "born", "values", "weight")}
    rows = {name: np.concatenate((array, array[row : row + 1])) for name, array in rows.items()}
    rows["key"][-1] = (1, clone)
    return replace(now, **rows)
