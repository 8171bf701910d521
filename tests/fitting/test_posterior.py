"""Chains and their diagnostics: posteriors in closed form, processes of a known correlation, calibration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_fit import line, made

import senexo
from senexo.fitting.diagnostics import ess_bulk, ess_tail, r_hat
from senexo.fitting.multistart import search
from senexo.fitting.objective import Objective
from senexo.fitting.posterior import sample
from senexo.fitting.problem import Parameter, Prior

EXAMPLE = Path(__file__).parents[2] / "examples" / "fit" / "mimic.yaml"


def test_independent_draws_are_all_effective() -> None:
    """Of 8,000 draws: within 10 % (their own spread is about 3 %); R-hat within 0.005 of 1."""
    draws = np.random.default_rng(3).standard_normal((4, 2000))
    assert ess_bulk(draws) == pytest.approx(8000, rel=0.1)
    assert ess_tail(draws) == pytest.approx(8000, rel=0.15)
    assert r_hat(draws) == pytest.approx(1.0, abs=0.005)


def test_correlated_draws_count_as_the_law_says() -> None:
    """An AR(1) process of 0.9 has (1 - 0.9)/(1 + 0.9) effective draws a draw; of 80,000 within 15 %."""
    rng = np.random.default_rng(4)
    draws = np.empty((4, 20_000))
    draws[:, 0] = rng.standard_normal(4)
    for k in range(1, draws.shape[1]):
        draws[:, k] = 0.9 * draws[:, k - 1] + (1 - 0.81) ** 0.5 * rng.standard_normal(4)
    assert ess_bulk(draws) == pytest.approx(80_000 * 0.1 / 1.9, rel=0.15)


def test_chains_that_differ_in_place_or_width_are_found_out() -> None:
    rng = np.random.default_rng(5)
    draws = rng.standard_normal((4, 1000))
    assert r_hat(draws + np.array([[0.0], [0.0], [0.0], [1.0]])) > 1.05
    assert r_hat(draws * np.array([[1.0], [1.0], [1.0], [4.0]])) > 1.05
    assert np.isnan(r_hat(np.zeros((4, 100))))


def test_the_posterior_of_a_line_is_that_of_linear_regression() -> None:
    """Means within 5 standard errors of the chains (once in a million), standard deviations within 10 %."""
    found = senexo.fit(line(), starts=2, intervals=False, draws=3000, seed=2)
    t = np.array([m.time for m in found.problem.measurements])
    y = np.array([m.value for m in found.problem.measurements])
    design = np.column_stack((np.ones_like(t), t))
    inverse = np.linalg.inv(design.T @ design)
    mean, sd = inverse @ design.T @ y, 0.2 * np.sqrt(np.diag(inverse))
    assert found.posterior is not None
    summary = found.posterior.summary()
    assert (summary["r_hat"] < 1.01).all()
    for k in range(2):
        draws = found.posterior.draws[:, :, k]
        assert abs(draws.mean() - mean[k]) < 5 * sd[k] / summary["ess_bulk"][k] ** 0.5
        assert draws.std() == pytest.approx(sd[k], rel=0.1)


def test_a_prior_of_the_value_has_its_jacobian_on_a_logarithmic_scale() -> None:
    """With data that say nothing the draws are those of the prior: of a gamma law, by its mean and 90 % quantile."""
    from scipy import stats

    prior = Prior("gamma", 3.0, 0.5)
    problem = made(
        b"model m; t0 = 0; end", [Parameter("a", "log10", 1e-3, 1e3, 1.0, True, prior)], "a", "1e6", [(0.0, 1.0)]
    )
    objective = Objective(problem)
    found = sample(objective, search(objective, 2), 4000, seed=1)
    assert found is not None
    values, ess = found.values.ravel(), ess_bulk(found.draws[:, :, 0])
    law = stats.gamma(3.0, scale=0.5)
    assert abs(values.mean() - law.mean()) < 5 * law.std() / ess**0.5
    assert abs(law.cdf(np.quantile(values, 0.9)) - 0.9) < 5 * 0.3 / ess**0.5


def test_the_example_has_draws_and_a_table(tmp_path: Path) -> None:
    found = senexo.fit(EXAMPLE, starts=4, seed=1, intervals=False, draws=150, out=tmp_path / "answer")
    assert (tmp_path / "answer" / "posterior.csv").is_file()
    assert "of the posterior" in repr(found)
    assert found.posterior is not None
    assert len(found.posterior.table()) == 600


@pytest.mark.slow
def test_ranks_of_the_true_value_are_uniform() -> None:
    """Simulation-based calibration (Talts et al. 2018): 40 sets, ranks among 19 thinned draws in 5 classes; the
    chi-square of 4 degrees of freedom is above 18.5 once in 1,000."""
    rng = np.random.default_rng(6)
    classes = np.zeros(5)
    base = line("a")
    for k in range(40):
        a = rng.normal(0.0, 1.0)
        rows = tuple(
            replace(m, value=float(a + 0.5 * m.time + 0.2 * rng.standard_normal())) for m in base.measurements[:3]
        )
        first, second = base.parameters
        parameters = (replace(first, prior=Prior("normal", 0.0, 1.0)), replace(second, nominal=0.5))
        objective = Objective(replace(base, measurements=rows, parameters=parameters))
        found = sample(objective, search(objective, 1), 200, seed=k)
        assert found is not None
        thinned = found.draws[:, ::40, 0].ravel()[:19]
        classes[int(np.sum(thinned < a)) // 4] += 1
    assert np.sum((classes - 8.0) ** 2 / 8.0) < 18.5
