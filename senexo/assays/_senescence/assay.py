"""Counted cells that are positive or not (SA-beta-gal; arrested or not): shares, differences, dose-response.

The donor is the statistical unit. Cells and replicates of a donor are summed; every interval and test is over donors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from senexo.assays._senescence import contrasts, potency, reversal
from senexo.assays._senescence.spec import SPEC
from senexo.assays.comparisons import check_design
from senexo.assays.result import AssayResult, Finding, day, p_text, records
from senexo.assays.stats.estimate import LEVEL, Estimate, significant
from senexo.assays.stats.proportion import fields, mean_share
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import at, check

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

OVERDISPERSED = 0.001  # p-value of "fields differ by counting only" below which the reader is warned

_METHOD = (
    "Counts were summed per donor. Mean shares: 95 % interval over donors (hull of a beta-binomial profile likelihood "
    "and Student's t on the logit scale; exact Clopper-Pearson for one donor). {compared} "
    "What remains after wash-out is a ratio of means over donors with Fieller's interval. Dose-response: permutation "
    "of doses within donors. EC50: geometric median over donors of the dose at which a donor's "
    "four-parameter logistic curve crosses half of the range, donors that do not cross within the ladder censored "
    "(lognormal likelihood, t-calibrated profile interval); ratios of EC50 paired by donor. P-values are corrected by "
    "Holm within each kind of test (differences, wash-outs, dose-responses, ratios)."
)
_COMPARED = {
    "paired": "Arms were compared by Student's t on the donors' paired differences, whose variance is never taken "
    "below that of counting; odds ratios by a mixed logistic model conditional on each donor's level (normal effects "
    "of donors, t-calibrated profile likelihood; Fisher's exact interval for one donor).",
    "unpaired": "Arms of different donors were compared by the hull of Welch's interval, whose variances are never "
    "taken below those of counting, and of a beta-binomial profile likelihood with one correlation (t-calibrated); p "
    "is the larger of both. Odds ratios are those of the beta-binomial.",
}


@dataclass(frozen=True)
class SenescenceResult(AssayResult):
    """Tables: shares (every arm and time), differences, washouts, ec50 (with the dose-response test), ec50_ratios,
    donor_ec50, curves, fields. Columns: docs/assays/senescence.md."""

    def figure(self) -> Figure:
        from senexo.assays._senescence.figure import shares_and_curves

        return shares_and_curves(self.tables, self.settings)


def senescence(
    table: pd.DataFrame,
    *,
    compare: Sequence[str] | Sequence[Sequence[str]] | None = None,
    design: str = "paired",
    washout: Sequence[str] | Sequence[Sequence[str]] | None = None,
    control: str | None = None,
    time_h: float | None = None,
    washout_h: float | None = None,
    reference: str | None = None,
    readout: str = "senescent",
    label: str = "SA-β-gal positive cells",
    where: str = "table",
) -> SenescenceResult:
    """Estimate shares of positive cells, compare arms, and fit the dose-response of families, by donor.

    Families with three doses or more get a dose-response and an EC50 (`senexo.assays.stats.dose_response`). A share
    that falls with dose is reported as "no rising dose response"; count the negative cells then.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per counted well or field: arm, donor, n_positive, n_total, and where there are any replicate, field,
        time_h (hours), family (arms that differ in dose alone) and dose_copies. Other columns are ignored.
    compare : pair of str or sequence of pairs, optional
        (arm, control arm), or several such pairs. Names may be families: each dose of the first is compared with the
        same dose of the control, or with its only arm.
    design : {"paired", "unpaired"}, default "paired"
        Arms of the same donors, or of different donors.
    washout : pair of str or sequence of pairs, optional
        (arm washed out, arm kept): which share of the effect remains. One arm may stand on both sides where it was
        counted before and after.
    control : str, optional
        With `washout`: the arm whose share is the background of both; without it the background is 0.
    time_h : float, optional
        Time of comparisons, wash-out and dose-response in hours; by default the last.
    washout_h : float, optional
        With `washout`: the time of the kept arm in hours; by default `time_h`.
    reference : str, optional
        The family whose EC50 divides the EC50s of the other families.
    readout, label : str
        Short and long name of what was counted.
    where : str, default "table"
        What messages call the table.

    Returns
    -------
    SenescenceResult
        Tables shares, differences, washouts, ec50, ec50_ratios, donor_ec50, curves, fields. What cannot be tested (one
        donor, no donor in both arms) is a finding with the verdict ``not testable``.

    Raises
    ------
    InvalidInput
        Every fault of the table (row, column) and unknown arms, together.

    References
    ----------
    Odds ratios: Stijnen T et al., Stat Med 2010;29:3046-3067, doi 10.1002/sim.4040. EC50: Sebaugh JL, Pharm Stat
    2011;10:128-134, doi 10.1002/pst.426.

    Examples
    --------
    >>> import pandas as pd
    >>> counts = pd.DataFrame({"arm": ["mock", "mimic"] * 4, "donor": list("aabbccdd"),
    ...                        "n_positive": [4, 52, 6, 61, 3, 47, 5, 58], "n_total": 200})
    >>> print(senescence(counts, compare=("mimic", "mock")))
    senescence: 1 finding (95 % intervals; p after Holm)
    senescent:difference:mimic:mock  0.250 [0.197, 0.303]  share  p = 0.00064  large
    """
    check_design(design, where)
    counts, notes = counted(table, where)
    time = _time(counts, time_h, "time_h", where)
    kept_time = time if washout_h is None else _time(counts, washout_h, "washout_h", where)
    sums = counts.groupby(["arm", "family", "dose_copies", "time_h", "donor"], sort=False, dropna=False)
    per_donor = sums[["n_positive", "n_total"]].sum().reset_index()
    now = per_donor[per_donor["time_h"] == time]
    compared = contrasts.pairs(per_donor, compare, where)
    washed_kept = reversal.pairs(per_donor, washout, control, time, kept_time, where)
    timed = "time_h" in table.columns
    title = f"{label}, {day(time)}" if timed else label

    tables = {
        "shares": _shares(per_donor),
        "differences": contrasts.table(now, compared, design),
        "washouts": reversal.table(per_donor, washed_kept, control, time, kept_time),
    }
    tables |= potency.tables(now, readout=readout, reference=reference, where=where)
    tables["fields"] = fields(counts[counts["time_h"] == time])
    notes += _field_notes(tables["fields"])
    findings = [
        *contrasts.findings(tables["differences"], design, readout, title),
        *reversal.findings(tables["washouts"], readout, label, timed=timed),
        *potency.findings(tables, title),
    ]
    if not findings:
        shares = tables["shares"]
        findings = _share_findings(shares[shares["time_h"] == time], readout, title)
    settings = {
        "readout": readout, "label": label, "title": title, "time_h": time, "compare": compared, "design": design,
        "washout": washed_kept, "washout_h": kept_time, "control": control, "reference": reference, "level": LEVEL,
        **contrasts.SETTINGS, **reversal.SETTINGS, **potency.SETTINGS,
    }  # fmt: skip
    method = _METHOD.format(compared=_COMPARED[design])
    return SenescenceResult("senescence", method, settings, tuple(findings), tables, tuple(notes))


def counted(table: pd.DataFrame, where: str) -> tuple[pd.DataFrame, list[str]]:
    """The checked table with every optional column present, and notes on what was left out."""

    def no_more_than_counted(rows: pd.DataFrame) -> list[Fault]:
        over = rows[rows["n_positive"] > rows["n_total"]]
        return [
            Fault(at(where, row, "n_positive"), f"{positive} of {total} cells", "no more than n_total")
            for row, positive, total in zip(over.index, over["n_positive"], over["n_total"], strict=True)
        ]

    def one_ladder_per_arm(rows: pd.DataFrame) -> list[Fault]:
        entries = {name: rows[name] for name in ("family", "dose_copies") if name in rows}
        if "family" in entries:
            entries["family"] = entries["family"].where(entries["family"] != "", rows["arm"])
        kinds = {name: cells.groupby(rows["arm"], sort=False).nunique(dropna=False) for name, cells in entries.items()}
        return [
            Fault(f"{where}: arm {arm}, column {name}", f"{n} different entries", "one per arm")
            for name, numbers in kinds.items()
            for arm, n in numbers[numbers > 1].items()
        ]

    rules = [no_more_than_counted, one_ladder_per_arm]
    counts = check(table, SPEC.checks(), where=where, key=SPEC.key, rules=rules)
    if "family" not in counts:
        counts["family"] = counts["arm"]
    counts["family"] = counts["family"].where(counts["family"] != "", counts["arm"])
    for name in ("dose_copies", "time_h"):
        if name not in counts:
            counts[name] = math.nan if name == "dose_copies" else 0.0
    empty = counts["n_total"] == 0
    if empty.all():
        raise InvalidInput([Fault(f"{where}: column n_total", "no counted cell in any row", "counted cells")])
    n = int(empty.sum())
    notes = [f"{n} well{'s' if n > 1 else ''} without a counted cell left out"] if n else []
    return counts[~empty], notes


def _time(counts: pd.DataFrame, time_h: float | None, name: str, where: str) -> float:
    times = sorted(counts["time_h"].unique())
    if time_h is None:
        return float(times[-1])
    if time_h not in times:
        there = ", ".join(f"{time:g}" for time in times)
        raise InvalidInput([Fault(f"{where}: {name}", f"no count at {time_h:g} h", f"one of {there}")])
    return float(time_h)


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


def _field_notes(found: pd.DataFrame) -> list[str]:
    """Where one donor's cells are not independent, its exact interval is too narrow; over donors nothing is lost."""
    alone = found[(found["n_donors"] == 1) & (found["p_value"] < OVERDISPERSED)]
    return [
        f"{row['arm']}: the {row['n_fields']} wells or fields of its only donor differ more than counting allows "
        f"({significant(row['dispersion'])}-fold variance, {p_text(row['p_value'])}): its exact interval is too narrow"
        for row in records(alone)
    ]
