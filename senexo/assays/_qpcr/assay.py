"""Relative quantities from threshold cycles (Ct), undetected wells as censored; MIQE terms.

Bustin SA et al., Clin Chem 2009;55:611-622, doi 10.1373/clinchem.2008.112797. ddCt: Livak KJ, Schmittgen TD,
Methods 2001;25:402-408, doi 10.1006/meth.2001.1262; efficiencies: Pfaffl MW, Nucleic Acids Res 2001;29:e45,
doi 10.1093/nar/29.9.e45.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from senexo.assays._qpcr import folds
from senexo.assays._qpcr import read as ct
from senexo.assays._qpcr.standard_curve import blanks, split
from senexo.assays._qpcr.standard_curve import efficiency as measured_efficiency
from senexo.assays._qpcr.words import with_readings
from senexo.assays.comparisons import check_design
from senexo.assays.result import AssayResult, Finding
from senexo.assays.stats.estimate import LEVEL, Estimate
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

LEAST_EFFICIENT, MOST_EFFICIENT = 0.5, 1.1

_METHOD = (
    "Technical replicates were averaged on the Ct scale within arm, donor and target. A sample of which some wells "
    "were undetected got the mean of a normal distribution censored at the cut-off; a sample without any detected well "
    "entered the comparison as censored (beyond the cut-off), never as a number. dCt was taken against the mean of "
    "the reference targets of the same sample, {compared} Amplification efficiencies are those of the table "
    "efficiency, taken as known. Donors are the unit. An arm with too few detected wells is below detection and not "
    "tested. P-values are corrected by Holm."
)
_COMPARED = {
    "paired": "ddCt against the control arm of the same donor: paired t-test or, where a value was censored, a "
    "random-intercept Tobit likelihood with a t-calibrated profile interval.",
    "unpaired": "ddCt against the mean of the control arm, whose donors are other people: Welch's t-test or, where a "
    "value was censored, a two-group Tobit likelihood with a t-calibrated profile interval.",
}


@dataclass(frozen=True)
class QpcrResult(AssayResult):
    """Tables: fold_changes, detection, dct (one row per sample), replicates, stability, efficiency. Columns:
    docs/assays/qpcr.md."""

    def figure(self) -> Figure:
        from senexo.assays._qpcr.figure import fold_changes

        return fold_changes(self.tables, self.settings)


def qpcr(
    table: pd.DataFrame,
    *,
    target: str,
    reference: str | Sequence[str],
    control: str,
    arms: Sequence[str] | None = None,
    design: str = "paired",
    time_h: float | Sequence[float] | None = None,
    cutoff: float = 40.0,
    undetected: str | None = None,
    efficiency: float | Mapping[str, float] | None = None,
    min_detected: float = 0.5,
    where: str = "table",
) -> QpcrResult:
    """Report the detection of a target RNA, and its fold change in every arm against a control arm, by donor.

    With x = log2(1 + efficiency) Ct: dCt = x(target) - mean of x(reference), ddCt = dCt(arm) - dCt(control) in the
    same donor (unpaired: the mean of its donors), fold change = 2^-ddCt of the mean over donors. Efficiency 1 is
    doubling in each cycle.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per well: arm, donor, target, ct (cycles; "undetected" where there was no signal, empty where the well
        has no reading) and where there are any replicate (technical), time_h (hours), detected (an empty ct of a well
        that is not detected is undetected), family. Wells with a quantity (relative input) are the dilution series of
        the plate, those with quantity 0 its no-template controls; they need no arm and no donor. Other columns are
        ignored.
    target : str
        The RNA that is measured.
    reference : str or sequence of str
        The reference RNA or RNAs.
    control : str
        The arm that fold changes refer to.
    arms : sequence of str, optional
        The arms compared, or families of arms; by default all others.
    design : {"paired", "unpaired"}, default "paired"
        Arms of the same donors, or of different donors.
    time_h : float or sequence of float, optional
        One or several times in hours; by default the last.
    cutoff : float, default 40
        The Ct beyond which a well counts as undetected. Where a single molecule comes up earlier, its Ct is the better
        cut-off.
    undetected : str, optional
        Further words of column ct that mean undetected, several between bars; ``empty`` stands for empty cells and NA,
        which otherwise are wells without a reading: left out, and counted in a note.
    efficiency : float or mapping of str to float, optional
        One number from 0.5 to 1.1, or one for each RNA; by default that of the dilution series where the table has one
        of this RNA, else 1.
    min_detected : float, default 0.5
        Share of wells that an arm must have detected to be tested.
    where : str, default "table"
        What messages call the table.

    Returns
    -------
    QpcrResult
        Tables fold_changes, detection, dct, replicates, stability, efficiency. An RNA that was mostly not detected has
        the verdict ``below detection: not testable`` instead of a p-value; fewer than three donors ``not testable``.

    Raises
    ------
    InvalidInput
        Every fault of the table (row, column) and unknown names, together.

    References
    ----------
    ddCt: Livak KJ, Schmittgen TD, Methods 2001;25:402-408, doi 10.1006/meth.2001.1262. Efficiencies: Pfaffl MW, Nucleic
    Acids Res 2001;29:e45, doi 10.1093/nar/29.9.e45. Terms: Bustin SA et al., Clin Chem 2009;55:611-622, doi
    10.1373/clinchem.2008.112797.

    Examples
    --------
    >>> import pandas as pd
    >>> wells = pd.DataFrame({"arm": ["mock", "mock", "mimic", "mimic"] * 3, "donor": list("aaaabbbbcccc"),
    ...                       "target": ["miR-34c-5p", "U6"] * 6,
    ...                       "ct": [31.0, 20.1, 28.9, 20.0, 32.4, 20.9, 30.5, 21.1, 30.2, 19.8, 28.0, 19.9]})
    >>> print(qpcr(wells, target="miR-34c-5p", reference="U6", control="mock"))
    qpcr: 2 findings (95 % intervals; p after Holm)
    detection:miR-34c-5p        0 [-, -]           share of wells undetected              detected
    fold:miR-34c-5p:mimic:mock  4.39 [3.37, 5.71]  fold                       p = 0.0017  large
    """
    references = [reference] if isinstance(reference, str) else list(dict.fromkeys(reference))
    check_design(design, where)
    _check_limits(cutoff, min_detected, where)
    table, without = with_readings(table, undetected, where)
    unknown, standards = split(table, where)
    wells = ct.wells(unknown, cutoff, where)
    times = _chosen(wells, target, references, control, arms, time_h, where)
    timed = "time_h" in table.columns
    rnas = [target, *references]
    wells = wells[wells["target"].isin(rnas) & wells["time_h"].isin(times)]
    asked = wells if arms is None else wells[wells["arm"].isin(arms) | wells["family"].isin(arms)]
    compared = [arm for arm in dict.fromkeys(asked["arm"]) if arm != control]
    wells = wells[wells["arm"].isin([control, *compared])]
    efficiencies, notes = _efficiencies(standards, efficiency, rnas, cutoff, where)
    factors = dict(zip(efficiencies["target"].astype(str), efficiencies["efficiency"].astype(float), strict=True))
    amplification = {name: math.log2(1.0 + value) for name, value in factors.items()}
    samples = ct.samples(wells, cutoff)
    dct, left_out = ct.dct(samples, target, references, amplification, cutoff)
    replicates, stability = ct.replicates(wells), ct.stability(samples, references, amplification)
    detection = ct.detection(wells, min_detected)
    table_of_folds = folds.table(dct, detection, target, control, compared, times, design)
    findings = [
        _detection_finding(wells, detection, target), *folds.findings(table_of_folds, design, timed=timed),
    ]  # fmt: skip
    settings = {
        "target": target, "reference": references, "control": control, "arms": compared, "design": design,
        "time_h": list(times),
        "cutoff": cutoff, "undetected": undetected, "min_detected": min_detected, "level": LEVEL, "timed": timed,
        **folds.SETTINGS,
        "efficiency": factors,
    }  # fmt: skip
    tables = {
        "fold_changes": table_of_folds, "detection": detection, "dct": dct, "replicates": replicates,
        "stability": stability, "efficiency": efficiencies,
    }  # fmt: skip
    notes = without + notes + left_out + ct.replicate_notes(replicates) + ct.stability_notes(stability, references)
    method = _METHOD.format(compared=_COMPARED[design])
    return QpcrResult("qpcr", method, settings, tuple(findings), tables, tuple(notes))


def _check_limits(cutoff: float, min_detected: float, where: str) -> None:
    faults = [
        Fault(f"{where}: {name}", f"{value:g}", expected)
        for name, value, right, expected in (
            ("cutoff", cutoff, 1.0 <= cutoff <= 60.0, "a Ct from 1 to 60"),
            ("min_detected", min_detected, 0.0 <= min_detected <= 1.0, "a share of wells from 0 to 1"),
        )
        if not right
    ]
    if faults:
        raise InvalidInput(faults)


def _chosen(
    wells: pd.DataFrame, target: str, references: Sequence[str], control: str, arms: Sequence[str] | None,
    time_h: float | Sequence[float] | None, where: str,
) -> list[float]:  # fmt: skip
    """The times asked for, once every name and time is known to be in the table."""
    times = [wells["time_h"].max()] if time_h is None else [time_h] if isinstance(time_h, int | float) else list(time_h)
    there: dict[str, list[Any]] = {"time_h": sorted(wells["time_h"].unique())}
    then = wells[wells["time_h"].isin(times)]
    there |= {name: sorted(then[name].unique()) for name in ("target", "arm")} if len(then) else {}
    groups = {*then["arm"], *then["family"]}
    asked = [
        *(("target", "target", name) for name in [target]), *(("reference", "target", name) for name in references),
        *(("control", "arm", name) for name in [control]),
        *(("arms", "arm", name) for name in arms or [] if name not in groups),
        *(("time_h", "time_h", time) for time in times),
    ]  # fmt: skip
    faults = [
        Fault(f"{where}: {option}", f"'{name}'", f"one of {', '.join(map(str, there[column]))}")
        for option, column, name in asked
        if column in there and name not in there[column]
    ]
    if target in references:
        faults.append(Fault(f"{where}: reference", f"the target '{target}' itself", "another RNA"))
    if faults:
        raise InvalidInput(faults)
    return [float(time) for time in times]


def _efficiencies(
    standards: pd.DataFrame, given: float | Mapping[str, float] | None, rnas: Sequence[str], cutoff: float, where: str
) -> tuple[pd.DataFrame, list[str]]:
    """The efficiency of every RNA with where it is from: given, measured in the plate's dilution series, or assumed."""
    import pandas as pd

    series = standards[standards["target"].isin(rnas)] if len(standards) else standards
    notes = blanks(series, cutoff) if len(series) else []
    measured = {}
    if given is None and len(series) and (series["quantity"] > 0.0).any():
        found = measured_efficiency(series, cutoff=cutoff, where=where)
        measured = {str(row["target"]): row for row in found.to_dict("records")}
    rows, faults = [], []
    for name in rnas:
        row = measured.get(name)
        if row is not None:
            source, value = "dilution series", float(row["efficiency"])
        else:
            value = given.get(name, 1.0) if isinstance(given, Mapping) else 1.0 if given is None else given
            known = name in given if isinstance(given, Mapping) else given is not None
            source = "given" if known else "assumed"
        if not LEAST_EFFICIENT <= value <= MOST_EFFICIENT:
            expected = f"a number from {LEAST_EFFICIENT:g} to {MOST_EFFICIENT:g} (1 = doubling in each cycle)"
            where_from = " (dilution series)" if row is not None else ""
            faults.append(Fault(f"{where}: efficiency of {name}{where_from}", f"{value:.3g}", expected))
        rows.append({**(row or {}), "target": name, "efficiency": value, "source": source})
    if faults:
        raise InvalidInput(faults)
    columns = [
        "target", "efficiency", "source", "low", "high", "slope", "intercept", "r_squared", "n_dilutions", "n_wells",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns), notes


def _detection_finding(wells: pd.DataFrame, detection: pd.DataFrame, target: str) -> Finding:
    """First of all: was the target measured?"""
    seen = wells.loc[wells["target"] == target, "ct"].notna()
    by_arm = (~seen).groupby(wells.loc[seen.index, "arm"], sort=False).agg(["sum", "count", "mean"])
    missed = int((~seen).sum())
    sentence = f"{target} was detected in {len(seen) - missed} of {len(seen)} wells"
    if missed:
        worst = by_arm.sort_values("mean", ascending=False, kind="stable").iloc[0]
        name = by_arm.sort_values("mean", ascending=False, kind="stable").index[0]
        sentence += f"; undetected most often in {name} ({worst['sum']:.0f} of {worst['count']:.0f})"
    kinds = set(detection.loc[detection["target"] == target, "verdict"])
    verdict = "partly below detection" if len(kinds) > 1 else kinds.pop()
    share = Estimate(missed / len(seen), math.nan, math.nan)
    unit = "share of wells undetected"
    return Finding.of("qpcr", f"detection:{target}", sentence + ".", share, unit=unit, p_holm=math.nan, verdict=verdict)
