"""The settlement of pools: which molecules leave them in a stretch of time, and where they go.

Every molecule of a pool of N leaves with probability 1 - exp(-K h), where K = sum of w_j k_j and k_j = propensity_j / N
over all that may take it, w_j being the number of cells that a taker represents. Those that leave are a multinomial
over the takers by w_j k_j, drawn down a binary tree of sums: at every node a binomial number goes to the left. So the
work grows with the cells that get something, and the law is exact. Of m molecules that fall to w cells the followed
one, any of the w, gets Binomial(m, 1/w): so the law of what one cell takes up is the same for every weight, and what
the pools lose is m whole molecules all the same. Leaves are the living in their order, in blocks with a tree and a
stream of their own; so neither threads nor the dead change anything.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.machine import run as execute
from senexo.engine.population.binomial import binomial_of_many
from senexo.engine.population.kernel import binomial
from senexo.engine.population.tables import (
    CHANGES,
    CHANGES_END,
    FIRST,
    RATE,
    SLOTS,
    TAKES,
    TAKING,
    TIME,
    UPTAKE,
    UPTAKE_END,
)
from senexo.engine.rng import RUN, threefry

BLOCK = 256  # leaves with one tree; a part of the result, unlike the chunks of the work
_compile = kernel()


@_compile
def uptake(
    tables: Any, rows: Any, leaves: Any, first: int, last: int, pools: Any, time: float, memory: Any
) -> int:  # fmt: skip
    """The propensities of all that takes from pools, of leaves first .. last - 1: those of all cells a leaf represents.

    Returns the first bad leaf, or -1.
    """
    kind, values, weight, index, rates = rows.kind, rows.values, rows.weight, leaves.row, leaves.rates
    known = leaves.known
    before = -1
    for j in range(first, last):
        row = index[j]
        k = kind[row]
        if known[k] < 0 and tables.kinds[k, TAKING] > 0:
            about = tables.kinds[k]
            if k != before:
                memory[:] = tables.template[k]
                before = k
            for slot in range(about[SLOTS]):
                memory[slot] = values[row, slot]
            memory[about[TIME]] = time
            for pool in range(len(pools)):
                slot = tables.pool_slot[k, pool]
                if slot >= 0:
                    memory[slot] = pools[pool]
            execute(tables.code, about[UPTAKE], about[UPTAKE_END], memory)
            for t in range(about[TAKING]):
                rates[j, t] = memory[about[RATE] + t]
        for t in range(tables.kinds[k, TAKING]):
            rates[j, t] *= weight[row]
            if not (rates[j, t] >= 0.0 and rates[j, t] < np.inf):
                return j
    return -1


@_compile
def sums(tables: Any, rows: Any, leaves: Any, first: int, last: int, found: Any) -> None:
    """What all leaves of a block take from a pool in a time unit: [pools, blocks], blocks first .. last - 1."""
    kind, index, rates = rows.kind, leaves.row, leaves.rates
    for block in range(first, last):
        for pool in range(len(found)):
            found[pool, block] = 0.0
        for j in range(block * BLOCK, min((block + 1) * BLOCK, len(index))):
            k = kind[index[j]]
            for t in range(tables.kinds[k, TAKING]):
                found[tables.channels[tables.kinds[k, FIRST] + t, TAKES], block] += rates[j, t]


@_compile
def _binomial(k0: Any, k1: Any, used: Any, n: int, p: float, many: bool) -> int:
    if many:
        return int(binomial_of_many(k0, k1, used, n, p))
    return int(binomial(k0, k1, used, n, p))


@_compile
def scatter(heap: Any, counts: Any, size: int, k0: Any, k1: Any, used: Any, many: bool) -> None:
    """Share counts[1] out among the leaves counts[size : 2 size] by the weights heap[size : 2 size].

    heap, counts: binary trees in rows of twice the length, node i over 2 i and 2 i + 1; inner sums are filled in here.
    many: whether large numbers are drawn by rejection and not bit by bit.
    """
    for i in range(size - 1, 0, -1):
        heap[i] = heap[2 * i] + heap[2 * i + 1]
    for i in range(1, size):
        left = 0
        if counts[i] > 0:
            left = _binomial(k0, k1, used, counts[i], heap[2 * i] / heap[i], many)
        counts[2 * i], counts[2 * i + 1] = left, counts[i] - left


@_compile
def leave(pools: Any, found: Any, span: float, key: Any, many: bool, counts: Any) -> None:
    """How many molecules of each pool leave it within `span`, block by block: counts [pools, blocks]."""
    size = 1
    while size < found.shape[1]:
        size *= 2
    heap, shared = np.zeros(2 * size), np.zeros(2 * size, np.int64)
    used = np.zeros(1, np.uint64)
    for pool in range(len(pools)):
        counts[pool] = 0
        heap[size:] = 0.0
        total = 0.0
        for block in range(found.shape[1]):
            heap[size + block] = found[pool, block]
            total += found[pool, block]
        if pools[pool] <= 0 or total <= 0.0:
            continue
        k0, k1 = threefry(key[0], key[1], np.uint64(pool), RUN)
        used[0] = 0
        shared[1] = _binomial(k0, k1, used, pools[pool], -np.expm1(-total / pools[pool] * span), many)
        scatter(heap, shared, size, k0, k1, used, many)
        for block in range(found.shape[1]):
            counts[pool, block] = shared[size + block]


@_compile
def arrive(
    tables: Any, rows: Any, leaves: Any, first: int, last: int, counts: Any, key: Any, many: bool, fired: Any,
    moved: Any,
) -> None:  # fmt: skip
    """Give the molecules of blocks first .. last - 1 to their takers. fired: per channel; moved: what pools get."""
    kind, values, weight, index, rates = rows.kind, rows.values, rows.weight, leaves.row, leaves.rates
    most = rates.shape[1]
    size = 1
    while size < BLOCK * most:
        size *= 2
    heap, shared = np.zeros(2 * size), np.zeros(2 * size, np.int64)
    used = np.zeros(1, np.uint64)
    for pool in range(len(counts)):
        p0, p1 = threefry(key[0], key[1], np.uint64(pool), RUN)
        for block in range(first, last):
            if counts[pool, block] == 0:
                continue
            k0, k1 = threefry(p0, p1, np.uint64(block), RUN)
            used[0] = 0
            heap[size:] = 0.0
            begin, end = block * BLOCK, min((block + 1) * BLOCK, len(index))
            for j in range(begin, end):
                k = kind[index[j]]
                for t in range(tables.kinds[k, TAKING]):
                    if tables.channels[tables.kinds[k, FIRST] + t, TAKES] == pool:
                        heap[size + (j - begin) * most + t] = rates[j, t]
            shared[1] = counts[pool, block]
            scatter(heap, shared, size, k0, k1, used, many)
            for j in range(begin, end):
                for t in range(most):
                    copies = shared[size + (j - begin) * most + t]
                    if copies == 0:
                        continue
                    row = index[j]
                    channel = tables.kinds[kind[row], FIRST] + t
                    fired[channel] += copies
                    own = copies
                    if weight[row] > 1:
                        own = _binomial(k0, k1, used, copies, 1.0 / weight[row], many)
                    for c in range(tables.channels[channel, CHANGES], tables.channels[channel, CHANGES_END]):
                        if tables.changes[c, 2] >= 0:
                            moved[tables.changes[c, 2]] += copies * tables.changes[c, 1]
                        else:
                            values[row, tables.changes[c, 0]] += own * tables.changes[c, 1]
