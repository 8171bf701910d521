"""The exact stochastic kernel that reads tables: what all its forms share, and the plain form.

Direct method (Gillespie 1977, doi 10.1021/j100540a008) in the form that all kernels of this package share. With
propensities a_1 .. a_n in blocks of m, w_i the running sum inside a block, B_b the running sum of whole blocks and
T their total:

1. draw n gives (a, b); E = -log a; the next reaction is due at t + E / T;
2. when anything else comes first, at time c: E := E - (c - t) T, t := c, and propensities are found anew; so a dose,
   an event or a jump of a rate cuts the waiting time and the run stays exact (Anderson 2007, doi 10.1063/1.2799998);
3. the reaction is the first i with B_b + w_i > b T; afterwards only what it made stale is computed again.

The plain form knows no step 2 and compiles in about a second; `senexo.engine.ssa.kernel_events` has the rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.machine import run as execute
from senexo.engine.rng import REACTIONS, RUN, exponential, threefry, unit
from senexo.engine.ssa.tables import AFTER, AFTER_END, CHANGES, MOVES_CUT, STALE, WATCHED
from senexo.engine.status import (
    CUT,
    DEPLETED,
    FIRED,
    LARGEST,
    LOOK,
    NEGATIVE,
    NOT_A_NUMBER,
    NOT_WHOLE,
    OK,
    STOICHIOMETRY,
    STOPPED,
    TOO_LONG,
    TOO_MANY,
)

BREATH = 65_536  # reactions between two looks at the stop sign
_NO_EVENTS = np.zeros(0, dtype=np.bool_)

_compile = kernel(internal=True)


@_compile
def add_up(core: Any, memory: Any, within: Any, before: Any) -> float:
    """All running sums; returns the total."""
    for block in range(len(before) - 1):
        total = 0.0
        for i in range(block * core.block, (block + 1) * core.block):
            total += memory[core.rate + i]
            within[i] = total
        before[block + 1] = before[block] + total
    return before[len(before) - 1]


@_compile
def compute_all(core: Any, memory: Any) -> Any:
    """Bring everything up to date; returns (outcome, index) of the first thing that has no stochastic meaning."""
    execute(core.code, core.everything[0], core.everything[1], memory)
    for i in range(core.n_reactions):
        rate = memory[core.rate + i]
        if not rate >= 0.0:
            return (NEGATIVE if rate < 0.0 else NOT_A_NUMBER), i
        if rate == np.inf:
            return NOT_A_NUMBER, i
    for k in range(len(core.changes)):
        coefficient = memory[core.changes[k, 1]]
        if coefficient != np.rint(coefficient):
            return STOICHIOMETRY, core.changes[k, 0]
    return whole_counts(core, memory)


@_compile
def whole_counts(core: Any, memory: Any) -> Any:
    """Counts that are whole but for rounding are made whole; any other is an outcome."""
    for k in range(len(core.counted)):
        count = memory[core.counted[k]]
        whole = np.rint(count)
        if count >= LARGEST:
            return TOO_MANY, core.counted[k]
        if not (abs(count - whole) <= 1e-9 * (1.0 + abs(count)) and whole >= 0.0):
            return NOT_WHOLE, core.counted[k]
        memory[core.counted[k]] = whole
    return OK, 0


@_compile
def begin(work: Any, start: Any, r: int) -> None:
    """Put run r of `start` at its beginning: its own key, time 0, its first draw, the values it starts from."""
    memory, values = work.memory, start.values
    for slot in range(len(values)):  # a loop, because numba takes seconds to compile the assignment of a slice
        memory[slot] = values[slot]
    key, state, count = work.key, work.state, work.done
    key[0], key[1] = threefry(start.key[0], start.key[1], np.uint64(start.first_run + r), RUN)
    x, y = threefry(key[0], key[1], np.uint64(0), REACTIONS)
    state[0], state[1], state[2], state[3] = 0.0, exponential(x), unit(y), 0.0
    count[0], count[1] = 0, 0


@_compile
def advance(core: Any, work: Any, request: Any, was: Any, cut: float, single: bool, out: Any) -> Any:
    """Reactions and outputs up to the time `cut`, or to a reaction that turns a trigger, or (`single`) to the first.

    All in one loop with its own names for the tables: numba counts references to each array that is handed to a
    function or read from a tuple, and that would take longer than the reaction. Returns (outcome, index).
    """
    rows, reactions, stale, changes, rate, size = (
        core.code,
        core.reactions,
        core.stale,
        core.changes,
        core.rate,
        core.block,
    )
    trigger, clock = core.trigger, core.time
    times, most, trace, stop = request.times, request.most, request.trace, request.stop
    memory = work.memory
    key, state, count, within, before = work.key, work.state, work.done, work.within, work.before
    n_slots, n_blocks = out.shape[1], len(before) - 1
    time, energy, choice, total = state[0], state[1], state[2], state[3]
    n_out, n_fired = count[0], count[1]
    outcome, index = OK, 0
    while True:
        due = time + energy / total if total > 0.0 else np.inf
        while n_out < len(times) and times[n_out] < due and times[n_out] < cut:
            for slot in range(n_slots):
                out[n_out, slot] = memory[slot]
            n_out += 1
        if n_out == len(times):
            break
        if cut <= due:
            outcome, energy, time = CUT, energy - (cut - time) * total, cut
            energy = energy if energy > 0.0 else 0.0
            break
        time = due
        memory[clock] = time

        target, block = choice * total, 0
        while block < n_blocks - 1 and before[block + 1] <= target:
            block += 1
        i = block * size
        while i < (block + 1) * size - 1 and before[block] + within[i] <= target:
            i += 1
        if n_fired < len(trace):
            trace[n_fired, 0], trace[n_fired, 1] = time, i

        index = i
        for k in range(reactions[i, CHANGES], reactions[i + 1, CHANGES]):
            slot = changes[k, 0]
            memory[slot] += memory[changes[k, 1]]
            if memory[slot] < 0.0:
                outcome = DEPLETED
            elif memory[slot] >= LARGEST:
                outcome, index = TOO_MANY, slot
        execute(rows, reactions[i, AFTER], reactions[i, AFTER_END], memory)
        first, last = reactions[i, STALE], reactions[i + 1, STALE]
        summed = -1
        for k in range(first, last):
            propensity = memory[rate + stale[k]]
            if not (propensity >= 0.0 and propensity < np.inf) and outcome == OK:
                outcome, index = (NEGATIVE if propensity < 0.0 else NOT_A_NUMBER), stale[k]
            block = stale[k] // size
            if block != summed:
                summed, sum_within = block, 0.0
                for place in range(block * size, (block + 1) * size):
                    sum_within += memory[rate + place]
                    within[place] = sum_within
        if first < last:
            for block in range(stale[first] // size, n_blocks):
                before[block + 1] = before[block] + within[(block + 1) * size - 1]
            total = before[n_blocks]
        if outcome != OK:
            break
        n_fired += 1
        x, y = threefry(key[0], key[1], np.uint64(n_fired), REACTIONS)
        energy, choice = exponential(x), unit(y)

        turned = reactions[i, MOVES_CUT] != 0
        if reactions[i, WATCHED]:
            for e in range(len(was)):
                turned |= (memory[trigger + e] != 0.0) != was[e]
        if n_fired >= most:
            outcome = TOO_LONG
        elif n_fired % BREATH == 0 and stop[0]:
            outcome = STOPPED
        elif turned or single:
            outcome = LOOK if turned else FIRED
        if outcome != OK:
            break
    state[0], state[1], state[2], state[3] = time, energy, choice, total
    count[0], count[1] = n_out, n_fired
    return outcome, index


@kernel()
def simulate_plain(core: Any, work: Any, start: Any, request: Any, out: Any) -> Any:
    """Runs start.first_run and those after it into out [runs, n_times, n_slots], each with its own stream.

    Returns (outcome, index, run) of the first run that failed, or of the last run; `work` is left as it was then.
    """
    outcome, index, r = OK, 0, 0
    for r in range(out.shape[0]):
        begin(work, start, r)
        outcome, index = compute_all(core, work.memory)
        if outcome == OK:
            work.state[3] = add_up(core, work.memory, work.within, work.before)
            outcome, index = advance(core, work, request, _NO_EVENTS, np.inf, False, out[r])
        if outcome == OK and request.stop[0]:
            outcome = STOPPED
        if outcome != OK:
            break
    return outcome, index, r
