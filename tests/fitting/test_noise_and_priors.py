"""Laws of errors and priors against scipy's densities; derivatives against central differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from senexo.fitting.noise import Data, terms
from senexo.fitting.priors import log_density, quantile
from senexo.fitting.problem import Parameter, Prior, from_scale, to_scale

M, Y, S = np.array([0.8, 2.0, 5.0]), np.array([1.1, 1.7, 5.5]), np.array([0.3, 0.7, 1.2])
LN10 = np.log(10.0)
DENSITIES = {
    ("lin", "normal"): stats.norm.logpdf(M, Y, S),
    ("log", "normal"): stats.lognorm.logpdf(M, S, scale=Y),
    ("log10", "normal"): stats.lognorm.logpdf(M, S * LN10, scale=Y),
    ("lin", "laplace"): stats.laplace.logpdf(M, Y, S),
    ("log", "laplace"): stats.laplace.logpdf(np.log(M), np.log(Y), S) - np.log(M),
    ("log10", "laplace"): stats.laplace.logpdf(np.log10(M), np.log10(Y), S) - np.log(M * LN10),
}


@pytest.mark.parametrize("law", DENSITIES)
def test_density_and_derivatives(law: tuple[str, str]) -> None:
    found = terms(*law, Data.plain(M), Y, S)  # type: ignore[arg-type]
    np.testing.assert_allclose(-found.value, DENSITIES[law], rtol=1e-13)
    h = 1e-6
    by_y = (terms(*law, Data.plain(M), Y + h, S).value - terms(*law, Data.plain(M), Y - h, S).value) / (2 * h)  # type: ignore[arg-type]
    by_s = (terms(*law, Data.plain(M), Y, S + h).value - terms(*law, Data.plain(M), Y, S - h).value) / (2 * h)  # type: ignore[arg-type]
    np.testing.assert_allclose(found.by_y, by_y, rtol=1e-7)
    np.testing.assert_allclose(found.by_width, by_s, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("distribution", ["normal", "laplace"])
def test_expected_second_derivatives(distribution: str) -> None:
    """The Fisher information is the expected square of the score: mean of 200,000 draws, 4 standard errors."""
    rng = np.random.default_rng(1)
    y, s = np.full(200_000, 2.0), np.full(200_000, 0.5)
    m = rng.normal(y, s) if distribution == "normal" else rng.laplace(y, s)
    found = terms("lin", distribution, Data.plain(m), y, s)  # type: ignore[arg-type]
    for score, expected in ((found.by_y, found.yy[0]), (found.by_width, found.ww[0])):
        square = score**2
        assert abs(square.mean() - expected) <= 4.0 * square.std() / len(square) ** 0.5


@pytest.mark.parametrize(("y", "s"), [(-1.0, 1.0), (0.0, 1.0), (1.0, 0.0), (1.0, -1.0), (np.nan, 1.0)])
def test_what_has_no_likelihood_is_not_a_number(y: float, s: float) -> None:
    assert np.isnan(terms("log", "normal", Data.plain(np.array([1.0])), np.array([y]), np.array([s])).value[0])


X = 0.37
PRIORS = {
    "uniform": (Prior("uniform", 0.1, 4.0), stats.uniform(0.1, 3.9)),
    "normal": (Prior("normal", 1.0, 0.5), stats.norm(1.0, 0.5)),
    "laplace": (Prior("laplace", 1.0, 0.5), stats.laplace(1.0, 0.5)),
    "log-normal": (Prior("log-normal", -0.5, 0.4), stats.lognorm(0.4, scale=np.exp(-0.5))),
    "log-laplace": (Prior("log-laplace", -0.5, 0.4), stats.loglaplace(1.0 / 0.4, scale=np.exp(-0.5))),
}


@pytest.mark.parametrize("scale", ["lin", "log", "log10"])
@pytest.mark.parametrize("name", PRIORS)
def test_prior(name: str, scale: str) -> None:
    prior, known = PRIORS[name]
    parameter = Parameter("p", scale, 1e-3, 1e3, None, True, prior, prior)  # type: ignore[arg-type]
    at = to_scale(X, parameter.scale)
    assert log_density(parameter, at)[0] == pytest.approx(float(known.logpdf(X)), rel=1e-12)
    h = 1e-6
    by_hand = (log_density(parameter, at + h)[0] - log_density(parameter, at - h)[0]) / (2 * h)
    assert log_density(parameter, at)[1] == pytest.approx(by_hand, rel=1e-6, abs=1e-8)
    for share in (0.1, 0.5, 0.8):
        assert from_scale(quantile(parameter, share), parameter.scale) == pytest.approx(
            float(known.ppf(share)), rel=1e-9
        )
