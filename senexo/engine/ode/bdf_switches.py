"""The first change of a switch or a trigger within one step, by the polynomial of the step."""

from __future__ import annotations

from typing import Any

import numpy as np

from senexo.engine.formula.kernels import kernel
from senexo.engine.ode import bdf_places as at
from senexo.engine.ode.bdf_cells import put_state

_LOOKS = np.array([0.0, 0.02, 0.27, 0.5, 0.73, 0.98, 1.0])
_GOLDEN, _TRIES = 0.382, 30

internal = kernel(internal=True)


@internal
def differs(memory: Any, places: Any, outcomes: Any) -> bool:
    first = places[at.WATCHED]
    for k in range(len(outcomes)):
        now = memory[first + k]
        if now != outcomes[k] and not (np.isnan(now) and np.isnan(outcomes[k])):
            return True
    return False


@internal
def first_change(code: Any, memory: Any, places: Any, states: Any, work: Any, clock: Any, order: int, outcomes: Any,
                 begin: float, end: float) -> float:  # fmt: skip
    """The first time in (begin, end] at which a switch or trigger differs from `outcomes`; infinite if none does."""
    if not begin < end:
        return np.inf
    n_gaps, span = places[at.GAPS_END] - places[at.GAPS], end - begin
    gaps = np.empty((len(_LOOKS), n_gaps))
    for k in range(len(_LOOKS)):
        put_state(code, memory, places, states, work, clock, order, begin + span * _LOOKS[k])
        for g in range(n_gaps):
            gaps[k, g] = memory[places[at.GAPS] + g]
        if k == 0:
            continue
        low, high = -1.0, _LOOKS[k]
        if differs(memory, places, outcomes):
            low = _LOOKS[k - 1]
        elif k > 1:
            touch = touching(code, memory, places, states, work, clock, order, outcomes, begin, span, gaps, k)
            if touch >= 0.0:
                low, high = 0.0, touch
        if low < 0.0:
            continue
        early, late = begin + span * low, begin + span * high
        while True:
            middle = 0.5 * (early + late)
            if not early < middle < late:
                return late
            put_state(code, memory, places, states, work, clock, order, middle)
            if differs(memory, places, outcomes):
                late = middle
            else:
                early = middle
    return np.inf


@internal
def touching(code: Any, memory: Any, places: Any, states: Any, work: Any, clock: Any, order: int, outcomes: Any,
             begin: float, span: float, gaps: Any, k: int) -> float:  # fmt: skip
    """A share of the step between three looks at which a comparison that came close did change, or -1."""
    for g in range(gaps.shape[1]):
        a, b, c = gaps[k - 2, g], gaps[k - 1, g], gaps[k, g]
        if not (abs(b) < abs(a) and abs(b) < abs(c) and a * c > 0.0):
            continue
        low, high = _LOOKS[k - 2], _LOOKS[k]
        for _ in range(_TRIES):
            left, right = low + _GOLDEN * (high - low), low + (1.0 - _GOLDEN) * (high - low)
            put_state(code, memory, places, states, work, clock, order, begin + span * left)
            if differs(memory, places, outcomes):
                return left
            size = abs(memory[places[at.GAPS] + g])
            put_state(code, memory, places, states, work, clock, order, begin + span * right)
            if differs(memory, places, outcomes):
                return right
            if size < abs(memory[places[at.GAPS] + g]):
                high = right
            else:
                low = left
    return -1.0
