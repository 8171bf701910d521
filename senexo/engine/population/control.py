"""Population control: a bounded number of followed cells stands for a well of any size, each with its weight.

Where there are too many, two cells of one type and weight are merged: one of them, by a fair coin, goes on with twice
the weight. Where a type has become rare, a cell of weight w is split into two of weight w / 2 whose futures are
independent. Both leave the total weight of every type as it is, and the expected weighted sum of anything that is
computed from the state of single cells (Russian roulette and splitting; Kahn H & Harris TE, Natl Bur Stand Appl Math
Ser 1951, 12:27-30; the combing of weights: Booth TE, Nucl Sci Eng 1996, 122:125-135; both cited from memory). Pairs are
neighbours by time of birth, so they are alike, often sisters, and little is lost.

A type is never merged below `rare` followed cells, and split as soon as it has fewer while any of its weights is above
1. So a type of fewer than `rare` cells is followed cell by cell, and no type is ever gone because of the control.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.streams import derive
from senexo.engine.formula.kernels import kernel
from senexo.engine.population.model import ROWS, UNDRAWN, Cells, Floats, Ints, Words
from senexo.engine.rng import REACTIONS, threefry, unit


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """What population control has done, in order of time, a row per cell that was merged away or split off.

    time [n]; key [n, 2] of the cell merged away, or of the clone; origin [n, 2]: the cell that the clone was split off,
    (0, 0) for one merged away; type [n] at that time.
    """

    time: Floats
    key: Words
    origin: Words
    type: Ints

    @property
    def split(self) -> NDArray[np.bool_]:
        """Which rows are clones."""
        return np.asarray(self.origin.any(axis=1))

    @classmethod
    def none(cls) -> Resampled:
        words = np.zeros((0, 2), dtype=np.uint64)
        return cls(np.zeros(0), words, words, np.zeros(0, dtype=np.int64))

    @classmethod
    def joined(cls, parts: Iterable[Resampled]) -> Resampled:
        found = [cls.none(), *parts]
        return cls(*(np.concatenate([getattr(part, item.name) for part in found]) for item in fields(cls)))


def control(cells: Cells, *, most: int, rare: int) -> tuple[Cells, Resampled]:
    """The same population, represented by at most `most` followed cells, and what was done to bring that about.

    Parameters
    ----------
    cells
        A state; it is not changed, and returned as it is where nothing has to be done.
    most
        The number of followed cells that is aimed at. There are more where types with up to `rare` followed cells
        together have more, and by a few where weights cannot be paired.
    rare
        A type is merged down to no fewer followed cells than this, and split up to as many.

    Returns
    -------
    Cells, Resampled
        Every type has the same total weight as before, also counted apart over cells there since time 0 without a fate
        (`born` <= 0) and all others. Chance is keyed by lineage and time, so the order of cells does not matter.
    """
    cells, clones = _split(cells, rare)
    if len(cells) <= most:
        return cells, clones
    cells, gone = _merged(cells, most, rare)
    return cells, Resampled.joined((clones, gone))


def _split(cells: Cells, rare: int) -> tuple[Cells, Resampled]:
    """Types with too few followed cells, their heaviest cells split until there are enough."""
    made: list[Resampled] = []
    number = 0
    while True:
        n = np.bincount(cells.type)
        rows: list[Ints] = []
        for place in np.unique(cells.type[cells.weight > 1]).tolist():
            mine = np.flatnonzero(cells.type == place)
            heaviest = mine[cells.weight[mine] == cells.weight[mine].max()]
            rows.append(heaviest[_by_birth(cells, heaviest)][: max(0, rare - int(n[place]))])
        chosen = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
        if not len(chosen):
            return cells, Resampled.joined(made)
        cells, clones = _cloned(cells, chosen, number)
        made.append(clones)
        number += 1


def _cloned(cells: Cells, rows: Ints, number: int) -> tuple[Cells, Resampled]:
    """These cells with half their weight, and behind all others a clone of each with the other half.

    A clone has the state, age included, and a lineage key of its own; what it waits for is drawn anew, which by the
    exponential's lack of memory is the same law.
    """
    twice = cells.copy()
    twice.weight[rows] //= 2
    for name in ROWS:
        old = getattr(twice, name)
        setattr(twice, name, np.concatenate((old, old[rows])))
    n, origin = len(cells), cells.key[rows]
    twice.key[n:] = keyed(origin, "clone", repr(cells.time), number)
    twice.parent[n:], twice.draws[n:], twice.wait[n:] = origin, 0, UNDRAWN
    return twice, Resampled(np.full(len(rows), cells.time), twice.key[n:].copy(), origin, cells.type[rows])


def _merged(cells: Cells, most: int, rare: int) -> tuple[Cells, Resampled]:
    weight, there = cells.weight.copy(), np.ones(len(cells), dtype=np.bool_)
    surplus = _surplus(np.bincount(cells.type), most, rare)
    for place in np.flatnonzero(surplus).tolist():
        _merge(cells, np.flatnonzero(cells.type == place), int(surplus[place]), weight, there)
    fewer = cells.copy()
    fewer.weight = weight
    for name in ROWS:
        setattr(fewer, name, getattr(fewer, name)[there])
    gone = np.flatnonzero(~there)
    key, time = cells.key[gone], np.full(len(gone), cells.time)
    return fewer, Resampled(time, key, np.zeros_like(key), cells.type[gone])


def _surplus(n: Ints, most: int, rare: int) -> Ints:
    """How many cells each type has too many: all types are cut to one level, none below `rare`, down to `most`."""
    floor = np.minimum(n, rare)
    low, high = 0, int(n.max())
    while low < high:  # the highest level at which all together are at most `most`
        level = (low + high + 1) // 2
        if np.maximum(np.minimum(n, level), floor).sum() <= most:
            low = level
        else:
            high = level - 1
    kept: Ints = np.maximum(np.minimum(n, low), floor)
    return n - kept


def _merge(cells: Cells, rows: Ints, surplus: int, weight: Ints, there: NDArray[np.bool_]) -> None:
    """Merge so many pairs among these rows of one type, the lightest first; in place in `weight` and `there`."""
    each = int(weight[rows].min())
    while surplus > 0 and each <= int(weight[rows].max()):
        mine = rows[there[rows] & (weight[rows] == each)]
        first, second = _pairs(cells, mine)
        words = ("merge", repr(cells.time), each)
        if len(first) > surplus:
            chosen = np.argsort(uniforms(cells.key[first], *words, "which"), kind="stable")[:surplus]
            first, second = first[chosen], second[chosen]
        stays = uniforms(cells.key[first], *words) < 0.5
        weight[np.where(stays, first, second)] *= 2
        there[np.where(stays, second, first)] = False
        surplus -= len(first)
        each *= 2


def _pairs(cells: Cells, rows: Ints) -> tuple[Ints, Ints]:
    """Neighbours by birth, those there since time 0 without a fate apart from all others."""
    old = cells.born[rows] <= 0.0
    pairs = []
    for group in (rows[old], rows[~old]):
        ordered = group[_by_birth(cells, group)]
        pairs.append(ordered[: len(ordered) // 2 * 2].reshape(-1, 2))
    found = np.concatenate(pairs)
    return found[:, 0], found[:, 1]


def _by_birth(cells: Cells, rows: Ints) -> Ints:
    order: Ints = np.lexsort((cells.key[rows, 1], cells.key[rows, 0], cells.born[rows]))
    return order


def keyed(keys: Words, *words: int | str) -> Words:
    """Of each lineage, a key for what the words name: [n, 2]."""
    found = np.empty_like(keys)
    _keyed(keys, *_purpose(*words), found)
    return found


def uniforms(keys: Words, *words: int | str) -> Floats:
    """One uniform of [0, 1) per lineage, for what the words name."""
    found = np.empty(len(keys))
    _uniforms(keyed(keys, *words), found)
    return found


@lru_cache(maxsize=4096)
def _purpose(*words: int | str) -> tuple[np.uint64, np.uint64]:
    first, second = derive(0, *words)
    return np.uint64(first), np.uint64(second)


_compile = kernel()


@_compile
def _keyed(keys: Any, first: Any, second: Any, found: Any) -> None:
    for i in range(len(keys)):
        found[i, 0], found[i, 1] = threefry(keys[i, 0], keys[i, 1], first, second)


@_compile
def _uniforms(keys: Any, found: Any) -> None:
    for i in range(len(keys)):
        found[i] = unit(threefry(keys[i, 0], keys[i, 1], np.uint64(0), REACTIONS)[0])
