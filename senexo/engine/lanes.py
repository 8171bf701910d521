"""Straight-line kernels over a block of lanes, generated from one network's formulas.

A block holds LANES independent copies of the problem in one flat array, quantity-major: row q of lane l is at
`q * LANES + l`, and `Layout` says which row is what. Every kernel is one loop over the lanes with all
arithmetic written out in its body. Three habits make vector instructions of that loop: all memory is one
array at offsets known when the kernel is made (nothing can overlap, so nothing must be checked), the number
of lanes is an argument (a loop of known length is unrolled instead), and only elementary operations are used.
So a lane's bits depend on that lane alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit, types

from senexo.engine.codegen import compile_function, print_nodes
from senexo.engine.graph import Graph, Node
from senexo.engine.sparse import Elimination

LANES = 16
COUNT = np.uint64(LANES)  # as the kernels take it
TIME, SHIFT, BACKWARD, STATES = 0, 1, 2, 3  # rows: time, 1 / (gamma h), backward error, first state
KERNEL = types.void(types.float64[::1], types.uint64)  # (block, number of lanes)


@dataclass(frozen=True, slots=True)
class Layout:
    """Which row of a block is what; every number of rows, then where each part begins."""

    n_states: int
    n_constants: int
    n_derived: int  # what depends on constants only
    n_entries: int  # of the Jacobian; df/dt stands behind them
    n_factors: int
    n_rules: int

    @property
    def rates(self) -> int:
        return STATES + self.n_states

    @property
    def right(self) -> int:
        """Right-hand side of a linear system, then its solution."""
        return self.rates + self.n_states

    @property
    def kept(self) -> int:
        """A copy of the right-hand side."""
        return self.right + self.n_states

    @property
    def constants(self) -> int:
        return self.kept + self.n_states

    @property
    def derived(self) -> int:
        return self.constants + self.n_constants

    @property
    def jacobian(self) -> int:
        return self.derived + self.n_derived

    @property
    def factors(self) -> int:
        return self.jacobian + self.n_entries + self.n_states

    @property
    def rules(self) -> int:
        return self.factors + self.n_factors

    @property
    def rows(self) -> int:
        return self.rules + self.n_rules


def formulas(
    graph: Graph, nodes: Sequence[Node], into: int, rows_of_slots: Mapping[int, int], ready: Mapping[Node, int]
) -> Any:
    """Kernel that computes the nodes into the rows from `into` on; ready: node -> row where its value already is."""
    known = {node: _at(row) for node, row in ready.items()}
    lines, results = print_nodes(
        graph, nodes, lambda slot: _at(rows_of_slots[slot]), time=_at(TIME), ready=known, functions=_FUNCTIONS
    )
    return _kernel([*lines, *(f"{_at(into + i)} = {text}" for i, text in enumerate(results))])


def factor(layout: Layout, entries: Mapping[tuple[int, int], int], plan: Elimination) -> Any:
    """Kernel: L U = shift * identity - jacobian. The reciprocals of the pivots stand in the diagonal's places.

    entries: (row, column) -> place in the Jacobian.
    """
    held = {entry: f"-{_at(layout.jacobian + place)}" for entry, place in entries.items()}
    for i in range(layout.n_states):
        own = entries.get((i, i))
        held[i, i] = _at(SHIFT) if own is None else f"{_at(SHIFT)} - {_at(layout.jacobian + own)}"
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
                lines.append(f"m{target} = m{target} - {product}" if (r, c) in filled else f"m{target} = -({product})")
                filled.add((r, c))
    return _kernel([*lines, *(f"{_at(layout.factors + place)} = m{place}" for place in plan.places.values())])


def substitute(layout: Layout, plan: Elimination) -> Any:
    """Kernel: the right-hand side becomes the solution of L U x = b."""

    def held(r: int, c: int) -> str:
        return _at(layout.factors + plan.places[r, c])

    lines = [f"x{i} = {_at(layout.right + i)}" for i in range(layout.n_states)]
    for pivot, below, _ in plan.pivots:
        lines += [f"x{r} = x{r} - {held(r, pivot)} * x{pivot}" for r in below]
    for pivot, _, right in reversed(plan.pivots):
        lines += [f"x{pivot} = x{pivot} - {held(pivot, c)} * x{c}" for c in right]
        lines.append(f"x{pivot} = x{pivot} * {held(pivot, pivot)}")
    return _kernel([*lines, *(f"{_at(layout.right + i)} = x{i}" for i in range(layout.n_states))])


def residual(layout: Layout, entries: Mapping[tuple[int, int], int]) -> Any:
    """Kernel: a bound on the componentwise backward error of (shift - jacobian) x = b, b the kept right-hand side.

    sum_i |r_i| / (|shift x_i| + sum_j |J_ij x_j| + |b_i|) with r = b - (shift - J) x. Its largest term is the
    smallest relative change of matrix and right-hand side that makes x exact (Oettli & Prager 1964, doi
    10.1007/BF01386090) and does not depend on the units of the states; a sum, unlike a maximum, keeps a nan.
    """
    lines = ["error = 0.0"]
    for i in range(layout.n_states):
        kept = _at(layout.kept + i)
        lines += [f"a = {_at(SHIFT)} * {_at(layout.right + i)}", f"r = {kept} - a", f"s = abs(a) + abs({kept})"]
        for (row, column), place in entries.items():
            if row == i:
                lines.append(f"a = {_at(layout.jacobian + place)} * {_at(layout.right + column)}")
                lines += ["r = r + a", "s = s + abs(a)"]
        lines.append("error = error + (abs(r) / s if s != 0.0 else 0.0)")
    return _kernel([*lines, f"{_at(BACKWARD)} = error"])


def _at(row: int) -> str:
    return f"w[lane + row{row}]"


def _kernel(lines: Sequence[str]) -> Any:
    body = "".join(f"        {line}\n" for line in lines or ["pass"])
    source = f"def kernel(w, lanes):\n    for lane in range(lanes):\n{body}"
    names: dict[str, object] = {"lane_exp": lane_exp, "lane_ln": lane_ln, "lane_power": lane_power}
    # unsigned, because a signed index would be tested for being negative at every access
    names |= {f"row{row}": np.uint64(int(row) * LANES) for row in re.findall(r"\brow(\d+)\]", body)}
    dispatcher: Any = compile_function(source, names)
    if not dispatcher.signatures:
        dispatcher.compile(KERNEL)
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
    bits = np.float64(x * 18014398509481984.0 if tiny else x).view(np.int64)
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
    finite = result if x < math.inf else x
    return (finite if x != 0.0 else -math.inf) if x >= 0.0 else math.nan


@njit(nogil=True, error_model="numpy", cache=True)
def lane_power(x: float, y: float) -> float:
    """x^y = e^(y ln |x|), relative error near 1e-16 (1 + |y ln x|); x < 0 has a power for whole y only."""
    size = lane_exp(y * lane_ln(abs(x)))
    odd = np.floor(0.5 * y) != 0.5 * y
    below = math.nan if np.floor(y) != y else (-size if odd else size)
    result = below if x < 0.0 else size
    return result if y != 0.0 and x != 1.0 else 1.0
