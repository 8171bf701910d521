"""Power by simulation, through the assays' public functions, against closed forms: 1,000 simulated tables each.

The noncentral t distribution for qPCR and senescence. The bar is three Monte-Carlo standard errors.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy import stats

from senexo.assays import power
from senexo.assays.power_curve import Tries, needed
from verify import Check
from verify._calibration import SEED, SETS


def main() -> list[Check]:
    return [*_folds(), *_shares(), _number_needed()]


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


def _check(name: str, found: float, truth: float) -> Check:
    bar = 3.0 * math.sqrt(truth * (1.0 - truth) / SETS)
    gap = abs(found - truth)
    return Check(
        f"power: {name}", gap, bar, gap <= bar, f"{found:.3f}, closed form {truth:.3f}, {SETS} tables, seed {SEED}"
    )
