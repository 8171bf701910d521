"""Cells in a window, by tables: for any network, for fates and their daughters, and the oracle of generated kernels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.machine import run as execute
from senexo.engine.population.fates import fate
from senexo.engine.population.kernel import EVENTS, TEXT, derived, load, meet, redraw
from senexo.engine.population.rows import Floats, Ints
from senexo.engine.population.tables import (
    AFTER,
    AFTER_END,
    CHANGES,
    CHANGES_END,
    CHANNELS,
    DIVIDE,
    FIRST,
    RATE,
    REACTIONS,
    SLOTS,
    TAKING,
)
from senexo.engine.rng import REACTIONS as DRAWS
from senexo.engine.rng import exponential, threefry, unit
from senexo.engine.status import DEPLETED, NEGATIVE, OK, STOPPED, THINNED

DONE = 0  # of a cell at the window's end

_compile = kernel(internal=True)
_inlined = kernel(internal=True, forceinline=True)


class Part(NamedTuple):
    """One part of a window's work.

    place [2]: the next row, and the next of the fresh ones; last: of the rows, not included; flag [rows]: `DONE` for a
    cell that is at the window's end; memory: of one cell; released [pools].
    """

    place: Ints
    last: int
    flag: NDArray[np.int8]
    memory: Floats
    released: Ints


class _Kind(NamedTuple):
    """Of the kind of a cell, with what takes from pools left out; numbers, which cost no counting of references."""

    rate: int
    n_rates: int
    skip: int
    n_reactions: int
    first: int
    n_slots: int


@_inlined
def _about(tables: Any, k: int) -> Any:
    about = tables.kinds[k]
    skip = about[TAKING]
    return _Kind(about[RATE] + skip, about[CHANNELS] - skip, skip, about[REACTIONS], about[FIRST], about[SLOTS])


@_inlined
def _reactions(
    tables: Any, part: Any, fired: Any, span: Any, kind: Any, waiting: Any, stream: Any, weight: int, used: int,
    due: float,
) -> Any:  # fmt: skip
    """Reactions of one cell up to the end of the window or to a fate, which is left to the caller.

    What `senexo.engine.population.kernel` has in functions stands here in one loop with its own names: numba counts
    references to every array that is handed on or read from a tuple, and that takes longer than the reaction. What the
    cell releases and what it does is counted as often as its weight.
    Returns (outcome, channel of the kind, place in its share, draws, time, due, events).
    """
    code, channels, changes, memory, released = tables.code, tables.channels, tables.changes, part.memory, part.released
    end, stop, rate, n_rates = span.end, span.stop, kind.rate, kind.n_rates
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
        if r + kind.skip >= kind.n_reactions:
            propensity = memory[rate + r]
            if before + propensity <= target:  # rounding went past the last channel; it is the last one's
                before -= propensity
            inside = (target - before) / propensity
            break
        channel = kind.first + kind.skip + r
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
    return outcome, r + kind.skip, inside, used, time, due, events


@_inlined
def _run_cell(tables: Any, rows: Any, row: int, fresh: Any, part: Any, work: Any, span: Any) -> Any:
    """One cell from where it is to the end of the window; second daughters go to fresh rows.

    Returns (outcome, channel, time). ROOM and FULL leave the cell before the event that needs more room.
    """
    memory, n, spare, values, fired = part.memory, work.n, work.spare, rows.values, work.counts.fired
    stream = np.empty(2, np.uint64)
    stream[0], stream[1] = derived(rows.key[row], EVENTS, TEXT)
    waiting, time = rows.wait[row], max(span.begin, rows.born[row])
    kind = _about(tables, rows.kind[row])
    total = load(tables, rows.kind[row], values[row], span.pools, time, True, memory)
    due = meet(waiting, stream, rows.draws[row], time, total)
    outcome, channel, time = OK, 0, span.begin
    if total < 0.0:
        return NEGATIVE, kind.first, span.begin
    used = rows.draws[row]
    while due <= span.end:
        outcome, r, inside, used, time, due, events = _reactions(
            tables, part, fired, span, kind, waiting, stream, rows.weight[row], used, due
        )
        n[2] += events
        channel = kind.first + r
        if outcome != OK or due > span.end:
            break
        outcome, happens = fate(tables, work, rows, row, fresh, channel, inside, time, memory)
        if outcome == THINNED:
            outcome = OK
            used += 1
            due = redraw(waiting, stream, used, time, waiting[2])
            continue
        if outcome != OK:
            break
        if rows.kind[row] < 0:
            return OK, channel, time
        used += 1
        if happens == DIVIDE:
            new, used = n[0] - 1, 0
            fresh.values[new] = 0.0
            for slot in range(tables.kinds[fresh.kind[new], SLOTS]):
                fresh.values[new, slot] = spare[2, slot]
            stream[0], stream[1] = derived(rows.key[row], EVENTS, TEXT)
        kind = _about(tables, rows.kind[row])
        total = load(tables, rows.kind[row], spare[1], span.pools, time, True, memory)
        due = redraw(waiting, stream, used, time, total)
        if total < 0.0:
            outcome = NEGATIVE
            break
    rows.draws[row] = used
    for slot in range(kind.n_slots):
        values[row, slot] = memory[slot]
    return outcome, channel, time


@kernel()
def run_cells(tables: Any, rows: Any, fresh: Any, part: Any, work: Any, span: Any) -> Any:
    """All cells of rows part.place[0] .. part.last - 1 that are not done, each followed by its daughters.

    These are the fresh rows part.place[1] .. work.n[0]. A cell that a generated kernel left may be on its way.
    """
    place, last, flag, kind, n, stop = part.place, part.last, part.flag, rows.kind, work.n, span.stop
    while True:
        daughter = place[1] < n[0]
        if not daughter:
            row = place[0]
            while row < last and (kind[row] < 0 or flag[row] == DONE):
                row += 1
            place[0] = row
            if row == last:
                return OK, 0, span.end
        here, row = (fresh, place[1]) if daughter else (rows, place[0])
        code, channel, time = _run_cell(tables, here, row, fresh, part, work, span)
        if code != OK:
            return code, channel, time
        place[1 if daughter else 0] += 1
        if stop[0]:
            return STOPPED, 0, span.begin
