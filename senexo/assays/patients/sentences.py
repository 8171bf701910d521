"""Sentences that all assays of patients share: detection of a level, a screen of levels, how far an effect may go."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from senexo.assays.detection import NOT_TESTABLE, Detection
from senexo.assays.result import Finding
from senexo.assays.stats.estimate import ALPHA, Estimate, significant

if TYPE_CHECKING:
    import pandas as pd

NOTHING = Estimate(math.nan, math.nan, math.nan)
MOST_LEVELS = 10  # that get a sentence, where many were compared
Tables = Mapping[str, "pd.DataFrame"]
Row = Mapping[str, Any]
MakeFinding = Callable[[str, str, Estimate, str, float, str], Finding]  # id, sentence, estimate, unit, p, verdict


def finding_of(assay: str) -> MakeFinding:
    """The function that makes the findings of one assay."""

    def finding(id: str, sentence: str, found: Estimate, unit: str, p: float, verdict: str) -> Finding:
        return Finding.of(assay, id, sentence, found, unit=unit, p_holm=p, verdict=verdict)

    return finding


def detection_finding(finding: MakeFinding, name: str, detection: Detection) -> Finding:
    """Was the RNA of the level measured?"""
    share = Estimate(1.0 - detection.share_detected, math.nan, math.nan)
    unit = "share of samples below detection"
    return finding(f"detection:{name}", detection.sentence, share, unit, math.nan, detection.verdict)


def screen_finding(finding: MakeFinding, rows: pd.DataFrame, n: int, outcome: str, test: str = "") -> Finding:
    """Of n levels: how many go with the outcome. rows: one test per level."""
    tested = int(rows["p_value"].notna().sum())
    hits, rate = int((rows["p_holm"] < ALPHA).sum()), int((rows["p_bh"] < ALPHA).sum())
    below = int((rows["verdict"] == NOT_TESTABLE).sum())
    sentence = (
        f"{hits} of {tested} tested levels {'goes' if hits == 1 else 'go'} with {outcome} after Holm's correction, "
        f"{rate} at a false discovery rate of {100 * ALPHA:g} %{f' ({test})' if test else ''}"
    )
    sentence += f"; {below} of {n} {'is' if below == 1 else 'are'} below detection and not tested." if below else "."
    share = Estimate(hits / tested if tested else math.nan, math.nan, math.nan)
    verdict = "estimated" if hits else "not shown" if tested else "not testable"
    return finding("screen", sentence, share, "share of tested levels", math.nan, verdict)


def levels_reported(rows: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """The levels that get a sentence: all of a few; of many those with a low false discovery rate, else three."""
    if len(names) <= MOST_LEVELS:
        return list(names)
    return (list(rows.loc[rows["p_bh"] < ALPHA, "value"]) or list(rows["value"][:3]))[:MOST_LEVELS]


def cut_group(value: str, group: str, cut: float) -> str:
    """A group of a cut level as sentences call it: Low LEVEL (≤ cut)."""
    return f"{group.capitalize()} {value} ({'≤' if group == 'low' else '>'} {significant(cut)})"


def group_label(group: str, cuts: pd.DataFrame) -> str:
    """A group as figures call it; of a cut level with its threshold."""
    if not len(cuts):
        return str(group)
    return f"{group} ({'≤' if group == 'low' else '>'} {significant(float(cuts['cut'].iloc[0]))})"


def farthest(low: float, high: float) -> float:
    """The ratio, either way, that an interval does not exclude."""
    return max(high, 1.0 / low if low else math.inf)
