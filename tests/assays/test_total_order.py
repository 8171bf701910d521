"""Total-order indices by Jansen's estimator against the closed forms of the functions of Ishigami and Sobol."""

from __future__ import annotations

import numpy as np
import pytest

from senexo.assays.stats.total_order import total_order

PAIRS = 4000


def ishigami(x: np.ndarray) -> np.ndarray:
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def indices(function, draw, d: int, seed: int) -> list[tuple[float, float]]:  # type: ignore[no-untyped-def]
    """By Saltelli's design: one sample, and one more for each input."""
    rng = np.random.default_rng(seed)
    x, other = draw(rng), draw(rng)
    found = []
    for column in range(d):
        anew = x.copy()
        anew[:, column] = other[:, column]
        found.append(total_order(function(x), function(anew), rng))
    return found


def test_ishigami() -> None:
    """Within 3 standard errors of the closed form: false alarm of one of three inputs below 0.01."""
    a, b, pi = 7.0, 0.1, np.pi
    v1, v2, v13 = (1 + b * pi**4 / 5) ** 2 / 2, a**2 / 8, b**2 * pi**8 * (1 / 18 - 1 / 50)
    exact = np.array([v1 + v13, v2, v13]) / (v1 + v2 + v13)
    found = indices(ishigami, lambda rng: rng.uniform(-pi, pi, (PAIRS, 3)), 3, seed=1)
    for (index, se), truth in zip(found, exact, strict=True):
        assert abs(index - truth) < 3 * se
        assert se < 0.03


def test_the_g_function_of_sobol() -> None:
    a = np.array([0, 1, 4.5, 9, 99, 99, 99, 99])
    v = 1 / (3 * (1 + a) ** 2)
    whole = np.prod(1 + v)
    exact = v * whole / (1 + v) / (whole - 1)
    found = indices(
        lambda x: np.prod((np.abs(4 * x - 2) + a) / (1 + a), axis=1), lambda rng: rng.random((PAIRS, 8)), 8, seed=2
    )
    for (index, se), truth in zip(found, exact, strict=True):
        assert abs(index - truth) < 3 * se + 1e-12


def test_the_standard_error_is_that_of_repetitions() -> None:
    """Spread of 200 repetitions, relative error 5 %, over the mean of their bootstrap errors: within 25 %."""
    found = np.array(
        [indices(ishigami, lambda rng: rng.uniform(-np.pi, np.pi, (300, 3)), 1, seed)[0] for seed in range(200)]
    )
    assert np.std(found[:, 0], ddof=1) == pytest.approx(found[:, 1].mean(), rel=0.25)


def test_failed_runs_are_left_out_and_what_is_not_known_is_nan() -> None:
    rng = np.random.default_rng(3)
    x, other, z = rng.random((3, 500))
    first, anew = x + z, other + z
    some = first.copy()
    some[::7] = np.nan
    keep = np.isfinite(some)
    assert total_order(some, anew, np.random.default_rng(0)) == total_order(
        first[keep], anew[keep], np.random.default_rng(0)
    )
    assert total_order(first, first, rng)[0] == 0.0
    assert np.isnan(total_order(np.ones(50), np.ones(50), rng)).all()
    assert np.isnan(total_order(first[:9], anew[:9], rng)).all()
