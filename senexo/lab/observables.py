"""Observables of a well: one evaluator over one summary, for every experiment, method and place that reads them.

Claims, their `given` and their null read the stored arrays of units, `stop_when` reads a well as it is. Both make the
same `WellSummary`, and `evaluate` is the only place that knows what a quantity is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from senexo.study.observables import Observable, Quantity

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class WellSummary:
    """The cells of one well at one time, per cell type.

    Attributes
    ----------
    types
        Names of the T cell types.
    cells
        [T] living cells of the well, whether followed or represented by others.
    plated
        [T] cells of the well at time 0.
    senescent, arrested
        [T] share of the living cells of a type; not read where it has none.
    means
        [T, q] mean read-outs over the living cells of a type; not read where it has none.
    readouts
        Names of the q read-outs.
    of_hosts
        What the mice or patients of the arm show that have such cells; empty in a culture.
    """

    types: Sequence[str]
    cells: Floats
    plated: Floats
    senescent: Floats
    arrested: Floats
    means: Floats
    readouts: Sequence[str]
    of_hosts: Mapping[Quantity, float] = field(default_factory=dict)


def evaluate(observable: Observable, well: WellSummary, families: Mapping[str, Sequence[str]]) -> float:
    """What a well shows; nan where there is no cell to show it.

    A cell type stands for its family (it and what its cells become without a division: its cells in G0, its senescent
    ones); but a mean read-out of a type is over that type alone.

    Parameters
    ----------
    observable
        What is read; its arm and hour are those of the summary and are not looked at.
    well
        The well at that hour.
    families
        Cell type -> the types that count as it.

    Examples
    --------
    >>> well = WellSummary(
    ...     ("A", "B"), np.array([30.0, 10.0]), np.array([20.0, 0.0]), np.array([0.0, 1.0]), np.array([0.2, 1.0]),
    ...     np.array([[5.0], [9.0]]), ("x",),
    ... )
    >>> families = {"A": ("A", "B")}
    >>> evaluate(Observable(Quantity.ALIVE, "mock", 24.0), well, families)
    2.0
    >>> evaluate(Observable(Quantity.SENESCENCE, "mock", 24.0, cell_type="A"), well, families)
    0.25
    >>> evaluate(Observable(Quantity.MEAN, "mock", 24.0, readout="x", cell_type="A"), well, families)
    5.0
    """
    name = observable.cell_type
    family = _places(well, well.types if name is None else families[name])
    match observable.quantity:
        case Quantity.CELLS:
            return float(well.cells[family].sum())
        case Quantity.ALIVE:
            plated = float(well.plated[family].sum())
            return float(well.cells[family].sum()) / plated if plated else np.nan
        case Quantity.SENESCENCE:
            return _mean(well.senescent, well.cells, family)
        case Quantity.ARRESTED:
            return _mean(well.arrested, well.cells, family)
        case Quantity.MEAN:
            alone = family if name is None else _places(well, [name])
            return _mean(well.means[:, list(well.readouts).index(observable.readout or "")], well.cells, alone)
        case (
            Quantity.ENGRAFTED
            | Quantity.HUMAN
            | Quantity.STEM_CELLS
            | Quantity.NO_STEM_CELLS
            | Quantity.SURVIVING
            | Quantity.REMISSION
            | Quantity.RELAPSED
            | Quantity.HAZARD_RATIO
            | Quantity.ADJUSTED_HAZARD_RATIO
            | Quantity.ODDS_RATIO
        ) as own:
            return float(well.of_hosts[own])
        case _ as never:
            assert_never(never)


def lacks(quantity: Quantity, fates: Collection[str], arrest: Any) -> str | None:
    """What a model with these fates and this arrest rule (None: no such rule) lacks to show a quantity."""
    match quantity:
        case Quantity.SENESCENCE:
            return None if "commitment" in fates else "a model with the fate commitment"
        case Quantity.ARRESTED:
            return None if arrest is not None else "a model with a switch that arrests"
        case Quantity.ALIVE | Quantity.CELLS | Quantity.MEAN:
            return None
        case Quantity.ENGRAFTED | Quantity.HUMAN | Quantity.STEM_CELLS | Quantity.NO_STEM_CELLS:
            return "mice: a table [mouse] in the study"
        case Quantity.SURVIVING:
            return "mice or patients: a table [mouse] or [cohort] in the study"
        case (
            Quantity.REMISSION | Quantity.RELAPSED | Quantity.HAZARD_RATIO | Quantity.ADJUSTED_HAZARD_RATIO
            | Quantity.ODDS_RATIO
        ):  # fmt: skip
            return "patients: a table [cohort] in the study"
        case _ as never:
            assert_never(never)


def _places(well: WellSummary, names: Sequence[str]) -> list[int]:
    known = list(well.types)
    return [known.index(name) for name in names]


def _mean(values: Floats, cells: Floats, places: Sequence[int]) -> float:
    """The mean over the cells of these types; of one type with cells, its own to the last bit."""
    there = [place for place in places if cells[place] > 0.0]
    if len(there) < 2:
        return float(values[there[0]]) if there else np.nan
    return float(np.average(values[there], weights=cells[there]))
