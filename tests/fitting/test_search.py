"""Search and profiles on problems whose optimum and intervals are known in closed form."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from numpy.typing import NDArray

from senexo.fitting.objective import Evaluation
from senexo.fitting.search import bounded_step, minimize

Floats = NDArray[np.float64]
NONE = np.empty(0)


def evaluation(value: float, gradient: Floats | None, fisher: Floats | None) -> Evaluation:
    return Evaluation(value, -value, 0.0, 0.0, gradient, fisher, NONE, NONE, NONE)


def least_squares(residuals, jacobian):  # type: ignore[no-untyped-def]
    def function(x: Floats) -> Evaluation:
        with np.errstate(all="ignore"):
            r, j = residuals(x), jacobian(x)
        if not np.all(np.isfinite(r)):
            return evaluation(inf, None, None)
        return evaluation(0.5 * float(r @ r), j.T @ r, j.T @ j)

    return function


def test_rosenbrock() -> None:
    function = least_squares(
        lambda x: np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]]),
        lambda x: np.array([[-20.0 * x[0], 10.0], [-1.0, 0.0]]),
    )
    found = minimize(function, np.array([-1.2, 1.0]), np.full(2, -5.0), np.full(2, 5.0), tolerance=1e-12)
    np.testing.assert_allclose(found.x, 1.0, atol=1e-6)
    assert found.ended == "converged"


def test_an_optimum_at_a_bound_is_that_of_the_remaining_parameters() -> None:
    """|x - (3, 1)|^2 with a coupling, x1 <= 2: the optimum of x2 along x1 = 2 by hand."""
    matrix = np.array([[2.0, 0.5], [0.5, 1.0]])
    root = np.linalg.cholesky(matrix).T
    function = least_squares(lambda x: root @ (x - np.array([3.0, 1.0])), lambda x: root)
    found = minimize(function, np.array([0.0, 0.0]), np.array([-9.0, -9.0]), np.array([2.0, 9.0]))
    np.testing.assert_allclose(found.x, [2.0, 1.0 + 0.5], atol=1e-6)


def test_large_residuals_converge_as_the_curvature_that_they_add_is_learnt() -> None:
    """Fit of exp(k t) with residuals that do not vanish, where the Fisher information alone converges slowly."""
    t, m = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, -1.0])  # problem of Dennis, Gay & Welsch with m3 = -1
    function = least_squares(lambda x: np.exp(t * x[0]) - m, lambda x: (t * np.exp(t * x[0]))[:, None])
    found = minimize(function, np.array([1.0]), np.full(1, -5.0), np.full(1, 5.0), tolerance=1e-10)
    grid = np.linspace(-1.0, 1.0, 2_000_001)  # the optimum by a grid of 1e-6
    value = sum(0.5 * (np.exp(a * grid) - b) ** 2 for a, b in zip(t, m, strict=True))
    assert found.x[0] == pytest.approx(grid[np.argmin(value)], abs=2e-6)
    assert found.n_evaluations < 20


def test_a_region_without_values_is_left_behind() -> None:
    function = least_squares(lambda x: np.log(x) - 2.0, lambda x: np.diag(1.0 / x))
    found = minimize(function, np.array([40.0]), np.array([-10.0]), np.array([50.0]), tolerance=1e-12)
    assert found.x[0] == pytest.approx(np.exp(2.0), rel=1e-6)


def test_a_start_without_a_value() -> None:
    found = minimize(lambda x: evaluation(inf, None, None), np.zeros(1), np.zeros(1), np.ones(1))
    assert found.ended == "failed"
    assert found.value == inf


@pytest.mark.parametrize("seed", range(20))
def test_a_step_within_bounds_and_radius_lowers_the_model(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 7))
    root = rng.normal(size=(n, n)) * (rng.random(n) > 0.3)  # some directions without curvature
    gradient, bend = rng.normal(size=n), root @ root.T
    low, high, radius = -rng.random(n), rng.random(n), float(rng.random() + 0.05)
    step, promised = bounded_step(gradient, bend, low, high, radius, np.zeros(n, dtype=bool))
    assert np.all(step >= low - 1e-12)
    assert np.all(step <= high + 1e-12)
    assert promised > 0.0
    assert promised == pytest.approx(-(gradient @ step + 0.5 * step @ bend @ step))
