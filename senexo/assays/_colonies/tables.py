"""Tables of `colonies`: scatter of dishes, plating efficiencies, surviving fractions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays.result import judge
from senexo.assays.stats.estimate import LEVEL, Estimate
from senexo.assays.stats.multiple_testing import holm
from senexo.assays.stats.negative_binomial_counts import negative_binomial_fit
from senexo.assays.stats.paired_counts import ratio_of_counts
from senexo.assays.stats.proportion import dispersions, mean_contrast

if TYPE_CHECKING:
    import pandas as pd

SMALL_RATIO, LARGE_RATIO = 1.25, 2.0


def dish_scatter(found: pd.DataFrame) -> pd.DataFrame:
    """Do dishes of one donor and arm scatter by counting alone? Pearson's chi-squared over its degrees of freedom."""
    groups = found.groupby(["arm", "donor"], sort=False)
    rate = groups["colonies"].transform("sum") / groups["cells_plated"].transform("sum")
    dishes = found.assign(mean=rate * found["cells_plated"], n=groups["colonies"].transform("size"))
    dishes = dishes[(dishes["n"] > 1) & (dishes["mean"] > 0)]
    dishes = dishes.assign(squared=(dishes["colonies"] - dishes["mean"]) ** 2 / dishes["mean"])
    return dispersions(dishes, "n_dishes").drop(columns="n_donors")


def efficiencies_of(samples: pd.DataFrame) -> pd.DataFrame:
    """Mean over donors with Student's interval, never below 0; the variance not below that of counting."""
    import pandas as pd

    rows = []
    for arm, mine in samples.groupby("arm", sort=False):
        counting = ((mine["colonies"] + 0.5) / mine["cells_plated"] ** 2).to_numpy(float)
        mean = mean_contrast(mine["efficiency"].to_numpy(float), counting)
        rows.append((arm, len(mine), int(mine["colonies"].sum()), mean.value, max(mean.low, 0.0), mean.high))
    return pd.DataFrame(rows, columns=["arm", "n_donors", "n_colonies", "efficiency", "low", "high"])


def fractions_of(found: pd.DataFrame, samples: pd.DataFrame, compared: Sequence[tuple[str, str]]) -> pd.DataFrame:
    import pandas as pd

    rows: list[dict[str, Any]] = []
    by_arm = {arm: mine.set_index("donor") for arm, mine in samples.groupby("arm", sort=False)}
    for arm, control in compared:
        both = [donor for donor in by_arm[arm].index if donor in by_arm[control].index]
        first, second = by_arm[arm].loc[both], by_arm[control].loc[both]
        numbers = [
            part[name].to_numpy(float) for part in (first, second) for name in ("colonies", "cells_plated")
        ]  # fmt: skip
        made = ratio_of_counts(*numbers)
        log, exact = made.log_ratio, made.exact
        answered = len(both) > 1
        row: dict[str, Any] = {
            "arm": arm, "control": control, "n_donors": len(both), "n_colonies": int(first["colonies"].sum()),
            "n_colonies_control": int(second["colonies"].sum()), "ratio": _exp(log.value),
            "low": _exp(log.low) if answered else math.nan, "high": _exp(log.high) if answered else math.nan,
            "p_value": log.p_value if answered else math.nan, "dispersion": made.dispersion,
            "low_exact": _exp(exact.low), "high_exact": _exp(exact.high), "p_exact": exact.p_value,
        }  # fmt: skip
        mine = found[found["arm"].isin([arm, control]) & found["donor"].isin(both)]
        rows.append(row | negative_binomial(mine, arm))
    for row, p in zip(rows, holm([row["p_value"] for row in rows]), strict=True):
        estimate = Estimate(*(_log(row[name]) for name in ("ratio", "low", "high")))
        verdict = judge(estimate, float(p), small=math.log(SMALL_RATIO), large=math.log(LARGE_RATIO))
        row |= {"p_holm": float(p), "verdict": verdict}
    names = (
        "arm", "control", "n_donors", "n_colonies", "n_colonies_control", "ratio", "low", "high", "p_value", "p_holm",
        "dispersion", "low_exact", "high_exact", "p_exact", "ratio_nb", "low_nb", "high_nb", "p_nb", "theta_nb",
        "verdict",
    )  # fmt: skip
    return pd.DataFrame(rows, columns=list(names))


def negative_binomial(dishes: pd.DataFrame, arm: str) -> dict[str, float]:
    """A second opinion on single dishes: log mean = log cells + donor + arm, variance mean + mean^2 / theta (ML).

    nan where it has no maximum: no overdispersion (theta infinite), an arm or donor without a colony, one dish each.
    """
    import pandas as pd
    from scipy.special import ndtr, ndtri

    nothing = dict.fromkeys(("ratio_nb", "low_nb", "high_nb", "p_nb", "theta_nb"), math.nan)
    sums = [dishes.groupby(name)["colonies"].sum() for name in ("arm", "donor")]
    x = pd.get_dummies(dishes["donor"], dtype=float).assign(arm=(dishes["arm"] == arm).astype(float)).to_numpy(float)
    if len(sums[0]) < 2 or any((part == 0).any() for part in sums) or len(dishes) <= x.shape[1] + 1:
        return nothing
    offset = np.log(dishes["cells_plated"].to_numpy(float))
    fit = negative_binomial_fit(dishes["colonies"].to_numpy(float), x, offset)
    if fit is None:
        return nothing
    coefficients, covariance, theta = fit
    value, error = float(coefficients[-1]), math.sqrt(float(covariance[-1, -1]))
    half = float(ndtri((1.0 + LEVEL) / 2.0)) * error
    p = float(2.0 * ndtr(-abs(value) / error))
    return dict(zip(nothing, (_exp(value), _exp(value - half), _exp(value + half), p, theta), strict=True))


def _exp(value: float) -> float:
    return math.inf if value > 700.0 else math.exp(value)


def _log(value: float) -> float:
    return math.nan if math.isnan(value) else -math.inf if value <= 0.0 else math.log(value)
