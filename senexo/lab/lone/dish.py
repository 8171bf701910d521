"""One arm of one donor, grown and measured: the unit of work and of storage.

Everything random or computed about a unit is in its arrays; tables only label them. So a run can be stopped
after any unit, and its tables can be made again from the units alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.streams import generator
from senexo.lab import observe
from senexo.lab.lone.culture import Culture, Growth

FATES = ("commitment", "escape", "death")
QUANTILES = {"q05": 0.05, "q50": 0.5, "q95": 0.95}
ARRESTED_H = 72.0  # a cell counts as arrested at a time if its switch was off this long up to then, or it is committed
SHARES = ("alive", "switch off", "senescent")

Floats = NDArray[np.float64]
Get = Callable[[str], Mapping[str, NDArray[Any]]]  # the arrays of a unit, by the name of its chunk


@dataclass(frozen=True, slots=True)
class Unit:
    """Donor number `donor` in arm number `arm`; `done` and `occurrence` key its wells (see `protocol.occurrences`).

    world: "" or the world the arm is grown in besides, such as a claim's "null".
    """

    arm: int
    donor: int
    done: str
    occurrence: int
    world: str = ""

    @property
    def chunk(self) -> str:
        """The name under which the unit is kept."""
        return f"{self.world}arm{self.arm:03d}-donor{self.donor:04d}"


def fill(culture: Culture, unit: Unit, cancelled: Callable[[], bool] = lambda: False) -> dict[str, NDArray[Any]]:
    """Grow and measure one unit.

    Arrays, for n cells, t read-out times, c curve times, q read-outs, r replicates, p qPCR targets: `readouts`
    [n, t, q] (nan for the dead), `fates` [n, 4] hours of commitment, escape, death and longest arrest, `course`
    [c, q] means and `spread` [t, q, 3] quantiles over the living cells, `shares` [c, 3] of all (alive) or living
    cells, `senescence` [r, t, 2] positive and counted, `arrest` [t, 2] cells arrested and alive, `copies` [t, p]
    per cell and `ct` [r, t, p].
    """
    study = culture.study
    arm = list(study.arms.values())[unit.arm]
    (kind,) = study.cells.values()
    growth = culture.grow(arm, unit.donor, range(1, kind.n + 1), cancelled=cancelled)
    readouts = readings(culture, growth)
    alive = np.array([growth.alive(t) for t in culture.readout_times])
    senescence, copies, ct = _measure(culture, growth, unit, readouts, alive)
    return {
        "readouts": readouts,
        "fates": fates_of(growth),
        **means(culture, growth, culture.curve_times),
        "spread": _spread(readouts),
        "senescence": senescence,
        "copies": copies,
        "ct": ct,
    }


def means(culture: Culture, growth: Growth, times: Floats) -> dict[str, NDArray[Any]]:
    """What a unit's cells show on average: `course` and `shares` at `times`, `arrest` at the read-out times."""
    alive = np.array([growth.alive(t) for t in culture.readout_times])
    stopped = [growth.off_between(t - ARRESTED_H, t) | growth.senescent(t) for t in culture.readout_times]
    arrested = np.array(stopped) & alive
    course, shares = _curves(growth, times)
    arrest = np.stack([arrested.sum(axis=1), alive.sum(axis=1)], axis=1)
    return {"course": course, "shares": shares, "arrest": arrest}


def readings(culture: Culture, growth: Growth) -> Floats:
    """The read-outs [n, t, q] at the read-out times; nan once a cell is dead."""
    at = np.searchsorted(growth.times, culture.readout_times)
    alive = np.array([growth.alive(t) for t in culture.readout_times])
    return np.where(alive.T[:, :, None], growth.quantities[:, at], np.nan)


def fates_of(growth: Growth) -> Floats:
    """Hours [n, 4] of commitment, escape and death (nan = did not happen), and of the longest arrest."""
    return np.column_stack([*(growth.time_of(fate) for fate in FATES), growth.longest_off(np.inf)])


def _measure(
    culture: Culture, growth: Growth, unit: Unit, readouts: Floats, alive: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Stained counts [r, t, 2], copies per living cell [t, p] and threshold cycles [r, t, p]."""
    how, targets = culture.study.replicates, culture.targets
    times = culture.readout_times
    counts = np.zeros((how.n, len(times), 2), dtype=np.int64)
    copies = np.full((len(times), len(targets)), np.nan)
    ct = np.full((how.n, len(times), len(targets)), np.nan)
    for t, when in enumerate(times):
        living = readouts[alive[t], t]
        for p, (_, column, constant) in enumerate(targets):
            if living.size:
                copies[t, p] = constant if column is None else living[:, column].mean()
        senescent = growth.senescent(when)
        for r in range(how.n):
            well = (culture.study.seed, "well", unit.done, unit.occurrence, unit.donor, r, float(when).hex())
            counts[r, t] = observe.stained(senescent, alive[t], how, generator(*well, "SA-beta-gal"))
            for p, (name, _, _) in enumerate(targets):
                ct[r, t, p] = observe.threshold_cycle(copies[t, p] * how.lysed_cells, how, generator(*well, name))
    return counts, copies, ct


def _curves(growth: Growth, curve_times: Floats) -> tuple[Floats, Floats]:
    """Means over living cells [c, q] and shares of cells [c, 3] at the times of the curves."""
    at = np.searchsorted(growth.times, curve_times)
    course = np.full((len(curve_times), growth.quantities.shape[2]), np.nan)
    shares = np.full((len(curve_times), len(SHARES)), np.nan)
    off = growth.off()
    for c, (index, when) in enumerate(zip(at, curve_times, strict=True)):
        alive = growth.alive(when)
        shares[c, 0] = alive.mean()
        if alive.any():
            course[c] = growth.quantities[alive, index].mean(axis=0)
            shares[c, 1:] = off[alive, index].mean(), growth.senescent(when)[alive].mean()
    return course, shares


def _spread(readouts: Floats) -> Floats:
    """Quantiles [t, q, 3] over the living cells of `readings`; nan where no cell lives."""
    _, t, q = readouts.shape
    spread = np.full((t, q, len(QUANTILES)), np.nan)
    for k in range(t):
        living = readouts[~np.isnan(readouts[:, k]).all(axis=1), k]
        if living.size:
            spread[k] = np.quantile(living, list(QUANTILES.values()), axis=0).T
    return spread


def units(arms: Sequence[tuple[str, int]], donors: int) -> list[Unit]:
    """Every arm for donor 1, then for donor 2, and so on: an unfinished run has whole donors to look at."""
    return [
        Unit(arm, donor, done, occurrence)
        for donor in range(1, donors + 1)
        for arm, (done, occurrence) in enumerate(arms)
    ]
