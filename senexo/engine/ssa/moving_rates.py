"""Waiting times under rates that change smoothly: the hazard is integrated until it has used up its exponential.

With E exponential, the next reaction comes when the integral of the total propensity since the last one reaches E
(the random time change, doi 10.1063/1.2799998). Quantities with rate rules and that integral are carried together
by the explicit Runge-Kutta pair of Dormand and Prince (doi 10.1016/0771-050X(80)90013-3) under error control, and
the moment of the reaction is found by shortening the last step until the integral meets E.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.machine import run as execute
from senexo.engine.status import NEGATIVE, NOT_A_NUMBER, OK, STEPS, STOPPED

TOLERANCE = 1e-9  # relative for quantities; absolute for the integral, whose scale is 1
_NOTHING = 1e-12
_MET = 1e-12  # the share of the exponential within which the integral has met it
MOST_STEPS = 10_000_000
BREATH = 256  # steps between two looks at the stop sign
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

_compile = kernel(internal=True)


class Stages(NamedTuple):
    """One step: the flowing quantities and, last, the integral of the total propensity, at its start and its end.

    k [stages, quantities + 1]: slopes.
    """

    y: NDArray[np.float64]
    end: NDArray[np.float64]
    k: NDArray[np.float64]


class _Where(NamedTuple):
    """Cells and rows that `_slopes` reads; all of them numbers, which cost no counting of references."""

    clock: int
    first: int
    last: int
    slope: int
    rate: int
    n_reactions: int


@_compile
def _slopes(code: Any, slots: Any, where: Any, memory: Any, time: float, y: Any, k: Any, stage: int) -> None:
    """Set the clock and the flowing quantities; put their slopes and, last, the total propensity into k[stage]."""
    memory[where.clock] = time
    for j in range(len(slots)):
        memory[slots[j]] = y[j]
    execute(code, where.first, where.last, memory)
    for j in range(len(slots)):
        k[stage, j] = memory[where.slope + j]
    total = 0.0
    for i in range(where.n_reactions):
        total += memory[where.rate + i]
    k[stage, len(slots)] = total


@_compile
def _attempt(core: Any, motion: Any, memory: Any, stages: Any, time: float, h: float, edge: float) -> float:
    """One step of length h, which computes k[0] too where h is 0; memory is left at its end.

    `edge` is the last moment before the next cut: what changes at the cut must not be seen. Returns error / tolerance.
    """
    y, end, k, code, slots = stages.y, stages.end, stages.k, core.code, motion.flow_slot
    where = _Where(core.time, motion.flow[0], motion.flow[1], motion.flow_cell, core.rate, core.n_reactions)
    n = len(y)
    if h == 0.0:
        _slopes(code, slots, where, memory, time, y, k, 0)
        return 0.0
    for stage in range(1, 7):
        for j in range(n):
            total = 0.0
            for earlier in range(stage):
                total += _STAGES[stage, earlier] * k[earlier, j]
            end[j] = y[j] + h * total
        _slopes(code, slots, where, memory, min(time + _NODES[stage] * h, edge), end, k, stage)
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
    """Is any trigger other than it was when events were last evaluated?"""
    different = False
    for e in range(len(was)):
        different |= (memory[core.trigger + e] != 0.0) != was[e]
    return different


@_compile
def _bad_rate(core: Any, memory: Any) -> Any:
    """(outcome, index) of the first propensity that is negative or no finite number."""
    for i in range(core.n_reactions):
        rate = memory[core.rate + i]
        if not (rate >= 0.0 and rate < np.inf):
            return (NEGATIVE if rate < 0.0 else NOT_A_NUMBER), i
    return OK, 0


@_compile
def _shorten_to_hazard(
    core: Any, motion: Any, memory: Any, stages: Any, time: float, h: float, edge: float, energy: float
) -> float:
    """The length at which the integral meets `energy`: Newton's method, its slope the propensity at the end.

    Memory is left there.
    """
    end, slope = stages.end, stages.k[6]
    low, high = 0.0, h
    for _ in range(100):
        gap = end[-1] - energy
        if abs(gap) <= _MET * energy:
            break
        if gap > 0.0:
            high = h
        else:
            low = h
        h = h - gap / slope[-1] if slope[-1] > 0.0 else low
        if not low < h < high:
            h = 0.5 * (low + high)
            if not low < h < high:
                h = high
        _attempt(core, motion, memory, stages, time, h, edge)
        if h == high:
            break
    return h


@_compile
def _shorten_to_turn(
    core: Any, motion: Any, memory: Any, stages: Any, time: float, h: float, edge: float, was: Any
) -> float:
    """The shortest length after which a trigger has turned, to neighbouring times; memory is left there."""
    low, high = 0.0, h
    while True:
        trial = 0.5 * (low + high)
        if not time + low < time + trial < time + high:
            break
        _attempt(core, motion, memory, stages, time, trial, edge)
        if turned(core, memory, was):
            high = trial
        else:
            low = trial
    _attempt(core, motion, memory, stages, time, high, edge)
    return high


@_compile
def flow_until(core: Any, motion: Any, work: Any, was: Any, until: float, last: float, step: Any, stop: Any) -> Any:
    """Flow from the run's time to `until`, or to the next reaction, or to where a trigger turns, whichever is first.

    The run's state and memory are left at that time; at a reaction nothing is left of the exponential. `last`: the
    run's end; `step` [1] carries the step size from call to call. Returns (outcome, index).
    """
    n = len(motion.flow_slot) + 1
    memory, state, time, energy = work.memory, work.state, work.state[0], work.state[1]
    edge = np.nextafter(until, -np.inf)
    y, end, k = np.empty(n), np.empty(n), np.empty((7, n))
    stages = Stages(y, end, k)
    for j in range(n - 1):
        y[j] = memory[motion.flow_slot[j]]
    if step[0] <= 0.0:
        step[0] = 1e-3 * last + 1e-300
    for number in range(MOST_STEPS):
        if time >= until:
            return OK, 0
        if number % BREATH == 0 and stop[0]:
            return STOPPED, 0
        y[n - 1] = 0.0
        _attempt(core, motion, memory, stages, time, 0.0, edge)
        outcome, index = _bad_rate(core, memory)
        if outcome != OK:
            return outcome, index
        h = min(step[0], until - time, max(last, until - time) * _SHARE)
        expected = energy / k[0, n - 1] if k[0, n - 1] > 0.0 else np.inf
        h = min(h, expected)
        whole = h >= until - time
        worst = _attempt(core, motion, memory, stages, time, h, edge)
        if worst > 1.0:
            step[0] = h * max(0.1, 0.9 * worst**-0.2)
            if time + step[0] <= time:
                return STEPS, 0
            continue
        fires = end[n - 1] >= energy * (1.0 - _MET)
        if fires:
            h = _shorten_to_hazard(core, motion, memory, stages, time, h, edge, energy)
        turns = turned(core, memory, was)
        if turns:
            h = _shorten_to_turn(core, motion, memory, stages, time, h, edge, was)
            fires = fires and end[n - 1] >= energy * (1.0 - _MET)
        time = until if whole and not (fires or turns) else time + h
        memory[core.time] = time
        energy = 0.0 if fires else energy - end[n - 1]
        state[0], state[1] = time, energy
        for j in range(n - 1):
            y[j] = end[j]
        if fires or turns:
            return _bad_rate(core, memory)
        if h >= step[0] * 0.999:
            step[0] = h * min(5.0, 0.9 * max(worst, 1e-10) ** -0.2)
    return STEPS, 0
