"""Goodness of fit of the single-hit model: do units respond at every dose as often as one frequency says?

    deviance = 2 sum y log(y / m) + (n - y) log((n - y) / (n - m)),   Pearson = sum (y - m)^2 / (m (1 - m / n))

y of n units responded at a dose, m = n (1 - exp(-f d)) are expected; degrees of freedom: doses less one. The slope of
log(cells) sees a trend only: units that respond most at a middle dose may have a slope of 1 and no single hit. The
deviance is held against chi-squared where expected counts allow that (Cochran's rule: none below 1, four fifths from
5), else against its distribution in simulated plates of the fitted frequency.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from senexo.assays.stats.estimate import LEVEL, Estimate
from senexo.assays.stats.single_hit import Floats, Plate

SIMULATIONS = 1999
_OPEN = 300.0  # half a log interval: where a unit is impossible by the fit, dispersion is infinite
_SEED = 20180515
_STEPS = 30


@dataclass(frozen=True, slots=True)
class Fit:
    """Deviance and Pearson's chi-squared with their degrees of freedom; p of the deviance. nan where there is one dose.

    simulated: was the deviance held against simulated plates?
    """

    deviance: float
    pearson: float
    degrees_of_freedom: int
    p_value: float
    simulated: bool

    @property
    def dispersion(self) -> float:
        """How many times as much as by chance units scatter: Pearson's chi-squared over its degrees of freedom."""
        return self.pearson / self.degrees_of_freedom if self.degrees_of_freedom else math.nan


def goodness_of_fit(plates: Mapping[str, Plate], fits: Mapping[str, Estimate]) -> tuple[dict[str, Fit], Fit]:
    """The fit of every group, and of all together. Groups of one dose, or with no or only responses, say nothing.

    >>> plate = tuple(np.array(x, float) for x in ([1, 2, 4, 8, 16], [24] * 5, [2, 5, 19, 20, 19]))
    >>> from senexo.assays.stats.single_hit import fit
    >>> _, found = goodness_of_fit({"all": plate}, {"all": fit(*plate)})
    >>> round(found.deviance, 2), found.degrees_of_freedom, round(found.p_value, 4)
    (17.36, 4, 0.0016)
    """
    usual = [name for name, fit in fits.items() if 0.0 < fit.value < math.inf and len(plates[name][0]) > 1]
    rng = np.random.default_rng(_SEED)
    found = {name: _nothing() for name in fits}
    simulated = {}
    for name in usual:
        dose, tested, response = plates[name]
        hits = fits[name].value * dose
        deviance, pearson = float(_deviance(tested, response, hits)), _pearson(tested, response, hits)
        df = len(dose) - 1
        simulated[name] = np.zeros(0)
        if not _many(tested, hits):
            simulated[name] = _simulated(rng, dose, tested, fits[name].value)
        found[name] = Fit(deviance, pearson, df, _p(deviance, df, simulated[name]), bool(len(simulated[name])))
    return found, _together([found[name] for name in usual], [simulated[name] for name in usual], rng)


def widened(fit: Estimate, overall: Fit) -> Estimate:
    """The frequency with an interval that allows for overdispersion: sqrt(dispersion) as wide, and Student's t.

    Quasi-likelihood: McCullagh P, Nelder JA, Generalized Linear Models, 2nd ed. 1989, chapter 4.5.
    """
    from scipy.special import ndtri, stdtrit

    if not 0.0 < fit.value < math.inf:
        return fit
    half = math.log(fit.high / fit.low) / 2.0 * math.sqrt(max(1.0, overall.dispersion))
    half *= float(stdtrit(overall.degrees_of_freedom, (1.0 + LEVEL) / 2.0) / ndtri((1.0 + LEVEL) / 2.0))
    half = min(half, _OPEN)
    return Estimate(fit.value, fit.value * math.exp(-half), fit.value * math.exp(half))


def f_test(chi: float, df: int, overall: Fit) -> float:
    """p of a likelihood ratio where units are overdispersed: F of chi / df over the dispersion."""
    from scipy.special import fdtrc

    return float(fdtrc(df, overall.degrees_of_freedom, chi / df / max(1.0, overall.dispersion)))


def _nothing() -> Fit:
    return Fit(math.nan, math.nan, 0, math.nan, False)


def _pearson(tested: Floats, response: Floats, hits: Floats) -> float:
    positive = -np.expm1(-hits)
    distance, variance = response - tested * positive, tested * positive * np.exp(-hits)
    with np.errstate(divide="ignore", over="ignore"):
        return float(np.sum(np.divide(distance**2, variance, out=np.zeros_like(distance), where=distance != 0.0)))


def _deviance(tested: Floats, response: Floats, hits: Floats) -> Floats:
    """Of units that respond with probability 1 - exp(-hits); exact where nearly all are expected to respond."""
    from scipy.special import xlogy

    rest = tested - response
    responded = xlogy(response, response / tested) - response * np.log(-np.expm1(-hits))
    found: Floats = 2.0 * np.sum(responded + xlogy(rest, rest / tested) + rest * hits, axis=-1)
    return np.maximum(found, 0.0)


def _many(tested: Floats, hits: Floats) -> bool:
    """Are expected counts large enough for chi-squared (Cochran)?"""
    counts = np.concatenate([-tested * np.expm1(-hits), tested * np.exp(-hits)])
    return bool((counts >= 1.0).all() and np.mean(counts >= 5.0) >= 0.8)


def _p(deviance: float, df: int, simulated: Floats) -> float:
    from scipy.special import chdtrc

    if not len(simulated):
        return float(chdtrc(df, deviance))
    as_large = int(np.count_nonzero(simulated >= deviance * (1.0 - 1e-9)))
    return (1 + as_large) / (1 + len(simulated))


def _simulated(rng: np.random.Generator, dose: Floats, tested: Floats, frequency: float) -> Floats:
    """Deviances of plates drawn from the fitted model, each fitted anew."""
    drawn = rng.binomial(tested.astype(np.int64), -np.expm1(-frequency * dose), (SIMULATIONS, len(dose))).astype(float)
    mixed = (drawn.sum(axis=1) > 0) & (drawn < tested).any(axis=1)  # none or all: fitted without any distance
    found = np.zeros(SIMULATIONS)
    own = drawn[mixed]
    log_f = np.full(len(own), math.log(frequency))
    for _ in range(_STEPS):  # Fisher's scoring
        hits = np.exp(log_f)[:, None] * dose
        with np.errstate(over="ignore"):
            grown = np.expm1(np.minimum(hits, 700.0))
        slope = np.sum(own * hits / grown - (tested - own) * hits, axis=1)
        information = np.sum(tested * hits**2 / grown, axis=1)
        step = np.clip(slope / information, -2.0, 2.0)
        log_f += step
        if np.abs(step).max(initial=0.0) < 1e-10:
            break
    found[mixed] = _deviance(tested, own, np.exp(log_f)[:, None] * dose)
    return found


def _together(fits: Sequence[Fit], simulated: Sequence[Floats], rng: np.random.Generator) -> Fit:
    """Sums over groups; where one was simulated the others are drawn from their chi-squared."""
    if not fits:
        return _nothing()
    deviance, pearson = sum(fit.deviance for fit in fits), sum(fit.pearson for fit in fits)
    df = sum(fit.degrees_of_freedom for fit in fits)
    total = np.zeros(0)
    if any(len(one) for one in simulated):
        drawn = [one if len(one) else rng.chisquare(fit.degrees_of_freedom, SIMULATIONS)
                 for one, fit in zip(simulated, fits, strict=True)]  # fmt: skip
        total = np.sum(drawn, axis=0)
    return Fit(deviance, pearson, df, _p(deviance, df, total), bool(len(total)))
