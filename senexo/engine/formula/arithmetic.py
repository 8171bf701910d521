"""Scalar functions that formulas need and the machine does not have; shared by every kernel."""

from __future__ import annotations

import math

import numpy as np

from senexo.engine.formula.kernels import kernel

HELPERS = ("factorial", "quotient", "remainder")

_compile = kernel()


@_compile
def factorial(x: float) -> float:
    """x! of a whole number, Gamma(x + 1) otherwise; not a number below 0, infinite above 170."""
    if not (0.0 <= x <= 170.0):
        return math.inf if x > 170.0 else math.nan
    if x != np.floor(x):
        return math.gamma(x + 1.0)
    product = 1.0
    for k in range(2, int(x) + 1):
        product *= k
    return product


@_compile
def quotient(a: float, b: float) -> float:
    """Whole part of a / b, towards zero (MathML `quotient`)."""
    ratio = a / b
    return np.trunc(ratio)


@_compile
def remainder(a: float, b: float) -> float:
    """a - b quotient(a, b), exactly (MathML `rem`): it has the sign of a."""
    return np.fmod(a, b)
