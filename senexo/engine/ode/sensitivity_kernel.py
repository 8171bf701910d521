"""Steps of backward differentiation with the sensitivities of the state: S' = J S + df/dp, column by column.

After every step of the state (`senexo.engine.ode.bdf`) the same formula, of the same order and step, is solved for the
sensitivities, which are linear: (I - c J) e = c (J S + df/dp) - psi, with the Jacobian at the new state. Its factors
serve the Newton iterations of the next step too (staggered direct method; Caracotsios & Stewart 1985, doi
10.1016/0098-1354(85)85014-6). The sensitivities are thus the exact derivatives of the computed states as long as the
steps stay the same. Their errors are controlled like those of the state; a step too long for them is taken back.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.machine import run
from senexo.engine.ode import bdf_places as at
from senexo.engine.ode.bdf import (
    jacobian_at,
    make_dense,
    make_matrix,
    mark_ahead,
    one_step,
    rescale,
    resize_step,
    write_outputs,
)
from senexo.engine.ode.bdf_cells import note_sizes, put_state, root_mean_square, start_run
from senexo.engine.ode.bdf_matrix import backward_error, solve_dense, solve_sparse

_KAPPA = np.array([0.0, -0.1850, -1.0 / 9.0, -0.0823, -0.0415, 0.0])
_GAMMA = np.array([0.0, 1.0, 3.0 / 2.0, 11.0 / 6.0, 25.0 / 12.0, 137.0 / 60.0])
_ALPHA = (1.0 - _KAPPA) * _GAMMA
_ERROR = _KAPPA * _GAMMA + 1.0 / np.arange(1, 7)
_HIGHEST, _GROW, _WORTH, _STRICT = 5, 10.0, 1.2, 12.0  # as in `senexo.engine.ode.bdf`
_UNSOLVED = 1e-10  # backward error of a solution that is good enough
_SMALL = 1e-3  # of the size of a state by that of a parameter: a sensitivity that counts as nothing, in tolerances
_LOOK_AFTER, _LEAST_PROGRESS = 500, 2e-3  # as in `senexo.engine.ode.bdf`
_DIFFERENCES = 8  # rows of `work` and of `slopes` that are backward differences
STEP, TOLERANCE = 0, 1  # of `track`: step to which the differences of the sensitivities belong; their tolerance

internal = kernel(internal=True)


@internal
def derivatives_at(memory: Any, first: int, entries: Any, inputs: Any, weights: Any, k: int, n: int, s: Any,
                   into: Any) -> None:  # fmt: skip
    """J s + df/dp of column k, from the slopes in `memory`."""
    for i in range(n):
        into[i] = 0.0
    for e in range(len(entries)):
        slope = memory[first + e]
        if abs(slope) < 1e300:
            into[entries[e, 0]] += slope * s[entries[e, 1]]
    for e in range(len(inputs)):
        weight = weights[inputs[e, 1], k]
        if weight != 0.0:
            into[inputs[e, 0]] += memory[inputs[e, 2]] * weight


@internal
def begin_slopes(code: Any, memory: Any, places: Any, states: Any, entries: Any, inputs: Any, span: Any, weights: Any,
                 work: Any, clock: Any, slopes: Any, track: Any) -> None:  # fmt: skip
    """Differences of the sensitivities at the start, from their values in the first row."""
    n, p = len(states), weights.shape[1]
    jacobian_at(code, memory, places, states, clock[at.TIME], work[0])
    run(code, span[0], span[1], memory)
    rate = np.empty(n)
    for k in range(p):
        derivatives_at(memory, places[at.SLOPE_CELL], entries, inputs, weights, k, n, slopes[0, k * n : (k + 1) * n],
                       rate)  # fmt: skip
        for i in range(n):
            slopes[1, k * n + i] = clock[at.STEP] * rate[i]
    slopes[2:] = 0.0
    track[STEP] = clock[at.STEP]


@internal
def step_slopes(code: Any, memory: Any, places: Any, states: Any, entries: Any, diagonal: Any, factor: Any, solve: Any,
                begins: Any, inputs: Any, span: Any, weights: Any, scale: Any, matrix: Any, dense: Any, exchanged: Any,
                work: Any, clock: Any, counts: Any, atol: Any, slopes: Any, track: Any, change: Any,
                allowed: Any) -> float:  # fmt: skip
    """Corrections of the sensitivities in the step just made, into `change`; their error beside what is `allowed`."""
    n, p, order, first = len(states), weights.shape[1], counts[at.ORDER], places[at.SLOPE_CELL]
    h = clock[at.STEP]
    if track[STEP] != h:
        rescale(slopes, order, h / track[STEP])
        track[STEP] = h
    c = h / _ALPHA[order]
    jacobian_at(code, memory, places, states, clock[at.STEP_END], work[0])
    run(code, span[0], span[1], memory)
    make_matrix(memory, first, entries, diagonal, factor, c, matrix)
    counts[at.AGE], counts[at.FULL], clock[at.FACTORED], clock[at.CONVERGENCE] = 1, 0, c, 0.0
    predicted, rate, right, scratch = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for k in range(p):
        for i in range(n):
            q, value = k * n + i, 0.0
            for j in range(order + 1):
                value += slopes[j, q]
            predicted[i] = value
        derivatives_at(memory, first, entries, inputs, weights, k, n, predicted, rate)
        for i in range(n):
            q, psi = k * n + i, 0.0
            for j in range(1, order + 1):
                psi += _GAMMA[j] * slopes[j, q]
            right[i] = c * rate[i] - psi / _ALPHA[order]
            change[q] = right[i]
        if counts[at.FULL] == 0:
            solve_sparse(matrix, solve, begins, change[k * n : (k + 1) * n])
            if k == 0:  # the factors of all columns are the same
                worst = backward_error(memory, first, entries, c, change[:n], right, scratch)
                if not worst <= _UNSOLVED and len(dense) == n:
                    make_dense(memory, first, entries, c, dense, exchanged)
                    counts[at.FULL] = 1
                    change[:n] = right
        if counts[at.FULL] != 0:
            solve_dense(dense, exchanged, change[k * n : (k + 1) * n])
        for i in range(n):
            allowed[k * n + i] = track[TOLERANCE] * (
                abs(predicted[i] + change[k * n + i]) + _SMALL * atol[i] / (clock[at.ALLOWED] * scale[k])
            )
    return _STRICT * _ERROR[order] * worst_column(change, allowed, n)


@internal
def worst_column(x: Any, allowed: Any, n: int) -> float:
    """The largest root mean square over a column of x beside what is allowed."""
    worst = 0.0
    for first in range(0, len(x), n):
        total = 0.0
        for q in range(first, first + n):
            if allowed[q] > 0.0:
                total += (x[q] / allowed[q]) ** 2
        if not total <= worst:
            worst = total
    return math.sqrt(worst / n)


@internal
def adapt_both(work: Any, clock: Any, counts: Any, atol: Any, slopes: Any, allowed: Any, safety: float) -> None:
    """As `adapt_order` of `senexo.engine.ode.bdf`, from the larger of the errors of state and sensitivities."""
    n, order, rtol, y = work.shape[1], counts[at.ORDER], clock[at.RTOL], work[0]
    if counts[at.EQUAL] < order + 1:
        return
    best, chosen = 0.0, order
    for other in range(order - 1, order + 2):
        if not 1 <= other <= _HIGHEST:
            continue
        size = root_mean_square(work[other + 1], y, atol, rtol)
        of_slopes = worst_column(slopes[other + 1], allowed, n)
        error = _STRICT * _ERROR[other] * (size if size > of_slopes else of_slopes)
        factor = (error if error > 1e-20 else 1e-20) ** (-1.0 / (other + 1))
        if factor > best:
            best, chosen = factor, other
    factor = safety * best if safety * best < _GROW else _GROW
    if 0.9 < factor < _WORTH:
        return
    counts[at.ORDER] = chosen
    resize_step(work, clock, counts, factor)


@internal
def keep_slopes(order: int, slopes: Any, change: Any) -> None:
    """The differences at the end of an accepted step."""
    for q in range(len(change)):
        slopes[order + 2, q] = change[q] - slopes[order + 1, q]
        slopes[order + 1, q] = change[q]
        for j in range(order, -1, -1):
            slopes[j, q] += slopes[j + 1, q]


@internal
def write_slopes(clock: Any, order: int, slopes: Any, times: Any, first: int, last: int, found: Any) -> None:
    """Sensitivities at the outputs of the last step by the method's polynomial, as `put_state` has the state."""
    weights = np.empty(5)
    n = found.shape[2]
    for row in range(first, last):
        weight, end = 1.0, clock[at.STEP_END]
        for j in range(order):
            weight *= (times[row] - (end - clock[at.STEP] * j)) / (clock[at.STEP] * (j + 1))
            weights[j] = weight
        for k in range(found.shape[1]):
            for i in range(n):
                value = slopes[0, k * n + i]
                if times[row] < end:
                    for j in range(order):
                        value += slopes[j + 1, k * n + i] * weights[j]
                found[row, k, i] = value


@kernel("int64(int32[:, ::1], float64[::1], int64[::1], float64[::1], float64[::1], float64[::1], float64[:, ::1], "
        "float64[:, ::1], int64[:, ::1], int64[::1], float64[:, ::1], float64[::1], float64[:, ::1], float64[::1], "
        "float64[:, :, ::1], float64, boolean, int64)")  # fmt: skip
def advance_with_slopes(code: Any, memory: Any, whole: Any, numbers: Any, marks: Any, times: Any, out: Any, laws: Any,
                        inputs: Any, span: Any, weights: Any, scale: Any, slopes: Any, track: Any, found: Any,
                        stop: float, fresh: bool, budget: int) -> int:  # fmt: skip
    """As `senexo.engine.ode.bdf.advance`, of equations without switches and events, with sensitivities.

    inputs, span: entries of df/dq and the program that computes them. weights [q, p]: dq/dp. scale [p]: size of each
    parameter. slopes [8, p n]: differences of the sensitivities, at the start their values in the first row. found
    [n_times, p, n]: sensitivities at the outputs.
    """
    places = whole[: at.N_PLACES]
    states, counts = whole[places[at.STATES] : places[at.COUNTS]], whole[places[at.COUNTS] : places[at.DIAGONAL]]
    diagonal, entries = whole[places[at.DIAGONAL] : places[at.ENTRIES]], whole[places[at.ENTRIES] : places[at.FACTOR]]
    entries = entries.reshape(-1, 3)
    factor, solve = whole[places[at.FACTOR] : places[at.SOLVE]], whole[places[at.SOLVE] : places[at.BEGINS]]
    begins, exchanged = whole[places[at.BEGINS] : places[at.EXCHANGED]], whole[places[at.EXCHANGED] :]
    n, m = len(states), len(exchanged)
    clock, work = numbers[: at.N_CLOCK], numbers[at.N_CLOCK : at.N_CLOCK + at.N_WORK * n].reshape(at.N_WORK, n)
    first = at.N_CLOCK + at.N_WORK * n
    seen, moved = numbers[first : first + n], numbers[first + n : first + 2 * n]
    atol, first = numbers[first + 2 * n : first + 3 * n], first + 3 * n
    dense, matrix = numbers[first : first + m * m].reshape(m, m), numbers[first + m * m :]
    if fresh:
        if not start_run(code, memory, places, states, work, clock, counts, seen, moved, atol):
            return at.FAILED
        begin_slopes(code, memory, places, states, entries, inputs, span, weights, work, clock, slopes, track)
    change, allowed = np.empty(slopes.shape[1]), np.empty(slopes.shape[1])
    kept_work, kept_clock, kept_counts = np.empty((_DIFFERENCES, n)), np.empty(len(clock)), counts.copy()
    most = counts[at.STEPS] + budget
    while counts[at.STEPS] < most:
        time = clock[at.TIME]
        if time >= stop:
            return at.AT_STOP
        bound = min(mark_ahead(marks, time), stop)
        kept_work[:], kept_clock[:], kept_counts[:] = work[:_DIFFERENCES], clock, counts
        safety = one_step(code, memory, places, states, entries, diagonal, factor, solve, begins, matrix, dense,
                          exchanged, work, clock, counts, atol, bound)  # fmt: skip
        if safety == 0.0 or clock[at.STEP_END] <= time:
            return at.FAILED
        error = step_slopes(code, memory, places, states, entries, diagonal, factor, solve, begins, inputs, span,
                            weights, scale, matrix, dense, exchanged, work, clock, counts, atol, slopes, track, change,
                            allowed)  # fmt: skip
        order, h = counts[at.ORDER], clock[at.STEP]
        if not error <= 1.0:
            share = 0.9 * error ** (-1.0 / (order + 1))
            steps = counts[at.STEPS]
            work[:_DIFFERENCES], clock[:], counts[:] = kept_work, kept_clock, kept_counts
            counts[at.STEPS], counts[at.AGE] = steps, 1
            share = share if share > 0.2 else 0.2
            resize_step(work, clock, counts, share * h / clock[at.STEP])
            if clock[at.STEP] < 10.0 * abs(np.nextafter(time, np.inf) - time) or not np.isfinite(error):
                return at.FAILED
            continue
        keep_slopes(order, slopes, change)
        end = clock[at.STEP_END]
        note_sizes(code, memory, places, states, clock, end, work[0], end - time, work[at.TERM], seen, moved, atol)
        before = counts[at.OUTPUTS]
        write_outputs(code, memory, places, states, work, clock, counts, end, True, times, out, laws)
        write_slopes(clock, order, slopes, times, before, counts[at.OUTPUTS], found)
        put_state(code, memory, places, states, work, clock, order, end)
        clock[at.TIME] = end
        adapt_both(work, clock, counts, atol, slopes, allowed, safety)
        if counts[at.STEPS] - counts[at.LOOKED] >= _LOOK_AFTER:
            gone, clock[at.CHECKED], counts[at.LOOKED] = end - clock[at.CHECKED], end, counts[at.STEPS]
            if clock[at.FLOOR] >= 0.0 and counts[at.FURTHER] and gone < _LEAST_PROGRESS * stop and gone < 0.3 * end:
                return at.STALLED
    return at.AT_STOP if clock[at.TIME] >= stop else at.AGAIN
