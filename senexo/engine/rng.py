"""The streams of `senexo.base.streams` inside compiled kernels, and the logarithm they all use.

Everything here is plain IEEE arithmetic in a fixed order, so that the table kernel, a generated one, many lanes
at once and plain Python draw the same waiting times to the last bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint64
from numba.core import types
from numba.extending import intrinsic

from senexo.base.streams import DRAW, INTEGER, PARITY
from senexo.engine.formula.kernels import kernel

_PARITY = np.uint64(PARITY)
RUN, REACTIONS, TIES = np.uint64(INTEGER), np.uint64(DRAW), np.uint64(3)  # second words of the counter
AHEAD = 16  # draws made at once, where vector units can make them

_inlined = kernel(forceinline=True)


@intrinsic
def bits_of(typingctx: Any, x: Any) -> Any:
    """The 64 bits of a double as an unsigned integer."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.uint64))

    return types.uint64(types.float64), generate


@intrinsic
def double_of(typingctx: Any, x: Any) -> Any:
    """The double that has these 64 bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))

    return types.float64(types.uint64), generate


@intrinsic
def widest_vectors(typingctx: Any) -> Any:
    """Let the calling function use 512-bit registers where the processor has them.

    LLVM keeps to 256 bits on many of these processors for fear of a lower clock; with the divisions of lockstep
    lanes the wide form is a quarter faster. The attribute holds for the one function, not for the process.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        # llvmlite lists the plain attributes it knows; this one has a value and goes past that list
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


@_inlined
def _four_rounds(x0: Any, x1: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    x0 = x0 + x1
    x1 = ((x1 << a) | (x1 >> (uint64(64) - a))) ^ x0
    x0 = x0 + x1
    x1 = ((x1 << b) | (x1 >> (uint64(64) - b))) ^ x0
    x0 = x0 + x1
    x1 = ((x1 << c) | (x1 >> (uint64(64) - c))) ^ x0
    x0 = x0 + x1
    x1 = ((x1 << d) | (x1 >> (uint64(64) - d))) ^ x0
    return x0, x1


@_inlined
def threefry(k0: Any, k1: Any, c0: Any, c1: Any) -> Any:
    """`senexo.base.streams.threefry` with its twenty rounds, on uint64 scalars."""
    k2 = k0 ^ k1 ^ _PARITY
    x0, x1 = _four_rounds(c0 + k0, c1 + k1, uint64(16), uint64(42), uint64(12), uint64(31))
    x0, x1 = _four_rounds(x0 + k1, x1 + k2 + uint64(1), uint64(16), uint64(32), uint64(24), uint64(21))
    x0, x1 = _four_rounds(x0 + k2, x1 + k0 + uint64(2), uint64(16), uint64(42), uint64(12), uint64(31))
    x0, x1 = _four_rounds(x0 + k0, x1 + k1 + uint64(3), uint64(16), uint64(32), uint64(24), uint64(21))
    x0, x1 = _four_rounds(x0 + k1, x1 + k2 + uint64(4), uint64(16), uint64(42), uint64(12), uint64(31))
    return x0 + k2, x1 + k0 + uint64(5)


@_inlined
def exponential(word: Any) -> Any:
    """-log(a) of the uniform a = (floor(word / 2^11) + 1) / 2^53 in (0, 1].

    a = 2^e m with m in [sqrt(1/2), sqrt(2)); log m by s = (m - 1) / (m + 1) and a polynomial in s^2, below one
    unit in the last place: the method and coefficients of fdlibm's e_log.c (Sun Microsystems, 1993).
    """
    bits = bits_of(np.float64(np.int64(word >> uint64(11))) + 1.0)  # type: ignore[call-arg, var-annotated]
    m = double_of((bits & uint64(0x000FFFFFFFFFFFFF)) | uint64(0x3FF0000000000000))
    e = np.float64(np.int64(bits >> uint64(52))) - 1076.0  # the bias 1023, and 53 for the division by 2^53
    large = m > 1.4142135623730951
    e = e + (1.0 if large else 0.0)
    f = m * (0.5 if large else 1.0) - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (0.3999999999940941908 + w * (0.2222219843214978396 + w * 0.1531383769920937332))
    odd = z * (
        0.6666666666666735130
        + w * (0.2857142874366239149 + w * (0.1818357216161805012 + w * 0.1479819860511658591))
    )  # fmt: skip
    half = 0.5 * f * f
    return ((half - (s * (half + (even + odd)) + e * 1.90821492927058770002e-10)) - f) - e * 0.693147180369123816490


@_inlined
def unit(word: Any) -> Any:
    """floor(word / 2^11) / 2^53, a uniform in [0, 1)."""
    return np.float64(np.int64(word >> uint64(11))) * 1.1102230246251565e-16


@_inlined
def draw(k0: Any, k1: Any, first: int, waits: Any, choices: Any, place: int) -> None:
    """Put the exponentials and choices of draws first .. first + AHEAD - 1 into both arrays from `place` on."""
    for i in range(AHEAD):
        x, y = threefry(k0, k1, uint64(first) + uint64(i), REACTIONS)
        waits[place + i] = exponential(x)
        choices[place + i] = unit(y)
