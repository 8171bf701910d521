"""Two arms compared by their shares of positive cells: which pairs, their table, their sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from senexo.assays.result import Finding, before_holm, interval_text, judge, records
from senexo.assays.stats.estimate import Estimate, significant
from senexo.assays.stats.multiple_testing import holm
from senexo.assays.stats.odds import odds_ratio
from senexo.assays.stats.proportion import mean_contrast, share_variance, sign_flip
from senexo.assays.stats.unpaired import share_difference
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SMALL, LARGE = 0.05, 0.20  # differences of shares: below 5 points small, from 20 points large
SETTINGS = {"small_difference": SMALL, "large_difference": LARGE}
_NUMBERS = (
    "share", "share_control", "difference", "low", "high", "p_value", "p_sign_flip",
    "odds_ratio", "odds_ratio_low", "odds_ratio_high", "p_odds_ratio",
)  # fmt: skip
_COLUMNS = (
    "arm", "control", "n_donors", "n_donors_control", "share", "share_control", "difference", "low", "high", "p_value",
    "p_holm", "p_sign_flip", "odds_ratio", "odds_ratio_low", "odds_ratio_high", "p_odds_ratio", "verdict",
)  # fmt: skip


def pairs(
    counts: pd.DataFrame, compare: Sequence[str] | Sequence[Sequence[str]] | None, where: str
) -> list[tuple[str, str]]:
    """The pairs of arms to compare; families are spelled out dose by dose."""
    if not compare:
        return []
    asked = [compare] if isinstance(compare[0], str) else list(compare)
    arms = counts.drop_duplicates("arm").set_index("arm")
    known = {*arms.index, *arms["family"]}
    faults = [
        Fault(f"{where}: compare", f"'{name}'", f"an arm or family of the table: {', '.join(map(str, arms.index))}")
        for pair in asked
        for name in (pair if len(pair) == 2 else [f"{len(pair)} names"])
        if name not in known
    ]
    if faults:
        raise InvalidInput(faults)
    found: list[tuple[str, str]] = []
    for first, second in asked:
        left, right = (
            arms.loc[[name]] if name in arms.index else arms[arms["family"] == name] for name in (first, second)
        )
        same_dose = {} if len(right) == 1 else dict(zip(right["dose_copies"], right.index, strict=True))
        for arm, dose in zip(left.index, left["dose_copies"], strict=True):
            other = right.index[0] if len(right) == 1 else same_dose.get(dose)
            if other is not None and other != arm:
                found.append((arm, other))
        if not any(arm in left.index for arm, _ in found):
            nothing = f"no two arms to compare in {first} and {second}"
            raise InvalidInput([Fault(f"{where}: compare", nothing, "different arms, or families with a common dose")])
    return list(dict.fromkeys(found))


def table(now: pd.DataFrame, compared: Sequence[tuple[str, str]], design: str) -> pd.DataFrame:
    """One row per pair of arms (counts of one time, summed per donor)."""
    import pandas as pd

    by_arm = {arm: rows.set_index("donor") for arm, rows in now.groupby("arm")}
    nothing = now.iloc[:0].set_index("donor")
    judge_pair = _paired if design == "paired" else _unpaired
    rows = [
        {"arm": arm, "control": other, **judge_pair(by_arm.get(arm, nothing), by_arm.get(other, nothing))}
        for arm, other in compared
    ]
    for row, p in zip(rows, holm([row["p_value"] for row in rows]), strict=True):
        estimate = Estimate(row["difference"], row["low"], row["high"])
        row |= {"p_holm": float(p), "verdict": judge(estimate, float(p), small=SMALL, large=LARGE)}
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def findings(differences: pd.DataFrame, design: str, readout: str, title: str) -> list[Finding]:
    """One sentence per pair of arms."""
    return [
        Finding.of(
            "senescence", f"{readout}:difference:{row['arm']}:{row['control']}",
            f"{title}: {row['arm']} against {row['control']}: {_words(row, design)}",
            Estimate(row["difference"], row["low"], row["high"]), unit="share", p_holm=row["p_holm"],
            verdict=row["verdict"],
        )
        for row in records(differences)
    ]  # fmt: skip


def paired_difference(positive: Floats, total: Floats, positive_other: Floats, total_other: Floats) -> Estimate:
    """Mean over donors of the difference of their shares in two arms: one number per donor in each array."""
    counting = share_variance(positive, total) + share_variance(positive_other, total_other)
    return mean_contrast(positive / total - positive_other / total_other, counting)


def _paired(arm: pd.DataFrame, other: pd.DataFrame) -> dict[str, Any]:
    """The donors that two arms share, compared within each donor."""
    both = arm.index.intersection(other.index)
    if both.empty:
        return {"n_donors": 0, "n_donors_control": 0, **dict.fromkeys(_NUMBERS, math.nan)}
    positive, total, positive_other, total_other = (
        rows.loc[both, name].to_numpy(float) for rows in (arm, other) for name in ("n_positive", "n_total")
    )
    first, second = positive / total, positive_other / total_other
    counts = positive, total, positive_other, total_other
    estimate, odds = paired_difference(*counts), odds_ratio(*counts)
    return {
        "n_donors": len(both), "n_donors_control": len(both),
        **_numbers(first.mean(), second.mean(), estimate, odds),
        "p_sign_flip": sign_flip(first - second) if len(both) > 1 else math.nan,
    }  # fmt: skip


def _unpaired(arm: pd.DataFrame, other: pd.DataFrame) -> dict[str, Any]:
    """All donors of both arms, taken as different people."""
    n = {"n_donors": len(arm), "n_donors_control": len(other)}
    if arm.empty or other.empty:
        return {**n, **dict.fromkeys(_NUMBERS, math.nan)}
    counts = [rows[name].to_numpy(float) for rows in (arm, other) for name in ("n_positive", "n_total")]
    found = share_difference(*counts)
    share, share_control = (float((positive / total).mean()) for positive, total in (counts[:2], counts[2:]))
    return {**n, **_numbers(share, share_control, found.difference, found.odds_ratio), "p_sign_flip": math.nan}


def _numbers(share: float, share_control: float, difference: Estimate, odds: Estimate) -> dict[str, float]:
    return {
        "share": float(share), "share_control": float(share_control), "difference": difference.value,
        "low": max(difference.low, -1.0), "high": min(difference.high, 1.0), "p_value": difference.p_value,
        "odds_ratio": odds.value, "odds_ratio_low": odds.low, "odds_ratio_high": odds.high,
        "p_odds_ratio": odds.p_value,
    }  # fmt: skip


def _words(row: Mapping[str, Any], design: str) -> str:
    n, n_control, low, high = row["n_donors"], row["n_donors_control"], row["low"], row["high"]
    paired = design == "paired"
    if paired and n == 0:
        return "not testable: no donor was counted in both arms (the test is paired by donor)."
    shares = f"{100 * row['share']:.1f} % and {100 * row['share_control']:.1f} %, {100 * row['difference']:+.1f} points"
    if paired and n == 1:
        only = f"{shares} in the only donor counted in both arms"
        return f"{only}{_exact(row)}: not testable, one donor says nothing about others."
    if min(n, n_control) < 2:
        return f"not testable: {n} and {n_control} donors were counted; two in each arm are needed."
    words = {
        "absent": f"no effect shown; {100 * SMALL:g} points or more are excluded.",
        "not shown": f"no effect shown{before_holm(row)}; up to {100 * max(-low, high):.0f} points are not excluded.",
    }
    effect = words.get(row["verdict"], f"a {row['verdict']} effect.")
    numbers = interval_text(
        low, high, row["p_holm"], n, scale=100, sign="+.1f", n_control=None if paired else n_control
    )
    return f"{shares} ({numbers}): {effect}"


def _exact(row: Mapping[str, Any]) -> str:
    """What one donor's cells say of this donor: odds ratio with Fisher's exact interval."""
    if math.isnan(row["odds_ratio"]):
        return ""
    value, low, high = (significant(row[name]) for name in ("odds_ratio", "odds_ratio_low", "odds_ratio_high"))
    return f" (odds ratio of its cells {value}, exact 95 % CI {low} to {high})"
