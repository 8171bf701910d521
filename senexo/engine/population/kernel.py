"""What the kernels of populations share: streams of lineages, binomial numbers, waiting times and reactions of a cell.

Every cell is a direct method (Gillespie) of its own, with its own stream: draw n gives what the cell waits, in units of
its total hazard, and which channel it takes. When something else changes that hazard, the wait is cut as in
`senexo.engine.ssa.kernel`. The earliest of all cells is then the next event of the joint process, exactly
(Anderson 2007, doi 10.1063/1.2799998, per cell in place of per reaction), and a cell that nothing reaches goes its
way whatever the others do.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from senexo.base.streams import TEXT as _TEXT
from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.machine import run as execute
from senexo.engine.population.tables import (
    AGE,
    ALL,
    ALL_END,
    CHANGES,
    CHANGES_END,
    CHANNELS,
    RATE,
    SLOTS,
    TAKING,
    TIME,
)
from senexo.engine.rng import REACTIONS, exponential, threefry, unit


def _word(text: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little"))


TEXT = np.uint64(_TEXT)
EVENTS, PARTITION, DAUGHTER = _word("events"), _word("partition"), _word("daughter")

_compile = kernel()


@_compile
def derived(key: Any, word: Any, kind: Any) -> Any:
    """The key that a word derives from a key, as `base.streams.derive`; kind: TEXT or RUN."""
    return threefry(key[0], key[1], word, kind)


@_compile
def ones(word: Any) -> Any:
    """How many of 64 bits are set."""
    x = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * np.uint64(0x0101010101010101)) >> np.uint64(56))


@_compile
def heads(k0: Any, k1: Any, first: Any, blocks: int) -> Any:
    """Set bits of so many whole blocks of a stream: a loop of its own, so that lanes of the processor share it."""
    found = np.int64(0)
    for i in range(blocks):
        x, y = threefry(k0, k1, first + np.uint64(i), REACTIONS)
        found += ones(x) + ones(y)
    return found


@_compile
def binomial(k0: Any, k1: Any, used: Any, n: int, p: float) -> int:
    """How many of n succeed, each with probability p; exact to the last bit of p, in about 2 n random bits.

    Every trial compares the bits of a uniform with those of p from the first on; all trials that are still
    undecided toss their next bits together. used: [1] uint64, blocks of the stream, goes on.
    """
    if n <= 0 or p <= 0.0:
        return 0
    if p >= 1.0:
        return n
    found, left, rest = 0, n, p
    while left > 0 and rest > 0.0:
        rest = rest * 2.0
        bit = rest >= 1.0
        if bit:
            rest -= 1.0
        blocks = left // 128
        zeros, tosses = heads(k0, k1, used[0], blocks), left - 128 * blocks
        used[0] += np.uint64(blocks)
        if tosses > 0:
            x, y = threefry(k0, k1, used[0], REACTIONS)
            used[0] += np.uint64(1)
            zeros += ones(x >> np.uint64(64 - min(tosses, 64)))
            if tosses > 64:
                zeros += ones(y >> np.uint64(128 - tosses))
        if bit:
            found += zeros
            left -= zeros
        else:
            left = zeros
    return found


@_compile
def total_hazard(rate: int, n: int, memory: Any) -> float:
    """The sum of the propensities in their order; -1 if one is negative or no number."""
    total, fine = 0.0, True
    for r in range(rate, rate + n):
        fine &= memory[r] >= 0.0 and memory[r] < np.inf
        total += memory[r]
    return total if fine else -1.0


@_compile
def load(tables: Any, kind: int, values: Any, pools: Any, time: float, frozen: bool, memory: Any) -> float:
    """Put a cell into memory and find its total hazard; `frozen`: without what takes from pools."""
    row = tables.kinds[kind]
    memory[:] = tables.template[kind]
    for slot in range(row[SLOTS]):
        memory[slot] = values[slot]
    memory[row[TIME]] = time
    return renew(tables, kind, pools, frozen, memory)


@_compile
def renew(tables: Any, kind: int, pools: Any, frozen: bool, memory: Any) -> float:
    """Everything anew after the pools or the cell have changed; the total hazard."""
    row = tables.kinds[kind]
    for pool in range(len(pools)):
        slot = tables.pool_slot[kind, pool]
        if slot >= 0:
            memory[slot] = pools[pool]
    execute(tables.code, row[ALL], row[ALL_END], memory)
    skip = row[TAKING] if frozen else 0
    return total_hazard(row[RATE] + skip, row[CHANNELS] - skip, memory)


@_compile
def refresh(tables: Any, kind: Any, values: Any, born: Any, pools: Any, time: float, memory: Any) -> None:
    """Bring all slots of cells up to date: pools, ages, rules. Nothing goes on from these; they are to be read."""
    for i in range(len(kind)):
        row = tables.kinds[kind[i]]
        if row[AGE] >= 0:
            values[i, row[AGE]] = time - born[i]
        load(tables, kind[i], values[i], pools, time, True, memory)
        for slot in range(row[SLOTS]):
            values[i, slot] = memory[slot]
        for slot in range(row[SLOTS], values.shape[1]):
            values[i, slot] = 0.0


@_compile
def meet(wait: Any, key: Any, draws: int, time: float, total: float) -> float:
    """The wait under a new total hazard from now on; when it ends."""
    if wait[1] < 0.0:
        wait[0], wait[1], wait[2] = time, exponential(threefry(key[0], key[1], np.uint64(draws), REACTIONS)[0]), total
    elif total != wait[2]:
        left = wait[1] - (time - wait[0]) * wait[2]
        wait[1] = left if left > 0.0 else 0.0
        wait[0], wait[2] = time, total
    return wait[0] + wait[1] / total if total > 0.0 else np.inf


@_compile
def redraw(wait: Any, key: Any, draws: int, time: float, total: float) -> float:
    """The wait after the cell's own event: draw `draws`; when it ends."""
    wait[0], wait[1] = time, exponential(threefry(key[0], key[1], np.uint64(draws), REACTIONS)[0])
    wait[2] = total
    return time + wait[1] / total if total > 0.0 else np.inf


@_compile
def chosen(rate: int, n: int, key: Any, draws: int, total: float, memory: Any) -> Any:
    """The channel that draw `draws` takes, and where in its share of the total the draw fell, in [0, 1)."""
    target = unit(threefry(key[0], key[1], np.uint64(draws), REACTIONS)[1]) * total
    before, last, inside = 0.0, 0, 0.0
    for r in range(n):
        propensity = memory[rate + r]
        if propensity > 0.0:
            last, inside = r, (target - before) / propensity
            if before + propensity > target:
                break
        before += propensity
    return last, inside


@_compile
def react(tables: Any, channel: int, memory: Any, pools: Any, frozen: bool) -> bool:
    """One reaction: copies in the cell and in `pools`; False if too few are left.

    frozen: `pools` collects what comes, and the cell goes on seeing the pools as they were.
    """
    row, fine = tables.channels[channel], True
    for c in range(row[CHANGES], row[CHANGES_END]):
        slot, copies, pool = tables.changes[c, 0], tables.changes[c, 1], tables.changes[c, 2]
        if pool >= 0:
            pools[pool] += copies
        if pool < 0 or not frozen:
            memory[slot] += copies
        fine &= memory[slot] >= 0.0
    return fine
