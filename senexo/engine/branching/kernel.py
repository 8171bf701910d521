"""Compiled steps of a branching process: one cell at a time while a type has few cells, leaps where it has many.

`law` is `senexo.engine.branching.process.Process.law`. `fired` [events] counts what happened.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from senexo.engine.formula.kernels import kernel
from senexo.engine.population.binomial import binomial_of_many
from senexo.engine.rng import REACTIONS, exponential, threefry, unit

MOST_CELLS = 10**15  # more cells end a run: counts would leave the whole numbers that doubles hold

_compile = kernel()


@_compile
def _room(x: Any, takes_room: Any, capacity: float) -> float:
    """max(0, 1 - X / capacity)."""
    if np.isinf(capacity):
        return 1.0
    cells = 0.0
    for j in range(len(x)):
        if takes_room[j]:
            cells += x[j]
    return max(0.0, 1.0 - cells / capacity)


@_compile
def _one_by_one(
    k0: Any, k1: Any, used: Any, x: Any, now: float, end: float, h: Any, law: Any, room: float, few: int, counted: Any,
    level: int, fired: Any,
) -> float:  # fmt: skip
    """Event by event to `end`, or until a type has more than `few` or counted cells are at `level`; the time then.

    room: held constant; below 0: that of the cells x after each event.
    """
    _, _, parent, offspring, limited, takes_room, capacity = law
    held = room >= 0.0
    while True:
        if not held:
            room = _room(x, takes_room, capacity)
        total = 0.0
        for e in range(len(parent)):
            total += h[e] * x[parent[e]] * (room if limited[e] else 1.0)
        if total <= 0.0:
            return end
        first, second = threefry(k0, k1, used[0], REACTIONS)
        used[0] += np.uint64(1)
        now += exponential(first) / total
        if now >= end:
            return end
        choice, chosen = unit(second) * total, -1
        for e in range(len(parent)):
            rate = h[e] * x[parent[e]] * (room if limited[e] else 1.0)
            if rate > 0.0:
                chosen = e
                if choice < rate:
                    break
                choice -= rate
        x[parent[chosen]] -= 1
        fired[chosen] += 1
        cells, more = 0, False
        for j in range(len(x)):
            x[j] += offspring[chosen, j]
            cells += counted[j] * x[j]
            more = more or x[j] > few
        if more or cells <= level:
            return now


@_compile
def _act(
    k0: Any, k1: Any, used: Any, i: int, cells: int, length: float, h: Any, law: Any, room: float, into: Any,
    fired: Any,
) -> int:  # fmt: skip
    """How many of `cells` of type i have an event within `length`; their offspring are added to `into`."""
    _, _, parent, offspring, limited, _, _ = law
    rest = 0.0
    for e in range(len(parent)):
        if parent[e] == i:
            rest += h[e] * (room if limited[e] else 1.0)
    acting = int(binomial_of_many(k0, k1, used, cells, -np.expm1(-rest * length)))
    left = acting
    for e in range(len(parent)):
        if parent[e] == i and left > 0:
            rate = h[e] * (room if limited[e] else 1.0)
            if rate > 0.0:
                here = int(binomial_of_many(k0, k1, used, left, min(1.0, rate / rest)))
                for j in range(len(into)):
                    into[j] += here * offspring[e, j]
                fired[e] += here
                left -= here
                rest = max(rest - rate, rate * 1e-12)
    return acting - left


@_compile
def _leap(
    k0: Any, k1: Any, used: Any, x: Any, many: Any, length: float, h: Any, law: Any, room: float, fired: Any
) -> None:
    """Types with many cells: each cell has an event or none, and its offspring act for half a step."""
    born, later = np.zeros(len(x), np.int64), np.zeros(len(x), np.int64)
    for i in range(len(x)):
        if many[i]:
            x[i] -= _act(k0, k1, used, i, x[i], length, h, law, room, born, fired)
    for i in range(len(x)):
        if born[i] > 0:
            born[i] -= _act(k0, k1, used, i, born[i], 0.5 * length, h, law, room, later, fired)
    for i in range(len(x)):
        x[i] += born[i] + later[i]


@_compile
def _room_ahead(x: Any, length: float, h: Any, law: Any) -> float:
    """The room in the middle of a step, from the mean change of the cells at its start."""
    _, _, parent, offspring, limited, takes_room, capacity = law
    now = _room(x, takes_room, capacity)
    if np.isinf(capacity):
        return now
    slope = 0.0
    for e in range(len(parent)):
        gained = -1.0 if takes_room[parent[e]] else 0.0
        for j in range(len(x)):
            if takes_room[j]:
                gained += offspring[e, j]
        slope += h[e] * x[parent[e]] * (now if limited[e] else 1.0) * gained
    return min(1.0, max(0.0, now - 0.5 * length * slope / capacity))


@_compile
def advance(
    k0: Any, k1: Any, used: Any, x: Any, now: float, until: float, law: Any, few: int, share: float, counted: Any,
    level: int, fired: Any,
) -> float:  # fmt: skip
    """Bring the counts x to `until`, or to where counted cells are at most `level`; the time reached, or nan."""
    edges, hazards, parent = law[0], law[1], law[2]
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
            now = _one_by_one(k0, k1, used, x, now, end, h, law, -1.0, few, counted, level, fired)
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
        room = _room_ahead(x, after - now, h, law)
        for j in range(len(x)):
            scarce[j] = 0 if many[j] else x[j]
            x[j] -= scarce[j]
        # the cells of scarce types and all that descends from them in this step, exactly: cells are independent
        _one_by_one(k0, k1, used, scarce, now, after, h, law, room, MOST_CELLS, counted, -1, fired)
        _leap(k0, k1, used, x, many, after - now, h, law, room, fired)
        for j in range(len(x)):
            x[j] += scarce[j]
        now = after
    return now


@_compile
def courses(keys: Any, starts: Any, times: Any, law: Any, few: int, share: float, out: Any, fired: Any) -> bool:
    """out [runs, times, types] and fired [runs, times, events] for each key; False where a run passed MOST_CELLS."""
    counted, used = np.ones(starts.shape[1], np.int64), np.zeros(1, np.uint64)
    happened = np.zeros(fired.shape[2], np.int64)
    for run in range(len(keys)):
        used[0] = 0
        happened[:] = 0
        x, now = starts[run].copy(), law[0][0]
        for row in range(len(times)):
            now = advance(keys[run, 0], keys[run, 1], used, x, now, times[row], law, few, share, counted, -1, happened)
            if np.isnan(now):
                return False
            for j in range(len(x)):
                out[run, row, j] = x[j]
            for e in range(len(happened)):
                fired[run, row, e] = happened[e]
    return True


@_compile
def descend(
    keys: Any, states: Any, reached: Any, until: float, law: Any, few: int, share: float, counted: Any, level: int
) -> int:
    """Bring each state from its time to `level` counted cells or `until`, in place; 1 + a run past MOST_CELLS."""
    used, fired = np.zeros(1, np.uint64), np.zeros(len(law[2]), np.int64)
    for run in range(len(keys)):
        used[0] = 0
        reached[run] = advance(
            keys[run, 0], keys[run, 1], used, states[run], reached[run], until, law, few, share, counted, level, fired
        )
        if np.isnan(reached[run]):
            return run + 1
    return 0
