"""Dose-response of counted cells with the donor as the unit: each donor's half-effective dose, then the population's.

response(d) = bottom + (top - bottom) / (1 + (ec50 / d)^hill)

Two curves are kept apart. The *population-average* curve goes through the mean of donors; it is flat where donors
differ, and its ec50 is not the typical donor's. The *EC50* reported is the geometric median over donors of the dose
at which a donor's own fitted curve crosses half of the range, where donors that never cross inside the ladder are
censored at its ends, not dropped and not extrapolated.

The range runs from the lowest fitted bottom to the highest plateau that the ladder shows; when it shows none, to
1 (all cells). A plateau is shown when at least two doses lie beyond the curve's upper bend: a half effect relative
to a plateau that was not observed is not an estimate. Sebaugh JL, Pharm Stat 2011;10:128-134, doi 10.1002/pst.426;
bend points: Sebaugh JL, McCray PD, Pharm Stat 2003;2:167-174, doi 10.1002/pst.62.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.censored import censored_difference, censored_mean
from senexo.assays.stats.estimate import Estimate, not_converged
from senexo.assays.stats.proportion import clopper_pearson, mean_contrast, share_variance

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
RESOLUTION = 0.02  # decades: EC50s of donors are not believed to agree better than 5 %
_BEND = 4.6805  # (ec50 / d)^hill at the bends of a four-parameter logistic (Sebaugh and McCray 2003)
_HILL = 2.0  # centre of the weak prior of a donor's slope
_LEFT = 1e-3  # of the log-likelihood: a fit that stops nearer to its top is as good as at the top
_STEEPEST = 12.0
_GRID = 2**16  # cells between the two ends of the permutation distribution


@dataclass(frozen=True, slots=True)
class Curve:
    """A four-parameter logistic; bottom and top are shares of cells, ec50 in units of the dose."""

    bottom: float
    top: float
    ec50: float
    hill: float

    def at(self, dose: Floats) -> Floats:
        with np.errstate(over="ignore", divide="ignore"):
            return self.bottom + (self.top - self.bottom) / (1.0 + (self.ec50 / np.asarray(dose, float)) ** self.hill)

    def reaches(self, level: float) -> float:
        """The dose at which the curve crosses `level`; infinite where it stays below, 0 where it stays above."""
        if level >= self.top:
            return math.inf
        if level <= self.bottom:
            return 0.0
        return self.ec50 * ((level - self.bottom) / (self.top - level)) ** (1.0 / self.hill)


@dataclass(frozen=True, slots=True)
class Ladder:
    """Counts of one family: doses (increasing, > 0), and n_positive, n_total of shape [donor, dose] (0 = no well)."""

    family: str
    donors: tuple[str, ...]
    doses: Floats
    n_positive: Floats
    n_total: Floats


@dataclass(frozen=True, slots=True)
class Crossings:
    """Per donor log10 of the dose of half effect, and what is known of it: side 0 seen, +1 above, -1 below."""

    donors: tuple[str, ...]
    log_dose: Floats
    side: NDArray[np.int8]

    def count(self, side: int) -> int:
        return int(np.count_nonzero(self.side == side))

    def rows(self) -> Iterator[tuple[str, float, int]]:
        return zip(self.donors, self.log_dose.tolist(), self.side.tolist(), strict=True)


def ladders(counts: pd.DataFrame) -> list[Ladder]:
    """The families of a table (donor, family, dose_copies, n_positive, n_total, summed per donor) with >= 3 doses."""
    found = []
    dosed = counts[(counts["dose_copies"] > 0) & (counts["n_total"] > 0)]
    for family, rows in dosed.groupby("family", sort=False):
        if rows["dose_copies"].nunique() < 3:
            continue
        wide = rows.pivot_table(
            index="donor", columns="dose_copies", values=["n_positive", "n_total"], aggfunc="sum", fill_value=0
        )
        positive, total = wide["n_positive"], wide["n_total"]
        found.append(
            Ladder(
                str(family),
                tuple(map(str, wide.index)),
                positive.columns.to_numpy(float),
                positive.to_numpy(float),
                total.to_numpy(float),
            )
        )
    return found


def slope(ladder: Ladder) -> Estimate:
    """Rise of the share per decade of dose, least squares in each donor: mean and t-interval over donors.

    The p-value is that of `trend`, which asks whether dose matters at all.
    """
    donors = _centred(ladder)
    slopes = np.array([weights @ share for weights, share, _ in donors])
    if len(slopes) < 2:
        return Estimate(float(slopes.mean()) if len(slopes) else math.nan, math.nan, math.nan)
    found = mean_contrast(slopes, np.array([weights**2 @ variance for weights, _, variance in donors]))
    return Estimate(found.value, found.low, found.high, trend(ladder))


def trend(ladder: Ladder) -> float:
    """Two-sided p-value of "dose does nothing": the sum of the donors' slopes, doses permuted within each donor.

    If dose does nothing, a donor's shares could have come in any order; the distribution of one donor's slope over
    all orders is enumerated (5,040 orders drawn from a fixed seed stand for those of eight doses and more), and that
    of the sum is their convolution, on a grid whose rounding counts against significance. Donors are blocks, zeros and
    ties no trouble. A few donors that respond suffice, where a t-test, whose variance they inflate, sees nothing.
    Pitman EJG, Biometrika 1938;29:322-335, doi 10.1093/biomet/29.3-4.322.
    """
    donors = _centred(ladder)
    slopes = [share[_orders(share.size)] @ weights for weights, share, _ in donors]  # the first order is the observed
    reach = sum(float(np.abs(possible).max()) for possible in slopes)
    if reach == 0.0:
        return 1.0
    step = 2.0 * reach / _GRID
    spectrum: NDArray[np.complex128] = np.ones(_GRID + 1, dtype=complex)
    for possible in slopes:
        cells = np.rint(possible / step).astype(int) % (2 * _GRID)  # negative sums wrap around to the upper end
        spectrum *= np.fft.rfft(np.bincount(cells, minlength=2 * _GRID) / possible.size)
    chance = np.maximum(np.fft.irfft(spectrum), 0.0)
    distance = np.minimum(np.arange(2 * _GRID), np.arange(2 * _GRID, 0, -1)) * step
    observed = abs(sum(float(possible[0]) for possible in slopes))
    return min(1.0, float(chance[distance >= observed - step * len(slopes)].sum()))


@lru_cache(maxsize=16)
def _orders(k: int) -> NDArray[np.int64]:
    """The orders of k values, the given one first."""
    if k <= 7:
        return np.array(list(itertools.permutations(range(k))))
    rng = np.random.default_rng(k)
    return np.array([np.arange(k), *(rng.permutation(k) for _ in range(5039))])


def _centred(ladder: Ladder) -> list[tuple[Floats, Floats, Floats]]:
    """Per donor with two doses or more: the weights of its slope, its shares, and their variance from counting."""
    out = []
    for positive, total in zip(ladder.n_positive, ladder.n_total, strict=True):
        seen = total > 0
        if seen.sum() >= 2:
            x = np.log10(ladder.doses[seen])
            x -= x.mean()
            variance = share_variance(positive[seen], total[seen])
            out.append((x / np.sum(x * x), positive[seen] / total[seen], variance))
    return out


def average_curve(ladder: Ladder) -> Curve:
    """The curve through the mean shares over donors, weighted by the inverse variances of those means.

    The variances are those between donors, and at least that of counting.
    """
    means, errors = [], []
    for positive, total in zip(ladder.n_positive.T, ladder.n_total.T, strict=True):
        seen = total > 0
        share = positive[seen] / total[seen]
        between = float(share.var(ddof=1)) if seen.sum() > 1 else 0.0
        variance = max(between, float(share_variance(positive[seen], total[seen]).mean()))
        means.append(float(share.mean()))
        errors.append(math.sqrt(variance / seen.sum()))
    return curve_through(ladder.doses, np.array(means), np.array(errors))


def curve_through(doses: Floats, mean: Floats, error: Floats) -> Curve:
    """The rising curve, 0 <= bottom <= top <= 1, that fits `mean` with standard `error` best (least squares)."""
    from scipy.optimize import least_squares

    logs = np.log(doses)
    width = logs[-1] - logs[0]
    low, high = [-12.0, -8.0, logs[0] - width, math.log(0.3)], [4.0, 12.0, logs[-1] + width, math.log(_STEEPEST)]
    bottom = _logit(min(max(mean.min(), 1e-4), 0.9))

    def residuals(x: Floats) -> Floats:
        return (_curve(x).at(doses) - mean) / error

    starts = [np.clip([bottom, plateau, middle, 0.4], low, high) for plateau in (-1.0, 3.0) for middle in logs[1:]]
    starts.sort(key=lambda x: float(np.sum(residuals(x) ** 2)))

    def fit(start: Floats) -> Any:
        return least_squares(residuals, start, bounds=(low, high), xtol=1e-10, ftol=1e-10)

    return _best(starts[:3], fit, "the dose-response curve of a family")


def _best(starts: Iterable[Floats], fit: Callable[[Floats], Any], what: str) -> Curve:
    """The curve of the fit with the smallest sum of squares, of those from all starts.

    A warning where that one ran out of evaluations and a fit from its end lowers half the sum of squares, that is
    raises the log-likelihood, by more than `_LEFT`.
    """
    best = min((fit(start) for start in starts), key=lambda one: one.cost)
    if best.status == 0 and best.cost - fit(best.x).cost > _LEFT:
        not_converged(what)
    return _curve(best.x)


def effect_range(curves: Iterable[tuple[Curve, Floats]]) -> tuple[float, float, bool]:
    """(bottom, top, plateau shown) common to all families; curves: each fitted curve with the doses of its ladder."""
    pairs = list(curves)
    bottom = min(curve.bottom for curve, _ in pairs)
    tops = [curve.top for curve, doses in pairs if np.sum(doses >= curve.ec50 * _BEND ** (1.0 / curve.hill)) >= 2]
    return bottom, max(tops, default=1.0), bool(tops)


def crossings(ladder: Ladder, level: float) -> Crossings:
    """Where each donor's own curve crosses `level`, censored at the ends of the ladder.

    A donor counted at fewer than two doses has no curve, and is left out with a warning.
    """
    first, last = ladder.doses[0], ladder.doses[-1]
    held = np.count_nonzero(ladder.n_total > 0, axis=1) >= 2
    donors = tuple(donor for donor, kept in zip(ladder.donors, held, strict=True) if kept)
    if single := [donor for donor, kept in zip(ladder.donors, held, strict=True) if not kept]:
        warnings.warn(f"{ladder.family}: no EC50 of {', '.join(single)}, counted at a single dose", stacklevel=2)
    doses = [
        donor_curve(ladder.doses, positive, total).reaches(level)
        for positive, total in zip(ladder.n_positive[held], ladder.n_total[held], strict=True)
    ]
    side = np.array([1 if dose > last else -1 if dose < first else 0 for dose in doses], dtype=np.int8)
    return Crossings(donors, np.log10(np.clip(doses, first, last)), side)


def donor_curve(doses: Floats, n_positive: Floats, n_total: Floats) -> Curve:
    """The curve of one donor: binomial likelihood with weak priors that only matter where the counts say nothing.

    log hill ~ Normal(log 2, 0.7); log ec50 ~ Normal(middle of the ladder, its width); one negative cell added to the
    bottom, one positive cell to the plateau, so that a plateau beyond the ladder is taken as all cells. A donor that
    goes from none to all between two doses gets the middle of that step. Minimised as a sum of squares (deviance
    residuals and priors).
    """
    from scipy.optimize import least_squares
    from scipy.special import log_expit, xlogy

    seen = n_total > 0
    doses, positive, total = doses[seen], n_positive[seen], n_total[seen]
    logs = np.log(doses)
    middle, width = (logs[0] + logs[-1]) / 2.0, max(logs[-1] - logs[0], 1.0)
    saturated = xlogy(positive, positive / total) + xlogy(total - positive, 1.0 - positive / total)

    def residuals(x: Floats) -> Floats:
        share = np.clip(_curve(x).at(doses), 1e-9, 1.0 - 1e-9)
        fit = xlogy(positive, share) + xlogy(total - positive, 1.0 - share)
        deviance = np.sign(positive - total * share) * np.sqrt(np.maximum(2.0 * (saturated - fit), 0.0))
        ends = np.sqrt(-2.0 * log_expit([-x[0], x[1]]))
        return np.concatenate([deviance, ends, [(x[2] - middle) / width, (x[3] - math.log(_HILL)) / 0.7]])

    share = (positive + 0.5) / (total + 1.0)
    bottom, rise = _logit(share.min()), _logit((share.max() - share.min() + 1e-3) / (1.0 - share.min() + 2e-3))
    # a step has a flat likelihood on either side of it: begin in every gap, end from the two best
    starts = [
        np.array([bottom, plateau, gap, math.log(_HILL)])
        for plateau in (rise, 2.0)
        for gap in (logs[:-1] + logs[1:]) / 2.0
    ]
    starts.sort(key=lambda x: float(np.sum(residuals(x) ** 2)))

    def fit(start: Floats) -> Any:
        return least_squares(residuals, start, method="lm", max_nfev=400)

    return _best(starts[:2], fit, "the dose-response curve of a donor")


def population_ec50(found: Crossings) -> Estimate:
    """Geometric median over donors of the EC50 (a lognormal with censored members), with its 95 % interval.

    Doses, not logarithms. With fewer than two donors that cross there is no estimate: the bound that the ends of the
    ladder give is kept when it is certain (Clopper-Pearson) that the median lies beyond.
    """
    if found.count(0) < 2:
        return _bound_only(found)
    estimate, _ = censored_mean(found.log_dose, found.side, resolution=RESOLUTION)
    return _power(estimate)


def ec50_ratio(numerator: Crossings, denominator: Crossings) -> tuple[Estimate, int]:
    """Geometric mean ratio of the EC50s of two families in the same donors, and how many donors they share.

    Both EC50s may be censored in a donor (`censored_difference`). nan where too few donors say anything.
    """
    common = [donor for donor in numerator.donors if donor in denominator.donors]
    first, second = ([found.donors.index(donor) for donor in common] for found in (numerator, denominator))
    try:
        estimate = censored_difference(
            numerator.log_dose[first], numerator.side[first], denominator.log_dose[second], denominator.side[second],
            resolution=RESOLUTION,
        )  # fmt: skip
    except ValueError:
        return Estimate(math.nan, math.nan, math.nan), len(common)
    return _power(estimate), len(common)


def _bound_only(found: Crossings) -> Estimate:
    n, low, high = len(found.donors), math.nan, math.nan
    if clopper_pearson(found.count(1), n)[0] > 0.5:
        low, high = 10.0 ** float(found.log_dose.max()), math.inf
    elif clopper_pearson(found.count(-1), n)[0] > 0.5:
        low, high = 0.0, 10.0 ** float(found.log_dose.min())
    return Estimate(math.nan, low, high)


def _power(logs: Estimate) -> Estimate:
    value, low, high = (10.0 ** min(x, 300.0) if x < math.inf else math.inf for x in (logs.value, logs.low, logs.high))
    return Estimate(value, low, high, logs.p_value)


def _curve(x: Floats) -> Curve:
    """From the scale of fitting: logit bottom, logit of (top - bottom) / (1 - bottom), log ec50, log hill."""
    from scipy.special import expit

    bottom, rise = expit(x[:2])
    ec50, hill = np.exp(np.clip(x[2:], [-50.0, -4.0], [50.0, 4.0]))
    return Curve(float(bottom), float(bottom + (1.0 - bottom) * rise), float(ec50), float(hill))


def _logit(share: float) -> float:
    return math.log(share / (1.0 - share))
