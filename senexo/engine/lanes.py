"""Straight-line kernels over a block of lanes, generated from one network's formulas.

A block holds LANES independent copies of the problem, quantity-major: quantity q of lane l is at
`q * LANES + l` of a flat array. Every kernel is one loop over the lanes with all arithmetic written out in
its body; the number of lanes is read at run time (`len` of an argument), because a loop whose length is
known is unrolled before it can be turned into vector instructions. Only elementary operations are used, so
a lane's bits depend on that lane alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numba import njit, types

from senexo.engine.codegen import compile_function, print_nodes
from senexo.engine.graph import Graph, Node
from senexo.engine.sparse import Elimination

LANES = 16

_block = types.float64[::1]
FORMULAS = types.void(_block, _block, _block, _block)  # (states, constants, times, out)
FACTOR = types.void(_block, _block, _block)  # (jacobian, shift, factors)
SUBSTITUTE = types.void(_block, _block, _block)  # (factors, shift, right-hand side -> solution)
RESIDUAL = types.void(_block, _block, _block, _block, _block)  # (jacobian, shift, solution, right-hand side, out)


def formulas(
    graph: Graph,
    nodes: Sequence[Node],
    states: Mapping[int, int],
    constants: Mapping[int, int],
    given: Mapping[Node, int],
) -> Any:
    """Kernel (x, p, t, out) that computes the nodes; out [nodes * LANES].

    states and constants: slot -> its place in x and in p; given: node -> place in p where its value already is.
    """

    def name(slot: int) -> str:
        array, place = ("x", states[slot]) if slot in states else ("p", constants[slot])
        return f"{array}[{place * LANES} + lane]"

    ready = {node: f"p[{place * LANES} + lane]" for node, place in given.items()}
    lines, results = print_nodes(graph, nodes, name, time="t[lane]", ready=ready, functions=_FUNCTIONS)
    lines += [f"out[{i * LANES} + lane] = {text}" for i, text in enumerate(results)]
    return _kernel("x, p, t, out", "t", lines, FORMULAS)


def factor(entries: Mapping[tuple[int, int], int], plan: Elimination, n: int) -> Any:
    """Kernel (jacobian, shift, factors): L U = shift * identity - jacobian, lane by lane.

    entries: (row, column) -> place in the Jacobian. The reciprocals of the pivots stand in the diagonal's places.
    """
    held = {entry: f"-jacobian[{place * LANES} + lane]" for entry, place in entries.items()}
    for i in range(n):
        held[i, i] = f"shift[lane] - jacobian[{entries[i, i] * LANES} + lane]" if (i, i) in entries else "shift[lane]"
    lines = [f"m{plan.places[entry]} = {text}" for entry, text in held.items()]
    filled = set(held)
    for pivot, below, right in plan.pivots:
        diagonal = plan.places[pivot, pivot]
        lines.append(f"m{diagonal} = 1.0 / m{diagonal}")
        for r in below:
            multiplier = plan.places[r, pivot]
            lines.append(f"m{multiplier} = m{multiplier} * m{diagonal}")
            for c in right:
                target, product = plan.places[r, c], f"m{multiplier} * m{plan.places[pivot, c]}"
                lines.append(f"m{target} = m{target} - {product}" if (r, c) in filled else f"m{target} = -{product}")
                filled.add((r, c))
    lines += [f"factors[{place * LANES} + lane] = m{place}" for place in plan.places.values()]
    return _kernel("jacobian, shift, factors", "shift", lines, FACTOR)


def substitute(plan: Elimination, n: int) -> Any:
    """Kernel (factors, shift, b): b becomes the solution of L U x = b, lane by lane."""

    def held(r: int, c: int) -> str:
        return f"factors[{plan.places[r, c] * LANES} + lane]"

    lines = [f"x{i} = b[{i * LANES} + lane]" for i in range(n)]
    for pivot, below, _ in plan.pivots:
        lines += [f"x{r} = x{r} - {held(r, pivot)} * x{pivot}" for r in below]
    for pivot, _, right in reversed(plan.pivots):
        lines += [f"x{pivot} = x{pivot} - {held(pivot, c)} * x{c}" for c in right]
        lines.append(f"x{pivot} = x{pivot} * {held(pivot, pivot)}")
    lines += [f"b[{i * LANES} + lane] = x{i}" for i in range(n)]
    return _kernel("factors, shift, b", "shift", lines, SUBSTITUTE)


def residual(entries: Mapping[tuple[int, int], int], n: int) -> Any:
    """Kernel (jacobian, shift, x, b, out): out is the componentwise backward error of (shift - jacobian) x = b.

    max_i |r_i| / (|shift x_i| + sum_j |J_ij x_j| + |b_i|) with r = b - (shift - J) x: the smallest relative
    change of matrix and right-hand side that makes x exact (Oettli & Prager 1964, doi 10.1007/BF01386090); it
    does not depend on the units of the states.
    """
    lines = ["worst = 0.0"]
    for i in range(n):
        lines += [f"a = shift[lane] * x[{i * LANES} + lane]", f"r = b[{i * LANES} + lane] - a"]
        lines.append(f"s = abs(a) + abs(b[{i * LANES} + lane])")
        for (row, column), place in entries.items():
            if row == i:
                lines.append(f"a = jacobian[{place * LANES} + lane] * x[{column * LANES} + lane]")
                lines += ["r = r + a", "s = s + abs(a)"]
        lines += ["r = abs(r) / s if s > 0.0 else 0.0", "worst = r if r > worst else worst"]
    return _kernel("jacobian, shift, x, b, out", "shift", [*lines, "out[lane] = worst"], RESIDUAL)


def _kernel(arguments: str, per_lane: str, lines: Sequence[str], signature: Any) -> Any:
    body = "".join(f"        {line}\n" for line in lines or ["pass"])
    source = f"def kernel({arguments}):\n    for lane in range(len({per_lane})):\n{body}"
    dispatcher: Any = compile_function(source, {"lane_exp": lane_exp, "lane_ln": lane_ln, "lane_power": lane_power})
    if not dispatcher.signatures:
        dispatcher.compile(signature)
        dispatcher.disable_compile()
    return dispatcher


# ---- functions of the library, written so that a loop over them becomes vector instructions

_FUNCTIONS = {"exp": "lane_exp", "ln": "lane_ln", "power": "lane_power"}
_ROUNDER = 6755399441055744.0  # 1.5 * 2^52: adding it leaves the nearest whole number in the lowest bits
_ROUNDER_BITS = 0x4338000000000000
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # high part: 32 trailing zero bits
_HALF_ROOT_BITS = 0x3FE6A09E667F3BCD  # sqrt(1/2)


@njit(nogil=True, error_model="numpy", cache=True)
def lane_exp(x: float) -> float:
    """e^x within 1.5 units in the last place: x = k ln 2 + r, Taylor series of e^r, scaled by 2^k in two halves.

    Subnormal results may lose a further bit. Cody & Waite, Software Manual for the Elementary Functions (1980).
    """
    inside = -746.0 if x < -746.0 else x
    inside = 710.0 if inside > 710.0 else inside
    shifted = inside * 1.4426950408889634 + _ROUNDER
    k = shifted - _ROUNDER
    r = (inside - k * _LN2_HIGH) - k * _LN2_LOW
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = 1.0 + (r + r * r * p)
    exponent = np.float64(shifted).view(np.int64) - _ROUNDER_BITS
    half = exponent >> 1
    first = np.int64((half + 1023) << 52).view(np.float64)
    second = np.int64((exponent - half + 1023) << 52).view(np.float64)
    return p * first * second if x == x else x


@njit(nogil=True, error_model="numpy", cache=True)
def lane_ln(x: float) -> float:
    """Natural logarithm within 1 unit in the last place; -inf at 0, not a number below.

    x = 2^k (1 + f), ln(1 + f) by a rational form in s = f / (2 + f); coefficients of FreeBSD's e_log.c.
    """
    tiny = x < 2.2250738585072014e-308
    normal = x * 18014398509481984.0 if tiny else x
    bits = np.float64(normal).view(np.int64)
    exponent = (bits - _HALF_ROOT_BITS) >> 52
    f = np.int64(bits - (exponent << 52)).view(np.float64) - 1.0
    k = np.float64(exponent) - (54.0 if tiny else 0.0)
    s = f / (2.0 + f)
    z = s * s
    p = 1.479819860511658591e-01
    p = p * z + 1.531383769920937332e-01
    p = p * z + 1.818357216161805012e-01
    p = p * z + 2.222219843214978396e-01
    p = p * z + 2.857142874366239149e-01
    p = p * z + 3.999999999940941908e-01
    p = p * z + 6.666666666666735130e-01
    square = 0.5 * f * f
    result = k * _LN2_HIGH - ((square - (s * (square + z * p) + k * _LN2_LOW)) - f)
    result = result if x < np.inf else x
    result = result if x != 0.0 else -np.inf
    return result if x >= 0.0 else np.nan


@njit(nogil=True, error_model="numpy", cache=True)
def lane_power(x: float, y: float) -> float:
    """x^y = e^(y ln |x|), relative error near 1e-16 (1 + |y ln x|); x < 0 has a power for whole y only."""
    size = lane_exp(y * lane_ln(abs(x)))
    odd = np.floor(0.5 * y) != 0.5 * y
    below = np.nan if np.floor(y) != y else (-size if odd else size)
    result = below if x < 0.0 else size
    return result if y != 0.0 and x != 1.0 else 1.0
