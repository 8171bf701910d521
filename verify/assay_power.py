"""Power by simulation, through the assays' public functions, against closed forms: 1,000 simulated tables each.

The noncentral t distribution for qPCR, senescence and particles, the normal one for an RNA among many of one variance,
Fisher information for limiting dilution, Schoenfeld's formula for the log-rank test. The bar is three Monte-Carlo
standard errors, and three points more where the closed form is itself an approximation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy import stats

from senexo.assays import power
from senexo.assays._power.curve import Tries, needed
from verify import Check
from verify._calibration import SEED, SETS


def main() -> list[Check]:
    return [*_folds(), *_shares(), *_particles(), *_intensities(), *_dilutions(), *_hazards(), _number_needed()]


def _folds() -> Iterator[Check]:
    """SD of a donor's ddCt: its own fold, and the two wells of target and reference in each arm."""
    sd = math.sqrt(0.6**2 + 4 * 0.3**2 / 2)
    for n in (4, 6, 9):
        yield _check(
            f"qpcr, {n} donors, paired", _power("qpcr", 2.0, n, sd=0.6, technical_sd=0.3), t_power(n, 1.0 / sd)
        )
    sd = math.sqrt(1.0 + 2 * 0.3**2 / 2)
    for n in (6, 12):
        found = _power("qpcr", 3.0, n, "unpaired", sd=0.0, donor_sd=1.0, technical_sd=0.3)
        yield _check(f"qpcr, {n} donors per arm", found, t_power(n, math.log2(3.0) / sd, groups=2))


def _shares() -> Iterator[Check]:
    """Mean and SD of a donor's difference of shares by quadrature over its level and effect, and binomial counting."""
    x, w = np.polynomial.hermite_e.hermegauss(40)
    level, own = np.meshgrid(0.3 * x, 0.4 * x)
    weight = np.outer(w, w) / w.sum() ** 2
    treated, control = (1.0 / (1.0 + np.exp(-z)) for z in (math.log(0.32 / 0.68) + level + own, math.log(0.25) + level))
    mean = float((weight * (treated - control)).sum())
    between = float((weight * (treated - control) ** 2).sum()) - mean**2
    counting = float((weight * (treated * (1 - treated) + control * (1 - control))).sum()) / 150
    for n in (5, 8, 12):
        found = _power("senescence", 0.12, n, share=0.2, sd=0.4, donor_sd=0.3, cells=150)
        yield _check(f"senescence, {n} donors, paired", found, t_power(n, mean / math.sqrt(between + counting)))


def _particles() -> Iterator[Check]:
    """SD of a donor's log ratio: its own, and three readings in each arm; no blank."""
    sd = math.sqrt(0.25**2 + 2.0 * 0.15**2 / 3)
    for n in (5, 8):
        found = _power("particles", 0.6, n, sd=0.25, reading_sd=0.15, readings=3, blank=0.0)
        yield _check(f"particles, {n} donors, paired", found, t_power(n, abs(math.log(0.6)) / sd))


def _intensities() -> Iterator[Check]:
    """200 RNAs with one variance: the moderated t-test knows it, so the test is a normal one."""
    for n in (4, 6):
        found = _power("expression", 2.5, n, sd=0.7, prior_df=1000.0, rnas=200)
        yield _check(
            f"expression, {n} donors, paired", found, z_power(math.log2(2.5) / (0.7 * math.sqrt(2.0 / n))), 0.03
        )


def _dilutions() -> Iterator[Check]:
    """Information of complementary log-log counts: n x^2 / (exp(x) - 1) at an expected x = dose x frequency."""
    doses = 100.0 * 5.0 ** np.arange(4)
    for n in (4, 8):
        hits = [doses * frequency for frequency in (0.2 / 1000.0, 1.0 / 1000.0)]
        variance = sum(1.0 / float(np.sum(n * x**2 / np.expm1(x))) for x in hits)
        found = _power("dilution", 0.2, n, one_in=1000.0, dose=100.0, step=5.0, doses=4)
        yield _check(f"dilution, {n} mice per dose and arm", found, z_power(math.log(5.0) / math.sqrt(variance)), 0.03)


def _hazards() -> Iterator[Check]:
    """Schoenfeld: z = |log HR| sqrt(events p (1 - p)). Biometrics 1983;39:499-503, doi 10.2307/2531021."""
    for n, ratio in ((60, 0.5), (120, 0.6)):
        found = _power("survival", ratio, n, median=12.0, follow_up=24.0, accrual=0.0, share=0.5)
        rates = [math.log(2.0) / 12.0 * hazard for hazard in (1.0, ratio)]
        events = n * float(np.mean([-math.expm1(-rate * 24.0) for rate in rates]))
        yield _check(f"survival, {n} patients", found, z_power(abs(math.log(ratio)) * math.sqrt(events) / 2.0), 0.03)


def z_power(shift: float) -> float:
    """Power of a normal test at 5 %, two-sided, whose statistic has this mean."""
    cut = stats.norm.ppf(0.975)
    return float(stats.norm.sf(cut - shift) + stats.norm.cdf(-cut - shift))


def _number_needed() -> Check:
    """Of a plain t-test, against the smallest n whose closed form reaches 80 %."""
    tries = Tries(lambda rng, n: float(stats.ttest_1samp(rng.normal(0.5, 1.0, n), 0.0).pvalue), SEED, 0.05)
    found = needed(tries, 0.8, 3, 1000, SETS) or 0
    truth = next(n for n in range(3, 200) if t_power(n, 0.5) >= 0.8)
    return Check(
        "number needed by a t-test", abs(found - truth), 2.0, abs(found - truth) <= 2, f"{found}, formula {truth}"
    )


def t_power(n: int, shift: float, groups: int = 1) -> float:
    """Power of the t-test at 5 %, two-sided: `shift` in SD, n donors in each of one or two groups."""
    df, noncentral = groups * (n - 1), shift * math.sqrt(n / groups)
    cut = stats.t.ppf(0.975, df)
    return float(stats.nct.sf(cut, df, noncentral) + stats.nct.cdf(-cut, df, noncentral))


def _power(assay: str, effect: float, n: int, design: str | None = None, **given: float) -> float:
    return float(
        power(assay=assay, effect=effect, n=n, sets=SETS, seed=SEED, design=design, given=given).table["power"].iloc[0]
    )


def _check(name: str, found: float, truth: float, approximate: float = 0.0) -> Check:
    bar = 3.0 * math.sqrt(truth * (1.0 - truth) / SETS) + approximate
    gap = abs(found - truth)
    return Check(
        f"power: {name}", gap, bar, gap <= bar, f"{found:.3f}, closed form {truth:.3f}, {SETS} tables, seed {SEED}"
    )
