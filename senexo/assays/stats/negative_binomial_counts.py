"""Negative binomial regression of counts by maximum likelihood: variance mean + mean^2 / theta, log link.

For each theta the coefficients come from iteratively weighted least squares, and theta from the profile likelihood, as
in R's `glm.nb`. Venables WN, Ripley BD, Modern Applied Statistics with S, 4th ed. 2002, chapter 7.4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.estimate import not_converged

Floats = NDArray[np.float64]
_LOG_THETA = -4.0, 12.0


def negative_binomial_fit(y: Floats, x: Floats, offset: Floats) -> tuple[Floats, Floats, float] | None:
    """Coefficients, their covariance with theta held fixed, and theta; None without overdispersion."""
    from scipy.optimize import minimize_scalar
    from scipy.special import gammaln

    def lost(log_theta: float) -> float:
        theta = float(np.exp(log_theta))
        mean = np.exp(x @ _coefficients(y, x, offset, theta)[0] + offset)
        terms = gammaln(y + theta) - gammaln(theta) - theta * np.log1p(mean / theta) + y * np.log(mean / (theta + mean))
        return -float(terms.sum())

    found = minimize_scalar(lost, bounds=_LOG_THETA, method="bounded", options={"xatol": 1e-9})
    if found.x > _LOG_THETA[1] - 2.0:
        return None
    theta = float(np.exp(found.x))
    return (*_coefficients(y, x, offset, theta), theta)


def _coefficients(y: Floats, x: Floats, offset: Floats, theta: float) -> tuple[Floats, Floats]:
    mean = (y + y.mean()) / 2.0
    beta = np.zeros(x.shape[1])
    for _ in range(100):
        weight = mean / (1.0 + mean / theta)
        covariance = np.linalg.inv(x.T @ (x * weight[:, None]))
        new = covariance @ (x.T @ (weight * (np.log(mean) - offset + (y - mean) / mean)))
        done = np.abs(new - beta).max() < 1e-11
        beta, mean = new, np.exp(np.clip(x @ new + offset, -30.0, 30.0))
        if done:
            break
    else:
        not_converged("the negative binomial model of dishes")
    return beta, covariance
