"""The backward equation of a branching process, integrated to a relative error by extrapolation, compiled.

Gragg's smoothed midpoint rule with Aitken and Neville's extrapolation in the square of the step (Hairer, Norsett and
Wanner 1993, doi 10.1007/978-3-540-78862-1, section II.9). Extinction f and survival s = 1 - f of each type are carried
side by side, so that neither is lost in rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from senexo.engine.formula.kernels import kernel

RELATIVE = 1e-11  # error of a step, relative to each probability
LEAST = 1e-30  # and absolute
COLUMNS, FEWEST, EASY = 9, 3, 6  # of the extrapolation: the most, the first that is tested, the last that grows a step
SMALLEST = 1e-10  # of the length of an interval: a shorter step is accepted as it is

_compile = kernel()


@_compile
def _slope(state: Any, h: Any, parent: Any, offspring: Any, out: Any) -> None:
    """The backward equation of a state (f of each type, then s): sum over events of hazard (product of f - f).

    1 - product of (1 - s) is gathered factor by factor, so that it is right for small s. Nothing is clipped: a step
    that is too long has to look wrong.
    """
    n = offspring.shape[1]
    out[:] = 0.0
    for e in range(len(parent)):
        if h[e] > 0.0:
            gone, left, i = 1.0, 0.0, parent[e]
            for j in range(n):
                for _ in range(offspring[e, j]):
                    gone *= state[j]
                    left += state[n + j] - left * state[n + j]
            out[i] += h[e] * (gone - state[i])
            out[n + i] += h[e] * (left - state[n + i])


@_compile
def _step(state: Any, length: float, h: Any, parent: Any, offspring: Any, table: Any, work: Any) -> int:
    """One extrapolated step into table[0]; the columns that it took, or 0 where the error stays too large."""
    size = len(state)
    first, before, now, slope = work[0], work[1], work[2], work[3]
    _slope(state, h, parent, offspring, first)
    for k in range(1, COLUMNS + 1):
        part = length / (2 * k)
        for i in range(size):
            before[i], now[i] = state[i], state[i] + part * first[i]
        for _ in range(2 * k - 1):
            _slope(now, h, parent, offspring, slope)
            for i in range(size):
                before[i], now[i] = now[i], before[i] + 2.0 * part * slope[i]
        _slope(now, h, parent, offspring, slope)
        good = k >= FEWEST
        for i in range(size):
            better = 0.5 * (before[i] + now[i] + part * slope[i])
            for j in range(1, k):  # table[j]: the entry of j + 1 columns, of the row before
                ratio = (k / (k - j)) ** 2
                older, table[j - 1, i] = table[j - 1, i], better
                better += (better - older) / (ratio - 1.0)
            change = abs(better - table[k - 2, i]) if k > 1 else np.inf
            table[k - 1, i] = better
            good = good and change <= LEAST + RELATIVE * abs(better)  # False for nan
        if good:
            for i in range(size):
                table[0, i] = table[k - 1, i]
            return k
    return 0


@_compile
def backward(states: Any, begins: Any, lengths: Any, hazards: Any, parent: Any, offspring: Any) -> None:
    """Bring states [times, 2 types] back through intervals, in place.

    lengths, hazards: of the intervals in the order in which they are passed, the last in time first; begins [times]:
    the number of intervals that are over before a state begins.
    """
    size = states.shape[1]
    table, work = np.empty((COLUMNS, size)), np.empty((4, size))
    for row in range(len(states)):
        state, step = states[row], np.inf
        for number in range(begins[row], len(lengths)):
            left = lengths[number]
            while left > 0.0:
                step = min(step, left)
                columns = _step(state, step, hazards[number], parent, offspring, table, work)
                if columns == 0 and step > SMALLEST * lengths[number]:
                    step *= 0.5
                    continue
                if columns == 0:
                    table[0] = table[COLUMNS - 1]
                for i in range(size):
                    state[i] = min(max(table[0, i], 0.0), 1.0)
                left = left - step if step < left else 0.0
                if 0 < columns <= EASY:
                    step *= 2.0
