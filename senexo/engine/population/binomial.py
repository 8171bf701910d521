"""Binomial numbers of many trials in a time that does not grow with them, for pools of wells with weighted cells.

Where every cell is followed, molecules are drawn by `senexo.engine.population.kernel.binomial`, whose work grows with
them as that of the cells does. Where cells have weights, a few hundred of them exchange the molecules of a whole well.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from senexo.engine.formula.kernels import kernel
from senexo.engine.population.kernel import binomial
from senexo.engine.rng import REACTIONS, threefry, unit

MANY = 1024  # trials: up to so many are drawn bit by bit
_LEAST = 10.0  # expected successes, and failures, from which rejection is used

_compile = kernel()


@_compile
def binomial_of_many(k0: Any, k1: Any, used: Any, n: int, p: float) -> int:
    """How many of n succeed, each with probability p. used: [1] uint64, blocks of the stream, goes on.

    Up to `MANY` trials as `binomial`. Else for few expected successes by inversion, and for many by transformed
    rejection (algorithm BTRS of Hoermann 1993, doi 10.1080/00949659308811496), both exact but for rounding.
    """
    if n <= MANY or p <= 0.0 or p >= 1.0:
        return int(binomial(k0, k1, used, n, p))
    q = min(p, 1.0 - p)
    found = _inverted(k0, k1, used, n, q) if n * q < _LEAST else _rejected(k0, k1, used, n, q)
    return found if p <= 0.5 else n - found


@_compile
def _inverted(k0: Any, k1: Any, used: Any, n: int, p: float) -> int:
    choice = unit(threefry(k0, k1, used[0], REACTIONS)[0])
    used[0] += np.uint64(1)
    share, found = np.exp(n * np.log1p(-p)), 0
    upto, odds = share, p / (1.0 - p)
    while choice >= upto and found < n and share > 0.0:
        share *= odds * (n - found) / (found + 1)
        found += 1
        upto += share
    return found


@_compile
def _rejected(k0: Any, k1: Any, used: Any, n: int, p: float) -> int:
    """For p of at most 1/2."""
    odds, deviation = p / (1.0 - p), np.sqrt(n * p * (1.0 - p))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    alpha, mode = (2.83 + 5.1 / b) * deviation, np.floor((n + 1) * p)
    while True:
        x, y = threefry(k0, k1, used[0], REACTIONS)
        used[0] += np.uint64(1)
        u, v = unit(x) - 0.5, unit(y)
        inside = 0.5 - abs(u)
        k = np.floor((2.0 * a / inside + b) * u + n * p + 0.5)
        if inside >= 0.07 and v <= 0.92 - 4.2 / b:
            return int(k)
        if k < 0.0 or k > n or inside <= 0.0 or v <= 0.0:
            continue
        bound = (mode + 0.5) * np.log((mode + 1.0) / (odds * (n - mode + 1.0)))
        bound += (n + 1.0) * np.log((n - mode + 1.0) / (n - k + 1.0))
        bound += (k + 0.5) * np.log(odds * (n - k + 1.0) / (k + 1.0))
        bound += _stirling(mode) + _stirling(n - mode) - _stirling(k) - _stirling(n - k)
        if np.log(v * alpha / (a / (inside * inside) + b)) <= bound:
            return int(k)


@_compile
def _stirling(k: float) -> float:
    """log k! less Stirling's (k + 1/2) log(k + 1) - (k + 1) + log(2 pi) / 2; from 16 on by its series, to 1e-11."""
    x = k + 1.0
    if k < 16.0:
        return math.lgamma(x) - (k + 0.5) * np.log(x) + x - 0.5 * np.log(2.0 * np.pi)
    return (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / 1680.0 / (x * x)) / (x * x)) / (x * x)) / x
