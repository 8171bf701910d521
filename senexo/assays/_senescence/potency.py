"""Dose-response of a counts table in tables and sentences: EC50 of each family, and their ratios."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from senexo.assays.result import Finding, before_holm, interval_text, judge, p_text, records
from senexo.assays.stats import dose_response as dr
from senexo.assays.stats.estimate import ALPHA, Estimate, significant
from senexo.assays.stats.multiple_testing import holm
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd

SMALL_RATIO, LARGE_RATIO = 1.5, 4.0
SETTINGS = {"small_ratio": SMALL_RATIO, "large_ratio": LARGE_RATIO}
_SIDES = {-1: "below the ladder", 0: "within", 1: "above the ladder"}
_NOTHING = Estimate(math.nan, math.nan, math.nan)
_EC50 = (
    "readout", "family", "estimate", "low", "high", "reached", "n_reached", "n_above", "n_below", "n_donors",
    "bottom", "top", "plateau_shown", "half_level", "lowest_dose", "highest_dose",
    "slope", "slope_low", "slope_high", "p_value", "p_holm", "verdict", "sentence",
)  # fmt: skip
_RATIO = (
    "readout",
    "family",
    "reference",
    "ratio",
    "low",
    "high",
    "n_donors",
    "p_value",
    "p_holm",
    "verdict",
    "sentence",
)


@dataclass(frozen=True, slots=True)
class _Response:
    """What the doses of one family showed; `crossings` and `ec50` only where a dose-response was shown."""

    ladder: dr.Ladder
    slope: Estimate
    p_holm: float
    curve: dr.Curve
    crossings: dr.Crossings | None = None
    ec50: Estimate = _NOTHING

    @property
    def rises(self) -> bool:
        return self.p_holm < ALPHA and self.slope.value > 0.0

    @property
    def verdict(self) -> str:
        if math.isnan(self.p_holm):
            return "not testable"
        if not self.rises:
            return "no dose response shown"
        if math.isnan(self.ec50.value):
            return "not reached"
        inside = self.ladder.doses[0] <= self.ec50.value <= self.ladder.doses[-1]
        return "estimated" if inside else "beyond the ladder"


def tables(now: pd.DataFrame, *, readout: str, reference: str | None, where: str) -> dict[str, pd.DataFrame]:
    """ec50, ec50_ratios, donor_ec50 and curves of the families of one time (counts summed per donor)."""
    import pandas as pd

    responses, span = _responses(dr.ladders(now))
    families = [response.ladder.family for response in responses]
    if reference is not None and reference not in families:
        there = f"a family of three doses or more: {', '.join(families) or 'there is none'}"
        raise InvalidInput([Fault(f"{where}: reference", f"'{reference}'", there)])
    shown = [response for response in responses if response.crossings]
    donors = [
        (readout, response.ladder.family, donor, 10.0**log_dose, _SIDES[int(side)])
        for response in shown
        for donor, log_dose, side in response.crossings.rows()  # type: ignore[union-attr]
    ]
    curves = [{"readout": readout, "family": response.ladder.family, **asdict(response.curve)} for response in shown]
    ec50 = [{"readout": readout, **_row(response, span)} for response in responses]
    return {
        "ec50": pd.DataFrame(ec50, columns=list(_EC50)),
        "ec50_ratios": pd.DataFrame(_ratios(shown, readout, reference), columns=list(_RATIO)),
        "donor_ec50": pd.DataFrame(donors, columns=["readout", "family", "donor", "ec50", "crossed"]),
        "curves": pd.DataFrame(curves, columns=["readout", "family", "bottom", "top", "ec50", "hill"]),
    }


def findings(found: Mapping[str, pd.DataFrame], title: str) -> list[Finding]:
    """One sentence per family and per ratio."""
    ec50 = [
        Finding.of(
            "senescence", f"{row['readout']}:ec50:{row['family']}", f"{title}: {row['family']}: {row['sentence']}",
            Estimate(row["estimate"], row["low"], row["high"]), unit="copies", p_holm=row["p_holm"],
            verdict=row["verdict"],
        )
        for row in records(found["ec50"])
    ]  # fmt: skip
    ratios = [
        Finding.of(
            "senescence", f"{row['readout']}:ec50_ratio:{row['family']}:{row['reference']}",
            f"{title}: EC50 of {row['family']} over {row['reference']}: {row['sentence']}",
            Estimate(row["ratio"], row["low"], row["high"]), unit="ratio", p_holm=row["p_holm"], verdict=row["verdict"],
        )
        for row in records(found["ec50_ratios"])
    ]  # fmt: skip
    return [*ec50, *ratios]


def _responses(ladders: Sequence[dr.Ladder]) -> tuple[list[_Response], tuple[float, float, bool]]:
    """Slope and curve of each family; then, for those that rise, each donor's half effect in one common range."""
    slopes = [dr.slope(ladder) for ladder in ladders]
    corrected = holm([slope.p_value for slope in slopes])
    responses = [
        _Response(ladder, slope, float(p), dr.average_curve(ladder))
        for ladder, slope, p in zip(ladders, slopes, corrected, strict=True)
    ]
    rising = [(response.curve, response.ladder.doses) for response in responses if response.rises]
    if not rising:
        return responses, (math.nan, math.nan, False)
    bottom, top, plateau = dr.effect_range(rising)
    for index, response in enumerate(responses):
        if response.rises:
            crossings = dr.crossings(response.ladder, (bottom + top) / 2.0)
            responses[index] = replace(response, crossings=crossings, ec50=dr.population_ec50(crossings))
    return responses, (bottom, top, plateau)


def _row(response: _Response, span: tuple[float, float, bool]) -> dict[str, Any]:
    bottom, top, plateau = span
    crossings = response.crossings
    n = len(response.ladder.donors if crossings is None else crossings.donors)
    sides = [crossings.count(side) for side in (0, 1, -1)] if crossings else [0, 0, 0]
    row: dict[str, Any] = {
        "family": response.ladder.family, "estimate": response.ec50.value, "low": response.ec50.low,
        "high": response.ec50.high, "reached": f"{sides[0]} of {n}" if crossings else "",
        "n_reached": sides[0], "n_above": sides[1], "n_below": sides[2], "n_donors": n, "bottom": bottom, "top": top,
        "plateau_shown": plateau, "half_level": (bottom + top) / 2.0, "lowest_dose": response.ladder.doses[0],
        "highest_dose": response.ladder.doses[-1], "slope": response.slope.value, "slope_low": response.slope.low,
        "slope_high": response.slope.high, "p_value": response.slope.p_value, "p_holm": response.p_holm,
        "verdict": response.verdict,
    }  # fmt: skip
    return {**row, "sentence": _sentence(row)}


def _sentence(row: Mapping[str, Any]) -> str:
    n, verdict = row["n_donors"], row["verdict"]
    if verdict == "not testable":
        return f"dose-response not testable with {n} donor{'s' if n > 1 else ''}."
    if verdict == "no dose response shown":
        slope, low, high = (f"{100 * row[key]:+.1f}" for key in ("slope", "slope_low", "slope_high"))
        numbers = f"{slope} points per tenfold dose, 95 % CI {low} to {high}; {p_text(row['p_holm'])}; {n} donors"
        return f"no rising dose response shown{before_holm(row)} ({numbers})."
    half = f"half effect ({100 * row['half_level']:.0f} % of cells)"
    misses = [
        f"not reached within the ladder (> {row['highest_dose']:,.0f} copies) in {row['n_above']} of {n} donors",
        f"reached below the lowest dose (< {row['lowest_dose']:,.0f} copies) in {row['n_below']} of {n} donors",
    ]
    outside = "; ".join(text for text, k in zip(misses, (row["n_above"], row["n_below"]), strict=True) if k)
    # an upper end a thousand ladders away is no bound to tell a reader
    bounded = row["high"] < 1e3 * row["highest_dose"]
    interval = f"95 % CI {significant(row['low'])} to {significant(row['high']) if bounded else 'any higher dose'}"
    if verdict == "not reached":
        return f"{half} {outside}: no EC50."
    if verdict == "beyond the ladder":
        beyond = f"EC50 lies outside the doses given; extrapolated {significant(row['estimate'])} copies ({interval})"
        return f"{half} {outside}. {beyond}."
    reached = f"; {half} {outside}" if outside else f"; {half} reached in all"
    return f"EC50 {significant(row['estimate'])} copies ({interval}; geometric median of {n} donors{reached})."


def _ratios(shown: Sequence[_Response], readout: str, reference: str | None) -> list[dict[str, Any]]:
    """Every family that rises over the reference family, paired by donor."""
    by_family = {response.ladder.family: response.crossings for response in shown}
    below = by_family.get(reference or "")
    if below is None:
        return []
    others = [family for family in by_family if family != reference]
    estimates = [dr.ec50_ratio(by_family[family], below) for family in others]  # type: ignore[arg-type]
    rows = []
    for family, (ratio, n), p in zip(others, estimates, holm([e.p_value for e, _ in estimates]), strict=True):
        logs = Estimate(*(math.log10(x) if x > 0 else -math.inf for x in (ratio.value, ratio.low, ratio.high)))
        row: dict[str, Any] = {
            "readout": readout, "family": family, "reference": reference, "ratio": ratio.value, "low": ratio.low,
            "high": ratio.high, "n_donors": n, "p_value": ratio.p_value, "p_holm": float(p),
            "verdict": judge(logs, float(p), small=math.log10(SMALL_RATIO), large=math.log10(LARGE_RATIO)),
        }  # fmt: skip
        rows.append({**row, "sentence": _ratio_sentence(row)})
    return rows


def _ratio_sentence(row: Mapping[str, Any]) -> str:
    n = row["n_donors"]
    if row["verdict"] == "not testable":
        return f"not testable: too few of the {n} donors in both families reach half effect within the ladder."
    head = "ratio beyond the ladder" if math.isinf(row["ratio"]) or row["ratio"] == 0 else significant(row["ratio"])
    numbers = f"{head} ({interval_text(row['low'], row['high'], row['p_holm'], n)})"
    words = {
        "absent": f"no shift; a {SMALL_RATIO:g}-fold one is excluded.",
        "not shown": f"no shift shown{before_holm(row)}.",
    }
    return f"{numbers}: {words.get(row['verdict'], 'a ' + row['verdict'] + ' shift.')}"
