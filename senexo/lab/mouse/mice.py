"""Mice of one arm and sample: injection, growth under treatment, read-outs, death."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from senexo.base.streams import derive, generator
from senexo.engine.branching.counts import follow
from senexo.engine.branching.process import Process
from senexo.engine.host.leukaemia import STEM
from senexo.lab.ensemble import Cancelled

if TYPE_CHECKING:
    from senexo.lab.experiment import Unit
    from senexo.lab.mouse.sample import Sample

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
DAY_H = 24.0


@dataclass(frozen=True, slots=True)
class Mice:
    """Mice, each followed to the end or its death.

    Attributes
    ----------
    times
        [t] hours after injection.
    cells
        [mice, t, types] cells; after death as at death.
    died_h
        [mice] hour of death; inf: lives at the end.
    homed
        [mice, types] cells in marrow at hour 0.
    """

    times: Floats
    cells: Counts
    died_h: Floats
    homed: Counts

    @property
    def marrow(self) -> Counts:
        """[mice, t] human cells in marrow: all but those in blood, the last type."""
        return np.asarray(self.cells[:, :, :-1].sum(axis=2))

    @property
    def stem(self) -> Counts:
        """[mice, t, types of stem cells]."""
        return np.asarray(self.cells[:, :, : len(STEM)])


def transplanted(
    process: Process, means: Floats, own: Sample, times: Floats, *, seed: int, unit: Unit, mice: int,
    cancelled: Callable[[], bool] = lambda: False,
) -> Mice:  # fmt: skip
    """Mice injected with cells of which `means` [types] home in the mean, followed to each of `times`.

    Each mouse has streams of its own, keyed by the sample, by what is done in the arm and by its number. Raises
    `Cancelled` soon after `cancelled()` becomes true.
    """
    numbers = range(1, mice + 1)
    keys = np.array([derive(seed, *stream(unit, number, "course")) for number in numbers], np.uint64)
    homed = np.array([generator(seed, *stream(unit, number, "homing")).poisson(means) for number in numbers], np.int64)
    cells = one_by_one(process, homed, times, keys, cancelled)
    limits = [generator(seed, *stream(unit, number, "death")).standard_exponential() for number in numbers]
    marrow = cells[:, :, :-1].sum(axis=2)
    died = np.array([death(times, own_marrow, own, limit) for own_marrow, limit in zip(marrow, limits, strict=True)])
    return Mice(times, until_death(cells, times, died), died, homed)


def one_by_one(
    process: Process, starts: Counts, times: Floats, keys: NDArray[np.uint64], cancelled: Callable[[], bool]
) -> Counts:
    """[mice, t, types] cells of mice from `starts` [mice, types], each with its key; `Cancelled` between two."""
    found = np.empty((len(keys), len(times), len(process.types)), np.int64)
    for row in range(len(keys)):
        if cancelled():
            raise Cancelled
        found[row] = follow(process, starts[row], times, keys=keys[row : row + 1]).cells[0]
    return found


def stream(unit: Unit, mouse: int, what: str) -> tuple[int | str, ...]:
    """The words of a mouse's stream: never the name or the place of its arm."""
    return ("mouse", unit.donor, unit.treatment_digest, unit.occurrence, mouse, what)


def death(times: Floats, marrow: Counts, own: Sample, limit: float) -> float:
    """When the integrated hazard death_hazard b^k / (b^k + death_burden^k), b the share of human cells, reaches a
    limit.

    The burden is that of `times`, by straight lines between them; inf where the limit is not reached.
    """
    values = own.values
    burden = marrow / values["capacity"]
    power, half = burden ** values["death_steepness"], values["death_burden"] ** values["death_steepness"]
    hazard = values["death_hazard"] / DAY_H * power / (power + half)
    integral = np.concatenate([[0.0], np.cumsum(0.5 * (hazard[1:] + hazard[:-1]) * np.diff(times))])
    if integral[-1] < limit:
        return np.inf
    return float(np.interp(limit, integral, times))


def until_death(cells: Counts, times: Floats, died: Floats) -> Counts:
    """The cells [mice, t, types] with those of dead mice as at the last time before their death."""
    last = np.clip(np.searchsorted(times, died, side="right") - 1, 0, len(times) - 1)
    rows = np.minimum(np.arange(len(times))[None, :], last[:, None])
    return np.asarray(np.take_along_axis(cells, rows[:, :, None], axis=1))


def measured(true: Floats, own: Sample, rng: np.random.Generator) -> Floats:
    """Shares as flow cytometry finds them in a sample of `events` cells."""
    n = int(own.values["events"])
    return np.asarray(rng.binomial(n, np.clip(true, 0.0, 1.0)) / n)
