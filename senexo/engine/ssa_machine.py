"""The exact stochastic kernel that reads tables: every network, every feature, compiled once for all of them.

Direct method (Gillespie 1977, doi 10.1021/j100540a008) in the form that all kernels of this room share. With
propensities a_1 .. a_n in blocks of m, w_i the running sum inside a block, B_b the running sum of whole blocks and
T their total:

1. draw n gives (a, b); E = -log a; the next reaction is due at t + E / T;
2. when anything else comes first, at time c: E := E - (c - t) T, t := c, and propensities are found anew; so a dose,
   an event or a jump of a rate cuts the waiting time and the run stays exact (Anderson 2007, doi 10.1063/1.2799998);
3. the reaction is the first i with B_b + w_i > b T; afterwards only what it made stale is computed again.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from senexo.engine.machine import run as execute
from senexo.engine.random import REACTIONS, RUN, TIES, exponential, threefry, unit
from senexo.engine.ssa_flow import flow_until, turned
from senexo.engine.ssa_outcome import (
    CASCADE,
    DELAY,
    DEPLETED,
    NEGATIVE,
    NOT_A_NUMBER,
    NOT_WHOLE,
    OK,
    STOICHIOMETRY,
    STOPPED,
    TOO_LONG,
    WAITING,
)
from senexo.engine.ssa_tables import GAP, WHEN

MOST_AT_ONCE = 10_000  # events at one instant
MOST_WAITING = 4_096  # events triggered and not yet executed
_BREATH = 65_536  # reactions between two looks at the stop sign

_compile = numba.njit(nogil=True, error_model="numpy", cache=True)


@_compile
def _add_up(p: Any, memory: Any, within: Any, before: Any) -> float:
    """All running sums; returns the total."""
    for block in range(len(before) - 1):
        total = 0.0
        for i in range(block * p.block, (block + 1) * p.block):
            total += memory[p.rate + i]
            within[i] = total
        before[block + 1] = before[block] + total
    return before[len(before) - 1]


@_compile
def _add_up_stale(p: Any, memory: Any, within: Any, before: Any, first: int, last: int) -> float:
    """Running sums of the blocks that hold propensities stale[first:last], and all that build on them."""
    done = -1
    for k in range(first, last):
        block = p.stale[k] // p.block
        if block == done:
            continue
        done = block
        total = 0.0
        for i in range(block * p.block, (block + 1) * p.block):
            total += memory[p.rate + i]
            within[i] = total
    if first < last:
        for block in range(p.stale[first] // p.block, len(before) - 1):
            before[block + 1] = before[block] + within[(block + 1) * p.block - 1]
    return before[len(before) - 1]


@_compile
def _choose(p: Any, within: Any, before: Any, target: float) -> int:
    """The first reaction whose running sum exceeds the target; it has a propensity above 0."""
    block = 0
    while block < len(before) - 2 and before[block + 1] <= target:
        block += 1
    base, i = before[block], block * p.block
    while i < (block + 1) * p.block - 1 and base + within[i] <= target:
        i += 1
    return i


@_compile
def _compute_all(p: Any, memory: Any) -> Any:
    """Bring everything up to date; returns (outcome, index) of the first thing that has no stochastic meaning."""
    execute(p.code, p.everything[0], p.everything[1], memory)
    for i in range(p.n_reactions):
        rate = memory[p.rate + i]
        if not rate >= 0.0:
            return (NEGATIVE if rate < 0.0 else NOT_A_NUMBER), i
        if rate == np.inf:
            return NOT_A_NUMBER, i
    for k in range(len(p.change_cell)):
        coefficient = memory[p.change_cell[k]]
        if coefficient != np.rint(coefficient):
            return STOICHIOMETRY, p.change_slot[k]
    return _whole_counts(p, memory)


@_compile
def _whole_counts(p: Any, memory: Any) -> Any:
    """Counts that are whole but for rounding are made whole; any other is an outcome."""
    for k in range(len(p.counted)):
        count = memory[p.counted[k]]
        whole = np.rint(count)
        if not (abs(count - whole) <= 1e-9 * max(1.0, abs(count)) and whole >= 0.0):
            return NOT_WHOLE, p.counted[k]
        memory[p.counted[k]] = whole
    return OK, 0


@_compile
def _next_cut(p: Any, memory: Any, time: float) -> float:
    """The next moment at which a moving switch may turn; a cut too many changes nothing but the work."""
    execute(p.code, p.cuts[0], p.cuts[1], memory)
    soonest = np.inf
    for k in range(len(p.cut_kind)):
        cell = p.cut_cell[k]
        value, slope = memory[cell], memory[cell + 1]
        kind = p.cut_kind[k]
        if kind == WHEN:
            turn = value
        elif slope == 0.0:
            continue
        elif kind == GAP:
            turn = time - value / slope
        elif slope > 0.0:
            turn = time + (np.floor(value) + 1.0 - value) / slope
        else:
            turn = time + (np.ceil(value) - 1.0 - value) / slope
        # "time > 5" turns just after 5; a computed turn may lie a rounding beside the true one.
        slack = 0.0 if kind == WHEN else 1e-14 * abs(time)
        if turn > time + 0.2 * slack:
            soonest = min(soonest, turn)
        elif turn >= time - slack:
            soonest = min(soonest, max(np.nextafter(time, np.inf), time + 2.0 * slack))
    return soonest


@_compile
def _notice(p: Any, memory: Any, time: float, was: Any, queue: Any) -> Any:
    """Queue events whose trigger became true, drop those that do not persist and whose trigger became false."""
    events, due, values, count = queue
    for e in range(len(was)):
        now = memory[p.trigger + e] != 0.0
        if now == was[e]:
            continue
        was[e] = now
        if now:
            delay = 0.0
            if p.delay[e, 1] > p.delay[e, 0]:
                execute(p.code, p.delay[e, 0], p.delay[e, 1], memory)
                delay = memory[p.scratch[e]]
                if not delay >= 0.0:
                    return DELAY, e
            if count[0] == len(events):
                return WAITING, e
            events[count[0]] = e
            due[count[0]] = time + delay
            if p.early[e]:
                _values(p, memory, e, values[count[0]])
            count[0] += 1
        elif not p.persistent[e]:
            kept = 0
            for k in range(count[0]):
                if events[k] != e:
                    _move(queue, k, kept)
                    kept += 1
            count[0] = kept
    return OK, 0


@_compile
def _move(queue: Any, k: int, to: int) -> None:
    events, due, values, _ = queue
    events[to] = events[k]
    due[to] = due[k]
    values[to, :] = values[k, :]


@_compile
def _values(p: Any, memory: Any, e: int, into: Any) -> None:
    execute(p.code, p.assign[e, 0], p.assign[e, 1], memory)
    first = p.value_first[e]
    for k in range(first, p.value_first[e + 1]):
        into[k - first] = memory[p.value_cell + k]


@_compile
def _next_event(p: Any, memory: Any, time: float, queue: Any, key: Any, ties: Any) -> int:
    """The place in the queue of the event to execute now, -1 for none: highest priority, then by lot among equals.

    Events without priority go last, in the order in which they were triggered.
    """
    events, due, _, count = queue
    best, highest, equals = -1, -np.inf, 0
    for k in range(count[0]):
        if due[k] > time:
            continue
        e, priority = events[k], -np.inf
        if p.priority[e, 1] > p.priority[e, 0]:
            execute(p.code, p.priority[e, 0], p.priority[e, 1], memory)
            priority = memory[p.scratch[e]]
            if np.isnan(priority):
                priority = -np.inf
        if best < 0 or priority > highest:
            best, highest, equals = k, priority, 1
        elif priority == highest and priority > -np.inf:
            equals += 1
            x, _ = threefry(key[0], key[1], ties[0], TIES)
            ties[0] += np.uint64(1)
            if unit(x) * equals < 1.0:
                best = k
    return best


@_compile
def _settle(p: Any, memory: Any, time: float, was: Any, queue: Any, key: Any, ties: Any) -> Any:
    """Let everything happen that happens at this instant (SBML Level 3 Version 2, section 4.12)."""
    events, _, values, count = queue
    for _ in range(MOST_AT_ONCE):
        code, index = _notice(p, memory, time, was, queue)
        if code != OK:
            return code, index
        k = _next_event(p, memory, time, queue, key, ties)
        if k < 0:
            return OK, 0
        e = events[k]
        value = values[k].copy()
        if not p.early[e]:
            _values(p, memory, e, value)
        for later in range(k + 1, count[0]):
            _move(queue, later, later - 1)
        count[0] -= 1
        first, last = p.value_first[e], p.value_first[e + 1]
        for j in range(first, last):
            if p.value_size[j] < 0:
                memory[p.value_slot[j]] = value[j - first]
        execute(p.code, p.everything[0], p.everything[1], memory)
        for j in range(first, last):
            if p.value_size[j] >= 0:
                memory[p.value_slot[j]] = value[j - first] * memory[p.value_size[j]]
        code, index = _whole_counts(p, memory)
        if code != OK:
            return code, index
        execute(p.code, p.everything[0], p.everything[1], memory)
    return CASCADE, events[0]


@_compile
def _one_run(p: Any, flows: bool, memory: Any, key: Any, times: Any, most: int, out: Any, trace: Any, stop: Any) -> Any:
    """One trajectory from time 0; memory holds its start. Returns (outcome, index, time, reactions fired)."""
    n_slots = out.shape[1]
    n_values = 1
    for e in range(len(p.initial)):
        n_values = max(n_values, p.value_first[e + 1] - p.value_first[e])
    room = MOST_WAITING if len(p.initial) else 1
    queue = (np.empty(room, np.int64), np.empty(room), np.empty((room, n_values)), np.zeros(1, np.int64))
    was = p.initial.copy()
    ties = np.zeros(1, np.uint64)
    step = np.zeros(1)
    n_blocks = (p.n_reactions + p.block - 1) // p.block
    within, before = np.zeros(n_blocks * p.block), np.zeros(n_blocks + 1)
    cuts = len(p.cut_kind) > 0

    time, n_out, n_fired, total = 0.0, 0, 0, 0.0
    energy, choice, drawn = 0.0, 0.0, False
    fresh = True  # something beside a reaction happened: look at everything
    cut = np.inf
    while n_out < len(times):
        if fresh:
            memory[p.time] = time
            code, index = _compute_all(p, memory)
            if code == OK and len(was):
                code, index = _settle(p, memory, time, was, queue, key, ties)
                if code == OK:
                    code, index = _compute_all(p, memory)
            if code != OK:
                return code, index, time, n_fired
            total = _add_up(p, memory, within, before)
            cut = _next_cut(p, memory, time) if cuts else np.inf
            for k in range(queue[3][0]):
                cut = min(cut, queue[1][k])
            fresh = False
        if not drawn:
            x, y = threefry(key[0], key[1], np.uint64(n_fired), REACTIONS)
            energy, choice, drawn = exponential(x), unit(y), True
        if flows:
            until = min(cut, times[n_out])
            code, index, time, energy = flow_until(p, memory, time, until, times[-1], energy, was, step)
            if code != OK:
                return code, index, time, n_fired
            due = time if energy <= 0.0 else np.inf
            fresh = due == np.inf
            total = _add_up(p, memory, within, before)
            if fresh and time == times[n_out] and time < cut:
                fresh = turned(p, memory, was)
                if not fresh:  # nothing but an output happens here
                    out[n_out, :] = memory[:n_slots]
                    n_out += 1
            while n_out < len(times) and times[n_out] < time:
                out[n_out, :] = memory[:n_slots]
                n_out += 1
            if due == np.inf:
                continue
        else:
            due = time + energy / total if total > 0.0 else np.inf
            ahead = min(due, cut)
            while n_out < len(times) and times[n_out] < ahead:
                out[n_out, :] = memory[:n_slots]
                n_out += 1
            if n_out == len(times):
                break
            if cut <= due:
                energy = max(0.0, energy - (cut - time) * total)
                time = cut
                fresh = True
                continue
            time = due
            memory[p.time] = time
        i = _choose(p, within, before, choice * total)
        if len(trace) and n_fired < len(trace):
            trace[n_fired, 0], trace[n_fired, 1] = time, i
        for k in range(p.change_first[i], p.change_first[i + 1]):
            memory[p.change_slot[k]] += memory[p.change_cell[k]]
            if memory[p.change_slot[k]] < 0.0:
                return DEPLETED, i, time, n_fired
        drawn = False
        n_fired += 1
        execute(p.code, p.after[i, 0], p.after[i, 1], memory)
        for k in range(p.stale_first[i], p.stale_first[i + 1]):
            rate = memory[p.rate + p.stale[k]]
            if not (rate >= 0.0 and rate < np.inf):
                return (NEGATIVE if rate < 0.0 else NOT_A_NUMBER), p.stale[k], time, n_fired
        total = _add_up_stale(p, memory, within, before, p.stale_first[i], p.stale_first[i + 1])
        fresh = p.moves_cut[i] or (p.watches[i] and turned(p, memory, was))
        if n_fired >= most:
            return TOO_LONG, i, time, n_fired
        if n_fired % _BREATH == 0 and stop[0]:
            return STOPPED, i, time, n_fired
    return OK, 0, time, n_fired


@_compile
def simulate_tables(
    p: Any, flows: bool, memory: Any, start: Any, seed_key: Any, first_run: int, times: Any, most: int,
    out: Any, trace: Any, stop: Any,
) -> Any:  # fmt: skip
    """Runs first_run, first_run + 1, ... into out [runs, n_times, n_slots], each from `start` with its own stream.

    trace: [events, 2] takes (time, reaction) of the first reactions of every run in turn, [0, 2] for none.
    stop: a sign [1] by which another thread ends the work. Returns (outcome, index, time, run) of the first failure.
    """
    fresh = memory.copy()
    key = np.empty(2, np.uint64)
    for r in range(out.shape[0]):
        memory[:] = fresh
        memory[: len(start)] = start
        key[0], key[1] = threefry(seed_key[0], seed_key[1], np.uint64(first_run + r), RUN)
        code, index, time, _ = _one_run(p, flows, memory, key, times, most, out[r], trace, stop)
        if code != OK:
            return code, index, time, first_run + r
        if stop[0]:
            return STOPPED, 0, 0.0, first_run + r
    return OK, 0, 0.0, first_run
