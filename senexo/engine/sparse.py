"""Sparse LU worked out once per network: the order of elimination, the fill, and the program that does it.

The pattern of a network's Jacobian is the same in every cell and at every time, so the whole elimination can
be written down beforehand as a list of instructions on numbered places, and the kernels only follow it.
Order: Markowitz' rule on the diagonal (least (row count - 1) (column count - 1) first; Markowitz 1957,
doi 10.1287/mnsc.3.3.255), ties by the lower number, so the program is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

INVERT, SCALE, SUBTRACT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Elimination:
    """`places` numbers every entry of the factored matrix, fill included.

    factor: rows (INVERT, pivot row, place of the pivot, 0), (SCALE, place, pivot row, 0) or (SUBTRACT, place,
    place, place); substitute: (SUBTRACT, row, place, row) or (SCALE, row, row, 0).
    """

    places: dict[tuple[int, int], int]
    factor: NDArray[np.int32]
    substitute: NDArray[np.int32]


def eliminate(n: int, pattern: Collection[tuple[int, int]]) -> Elimination:
    """The elimination of an n x n matrix that has entries at `pattern` and on its whole diagonal.

    >>> eliminate(2, [(0, 1), (1, 0)]).factor.tolist()
    [[0, 0, 0, 0], [1, 2, 0, 0], [2, 3, 2, 1], [0, 1, 3, 0]]
    """
    filled = {*pattern, *((i, i) for i in range(n))}
    order: list[int] = []
    left = set(range(n))
    lower: dict[int, list[int]] = {}
    upper: dict[int, list[int]] = {}
    while left:
        columns = {i: sum((r, i) in filled for r in left) - 1 for i in left}
        rows = {i: sum((i, c) in filled for c in left) - 1 for i in left}
        pivot = min(left, key=lambda i, rows=rows, columns=columns: (rows[i] * columns[i], i))
        left.remove(pivot)
        order.append(pivot)
        lower[pivot] = sorted(r for r in left if (r, pivot) in filled)
        upper[pivot] = sorted(c for c in left if (pivot, c) in filled)
        filled |= {(r, c) for r in lower[pivot] for c in upper[pivot]}
    places = {entry: number for number, entry in enumerate(sorted(filled))}
    factor: list[tuple[int, int, int, int]] = []
    forward: list[tuple[int, int, int, int]] = []
    backward: list[tuple[int, int, int, int]] = []
    for pivot in order:
        factor.append((INVERT, pivot, places[pivot, pivot], 0))
        for r in lower[pivot]:
            factor.append((SCALE, places[r, pivot], pivot, 0))
            factor += [(SUBTRACT, places[r, c], places[r, pivot], places[pivot, c]) for c in upper[pivot]]
            forward.append((SUBTRACT, r, places[r, pivot], pivot))
    for pivot in reversed(order):
        backward += [(SUBTRACT, pivot, places[pivot, c], c) for c in upper[pivot]]
        backward.append((SCALE, pivot, pivot, 0))
    return Elimination(
        places, np.array(factor, dtype=np.int32).reshape(-1, 4), np.array([*forward, *backward], dtype=np.int32)
    )
