"""Rodas5P for many rows at once: sixteen independent solutions in lockstep, one per lane.

Every lane has its own time, step size, error control and row; a lane that reaches the end takes the next row.
Lanes share the instruction stream only, so a row's bits do not depend on its neighbours, on the lane it runs
in, or on how many rows there are. Arrays are flat, quantity-major: entry q of lane l is at `q * LANES + l`
(constant strides are what lets the compiler turn the innermost loops into vector instructions).

Method: Rodas5P, eight stages, order 5(4), stiffly accurate and L-stable, dense output of order 4:
Steinebach 2023, doi 10.1007/s10543-023-00967-x (coefficients of the paper's appendix, in the transformed form
without matrix-vector products of Hairer & Wanner, Solving ODEs II, section IV.7). With E = 1/(gamma h) I - J:

    E k_i = f(t + c_i h, y + sum_j a_ij k_j) + sum_j C_ij k_j / h + h d_i df/dt,   y_new = y + sum_j a_8j k_j + k_8

and k_8 is the error estimate. The linear systems are solved by a sparse LU without row exchanges, in a fixed
order chosen beforehand (`senexo.engine.sparse`); a pivot that cancels rejects the step, and as h shrinks E
becomes diagonal, so a smaller step always cures it.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

LANES = 16
OK, STEP_TOO_SMALL, TOO_MANY_STEPS, NOT_FINITE = 0, 1, 2, 3
INVERT, SCALE, SUBTRACT = 0, 1, 2

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
_CANCELLED = 1e-10  # share of the original diagonal below which a pivot has lost its digits

_vector = types.float64[::1]
_index = types.int32[::1]
FORMULAS = types.void(_vector, _vector, _vector)  # (values, times, out)
_KERNEL = types.int64(
    types.FunctionType(FORMULAS), types.FunctionType(FORMULAS), types.float64[:, ::1], _vector,
    types.float64[:, :, ::1], types.int8[::1], types.int64[::1], _index, _index, types.int32[:, ::1],
    types.int32[:, ::1], _index, types.int64, types.boolean, types.float64, _vector, types.int64,
)  # fmt: skip


@njit(nogil=True, error_model="numpy", inline="always")
def _combine(out, base, k, coefficients, count, n):
    """out = base + sum_j coefficients[j] k[j], all [n * LANES]."""
    for i in range(n * LANES):
        out[i] = base[i]
    for j in range(count):
        c = coefficients[j]
        if c != 0.0:
            for i in range(n * LANES):
                out[i] += c * k[j, i]


@njit(nogil=True, error_model="numpy", inline="always")
def _factor(program, matrix, inverse, diagonal, sound):
    """Sparse LU of every lane's matrix in place, by the elimination program of `senexo.engine.sparse`."""
    for p in range(program.shape[0]):
        kind, a, b, c = program[p, 0], program[p, 1] * LANES, program[p, 2] * LANES, program[p, 3] * LANES
        if kind == SUBTRACT:
            for lane in range(LANES):
                matrix[a + lane] -= matrix[b + lane] * matrix[c + lane]
        elif kind == SCALE:
            for lane in range(LANES):
                matrix[a + lane] *= inverse[b + lane]
        else:
            for lane in range(LANES):
                inverse[a + lane] = 1.0 / matrix[b + lane]
                sound[lane] &= abs(matrix[b + lane]) > _CANCELLED * abs(diagonal[a + lane])


@njit(nogil=True, error_model="numpy", inline="always")
def _substitute(program, matrix, inverse, x):
    """Forward and backward substitution for every lane; x is the right-hand side and becomes the solution."""
    for p in range(program.shape[0]):
        kind, a, b, c = program[p, 0], program[p, 1] * LANES, program[p, 2] * LANES, program[p, 3] * LANES
        if kind == SUBTRACT:
            for lane in range(LANES):
                x[a + lane] -= matrix[b + lane] * x[c + lane]
        else:
            for lane in range(LANES):
                x[a + lane] *= inverse[b + lane]


@njit(_KERNEL, nogil=True, error_model="numpy", cache=True)
def solve(
    rates, slopes, rows, times, out, status, steps, states, entries, elimination, substitution, diagonals,
    n_entries, timed, rtol, atol, max_steps,
):  # fmt: skip
    """Follow every row from times[0] to times[-1]; the kernel is one long function because the lanes' state is.

    rates(v, t, f), slopes(v, t, J and df/dt): generated formulas over one block of lanes. rows [n, slots];
    times [k]; out [n, k, states]; states: slots of the states; entries [nnz]: place of each Jacobian entry in the
    factored matrix; elimination, substitution: sparse programs; diagonals: places of the diagonal. Returns the
    number of lane steps taken.
    """
    n_rows, n_slots = rows.shape
    n, k_times = len(states), len(times)
    size = n * LANES
    v = np.zeros(n_slots * LANES)
    y, stage, f, start_f, error = (np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size))
    k = np.zeros((8, size))
    dense = np.zeros((3, size))
    jacobian = np.zeros((len(entries) + n) * LANES)
    matrix = np.zeros(n_entries * LANES)
    inverse, diagonal = np.zeros(size), np.zeros(size)
    t, h, ts, norm = np.zeros(LANES), np.ones(LANES), np.zeros(LANES), np.zeros(LANES)
    row = np.full(LANES, -1, dtype=np.int64)
    at = np.zeros(LANES, dtype=np.int64)
    taken = np.zeros(LANES, dtype=np.int64)
    fresh, grown, sound = np.zeros(LANES, np.bool_), np.zeros(LANES, np.bool_), np.zeros(LANES, np.bool_)
    end = times[k_times - 1]
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
                    next_row += 1
                    continue
                for i in range(n_slots):
                    v[i * LANES + lane] = rows[next_row, i]
                for i in range(n):
                    y[i * LANES + lane] = rows[next_row, states[i]]
                row[lane], t[lane], at[lane], taken[lane] = next_row, times[0], 1, 0
                fresh[lane], grown[lane] = True, True
                starting = True
                next_row += 1
                running += 1
        if running == 0:
            return total
        # ---- rates and their derivatives at the start of the step ------------------------------------------
        for i in range(n):
            target = states[i] * LANES
            for lane in range(LANES):
                v[target + lane] = y[i * LANES + lane]
        rates(v, t, start_f)
        slopes(v, t, jacobian)
        if starting:
            for lane in range(LANES):
                if fresh[lane]:  # first step: a hundredth of the time in which the rates change the values
                    size_y, size_f = 0.0, 0.0
                    for i in range(n):
                        scale = atol[i] + rtol * abs(y[i * LANES + lane])
                        size_y = max(size_y, abs(y[i * LANES + lane]) / scale)
                        size_f = max(size_f, abs(start_f[i * LANES + lane]) / scale)
                    guess = 0.01 * size_y / size_f if size_y > 1e-5 and size_f > 1e-5 else 1e-6 * (end - t[lane])
                    h[lane] = min(max(guess, 1e-10 * (end - t[lane])), end - t[lane])
                    fresh[lane] = False
        # ---- E = 1/(gamma h) I - J, factored ----------------------------------------------------------------
        for i in range(n_entries * LANES):
            matrix[i] = 0.0
        for e in range(len(entries)):
            place = entries[e] * LANES
            for lane in range(LANES):
                matrix[place + lane] = -jacobian[e * LANES + lane]
        for i in range(n):
            place = diagonals[i] * LANES
            for lane in range(LANES):
                matrix[place + lane] += 1.0 / (GAMMA * h[lane])
                diagonal[i * LANES + lane] = matrix[place + lane]
        for lane in range(LANES):
            sound[lane] = True
        _factor(elimination, matrix, inverse, diagonal, sound)
        # ---- eight stages -------------------------------------------------------------------------------------
        for s in range(8):
            _combine(stage, y, k, A[s], s, n)
            if s == 0:
                for i in range(size):
                    f[i] = start_f[i]
            else:
                for i in range(n):
                    target = states[i] * LANES
                    for lane in range(LANES):
                        v[target + lane] = stage[i * LANES + lane]
                for lane in range(LANES):
                    ts[lane] = t[lane] + AT[s] * h[lane]
                rates(v, ts, f)
            for i in range(size):
                error[i] = 0.0
            for j in range(s):
                c = C[s, j]
                for i in range(size):
                    error[i] += c * k[j, i]
            for i in range(n):
                for lane in range(LANES):
                    f[i * LANES + lane] += error[i * LANES + lane] / h[lane]
            if timed and D[s] != 0.0:
                for i in range(n):
                    place = (len(entries) + i) * LANES
                    for lane in range(LANES):
                        f[i * LANES + lane] += h[lane] * D[s] * jacobian[place + lane]
            _substitute(substitution, matrix, inverse, f)
            for i in range(size):
                k[s, i] = f[i]
        # ---- error of each lane: root mean square over the states --------------------------------------------
        for lane in range(LANES):
            norm[lane] = 0.0
        for i in range(n):
            for lane in range(LANES):
                place = i * LANES + lane
                new = stage[place] + k[7, place]
                scale = atol[i] + rtol * max(abs(y[place]), abs(new))
                norm[lane] += (k[7, place] / scale) ** 2
                error[place] = new
        for d in range(3):
            for i in range(size):
                dense[d, i] = 0.0
            for j in range(8):
                c = H[d, j]
                for i in range(size):
                    dense[d, i] += c * k[j, i]
        # ---- accept or reject, lane by lane ----------------------------------------------------------------------
        for lane in range(LANES):
            if row[lane] < 0:
                continue
            total += 1
            taken[lane] += 1
            measure = np.sqrt(norm[lane] / n)
            accepted = sound[lane] and measure <= 1.0  # false for not-a-number too
            if not sound[lane] or not np.isfinite(measure):
                factor = 0.25
            else:
                factor = min(_GROW, max(_SHRINK, _SAFETY * max(measure, 1e-10) ** (-0.2)))
            last = False
            if accepted:
                arrival = t[lane] + h[lane]
                last = h[lane] >= end - t[lane]
                while at[lane] < k_times and (last or times[at[lane]] <= arrival):
                    x = min((times[at[lane]] - t[lane]) / h[lane], 1.0)
                    for i in range(n):
                        place = i * LANES + lane
                        bend = dense[0, place] + x * (dense[1, place] + x * dense[2, place])
                        between = (1.0 - x) * y[place] + x * (error[place] + (1.0 - x) * bend)
                        out[row[lane], at[lane], i] = error[place] if x == 1.0 else between
                    at[lane] += 1
                for i in range(n):
                    y[i * LANES + lane] = error[i * LANES + lane]
                t[lane] = arrival
                if not grown[lane]:
                    factor = min(factor, 1.0)  # no growth right after a rejection
            grown[lane] = accepted
            code = -1
            if last:
                code = OK
            else:
                left = end - t[lane]
                h[lane] = min(h[lane] * factor, left)
                if left - h[lane] < 0.01 * h[lane]:
                    h[lane] = left  # rather a slightly longer last step than a vanishing one
                if h[lane] < 4e-16 * max(abs(t[lane]), abs(end)):
                    code = STEP_TOO_SMALL
                elif taken[lane] >= max_steps:
                    code = TOO_MANY_STEPS
            if code >= 0:
                status[row[lane]] = code
                steps[row[lane]] = taken[lane]
                for a in range(at[lane], k_times):
                    for i in range(n):
                        out[row[lane], a, i] = np.nan
                row[lane] = -1
                running -= 1
                for i in range(n_slots):  # an idle lane goes on computing; give it numbers it can live with
                    v[i * LANES + lane] = 1.0
                for i in range(n):
                    y[i * LANES + lane] = 1.0
                h[lane] = 1.0
