"""I - c J of one step, factored and solved: in a fixed sparse order, or dense with row exchanges."""

from __future__ import annotations

from typing import Any

import numpy as np

from senexo.engine.formula.kernels import kernel

internal = kernel(internal=True)


@internal
def factor_sparse(matrix: Any, stream: Any) -> None:
    """L and U of the matrix in its place, in the fixed order."""
    k = 0
    while k < len(stream):
        pivot = matrix[np.uint64(stream[k])]
        below, right = stream[k + 1], stream[k + 2]
        k += 3
        for _ in range(below):
            share = matrix[np.uint64(stream[k])] / pivot
            matrix[np.uint64(stream[k])] = share
            k += 1
            for _ in range(right):
                matrix[np.uint64(stream[k + 1])] -= share * matrix[np.uint64(stream[k])]
                k += 2


@internal
def solve_sparse(matrix: Any, stream: Any, begins: Any, b: Any) -> None:
    """The solution in place of the right-hand side."""
    for begin in begins:
        value = b[stream[begin]]
        k = begin + 4
        if value != 0.0:
            for _ in range(stream[begin + 2]):
                b[np.uint64(stream[k])] -= matrix[np.uint64(stream[k + 1])] * value
                k += 2
    for p in range(len(begins) - 1, -1, -1):
        begin = begins[p]
        k = begin + 4 + 2 * stream[begin + 2]
        value = b[stream[begin]]
        for _ in range(stream[begin + 3]):
            value -= matrix[np.uint64(stream[k + 1])] * b[np.uint64(stream[k])]
            k += 2
        b[stream[begin]] = value / matrix[stream[begin + 1]]


@internal
def factor_dense(matrix: Any, order: Any) -> None:
    """L and U with row exchanges, of rows scaled to their largest entry."""
    n = len(matrix)
    scale = np.ones(n)
    for i in range(n):
        largest = 0.0
        for j in range(n):
            if abs(matrix[i, j]) > largest:
                largest = abs(matrix[i, j])
        scale[i] = 1.0 / largest if largest > 0.0 else 1.0
        order[i] = i
    for k in range(n):
        best = k
        for i in range(k + 1, n):
            if abs(matrix[i, k]) * scale[i] > abs(matrix[best, k]) * scale[best]:
                best = i
        if best != k:
            for j in range(n):
                matrix[k, j], matrix[best, j] = matrix[best, j], matrix[k, j]
            scale[k], scale[best] = scale[best], scale[k]
            order[k], order[best] = order[best], order[k]
        for i in range(k + 1, n):
            share = matrix[i, k] / matrix[k, k]
            matrix[i, k] = share
            if share != 0.0:
                for j in range(k + 1, n):
                    matrix[i, j] -= share * matrix[k, j]


@internal
def solve_dense(matrix: Any, order: Any, b: Any) -> None:
    n = len(matrix)
    x = np.empty(n)
    for i in range(n):
        value = b[order[i]]
        for j in range(i):
            value -= matrix[i, j] * x[j]
        x[i] = value
    for i in range(n - 1, -1, -1):
        value = x[i]
        for j in range(i + 1, n):
            value -= matrix[i, j] * x[j]
        x[i] = value / matrix[i, i]
    for i in range(n):
        b[i] = x[i]


@internal
def backward_error(memory: Any, slope_cell: int, entries: Any, c: float, x: Any, right: Any, scratch: Any) -> float:
    """The largest relative change of an entry of I - c J or of the right side that would make the solution exact."""
    n = len(x)
    size = np.empty(n)
    for i in range(n):
        scratch[i] = x[i] - right[i]
        size[i] = abs(x[i]) + abs(right[i])
    for e in range(len(entries)):
        i = entries[e, 0]
        term = c * memory[slope_cell + e] * x[entries[e, 1]]
        scratch[i] -= term
        size[i] += abs(term)
    worst = 0.0
    for i in range(n):
        if not abs(scratch[i]) <= worst * size[i]:
            worst = abs(scratch[i]) / size[i] if size[i] > 0.0 else np.inf
    return worst
