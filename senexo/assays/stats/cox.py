"""Cox's model: by partial likelihood, or by Firth's penalised one where that has no top.

Ties are Efron's. Coefficients equal those of R's `coxph` (iterated to the end) to 1e-10. lifelines is not used here:
even at precision 1e-12 it may stop 1e-6 short of the top, and score tests, separation and Firth need the
likelihood anyway; the tests hold both against each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from senexo.assays.stats.cox_likelihood import Partial, concordance
from senexo.assays.stats.estimate import Estimate, not_converged
from senexo.assays.stats.kaplan_meier import Flags, Floats, Labels, z_value

_FARTHEST = 60.0  # standardised log hazard ratios beyond which a profile counts as open
_STEPS = 200
_NEAR = 1e-5  # how far away a slope is looked at to see how it bends
_RISE = 1e-12  # of the likelihood, beyond which a profile is not followed
_CLOSE = 1e-11  # step of standardised coefficients at which the top is reached


@dataclass(frozen=True, slots=True)
class Fit:
    """Log hazard ratios with intervals and tests, and how well the model does.

    method: ``Efron`` (Wald intervals and tests) or ``Firth`` (penalised profile likelihood). concordance: Harrell's C
    and its standard error. chi_square: likelihood ratio test that nothing has an effect. proportional: (chi-square,
    degrees of freedom) of each term and, last, of all.
    """

    method: str
    n: int
    n_events: int
    coefficients: tuple[Estimate, ...]
    std_errors: Floats
    log_likelihood: float
    null_log_likelihood: float
    concordance: tuple[float, float]
    proportional: tuple[tuple[float, int], ...]

    @property
    def chi_square(self) -> float:
        return 2.0 * (self.log_likelihood - self.null_log_likelihood)


def cox(
    time: Floats, event: Flags, x: Floats, stratum: Labels, terms: list[list[int]], entry: Floats | None = None
) -> Fit | str:
    """Fit the model; a text says why it cannot be: no event at which patients differ, columns that say the same.

    x: patients x covariates; terms: which columns belong together. stratum: numbers from 0. entry: when each patient
    came under observation, where some entered late.

    >>> time, event = np.array([1.0, 2.0, 3.0, 4.0]), np.ones(4, dtype=bool)
    >>> fit = cox(time, event, np.array([[1.0], [0.0], [1.0], [0.0]]), np.zeros(4, int), [[0]])
    >>> round(float(fit.coefficients[0].value), 6)  # log of (1 + sqrt 17) / 2
    0.940614
    """
    if not event.any():
        return "no event"
    if (x == x[0]).all(axis=0).any():
        return "a covariate is the same in all patients"
    with np.errstate(over="ignore", invalid="ignore"):
        spread = x.std(axis=0)
    if not (np.isfinite(spread) & (spread > 0.0)).all():
        return "numbers too large or too small to compute with"
    standard = (x - x.mean(axis=0)) / spread
    model = Partial(time, event, standard, stratum, entry)
    none = np.zeros(x.shape[1])
    information = model.score(none)[1]
    if np.linalg.matrix_rank(information, tol=1e-8 * len(model.cases), hermitian=True) < len(none):
        alone = x.shape[1] == 1
        return "patients at risk together do not differ" if alone else "covariates that say the same, or too few events"
    fitted = _firth(model) if model.separated() else _newton(model)
    if isinstance(fitted, str):
        return fitted
    method, estimates, errors, b = fitted
    likelihoods = [_penalised(model, at)[0] if method == "Firth" else model.log_likelihood(at) for at in (b, none)]
    return Fit(
        method, len(time), int(event.sum()),
        tuple(
            Estimate(e.value / s, e.low / s, e.high / s, e.p_value)
            for e, s in zip(estimates, spread, strict=True)
        ),
        errors / spread, likelihoods[0], likelihoods[1], concordance(time, event, standard @ b, stratum, entry),
        tuple(model.proportional(b, terms)) if method == "Efron" else ((math.nan, 1),) * (len(terms) + 1),
    )  # fmt: skip


_Fitted = tuple[str, list[Estimate], Floats, Floats]  # method, estimates, standard errors, coefficients


def _newton(model: Partial) -> _Fitted | str:
    """The top of the partial likelihood by Newton's steps, halved until it rises; Wald intervals and tests."""
    b = np.zeros(model.x.shape[1])
    height = model.log_likelihood(b)
    for _ in range(_STEPS):
        slope, information = model.score(b)
        try:
            step = np.linalg.solve(information, slope)
        except np.linalg.LinAlgError:
            return "the model does not converge"
        while (new := model.log_likelihood(b + step)) < height - 1e-12 * abs(height) and np.abs(step).max() > _CLOSE:
            step = step / 2.0
        b, height = b + step, new
        if np.abs(step).max() < _CLOSE:
            errors = np.sqrt(np.diag(np.linalg.inv(model.score(b)[1])))
            return "Efron", [wald(float(at), float(error)) for at, error in zip(b, errors, strict=True)], errors, b
    return "the model does not converge"


def wald(value: float, error: float) -> Estimate:
    from scipy.special import ndtr

    half = z_value() * error
    return Estimate(value, value - half, value + half, float(2.0 * ndtr(-abs(value) / error)))


def _firth(model: Partial) -> _Fitted | str:
    """Firth's penalised likelihood, log L + log(det I) / 2: finite where a likelihood rises for ever.

    Interval and test of each coefficient are those of the penalised profile likelihood. Heinze G, Schemper M,
    Biometrics 2001;57:114-119, doi 10.1111/j.0006-341X.2001.00114.x.
    """
    p = model.x.shape[1]
    best = _climb(model, np.zeros(p), np.ones(p, dtype=bool))
    if best is None:
        return "the model does not converge"
    errors = np.sqrt(np.diag(np.linalg.inv(_penalised(model, best)[1])))
    return "Firth", [_profile(model, best, i) for i in range(p)], errors, best


def _profile(model: Partial, best: Floats, i: int) -> Estimate:
    """Interval and test of the i-th coefficient, the others climbing along."""
    from scipy.optimize import brentq
    from scipy.special import chdtrc

    free, peak, cut = np.arange(len(best)) != i, _penalised(model, best)[0], z_value() ** 2
    last = best

    @cache  # the climb depends on where the last one ended: one answer for each value
    def fall(value: float) -> float:
        """Twice the fall of the profile from its peak."""
        nonlocal last
        starts = [np.where(free, others, value) for others in (last, best)]
        there = _climb(model, max(starts, key=lambda start: _penalised(model, start)[0]), free, _RISE)
        if there is None:
            return 1e6
        last = there
        return min(2.0 * (peak - _penalised(model, there)[0]), 1e6)

    ends = []
    for sign in (-1.0, 1.0):
        near, far = 0.0, 1.0
        last = best
        while far < _FARTHEST and fall(best[i] + sign * far) < cut:
            near, far = far, 2.0 * far
        end = sign * math.inf
        if far < _FARTHEST:
            bracket = best[i] + sign * near, best[i] + sign * far
            end = brentq(lambda value: fall(value) - cut if value != best[i] else -cut, *bracket, xtol=1e-10)
        ends.append(float(end))
    return Estimate(float(best[i]), ends[0], ends[1], float(chdtrc(1, max(0.0, fall(0.0)))))


def _penalised(model: Partial, b: Floats) -> tuple[float, Floats]:
    information = model.score(b)[1]
    sign, log_determinant = np.linalg.slogdet(information)
    return (model.log_likelihood(b) + 0.5 * float(log_determinant) if sign > 0 else -math.inf), information


def _climb(model: Partial, start: Floats, free: np.ndarray, rise: float = 0.0) -> Floats | None:
    """The top of the penalised likelihood in the free coefficients: Newton's steps, halved until it rises.

    Where the likelihood bends the wrong way the step is Fisher's, which alone would take hundreds of steps near
    separation. rise: what a step must promise to be worth it, where only the height is wanted.
    """
    b = start.copy()
    height, information = _penalised(model, b)
    for _ in range(_STEPS):
        if not free.any():
            return b
        try:
            slope = _slope(model, b)[free]
            bend = information[np.ix_(free, free)]
            ahead = [_slope(model, b + _NEAR * one)[free] for one in np.eye(len(b))[free]]
            newton = (slope - np.array(ahead)) / _NEAR
            newton = (newton + newton.T) / 2.0
            step = np.linalg.solve(newton if np.linalg.eigvalsh(newton)[0] > 0.0 else bend, slope)
        except np.linalg.LinAlgError:
            return None
        if np.abs(step).max() < 1e-11 * (1.0 + np.abs(b).max()) or abs(float(slope @ step)) < rise:
            return b
        step = step / max(1.0, float(np.abs(step).max()) / 2.0)
        while True:
            there = b.copy()
            there[free] += step
            new, information_there = _penalised(model, there)
            if new >= height - 1e-11 * (1.0 + abs(height)):
                break
            step = step / 2.0
            if np.abs(step).max() < 1e-12:
                return b
        b, height, information = there, new, information_there
    not_converged("Firth's penalised likelihood of Cox's model")
    return b


def _slope(model: Partial, b: Floats) -> Floats:
    """Of the penalised likelihood."""
    _, moments = model.moments(b, third=True)
    assert moments.third is not None
    inverse = np.linalg.inv(moments.covariance.sum(axis=0))
    slope: Floats = (model.cases - moments.mean).sum(axis=0)
    return slope + 0.5 * np.einsum("ab,abc->c", inverse, moments.third.sum(axis=0))
