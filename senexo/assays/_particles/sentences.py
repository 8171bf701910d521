"""What `particles` says in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from senexo.assays._particles.rates import NOT_TESTABLE
from senexo.assays.result import Finding, before_holm, interval_text, records
from senexo.assays.stats.estimate import Estimate, significant

if TYPE_CHECKING:
    import pandas as pd

UNIT = "particles per cell and hour"


def findings(tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> list[Finding]:
    """Was it above the blank, then the ratios; the rates of all arms where nothing was to be compared."""
    found = [_blank(tables["samples"], settings["blank"])] if settings["blank"] is not None else []
    if settings["compare"]:
        return found + [_ratio(row, settings) for row in records(tables["ratios"])]
    return found + [_rate(row) for row in records(tables["rates"])]


def _blank(samples: pd.DataFrame, blank: str) -> Finding:
    n, n_below = len(samples), int(samples["below"].sum())
    verdict = "above blank" if not n_below else "below blank" if n_below == n else "partly below blank"
    by_arm = samples.groupby("arm", sort=False)["below"].agg(["sum", "count"])
    by_arm = by_arm[by_arm["sum"] > 0]
    where = ", ".join(f"{row.sum} of {row.count} in {row.Index}" for row in by_arm.itertuples())
    sentence = f"{n - n_below} of {n} samples lie above the limit of the blank ({blank})"
    sentence += f"; below it: {where}." if n_below else "."
    share = Estimate(n_below / n, math.nan, math.nan)
    unit = "share of samples below blank"
    return Finding.of("particles", "blank", sentence, share, unit=unit, p_holm=math.nan, verdict=verdict)


def _rate(row: Mapping[str, Any]) -> Finding:
    estimate = Estimate(row["rate"], row["low"], row["high"])
    n = f"{row['n_donors']} donor{'s' if row['n_donors'] > 1 else ''}"
    if math.isnan(row["rate"]):
        words, verdict = f"not measured, {row['n_below']} of {n} below the blank", "below blank"
    elif math.isnan(row["low"]):
        words, verdict = f"{significant(row['rate'])} {UNIT} ({n}, who says nothing about others)", "estimated"
    else:
        interval = f"95 % CI {significant(row['low'])} to {significant(row['high'])}; {n}"
        words, verdict = f"{significant(row['rate'])} {UNIT} ({interval})", "estimated"
    sentence = f"{row['arm']}: {words}."
    return Finding.of(
        "particles", f"rate:{row['arm']}", sentence, estimate, unit=UNIT, p_holm=math.nan, verdict=verdict
    )


def _ratio(row: Mapping[str, Any], settings: Mapping[str, Any]) -> Finding:
    return Finding.of(
        "particles", f"ratio:{row['arm']}:{row['control']}",
        f"Particles per cell and hour, {row['arm']} against {row['control']}: {_words(row, settings)}",
        Estimate(row["ratio"], row["low"], row["high"]), unit="ratio", p_holm=row["p_holm"], verdict=row["verdict"],
    )  # fmt: skip


def _words(row: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    n, n_control = row["n_donors"], row["n_donors_control"]
    paired = settings["design"] == "paired"
    if row["verdict"] == NOT_TESTABLE:
        below = f"{row['n_below']} of {n} and {row['n_below_control']} of {n_control} donors"
        return f"not testable, {below} lie below the blank."
    if paired and n == 0:
        return "not testable: no donor was measured in both arms (the test is paired by donor)."
    if paired and n == 1:
        return f"{significant(row['ratio'])}-fold in one donor: not testable, one donor says nothing about others."
    if math.isnan(row["p_value"]):
        why = "too few lie above the blank" if row["n_below"] + row["n_below_control"] else "two in each arm are needed"
        return f"not testable: {n} and {n_control} donors, and {why}."
    bracket = interval_text(row["low"], row["high"], row["p_holm"], n, n_control=None if paired else n_control)
    small = settings["small_ratio"]
    beyond = max(row["high"], 1.0 / row["low"] if row["low"] > 0.0 else math.inf)
    words = {
        "absent": f"no effect shown; a change of {small:g}-fold or more is excluded.",
        "not shown": f"no effect shown{before_holm(row)}; a {significant(beyond)}-fold change is not excluded.",
    }
    effect = f"a {row['verdict']} {'increase' if row['ratio'] > 1.0 else 'decrease'}."
    return f"{significant(row['ratio'])}-fold ({bracket}): {words.get(row['verdict'], effect)}"
