"""Counted cells that are positive or not (SA-beta-gal; arrested or not): shares, differences, dose-response.

The donor is the statistical unit. Cells and replicates of a donor are summed; every interval and test is over donors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from senexo.assays import potency
from senexo.assays.proportion import mean_contrast, mean_share, share_variance, sign_flip
from senexo.assays.result import (
    LEVEL,
    AssayResult,
    Estimate,
    Finding,
    before_holm,
    day,
    holm,
    interval_text,
    judge,
    records,
)
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import Column, at, capped, check

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

COLUMNS = (
    Column("arm", "text"), Column("donor", "text"), Column("n_positive", "whole", low=0),
    Column("n_total", "whole", low=0), Column("replicate", "text", required=False),
    Column("field", "text", required=False), Column("time_h", "number", required=False, low=0),
    Column("family", "text", required=False, may_be_empty=True),
    Column("dose_copies", "number", required=False, may_be_empty=True, low=0),
)  # fmt: skip
KEY = ("arm", "donor", "replicate", "field", "time_h")
SMALL, LARGE = 0.05, 0.20  # differences of shares: below 5 points small, from 20 points large

EXAMPLE_OPTIONS: dict[str, object] = {
    "compare": [("mimic 3000", "scrambled"), ("mimic 3000 washed out", "mimic 3000")],
    "reference": "mimic",
}

METHOD = (
    "Counts were summed per donor. Mean shares: 95 % interval over donors (hull of a beta-binomial profile likelihood "
    "and Student's t on the logit scale; exact Clopper-Pearson for one donor). Arms were compared by Student's t on "
    "the donors' paired differences, whose variance is never taken below that of counting, dose-response by permuting "
    "doses within donors. EC50: geometric median over donors of the dose at which a donor's "
    "four-parameter logistic curve crosses half of the range, donors that do not cross within the ladder censored "
    "(lognormal likelihood, t-calibrated profile interval); ratios of EC50 paired by donor. P-values are corrected by "
    "Holm within each kind of test (differences, dose-responses, ratios)."
)


@dataclass(frozen=True)
class SenescenceResult(AssayResult):
    """Tables: shares (every arm and time), differences, ec50 (with the dose-response test), ec50_ratios, donor_ec50,
    curves. Columns: docs/assays.md."""

    def figure(self) -> Figure:
        from senexo.assays.drawing import shares_and_curves

        return shares_and_curves(self.tables, self.settings)


def senescence(
    table: pd.DataFrame,
    *,
    compare: Sequence[str] | Sequence[Sequence[str]] | None = None,
    time_h: float | None = None,
    reference: str | None = None,
    readout: str = "senescent",
    label: str = "SA-β-gal positive cells",
    where: str = "table",
) -> SenescenceResult:
    """Shares of positive cells per arm, differences of arms, and the dose-response of families, by donor.

    table: one row per counted well or field: arm, donor, n_positive, n_total, and where there are any replicate,
    field, time_h (hours), family (arms that differ in dose only) and dose_copies. Other columns are ignored.
    compare: (arm, control arm), or several such pairs. Names may be families: each dose of the first is compared with
    the control's same dose, or with the control's only arm. Wash-out is two arms compared like any others.
    time_h: the time of comparisons and dose-response, the last one by default. reference: the family whose EC50
    divides the EC50s of the other families. readout, label: short and long name of what was counted; where: what
    messages call the table.

    Families with three doses or more get a dose-response: see `dose_response` for the range and the EC50. A share
    that falls with dose is told as "no rising dose response"; count the negative cells then.

    InvalidInput lists every fault of the table (row, column) and unknown arms. What cannot be tested (one donor, no
    donor in both arms) is a finding with the verdict ``not testable``, not an error.

    >>> import pandas as pd
    >>> counts = pd.DataFrame({"arm": ["mock", "mimic"] * 4, "donor": list("aabbccdd"),
    ...                        "n_positive": [4, 52, 6, 61, 3, 47, 5, 58], "n_total": 200})
    >>> print(senescence(counts, compare=("mimic", "mock")))
    senescence: 1 finding (95 % intervals; p after Holm)
    senescent:difference:mimic:mock  0.250 [0.197, 0.303]  share  p = 0.00064  large
    """
    counts, notes = _counts(table, where)
    time = _time(counts, time_h, where)
    sums = counts.groupby(["arm", "family", "dose_copies", "time_h", "donor"], sort=False, dropna=False)
    per_donor = sums[["n_positive", "n_total"]].sum().reset_index()
    now = per_donor[per_donor["time_h"] == time]
    pairs = _pairs(per_donor, compare, where)
    title = f"{label}, {day(time)}" if "time_h" in table.columns else label

    tables = {"shares": _shares(per_donor), "differences": _differences(now, pairs)}
    tables |= potency.tables(now, readout=readout, reference=reference, where=where)
    findings = [
        *_difference_findings(tables["differences"], readout, title),
        *potency.findings(tables, title),
    ]
    if not findings:
        shares = tables["shares"]
        findings = _share_findings(shares[shares["time_h"] == time], readout, title)
    settings = {
        "readout": readout, "label": label, "title": title, "time_h": time, "compare": pairs, "reference": reference,
        "level": LEVEL, "small_difference": SMALL, "large_difference": LARGE, **potency.SETTINGS,
    }  # fmt: skip
    return SenescenceResult("senescence", METHOD, settings, tuple(findings), tables, tuple(notes))


def example() -> pd.DataFrame:
    """A made-up plate: six donors, a scrambled control, a ladder of two mimics, and the top dose washed out.

    >>> print(senescence(example(), **EXAMPLE_OPTIONS).findings[0].verdict)
    large
    """
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(20180515)
    ec50 = {"mimic": rng.lognormal(math.log(400.0), 0.4, 6)}
    ec50["mutant seed"] = 1.6 * ec50["mimic"]
    arms: list[tuple[str, str, float, float]] = [("scrambled", "scrambled", math.nan, 0.0)]
    arms += [(f"{family} {dose}", family, dose, 1.0) for family in ec50 for dose in (100, 300, 1000, 3000)]
    arms += [("mimic 3000 washed out", "washed out", math.nan, 0.4)]
    rows = []
    for arm, family, dose, effect in arms:
        for donor in range(6):
            reach = 1.0 / (1.0 + (ec50.get(family, ec50["mimic"])[donor] / (dose if dose == dose else 3000.0)) ** 2)
            n_total = int(rng.integers(180, 221))
            n_positive = int(rng.binomial(n_total, 0.03 + 0.6 * effect * reach))
            rows.append((arm, family, dose, f"donor {donor + 1}", n_positive, n_total))
    return pd.DataFrame(rows, columns=["arm", "family", "dose_copies", "donor", "n_positive", "n_total"])


def _counts(table: pd.DataFrame, where: str) -> tuple[pd.DataFrame, list[str]]:
    """The checked table with every optional column present, and notes on what was left out."""
    counts = check(table, COLUMNS, where=where, key=KEY)
    over = counts[counts["n_positive"] > counts["n_total"]]
    faults = [
        Fault(at(where, row, "n_positive"), f"{positive} of {total} cells", "no more than n_total")
        for row, positive, total in zip(over.index, over["n_positive"], over["n_total"], strict=True)
    ]
    if "family" not in counts:
        counts["family"] = counts["arm"]
    counts["family"] = counts["family"].where(counts["family"] != "", counts["arm"])
    for name in ("dose_copies", "time_h"):
        if name not in counts:
            counts[name] = math.nan if name == "dose_copies" else 0.0
    for name in ("family", "dose_copies"):
        kinds = counts.groupby("arm", sort=False)[name].nunique(dropna=False)
        faults += [
            Fault(f"{where}: arm {arm}, column {name}", f"{n} different entries", "one per arm")
            for arm, n in kinds[kinds > 1].items()
        ]
    if faults:
        raise capped(faults, where)
    empty = counts["n_total"] == 0
    if empty.all():
        raise InvalidInput([Fault(f"{where}: column n_total", "no counted cell in any row", "counted cells")])
    notes = [f"{int(empty.sum())} wells without a counted cell were left out"] if empty.any() else []
    return counts[~empty], notes


def _time(counts: pd.DataFrame, time_h: float | None, where: str) -> float:
    times = sorted(counts["time_h"].unique())
    if time_h is None:
        return float(times[-1])
    if time_h not in times:
        there = ", ".join(f"{time:g}" for time in times)
        raise InvalidInput([Fault(f"{where}: time_h", f"no count at {time_h:g} h", f"one of {there}")])
    return float(time_h)


def _pairs(
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
        raise capped(faults, where)
    pairs: list[tuple[str, str]] = []
    for first, second in asked:
        left, right = (
            arms.loc[[name]] if name in arms.index else arms[arms["family"] == name] for name in (first, second)
        )
        same_dose = {} if len(right) == 1 else dict(zip(right["dose_copies"], right.index, strict=True))
        for arm, dose in zip(left.index, left["dose_copies"], strict=True):
            other = right.index[0] if len(right) == 1 else same_dose.get(dose)
            if other is not None and other != arm:
                pairs.append((arm, other))
        if not any(arm in left.index for arm, _ in pairs):
            found = f"no two arms to compare in {first} and {second}"
            raise InvalidInput([Fault(f"{where}: compare", found, "different arms, or families with a common dose")])
    return list(dict.fromkeys(pairs))


def _shares(per_donor: pd.DataFrame) -> pd.DataFrame:
    """Mean share over donors with its interval, for every arm and time."""
    import pandas as pd

    rows = []
    for (arm, family, dose, time), group in per_donor.groupby(
        ["arm", "family", "dose_copies", "time_h"], sort=False, dropna=False
    ):
        share = mean_share(group["n_positive"].to_numpy(), group["n_total"].to_numpy())
        rows.append((
            arm, family, dose, time, len(group), int(group["n_positive"].sum()), int(group["n_total"].sum()),
            share.value, share.low, share.high,
        ))  # fmt: skip
    names = ["arm", "family", "dose_copies", "time_h", "n_donors", "n_positive", "n_total", "share", "low", "high"]
    return pd.DataFrame(rows, columns=names)


def _differences(now: pd.DataFrame, pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """One row per pair of arms: the mean over donors of the paired difference of shares."""
    import pandas as pd

    by_arm = {arm: rows.set_index("donor") for arm, rows in now.groupby("arm")}
    rows = [{"arm": arm, "control": other, **_difference(by_arm.get(arm), by_arm.get(other))} for arm, other in pairs]
    for row, p in zip(rows, holm([row["p_value"] for row in rows]), strict=True):
        estimate = Estimate(row["difference"], row["low"], row["high"])
        row |= {"p_holm": float(p), "verdict": judge(estimate, float(p), small=SMALL, large=LARGE)}
    names = ["arm", "control", "n_donors", "share", "share_control", "difference", "low", "high", "p_value", "p_holm"]
    return pd.DataFrame(rows, columns=[*names, "p_sign_flip", "verdict"])


def _difference(arm: pd.DataFrame | None, other: pd.DataFrame | None) -> dict[str, Any]:
    """The donors that two arms share, compared; an arm without counts at this time is None."""
    if arm is None or other is None or arm.index.intersection(other.index).empty:
        nothing = ("share", "share_control", "difference", "low", "high", "p_value", "p_sign_flip")
        return {"n_donors": 0, **dict.fromkeys(nothing, math.nan)}
    both = arm.index.intersection(other.index)
    positive, total = (arm.loc[both, name].to_numpy(float) for name in ("n_positive", "n_total"))
    positive_other, total_other = (other.loc[both, name].to_numpy(float) for name in ("n_positive", "n_total"))
    first, second = positive / total, positive_other / total_other
    estimate = mean_contrast(
        first - second, share_variance(positive, total) + share_variance(positive_other, total_other)
    )
    return {
        "n_donors": len(both), "share": float(first.mean()), "share_control": float(second.mean()),
        "difference": estimate.value, "low": max(estimate.low, -1.0), "high": min(estimate.high, 1.0),
        "p_value": estimate.p_value,
        "p_sign_flip": sign_flip(first - second) if len(both) > 1 else math.nan,
    }  # fmt: skip


def _difference_findings(table: pd.DataFrame, readout: str, title: str) -> list[Finding]:
    return [
        Finding.of(
            "senescence", f"{readout}:difference:{row['arm']}:{row['control']}",
            f"{title}: {row['arm']} against {row['control']}: {_difference_words(row)}",
            Estimate(row["difference"], row["low"], row["high"]), unit="share", p_holm=row["p_holm"],
            verdict=row["verdict"],
        )
        for row in records(table)
    ]  # fmt: skip


def _difference_words(row: Mapping[str, Any]) -> str:
    n, low, high = row["n_donors"], row["low"], row["high"]
    if n == 0:
        return "not testable: no donor was counted in both arms (the test is paired by donor)."
    shares = f"{100 * row['share']:.1f} % and {100 * row['share_control']:.1f} %, {100 * row['difference']:+.1f} points"
    if n == 1:
        return f"{shares} in the only donor counted in both arms: not testable, one donor says nothing about others."
    words = {
        "absent": f"no effect shown; {100 * SMALL:g} points or more are excluded.",
        "not shown": f"no effect shown{before_holm(row)}; up to {100 * max(-low, high):.0f} points are not excluded.",
    }
    effect = words.get(row["verdict"], f"a {row['verdict']} effect.")
    return f"{shares} ({interval_text(low, high, row['p_holm'], n, scale=100, sign='+.1f')}): {effect}"


def _share_findings(shares: pd.DataFrame, readout: str, title: str) -> list[Finding]:
    """One finding per arm, for a table in which nothing was to be compared."""
    found = []
    for row in records(shares):
        n = "1 donor, whose cells alone it covers" if row["n_donors"] == 1 else f"{row['n_donors']} donors"
        interval = f"95 % CI {100 * row['low']:.1f} to {100 * row['high']:.1f}; {n}"
        found.append(Finding.of(
            "senescence", f"{readout}:share:{row['arm']}",
            f"{title}: {row['arm']} {100 * row['share']:.1f} % ({interval}).",
            Estimate(row["share"], row["low"], row["high"]), unit="share", p_holm=math.nan, verdict="estimated",
        ))  # fmt: skip
    return found
