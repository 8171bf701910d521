"""What `colonies` says in words: plating efficiencies and surviving fractions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from senexo.assays._colonies.tables import SMALL_RATIO
from senexo.assays.result import Finding, before_holm, interval_text
from senexo.assays.stats.estimate import Estimate, significant

if TYPE_CHECKING:
    pass


def efficiency_finding(row: Mapping[str, Any]) -> Finding:
    estimate = Estimate(row["efficiency"], row["low"], row["high"])
    n = f"{row['n_donors']} donor{'s' if row['n_donors'] > 1 else ''}, {row['n_colonies']} colonies"
    interval = f"95 % CI {100 * row['low']:.3g} to {100 * row['high']:.3g} %; " if row["n_donors"] > 1 else ""
    sentence = f"{row['arm']}: {100 * row['efficiency']:.3g} % of cells plated give a colony ({interval}{n})."
    return Finding.of(
        "colonies", f"efficiency:{row['arm']}", sentence, estimate, unit="colonies per cell", p_holm=math.nan,
        verdict="estimated",
    )  # fmt: skip


def ratio_finding(row: Mapping[str, Any]) -> Finding:
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
