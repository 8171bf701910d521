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

    Of the patients of one cohort in an arm: remission: share in complete remission by then; relapsed: share in whom it
    relapsed by then; surviving: share who live; hazard_ratio: of death up to then, for one standard deviation more of
    the measured log level of miR-34c-5p (Cox), and adjusted_hazard_ratio: with age, white cells, class of risk and TP53
    held; odds_ratio: of remission by then, for the same (logistic regression).
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
    REMISSION = "remission"
    RELAPSED = "relapsed"
    HAZARD_RATIO = "hazard_ratio"
    ADJUSTED_HAZARD_RATIO = "adjusted_hazard_ratio"
    ODDS_RATIO = "odds_ratio"

    @property
    def of_mice(self) -> bool:
        """Whether it is a quantity of mice."""
        return self in OF_MICE

    @property
    def of_patients(self) -> bool:
        """Whether it is a quantity of patients."""
        return self in OF_PATIENTS

    @property
    def of_hosts(self) -> bool:
        """Whether it is a quantity of mice or patients, not of cells in culture."""
        return self.of_mice or self.of_patients

    @property
    def takes_readout(self) -> bool:
        """Whether the name of a read-out stands before the arm."""
        return self is Quantity.MEAN


OF_MICE = frozenset(
    {Quantity.ENGRAFTED, Quantity.HUMAN, Quantity.STEM_CELLS, Quantity.NO_STEM_CELLS, Quantity.SURVIVING}
)
OF_PATIENTS = frozenset(
    {
        Quantity.SURVIVING, Quantity.REMISSION, Quantity.RELAPSED, Quantity.HAZARD_RATIO,
        Quantity.ADJUSTED_HAZARD_RATIO, Quantity.ODDS_RATIO,
    }
)  # fmt: skip


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
