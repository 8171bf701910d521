"""What the kernels of populations read and write, besides the tables: tuples of arrays, with a row for every cell.

A kernel that takes such a tuple reads the arrays it works with into names of its own before any loop, because numba
counts references at every reading.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]


class Rows(NamedTuple):
    """Of the medium of every type, then of every cell; columns as in `senexo.engine.population.model.Cells`.

    kind: the type of a cell; of a medium the number of types more; -1 where the cell is gone.
    """

    kind: Ints
    key: Words
    parent: Words
    born: Floats
    draws: Ints
    wait: Floats
    values: Floats
    weight: Ints


class Entries(NamedTuple):
    """Fates in the order in which they happened: see `senexo.engine.population.model.Log`."""

    time: Floats
    key: Words
    channel: Ints
    weight: Ints

    @classmethod
    def empty(cls, capacity: int) -> Entries:
        return cls(
            np.zeros(capacity), np.zeros((capacity, 2), dtype=np.uint64), *np.zeros((2, capacity), dtype=np.int64)
        )


class Counts(NamedTuple):
    """What `Cells` has under these names; every event counts as often as its cell's weight."""

    fired: Ints
    gone: Ints
    copied: Ints

    def copy(self) -> Counts:
        return Counts(*(column.copy() for column in self))

    def like(self) -> Counts:
        """The same shapes with counts of 0."""
        return Counts(*(np.zeros_like(column) for column in self))

    def clear(self) -> None:
        for column in self:
            column[:] = 0

    def add(self, other: Counts) -> None:
        for column, more in zip(self, other, strict=True):
            column += more


class Work(NamedTuple):
    """What fates read and write besides the rows.

    n [3]: rows in use among those that daughters go to, entries in use, events; spare [3, slots]: slots of a mother,
    of the cell afterwards, of the second daughter; base [types, slots]: the values of each type; keep: write entries.
    """

    n: Ints
    spare: Floats
    base: Floats
    counts: Counts
    entries: Entries
    keep: bool

    @classmethod
    def new(cls, width: int, base: Floats, counts: Counts, keep: bool) -> Work:
        return cls(np.zeros(3, dtype=np.int64), np.zeros((3, width)), base, counts, Entries.empty(64), keep)


class Span(NamedTuple):
    """A stretch of time in which the pools stand still; `stop` [1] is a sign by which another thread ends the work."""

    begin: float
    end: float
    pools: Ints
    stop: NDArray[np.bool_]


class Leaves(NamedTuple):
    """Those that may take from pools: the row of each, its rates [leaves, most of any kind], and `known` [kinds].

    known: -1 for a kind whose rates are found by tables.
    """

    row: Ints
    rates: Floats
    known: Ints


Columns = TypeVar("Columns", bound=tuple[NDArray[Any], ...])


def room(columns: Columns, capacity: int) -> Columns:
    """The same rows with empty ones behind them, `capacity` in all; at less, only the first."""
    found = []
    for column in columns:
        kept = min(len(column), capacity)
        wider = np.zeros((capacity, *column.shape[1:]), dtype=column.dtype)
        wider[:kept] = column[:kept]
        found.append(wider)
    return type(columns)(*found)


def first(columns: Columns, n: int) -> Columns:
    """The first n rows, not copied."""
    return type(columns)(*(column[:n] for column in columns))


def put(columns: Columns, at: int, more: Columns) -> None:
    """Write these rows into others, from row `at` on."""
    for column, rows in zip(columns, more, strict=True):
        column[at : at + len(rows)] = rows


def taken(columns: Columns, index: Ints) -> Columns:
    """Copies of some rows."""
    return type(columns)(*(column[index] for column in columns))
