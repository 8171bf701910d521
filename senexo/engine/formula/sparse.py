"""Sparse LU worked out once per network: the order of elimination and the fill it makes.

The pattern of a network's Jacobian is the same in every cell and at every time, so the whole elimination can
be written down beforehand, one assignment after the other, and compiled.
Order: Markowitz' rule on the diagonal (least (row count - 1) (column count - 1) first; Markowitz 1957,
doi 10.1287/mnsc.3.3.255), ties by the lower number, so it is the same on every machine. There are no row
exchanges; who solves with it checks the residual (`senexo.engine.ode.rodas5p`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import inf


@dataclass(frozen=True, slots=True)
class Elimination:
    """For each pivot in turn: the rows below that have an entry in its column, the columns right of it in its row.

    `places` numbers every entry of the factored matrix, fill included, by (row, column).
    """

    pivots: tuple[tuple[int, tuple[int, ...], tuple[int, ...]], ...]
    places: dict[tuple[int, int], int]


def eliminate(n: int, pattern: Collection[tuple[int, int]], most: float = inf) -> Elimination:
    """The elimination of an n x n matrix that has entries at `pattern` and on its whole diagonal.

    Raises `OverflowError` where it takes more than `most` multiplications.

    >>> eliminate(3, [(0, 1), (0, 2), (1, 0), (2, 0)]).pivots
    ((1, (0,), (0,)), (0, (2,), (2,)), (2, (), ()))
    """
    rows, columns = [{i} for i in range(n)], [{i} for i in range(n)]
    for row, column in pattern:
        rows[row].add(column)
        columns[column].add(row)
    places = {(i, c) for i in range(n) for c in rows[i]}

    def cost(i: int) -> tuple[int, int]:
        return (len(rows[i]) - 1) * (len(columns[i]) - 1), i

    left, pivots, multiplications = set(range(n)), [], 0
    waiting = [cost(i) for i in range(n)]  # a heap; an entry whose cost is no longer that of its pivot is passed over
    heapify(waiting)
    while left:
        found, pivot = heappop(waiting)
        if pivot not in left or cost(pivot) != (found, pivot):
            continue
        left.remove(pivot)
        below, right = sorted(columns[pivot] - {pivot}), sorted(rows[pivot] - {pivot})
        pivots.append((pivot, tuple(below), tuple(right)))
        multiplications += len(below) * len(right)
        if multiplications > most:
            raise OverflowError(f"the elimination takes more than {most:g} multiplications")
        for r in below:
            rows[r] |= set(right)
            rows[r].discard(pivot)
        for c in right:
            columns[c] |= set(below)
            columns[c].discard(pivot)
        places |= {(r, c) for r in below for c in right}
        for i in {*below, *right}:
            heappush(waiting, cost(i))
    return Elimination(tuple(pivots), {entry: number for number, entry in enumerate(sorted(places))})
