"""What is kept of a well at one time, and the tidy tables of it: counts per type, copies in pools, where they went.

Pure functions of arrays: nothing is simulated here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from senexo.engine.population.state import current_values
from senexo.engine.population.weights import weighted_mean

if TYPE_CHECKING:
    from senexo.engine.population.mass_balance import PoolBalance
    from senexo.engine.population.model import Cells, Floats, Ints, Population, Words

COUNTS = ("arm", "donor", "replicate", "time_h", "cell_type", "quantity", "value", "unit", "followed")
BALANCE = (
    "arm", "donor", "replicate", "time_start_h", "time_h", "species", "cell_type", "flow", "value", "unit",
)  # fmt: skip
UNIT = {"cells": "cells", "mean": "copies per cell", "pool": "copies"}


@dataclass(frozen=True, slots=True)
class Place:
    """The well: which arm, donor (counted from 1) and replicate (counted from 1)."""

    arm: str
    donor: int
    replicate: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The living cells of a well at one time, in any order, or, by mean_field, one row for each type that has cells.

    Attributes
    ----------
    time
        Hours.
    type
        [n] place of the type in `Population.types`.
    key, parent
        [n, 2] words of lineages.
    born
        [n] hour of birth or of the last change of type.
    values
        [n, slots] of each cell's type, assignment rules and age up to date.
    weight
        [n] cells that each represents; fractions by mean_field.
    pools
        [pools] copies in the order of `Population.pooled`.
    off_since
        [n] hour since which the switch has been off at every look; nan where it is on, or was not looked at.
    """

    time: float
    type: Ints
    key: Words
    parent: Words
    born: Floats
    values: Floats
    weight: Ints | Floats
    pools: Ints | Floats
    off_since: Floats

    @classmethod
    def of(cls, population: Population, cells: Cells) -> Snapshot:
        """The snapshot of a state; shares nothing with it."""
        return cls(
            cells.time, cells.type.copy(), cells.key.copy(), cells.parent.copy(), cells.born.copy(),
            current_values(population, cells), cells.weight.copy(), cells.pools.copy(), np.full(len(cells), np.nan),
        )  # fmt: skip

    @classmethod
    def empty(cls, slots: int, pools: int) -> Snapshot:
        """A well that was never observed: no cell."""
        words = np.zeros((0, 2), dtype=np.uint64)
        none = np.zeros(0)
        return cls(
            np.inf, np.zeros(0, dtype=np.int64), words, words, none, np.zeros((0, slots)), np.zeros(0, dtype=np.int64),
            np.zeros(pools, dtype=np.int64), none,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.type)


def counts(
    population: Population, place: Place, readings: Sequence[Snapshot], quantities: Sequence[str] = ()
) -> pd.DataFrame:
    """Living cells of every type at every time, absent types as 0, and the mean over cells of slots asked for.

    Columns: `COUNTS`; `quantity` is ``cells`` or the slot's id; the mean of no cell is left out. `followed`: the number
    of simulated cells that the value rests on; values are of all the cells that these represent.
    """
    rows = []
    for reading in readings:
        for number, type in enumerate(population.types):
            mine = reading.type == number
            n = int(np.count_nonzero(mine))
            about = (place.arm, place.donor, place.replicate, reading.time, type.name)
            rows.append((*about, "cells", float(reading.weight[mine].sum()), UNIT["cells"], float(n)))
            known = [slot.id for slot in type.network.slots]
            means = weighted_mean(reading.values[mine], reading.weight[mine]) if n else np.zeros(0)
            rows += [
                (*about, id, float(means[known.index(id)]), UNIT["mean"], float(n))
                for id in quantities
                if n and id in known
            ]
    return pd.DataFrame(rows, columns=list(COUNTS))


def pools(population: Population, place: Place, readings: Sequence[Snapshot]) -> pd.DataFrame:
    """Copies of every pool species at every time; `cell_type` is the compartment. Columns: `COUNTS`."""
    where = compartments(population)
    rows = [
        (place.arm, place.donor, place.replicate, reading.time, where[id], id, float(copies), UNIT["pool"], np.nan)
        for reading in readings
        for id, copies in zip(population.pooled, reading.pools.tolist(), strict=True)
    ]
    return pd.DataFrame(rows, columns=list(COUNTS))


def compartments(population: Population) -> dict[str, str]:
    """The compartment of every pool species, as the first type with it has it."""
    found: dict[str, str] = {}
    for network in (type.network for type in population.types):
        for slot in population.in_pool(network):
            found.setdefault(network.slots[slot].id, network.slots[network.slots[slot].compartment].id)
    return found


def balance(place: Place, begin: float, end: float, balances: Sequence[PoolBalance]) -> pd.DataFrame:
    """Where the copies of each pool species came from and went between two times (h).

    flow: ``before``, ``released`` and ``taken up`` (by `cell_type`), ``made``, ``lost``, ``interventions`` (medium
    changed, dosed), ``after``. before + released - taken up + made - lost + interventions = after, to the molecule.
    Columns: `BALANCE`.
    """
    rows: list[tuple[str, str, str, int]] = []
    for found in balances:
        rows.append((found.species, "", "before", found.before))
        by_type: tuple[tuple[str, Mapping[str, int]], ...] = (
            ("released", found.released),
            ("taken up", found.taken_up),
        )
        rows += [(found.species, type, flow, n) for flow, numbers in by_type for type, n in numbers.items()]
        rest = ("made", "lost", "interventions", "after")
        rows += [(found.species, "", flow, getattr(found, flow)) for flow in rest]
    about = (place.arm, place.donor, place.replicate, begin, end)
    return pd.DataFrame([(*about, *row, UNIT["pool"]) for row in rows], columns=list(BALANCE))
