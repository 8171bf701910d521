"""The reference implementation: logarithm against the library, formulas against numpy, draws against kernels."""

from __future__ import annotations

import math

import numba
import numpy as np

from reference.formulas import value
from reference.ssa import exponential, running_sums
from senexo.base.streams import derive, threefry, uniforms
from senexo.engine import rng as draws
from senexo.engine.formula.evaluate import evaluate
from senexo.model.expression import OPERATORS, Call, Number, Slot, Time

WORDS = [*(threefry((1, 2), (n, 0))[0] for n in range(20_000)), 0, 1 << 11, (1 << 64) - 1, 1 << 63, (1 << 63) - 1]


def test_logarithm() -> None:
    """Within one unit in the last place of the library's (itself within a half)."""
    for word in WORDS:
        exact = -math.log(((word >> 11) + 1) / 2**53)
        assert abs(exponential(word) - exact) <= 1.5 * math.ulp(exact)
    assert exponential((1 << 64) - 1) == 0.0
    assert exponential(0) < 37.0


@numba.njit(cache=False)
def _drawn(words: np.ndarray, k0: np.uint64, k1: np.uint64, found: np.ndarray, blocks: np.ndarray) -> None:
    for i in range(len(words)):
        found[i] = draws.exponential(words[i])
        blocks[i, 0], blocks[i, 1] = draws.threefry(k0, k1, np.uint64(i), np.uint64(3))


def test_kernels_draw_the_same() -> None:
    words = np.array(WORDS, dtype=np.uint64)
    found, blocks = np.empty(len(words)), np.empty((len(words), 2), dtype=np.uint64)
    key = derive(9, "x")
    _drawn(words, np.uint64(key[0]), np.uint64(key[1]), found, blocks)
    assert np.array_equal(found, [exponential(int(word)) for word in WORDS])
    assert [tuple(int(x) for x in block) for block in blocks[:50]] == [threefry(key, (i, 3)) for i in range(50)]


@numba.njit(cache=False)
def _ahead(k0: np.uint64, k1: np.uint64, waits: np.ndarray, choices: np.ndarray) -> None:
    draws.draw(k0, k1, 512, waits, choices, 3)


def test_draws_ahead_are_the_stream() -> None:
    waits, choices = np.zeros(draws.AHEAD + 3), np.zeros(draws.AHEAD + 3)
    key = derive(9, "y")
    _ahead(np.uint64(key[0]), np.uint64(key[1]), waits, choices)
    a, b = uniforms(key, draws.AHEAD, first=512)
    assert np.array_equal(choices[3:], b)
    assert np.allclose(waits[3:], -np.log(a), rtol=4e-16, atol=0)
    assert not waits[:3].any()


def test_formulas_agree_with_numpy() -> None:
    """All operators on a few values; the two may differ by roundings of library functions."""
    v = np.array([0.3, 2.0, -1.5, 7.0, 0.0])
    for operator, (fewest, most) in OPERATORS.items():
        if operator in ("rateOf", "delay") or operator.startswith(("arc", "sec", "csc", "cot")):
            continue
        for n in {fewest, 3 if most is None else most}:
            for shift in range(5):
                formula = Call(operator, tuple(Slot((k + shift) % 5) for k in range(n)))
                expected, found = float(evaluate(formula, v, 2.5)), value(formula, v.tolist(), 2.5)
                assert found == expected or math.isclose(found, expected, rel_tol=1e-14) or found != found, formula
                assert (found != found) == (expected != expected) or math.isinf(expected), formula
    whole = Call("power", (Slot(1), Number(-3.0)))
    assert value(whole, v.tolist(), 0.0) == 0.125
    assert value(Call("lt", (Time(), Number(3.0))), [], 2.5) == 1.0


def test_running_sums() -> None:
    running, total = running_sums([1.0, 2.0, 3.0, 4.0, 5.0])
    assert running == [1.0, 3.0, 6.0, 10.0, 15.0]
    assert total == 15.0
    assert running_sums([]) == ([], 0.0)
