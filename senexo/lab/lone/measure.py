"""Independent cells of one arm of one donor, measured: what a unit leaves as arrays.

Everything random or computed about a unit is in its arrays; tables only label them. So a run can be stopped after any
unit, and its tables can be made again from the units alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.lab import observe
from senexo.lab.experiment import Unit
from senexo.lab.lone.simulator import CellSimulator, Trajectories
from senexo.lab.measurement import ARRESTED_H, QUANTILES, SHARES, measured

FATES = ("commitment", "escape", "death")

Floats = NDArray[np.float64]


def unit_arrays(simulator: CellSimulator, cells: Trajectories, unit: Unit) -> dict[str, NDArray[Any]]:
    """The arrays of one unit.

    For n cells, t read-out times, c curve times, q read-outs, r replicates, p qPCR targets: `readouts` [n, t, q] (nan
    for the dead), `fates` [n, 4] hours of commitment, escape, death and longest arrest, `course` [c, q] means and
    `spread` [t, q, 3] quantiles over the living cells, `shares` [c, 3] of all (alive) or living cells, `senescence`
    [r, t, 2] positive and counted, `arrest` [t, 2] cells arrested and alive, `copies` [t, p] per cell, `ct` [r, t, p].
    """
    readouts = readings(simulator, cells)
    alive = np.array([cells.alive(t) for t in simulator.readout_times])
    senescence, copies, ct = _assayed(simulator, cells, unit, readouts, alive)
    return {
        "readouts": readouts,
        "fates": fates_of(cells),
        **means(simulator, cells, simulator.curve_times),
        "spread": _spread(readouts),
        "senescence": senescence,
        "copies": copies,
        "ct": ct,
    }


def means(simulator: CellSimulator, cells: Trajectories, times: Floats) -> dict[str, NDArray[Any]]:
    """What a unit's cells show on average: `course` and `shares` at `times`, `arrest` at the read-out times."""
    alive = np.array([cells.alive(t) for t in simulator.readout_times])
    stopped = [cells.off_between(t - ARRESTED_H, t) | cells.senescent(t) for t in simulator.readout_times]
    arrested = np.array(stopped) & alive
    course, shares = _curves(cells, times)
    arrest = np.stack([arrested.sum(axis=1), alive.sum(axis=1)], axis=1)
    return {"course": course, "shares": shares, "arrest": arrest}


def readings(simulator: CellSimulator, cells: Trajectories) -> Floats:
    """The read-outs [n, t, q] at the read-out times; nan once a cell is dead."""
    at = np.searchsorted(cells.times, simulator.readout_times)
    alive = np.array([cells.alive(t) for t in simulator.readout_times])
    return np.where(alive.T[:, :, None], cells.quantities[:, at], np.nan)


def fates_of(cells: Trajectories) -> Floats:
    """Hours [n, 4] of commitment, escape and death (nan = did not happen), and of the longest arrest."""
    return np.column_stack([*(cells.time_of(fate) for fate in FATES), cells.longest_off(np.inf)])


def _assayed(
    simulator: CellSimulator, cells: Trajectories, unit: Unit, readouts: Floats, alive: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Stained counts [r, t, 2], copies per living cell [t, p] and threshold cycles [r, t, p]."""
    study, times, known = simulator.study, simulator.readout_times, simulator.targets
    copies = np.full((len(times), len(known)), np.nan)
    for t in range(len(times)):
        living = readouts[alive[t], t]
        for p, target in enumerate(known):
            if living.size:
                copies[t, p] = target.copies if target.column is None else living[:, target.column].mean()

    def stain(t: int, rng: np.random.Generator) -> tuple[int, int]:
        return observe.stained(cells.senescent(times[t]), alive[t], study.replicates, rng)

    counts, ct = measured(study, unit, times, copies, stain)
    return counts, copies, ct


def _curves(cells: Trajectories, curve_times: Floats) -> tuple[Floats, Floats]:
    """Means over living cells [c, q] and shares of cells [c, 3] at the times of the curves."""
    at = np.searchsorted(cells.times, curve_times)
    course = np.full((len(curve_times), cells.quantities.shape[2]), np.nan)
    shares = np.full((len(curve_times), len(SHARES)), np.nan)
    off = cells.off()
    for c, (index, when) in enumerate(zip(at, curve_times, strict=True)):
        alive = cells.alive(when)
        shares[c, 0] = alive.mean()
        if alive.any():
            course[c] = cells.quantities[alive, index].mean(axis=0)
            shares[c, 1:] = off[alive, index].mean(), cells.senescent(when)[alive].mean()
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
