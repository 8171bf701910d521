"""Waiting times under rates that change smoothly: the hazard is integrated until it has used up its exponential.

With E exponential, the next reaction comes when the integral of the total propensity since the last one reaches E
(the random time change, doi 10.1063/1.2799998). Quantities with rate rules and that integral are carried together
by the explicit Runge-Kutta pair of Dormand and Prince (doi 10.1016/0771-050X(80)90013-3) under error control, and
the moment of the reaction is found by shortening the last step until the integral meets E.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from senexo.engine.compiling import kernel
from senexo.engine.machine import run as execute
from senexo.engine.ssa_outcome import NEGATIVE, NOT_A_NUMBER, OK, STEPS

TOLERANCE = 1e-9  # relative for quantities; absolute for the integral, whose scale is 1
_NOTHING = 1e-12
MOST_STEPS = 10_000_000
_SHARE = 1.0 / 50.0  # of the run: longest step, so that a short pulse is not stepped over

_NODES = np.array([0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0])
_STAGES = np.array([
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [1 / 5, 0.0, 0.0, 0.0, 0.0, 0.0],
    [3 / 40, 9 / 40, 0.0, 0.0, 0.0, 0.0],
    [44 / 45, -56 / 15, 32 / 9, 0.0, 0.0, 0.0],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0.0, 0.0],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0.0],
    [35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
])  # fmt: skip
_ERROR = np.array([71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40])

_compile = kernel()


@_compile
def _slopes(core: Any, motion: Any, memory: Any, time: float, y: Any, into: Any) -> None:
    """Set the clock and the flowing quantities, and find their slopes and, last, the total propensity."""
    n = len(motion.flow_slot)
    memory[core.time] = time
    for j in range(n):
        memory[motion.flow_slot[j]] = y[j]
    execute(core.code, motion.flow[0], motion.flow[1], memory)
    for j in range(n):
        into[j] = memory[motion.flow_cell + j]
    total = 0.0
    for i in range(core.n_reactions):
        total += memory[core.rate + i]
    into[n] = total


@_compile
def _attempt(
    core: Any, motion: Any, memory: Any, time: float, h: float, edge: float, y: Any, k: Any, end: Any
) -> float:
    """One step of length h from y into `end`, k[0] being known; memory is left at its end.

    `edge` is the last moment before the next cut: what changes at the cut must not be seen. Returns error / tolerance.
    """
    n = len(y)
    for stage in range(1, 7):
        for j in range(n):
            total = 0.0
            for earlier in range(stage):
                total += _STAGES[stage, earlier] * k[earlier, j]
            end[j] = y[j] + h * total
        _slopes(core, motion, memory, min(time + _NODES[stage] * h, edge), end, k[stage])
    worst = 0.0
    for j in range(n):
        error = 0.0
        for stage in range(7):
            error += _ERROR[stage] * k[stage, j]
        size = max(abs(y[j]), abs(end[j])) if j < n - 1 else 1.0
        worst = max(worst, abs(h * error) / (TOLERANCE * size + _NOTHING))
        if np.isnan(end[j]):
            worst = np.inf
    return worst


@_compile
def turned(core: Any, memory: Any, was: Any) -> bool:
    """Is any trigger other than it was when events were last looked at?"""
    different = False
    for e in range(len(was)):
        different |= (memory[core.trigger + e] != 0.0) != was[e]
    return different


@_compile
def _shorten_to_hazard(
    core: Any, motion: Any, memory: Any, time: float, h: float, edge: float, y: Any, k: Any, end: Any, energy: float
) -> float:
    """The length at which the integral meets `energy`, by the Illinois false position; memory is left there."""
    low, high = 0.0, h
    at_low, at_high = -energy, end[-1] - energy
    for _ in range(100):
        if at_high == at_low:
            break
        trial = high - at_high * (high - low) / (at_high - at_low)
        if not low < trial < high:
            trial = 0.5 * (low + high)
            if not low < trial < high:
                break
        _attempt(core, motion, memory, time, trial, edge, y, k, end)
        gap = end[-1] - energy
        if abs(gap) <= 1e-14 * max(1.0, energy):
            return trial
        if gap < 0.0:
            low, at_low = trial, gap
            at_high *= 0.5
        else:
            high, at_high = trial, gap
            at_low *= 0.5
    _attempt(core, motion, memory, time, high, edge, y, k, end)
    return high


@_compile
def _shorten_to_turn(
    core: Any, motion: Any, memory: Any, time: float, h: float, edge: float, y: Any, k: Any, end: Any, was: Any
) -> float:
    """The shortest length after which a trigger has turned, to neighbouring times; memory is left there."""
    low, high = 0.0, h
    while True:
        trial = 0.5 * (low + high)
        if not time + low < time + trial < time + high:
            break
        _attempt(core, motion, memory, time, trial, edge, y, k, end)
        if turned(core, memory, was):
            high = trial
        else:
            low = trial
    _attempt(core, motion, memory, time, high, edge, y, k, end)
    return high


@_compile
def flow_until(
    core: Any, motion: Any, memory: Any, time: float, until: float, last: float, energy: float, was: Any, step: Any
) -> Any:
    """Flow from `time` to `until`, or to the next reaction, or to where a trigger turns, whichever is first.

    Returns (outcome, index, time, what is left of `energy`): nothing is left at a reaction. Memory is left at that
    time. `step` [1] carries the step size from call to call.
    """
    n = len(motion.flow_slot) + 1
    edge = np.nextafter(until, -np.inf)
    y, end, k = np.empty(n), np.empty(n), np.empty((7, n))
    for j in range(n - 1):
        y[j] = memory[motion.flow_slot[j]]
    if step[0] <= 0.0:
        step[0] = 1e-3 * max(last, 1e-300)
    for _ in range(MOST_STEPS):
        if time >= until:
            return OK, 0, time, energy
        y[n - 1] = 0.0
        _slopes(core, motion, memory, time, y, k[0])
        for i in range(core.n_reactions):
            rate = memory[core.rate + i]
            if not (rate >= 0.0 and rate < np.inf):
                return (NEGATIVE if rate < 0.0 else NOT_A_NUMBER), i, time, energy
        h = min(step[0], until - time, max(last, until - time) * _SHARE)
        if k[0, n - 1] > 0.0:
            h = min(h, 1.25 * energy / k[0, n - 1] + 1e-12 * last)
        whole = h >= until - time
        worst = _attempt(core, motion, memory, time, h, edge, y, k, end)
        if worst > 1.0:
            step[0] = h * max(0.1, 0.9 * worst**-0.2)
            if time + step[0] <= time:
                return STEPS, 0, time, energy
            continue
        turns, fires = turned(core, memory, was), end[n - 1] >= energy
        if fires:
            h = _shorten_to_hazard(core, motion, memory, time, h, edge, y, k, end, energy)
            turns = turned(core, memory, was)
            whole = False
        if turns:
            h = _shorten_to_turn(core, motion, memory, time, h, edge, y, k, end, was)
            fires = fires and end[n - 1] >= energy
            whole = False
        time = until if whole else time + h
        memory[core.time] = time
        energy = 0.0 if fires else energy - end[n - 1]
        for j in range(n - 1):
            y[j] = end[j]
        if fires or turns:
            for i in range(core.n_reactions):
                rate = memory[core.rate + i]
                if not (rate >= 0.0 and rate < np.inf):
                    return (NEGATIVE if rate < 0.0 else NOT_A_NUMBER), i, time, energy
            return OK, 0, time, energy
        if h >= step[0] * 0.999:
            step[0] = h * min(5.0, 0.9 * max(worst, 1e-10) ** -0.2)
    return STEPS, 0, time, energy
