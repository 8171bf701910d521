"""The single-hit model: fits, slope tests and group comparisons on plain arrays.

Binomial response, complementary log-log link, log(dose) as offset.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from senexo.assays.stats.estimate import LEVEL, Estimate, not_converged

Floats = NDArray[np.float64]
Z = float(stats.norm.ppf(0.5 + LEVEL / 2))


def fit(dose: Floats, tested: Floats, response: Floats) -> Estimate:
    """Frequency of responding cells: maximum likelihood, Wald interval on the log scale (expected information).

    No unit responded: 0, with the one-sided bound -log(0.05) / (cells in all units). All did: infinite, with the
    one-sided bound at which all responding has a probability of 5 %.
    """
    if not response.any():
        return Estimate(0.0, 0.0, -math.log(1 - LEVEL) / float(np.sum(dose * tested)))
    if (response == tested).all():
        return Estimate(math.inf, _all_respond(dose, tested), math.inf)
    log_f = _maximum(dose, tested, response)
    half = Z / math.sqrt(_information(dose, tested, log_f))
    return Estimate(math.exp(log_f), math.exp(log_f - half), math.exp(log_f + half))


def _all_respond(dose: Floats, tested: Floats) -> float:
    """The frequency at which all units respond with a probability of 5 %."""

    def log_probability(log_f: float) -> float:
        return float(np.sum(tested * _log_positive(np.exp(log_f) * dose))) - math.log(1 - LEVEL)

    low, high = -math.log(float(dose.max())) - 30.0, -math.log(float(dose.min())) + 30.0
    return math.exp(optimize.brentq(log_probability, low, high, xtol=1e-14))


def _log_positive(hits: Floats) -> Floats:
    """log(1 - exp(-hits)), exact for few and for many."""
    few, many = np.minimum(hits, 1.0), np.maximum(hits, 0.5)
    return np.where(hits < math.log(2), np.log(-np.expm1(-few)), np.log1p(-np.exp(-many)))


def _likelihood(linear: Floats, tested: Floats, response: Floats) -> float:
    """Log likelihood without the binomial coefficients; linear = log(frequency x dose)."""
    hits = np.exp(linear)
    log_positive = np.where(response > 0, _log_positive(hits), 0.0)
    return float(np.sum(response * log_positive - (tested - response) * hits))


def best(dose: Floats, tested: Floats, response: Floats) -> float:
    """The largest log likelihood; 0 where no unit or every unit responded."""
    if not response.any() or (response == tested).all():
        return 0.0
    return _likelihood(_maximum(dose, tested, response) + np.log(dose), tested, response)


def _maximum(dose: Floats, tested: Floats, response: Floats) -> float:
    """log frequency where the likelihood's slope sum(y h e^-h / (1 - e^-h) - (n - y) h) is 0; it falls throughout."""

    def slope(log_f: float) -> float:
        hits = np.exp(log_f) * dose
        return float(np.sum(response * hits / np.expm1(np.minimum(hits, 700.0)) - (tested - response) * hits))

    low, high = -math.log(float(dose.max())) - 40.0, -math.log(float(dose.min())) + 6.6
    return float(optimize.brentq(slope, low, high, xtol=1e-15, rtol=4 * np.finfo(float).eps, maxiter=500))


def _information(dose: Floats, tested: Floats, log_f: float) -> float:
    return float(_weights(log_f + np.log(dose), tested).sum())


@dataclass(frozen=True, slots=True)
class Slope:
    """Slope of log(dose), 1 for single hit, with its Wald interval; z of the four tests that it is 1. nan: no test."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    z_ratio: float = math.nan
    z_wald: float = math.nan
    z_score_log: float = math.nan
    z_score_dose: float = math.nan


def slope(dose: Floats, tested: Floats, response: Floats, group: NDArray[Any]) -> Slope:
    """The single-hit tests of statmod's elda: signed likelihood ratio, Wald, and score tests of log(dose) and dose.

    Every group has a frequency of its own, the slope is common. Groups of one dose, or in which no or every unit
    responded, say nothing and are left out. Where a dose separates the units that responded from the others in every
    group, the slope is infinite and has no interval; the likelihood ratio and score tests are there.
    """
    mixed = [name for name in dict.fromkeys(group) if _tells(dose, tested, response, group == name)]
    if not mixed:
        return Slope()
    kept = np.isin(group, mixed)
    dose, tested, response, group = dose[kept], tested[kept], response[kept], group[kept]
    member = np.array([[name == other for other in mixed] for name in group], dtype=float)
    log_dose = np.log(dose)
    each = [_maximum(dose[group == name], tested[group == name], response[group == name]) for name in mixed]
    null = member @ np.array(each) + log_dose
    value, half, peak = _free(member, log_dose, tested, response, np.array([*each, 1.0]))
    # likelihoods on one scale: the difference of two large deviances would lose digits
    gain = max(0.0, 2.0 * (peak - _likelihood(null, tested, response)))
    return Slope(
        value, value - half, value + half, math.copysign(math.sqrt(gain), value - 1.0), Z * (value - 1.0) / half,
        _score(null, tested, response, member, log_dose), _score(null, tested, response, member, dose),
    )  # fmt: skip


def _tells(dose: Floats, tested: Floats, response: Floats, own: NDArray[np.bool_]) -> bool:
    several = len(np.unique(dose[own])) > 1
    return several and bool(0 < response[own].sum() < tested[own].sum())


def _free(
    member: Floats, log_dose: Floats, tested: Floats, response: Floats, start: Floats
) -> tuple[float, float, float]:
    """Slope of log(dose), half its Wald interval (expected information), and the log likelihood there."""
    for sign in (1.0, -1.0):
        if all(_separated(sign * log_dose[own], tested[own], response[own]) for own in member.T.astype(bool)):
            return sign * math.inf, math.nan, _saturated(tested, response)
    design = np.column_stack([member, log_dose])
    scale = np.maximum(np.abs(design).max(axis=0), 1.0)
    place = start * scale

    def cost(x: Floats) -> float:
        with np.errstate(divide="ignore"):  # a step too far is minus infinity
            return -_likelihood(np.minimum(design @ (x / scale), 700.0), tested, response)

    def gradient(x: Floats) -> Floats:
        hits = np.exp(np.minimum(design @ (x / scale), 300.0))
        return -(response * hits / np.expm1(np.minimum(hits, 700.0)) - (tested - response) * hits) @ design / scale

    # the likelihood is concave; Fisher scoring, its steps halved until it rises
    for _ in range(200):
        root = design * np.sqrt(_weights(design @ (place / scale), tested))[:, None] / scale
        step = -np.linalg.lstsq(root.T @ root, gradient(place), rcond=None)[0]
        here = cost(place)
        while cost(place + step) > here + 1e-12 * abs(here) and np.abs(step).max() > 1e-14:
            step = step / 2.0
        place = place + step
        if np.abs(step).max() < 1e-12 * max(1.0, np.abs(place).max()):
            break
    else:
        not_converged("the slope of the single-hit model")
    root = design * np.sqrt(_weights(design @ (place / scale), tested))[:, None]
    half = Z * math.sqrt(float(np.linalg.pinv(root.T @ root)[-1, -1]))
    return float(place[-1] / scale[-1]), half, -cost(place)


def _separated(position: Floats, tested: Floats, response: Floats) -> bool:
    """At most one position has both kinds of units; all below it are negative, all above responded."""
    first, last = position[response > 0].min(), position[response < tested].max()
    return bool(first >= last)


def _saturated(tested: Floats, response: Floats) -> float:
    share = np.clip(response / tested, 1e-300, 1.0)
    rest = np.clip(1.0 - response / tested, 1e-300, 1.0)
    return float(np.sum(response * np.log(share) + (tested - response) * np.log(rest)))


def _weights(linear: Floats, tested: Floats) -> Floats:
    """Expected information of the linear predictor."""
    hits = np.exp(np.minimum(linear, 300.0))
    return tested * hits**2 / np.expm1(np.minimum(hits, 700.0))


def _score(linear: Floats, tested: Floats, response: Floats, member: Floats, extra: Floats) -> float:
    """Score test of one more column in a fitted model: working residuals against the column freed of the others.

    z = sum(w x* r) / sqrt(sum(w x*^2)), x* the extra column less its weighted projection on the design.
    """
    hits, weight = np.exp(linear), _weights(linear, tested)
    positive = -np.expm1(-hits)
    weighted = hits * (response - tested * positive) / positive  # w r, which stays finite where w is 0 and r is not
    root = np.sqrt(weight)
    projected, *_ = np.linalg.lstsq(member * root[:, None], extra * root, rcond=None)
    own = extra - member @ projected
    return float(np.sum(own * weighted) / math.sqrt(np.sum(weight * own**2)))


def difference(dose: Floats, tested: Floats, response: Floats, group: NDArray[Any]) -> tuple[float, float]:
    """Likelihood ratio chi-square, and its p-value, that all groups have one frequency."""
    names = list(dict.fromkeys(group))
    apart = sum(best(dose[group == name], tested[group == name], response[group == name]) for name in names)
    chi = max(0.0, 2.0 * (apart - best(dose, tested, response)))
    return chi, float(stats.chi2.sf(chi, len(names) - 1))


Plate = tuple[Floats, Floats, Floats]  # dose, tested, response


def ratio(first: Estimate, second: Estimate, plate: Plate, other: Plate) -> Estimate:
    """Ratio of two frequencies with its Wald interval; nan with a likelihood-ratio bound where one has only a bound."""
    if all(0 < one.value < math.inf for one in (first, second)):
        widths = [math.log(one.high / one.low) / 2 for one in (first, second)]
        log, half = math.log(first.value / second.value), math.hypot(*widths)
        return Estimate(math.exp(log), math.exp(log - half), math.exp(log + half))
    if first.value == second.value:
        return Estimate(math.nan, 0.0, math.inf)
    if first.value < second.value:
        turned = ratio(second, first, other, plate)
        return Estimate(math.nan, 0.0, 1.0 / turned.low if turned.low else math.inf)
    dose, tested, response = (np.concatenate(pair) for pair in zip(plate, other, strict=True))
    apart = best(*plate) + best(*other)

    def fall(log_ratio: float) -> float:
        """The likelihood ratio of one ratio: the first plate's doses scaled by it, both have one frequency."""
        scaled = dose * np.where(np.arange(len(dose)) < len(plate[0]), math.exp(log_ratio), 1.0)
        return 2.0 * (apart - best(scaled, tested, response)) - Z**2

    low, high = -60.0, 60.0  # the likelihood rises with the ratio, without end
    bound = optimize.brentq(fall, low, high) if fall(low) > 0 > fall(high) else -math.inf
    return Estimate(math.nan, math.exp(bound), math.inf)


def two_sided(z: float) -> float:
    return float(2 * stats.norm.sf(abs(z)))
