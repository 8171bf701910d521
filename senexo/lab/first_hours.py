"""The first hours of an experiment whose units take long, and by how much the whole of a unit takes longer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from senexo.study.observables import Observable, Quantity

if TYPE_CHECKING:
    from senexo.lab.experiment import Arrays, Experiment, Unit
    from senexo.study.schema import Arm, Study

SHORTEST = 1.0 / 64.0  # of the duration
STEPS = 200  # of the integral over time


@dataclass(frozen=True, slots=True)
class FirstHours:
    """An experiment that ends early: times of it, times `shared` and `own`, are those of the whole experiment."""

    experiment: Experiment
    shared: float = 1.0
    own: float = 1.0


def first_hours(experiment: Experiment, unit: Unit, longest: float) -> FirstHours:
    """The experiment itself if one of its units takes at most `longest` seconds; else as much of it as fits in them.

    A unit is simulated for a 64th of its time, then for twice that, and so on. What is left of it is extrapolated: the
    cells go on growing as they did, to at most `culture.most_cells`, and every cell takes the time it took.
    """
    part, before, now = SHORTEST, 0.0, 0.0
    while part < 1.0:
        shorter = experiment.of_study(shortened(experiment.study, part))
        shared, own, arrays = timed(shorter, unit)
        before, now = now, own
        if max(shared, own) / part <= longest:
            return FirstHours(experiment)
        if 2.0 * max(shared, own) > longest:
            return FirstHours(shorter, 1.0 / part, _factor(shorter, unit, arrays, part, now, before))
        part *= 2.0
    return FirstHours(experiment)


def timed(
    experiment: Experiment, unit: Unit, cancelled: Callable[[], bool] = lambda: False
) -> tuple[float, float, Arrays]:
    """Seconds for what a unit shares with others and for the unit itself, and its arrays."""
    begun = time.monotonic()
    experiment.prepare(unit, cancelled)
    prepared = time.monotonic()
    arrays = experiment.simulate_unit(unit, cancelled)
    return prepared - begun, time.monotonic() - prepared, arrays


def shortened(study: Study, part: float) -> Study:
    """The study for a part of its time, its cultures before the plating as well, read at half and at the end of it."""
    end = part * study.culture.duration_h
    culture = study.culture.model_copy(
        update={"duration_h": end, "preequilibration_h": part * study.culture.preequilibration_h}
    )
    readouts = study.readouts.model_copy(update={"times_h": (0.0, end / 2.0, end)})
    arms = {name: _until(arm, end) for name, arm in study.arms.items()}
    return study.model_copy(update={"culture": culture, "readouts": readouts, "arms": arms})


def _until(arm: Arm, end: float) -> Arm:
    above = arm.insert and arm.insert.model_copy(
        update={"schedule": tuple(a for a in arm.insert.schedule if a.time_h is None or a.time_h < end)}
    )
    return arm.model_copy(
        update={
            "schedule": tuple(a for a in arm.schedule if a.time_h is None or a.time_h < end),
            "medium_from": tuple(m for m in arm.medium_from if max(m.taken_h, m.time_h) < end),
            "insert": above,
        }
    )


def _factor(shorter: Experiment, unit: Unit, arrays: Arrays, part: float, now: float, before: float) -> float:
    """How many times as long as its part a whole unit takes, from the time and the growth of the part's second half."""
    end = shorter.study.culture.duration_h
    name = list(shorter.study.arms)[unit.arm]
    half, last = (shorter.value(Observable(Quantity.CELLS, name, when), unit, arrays) for when in (end / 2.0, end))
    growth = np.log(last / half) / (end / 2.0) if half > 0.0 and last > 0.0 else 0.0
    mean = (last - half) / np.log(last / half) if growth else last
    most = max(1.0, (shorter.study.culture.most_cells or last) / max(last, 1.0))
    of_mean = (now - before) / (end / 2.0) if before else now / end
    rate = of_mean * last / mean if mean else of_mean  # seconds per hour for as many cells as there are at the end
    later = np.linspace(0.0, end / part - end, STEPS)
    return float((now + rate * np.trapezoid(np.minimum(np.exp(growth * later), most), later)) / now)
