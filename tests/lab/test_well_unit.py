"""Which cells of a well count as arrested."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

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
    key = np.array([[0, k] for k in there], dtype=np.uint64)
    type, values = np.array([row[0] for row in rows]), np.array([[row[1][look]] for row in rows])
    return Reading(time, type, key, key, np.zeros(len(rows)), values, np.zeros(0, dtype=np.int64))


def test_arrested_is_off_all_the_last_72_hours_or_senescent() -> None:
    times = (0.0, 24.0, 48.0, 72.0, 96.0)
    course: Any = SimpleNamespace(readings=tuple(reading(time, look) for look, time in enumerate(times)))
    found = dict(zip(CELLS, _arrested(COMMUNITY, course, course.readings[4]).tolist(), strict=True))
    assert {name for name, arrested in found.items() if arrested} == {
        "off all the time", "off since the first look of the last 72 h", "senescent, with its switch on",
    }  # fmt: skip
    early = _arrested(COMMUNITY, course, course.readings[2])  # nobody has been looked at for so long
    assert early.tolist() == [name.startswith("senescent") for name in CELLS]
