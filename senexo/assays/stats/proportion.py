"""Shares of cells with the donor as the statistical unit: intervals of a mean share, and tests of differences.

Cells of one donor, and replicates of one donor, are not independent: they are summed per donor, and every
interval and test below counts donors.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.estimate import LEVEL, Estimate
from senexo.assays.stats.profile import profile_cut

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

# intra-donor correlations on which the beta-binomial likelihood is profiled: from none (binomial) to one (all or none)
_CORRELATIONS = np.concatenate([[1e-7], np.geomspace(1e-4, 0.5, 30), 1.0 - np.geomspace(0.4, 1e-4, 12)])


def clopper_pearson(n_positive: int, n_total: int, *, level: float = LEVEL) -> tuple[float, float]:
    """The exact interval of a binomial share: it covers at least `level`, whatever the share.

    Low is the share at which n_positive or more has probability (1 - level) / 2, high the one at which n_positive
    or fewer has it; both are quantiles of a beta distribution. "0 of n" gives an upper bound, never zero.
    Clopper CJ, Pearson ES, Biometrika 1934;26:404-413, doi 10.1093/biomet/26.4.404.

    >>> low, high = clopper_pearson(0, 10)
    >>> low, round(high, 6)
    (0.0, 0.308497)
    """
    from scipy.special import betaincinv

    tail = (1.0 - level) / 2.0
    low = float(betaincinv(n_positive, n_total - n_positive + 1, tail)) if n_positive else 0.0
    high = float(betaincinv(n_positive + 1, n_total - n_positive, 1.0 - tail)) if n_positive < n_total else 1.0
    return low, high


def mean_share(n_positive: NDArray[np.int64], n_total: NDArray[np.int64]) -> Estimate:
    """The mean share over donors with its 95 % interval; n_positive, n_total: one number per donor.

    One donor: the exact binomial interval, which speaks of this donor alone. More: the hull of two intervals that
    fail in different places. (a) Beta-binomial profile likelihood with t-calibration (`profile_cut`): right when
    the shares of donors follow a beta distribution, down to two donors and to "none of them positive".
    (b) Student's t over donors, carried to the logit scale: right for many donors whatever the spread of their
    shares, for example when a few respond and the others do not. The hull covers 95 % or more in both worlds
    (`verify/assays.py`); it cannot help when a rare kind of donor was not met at all.
    """
    share = float(np.mean(n_positive / n_total))
    if len(n_total) == 1:
        return Estimate(share, *clopper_pearson(int(n_positive[0]), int(n_total[0])))
    beta = _beta_binomial(n_positive, n_total)
    if share in (0.0, 1.0):  # nothing varies between donors, so (b) has nothing to say
        return Estimate(share, *beta)
    logit = _logit_t(n_positive, n_total)
    return Estimate(share, min(beta[0], logit[0]), max(beta[1], logit[1]))


def mean_contrast(contrast: Floats, counting_variance: Floats) -> Estimate:
    """The mean over donors of one number per donor (a difference of shares, a slope), with interval and t-test.

    value +- t(n-1) sqrt(max(s^2, mean counting variance) / n): zeros and ties are no trouble, and donors that all
    happen to agree (both arms 0 of n, say) still leave the uncertainty of counting a finite number of cells.
    counting_variance: the binomial sampling variance of each donor's number, see `share_variance`.
    Fewer than two donors: value only, interval and p are nan.
    """
    from scipy.special import stdtr, stdtrit

    n = len(contrast)
    value = float(contrast.mean())
    if n < 2:
        return Estimate(value, math.nan, math.nan)
    error = math.sqrt(max(float(contrast.var(ddof=1)), float(counting_variance.mean())) / n)
    half = float(stdtrit(n - 1, (1.0 + LEVEL) / 2.0)) * error
    return Estimate(value, value - half, value + half, float(2.0 * stdtr(n - 1, -abs(value) / error)))


def share_variance(n_positive: Floats, n_total: Floats) -> Floats:
    """Sampling variance of a share when cells are counted, with half a success and half a failure added.

    The addition keeps "0 of n" from claiming to be exact.
    """
    share = (n_positive + 0.5) / (n_total + 1.0)
    return share * (1.0 - share) / n_total


def fields(counts: pd.DataFrame) -> pd.DataFrame:
    """Do wells or fields of one donor differ by counting alone? One row per arm with two of them in a donor.

    dispersion = sum (y - n p)^2 / (n p (1 - p)) / df, p each donor's own share, df = wells less donors; 1 where cells
    are independent. Donors without, or with only, positive cells say nothing. p-value: chi-squared(df).

    counts: arm, donor, n_positive, n_total, one row per well or field; of one time.
    """

    groups = counts.groupby(["arm", "donor"], sort=False)
    share = groups["n_positive"].transform("sum") / groups["n_total"].transform("sum")
    fields = counts.assign(share=share, wells=groups["n_total"].transform("size"))
    fields = fields[(fields["share"] > 0.0) & (fields["share"] < 1.0) & (fields["wells"] > 1)]
    excess = (fields["n_positive"] - fields["n_total"] * fields["share"]) ** 2
    fields = fields.assign(squared=excess / (fields["n_total"] * fields["share"] * (1.0 - fields["share"])))
    return dispersions(fields, "n_fields")


def dispersions(units: pd.DataFrame, n: str) -> pd.DataFrame:
    """Pearson's chi-squared over its degrees of freedom, an arm a row: arm, n_donors, `n`, dispersion, p_value.

    units: arm, donor, squared (its term of chi-squared), one row per well, field or dish; n: the name of their number.
    """
    import pandas as pd
    from scipy.special import chdtrc

    rows = []
    for arm, group in units.groupby("arm", sort=False):
        n_donors = group["donor"].nunique()
        df, total = len(group) - n_donors, float(group["squared"].sum())
        rows.append((arm, n_donors, len(group), total / df, float(chdtrc(df, total))))
    return pd.DataFrame(rows, columns=["arm", "n_donors", n, "dispersion", "p_value"])


def sign_flip(differences: Floats) -> float:
    """Exact p-value of "arms are exchangeable within each donor": all 2^n flips of the donors' differences.

    p = share of flips whose |sum| reaches the observed one. Zeros and ties are allowed; n donors that all move the
    same way give 2 / 2^n, so five donors cannot get below 0.0625. Beyond 20 donors 200,000 flips drawn from a fixed
    seed stand for all of them. Fisher RA, The Design of Experiments, 1935, chapter 3.
    """
    moved = differences[differences != 0.0]
    if not moved.size:
        return 1.0
    if moved.size <= 20:
        sums = np.zeros(1)
        for value in moved[1:]:  # the first sign can stay: the mirror image of every flip has the same |sum|
            sums = np.concatenate([sums - value, sums + value])
        sums += moved[0]
        extra = 0
    else:
        flips = np.random.default_rng(20).integers(0, 2, (200_000, moved.size), dtype=np.int8)
        sums, extra = (2.0 * flips - 1.0) @ moved, 1
    reached = np.count_nonzero(np.abs(sums) >= abs(moved.sum()) * (1.0 - 1e-12))
    return (reached + extra) / (sums.size + extra)


def _beta_binomial(n_positive: NDArray[np.int64], n_total: NDArray[np.int64]) -> tuple[float, float]:
    """Profile-likelihood interval of the mean share of a beta-binomial, its correlation profiled out."""
    from scipy.optimize import brentq, minimize_scalar
    from scipy.special import betaln, expit

    precision = ((1.0 - _CORRELATIONS) / _CORRELATIONS)[:, None]

    def profile(logit: float) -> float:
        a, b = precision * expit(logit), precision * expit(-logit)
        return float((betaln(n_positive + a, n_total - n_positive + b) - betaln(a, b)).sum(axis=1).max())

    edge = 14.0  # logit: shares nearer to 0 or 1 than a millionth are 0 or 1
    coarse = np.linspace(-edge, edge, 57)
    best = coarse[int(np.argmax([profile(x) for x in coarse]))]
    peak = minimize_scalar(lambda x: -profile(x), bounds=(best - 0.5, best + 0.5), method="bounded").x
    cut = profile(peak) - profile_cut(len(n_total)) / 2.0
    low = expit(brentq(lambda x: profile(x) - cut, -edge, peak, xtol=1e-5)) if profile(-edge) < cut else 0.0
    high = expit(brentq(lambda x: profile(x) - cut, peak, edge, xtol=1e-5)) if profile(edge) < cut else 1.0
    return float(low), float(high)


def _logit_t(n_positive: NDArray[np.int64], n_total: NDArray[np.int64]) -> tuple[float, float]:
    """Student's interval of the mean share, carried to the logit scale by the delta method so that it stays in 0..1."""
    from scipy.special import expit, logit

    pooled = (n_positive.sum() + 0.5) / (n_total.sum() + 1.0)
    raw = mean_contrast(n_positive / n_total, pooled * (1.0 - pooled) / n_total)
    half = (raw.high - raw.value) / (raw.value * (1.0 - raw.value))
    return float(expit(logit(raw.value) - half)), float(expit(logit(raw.value) + half))
