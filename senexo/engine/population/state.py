"""A population while it runs: its rows, its pools, and what has happened to its cells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from senexo.base.errors import Fault, InvalidInput
from senexo.base.streams import derive
from senexo.engine.population.kernel import refresh
from senexo.engine.population.model import ROWS, Cells, Log, Population
from senexo.engine.population.rows import Counts, Entries, Floats, Ints, Rows, Words, room, taken
from senexo.engine.population.tables import compile_population


@dataclass
class State:
    """Everything that changes in a run.

    rows: the media of all types first, then the cells, those that are gone among them; rows from `n` on are room.
    levels: weights are powers of two, below this one. n_events: those that were simulated one by one.
    """

    rows: Rows
    n: int
    levels: int
    time: float
    n_windows: int
    n_events: int
    pools: Ints
    counts: Counts
    entries: list[Entries]

    @classmethod
    def begin(cls, cells: Cells) -> State:
        """The state that a run of these cells begins with; they share no array that it changes."""
        media = len(cells.base)
        first = Rows(
            kind=np.arange(media, 2 * media), key=pool_keys(cells), parent=np.zeros((media, 2), dtype=np.uint64),
            born=np.zeros(media), draws=cells.pool_draws, wait=cells.pool_wait, values=cells.base,
            weight=np.ones(media, dtype=np.int64),
        )  # fmt: skip
        rows = Rows(*(np.concatenate(both) for both in zip(first, cells.rows(), strict=True)))
        counts = Counts(cells.fired, cells.gone, cells.copied).copy()
        return cls(
            rows, len(rows.kind), _levels(cells.weight), cells.time, cells.n_windows, 0, cells.pools.copy(), counts, []
        )

    def copy(self) -> State:
        """The same, sharing nothing that a run changes; without room for more rows."""
        return replace(
            self, rows=room(self.rows, self.n), pools=self.pools.copy(), counts=self.counts.copy(),
            entries=list(self.entries),
        )  # fmt: skip

    def cells(self, tables: Any, origin: Cells, alive: Ints) -> Cells:
        """The cells in these rows, their rules and ages brought up to date."""
        media, rows = len(origin.base), taken(self.rows, alive)
        values = np.ascontiguousarray(rows.values)
        refresh(tables, rows.kind, values, rows.born, self.pools, self.time, np.zeros(tables.template.shape[1]))
        columns: dict[str, Any] = dict(zip(ROWS, rows._replace(values=values), strict=True))
        return Cells(
            origin.seed, origin.replicate, self.time,
            **columns,
            base=origin.base.copy(), pools=self.pools,
            pool_draws=self.rows.draws[:media].copy(), pool_wait=self.rows.wait[:media].copy(),
            **self.counts._asdict(), n_windows=self.n_windows,
        )  # fmt: skip

    def log(self, why: str) -> Log:
        """All fates so far, in the order in which they were entered; `why`: what ended the run early, or ""."""
        columns = zip(Entries.empty(0), *self.entries, strict=True)
        time, key, channel, weight = (np.concatenate(column) for column in columns)
        return Log(time, key, channel, weight, complete=not why, reason=why)


def current_values(population: Population, cells: Cells) -> Floats:
    """[cells, slots] of each cell's type, its rules and age and the pools as they are now; a copy."""
    tables, values = compile_population(population).tables, np.array(cells.values, order="C")
    refresh(tables, cells.type, values, cells.born, cells.pools, cells.time, np.zeros(tables.template.shape[1]))
    return values


def _levels(weight: Ints) -> int:
    """How many powers of two may occur among these weights, 1 among them; `InvalidInput` for another number."""
    bad = weight[(weight < 1) | (weight & (weight - 1) != 0)]
    if len(bad):
        raise InvalidInput([Fault("cells.weight", f"{int(bad[0])}, of {len(bad)} cells", "a power of two, 1 or more")])
    return int(weight.max(initial=1)).bit_length()


def pool_keys(cells: Cells) -> Words:
    """The streams of reactions among pools, one for the medium of each type."""
    media = range(len(cells.base))
    return np.array([derive(cells.seed, cells.replicate, "pool", place) for place in media], dtype=np.uint64)
