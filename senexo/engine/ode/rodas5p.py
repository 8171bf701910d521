"""Rodas5P for many rows at once: sixteen independent solutions in lockstep, one per lane.

Every lane has its own time, step size, error control and row; a lane that reaches the end takes the next row.
Lanes share the instruction stream only, so a row's bits do not depend on its neighbours, on the lane it runs
in, or on how many rows there are. Blocks are laid out as in `senexo.engine.formula.layout`, and the loops run over a
whole block where they can, which is what lets the compiler make vector instructions of them. Functions that take one of
the tuples below read its arrays into names of their own before any loop: numba counts references at every reading.

Method: Rodas5P, eight stages, order 5(4), stiffly accurate and L-stable, dense output of order 4:
Steinebach 2023, doi 10.1007/s10543-023-00967-x (coefficients of the paper's appendix, in the transformed form
without matrix-vector products of Hairer & Wanner, Solving ODEs II, section IV.7). With E = 1/(gamma h) I - J:

    E k_i = f(t + c_i h, y + sum_j a_ij k_j) + sum_j C_ij k_j / h + h d_i df/dt,   y_new = y + sum_j a_8j k_j + k_8

and k_8 is the error estimate. The linear systems are solved by a sparse LU without row exchanges, in a fixed
order chosen beforehand. That can lose all digits for an unlucky h; so the backward error of the first stage's
solution is measured in every step, and one that is not small against rtol rejects the step. As h shrinks, E
becomes diagonal, so a smaller step always cures it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.lane_math import lane_power
from senexo.engine.formula.lanes import run_block
from senexo.engine.formula.layout import BACKWARD, COUNT, LANES, SHIFT, STATES, TIME

OK, STEP_TOO_SMALL, TOO_MANY_STEPS, NOT_FINITE = 0, 1, 2, 3

GAMMA = 0.21193756319429014
A = np.zeros((8, 8))
A[1, :1] = 3.0
A[2, :2] = 2.849394379747939, 0.45842242204463923
A[3, :3] = -6.954028509809101, 2.489845061869568, -10.358996098473584
A[4, :4] = 2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641
A[5, :5] = -7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946
A[6, :6] = (*A[5, :5], 1.0)
A[7, :7] = (*A[6, :6], 1.0)
C = np.zeros((8, 8))
C[1, :1] = -14.155112264123755
C[2, :2] = -17.97296035885952, -2.859693295451294
C[3, :3] = 147.12150275711716, -1.41221402718213, 71.68940251302358
C[4, :4] = 165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306
C[5, :5] = 24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471
C[6, :6] = (
    30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783, -19.097331116725623,
    -28.087943162872662,
)  # fmt: skip
C[7, :7] = (
    37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047, -40.06618937091002,
    -54.66780262877968, -9.48861652309627,
)  # fmt: skip
AT = np.array([0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1.0, 1.0, 1.0])
D = np.array(
    [0.21193756319429014, -0.42387512638858027, -0.3384627126235924, 1.8046452872882734, 2.325825639765069, 0, 0, 0]
)
H = np.array([
    [25.948786856663858, -2.5579724845846235, 10.433815404888879, -2.3679251022685204, 0.524948541321073,
     1.1241088310450404, 0.4272876194431874, -0.17202221070155493],
    [-9.91568850695171, -0.9689944594115154, 3.0438037242978453, -24.495224566215796, 20.176138334709044,
     15.98066361424651, -6.789040303419874, -6.710236069923372],
    [11.419903575922262, 2.8879645146136994, 72.92137995996029, 80.12511834622643, -52.072871366152654,
     -59.78993625266729, -0.15582684282751913, 4.883087185713722],
])  # fmt: skip

_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 6.0
_UNSOLVED = 0.25  # factor of the step after a linear system that was not solved, or a stage that was not finite

Floats = NDArray[np.float64]
_compile = kernel()
_internal, _inlined = kernel(internal=True), kernel(internal=True, forceinline=True)


class Kernels(NamedTuple):
    """Addresses of what is generated for a network; see `senexo.engine.formula.lanes`."""

    derive: int  # what depends on constants only
    rates: int
    slopes: int  # the Jacobian, and the rates' derivatives by time
    factor: int
    substitute: int
    residual: int
    rules: int  # assignment rules


class Places(NamedTuple):
    """Where the parts of a block begin, in rows; see `senexo.engine.formula.layout.Layout`."""

    rates: int
    right: int
    kept: int
    constants: int
    by_time: int
    rules: int
    n_rows: int


class Slots(NamedTuple):
    """The slots of the states, of the constants that laws read, and of the assignment rules."""

    states: NDArray[np.int32]
    constants: NDArray[np.int32]
    assigned: NDArray[np.int32]


class Control(NamedTuple):
    """Error control. rtol, atol [states]: local error per step; timed: a rate names the time."""

    rtol: float
    atol: Floats
    max_steps: int
    timed: bool


class Found(NamedTuple):
    """values [rows, times, states], status [rows] and number of steps [rows]."""

    values: Floats
    status: NDArray[np.int8]
    steps: NDArray[np.int64]


class _Block(NamedTuple):
    """The array that generated kernels work on, and parts of it."""

    whole: Floats
    time: Floats
    shift: Floats
    backward: Floats
    x: Floats
    rates: Floats
    right: Floats
    kept: Floats
    constants: Floats
    by_time: Floats


class _Step(NamedTuple):
    """Of one step of all lanes: arrays [states x lanes], and [stages, states x lanes]."""

    y: Floats
    new: Floats
    slope: Floats
    per_h: Floats
    allowed: Floats
    scale: Floats
    squares: Floats
    k: Floats
    dense: Floats


class _Lanes(NamedTuple):
    """Arrays [lanes]: the row of each, -1 without one; where it is; and what the last step gave."""

    row: NDArray[np.int64]
    time: Floats
    h: Floats
    norm: Floats
    change: Floats
    moves: NDArray[np.bool_]
    n_out: NDArray[np.int64]
    n_steps: NDArray[np.int64]
    fresh: NDArray[np.bool_]
    grown: NDArray[np.bool_]  # the last step was accepted, so the next may be longer
    queue: NDArray[np.int64]  # [2]: the next row without a lane, and how many lanes have a row


@_internal
def _new_block(places: Any, n: int) -> Any:
    whole, size = np.ones(places.n_rows * LANES), n * LANES
    return _Block(
        whole,
        whole[TIME * LANES :][:LANES],
        whole[SHIFT * LANES :][:LANES],
        whole[BACKWARD * LANES :][:LANES],
        whole[STATES * LANES :][:size],
        whole[places.rates * LANES :][:size],
        whole[places.right * LANES :][:size],
        whole[places.kept * LANES :][:size],
        whole[places.constants * LANES :],
        whole[places.by_time * LANES :][:size],
    )


@_internal
def _new_step(atol: Any) -> Any:
    size = len(atol) * LANES
    allowed = np.ones(size)
    for i in range(len(atol)):
        allowed[i * LANES : (i + 1) * LANES] = atol[i]
    return _Step(
        np.ones(size), np.ones(size), np.ones(size), np.ones(size), allowed, np.ones(size), np.ones(size),
        np.zeros((8, size)), np.zeros((3, size)),
    )  # fmt: skip


@_internal
def _new_lanes() -> Any:
    return _Lanes(
        np.full(LANES, -1, dtype=np.int64), np.zeros(LANES), np.ones(LANES), np.zeros(LANES), np.zeros(LANES),
        np.zeros(LANES, np.bool_), np.zeros(LANES, dtype=np.int64), np.zeros(LANES, dtype=np.int64),
        np.zeros(LANES, np.bool_), np.zeros(LANES, np.bool_), np.zeros(2, dtype=np.int64),
    )  # fmt: skip


def _stage(s: int) -> Any:
    """x = y + sum_j A[s, j] k_j and e = sum_j C[s, j] k_j / h over a block; the sums are unrolled for this s."""

    @_internal
    def stage(y: Any, k: Any, per_h: Any, x: Any, e: Any) -> None:
        for q in range(len(y)):
            place, slope = y[q], 0.0
            for j in range(s):
                place += A[s, j] * k[j, q]
                slope += C[s, j] * k[j, q]
            x[q] = place
            e[q] = slope * per_h[q]

    return stage


_stage1, _stage2, _stage3, _stage4, _stage5, _stage6, _stage7 = (_stage(s) for s in range(1, 8))


@_internal
def _prepare_stage(s: int, y: Any, k: Any, per_h: Any, x: Any, e: Any) -> None:
    if s == 1:
        _stage1(y, k, per_h, x, e)
    elif s == 2:
        _stage2(y, k, per_h, x, e)
    elif s == 3:
        _stage3(y, k, per_h, x, e)
    elif s == 4:
        _stage4(y, k, per_h, x, e)
    elif s == 5:
        _stage5(y, k, per_h, x, e)
    elif s == 6:
        _stage6(y, k, per_h, x, e)
    else:
        _stage7(y, k, per_h, x, e)


@_inlined
def _take_rows(lanes: Any, step: Any, block: Any, slots: Any, rows: Any, times: Any, found: Any) -> bool:
    """Give every lane without a row the next one; True if any took one. Rows with nothing to follow are finished."""
    row, time, n_out, n_steps = lanes.row, lanes.time, lanes.n_out, lanes.n_steps
    fresh, grown, queue = lanes.fresh, lanes.grown, lanes.queue
    states, constants, y, p = slots.states, slots.constants, step.y, block.constants
    values, status, k_times = found.values, found.status, len(times)
    starting = False
    for lane in range(LANES):
        while row[lane] < 0 and queue[0] < len(rows):
            r = queue[0]
            queue[0] += 1
            finite = True
            for i in range(len(states)):
                finite &= np.isfinite(rows[r, states[i]])
                values[r, 0, i] = rows[r, states[i]]
            if not finite or k_times == 1:
                status[r] = OK if finite else NOT_FINITE
                values[r, 1:] = np.nan
                continue
            for i in range(len(constants)):
                p[i * LANES + lane] = rows[r, constants[i]]
            for i in range(len(states)):
                y[i * LANES + lane] = rows[r, states[i]]
            row[lane], time[lane], n_out[lane], n_steps[lane] = r, times[0], 1, 0
            fresh[lane], grown[lane], starting = True, True, True
            queue[1] += 1
    return starting


@_internal
def _first_step(y: Any, f: Any, scale: Any, lane: int, longest: float) -> float:
    """A hundredth of the time in which the rates change the values (Hairer, Norsett & Wanner I, section II.4)."""
    size, speed, n = 0.0, 0.0, len(y) // LANES
    for i in range(n):
        q = i * LANES + lane
        size += (y[q] / scale[q]) ** 2
        speed += (f[q] / scale[q]) ** 2
    guess = 0.01 * np.sqrt(size / speed) if size > 1e-10 * n and speed > 1e-10 * n else 1e-6 * longest
    return min(guess, longest)


@_inlined
def _first_steps(lanes: Any, step: Any, block: Any, rtol: float, longest: float) -> None:
    """The step of every lane that has just taken a row."""
    y, f, scale, allowed, fresh, h = step.y, block.rates, step.scale, step.allowed, lanes.fresh, lanes.h
    for q in range(len(y)):
        scale[q] = allowed[q] + rtol * abs(y[q])
    for lane in range(LANES):
        if fresh[lane]:
            h[lane] = _first_step(y, f, scale, lane, longest)
            fresh[lane] = False


@_inlined
def _stages(kernels: Any, lanes: Any, step: Any, block: Any, timed: bool) -> None:
    """The eight stages of a step, from factored matrices on: `step.k`, and `block.x` of the last one."""
    rates, substitute, residual = kernels.rates, kernels.substitute, kernels.residual
    w, x, f, right, kept = block.whole, block.x, block.rates, block.right, block.kept
    by_time, ts, t, h = block.by_time, block.time, lanes.time, lanes.h
    y, k, per_h, e = step.y, step.k, step.per_h, step.slope
    for s in range(8):
        if s > 0:
            _prepare_stage(s, y, k, per_h, x, e)
            for lane in range(LANES):
                ts[lane] = t[lane] + AT[s] * h[lane]
            run_block(rates, w, COUNT)
            for q in range(len(y)):
                right[q] = f[q] + e[q]
        else:
            right[:] = f
        if timed and D[s] != 0.0:
            for q in range(len(y)):
                right[q] += D[s] * by_time[q] / per_h[q]
        if s == 0:
            kept[:] = right
        run_block(substitute, w, COUNT)
        if s == 0:
            run_block(residual, w, COUNT)
        k[s] = right


@_inlined
def _errors(lanes: Any, step: Any, block: Any, rtol: float) -> None:
    """The new values, the error of each lane (root mean square over the states), its next step, dense output."""
    y, new, allowed, squares, k, dense = step.y, step.new, step.allowed, step.squares, step.k, step.dense
    x, norm, change = block.x, lanes.norm, lanes.change
    n = len(y) // LANES
    for q in range(len(y)):
        new[q] = x[q] + k[7, q]
        old, later = abs(y[q]), abs(new[q])
        error = k[7, q] / (allowed[q] + rtol * (old if old > later else later))
        squares[q] = error * error
    norm[:] = 0.0
    for i in range(n):
        for lane in range(LANES):
            norm[lane] += squares[i * LANES + lane]
    for q in range(len(y)):
        for d in range(3):
            bend = 0.0
            for j in range(8):
                bend += H[d, j] * k[j, q]
            dense[d, q] = bend
    for lane in range(len(norm)):
        mean = norm[lane] / n
        change[lane] = _SAFETY * lane_power(mean if mean > 1e-20 else 1e-20, -0.1)


@_inlined
def _write(lane: int, arrival: float, lanes: Any, step: Any, times: Any, values: Any) -> None:
    """Outputs of a lane up to the end of its step, by the dense output of the method."""
    y, new, dense, n_out = step.y, step.new, step.dense, lanes.n_out
    t, h, r = lanes.time[lane], lanes.h[lane], lanes.row[lane]
    while n_out[lane] < len(times) and times[n_out[lane]] <= arrival:
        u = (times[n_out[lane]] - t) / h
        for i in range(len(y) // LANES):
            q = i * LANES + lane
            bend = dense[0, q] + u * (dense[1, q] + u * dense[2, q])
            inside = (1.0 - u) * y[q] + u * (new[q] + (1.0 - u) * bend)
            values[r, n_out[lane], i] = new[q] if u >= 1.0 else inside
        n_out[lane] += 1


@_inlined
def _finish(lanes: Any, step: Any, backward: Any, times: Any, longest: float, control: Any, found: Any) -> int:
    """Accept or reject the step of every lane; rows at their end give their lane free. How many lanes had a row."""
    row, t, h, norm, moves = lanes.row, lanes.time, lanes.h, lanes.norm, lanes.moves
    n_steps, grown, factor = lanes.n_steps, lanes.grown, lanes.change
    end, n, n_ran = times[len(times) - 1], len(step.y) // LANES, 0
    unsolved = max(1e-12, 0.01 * control.rtol)
    for lane in range(LANES):
        moves[lane] = False
        if row[lane] < 0:
            continue
        n_ran += 1
        n_steps[lane] += 1
        solved = backward[lane] <= unsolved and np.isfinite(norm[lane])
        accepted = solved and norm[lane] <= n
        change = min(_GROW, max(_SHRINK, factor[lane])) if solved else _UNSOLVED
        last = accepted and h[lane] >= end - t[lane]
        if accepted:
            arrival = end if last else t[lane] + h[lane]
            _write(lane, arrival, lanes, step, times, found.values)
            moves[lane] = True
            t[lane] = arrival
            if not grown[lane]:
                change = min(change, 1.0)  # no growth right after a rejection
        grown[lane] = accepted
        code = OK if last else -1
        if not last:
            left = end - t[lane]
            h[lane] = min(h[lane] * change, longest)
            if h[lane] > 0.99 * left:
                h[lane] = left  # rather a slightly longer last step than a vanishing one
            if h[lane] <= 4e-16 * abs(t[lane]) + 1e-100:
                code = STEP_TOO_SMALL
            elif n_steps[lane] >= control.max_steps:
                code = TOO_MANY_STEPS
        if code >= 0:
            found.status[row[lane]] = code
            found.steps[row[lane]] = n_steps[lane]
            found.values[row[lane], lanes.n_out[lane] :] = np.nan
            row[lane] = -1
            lanes.queue[1] -= 1
            h[lane] = 1.0
    return n_ran


@_compile
def solve(kernels: Any, places: Any, slots: Any, control: Any, rows: Any, times: Any, found: Any) -> int:
    """Follow every row [rows, slots] from times[0] to times[-1] into `found`; returns the number of steps of all."""
    n, k_times = len(slots.states), len(times)
    block, step, lanes = _new_block(places, n), _new_step(control.atol), _new_lanes()
    longest = times[k_times - 1] - times[0]
    if control.timed:  # what a rate does at a time of its own must not be stepped over
        longest = max(longest / 50.0, 0.0) if k_times < 2 else min(longest / 20.0, np.max(np.diff(times)))
    w, y, new, per_h, shift = block.whole, step.y, step.new, step.per_h, block.shift
    h, moves = lanes.h, lanes.moves
    total = 0
    while True:
        starting = _take_rows(lanes, step, block, slots, rows, times, found)
        if lanes.queue[1] == 0:
            return total
        block.x[:] = y
        block.time[:] = lanes.time
        if starting:
            run_block(kernels.derive, w, COUNT)
        run_block(kernels.rates, w, COUNT)
        run_block(kernels.slopes, w, COUNT)
        if starting:
            _first_steps(lanes, step, block, control.rtol, longest)
        for lane in range(LANES):
            shift[lane] = (1.0 / h[lane]) / GAMMA
        for i in range(n):
            for lane in range(LANES):
                per_h[i * LANES + lane] = 1.0 / h[lane]
        run_block(kernels.factor, w, COUNT)
        _stages(kernels, lanes, step, block, control.timed)
        _errors(lanes, step, block, control.rtol)
        total += _finish(lanes, step, block.backward, times, longest, control, found)
        for i in range(n):
            for lane in range(LANES):
                q = i * LANES + lane
                y[q] = new[q] if moves[lane] else y[q]


@_compile
def read_out(
    kernels: Any, places: Any, slots: Any, rows: Any, times: Any, found: Any, source: Any, values: Any, final: Any
) -> None:
    """Evaluate the assignment rules at every time; write the values asked for, and the last value vectors.

    source: of each value asked for, the number of its state, or of its rule behind the states, or -1 - slot for what
    stays as it was given.
    """
    derive, rules = kernels.derive, kernels.rules
    states, constants, assigned = slots.states, slots.constants, slots.assigned
    n, k = len(states), len(times)
    w = np.ones(places.n_rows * LANES)
    t, x = w[TIME * LANES :], w[STATES * LANES :]
    p, out = w[places.constants * LANES :], w[places.rules * LANES :]
    for r in range(len(rows)):
        for i in range(len(constants)):
            p[i * LANES : (i + 1) * LANES] = rows[r, constants[i]]
        run_block(derive, w, COUNT)
        for begin in range(0, k, LANES):
            count = min(LANES, k - begin)
            for lane in range(count):
                t[lane] = times[begin + lane]
                for i in range(n):
                    x[i * LANES + lane] = found[r, begin + lane, i]
            run_block(rules, w, COUNT)
            for lane in range(count):
                for c in range(len(source)):
                    place = source[c]
                    if place < 0:
                        values[r, begin + lane, c] = rows[r, -1 - place]
                    elif place < n:
                        values[r, begin + lane, c] = found[r, begin + lane, place]
                    else:
                        values[r, begin + lane, c] = out[(place - n) * LANES + lane]
        final[r] = rows[r]
        last = (k - 1) % LANES
        for i in range(n):
            final[r, states[i]] = found[r, k - 1, i]
        for i in range(len(assigned)):
            final[r, assigned[i]] = out[i * LANES + last]
