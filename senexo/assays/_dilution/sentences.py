"""What `dilution` says in words: frequencies, the single-hit test, groups compared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from senexo.assays.result import Finding, judge, p_text, records
from senexo.assays.stats.estimate import ALPHA, Estimate, significant
from senexo.assays.stats.single_hit import Slope
from senexo.assays.stats.single_hit_fit import Fit

if TYPE_CHECKING:
    import pandas as pd

SMALL_FOLD, LARGE_FOLD = 1.5, 4.0
_WORDS = {
    "large": "a large difference", "moderate": "a moderate difference", "small": "a small difference",
    "shown": "a difference of unknown size", "absent": "no difference worth naming",
    "not shown": "no difference shown",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """The two tests of single hit, of the slope and of the fit at every dose, with p after Holm."""

    shape: Slope
    fit: Fit
    p_slope: float
    p_fit: float


def findings(tables: Mapping[str, pd.DataFrame], judged: Judged, *, named: bool) -> Iterator[Finding]:
    """A frequency for each group, the tests of single hit, then groups; named: whether the table has groups."""
    for row in records(tables["frequencies"]):
        yield _frequency(row, f"{row['group']}: " if named else "")
    yield _shape(judged)
    yield _fit(judged)
    if len(tables["frequencies"]) > 2:
        yield _groups(tables["groups"].iloc[0].to_dict(), len(tables["frequencies"]))
    for row in records(tables["pairs"]):
        yield _pair(row)


def _frequency(row: Mapping[str, Any], name: str) -> Finding:
    low, high = significant(row["one_in_low"]), significant(row["one_in_high"])
    counted = f"{row['n_response']} of {row['n_tested']} units responded"
    value = math.nan
    if row["n_response"] == 0:
        text, verdict = f"fewer than 1 in {low} cells responds (one-sided 95 % bound; {counted})", "upper bound only"
    elif row["n_response"] == row["n_tested"]:
        text, verdict = f"more than 1 in {high} cells responds (one-sided 95 % bound; {counted})", "lower bound only"
    else:
        wide = f", {significant(row['dispersion'])}-fold overdispersion allowed for" if row["dispersion"] > 1.0 else ""
        text = f"1 in {significant(row['one_in'])} cells responds (95 % CI 1 in {low} to 1 in {high}{wide}; {counted})"
        value, verdict = row["one_in"], "estimated"
    found = Estimate(value, row["one_in_low"], row["one_in_high"])
    sentence = f"{name}{text}." if name else f"{text[0].upper()}{text[1:]}."
    return Finding.of("dilution", f"frequency:{row['group']}", sentence, found, unit="1 in N cells", p_holm=math.nan,
                      verdict=verdict)  # fmt: skip


def _shape(judged: Judged) -> Finding:
    """Single hit holds only where the slope and the fit at every dose both agree with it."""
    shape, p = judged.shape, judged.p_slope
    if math.isfinite(shape.value):
        limits = f"95 % CI {significant(shape.low)} to {significant(shape.high)}; "
        slope = f"slope of log(cells) {significant(shape.value)} ({limits}{p_text(p)})"
    else:
        slope = f"one dose parts all units that responded from the others ({p_text(p)})"
    if math.isnan(p):
        text = "Single hit cannot be tested: a group with several doses must have units with and without response."
        verdict = "not testable"
    elif p < ALPHA or judged.p_fit < ALPHA:
        few = "units differ, or cells hinder each other at high doses"
        why = "more than one cell seems to be needed" if shape.value > 1 else few
        if p >= ALPHA:
            why = "the slope agrees, but units do not respond at every dose as one frequency says"
        text = f"Single hit is contradicted: {slope}; {why}. The frequencies then mean little."
        verdict = "contradicts single hit"
    else:
        text, verdict = f"The units agree with single hit: {slope}.", "agrees with single hit"
    found = Estimate(shape.value, shape.low, shape.high)
    return Finding.of("dilution", "single_hit:all", text, found, unit="slope", p_holm=p, verdict=verdict)


def _fit(judged: Judged) -> Finding:
    """Deviance of the model with one frequency for each group."""
    fit, p = judged.fit, judged.p_fit
    test = f"deviance {significant(fit.deviance)} on {fit.degrees_of_freedom} df, {p_text(p)}"
    test += ", against simulated plates" if fit.simulated else ""
    if math.isnan(p):
        text = "The fit at every dose cannot be tested: a group must have several doses, and units of both kinds."
        verdict = "not testable"
    elif p < ALPHA:
        text = (
            f"The fit at every dose is contradicted ({test}): units scatter {significant(fit.dispersion)} times as "
            "much as single hit allows."
        )
        verdict = "contradicts single hit"
    else:
        text, verdict = f"The fit at every dose is not contradicted ({test}).", "agrees with single hit"
    found = Estimate(fit.deviance, math.nan, math.nan)
    return Finding.of("dilution", "fit:all", text, found, unit="deviance", p_holm=p, verdict=verdict)


def _groups(row: Mapping[Any, Any], n: int) -> Finding:
    """Three groups or more, all at once."""
    differ = row["p_value"] < ALPHA
    test = f"chi-square {significant(row['chi_square'])} on {row['degrees_of_freedom']:g} df; {p_text(row['p_value'])}"
    said = f"The {n} groups differ in frequency" if differ else f"No difference between the {n} groups is shown"
    found = Estimate(row["chi_square"], math.nan, math.nan)
    return Finding.of(
        "dilution", "groups:all", f"{said} ({test}).", found, unit="chi-square", p_holm=row["p_value"],
        verdict="shown" if differ else "not shown",
    )  # fmt: skip


def _pair(row: Mapping[str, Any]) -> Finding:
    low, high, p = significant(row["fold_low"]), significant(row["fold_high"]), p_text(row["p_holm"])
    if math.isfinite(row["fold"]):
        size = f"{significant(row['fold'])} times the frequency (95 % CI {low} to {high}; {p})"
    elif row["fold_low"] > 0:
        size = f"at least {low} times the frequency (95 % CI without upper end; {p})"
    elif math.isfinite(row["fold_high"]):
        size = f"at most {high} times the frequency (95 % CI without lower end; {p})"
    else:
        size = f"no ratio can be given, all or no units responded in both ({p})"
    verdict = _verdict(row)
    found = Estimate(row["fold"], row["fold_low"] or math.nan, row["fold_high"])
    return Finding.of(
        "dilution", f"fold:{row['group']}:{row['other']}",
        f"{row['group']} against {row['other']}: {size}: {_WORDS[verdict]}.", found, unit="fold", p_holm=row["p_holm"],
        verdict=verdict,
    )  # fmt: skip


def _verdict(row: Mapping[str, Any]) -> str:
    """As every fold change; of a ratio with an open end only that there is one."""
    if not math.isfinite(row["fold"]):
        return "shown" if row["p_holm"] < ALPHA else "not shown"
    logs = Estimate(*(math.log(row[key]) for key in ("fold", "fold_low", "fold_high")))
    return judge(logs, row["p_holm"], small=math.log(SMALL_FOLD), large=math.log(LARGE_FOLD))
