"""Compiled steps of a branching process: one cell at a time while a type has few cells, leaps where it has many."""

from __future__ import annotations

from typing import Any

import numpy as np

from senexo.engine.formula.kernels import kernel
from senexo.engine.population.binomial import binomial_of_many
from senexo.engine.rng import REACTIONS, exponential, threefry, unit

MOST_CELLS = 10**15  # more cells end a run: counts would leave the whole numbers that doubles hold

_compile = kernel()


@_compile
def _one_by_one(
    k0: Any, k1: Any, used: Any, x: Any, now: float, end: float, h: Any, parent: Any, offspring: Any, few: int,
    counted: Any, level: int,
) -> float:  # fmt: skip
    """Event by event to `end`, or until a type has more than `few` or counted cells are at `level`; the time then."""
    while True:
        total = 0.0
        for e in range(len(parent)):
            total += h[e] * x[parent[e]]
        if total <= 0.0:
            return end
        first, second = threefry(k0, k1, used[0], REACTIONS)
        used[0] += np.uint64(1)
        now += exponential(first) / total
        if now >= end:
            return end
        choice, chosen = unit(second) * total, -1
        for e in range(len(parent)):
            rate = h[e] * x[parent[e]]
            if rate > 0.0:
                chosen = e
                if choice < rate:
                    break
                choice -= rate
        x[parent[chosen]] -= 1
        cells, more = 0, False
        for j in range(len(x)):
            x[j] += offspring[chosen, j]
            cells += counted[j] * x[j]
            more = more or x[j] > few
        if more or cells <= level:
            return now


@_compile
def _act(
    k0: Any, k1: Any, used: Any, i: int, cells: int, length: float, h: Any, parent: Any, offspring: Any, into: Any
) -> int:
    """How many of `cells` of type i have an event within `length`; their offspring are added to `into`."""
    rest = 0.0
    for e in range(len(parent)):
        if parent[e] == i:
            rest += h[e]
    acting = int(binomial_of_many(k0, k1, used, cells, -np.expm1(-rest * length)))
    left = acting
    for e in range(len(parent)):
        if parent[e] == i and h[e] > 0.0 and left > 0:
            here = int(binomial_of_many(k0, k1, used, left, min(1.0, h[e] / rest)))
            for j in range(len(into)):
                into[j] += here * offspring[e, j]
            left -= here
            rest = max(rest - h[e], h[e] * 1e-12)
    return acting - left


@_compile
def _leap(k0: Any, k1: Any, used: Any, x: Any, many: Any, length: float, h: Any, parent: Any, offspring: Any) -> None:
    """Types with many cells: each cell has an event or none, and its offspring act for half a step."""
    born, later = np.zeros(len(x), np.int64), np.zeros(len(x), np.int64)
    for i in range(len(x)):
        if many[i]:
            x[i] -= _act(k0, k1, used, i, x[i], length, h, parent, offspring, born)
    for i in range(len(x)):
        if born[i] > 0:
            born[i] -= _act(k0, k1, used, i, born[i], 0.5 * length, h, parent, offspring, later)
    for i in range(len(x)):
        x[i] += born[i] + later[i]


@_compile
def advance(
    k0: Any, k1: Any, used: Any, x: Any, now: float, until: float, edges: Any, hazards: Any, parent: Any,
    offspring: Any, few: int, share: float, counted: Any, level: int,
) -> float:  # fmt: skip
    """Bring the counts x to `until`, or to where counted cells are at most `level`; the time reached, or nan."""
    many, scarce = np.zeros(len(x), np.bool_), np.zeros(len(x), np.int64)
    interval = 0
    while now < until:
        cells, most, any_many = 0, 0.0, False
        for j in range(len(x)):
            cells += counted[j] * x[j]
            many[j] = x[j] > few
            any_many = any_many or many[j]
            if x[j] > MOST_CELLS:
                return np.nan
        if cells <= level:
            return now
        while edges[interval + 1] <= now:
            interval += 1
        end, h = min(until, edges[interval + 1]), hazards[interval]
        if not any_many:
            now = _one_by_one(k0, k1, used, x, now, end, h, parent, offspring, few, counted, level)
            continue
        for j in range(len(x)):
            rate = 0.0
            for e in range(len(parent)):
                if parent[e] == j:
                    rate += h[e]
            most = max(most, rate)
        if most <= 0.0:
            now = end
            continue
        after = min(end, now + share / most)
        for j in range(len(x)):
            scarce[j] = 0 if many[j] else x[j]
            x[j] -= scarce[j]
        # the cells of scarce types and all that descends from them in this step, exactly: cells are independent
        _one_by_one(k0, k1, used, scarce, now, after, h, parent, offspring, MOST_CELLS, counted, -1)
        _leap(k0, k1, used, x, many, after - now, h, parent, offspring)
        for j in range(len(x)):
            x[j] += scarce[j]
        now = after
    return now


@_compile
def courses(
    keys: Any,
    start: Any,
    times: Any,
    edges: Any,
    hazards: Any,
    parent: Any,
    offspring: Any,
    few: int,
    share: float,
    out: Any,
) -> bool:
    """out [runs, times, types] for each key; False where a run passed MOST_CELLS."""
    counted, used = np.ones(len(start), np.int64), np.zeros(1, np.uint64)
    for run in range(len(keys)):
        used[0] = 0
        x, now = start.copy(), edges[0]
        for row in range(len(times)):
            now = advance(
                keys[run, 0], keys[run, 1], used, x, now, times[row], edges, hazards, parent, offspring, few, share,
                counted, -1,
            )  # fmt: skip
            if np.isnan(now):
                return False
            for j in range(len(x)):
                out[run, row, j] = x[j]
    return True


@_compile
def descend(
    keys: Any, states: Any, reached: Any, until: float, edges: Any, hazards: Any, parent: Any,
    offspring: Any, few: int, share: float, counted: Any, level: int,
) -> int:  # fmt: skip
    """Bring each state from its time to `level` counted cells or `until`, in place; 1 + a run past MOST_CELLS."""
    used = np.zeros(1, np.uint64)
    for run in range(len(keys)):
        used[0] = 0
        reached[run] = advance(
            keys[run, 0], keys[run, 1], used, states[run], reached[run], until, edges, hazards, parent, offspring,
            few, share, counted, level,
        )  # fmt: skip
        if np.isnan(reached[run]):
            return run + 1
    return 0
