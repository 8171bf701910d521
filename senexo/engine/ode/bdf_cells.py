"""The equations of one run, as compiled steps evaluate them: rates, their terms, the state within a step; sizes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.machine import run
from senexo.engine.ode import bdf_places as at

# As `senexo.engine.ode.sizes` has them.
_ROUNDING, _NOISE, _FEW, _TINY_SHARE, _LEAST = 2.0**-52, 1e3, 16.0, 1e-6, 1e-280
_AHEAD, _MOST_PROBES = 1e-8, 100
_LONG = 4.0  # steps for which the terms are computed once

internal = kernel(internal=True)


@internal
def rates_at(code: Any, memory: Any, places: Any, states: Any, time: float, y: Any, rate: Any) -> None:
    for i in range(len(states)):
        memory[states[i]] = y[i]
    memory[places[at.TIME_CELL]] = time
    run(code, places[at.RATES], places[at.RATES_END], memory)
    first = places[at.RATE_CELL]
    for i in range(len(states)):
        rate[i] = memory[first + i]


@internal
def terms_at(code: Any, memory: Any, places: Any, states: Any, time: float, y: Any, term: Any) -> None:
    for i in range(len(states)):
        memory[states[i]] = y[i]
    memory[places[at.TIME_CELL]] = time
    run(code, places[at.TERMS], places[at.TERMS_END], memory)
    first = places[at.TERM_CELL]
    for i in range(len(states)):
        term[i] = memory[first + i]


@internal
def put_state(code: Any, memory: Any, places: Any, states: Any, work: Any, clock: Any, order: int, time: float) -> None:
    """State at a time within the last step by the method's polynomial, with rules, switches and triggers."""
    h, end, weight = clock[at.STEP], clock[at.STEP_END], 1.0
    for i in range(len(states)):
        memory[states[i]] = work[0, i]
    if time < end:
        for j in range(order):
            weight *= (time - (end - h * j)) / (h * (j + 1))
            for i in range(len(states)):
                memory[states[i]] += work[j + 1, i] * weight
    memory[places[at.TIME_CELL]] = time
    run(code, places[at.LOOK], places[at.LOOK_END], memory)


@internal
def root_mean_square(x: Any, y: Any, atol: Any, rtol: float) -> float:
    total = 0.0
    for i in range(len(x)):
        total += (x[i] / (atol[i] + rtol * abs(y[i]))) ** 2
    return math.sqrt(total / len(x)) if len(x) else 0.0


@internal
def follow_sizes(clock: Any, seen: Any, moved: Any, atol: Any) -> None:
    """As `Sizes._follow`."""
    least = 0.0
    if clock[at.FLOOR] > 0.0:
        largest = 0.0
        for size in seen:
            if np.isfinite(size) and size > largest:
                largest = size
        least = clock[at.FLOOR] * (largest if largest > 0.0 else 1.0)
    for i in range(len(seen)):
        noise = _ROUNDING * moved[i]
        of_noise = _FEW * noise if seen[i] <= _NOISE * noise else 0.0
        allowed = clock[at.ALLOWED] * (seen[i] if seen[i] > least else least)
        if of_noise > allowed:
            allowed = of_noise
        atol[i] = allowed if allowed > _LEAST else _LEAST


@internal
def note_sizes(code: Any, memory: Any, places: Any, states: Any, clock: Any, time: float, y: Any, step: float, term:
               Any, seen: Any, moved: Any, atol: Any) -> None:  # fmt: skip
    """As `Sizes.see`; the terms are computed once in some steps of equal size."""
    if clock[at.FLOOR] < 0.0:
        return
    low, high, grew = np.inf, 0.0, step <= 0.0
    for i in range(len(seen)):
        size = abs(y[i])
        if size > seen[i]:
            seen[i], grew = size, True
        if seen[i] < low:
            low = seen[i]
        if seen[i] > high:
            high = seen[i]
    if step > 0.0 and low < _TINY_SHARE * high:
        clock[at.UNCOUNTED] += step
        if clock[at.UNCOUNTED] >= _LONG * step:
            terms_at(code, memory, places, states, time, y, term)
            for i in range(len(seen)):
                moved[i] += clock[at.UNCOUNTED] * term[i]
            clock[at.UNCOUNTED], grew = 0.0, True
    if grew:
        follow_sizes(clock, seen, moved, atol)


@internal
def look_ahead(code: Any, memory: Any, places: Any, states: Any, clock: Any, work: Any, seen: Any, moved: Any) -> None:
    """As `Sizes.begin`: the sizes of states that have always been 0, from where the rates carry them at once."""
    n, time = len(states), clock[at.TIME]
    step = _AHEAD * (clock[at.END] - time)
    y, first, ahead, rate, term = work[0], work[at.FIRST], work[at.AHEAD], work[at.RATE], work[at.TERM]
    terms_at(code, memory, places, states, time, y, term)
    for i in range(n):
        if step * term[i] > moved[i]:
            moved[i] = step * term[i]
    rates_at(code, memory, places, states, time, y, first)
    for _ in range(10):
        for i in range(n):
            ahead[i] = y[i] + step * first[i]
        rates_at(code, memory, places, states, time + step, ahead, rate)
        much = False
        for i in range(n):
            much = much or (first[i] != 0.0 and abs(rate[i] - first[i]) > abs(first[i]))
        if not much:
            break
        step *= 0.01
    for i in range(n):
        ahead[i] = y[i] + step * first[i]
    for _ in range(_MOST_PROBES):
        for i in range(n):
            if seen[i] == 0.0 and ahead[i] != 0.0 and np.isfinite(ahead[i]):
                seen[i] = abs(ahead[i])
        rates_at(code, memory, places, states, time + step, ahead, rate)
        further, finite = False, True
        for i in range(n):
            following = y[i] + step * rate[i]
            further = further or (seen[i] == 0.0 and following != 0.0)
            finite = finite and np.isfinite(following)
            work[at.SCRATCH, i] = following
        if not further or not finite:
            break
        for i in range(n):
            ahead[i] = work[at.SCRATCH, i]


@internal
def first_step(code: Any, memory: Any, places: Any, states: Any, work: Any, clock: Any, atol: Any) -> None:
    """A step whose error at order 1 is a small part of the tolerance (Hairer, Norsett & Wanner I, section II.4)."""
    n, y, rate, ahead, later = len(states), work[0], work[at.RATE], work[at.AHEAD], work[at.FIRST]
    left = clock[at.END] - clock[at.TIME]
    if clock[at.LONGEST] < left:
        left = clock[at.LONGEST]
    size = root_mean_square(y, y, atol, clock[at.RTOL])
    speed = root_mean_square(rate, y, atol, clock[at.RTOL])
    h = 0.01 * size / speed if size > 1e-5 and speed > 1e-5 else 1e-6 * left
    if h > left:
        h = left
    for i in range(n):
        ahead[i] = y[i] + h * rate[i]
    rates_at(code, memory, places, states, clock[at.TIME] + h, ahead, later)
    for i in range(n):
        later[i] -= rate[i]
    bend = root_mean_square(later, y, atol, clock[at.RTOL]) / h if h > 0.0 else 0.0
    fastest = bend if bend > speed else speed
    second = math.sqrt(0.01 / fastest) if fastest > 1e-15 else 1e-6 * left
    if second < 100.0 * h:  # not where it is not a number
        h = second
    else:
        h = 100.0 * h if second >= 0.0 else h
    clock[at.STEP] = h if h < left else left


@internal
def start_run(code: Any, memory: Any, places: Any, states: Any, work: Any, clock: Any, counts: Any, seen: Any, moved:
              Any, atol: Any) -> bool:  # fmt: skip
    """Start from the state in `memory` at `clock[at.TIME]`: sizes, a first step; False if it is not finite."""
    n = len(states)
    run(code, places[at.DERIVE], places[at.DERIVE_END], memory)
    y, rate = work[0], work[at.RATE]
    for i in range(n):
        y[i] = memory[states[i]]
    rates_at(code, memory, places, states, clock[at.TIME], y, rate)
    for i in range(n):
        if not (np.isfinite(y[i]) and np.isfinite(rate[i])):
            return False
    if clock[at.FLOOR] >= 0.0 and n > 0:
        note_sizes(code, memory, places, states, clock, clock[at.TIME], y, 0.0, work[at.TERM], seen, moved, atol)
        empty = False
        for i in range(n):
            empty = empty or seen[i] == 0.0
        if empty:
            look_ahead(code, memory, places, states, clock, work, seen, moved)
            follow_sizes(clock, seen, moved, atol)
            rates_at(code, memory, places, states, clock[at.TIME], y, rate)
    first_step(code, memory, places, states, work, clock, atol)
    for i in range(n):
        work[1, i] = clock[at.STEP] * rate[i]
        for j in range(2, 8):
            work[j, i] = 0.0
    clock[at.CHECKED], counts[at.LOOKED], clock[at.FACTORED], clock[at.CONVERGENCE] = (
        clock[at.TIME],
        counts[at.STEPS],
        0.0,
        0.0,
    )
    counts[at.ORDER], counts[at.EQUAL], counts[at.AGE], counts[at.PENDING] = 1, 0, -1, 0
    return True
