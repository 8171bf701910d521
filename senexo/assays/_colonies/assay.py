"""Colonies per cells plated: plating efficiency, surviving fraction against a control, by donor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays._colonies.spec import SPEC
from senexo.assays.comparisons import pairs_of
from senexo.assays.drawing import draw_estimates
from senexo.assays.result import AssayResult, Finding, before_holm, interval_text, judge, p_text, records
from senexo.assays.stats.estimate import LEVEL, Estimate, significant
from senexo.assays.stats.multiple_testing import holm
from senexo.assays.stats.negative_binomial_counts import negative_binomial_fit
from senexo.assays.stats.paired_counts import ratio_of_counts
from senexo.base.table import check

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SMALL_RATIO, LARGE_RATIO = 1.25, 2.0
_METHOD = (
    "Colonies and cells plated were summed by donor and arm. Surviving fractions (ratios of colonies per cell plated) "
    "are from a Poisson model with donors as blocks, the larger of its quasi-likelihood and its sandwich error "
    "(HC2), and t on donors less one; where an arm has no colony, from the exact conditional test. A negative "
    "binomial model of single dishes stands beside it. P-values are corrected by Holm."
)


@dataclass(frozen=True)
class ColoniesResult(AssayResult):
    """Tables: fractions, efficiencies (every arm), samples (and donor), dishes. Columns: docs/assays/colonies.md."""

    def figure(self) -> Figure:
        from senexo.assays.drawing import canvas

        shown = [(r["arm"], r["efficiency"], r["low"], r["high"]) for r in records(self.tables["efficiencies"])]
        ratios = [
            (f"{row['arm']}\n/ {row['control']}", row["ratio"], row["low"], row["high"])
            for row in records(self.tables["fractions"])
        ]
        with canvas(6.4, 1.4 + 0.4 * max(len(shown), len(ratios))) as figure:
            left, right = figure.subplots(1, 2)
            draw_estimates(left, shown, nothing=0.0, label="colonies per cell plated (mean of donors, 95 % CI)")
            draw_estimates(right, ratios, nothing=1.0, label="surviving fraction (95 % CI)", log=bool(ratios))
            return figure


def colonies(
    table: pd.DataFrame,
    *,
    compare: Sequence[str] | Sequence[Sequence[str]] | None = None,
    where: str = "table",
) -> ColoniesResult:
    """Estimate the plating efficiency of every arm, and surviving fractions against controls, by donor.

    efficiency = colonies / cells plated; surviving fraction = efficiency / that of the control, same donors.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per dish or well: arm, donor, colonies (whole, 0 is allowed), cells_plated, and replicate where a donor
        has several. Other columns are ignored.
    compare : pair of str or sequence of pairs, optional
        (arm, control arm), or several such pairs.
    where : str, default "table"
        What messages call the table.

    Returns
    -------
    ColoniesResult
        Tables fractions, efficiencies, samples, dishes. One donor: ``not testable`` (the exact test of its own counts
        is in the table).

    Raises
    ------
    InvalidInput
        Every fault of the table (row, column) and unknown arms, together.

    References
    ----------
    McCullagh P, Nelder JA, Generalized Linear Models, 2nd ed. 1989, chapters 4.5 and 6.2. MacKinnon JG, White H, J
    Econom 1985;29:305-325, doi 10.1016/0304-4076(85)90158-7.

    Examples
    --------
    >>> from senexo.assays.specs import example
    >>> table, options = example("colonies")
    >>> colonies(table, **options).findings[0].verdict
    'large'
    """
    found = check(table, SPEC.checks(), where=where, key=SPEC.key)
    compared = pairs_of(found["arm"], compare, where)
    samples = found.groupby(["arm", "donor"], sort=False, as_index=False).agg(
        n_dishes=("colonies", "size"), colonies=("colonies", "sum"), cells_plated=("cells_plated", "sum")
    )
    samples["efficiency"] = samples["colonies"] / samples["cells_plated"]
    dishes = _dishes(found)
    fractions = _fractions(found, samples, compared)
    tables = {"fractions": fractions, "efficiencies": _efficiencies(samples), "samples": samples, "dishes": dishes}
    settings = {"compare": compared, "level": LEVEL, "small_ratio": SMALL_RATIO, "large_ratio": LARGE_RATIO}
    findings = [_ratio(row) for row in records(fractions)] or [_efficiency(r) for r in records(tables["efficiencies"])]
    notes = tuple(
        f"dishes of {row['arm']} scatter {row['dispersion']:.2g} times as much as counting alone "
        f"({p_text(row['p_value'])}); donors are the unit, so this is allowed for"
        for row in records(dishes)
        if row["p_value"] < 0.05
    )
    return ColoniesResult("colonies", _METHOD, settings, tuple(findings), tables, notes)


def _dishes(found: pd.DataFrame) -> pd.DataFrame:
    """Do dishes of one donor and arm scatter by counting alone? Pearson's chi-squared over its degrees of freedom."""
    import pandas as pd
    from scipy.special import chdtrc

    groups = found.groupby(["arm", "donor"], sort=False)
    rate = groups["colonies"].transform("sum") / groups["cells_plated"].transform("sum")
    told = found.assign(mean=rate * found["cells_plated"], n=groups["colonies"].transform("size"))
    told = told[(told["n"] > 1) & (told["mean"] > 0)]
    told = told.assign(squared=(told["colonies"] - told["mean"]) ** 2 / told["mean"])
    rows = []
    for arm, group in told.groupby("arm", sort=False):
        df, total = len(group) - group["donor"].nunique(), float(group["squared"].sum())
        rows.append((arm, len(group), total / df, float(chdtrc(df, total))))
    return pd.DataFrame(rows, columns=["arm", "n_dishes", "dispersion", "p_value"])


def _efficiencies(samples: pd.DataFrame) -> pd.DataFrame:
    """Mean over donors with Student's interval, never below 0; the variance not below that of counting."""
    import pandas as pd

    from senexo.assays.stats.proportion import mean_contrast

    rows = []
    for arm, mine in samples.groupby("arm", sort=False):
        counting = ((mine["colonies"] + 0.5) / mine["cells_plated"] ** 2).to_numpy(float)
        mean = mean_contrast(mine["efficiency"].to_numpy(float), counting)
        rows.append((arm, len(mine), int(mine["colonies"].sum()), mean.value, max(mean.low, 0.0), mean.high))
    return pd.DataFrame(rows, columns=["arm", "n_donors", "n_colonies", "efficiency", "low", "high"])


def _fractions(found: pd.DataFrame, samples: pd.DataFrame, compared: Sequence[tuple[str, str]]) -> pd.DataFrame:
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


def _efficiency(row: Mapping[str, Any]) -> Finding:
    estimate = Estimate(row["efficiency"], row["low"], row["high"])
    n = f"{row['n_donors']} donor{'s' if row['n_donors'] > 1 else ''}, {row['n_colonies']} colonies"
    interval = f"95 % CI {100 * row['low']:.3g} to {100 * row['high']:.3g} %; " if row["n_donors"] > 1 else ""
    sentence = f"{row['arm']}: {100 * row['efficiency']:.3g} % of cells plated give a colony ({interval}{n})."
    return Finding.of(
        "colonies", f"efficiency:{row['arm']}", sentence, estimate, unit="colonies per cell", p_holm=math.nan,
        verdict="estimated",
    )  # fmt: skip


def _ratio(row: Mapping[str, Any]) -> Finding:
    return Finding.of(
        "colonies", f"ratio:{row['arm']}:{row['control']}",
        f"Surviving fraction, {row['arm']} against {row['control']}: {_words(row)}",
        Estimate(row["ratio"], row["low"], row["high"]), unit="ratio", p_holm=row["p_holm"], verdict=row["verdict"],
    )  # fmt: skip


def _words(row: Mapping[str, Any]) -> str:
    n, counts = row["n_donors"], f"{row['n_colonies']} and {row['n_colonies_control']} colonies"
    if row["verdict"] == "not testable":
        if n == 1:
            return f"{significant(row['ratio'])} in one donor ({counts}): not testable, one says nothing of others."
        why = "no colony in either arm" if n else "no donor was plated in both arms"
        return f"not testable, {why}."
    exact = "" if math.isfinite(row["dispersion"]) else "; exact, as an arm has none"
    bracket = interval_text(row["low"], row["high"], row["p_holm"], n) + f"; {counts}{exact}"
    far = max(row["high"], 1.0 / row["low"] if row["low"] > 0.0 else math.inf)
    words = {
        "absent": f"no effect shown; a change of {SMALL_RATIO:g}-fold or more is excluded.",
        "not shown": f"no effect shown{before_holm(row)}; a {significant(far)}-fold change is not excluded.",
    }
    effect = f"a {row['verdict']} {'increase' if row['ratio'] > 1.0 else 'decrease'}."
    return f"{significant(row['ratio'])} ({bracket}): {words.get(row['verdict'], effect)}"


def _exp(value: float) -> float:
    return math.inf if value > 700.0 else math.exp(value)


def _log(value: float) -> float:
    return math.nan if math.isnan(value) else -math.inf if value <= 0.0 else math.log(value)
