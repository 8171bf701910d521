"""First-order indices from given draws, against closed forms: Ishigami's function, Sobol's g, a linear model."""

from __future__ import annotations

import numpy as np
import pytest

from senexo.assays.stats.first_order import first_order

N = 6000


def within(found: np.ndarray, se: np.ndarray, exact: np.ndarray, bins: float = 0.0) -> bool:
    return bool((np.abs(found - exact) < 3 * se + bins).all())


def test_ishigami() -> None:
    """a = 7, b = 0.1: V1 = (1 + b pi^4/5)^2/2, V2 = a^2/8, V3 = 0 (the third acts with the first alone).

    Three standard errors each, as the issue of the method asks; false alarm 0.8 % over three inputs.
    """
    x = np.random.default_rng(1).uniform(-np.pi, np.pi, (N, 3))
    y = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    total = 0.5 + 49 / 8 + 0.1 * np.pi**4 / 5 + 0.01 * np.pi**8 / 18
    exact = np.array([(1 + 0.1 * np.pi**4 / 5) ** 2 / 2, 49 / 8, 0.0]) / total
    assert within(*first_order(x, y, np.random.default_rng(2)), exact)


def test_sobol_s_g() -> None:
    """V_i = 1/(3 (1 + a_i)^2), V = prod(1 + V_i) - 1; three standard errors, false alarm 1.1 % over four inputs."""
    a = np.array([0.0, 1.0, 4.5, 99.0])
    x = np.random.default_rng(3).random((N, 4))
    y = ((np.abs(4 * x - 2) + a) / (1 + a)).prod(axis=1)
    v = 1 / (3 * (1 + a) ** 2)
    assert within(*first_order(x, y, np.random.default_rng(4)), v / (np.prod(1 + v) - 1))


def test_inputs_that_do_nothing_have_an_index_of_zero_on_average() -> None:
    """200 inputs of 300 draws: the mean is 0 within 4 standard errors of it; false alarm 6e-5."""
    rng = np.random.default_rng(5)
    found, _ = first_order(rng.random((300, 200)), rng.standard_normal(300), rng)
    assert abs(found.mean()) < 4 * found.std() / np.sqrt(200)


def test_the_standard_error_is_that_of_repeated_samples() -> None:
    rng = np.random.default_rng(6)
    found = []
    for _ in range(60):
        x = rng.random((600, 2))
        found.append(first_order(x, x[:, 0] + 0.3 * rng.standard_normal(600), rng))
    spread = np.std([s[0] for s, _ in found], ddof=1)
    assert np.mean([se[0] for _, se in found]) == pytest.approx(spread, rel=0.35)


def test_too_few_draws_or_no_spread_have_none() -> None:
    rng = np.random.default_rng(7)
    assert np.isnan(first_order(rng.random((20, 2)), rng.random(20), rng)[0]).all()
    assert np.isnan(first_order(rng.random((100, 2)), np.ones(100), rng)[0]).all()
