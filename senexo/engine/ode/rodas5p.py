"""Rodas5P for many rows at once: sixteen independent solutions in lockstep, one per lane.

Every lane has its own time, step size, error control and row; a lane that reaches the end takes the next row.
Lanes share the instruction stream only, so a row's bits do not depend on its neighbours, on the lane it runs
in, or on how many rows there are. Blocks are flat and quantity-major as in `senexo.engine.formula.lanes`, and the
loops run over a whole block where they can, which is what lets the compiler make vector instructions of them.

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

from typing import Any

import numpy as np
from numba import types

from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.lane_math import lane_power
from senexo.engine.formula.layout import BACKWARD, COUNT, KERNEL, LANES, SHIFT, STATES, TIME

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

_block, _count, _index = types.float64[::1], types.int64, types.int32[::1]
_rows, _table = types.float64[:, ::1], types.float64[:, :, ::1]
_KERNEL = _count(
    *[types.FunctionType(KERNEL)] * 6, types.UniTuple(_count, 8), _index, _index,
    types.float64[:, ::1], _block, types.float64[:, :, ::1], types.int8[::1], types.int64[::1],
    types.boolean, types.float64, _block, _count,
)  # fmt: skip


def _stage(s: int) -> Any:
    """x = y + sum_j A[s, j] k_j and e = sum_j C[s, j] k_j / h over a block; the sums are unrolled for this s."""

    @kernel()
    def stage(y, k, per_h, x, e):  # type: ignore[no-untyped-def]
        for q in range(len(y)):
            place, slope = y[q], 0.0
            for j in range(s):
                place += A[s, j] * k[j, q]
                slope += C[s, j] * k[j, q]
            x[q] = place
            e[q] = slope * per_h[q]

    return stage


_stage1, _stage2, _stage3, _stage4, _stage5, _stage6, _stage7 = (_stage(s) for s in range(1, 8))


@kernel()
def _prepare_stage(s, y, k, per_h, x, e):  # type: ignore[no-untyped-def]
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


@kernel()
def _first_step(y, f, scale, lane, n, longest):  # type: ignore[no-untyped-def]
    """A hundredth of the time in which the rates change the values (Hairer, Norsett & Wanner I, section II.4)."""
    size, speed = 0.0, 0.0
    for i in range(n):
        q = i * LANES + lane
        size += (y[q] / scale[q]) ** 2
        speed += (f[q] / scale[q]) ** 2
    guess = 0.01 * np.sqrt(size / speed) if size > 1e-10 * n and speed > 1e-10 * n else 1e-6 * longest
    return min(guess, longest)


@kernel(_KERNEL)
def solve(  # type: ignore[no-untyped-def]
    derive, rates, slopes, factor, substitute, residual, layout, states, constants, rows, times, out, status, steps,
    timed, rtol, atol, max_steps,
):  # fmt: skip
    """Follow every row from times[0] to times[-1]; the kernel is one long function because the lanes' state is.

    derive ... residual, layout: generated for the network (`senexo.engine.formula.lanes`,
    `senexo.engine.ode.ensemble`); states, constants: slots; rows [n, slots]; times [k]; out [n, k, states]; timed: a
    rate names the time. Returns the number of steps of all rows.
    """
    at_rates, at_right, at_kept, at_constants, at_jacobian, n_entries, _, n_block = layout
    n_rows, n, k_times, n_given = len(rows), len(states), len(times), len(constants)
    size = n * LANES
    w = np.ones(n_block * LANES)
    x, f = w[STATES * LANES :][:size], w[at_rates * LANES :][:size]
    right, kept = w[at_right * LANES :][:size], w[at_kept * LANES :][:size]
    p = w[at_constants * LANES :]
    by_time = w[(at_jacobian + n_entries) * LANES :][:size]
    ts, shift, backward = w[TIME * LANES :][:LANES], w[SHIFT * LANES :][:LANES], w[BACKWARD * LANES :][:LANES]
    y, new, e = np.ones(size), np.ones(size), np.ones(size)
    per_h, allowed, scale, squares = np.ones(size), np.ones(size), np.ones(size), np.ones(size)
    k = np.zeros((8, size))
    dense = np.zeros((3, size))
    t, h, inverse, norm, factor_h = np.zeros(LANES), np.ones(LANES), np.ones(LANES), np.zeros(LANES), np.zeros(LANES)
    moves = np.zeros(LANES, np.bool_)
    row = np.full(LANES, -1, dtype=np.int64)
    at, taken = np.zeros(LANES, dtype=np.int64), np.zeros(LANES, dtype=np.int64)
    fresh, grown = np.zeros(LANES, np.bool_), np.zeros(LANES, np.bool_)
    for i in range(n):
        allowed[i * LANES : (i + 1) * LANES] = atol[i]
    begin, end = times[0], times[k_times - 1]
    longest = end - begin
    if timed:  # what a rate does at a time of its own must not be stepped over
        longest = max(longest / 50.0, 0.0) if k_times < 2 else min(longest / 20.0, np.max(np.diff(times)))
    unsolved = max(1e-12, 0.01 * rtol)
    next_row, running, total = 0, 0, 0
    while True:
        # ---- a lane without a row takes the next one -------------------------------------------------------
        starting = False
        for lane in range(LANES):
            while row[lane] < 0 and next_row < n_rows:
                finite = True
                for i in range(n):
                    finite &= np.isfinite(rows[next_row, states[i]])
                    out[next_row, 0, i] = rows[next_row, states[i]]
                if not finite or k_times == 1:
                    status[next_row] = OK if finite else NOT_FINITE
                    out[next_row, 1:] = np.nan
                    next_row += 1
                    continue
                for i in range(n_given):
                    p[i * LANES + lane] = rows[next_row, constants[i]]
                for i in range(n):
                    y[i * LANES + lane] = rows[next_row, states[i]]
                row[lane], t[lane], at[lane], taken[lane] = next_row, begin, 1, 0
                fresh[lane], grown[lane], starting = True, True, True
                next_row += 1
                running += 1
        if running == 0:
            return total
        # ---- rates and their derivatives at the start of the step ------------------------------------------
        x[:] = y
        ts[:] = t
        if starting:
            derive(w, COUNT)
        rates(w, COUNT)
        slopes(w, COUNT)
        if starting:
            for q in range(size):
                scale[q] = allowed[q] + rtol * abs(y[q])
            for lane in range(LANES):
                if fresh[lane]:
                    h[lane] = _first_step(y, f, scale, lane, n, longest)
                    fresh[lane] = False
        for lane in range(LANES):
            inverse[lane] = 1.0 / h[lane]
            shift[lane] = inverse[lane] / GAMMA
        for i in range(n):
            for lane in range(LANES):
                per_h[i * LANES + lane] = inverse[lane]
        factor(w, COUNT)
        # ---- eight stages -------------------------------------------------------------------------------------
        for s in range(8):
            if s > 0:
                _prepare_stage(s, y, k, per_h, x, e)
                for lane in range(LANES):
                    ts[lane] = t[lane] + AT[s] * h[lane]
                rates(w, COUNT)
                for q in range(size):
                    right[q] = f[q] + e[q]
            else:
                right[:] = f
            if timed and D[s] != 0.0:
                for q in range(size):
                    right[q] += D[s] * by_time[q] / per_h[q]
            if s == 0:
                kept[:] = right
            substitute(w, COUNT)
            if s == 0:
                residual(w, COUNT)
            k[s] = right
        # ---- error of each lane: root mean square over the states --------------------------------------------
        for q in range(size):
            new[q] = x[q] + k[7, q]
            old, later = abs(y[q]), abs(new[q])
            error = k[7, q] / (allowed[q] + rtol * (old if old > later else later))
            squares[q] = error * error
        norm[:] = 0.0
        for i in range(n):
            for lane in range(LANES):
                norm[lane] += squares[i * LANES + lane]
        for q in range(size):
            for d in range(3):
                bend = 0.0
                for j in range(8):
                    bend += H[d, j] * k[j, q]
                dense[d, q] = bend
        for lane in range(len(norm)):
            mean = norm[lane] / n
            factor_h[lane] = _SAFETY * lane_power(mean if mean > 1e-20 else 1e-20, -0.1)
        # ---- accept or reject, lane by lane ----------------------------------------------------------------------
        for lane in range(LANES):
            moves[lane] = False
            if row[lane] < 0:
                continue
            total += 1
            taken[lane] += 1
            solved = backward[lane] <= unsolved and np.isfinite(norm[lane])
            accepted = solved and norm[lane] <= n
            change = min(_GROW, max(_SHRINK, factor_h[lane])) if solved else _UNSOLVED
            last = accepted and h[lane] >= end - t[lane]
            if accepted:
                arrival = end if last else t[lane] + h[lane]
                while at[lane] < k_times and times[at[lane]] <= arrival:
                    u = (times[at[lane]] - t[lane]) / h[lane]
                    for i in range(n):
                        q = i * LANES + lane
                        bend = dense[0, q] + u * (dense[1, q] + u * dense[2, q])
                        inside = (1.0 - u) * y[q] + u * (new[q] + (1.0 - u) * bend)
                        out[row[lane], at[lane], i] = new[q] if u >= 1.0 else inside
                    at[lane] += 1
                moves[lane] = True
                t[lane] = arrival
                if not grown[lane]:
                    change = min(change, 1.0)  # no growth right after a rejection
            grown[lane] = accepted
            code = -1
            if last:
                code = OK
            else:
                left = end - t[lane]
                h[lane] = min(h[lane] * change, longest)
                if h[lane] > 0.99 * left:
                    h[lane] = left  # rather a slightly longer last step than a vanishing one
                if h[lane] <= 4e-16 * abs(t[lane]) + 1e-100:
                    code = STEP_TOO_SMALL
                elif taken[lane] >= max_steps:
                    code = TOO_MANY_STEPS
            if code >= 0:
                status[row[lane]] = code
                steps[row[lane]] = taken[lane]
                out[row[lane], at[lane] :] = np.nan
                row[lane] = -1
                running -= 1
                h[lane] = 1.0
        for i in range(n):
            for lane in range(LANES):
                q = i * LANES + lane
                y[q] = new[q] if moves[lane] else y[q]


@kernel(
    types.void(
        types.FunctionType(KERNEL), types.FunctionType(KERNEL), types.UniTuple(types.int64, 8),
        _index, _index, _index, _rows, types.float64[::1], _table, _table, _rows, _index,
    )
)  # fmt: skip
def fill(  # type: ignore[no-untyped-def]
    derive, rules, layout, states, constants, assigned, rows, times, found, values, final, source
):
    """Evaluate the assignment rules at every time; write the values asked for, and the last value vectors."""
    _, _, _, at_constants, _, _, at_rules, n_block = layout
    n_given, n, k = len(constants), len(states), len(times)
    w = np.ones(n_block * LANES)
    t, x, p, out = w[TIME * LANES :], w[STATES * LANES :], w[at_constants * LANES :], w[at_rules * LANES :]
    for r in range(len(rows)):
        for i in range(n_given):
            p[i * LANES : (i + 1) * LANES] = rows[r, constants[i]]
        derive(w, COUNT)
        for begin in range(0, k, LANES):
            count = min(LANES, k - begin)
            for lane in range(count):
                t[lane] = times[begin + lane]
                for i in range(n):
                    x[i * LANES + lane] = found[r, begin + lane, i]
            rules(w, COUNT)
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
