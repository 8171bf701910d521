"""Fates of a cell: whether one happens, and what is then: division, another type, or the end of the cell."""

from __future__ import annotations

from typing import Any

import numpy as np

from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.machine import run as execute
from senexo.engine.population.kernel import DAUGHTER, PARTITION, TEXT, binomial, derived
from senexo.engine.population.tables import (
    ADD,
    AGE,
    ALL,
    ALL_END,
    ALSO_SETS,
    BECOME,
    CLUSTERED,
    COPY,
    DIVIDE,
    EFFECT,
    FIRST,
    HAZARD,
    MULTIPLY,
    ORDERED,
    RATE,
    SETS,
    SHARES,
    SLOTS,
    THIN,
    THIN_END,
    TIME,
    TO,
    WHAT,
)
from senexo.engine.rng import RUN
from senexo.engine.status import BELOW_HAZARD, FULL, OK, ROOM, THINNED

_compile = kernel(internal=True)


@_compile
def shared_out(rule: int, k: int, p: float, n: int, k0: Any, k1: Any, used: Any) -> int:
    """What the first daughter gets of n copies; see `senexo.engine.population.model.Partition`."""
    if rule == CLUSTERED:
        whole = binomial(k0, k1, used, n // k, p)
        return whole * k + binomial(k0, k1, used, 1, p) * (n % k)
    if rule == ORDERED:
        sure = int(np.floor(n * p))
        return min(n, sure + binomial(k0, k1, used, 1, n * p - sure))
    return binomial(k0, k1, used, n, p)


@_compile
def accepted(tables: Any, kind: int, channel: int, inside: float, age: float, time: float, memory: Any) -> int:
    """Whether a fate under a bound happens now (1) or not (0); -1 if its hazard is above the bound."""
    row, fate = tables.kinds[kind], tables.channels[channel]
    if row[AGE] >= 0:
        memory[row[AGE]] = age
    memory[row[TIME]] = time
    if fate[THIN] < fate[THIN_END]:
        execute(tables.code, fate[THIN], fate[THIN_END], memory)
        hazard, bound = memory[row[HAZARD]], memory[row[RATE] + channel - row[FIRST]]
        if not 0.0 <= hazard <= bound * (1.0 + 1e-12):
            return -1
        if not inside * bound < hazard:
            return 0
    execute(tables.code, row[ALL], row[ALL_END], memory)  # slots that the fate reads are those of this moment
    return 1


@_compile
def transit(tables: Any, effect: int, sets: int, old: int, new: int, base: Any, before: Any, after: Any) -> None:
    """The slots `after` of a cell of type `new` that had the slots `before` as a cell of type `old`.

    sets: the column of `effects` that tells what is set, SETS or, for a second daughter, ALSO_SETS.
    """
    for slot in range(tables.kinds[new, SLOTS]):
        source = tables.source[old, new, slot]
        if source < 0:
            after[slot] = base[new, slot]
        elif old == new or tables.counted[old, source] or tables.counted[new, slot]:
            after[slot] = before[source]
        elif before[source] == base[old, source]:
            after[slot] = base[new, slot]
        elif base[old, source] != 0.0:
            after[slot] = base[new, slot] * before[source] / base[old, source]
        else:
            after[slot] = before[source]
    for s in range(tables.effects[effect, sets], tables.effects[effect, sets + 1]):
        slot, operation, read = tables.sets[s, 0], tables.sets[s, 1], tables.sets[s, 2]
        value = before[read] if read >= 0 else tables.set_value[s]
        if operation == MULTIPLY:
            after[slot] *= value
        elif operation == ADD:
            after[slot] += value
        else:
            after[slot] = value


@_compile
def divide(tables: Any, effect: int, kind: int, key: Any, weight: int, work: Any, mother: Any) -> None:
    """The slots of both daughters into work.spare[1] and [2]; what is doubled is counted by weight."""
    base, copied, share, one, two = work.base, work.counts.copied, work.spare[0], work.spare[1], work.spare[2]
    shares = tables.effects[effect, SHARES]
    k0, k1 = derived(key, PARTITION, TEXT)
    used = np.zeros(1, np.uint64)
    n_slots = tables.kinds[kind, SLOTS]
    share[:n_slots] = mother[:n_slots]
    for slot in range(n_slots):
        rule = tables.shares[shares + slot, 0]
        if rule != COPY:
            p, k = tables.share_p[shares + slot], tables.shares[shares + slot, 1]
            share[slot] = shared_out(rule, k, p, int(mother[slot]), k0, k1, used)
        elif tables.counted[kind, slot]:
            copied[kind, slot] += weight * int(mother[slot])
    transit(tables, effect, SETS, kind, tables.effects[effect, TO], base, share, one)
    for slot in range(n_slots):
        if tables.shares[shares + slot, 0] != COPY:
            share[slot] = mother[slot] - share[slot]
    transit(tables, effect, ALSO_SETS, kind, tables.effects[effect, TO + 1], base, share, two)


@_compile
def fate(
    tables: Any, work: Any, rows: Any, row: int, into: Any, channel: int, inside: float, time: float, memory: Any
) -> Any:
    """The fate `channel` of the cell in a row at `time`; its slots are in memory, `inside` is as `chosen` has it.

    The second daughter of a division takes row work.n[0] of `into`, but for its slots: those of the cell afterwards are
    in work.spare[1], hers in work.spare[2]. Returns (code, what happens): OK; THINNED where a fate under a bound does
    not happen now; BELOW_HAZARD; or ROOM and FULL for more rows or entries, and then nothing has changed.
    """
    n, spare, counts, entries, key = work.n, work.spare, work.counts, work.entries, rows.key
    k, weight = rows.kind[row], rows.weight[row]
    effect = tables.channels[channel, EFFECT]
    happens = tables.effects[effect, WHAT]
    if happens == DIVIDE and n[0] == len(into.kind):
        return ROOM, happens
    if work.keep and n[1] == len(entries.time):
        return FULL, happens
    yes = accepted(tables, k, channel, inside, time - rows.born[row], time, memory)
    n[2] += 1
    if yes <= 0:
        return (THINNED if yes == 0 else BELOW_HAZARD), happens
    counts.fired[channel] += weight
    if work.keep:
        entries.time[n[1]], entries.channel[n[1]], entries.weight[n[1]] = time, channel, weight
        entries.key[n[1], 0], entries.key[n[1], 1] = key[row, 0], key[row, 1]
        n[1] += 1
    if happens == DIVIDE:
        divide(tables, effect, k, key[row], weight, work, memory)
        new, daughters = n[0], np.empty(2, np.uint64)
        n[0] += 1
        daughters[0], daughters[1] = derived(key[row], DAUGHTER, TEXT)
        rows.parent[row] = key[row]
        into.parent[new] = key[row]
        key[row, 0], key[row, 1] = derived(daughters, np.uint64(0), RUN)
        into.key[new, 0], into.key[new, 1] = derived(daughters, np.uint64(1), RUN)
        into.kind[new], into.born[new], into.weight[new] = tables.effects[effect, TO + 1], time, weight
        into.draws[new], into.wait[new, 1] = 0, -1.0
    elif happens == BECOME:
        n_slots = tables.kinds[k, SLOTS]
        spare[0, :n_slots] = memory[:n_slots]
        transit(tables, effect, SETS, k, tables.effects[effect, TO], work.base, spare[0], spare[1])
    else:
        for slot in range(tables.kinds[k, SLOTS]):
            if tables.counted[k, slot]:
                counts.gone[k, slot] += weight * int(memory[slot])
        rows.kind[row] = -1
        return OK, happens
    rows.kind[row], rows.born[row] = tables.effects[effect, TO], time
    return OK, happens
