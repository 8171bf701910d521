"""One step of the stem cells of a patient: one by one when few, leaps when more, their means when many.

`x` holds the active, quiescent and senescent stem cells and, after escape from senescence, active and quiescent ones.
`h` holds the rates per day of `RATES` names.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from senexo.engine.formula.kernels import kernel
from senexo.engine.population.binomial import binomial_of_many
from senexo.engine.rng import REACTIONS, exponential, threefry, unit

RATES = (
    "division", "renewal", "renewal_escaped", "rest", "wake", "commit", "loss_active", "loss_resting", "escape",
    "loss_senescent",
)  # fmt: skip
FEW, MANY = 200.0, 20_000.0  # up to FEW cells one by one; above MANY, numbers of cells are their means
LEAP, MEAN = 0.05, 0.1  # length of a step, of the mean time to an event of the fastest type

_compile = kernel()


@_compile
def uniform(k0: Any, k1: Any, used: Any) -> float:
    """A uniform number of the stream, in [0, 1)."""
    first, _ = threefry(k0, k1, used[0], REACTIONS)
    used[0] += np.uint64(1)
    return unit(first)


@_compile
def _fastest(h: Any) -> float:
    active = h[0] + h[3] + h[5] + h[6]
    return max(active, max(h[4] + h[7], h[8] + h[9]))


@_compile
def one_by_one(k0: Any, k1: Any, used: Any, x: Any, length: float, h: Any, born: Any) -> float:
    """Event by event for `length` or until there are more than FEW; the time that passed. born[0]: blasts made."""
    active = h[0] + h[3] + h[5] + h[6]
    resting, senescent = h[4] + h[7], h[8] + h[9]
    now = 0.0
    while True:
        growing = active * (x[0] + x[3])
        quiet = resting * (x[1] + x[4])
        total = growing + quiet + senescent * x[2]
        if total <= 0.0:
            return length
        first, second = threefry(k0, k1, used[0], REACTIONS)
        used[0] += np.uint64(1)
        now += exponential(first) / total
        if now >= length:
            return length
        choice = unit(second) * total
        if choice < growing:
            choice /= active
            escaped = choice >= x[0]
            if escaped:
                choice -= x[0]
            a, q, renewal = (3, 4, h[2]) if escaped else (0, 1, h[1])
            what = uniform(k0, k1, used) * active
            x[a] -= 1.0
            if what < h[0]:
                for _ in range(2):
                    if uniform(k0, k1, used) < renewal:
                        x[a] += 1.0
                    else:
                        born[0] += 1.0
            elif what < h[0] + h[3]:
                x[q] += 1.0
            elif what < h[0] + h[3] + h[5]:
                x[2] += 1.0
        elif choice < growing + quiet:
            choice = (choice - growing) / resting
            q, a = (1, 0) if choice < x[1] else (4, 3)
            x[q] -= 1.0
            if uniform(k0, k1, used) * resting < h[4]:
                x[a] += 1.0
        else:
            x[2] -= 1.0
            if uniform(k0, k1, used) * senescent < h[8]:
                x[3] += 1.0
        if x[0] + x[1] + x[2] + x[3] + x[4] > FEW:
            return now


@_compile
def _split(k0: Any, k1: Any, used: Any, n: float, length: float, rates: Any, found: Any) -> None:
    """found [rates]: how many of n cells have each event within `length`, each cell one at most."""
    left, rest = int(n), 1.0
    for i in range(len(rates)):
        share = rates[i] * length
        found[i] = 0.0
        if left > 0 and share > 0.0:
            found[i] = float(binomial_of_many(k0, k1, used, left, min(1.0, share / rest)))
            left -= int(found[i])
        rest = max(rest - share, 1e-12)


@_compile
def leap(k0: Any, k1: Any, used: Any, x: Any, length: float, h: Any, born: Any) -> None:
    """Every cell has one event or none, with probabilities that are rates times `length`: means are those of Euler."""
    happened, change = np.zeros(4), np.zeros(5)
    active = np.array([h[0], h[3], h[5], h[6]])
    resting = np.array([h[4], h[7]])
    for kind in range(2):
        a, q, renewal = (3, 4, h[2]) if kind else (0, 1, h[1])
        _split(k0, k1, used, x[a], length, active, happened)
        stay = float(binomial_of_many(k0, k1, used, int(2.0 * happened[0]), renewal)) if happened[0] > 0.0 else 0.0
        born[0] += 2.0 * happened[0] - stay
        change[a] += stay - happened.sum()
        change[q] += happened[1]
        change[2] += happened[2]
        two = happened[:2]
        _split(k0, k1, used, x[q], length, resting, two)
        change[q] -= two[0] + two[1]
        change[a] += two[0]
    two = happened[:2]
    _split(k0, k1, used, x[2], length, np.array([h[8], h[9]]), two)
    change[2] -= two[0] + two[1]
    change[3] += two[0]
    for j in range(5):
        x[j] += change[j]


@_compile
def _slopes(x: Any, h: Any, out: Any) -> float:
    """out [5] the derivatives of the means; the blasts made per day."""
    made = 0.0
    out[2] = h[5] * (x[0] + x[3]) - (h[8] + h[9]) * x[2]
    for kind in range(2):
        a, q, renewal = (3, 4, h[2]) if kind else (0, 1, h[1])
        out[a] = ((2.0 * renewal - 1.0) * h[0] - h[3] - h[5] - h[6]) * x[a] + h[4] * x[q]
        out[q] = h[3] * x[a] - (h[4] + h[7]) * x[q]
        made += 2.0 * (1.0 - renewal) * h[0] * x[a]
    out[3] += h[8] * x[2]
    return made


@_compile
def means(x: Any, length: float, h: Any, born: Any) -> None:
    """The means of the numbers after `length`, by one step of Heun's method."""
    first, second = np.empty(5), np.empty(5)
    made = _slopes(x, h, first)
    made += _slopes(x + length * first, h, second)
    born[0] += 0.5 * length * made
    for j in range(5):
        x[j] = max(0.0, x[j] + 0.5 * length * (first[j] + second[j]))


@_compile
def step(k0: Any, k1: Any, used: Any, x: Any, length: float, h: Any, born: Any) -> None:
    """Bring the stem cells x [5] forward by `length` days at constant rates h; born[0] counts the blasts they make."""
    left, fastest = length, _fastest(h)
    while left > 1e-12:
        cells = x[0] + x[1] + x[2] + x[3] + x[4]
        if cells <= MANY:
            for j in range(5):  # means become whole numbers, in the mean the same
                whole = np.floor(x[j])
                if whole != x[j]:
                    x[j] = whole + (1.0 if uniform(k0, k1, used) < x[j] - whole else 0.0)
            cells = x[0] + x[1] + x[2] + x[3] + x[4]
        if cells <= 0.0 or fastest <= 0.0:
            return
        if cells <= FEW:
            left -= one_by_one(k0, k1, used, x, left, h, born)
        elif cells <= MANY:
            length_now = min(left, LEAP / fastest)
            leap(k0, k1, used, x, length_now, h, born)
            left -= length_now
        else:
            length_now = min(left, MEAN / fastest)
            means(x, length_now, h, born)
            left -= length_now
