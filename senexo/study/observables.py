"""What a claim or a condition to stop can observe of a well.

An observable names a quantity of a well's cells, of all of them or of one cell type, in an arm at an hour. What it
means is written here and nowhere else; `senexo.lab.observables` evaluates it, for every experiment and method alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Quantity(Enum):
    """A quantity of the cells of a well; the value is its name in a claim.

    senescence: share of living cells that are committed and have not escaped; arrested: share of living cells that are
    committed, or whose switch was off all the last 72 h; alive: living cells over those plated; cells: number of living
    cells; mean: mean of a read-out over living cells.

    Of the mice of one sample in an arm, a mouse that died counting as it was at its death: engrafted: share of mice
    whose marrow has the threshold of human cells; human: mean share of human cells in marrow; stem_cells: mean number
    of stem cells, senescent ones included; no_stem_cells: share of mice without any; surviving: share of mice that
    live.
    """

    SENESCENCE = "senescence"
    ARRESTED = "arrested"
    ALIVE = "alive"
    CELLS = "cells"
    MEAN = "mean"
    ENGRAFTED = "engrafted"
    HUMAN = "human"
    STEM_CELLS = "stem_cells"
    NO_STEM_CELLS = "no_stem_cells"
    SURVIVING = "surviving"

    @property
    def of_mice(self) -> bool:
        """Whether it is a quantity of mice, not of cells in culture."""
        return self in OF_MICE

    @property
    def takes_readout(self) -> bool:
        """Whether the name of a read-out stands before the arm."""
        return self is Quantity.MEAN


OF_MICE = frozenset(
    {Quantity.ENGRAFTED, Quantity.HUMAN, Quantity.STEM_CELLS, Quantity.NO_STEM_CELLS, Quantity.SURVIVING}
)


@dataclass(frozen=True, slots=True)
class Observable:
    """One number per well: a quantity of its cells in one arm at one hour.

    Attributes
    ----------
    quantity
        What is observed.
    arm, time_h
        Where and when (h). In a condition on one well as it is, the arm is "" and the hour 0.
    readout
        The read-out of `Quantity.MEAN`; None for the others.
    cell_type
        Only cells of this type; None: all cells.
    """

    quantity: Quantity
    arm: str
    time_h: float
    readout: str | None = None
    cell_type: str | None = None
