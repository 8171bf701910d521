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

import numpy as np
from numpy.typing import NDArray

from senexo.assays import ct
from senexo.assays.censored import censored_difference
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
    significant,
)
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import capped

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SMALL_FOLD, LARGE_FOLD = 1.5, 4.0

EXAMPLE_OPTIONS: dict[str, object] = {"target": "miR-34c-5p", "reference": ["U6"], "control": "mock"}

METHOD = (
    "Technical replicates were averaged on the Ct scale within arm, donor and target. A sample of which some wells "
    "were undetected got the mean of a normal distribution censored at the cut-off; a sample without any detected well "
    "entered the comparison as censored (beyond the cut-off), never as a number. dCt was taken against the mean of "
    "the reference targets of the same sample, ddCt against the control arm of the same donor: paired t-test or, where "
    "a value was censored, a random-intercept Tobit likelihood with a t-calibrated profile interval. Donors are the "
    "unit. An arm with too few detected wells is below detection and not tested. P-values are corrected by Holm."
)


@dataclass(frozen=True)
class QpcrResult(AssayResult):
    """Tables: fold_changes, detection, dct (one row per sample). Columns: docs/assays.md."""

    def figure(self) -> Figure:
        from senexo.assays.drawing import fold_changes

        return fold_changes(self.tables, self.settings)


def qpcr(
    table: pd.DataFrame,
    *,
    target: str,
    reference: str | Sequence[str],
    control: str,
    arms: Sequence[str] | None = None,
    time_h: float | Sequence[float] | None = None,
    cutoff: float = 40.0,
    efficiency: float | Mapping[str, float] = 1.0,
    min_detected: float = 0.5,
    where: str = "table",
) -> QpcrResult:
    """Fold change of a target RNA in every arm against a control arm, paired by donor, after a detection report.

    With x = log2(1 + efficiency) Ct: dCt = x(target) - mean of x(reference), ddCt = dCt(arm) - dCt(control) in the
    same donor, fold change = 2^-ddCt of the mean over donors. Efficiency 1 is doubling in each cycle.

    table: one row per well: arm, donor, target, ct (empty or "undetected" where there was no signal) and where there
    are any replicate (technical), time_h (hours), detected, family. Other columns are ignored.
    target, reference: the RNA asked for; the one or several it is measured against. control: the arm fold changes
    refer to. arms: those compared, or families of arms (all others by default). time_h: one or several times, the last
    by default. cutoff: the Ct beyond which a well counts as undetected; where a single molecule already comes up
    earlier, its Ct is the honest cut-off. efficiency: one number, or one per target. min_detected: the share of wells
    an arm must have detected to be tested.

    InvalidInput lists every fault of the table (row, column) and unknown names. A read-out that was mostly not measured
    gets the verdict ``below detection: not testable`` instead of a p-value; fewer than three donors ``not testable``.

    >>> import pandas as pd
    >>> wells = pd.DataFrame({"arm": ["mock", "mock", "mimic", "mimic"] * 3, "donor": list("aaaabbbbcccc"),
    ...                       "target": ["miR-34c-5p", "U6"] * 6,
    ...                       "ct": [31.0, 20.1, 28.9, 20.0, 32.4, 20.9, 30.5, 21.1, 30.2, 19.8, 28.0, 19.9]})
    >>> print(qpcr(wells, target="miR-34c-5p", reference="U6", control="mock"))
    qpcr: 2 findings (95 % intervals; p after Holm)
    detection:miR-34c-5p        0 [-, -]           share of wells undetected              detected
    fold:miR-34c-5p:mimic:mock  4.39 [3.37, 5.71]  fold                       p = 0.0017  large
    """
    references = [reference] if isinstance(reference, str) else list(reference)
    wells = ct.wells(table, cutoff, where)
    times = _chosen(wells, target, references, control, arms, time_h, where)
    timed = "time_h" in table.columns
    wells = wells[wells["target"].isin([target, *references]) & wells["time_h"].isin(times)]
    asked = wells if arms is None else wells[wells["arm"].isin(arms) | wells["family"].isin(arms)]
    compared = [arm for arm in dict.fromkeys(asked["arm"]) if arm != control]
    wells = wells[wells["arm"].isin([control, *compared])]
    amplification = {name: _log2_amplification(efficiency, name, where) for name in (target, *references)}
    samples = ct.samples(wells, cutoff)
    dct, notes = ct.dct(samples, target, references, amplification, cutoff)
    detection = ct.detection(wells, min_detected)
    folds = _fold_changes(dct, detection, target, control, compared, times)
    findings = [_detection_finding(wells, detection, target), *_fold_findings(folds, timed=timed)]
    settings = {
        "target": target, "reference": references, "control": control, "time_h": list(times), "cutoff": cutoff,
        "efficiency": {name: 2.0**x - 1.0 for name, x in amplification.items()}, "min_detected": min_detected,
        "level": LEVEL, "small_fold": SMALL_FOLD, "large_fold": LARGE_FOLD, "timed": timed,
    }  # fmt: skip
    tables = {"fold_changes": folds, "detection": detection, "dct": dct}
    return QpcrResult("qpcr", METHOD, settings, tuple(findings), tables, tuple(notes))


def example() -> pd.DataFrame:
    """Made-up wells of five donors: miR-34c-5p against U6 in two replicates; a decoy takes some below detection.

    >>> [finding.verdict for finding in qpcr(example(), **EXAMPLE_OPTIONS).findings]
    ['partly below detection', 'large', 'below detection: not testable']
    """
    import pandas as pd

    rng = np.random.default_rng(20180515)
    rows = []
    for donor in range(5):
        level = rng.normal(35.5, 0.7)
        for arm, shift in (("mock", 0.0), ("mimic", -3.5), ("decoy", 5.5)):
            sample = level + shift + rng.normal(0.0, 0.3)
            for replicate in (1, 2):
                cycles = {"miR-34c-5p": sample + rng.normal(0.0, 0.3), "U6": rng.normal(20.0, 0.2)}
                rows += [
                    (arm, f"donor {donor + 1}", name, replicate, round(ct, 2) if ct <= 40.0 else "undetected")
                    for name, ct in cycles.items()
                ]
    return pd.DataFrame(rows, columns=["arm", "donor", "target", "replicate", "ct"])


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
        raise capped(faults, where)
    return [float(time) for time in times]


def _log2_amplification(efficiency: float | Mapping[str, float], name: str, where: str) -> float:
    value = efficiency.get(name, 1.0) if isinstance(efficiency, Mapping) else efficiency
    if not 0.5 <= value <= 1.1:
        expected = "a number from 0.5 to 1.1 (1 = doubling in each cycle)"
        raise InvalidInput([Fault(f"{where}: efficiency of {name}", f"{value:g}", expected)])
    return math.log2(1.0 + value)


def _fold_changes(
    dct: pd.DataFrame,
    detection: pd.DataFrame,
    target: str,
    control: str,
    compared: Sequence[str],
    times: Sequence[float],
) -> pd.DataFrame:
    """One row per arm and time: ddCt over paired donors, as fold change."""
    import pandas as pd

    verdicts = detection[detection["target"] == target].set_index(["arm", "time_h"])["verdict"]
    rows = []
    for time in times:
        now = {arm: group.set_index("donor") for arm, group in dct[dct["time_h"] == time].groupby("arm")}
        for arm in compared:
            below = [name for name in (arm, control) if verdicts.get((name, time)) == "below detection"]
            row = _fold_change(now.get(arm), now.get(control), tested=not below)
            rows.append({"target": target, "arm": arm, "control": control, "time_h": time, **row, "below": below})
    for row, p in zip(rows, holm([row["p_value"] for row in rows]), strict=True):
        ddct = Estimate(row["ddct"], row["ddct_low"], row["ddct_high"])
        size = judge(ddct, float(p), small=math.log2(SMALL_FOLD), large=math.log2(LARGE_FOLD))
        row |= {"p_holm": float(p), "verdict": "below detection: not testable" if row.pop("below") else size}
    names = (
        "target", "arm", "control", "time_h", "n_donors", "n_censored", "fold", "low", "high", "ddct", "ddct_low",
        "ddct_high", "p_value", "p_holm", "n_only_arm", "n_only_control", "p_detection", "verdict",
    )  # fmt: skip
    return pd.DataFrame(rows, columns=list(names))


def _fold_change(arm: pd.DataFrame | None, control: pd.DataFrame | None, *, tested: bool) -> dict[str, Any]:
    """ddCt of the donors that have both samples; nan where it is not to be tested or cannot be."""
    ddct, n_donors, n_censored, only_arm, only_control = Estimate(math.nan, math.nan, math.nan), 0, 0, 0, 0
    if arm is not None and control is not None:
        donors = arm.index.intersection(control.index)
        n_donors, first, second = len(donors), arm.loc[donors], control.loc[donors]
        hidden, hidden_control = first["censored"].to_numpy(), second["censored"].to_numpy()
        n_censored = int(hidden.sum() + hidden_control.sum())
        only_arm, only_control = int((~hidden & hidden_control).sum()), int((hidden & ~hidden_control).sum())
        if tested and n_donors:
            ddct = _ddct(first["dct"].to_numpy(), hidden, second["dct"].to_numpy(), hidden_control)
    return {
        "n_donors": n_donors, "n_censored": n_censored, "fold": 2.0**-ddct.value, "low": 2.0**-ddct.high,
        "high": 2.0**-ddct.low, "ddct": ddct.value, "ddct_low": ddct.low, "ddct_high": ddct.high,
        "p_value": ddct.p_value, "n_only_arm": only_arm, "n_only_control": only_control,
        "p_detection": _mcnemar(only_arm, only_control),
    }  # fmt: skip


def _ddct(
    first: NDArray[np.float64],
    hidden: NDArray[np.bool_],
    second: NDArray[np.float64],
    hidden_control: NDArray[np.bool_],
) -> Estimate:
    """Mean paired difference; fewer than three donors give their mean without an interval."""
    try:
        return censored_difference(
            first, hidden.astype(np.int8), second, hidden_control.astype(np.int8), resolution=ct.CT_RESOLUTION
        )
    except ValueError:
        known = not (hidden.any() or hidden_control.any())
        return Estimate(float(np.mean(first - second)) if known else math.nan, math.nan, math.nan)


def _mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p that detection is as likely in both arms, from the donors detected in one arm only."""
    from scipy.special import bdtr

    n = only_first + only_second
    return min(1.0, 2.0 * float(bdtr(min(only_first, only_second), n, 0.5))) if n else 1.0


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


def _fold_findings(folds: pd.DataFrame, *, timed: bool) -> list[Finding]:
    return [
        Finding.of(
            "qpcr", f"fold:{row['target']}:{row['arm']}:{row['control']}" + (f":{row['time_h']:g}h" if timed else ""),
            f"{row['target']}{', ' + day(row['time_h']) if timed else ''}: {row['arm']} against {row['control']}: "
            + _fold_words(row),
            Estimate(row["fold"], row["low"], row["high"]), unit="fold", p_holm=row["p_holm"], verdict=row["verdict"],
        )
        for row in records(folds)
    ]  # fmt: skip


def _fold_words(row: Mapping[str, Any]) -> str:
    n, fold = row["n_donors"], row["fold"]
    if n == 0:
        return "not testable: no donor was measured in both arms (the test is paired by donor)."
    if row["verdict"] == "below detection: not testable":
        one_sided = row["n_only_arm"] + row["n_only_control"]
        words = "below detection: fold change not testable"
        if not one_sided:
            return f"{words} ({n} donors)."
        return (
            f"{words}; detected in {row['arm']} alone in {row['n_only_arm']} and in {row['control']} alone in "
            f"{row['n_only_control']} of {n} donors (exact McNemar p = {row['p_detection']:.2g}, not corrected)."
        )
    if row["verdict"] == "not testable":
        seen = "" if math.isnan(fold) else f" ({significant(fold)}-fold in {'it' if n == 1 else 'them'})"
        return f"not testable with {n} donor{'s' if n > 1 else ''}{seen}; three with a detected value are needed."
    if math.isinf(fold):
        size = f"more than {significant(row['low'])}-fold"
    elif fold == 0.0:
        size = f"less than {significant(row['high'])}-fold"
    else:
        size = f"{significant(fold)}-fold"
    samples = "1 sample" if row["n_censored"] == 1 else f"{row['n_censored']} samples"
    censored = f"; {samples} below detection, censored" if row["n_censored"] else ""
    change = f"a {row['verdict']} {'rise' if fold > 1.0 else 'fall'}."
    effects = {
        "absent": f"no change shown; a {SMALL_FOLD:g}-fold one is excluded.",
        "not shown": f"no change shown{before_holm(row)}.",
    }
    interval = interval_text(row["low"], row["high"], row["p_holm"], n)
    return f"{size} ({interval}{censored}): {effects.get(row['verdict'], change)}"
