"""Fold changes of an RNA against a control arm: ddCt over donors, paired or not, in a table and in sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.assays._qpcr import read as ct
from senexo.assays.result import Finding, before_holm, day, interval_text, judge, records
from senexo.assays.stats.censored import censored_difference, censored_groups
from senexo.assays.stats.estimate import Estimate, significant
from senexo.assays.stats.multiple_testing import holm

if TYPE_CHECKING:
    import pandas as pd

SMALL_FOLD, LARGE_FOLD = 1.5, 4.0
SETTINGS = {"small_fold": SMALL_FOLD, "large_fold": LARGE_FOLD}
_COLUMNS = (
    "target", "arm", "control", "time_h", "n_donors", "n_donors_control", "n_censored", "fold", "low", "high", "ddct",
    "ddct_low", "ddct_high", "p_value", "p_holm", "n_detected", "n_detected_control", "n_only_arm", "n_only_control",
    "p_detection", "verdict",
)  # fmt: skip


def table(
    dct: pd.DataFrame, detection: pd.DataFrame, target: str, control: str, compared: Sequence[str],
    times: Sequence[float], design: str,
) -> pd.DataFrame:  # fmt: skip
    """One row per arm and time."""
    import pandas as pd

    verdicts = detection[detection["target"] == target].set_index(["arm", "time_h"])["verdict"]
    rows = []
    for time in times:
        now = {arm: group.set_index("donor") for arm, group in dct[dct["time_h"] == time].groupby("arm")}
        nothing = dct.iloc[:0].set_index("donor")
        for arm in compared:
            below = [name for name in (arm, control) if verdicts.get((name, time)) == "below detection"]
            row = _fold_change(now.get(arm, nothing), now.get(control, nothing), design, tested=not below)
            rows.append({"target": target, "arm": arm, "control": control, "time_h": time, **row, "below": below})
    for row, p in zip(rows, holm([row["p_value"] for row in rows]), strict=True):
        ddct = Estimate(row["ddct"], row["ddct_low"], row["ddct_high"])
        size = judge(ddct, float(p), small=math.log2(SMALL_FOLD), large=math.log2(LARGE_FOLD))
        row |= {"p_holm": float(p), "verdict": "below detection: not testable" if row.pop("below") else size}
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def findings(folds: pd.DataFrame, design: str, *, timed: bool) -> list[Finding]:
    """One sentence per arm and time."""
    return [
        Finding.of(
            "qpcr", f"fold:{row['target']}:{row['arm']}:{row['control']}" + (f":{row['time_h']:g}h" if timed else ""),
            f"{row['target']}{', ' + day(row['time_h']) if timed else ''}: {row['arm']} against {row['control']}: "
            + _words(row, design),
            Estimate(row["fold"], row["low"], row["high"]), unit="fold", p_holm=row["p_holm"], verdict=row["verdict"],
        )
        for row in records(folds)
    ]  # fmt: skip


def _fold_change(arm: pd.DataFrame, control: pd.DataFrame, design: str, *, tested: bool) -> dict[str, Any]:
    """ddCt of the donors that have both samples, or of all; nan where it is not to be tested or cannot be."""
    if design == "paired":
        donors = arm.index.intersection(control.index)
        arm, control = arm.loc[donors], control.loc[donors]
    hidden, hidden_control = (samples["censored"].to_numpy(bool) for samples in (arm, control))
    seen, seen_control = int((~hidden).sum()), int((~hidden_control).sum())
    ddct = Estimate(math.nan, math.nan, math.nan)
    if tested and len(arm) and len(control):
        compare = censored_difference if design == "paired" else censored_groups
        ddct = _ddct(compare, arm["dct"].to_numpy(float), hidden, control["dct"].to_numpy(float), hidden_control)
    only: tuple[float, float] = (math.nan, math.nan)
    if design == "paired":
        only = int((~hidden & hidden_control).sum()), int((hidden & ~hidden_control).sum())
        p_detection = _mcnemar(*only)
    else:
        p_detection = _fisher(seen, len(arm), seen_control, len(control))
    return {
        "n_donors": len(arm), "n_donors_control": len(control), "n_censored": int(hidden.sum() + hidden_control.sum()),
        "fold": 2.0**-ddct.value, "low": 2.0**-ddct.high, "high": 2.0**-ddct.low, "ddct": ddct.value,
        "ddct_low": ddct.low, "ddct_high": ddct.high, "p_value": ddct.p_value, "n_detected": seen,
        "n_detected_control": seen_control, "n_only_arm": only[0], "n_only_control": only[1],
        "p_detection": p_detection,
    }  # fmt: skip


def _ddct(
    compare: Any, first: NDArray[np.float64], hidden: NDArray[np.bool_], second: NDArray[np.float64],
    hidden_control: NDArray[np.bool_],
) -> Estimate:  # fmt: skip
    """Mean difference; too few donors give their mean without an interval."""
    sides = hidden.astype(np.int8), hidden_control.astype(np.int8)
    try:
        found: Estimate = compare(first, sides[0], second, sides[1], resolution=ct.CT_RESOLUTION)
    except ValueError:
        known = not (hidden.any() or hidden_control.any())
        return Estimate(float(first.mean() - second.mean()) if known else math.nan, math.nan, math.nan)
    return found


def _mcnemar(only_first: float, only_second: float) -> float:
    """Exact two-sided p that detection is as likely in both arms, from the donors detected in one arm only."""
    from scipy.special import bdtr

    n = only_first + only_second
    return min(1.0, 2.0 * float(bdtr(min(only_first, only_second), n, 0.5))) if n else 1.0


def _fisher(seen: int, n: int, seen_other: int, n_other: int) -> float:
    """Exact two-sided p that detection is as likely in both arms, of different donors."""
    from scipy.stats import fisher_exact

    return float(fisher_exact([[seen, n - seen], [seen_other, n_other - seen_other]]).pvalue) if n and n_other else 1.0


def _words(row: Mapping[str, Any], design: str) -> str:
    n, n_control, paired = row["n_donors"], row["n_donors_control"], design == "paired"
    if paired and n == 0:
        return "not testable: no donor was measured in both arms (the test is paired by donor)."
    if row["verdict"] == "below detection: not testable":
        return _below(row, paired=paired)
    if row["verdict"] == "not testable":
        return _too_few(row, paired=paired)
    fold = row["fold"]
    if math.isinf(fold):
        size = f"more than {significant(row['low'])}-fold"
    elif fold == 0.0:
        size = f"less than {significant(row['high'])}-fold"
    else:
        size = f"{significant(fold)}-fold"
    samples = "1 sample" if row["n_censored"] == 1 else f"{row['n_censored']} samples"
    censored = f"; {samples} below detection, censored" if row["n_censored"] else ""
    change = f"a {row['verdict']} {'rise' if fold > 1.0 else 'fall'}."
    effects = {
        "absent": f"no change shown; a {SMALL_FOLD:g}-fold one is excluded.",
        "not shown": f"no change shown{before_holm(row)}.",
    }
    interval = interval_text(row["low"], row["high"], row["p_holm"], n, n_control=None if paired else n_control)
    return f"{size} ({interval}{censored}): {effects.get(row['verdict'], change)}"


def _below(row: Mapping[str, Any], *, paired: bool) -> str:
    words, n = "below detection: fold change not testable", row["n_donors"]
    if not paired:
        return (
            f"{words}; detected in {row['n_detected']} of {n} and {row['n_detected_control']} of "
            f"{row['n_donors_control']} donors (Fisher's exact p = {row['p_detection']:.2g}, not corrected)."
        )
    if not row["n_only_arm"] + row["n_only_control"]:
        return f"{words} ({n} donors)."
    return (
        f"{words}; detected in {row['arm']} alone in {row['n_only_arm']:.0f} and in {row['control']} alone in "
        f"{row['n_only_control']:.0f} of {n} donors (exact McNemar p = {row['p_detection']:.2g}, not corrected)."
    )


def _too_few(row: Mapping[str, Any], *, paired: bool) -> str:
    n, fold = row["n_donors"], row["fold"]
    if not paired:
        donors = f"{n} and {row['n_donors_control']} donors"
        return f"not testable with {donors}; two in each arm and three detected values are needed."
    seen = "" if math.isnan(fold) else f" ({significant(fold)}-fold in {'it' if n == 1 else 'them'})"
    return f"not testable with {n} donor{'s' if n > 1 else ''}{seen}; three with a detected value are needed."
