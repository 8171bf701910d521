"""Fine and Gray's model: the hazard of the subdistribution of one event, where another event precludes it.

The cumulative incidence of the event is F(t; x) = 1 - exp(-L0(t) exp(x b)). Who had the competing event stays in the
risk set with the weight G(t-) / G(T-): G is the Kaplan-Meier curve of censoring, T the time of the competing event.
Ties are Breslow's; the variance counts that G is estimated. Fine JP, Gray RJ, J Am Stat Assoc 1999;94:496-509,
doi 10.1080/01621459.1999.10474144. As `crr` of R's cmprsk; with strata a baseline hazard and a G of each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from senexo.assays.stats.cox import wald
from senexo.assays.stats.estimate import Estimate
from senexo.assays.stats.kaplan_meier import Flags, Floats, Labels, curve

_STEPS = 50
_CLOSE = 1e-11  # step of standardised coefficients at which the top is reached
_FARTHEST = 20.0  # standardised coefficient beyond which the likelihood is taken to rise for ever


@dataclass(frozen=True, slots=True)
class SubdistributionFit:
    """Log subdistribution hazard ratios with Wald intervals and tests; std_errors: robust, G estimated."""

    coefficients: tuple[Estimate, ...]
    std_errors: Floats
    log_likelihood: float
    null_log_likelihood: float


@dataclass(frozen=True, slots=True)
class _Stratum:
    """The patients of a stratum. at: times of events; deaths: how many then; weight: times x patients, at risk."""

    x: Floats
    time: Floats
    event: Flags
    competing: Flags
    at: Floats
    deaths: Floats
    weight: Floats
    free: Floats  # G(t-) at the times of events
    own_free: Floats  # G(T-) of each patient


def fine_gray(time: Floats, event: Flags, competing: Flags, x: Floats, stratum: Labels) -> SubdistributionFit | str:
    """Fit the model; a text says why it cannot be. x: patients x covariates; stratum: numbers from 0.

    >>> time = np.arange(1.0, 9.0)
    >>> event, x = np.array([1, 0, 1, 0, 1, 0, 1, 0], bool), np.array([[1.0, 0, 0, 1, 1, 0, 0, 1]]).T
    >>> competing = np.array([0, 1, 0, 0, 0, 1, 0, 0], bool)
    >>> fit = fine_gray(time, event, competing, x, np.zeros(8, int))
    >>> round(float(fit.coefficients[0].value), 4)
    0.4101
    """
    if not event.any():
        return "no event"
    spread = x.std(axis=0)
    if not (np.isfinite(spread) & (spread > 0.0)).all():
        return "a covariate is the same in all patients"
    standard = (x - x.mean(axis=0)) / spread
    strata = [_stratum(time[own], event[own], competing[own], standard[own])
              for own in (stratum == name for name in np.unique(stratum)) if event[own].any()]  # fmt: skip
    b = np.zeros(x.shape[1])
    height, slope, information = _likelihood(strata, b)
    null = height
    if np.linalg.matrix_rank(information, tol=1e-8 * int(event.sum()), hermitian=True) < len(b):
        return "covariates that say the same, or too few events"
    for _ in range(_STEPS):
        step = np.linalg.solve(information, slope)
        while (found := _likelihood(strata, b + step))[0] < height - 1e-12 * abs(height) and np.abs(
            step
        ).max() > _CLOSE:
            step = step / 2.0
        b = b + step
        height, slope, information = found
        if np.abs(b).max() > _FARTHEST or np.linalg.cond(information) > 1e12:
            return "all events lie on one side: no finite ratio"
        if np.abs(step).max() < _CLOSE:
            break
    else:
        return "the model does not converge"
    bread = np.linalg.inv(information)
    meat = sum(residuals.T @ residuals for residuals in (_residuals(one, b) for one in strata))
    errors = np.sqrt(np.diag(bread @ meat @ bread))
    estimates = [wald(float(at), float(error)) for at, error in zip(b, errors, strict=True)]
    return SubdistributionFit(
        tuple(Estimate(e.value / s, e.low / s, e.high / s, e.p_value) for e, s in zip(estimates, spread, strict=True)),
        errors / spread, height, null,
    )  # fmt: skip


def _stratum(time: Floats, event: Flags, competing: Flags, x: Floats) -> _Stratum:
    at, place = np.unique(time[event], return_inverse=True)
    censoring = curve(time, ~(event | competing))
    before = np.concatenate([[1.0], censoring.survival])
    free, own_free = (before[np.searchsorted(censoring.time, when, side="left")] for when in (at, time))
    gone = competing & (time < at[:, None])
    weight = np.where(time >= at[:, None], 1.0, np.where(gone, free[:, None] / own_free, 0.0))
    return _Stratum(x, time, event, competing, at, np.bincount(place).astype(float), weight, free, own_free)


def _likelihood(strata: list[_Stratum], b: Floats) -> tuple[float, Floats, Floats]:
    """Value, slope and information of the log partial likelihood."""
    value, slope, information = 0.0, np.zeros(len(b)), np.zeros((len(b), len(b)))
    for one in strata:
        total, mean, second, linear = _moments(one, b)
        value += float(linear[one.event].sum() - one.deaths @ np.log(total))
        slope += one.x[one.event].sum(axis=0) - one.deaths @ mean
        spread = second - mean[:, :, None] * mean[:, None, :]
        information += np.einsum("k,kab->ab", one.deaths, spread)
    return value, slope, information


def _moments(one: _Stratum, b: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Sum of weights, mean and mean square of the covariates in each risk set; linear predictors, shifted."""
    linear = one.x @ b
    linear = linear - linear.max()
    relative = np.exp(linear)
    total = one.weight @ relative
    mean = (one.weight @ (relative[:, None] * one.x)) / total[:, None]
    square = (one.x[:, :, None] * one.x[:, None, :]).reshape(len(one.x), -1)
    second = (one.weight @ (relative[:, None] * square)) / total[:, None]
    return total, mean, second.reshape(len(total), len(b), len(b)), linear


def _residuals(one: _Stratum, b: Floats) -> Floats:
    """What each patient adds to the score: eta of the paper, and psi, which is due to the estimated G."""
    total, mean, _, linear = _moments(one, b)
    relative, hazard = np.exp(linear), one.deaths / total
    eta = -relative[:, None] * (one.x * (hazard @ one.weight)[:, None] - one.weight.T @ (hazard[:, None] * mean))
    eta[one.event] += one.x[one.event] - mean[np.searchsorted(one.at, one.time[one.event])]
    censored = ~(one.event | one.competing)
    if not censored.any():
        return eta
    when, place = np.unique(one.time[censored], return_inverse=True)
    at_risk = len(one.time) - np.searchsorted(np.sort(one.time), when, side="left")
    gone = np.where(one.competing, relative / one.own_free, 0.0)
    earlier = (one.time < when[:, None]) @ np.column_stack([gone, gone[:, None] * one.x])
    later = (one.at >= when[:, None]) @ ((one.free * hazard)[:, None] * np.column_stack([np.ones(len(hazard)), mean]))
    q = earlier[:, 1:] * later[:, :1] - earlier[:, :1] * later[:, 1:]
    jump = q / at_risk[:, None]
    passed = np.cumsum(jump * (np.bincount(place) / at_risk)[:, None], axis=0)
    passed = np.concatenate([np.zeros((1, q.shape[1])), passed])
    eta -= passed[np.searchsorted(when, one.time, side="right")]
    eta[censored] += jump[place]
    return eta
