"""Survival of groups standardised to strata: each group's curve as if it had the mix of strata of all patients.

    S_g(t) = sum over strata s of w_s S_gs(t),   w_s = the share of stratum s among all patients

S_gs is the Kaplan-Meier curve of group g in stratum s. Groups that differ in their strata are so compared at one mix:
direct standardisation. Variances add: Var S_g = sum w_s^2 Var S_gs (Greenwood), and likewise of restricted means.
Chang IM, Gelman R, Pagano M, J Chronic Dis 1982;35:669-674, doi 10.1016/0021-9681(82)90018-4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from senexo.assays.stats.estimate import Estimate
from senexo.assays.stats.kaplan_meier import Curve, Labels, welch_sum, z_value


@dataclass(frozen=True, slots=True)
class Standardised:
    """One group: its curve in every stratum, and the share of each stratum among all patients."""

    strata: tuple[Curve, ...]
    weights: tuple[float, ...]

    def known_until(self) -> float:
        """The time beyond which a stratum says nothing."""
        return min(one.known_until() for one in self.strata)

    def last(self) -> float:
        """The longest that patients of every stratum were followed."""
        return min(float(one.time[-1]) for one in self.strata)

    def curve(self) -> Curve:
        """The standardised curve, up to the time that every stratum was followed; bounds on the log scale."""
        times = np.unique(np.concatenate([one.time for one in self.strata]))
        times = times[times <= self.known_until()]
        survival, variance = np.zeros(len(times)), np.zeros(len(times))
        at_risk, events, censored = (np.zeros(len(times)) for _ in range(3))
        for one, weight in zip(self.strata, self.weights, strict=True):
            place = np.searchsorted(one.time, times, side="right") - 1
            own = np.append(one.survival, 1.0)[place]  # before the first time the place is -1: survival 1
            spread = np.append(np.cumsum(one.greenwood()), 0.0)[place]
            survival += weight * own
            variance += (weight * own) ** 2 * spread
            at_risk += one.at_risk(times)
            here = np.isin(times, one.time)
            seen = np.isin(one.time, times)
            events[here] += one.n_events[seen]
            censored[here] += one.n_censored[seen]
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.where(survival > 0.0, np.sqrt(variance) / survival, np.nan)
        low, high = survival * np.exp(-z_value() * error), np.minimum(1.0, survival * np.exp(z_value() * error))
        n = sum(one.n for one in self.strata)
        return Curve(times, at_risk, events, censored, survival, error, low, high, n)

    def parts(self, until: float) -> tuple[float, list[tuple[float, float]]]:
        """Restricted mean, and of each stratum the weighted standard error and the number of patients."""
        means = [one.mean(until) for one in self.strata]
        value = sum(weight * mean for weight, (mean, _) in zip(self.weights, means, strict=True))
        errors = [(weight * error, float(one.n)) for weight, (_, error), one
                  in zip(self.weights, means, self.strata, strict=True)]  # fmt: skip
        return value, errors

    def mean_interval(self, until: float) -> Estimate:
        """Restricted mean survival with its interval, as `Curve.mean_interval`."""
        value, parts = self.parts(until)
        found = welch_sum(value, *parts)
        return Estimate(value, max(0.0, found.low), min(until, found.high))


def mean_difference(first: Standardised, second: Standardised, until: float) -> Estimate:
    """Restricted mean survival of the first less that of the second, at one mix of strata."""
    (mean, parts), (other, other_parts) = first.parts(until), second.parts(until)
    return welch_sum(mean - other, *parts, *other_parts)


def weights_of(stratum: Labels) -> dict[int, float]:
    """The share of every stratum."""
    names, counts = np.unique(stratum, return_counts=True)
    return {int(name): float(count) / float(counts.sum()) for name, count in zip(names, counts, strict=True)}
