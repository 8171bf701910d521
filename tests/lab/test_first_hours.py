"""Units that take too long for a trial: their first hours, and what the rest takes by the growth of the cells."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from senexo.lab import first_hours
from senexo.lab.registry import experiment_of
from senexo.study.resolve import resolve

DURATION, BEFORE = 64.0, 32.0
STUDY: dict[str, Any] = {
    "title": "long", "seed": 5, "model": {"circuit": "mir34c-rab27b-cells"}, "cells": {"LSC": {"n": 10}},
    "donors": {"n": 1},
    "culture": {"duration": "64 h", "preequilibration": "32 h", "most_cells": 40, "window_check_wells": 0},
    "arms": {
        "mock": {}, "dosed": {"dose": [
            {"what": "miR-34c-5p", "amount": 30, "at": "0 h"}, {"what": "miR-34c-5p", "amount": 30, "at": "40 h"},
        ]},
        "fed": {"medium_from": {"arm": "mock", "taken": "48 h", "at": "2 h"}},
    },
    "readouts": {"times": ["0 h", "64 h"], "names": ["p21"]},
}  # fmt: skip


class _Clock:
    """A clock that the cells below move: an hour of a cell takes `cost` seconds."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


class _Cells:
    """10 cells, doubling every `doubling` hours up to 40."""

    def __init__(self, study: Any, clock: _Clock, cost: float, doubling: float) -> None:
        self.study, self.clock, self.cost, self.doubling = study, clock, cost, doubling

    def of_study(self, study: Any) -> _Cells:
        return _Cells(study, self.clock, self.cost, self.doubling)

    def number(self, hour: float) -> float:
        return min(40.0, 10.0 * 2.0 ** (hour / self.doubling))

    def prepare(self, unit: Any, cancelled: Any) -> None:
        self.clock.now += self.cost * 10.0 * self.study.culture.preequilibration_h

    def simulate_unit(self, unit: Any, cancelled: Any) -> dict[str, Any]:
        hours = np.linspace(0.0, self.study.culture.duration_h, 2001)
        self.clock.now += self.cost * float(np.trapezoid([self.number(h) for h in hours], hours))
        return {}

    def value(self, observable: Any, unit: Any, arrays: Any) -> float:
        return self.number(observable.time_h)


@pytest.mark.parametrize("doubling", [8.0, 32.0, 1e9])
@pytest.mark.parametrize("cost", [1e-4, 0.1, 1.0])
def test_whole_times_follow_from_the_first_hours(doubling: float, cost: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """In closed form; the cells of the trial grow as long as those of the study, and stop at the same number."""
    clock = _Clock()
    monkeypatch.setattr(first_hours, "time", clock)
    study = resolve(STUDY)
    whole = _Cells(study, clock, cost, doubling)
    part: Any = first_hours.first_hours(whole, experiment_of(study).units()[0], longest=10.0)  # type: ignore[arg-type]
    spent = clock.now
    shared, own, _ = first_hours.timed(part.experiment, None)  # type: ignore[arg-type]
    assert part.shared * shared == pytest.approx(cost * 10.0 * BEFORE)
    grown = min(DURATION, 2.0 * doubling)  # to 40 cells
    area = 10.0 * doubling / math.log(2.0) * (2.0 ** (grown / doubling) - 1.0) + 40.0 * (DURATION - grown)
    assert part.own * own == pytest.approx(cost * area, rel=0.1)
    assert (part.experiment is whole) == (cost < 1e-2)
    assert spent < 60.0


def test_a_shortened_study_asks_for_nothing_later() -> None:
    short = first_hours.shortened(resolve(STUDY), 0.5)
    assert (short.culture.duration_h, short.culture.preequilibration_h) == (32.0, 16.0)
    assert short.readouts.times_h == (0.0, 16.0, 32.0)
    assert [a.time_h for a in short.arms["dosed"].schedule] == [0.0]
    assert short.arms["fed"].medium_from == ()
    assert short.arms["mock"] == resolve(STUDY).arms["mock"]
