"""Cells in a window, by tables: for any network, for fates and their daughters, and the oracle of generated kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.machine import run as execute
from senexo.engine.population.kernel import (
    BELOW_HAZARD,
    DAUGHTER,
    EVENTS,
    FULL,
    ROOM,
    TEXT,
    accepted,
    derived,
    divide,
    load,
    meet,
    redraw,
    transit,
)
from senexo.engine.population.tables import (
    AFTER,
    AFTER_END,
    BECOME,
    CHANGES,
    CHANGES_END,
    CHANNELS,
    DIVIDE,
    EFFECT,
    FIRST,
    RATE,
    REACTIONS,
    SETS,
    SLOTS,
    TAKING,
    TO,
    WHAT,
)
from senexo.engine.rng import REACTIONS as DRAWS
from senexo.engine.rng import RUN, exponential, threefry, unit
from senexo.engine.status import DEPLETED, NEGATIVE, OK, STOPPED

DONE = 0  # of a cell at the window's end

_compile = kernel()


@_compile
def _reactions(
    code: Any, channels: Any, changes: Any, memory: Any, waiting: Any, stream: Any, released: Any, fired: Any,
    rate: int, n_rates: int, skip: int, n_reactions: int, first: int, weight: int, used: int, due: float, end: float,
    stop: Any,
) -> Any:  # fmt: skip
    """Reactions of one cell up to `end` or to a fate, which is left to the caller.

    What `cells_kernel` has in functions stands here in one loop with its own names: numba counts references to every
    array that is handed on or read from a tuple, and that takes longer than the reaction. What the cell releases and
    what it does is counted as often as its weight.
    Returns (outcome, channel of the kind, place in its share, draws, time, due, events).
    """
    k0, k1 = stream[0], stream[1]
    since, left, total = waiting[0], waiting[1], waiting[2]
    choice = unit(threefry(k0, k1, np.uint64(used), DRAWS)[1])
    outcome, r, inside, time, events = OK, 0, 0.0, since, 0
    while due <= end:
        time = due
        target, before = choice * total, 0.0
        for place in range(n_rates):
            propensity = memory[rate + place]
            if propensity > 0.0:
                r = place
                if before + propensity > target:
                    break
            before += propensity
        if r + skip >= n_reactions:
            propensity = memory[rate + r]
            if before + propensity <= target:  # rounding went past the last channel; it is the last one's
                before -= propensity
            inside = (target - before) / propensity
            break
        channel = first + skip + r
        fine = True
        for c in range(channels[channel, CHANGES], channels[channel, CHANGES_END]):
            if changes[c, 2] >= 0:
                released[changes[c, 2]] += weight * changes[c, 1]
            else:
                memory[changes[c, 0]] += changes[c, 1]
                fine &= memory[changes[c, 0]] >= 0.0
        if not fine:
            outcome = DEPLETED
            break
        events += 1
        fired[channel] += weight
        execute(code, channels[channel, AFTER], channels[channel, AFTER_END], memory)
        total = 0.0
        for place in range(rate, rate + n_rates):
            fine &= memory[place] >= 0.0 and memory[place] < np.inf
            total += memory[place]
        used += 1
        x, y = threefry(k0, k1, np.uint64(used), DRAWS)
        since, left, choice = time, exponential(x), unit(y)
        due = since + left / total if total > 0.0 else np.inf
        if not fine:
            outcome = NEGATIVE
            break
        if events % 65536 == 0 and stop[0]:
            outcome = STOPPED
            break
    waiting[0], waiting[1], waiting[2] = since, left, total
    return outcome, r + skip, inside, used, time, due, events


@_compile
def _run_cell(
    tables: Any, kind: Any, key: Any, parent: Any, born: Any, draws: Any, wait: Any, values: Any, weight: Any,
    row: int, f_kind: Any, f_key: Any, f_parent: Any, f_born: Any, f_draws: Any, f_wait: Any, f_values: Any,
    f_weight: Any,
    n: Any, memory: Any, spare: Any, base: Any, pools: Any, released: Any, fired: Any, gone: Any, copied: Any,
    log_time: Any, log_key: Any, log_channel: Any, log_weight: Any, begin: float, end: float, stop: Any, keep: bool,
) -> Any:  # fmt: skip
    """One cell from where it is to `end`; second daughters go to the rows f_. Returns (outcome, channel, time).

    n: fresh rows, entries of the log, events. ROOM and FULL leave the cell before the event that needs more room.
    """
    stream = np.empty(2, np.uint64)
    stream[0], stream[1] = derived(key[row], EVENTS, TEXT)
    waiting, k, heft = wait[row], kind[row], weight[row]
    total = load(tables, k, values[row], pools, max(begin, born[row]), True, memory)
    due = meet(waiting, stream, draws[row], max(begin, born[row]), total)
    outcome, channel, time = OK, 0, begin
    about = tables.kinds[k]
    skip, n_reactions, first, n_slots = about[TAKING], about[REACTIONS], about[FIRST], about[SLOTS]
    rate, n_rates = about[RATE] + about[TAKING], about[CHANNELS] - about[TAKING]
    if total < 0.0:
        return NEGATIVE, first, begin
    used = draws[row]
    while due <= end:
        outcome, r, inside, used, time, due, events = _reactions(
            tables.code, tables.channels, tables.changes, memory, waiting, stream, released, fired,
            rate, n_rates, skip, n_reactions, first, heft, used, due, end, stop,
        )  # fmt: skip
        n[2] += events
        channel = first + r
        if outcome != OK or due > end:
            break
        effect = tables.channels[channel, EFFECT]
        happens = tables.effects[effect, WHAT]
        if happens == DIVIDE and n[0] == len(f_kind):
            outcome = ROOM
            break
        if keep and n[1] == len(log_time):
            outcome = FULL
            break
        yes = accepted(tables, k, channel, inside, time - born[row], time, memory)
        n[2] += 1
        if yes < 0:
            outcome = BELOW_HAZARD
            break
        used += 1
        if yes == 0:
            due = redraw(waiting, stream, used, time, waiting[2])
            continue
        fired[channel] += heft
        if keep:
            log_time[n[1]], log_channel[n[1]], log_weight[n[1]] = time, channel, heft
            log_key[n[1], 0], log_key[n[1], 1] = key[row, 0], key[row, 1]
            n[1] += 1
        if happens == DIVIDE:
            new = n[0]
            n[0] += 1
            divide(tables, effect, k, key[row], heft, base, copied, memory, spare[0], spare[1], spare[2])
            mother = key[row].copy()
            nursery = np.empty(2, np.uint64)
            nursery[0], nursery[1] = derived(mother, DAUGHTER, TEXT)
            f_key[new, 0], f_key[new, 1] = derived(nursery, np.uint64(1), RUN)
            f_parent[new], f_kind[new], f_born[new] = mother, tables.effects[effect, TO + 1], time
            f_draws[new], f_wait[new, 1], f_weight[new] = 0, -1.0, heft
            f_values[new] = 0.0
            for slot in range(tables.kinds[f_kind[new], SLOTS]):
                f_values[new, slot] = spare[2, slot]
            key[row, 0], key[row, 1] = derived(nursery, np.uint64(0), RUN)
            stream[0], stream[1] = derived(key[row], EVENTS, TEXT)
            parent[row], used = mother, 0
        elif happens == BECOME:
            spare[0, :n_slots] = memory[:n_slots]
            transit(tables, effect, SETS, k, tables.effects[effect, TO], base, spare[0], spare[1])
        else:
            for slot in range(n_slots):
                if tables.counted[k, slot]:
                    gone[k, slot] += heft * int(memory[slot])
            kind[row] = -1
            return OK, channel, time
        k = tables.effects[effect, TO]
        kind[row], born[row] = k, time
        about = tables.kinds[k]
        skip, n_reactions, first, n_slots = about[TAKING], about[REACTIONS], about[FIRST], about[SLOTS]
        rate, n_rates = about[RATE] + about[TAKING], about[CHANNELS] - about[TAKING]
        total = load(tables, k, spare[1], pools, time, True, memory)
        due = redraw(waiting, stream, used, time, total)
        if total < 0.0:
            outcome = NEGATIVE
            break
    draws[row] = used
    for slot in range(n_slots):
        values[row, slot] = memory[slot]
    return outcome, channel, time


@_compile
def window(
    tables: Any, last: int, place: Any, flag: Any, kind: Any, key: Any, parent: Any, born: Any, draws: Any, wait: Any,
    values: Any, weight: Any, f_kind: Any, f_key: Any, f_parent: Any, f_born: Any, f_draws: Any, f_wait: Any,
    f_values: Any, f_weight: Any, n: Any, memory: Any, spare: Any, base: Any, pools: Any, released: Any, fired: Any,
    gone: Any, copied: Any, log_time: Any, log_key: Any, log_channel: Any, log_weight: Any, begin: float, end: float,
    stop: Any, keep: bool,
) -> Any:  # fmt: skip
    """All cells of rows place[0] to last that are not done, each followed by its daughters.

    These are the fresh rows place[1] .. n[0]. flag [rows]: DONE for what the generated kernel has brought to `end`;
    another cell may be on its way.
    """
    while place[0] < last or place[1] < n[0]:
        if place[1] < n[0]:
            code, channel, time = _run_cell(
                tables, f_kind, f_key, f_parent, f_born, f_draws, f_wait, f_values, f_weight, place[1],
                f_kind, f_key, f_parent, f_born, f_draws, f_wait, f_values, f_weight,
                n, memory, spare, base, pools, released, fired, gone, copied,
                log_time, log_key, log_channel, log_weight, begin, end, stop, keep,
            )  # fmt: skip
            if code != OK:
                return code, channel, time
            place[1] += 1
        else:
            if kind[place[0]] >= 0 and flag[place[0]] != DONE:
                code, channel, time = _run_cell(
                    tables, kind, key, parent, born, draws, wait, values, weight, place[0],
                    f_kind, f_key, f_parent, f_born, f_draws, f_wait, f_values, f_weight,
                    n, memory, spare, base, pools, released, fired, gone, copied,
                    log_time, log_key, log_channel, log_weight, begin, end, stop, keep,
                )  # fmt: skip
                if code != OK:
                    return code, channel, time
            place[0] += 1
        if stop[0]:
            return STOPPED, 0, begin
    return OK, 0, end
