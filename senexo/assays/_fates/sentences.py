"""What `fates` says in words: shares of cells by fate, and differences between arms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from senexo.assays._senescence.contrasts import SMALL
from senexo.assays.result import Finding, before_holm, interval_text
from senexo.assays.stats.estimate import Estimate

if TYPE_CHECKING:
    pass


def share_finding(row: Mapping[str, Any], now: float) -> Finding:
    estimate = Estimate(row["incidence"], row["low"], row["high"])
    n = f"{row['n_donors']} donor{'s' if row['n_donors'] > 1 else ''}, {row['n_cells']} cells"
    interval = f"95 % CI {100 * row['low']:.1f} to {100 * row['high']:.1f} %; {n}"
    sentence = f"{row['arm']}: {row['fate']} by {now:g} h in {100 * row['incidence']:.1f} % of cells ({interval})."
    id = f"incidence:{row['fate']}:{row['arm']}"
    return Finding.of("fates", id, sentence, estimate, unit="share", p_holm=math.nan, verdict="estimated")


def difference_finding(row: Mapping[str, Any], settings: Mapping[str, Any]) -> Finding:
    title = f"{row['fate']} by {settings['time_h']:g} h, {row['arm']} against {row['control']}: "
    return Finding.of(
        "fates", f"difference:{row['fate']}:{row['arm']}:{row['control']}", title + _words(row, settings["design"]),
        Estimate(row["difference"], row["low"], row["high"]), unit="share", p_holm=row["p_holm"],
        verdict=row["verdict"],
    )  # fmt: skip


def _words(row: Mapping[str, Any], design: str) -> str:
    n, n_control = row["n_donors"], row["n_donors_control"]
    if row["verdict"] == "not testable":
        return f"not testable: {n} and {n_control} donors were followed; two in each arm are needed."
    shares = f"{100 * row['incidence']:.1f} % and {100 * row['incidence_control']:.1f} %"
    points = f"{100 * row['difference']:+.1f} points"
    bracket = interval_text(
        row["low"], row["high"], row["p_holm"], n, scale=100, sign="+.1f",
        n_control=None if design == "paired" else n_control,
    )  # fmt: skip
    words = {
        "absent": f"no effect shown; {100 * SMALL:g} points or more are excluded.",
        "not shown": f"no effect shown{before_holm(row)}; up to {100 * max(-row['low'], row['high']):.0f} points are "
        "not excluded.",
    }
    return f"{shares}, {points} ({bracket}): {words.get(row['verdict'], 'a ' + row['verdict'] + ' effect.')}"
