"""Exponential, logarithm and power written so that a loop over them becomes vector instructions.

A library's versions give other bits in vectors than alone, and stop the compiler from making vectors at all.
"""

from __future__ import annotations

import math

import numpy as np

from senexo.engine.formula.kernels import kernel

_compile = kernel()

_ROUNDER = 6755399441055744.0  # 1.5 * 2^52: adding it leaves the nearest whole number in the lowest bits
_ROUNDER_BITS = 0x4338000000000000
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # high part: 32 trailing zero bits
_HALF_ROOT_BITS = 0x3FE6A09E667F3BCD  # sqrt(1/2)


@_compile
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


@_compile
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


@_compile
def lane_power(x: float, y: float) -> float:
    """x^y = e^(y ln |x|), relative error near 1e-16 (1 + |y ln x|); x < 0 has a power for whole y only."""
    size = lane_exp(y * lane_ln(abs(x)))
    odd = np.floor(0.5 * y) != 0.5 * y
    below = math.nan if np.floor(y) != y else (-size if odd else size)
    result = below if x < 0.0 else size
    return result if y != 0.0 and x != 1.0 else 1.0
