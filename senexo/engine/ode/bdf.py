"""Backward differentiation of one row by tables: steps, outputs, switches and sizes, compiled once for all models.

Method: numerical differentiation formulas of order 1 to 5 in backward differences, with a step that stays for some
steps in a row (Shampine & Reichelt 1997, doi 10.1137/S1064827594276424), simplified Newton iterations with the exact
Jacobian, which is kept for as long as they converge, and interpolation by the polynomial of the method. I - c J is
factored in a fixed sparse order without row exchanges; the backward error of the first solution shows whether that has
lost digits, and then it is factored anew as a dense matrix with row exchanges.

The kernel returns where Python has to decide: at `stop`, where a switch or trigger changes, where it fails, and now and
then, so that Ctrl-C gets through. All that is kept between two calls is in the arrays that it is given.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.machine import run
from senexo.engine.ode import bdf_places as at
from senexo.engine.ode.bdf_cells import note_sizes, put_state, rates_at, root_mean_square, start_run
from senexo.engine.ode.bdf_matrix import backward_error, factor_dense, factor_sparse, solve_dense, solve_sparse
from senexo.engine.ode.bdf_switches import first_change

_HIGHEST, _ITERATIONS, _SHRINK, _GROW, _WORTH = 5, 4, 0.2, 10.0, 1.2
_OLD = 20  # steps after which a new matrix is made with a new Jacobian
_STRICT = 12.0  # errors are estimated to be that much smaller than the tolerance: those of many steps add up
_CONVERGED = 0.02  # of the tolerance
_KAPPA = np.array([0.0, -0.1850, -1.0 / 9.0, -0.0823, -0.0415, 0.0])
_GAMMA = np.array([0.0, 1.0, 3.0 / 2.0, 11.0 / 6.0, 25.0 / 12.0, 137.0 / 60.0])
_ALPHA = (1.0 - _KAPPA) * _GAMMA
_ERROR = _KAPPA * _GAMMA + 1.0 / np.arange(1, 7)
_UNSOLVED = 1e-6  # backward error of a solution that is not good enough for Newton's iterations

_NEAR = 0.05  # of the distance between two marks
_TINY = 16  # a stretch of so many neighbouring times is too short for any step control
_LOOK_AFTER, _LEAST_PROGRESS = 500, 2e-3

internal = kernel(internal=True)


@internal
def mark_ahead(marks: Any, time: float) -> float:
    """The mark that the next step may not pass; one that lies close ahead is passed, to spare a tiny step."""
    k, above = 0, len(marks)
    while k < above:
        middle = (k + above) // 2
        if marks[middle] <= time:
            k = middle + 1
        else:
            above = middle
    if k >= len(marks):
        return np.inf
    if k + 1 < len(marks) and marks[k] - time < _NEAR * (marks[k + 1] - marks[k]):
        k += 1
    return marks[k]


@internal
def triangle(order: int, factor: float, into: Any) -> None:
    """How backward differences at one step size give values at steps of `factor` times that size."""
    for j in range(order + 1):
        product = 1.0
        for i in range(order + 1):
            if i > 0:
                product *= (i - 1 - factor * j) / i if j > 0 else 0.0
            into[i, j] = product


@internal
def rescale(work: Any, order: int, factor: float) -> None:
    """The backward differences for a step of `factor` times the size."""
    space = np.empty((4, 6, 6))
    at, back, both, old = space[0], space[1], space[2], space[3, 0]
    triangle(order, factor, at)
    triangle(order, 1.0, back)
    for i in range(order + 1):
        for j in range(order + 1):
            both[i, j] = 0.0
            for k in range(order + 1):
                both[i, j] += at[i, k] * back[k, j]
    for q in range(work.shape[1]):
        for i in range(order + 1):
            old[i] = work[i, q]
        for j in range(order + 1):
            value = 0.0
            for i in range(order + 1):
                value += both[i, j] * old[i]
            work[j, q] = value


@internal
def resize_step(work: Any, clock: Any, counts: Any, factor: float) -> None:
    """A step of `factor` times the size; the matrix has to be made anew."""
    clock[at.STEP] *= factor
    rescale(work, counts[at.ORDER], factor)
    counts[at.EQUAL], clock[at.FACTORED], clock[at.CONVERGENCE] = 0, 0.0, 0.0


@internal
def jacobian_at(code: Any, memory: Any, places: Any, states: Any, time: float, y: Any) -> None:
    for i in range(len(states)):
        memory[states[i]] = y[i]
    memory[places[at.TIME_CELL]] = time
    run(code, places[at.SLOPES], places[at.SLOPES_END], memory)


@internal
def make_matrix(memory: Any, first: int, entries: Any, diagonal: Any, factor: Any, c: float, matrix: Any) -> None:
    """I - c J, factored."""
    for k in range(len(matrix)):
        matrix[k] = 0.0
    for i in range(len(diagonal)):
        matrix[diagonal[i]] = 1.0
    for e in range(len(entries)):
        slope = memory[first + e]
        if abs(slope) < 1e300:  # one can be infinite where the rate is not, as that of a root at 0
            matrix[entries[e, 2]] -= c * slope
    factor_sparse(matrix, factor)


@internal
def make_dense(memory: Any, first: int, entries: Any, c: float, dense: Any, order: Any) -> None:
    for i in range(len(dense)):
        for j in range(len(dense)):
            dense[i, j] = 1.0 if i == j else 0.0
    for e in range(len(entries)):
        slope = memory[first + e]
        if abs(slope) < 1e300:
            dense[entries[e, 0], entries[e, 1]] -= c * slope
    factor_dense(dense, order)


@internal
def iterate(code: Any, memory: Any, places: Any, states: Any, entries: Any, solve: Any, begins: Any, matrix: Any,
            dense: Any, exchanged: Any, work: Any, clock: Any, counts: Any, atol: Any, time: float, c: float, fresh:
            bool) -> int:  # fmt: skip
    """Solve the equations of a step from the predicted state: number of iterations, or 0 where they do not converge.

    fresh: the matrix has not been used before.
    """
    n, rtol, first = len(states), clock[at.RTOL], places[at.SLOPE_CELL]
    new, change, rate, psi = work[at.NEW], work[at.CORRECTION], work[at.RATE], work[at.PSI]
    right, kept, predicted = work[at.RIGHT], work[at.FIRST], work[at.PREDICTED]
    for i in range(n):
        new[i], change[i] = predicted[i], 0.0
    enough = 10.0 * 2.0**-52 / rtol
    if enough < _CONVERGED:
        enough = _CONVERGED
    before = -1.0
    for k in range(_ITERATIONS):
        rates_at(code, memory, places, states, time, new, rate)
        for i in range(n):
            right[i] = c * rate[i] - psi[i] - change[i]
            if not np.isfinite(right[i]):
                return 0
        if counts[at.FULL]:
            solve_dense(dense, exchanged, right)
        elif fresh and k == 0:
            for i in range(n):
                kept[i] = right[i]
            solve_sparse(matrix, solve, begins, right)
            if not backward_error(memory, first, entries, c, right, kept, work[at.SCRATCH]) <= _UNSOLVED:
                if len(dense) < n:
                    return 0
                make_dense(memory, first, entries, c, dense, exchanged)
                counts[at.FULL] = 1
                for i in range(n):
                    right[i] = kept[i]
                solve_dense(dense, exchanged, right)
        else:
            solve_sparse(matrix, solve, begins, right)
        norm = root_mean_square(right, predicted, atol, rtol)
        if not np.isfinite(norm):
            return 0
        speed = clock[at.CONVERGENCE]
        if before > 0.0:
            speed = norm / before
            if speed >= 1.0 or speed ** (_ITERATIONS - k) / (1.0 - speed) * norm > enough:
                return 0
            known = 0.1 * clock[at.CONVERGENCE]
            clock[at.CONVERGENCE] = speed if speed > known else known
        for i in range(n):
            new[i] += right[i]
            change[i] += right[i]
        if norm == 0.0 or (speed > 0.0 and speed / (1.0 - speed) * norm < enough):
            return k + 1
        before = norm
    return 0


@internal
def one_step(code: Any, memory: Any, places: Any, states: Any, entries: Any, diagonal: Any, factor: Any, solve: Any,
             begins: Any, matrix: Any, dense: Any, exchanged: Any, work: Any, clock: Any, counts: Any, atol: Any,
             bound: float) -> float:  # fmt: skip
    """One accepted step of at most to `bound`: the differences of its end. Its safety factor; 0 where it fails."""
    n, time, rtol, first = len(states), clock[at.TIME], clock[at.RTOL], places[at.SLOPE_CELL]
    predicted, psi, change, new = work[at.PREDICTED], work[at.PSI], work[at.CORRECTION], work[at.NEW]
    least = 10.0 * abs(np.nextafter(time, np.inf) - time)
    if clock[at.STEP] > clock[at.LONGEST]:
        resize_step(work, clock, counts, clock[at.LONGEST] / clock[at.STEP])
    while True:
        if clock[at.STEP] < least and clock[at.STEP] < bound - time:
            return 0.0
        left, met = bound - time, False
        if clock[at.STEP] >= 0.99 * left:
            if clock[at.STEP] != left:
                resize_step(work, clock, counts, left / clock[at.STEP])
            met = True
        elif 2.0 * clock[at.STEP] > left:
            resize_step(
                work, clock, counts, 0.5 * left / clock[at.STEP]
            )  # two equal steps rather than one and a sliver
        h, order = clock[at.STEP], counts[at.ORDER]
        end = bound if met else time + h
        for i in range(n):
            value, slope = work[0, i], 0.0
            for j in range(1, order + 1):
                value += work[j, i]
                slope += _GAMMA[j] * work[j, i]
            predicted[i], psi[i] = value, slope / _ALPHA[order]
        c = h / _ALPHA[order]
        iterations = 0
        while iterations == 0:
            fresh = clock[at.FACTORED] != c
            if fresh:
                if counts[at.AGE] < 0 or counts[at.AGE] >= _OLD:
                    jacobian_at(code, memory, places, states, end, predicted)
                    counts[at.AGE] = 0
                make_matrix(memory, first, entries, diagonal, factor, c, matrix)
                clock[at.FACTORED], clock[at.CONVERGENCE], counts[at.FULL] = c, 0.0, 0
            iterations = iterate(code, memory, places, states, entries, solve, begins, matrix, dense, exchanged, work,
                                 clock, counts, atol, end, c, fresh)  # fmt: skip
            if iterations == 0:
                if counts[at.AGE] == 0:
                    break
                counts[at.AGE], clock[at.FACTORED] = -1, 0.0
        counts[at.STEPS] += 1
        if iterations == 0:
            counts[at.AGE] = -1
            resize_step(work, clock, counts, 0.5)
            continue
        safety = 0.9 * (2 * _ITERATIONS + 1) / (2 * _ITERATIONS + iterations)
        error = _STRICT * _ERROR[order] * root_mean_square(change, new, atol, rtol)
        if not error <= 1.0:
            share = safety * error ** (-1.0 / (order + 1)) if error < np.inf else 0.0
            resize_step(work, clock, counts, share if share > _SHRINK else _SHRINK)
            continue
        if places[at.GUARDED]:  # the last iterate was not examined: it may be just where a law has no value
            rates_at(code, memory, places, states, end, new, work[at.RATE])
            finite = True
            for i in range(n):
                finite = finite and np.isfinite(work[at.RATE, i])
            if not finite:
                resize_step(work, clock, counts, 0.5)
                continue
        counts[at.EQUAL] += 1
        counts[at.AGE] += 1
        for i in range(n):
            work[order + 2, i] = change[i] - work[order + 1, i]
            work[order + 1, i] = change[i]
            for j in range(order, 0, -1):
                work[j, i] += work[j + 1, i]
            work[0, i] = new[i]
        clock[at.STEP_END] = end
        return safety


@internal
def adapt_order(work: Any, clock: Any, counts: Any, atol: Any, safety: float) -> None:
    """Order and size of the next steps, from what the errors of the last one would have been at other orders."""
    order, rtol, y = counts[at.ORDER], clock[at.RTOL], work[0]
    if counts[at.EQUAL] < order + 1:
        return
    best, chosen = 0.0, order
    for other in range(order - 1, order + 2):
        if not 1 <= other <= _HIGHEST:
            continue
        error = _STRICT * _ERROR[other] * root_mean_square(work[other + 1], y, atol, rtol)
        factor = (error if error > 1e-20 else 1e-20) ** (-1.0 / (other + 1))
        if factor > best:
            best, chosen = factor, other
    factor = safety * best if safety * best < _GROW else _GROW
    if 0.9 < factor < _WORTH:
        return
    counts[at.ORDER] = chosen
    resize_step(work, clock, counts, factor)


@internal
def write_outputs(code: Any, memory: Any, places: Any, states: Any, work: Any, clock: Any, counts: Any, until: float,
                  last: bool, times: Any, out: Any, laws: Any) -> None:  # fmt: skip
    """Outputs before `until`, and at it if nothing more happens there."""
    while counts[at.OUTPUTS] < len(times):
        time, row = times[counts[at.OUTPUTS]], counts[at.OUTPUTS]
        if time > until or (time == until and not last):
            return
        put_state(code, memory, places, states, work, clock, counts[at.ORDER], time)
        run(code, places[at.LAWS], places[at.LAWS_END], memory)
        for slot in range(places[at.N_SLOTS]):
            out[row, slot] = memory[slot]
        for law in range(places[at.N_LAWS]):
            laws[row, law] = memory[places[at.LAW_CELL] + law]
        counts[at.OUTPUTS] += 1


@internal
def straight_step(code: Any, memory: Any, places: Any, states: Any, work: Any, clock: Any,
                  counts: Any, end: float) -> None:  # fmt: skip
    """One step along the present rates, for a stretch that is too short for any step control, or without states."""
    h, rate = end - clock[at.TIME], work[at.RATE]
    rates_at(code, memory, places, states, clock[at.TIME], work[0], rate)
    for i in range(len(states)):
        work[1, i] = h * rate[i]
        work[0, i] += work[1, i]
    clock[at.STEP], clock[at.STEP_END], counts[at.ORDER], counts[at.EQUAL] = h, end, 1, 0
    counts[at.AGE], clock[at.FACTORED] = -1, 0.0


@internal
def go_on(code: Any, memory: Any, places: Any, states: Any, entries: Any, diagonal: Any, factor: Any, solve: Any,
          begins: Any, matrix: Any, dense: Any, exchanged: Any, work: Any, clock: Any, counts: Any, seen: Any, moved:
          Any, atol: Any, outcomes: Any, marks: Any, times: Any, out: Any, laws: Any, stop: float, last: bool, budget:
          int) -> int:  # fmt: skip
    n = len(states)
    watching = places[at.WATCHED_END] > places[at.WATCHED]
    most = counts[at.STEPS] + budget
    safety = 1.0
    while counts[at.STEPS] < most:
        time = clock[at.TIME]
        if counts[at.PENDING] == 0:
            if time >= stop:
                return at.AT_STOP
            bound = mark_ahead(marks, time)
            if stop < bound:
                bound = stop
            if n == 0:
                counts[at.STEPS] += 1
                far = time + clock[at.LONGEST]
                straight_step(code, memory, places, states, work, clock, counts, far if far < bound else bound)
            elif stop - time <= _TINY * abs(np.nextafter(stop, np.inf) - stop):
                straight_step(code, memory, places, states, work, clock, counts, stop)
            else:
                safety = one_step(code, memory, places, states, entries, diagonal, factor, solve, begins, matrix, dense,
                               exchanged, work, clock, counts, atol, bound)  # fmt: skip
                if safety == 0.0 or clock[at.STEP_END] <= time:
                    for i in range(n):
                        memory[states[i]] = work[0, i]
                    memory[places[at.TIME_CELL]] = time
                    return at.FAILED
                span = clock[at.STEP_END] - time
                note_sizes(code, memory, places, states, clock, clock[at.STEP_END], work[0], span, work[at.TERM], seen,
                           moved, atol)  # fmt: skip
        until, changed, end = clock[at.STEP_END], False, clock[at.STEP_END]
        if watching:
            found = first_change(code, memory, places, states, work, clock, counts[at.ORDER], outcomes, time, end)
            if found <= end:
                until, changed = found, True
        ends = not changed and (until < stop or last)
        write_outputs(code, memory, places, states, work, clock, counts, until, ends, times, out, laws)
        put_state(code, memory, places, states, work, clock, counts[at.ORDER], until)
        clock[at.TIME], counts[at.PENDING] = until, 1 if changed else 0
        if changed:
            return at.CHANGED
        if n > 0:
            adapt_order(work, clock, counts, atol, safety)
        if counts[at.STEPS] - counts[at.LOOKED] >= _LOOK_AFTER:
            gone, clock[at.CHECKED], counts[at.LOOKED] = until - clock[at.CHECKED], until, counts[at.STEPS]
            if clock[at.FLOOR] >= 0.0 and counts[at.FURTHER] and gone < _LEAST_PROGRESS * stop and gone < 0.3 * until:
                return at.STALLED
    return at.AT_STOP if clock[at.TIME] >= stop and counts[at.PENDING] == 0 else at.AGAIN


@kernel("int64(int32[:, ::1], float64[::1], int64[::1], float64[::1], float64[::1], float64[::1], float64[::1], "
        "float64[:, ::1], float64[:, ::1], float64, boolean, boolean, int64)")  # fmt: skip
def advance(code: Any, memory: Any, whole: Any, numbers: Any, outcomes: Any, marks: Any, times: Any, out: Any, laws:
            Any, stop: float, last: bool, fresh: bool, budget: int) -> int:  # fmt: skip
    """Go on to `stop`, or to where a switch or trigger differs from `outcomes`; the state is then in `memory`.

    code, memory: the tables. whole: `places`, then what they name. numbers: `clock`, then what `places` names. fresh:
    start from the state in `memory`. last: outputs at `stop` are written, because nothing more happens there. budget:
    steps of this call.
    """
    places = whole[: at.N_PLACES]
    states, counts = whole[places[at.STATES] : places[at.COUNTS]], whole[places[at.COUNTS] : places[at.DIAGONAL]]
    diagonal, entries = whole[places[at.DIAGONAL] : places[at.ENTRIES]], whole[places[at.ENTRIES] : places[at.FACTOR]]
    factor, solve = whole[places[at.FACTOR] : places[at.SOLVE]], whole[places[at.SOLVE] : places[at.BEGINS]]
    begins, exchanged = whole[places[at.BEGINS] : places[at.EXCHANGED]], whole[places[at.EXCHANGED] :]
    n, m = len(states), len(exchanged)
    clock, work = numbers[: at.N_CLOCK], numbers[at.N_CLOCK : at.N_CLOCK + at.N_WORK * n].reshape(at.N_WORK, n)
    first = at.N_CLOCK + at.N_WORK * n
    seen, moved = numbers[first : first + n], numbers[first + n : first + 2 * n]
    atol, first = numbers[first + 2 * n : first + 3 * n], first + 3 * n
    dense, matrix = numbers[first : first + m * m].reshape(m, m), numbers[first + m * m :]
    if fresh and not start_run(code, memory, places, states, work, clock, counts, seen, moved, atol):
        return at.FAILED
    return go_on(code, memory, places, states, entries.reshape(-1, 3), diagonal, factor, solve, begins, matrix, dense,
                    exchanged, work, clock, counts, seen, moved, atol, outcomes, marks, times, out, laws, stop, last,
                    budget)  # fmt: skip
