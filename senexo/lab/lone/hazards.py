"""Hazards of stem cells by time, from the circuits of single cells: a table for each sample and arm.

A cell i that lives and has not committed by t is one of the cells at first, with the weight w_i(t) = exp(-Hc_i(t) -
Hd_i(t)), H the integrals of its own hazards of commitment and death. The hazard of such cells together is the weighted
mean sum_i w_i h_i / sum_i w_i, so that cells that commit early are not counted on. No fate is drawn for it. What
treatment adds is the excess over the same cells untreated: growth as it was measured in mice already holds what
untreated cells do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from senexo.engine.branching.extinction import mean
from senexo.engine.branching.process import Event, Process

if TYPE_CHECKING:
    from senexo.lab.lone.simulator import CellSimulator
    from senexo.study.schema import Arm

Floats = NDArray[np.float64]
STEP_H = 6.0  # of the table, where the grid of the study is not coarser
LEFT = 0.05  # of its peak: a commitment hazard above this at the end of the circuits is stated in a caution


@dataclass(frozen=True, slots=True)
class CellHazards:
    """Hazards per hour [intervals] of cells that live and have not committed, constant between `edges_h`.

    commit, death: into senescence and death; escape: of senescent cells; cycling: share whose switch is on.
    """

    edges_h: Floats
    commit: Floats
    death: Floats
    escape: Floats
    cycling: Floats


class Fates(NamedTuple):
    """Shares of the cells at first: not committed, senescent, escaped from senescence, dead."""

    growing: float
    senescent: float
    escaped: float
    dead: float

    @property
    def living(self) -> float:
        return 1.0 - self.dead


def of_cells(
    simulator: CellSimulator, arm: Arm, donor: int, cells: Sequence[int],
    cancelled: Callable[[], bool] = lambda: False,
) -> CellHazards:  # fmt: skip
    """The table of one arm of one donor, from the circuits of these cells."""
    integrals, off = simulator.hazards(arm, donor, cells, cancelled=cancelled)
    none = np.zeros(off.shape)
    return table(
        simulator.times,
        integrals.get("commitment", none),
        integrals.get("death", none),
        integrals.get("escape", none),
        off,
    )


def table(times: Floats, commit: Floats, death: Floats, escape: Floats, off: NDArray[np.bool_]) -> CellHazards:
    """The table from integrated hazards [cells, grid] and the state of the switch [cells, grid] at `times` [grid]."""
    step = max(1, round(STEP_H / float(np.median(np.diff(times)))))
    edges = np.unique(np.append(np.arange(0, len(times) - 1, step), len(times) - 1))
    weights = np.exp(-(commit - commit[:, :1]) - (death - death[:, :1]))
    middle = 0.5 * (weights[:, 1:] + weights[:, :-1])

    def summed(values: Floats) -> Floats:
        return np.asarray(np.add.reduceat(values.sum(axis=0), edges[:-1]))

    there = summed(middle * np.diff(times))

    def hazard(integral: Floats, weight: Floats, exposure: Floats) -> Floats:
        return np.maximum(summed(weight * np.diff(integral, axis=1)) / exposure, 0.0)

    alike = np.ones_like(middle)
    on = 1.0 - 0.5 * (off[:, 1:].astype(float) + off[:, :-1])
    return CellHazards(
        edges_h=times[edges], commit=hazard(commit, middle, there), death=hazard(death, middle, there),
        escape=hazard(escape, alike, summed(alike * np.diff(times))),
        cycling=summed(middle * np.diff(times) * on) / there,
    )  # fmt: skip


def fates_by(hazards: CellHazards, hour: float) -> Fates:
    """What has become of the cells by an hour of their culture, by the table alone."""
    kinds = ["growing", "senescent", "escaped"]
    events = [
        Event("growing", {"senescent": 1}, hazards.commit),
        Event("senescent", {"escaped": 1}, hazards.escape),
        *(Event(kind, {}, hazards.death) for kind in kinds),
    ]
    process = Process.of(kinds, events, hazards.edges_h)
    growing, senescent, escaped = mean(process, process.start({"growing": 1}), [hour])[0]
    return Fates(growing, senescent, escaped, 1.0 - growing - senescent - escaped)


def excess(treated: CellHazards, untreated: CellHazards) -> CellHazards:
    """What treatment adds to the hazards of the same cells untreated, and the factor on their cycling (at most 1)."""
    on = np.where(
        untreated.cycling > 0.0, treated.cycling / np.where(untreated.cycling > 0.0, untreated.cycling, 1.0), 1.0
    )
    return CellHazards(
        treated.edges_h, np.maximum(treated.commit - untreated.commit, 0.0),
        np.maximum(treated.death - untreated.death, 0.0), treated.escape, np.minimum(on, 1.0),
    )  # fmt: skip
