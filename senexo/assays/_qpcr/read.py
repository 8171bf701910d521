"""From wells to dCt: the checked table of threshold cycles, technical replicates, references, and what was detected."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.assays._qpcr.spec import SPEC
from senexo.assays._qpcr.words import asked_about_zero
from senexo.assays.result import day, records
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import at, check

if TYPE_CHECKING:
    import pandas as pd

CT_RESOLUTION = 0.05  # cycles: no instrument and no donors agree better
TECHNICAL_SD = 0.3  # cycles; used only where no sample has two detected replicates to tell it
WIDE = 0.5  # cycles: replicates that spread less are never called outlying; a larger SD hides a two-fold change
UNSTABLE = 1.0  # geNorm's M: above, even in mixed samples, a reference is not taken as stable
MOST_NOTES = 5


def wells(table: pd.DataFrame, cutoff: float, where: str) -> pd.DataFrame:
    """The checked table; `ct` is nan exactly where nothing was detected at or before the cut-off."""

    def detected_have_a_ct(rows: pd.DataFrame) -> list[Fault]:
        if "detected" not in rows:
            return []
        contradicted = rows.index[rows["detected"] & rows["ct"].isna()]
        return [
            Fault(at(where, row, "ct"), "no Ct in a detected well", "a Ct, or detected = false") for row in contradicted
        ]

    columns = [one for one in SPEC.checks() if one.name != "quantity"]
    try:
        wells = check(table, columns, where=where, key=SPEC.key, rules=[detected_have_a_ct])
    except InvalidInput as error:
        raise asked_about_zero(error) from None
    if "time_h" not in wells:
        wells["time_h"] = 0.0
    if "family" not in wells:
        wells["family"] = wells["arm"]
    if "detected" in wells:
        wells["ct"] = wells["ct"].where(wells["detected"])
    wells["ct"] = wells["ct"].where(wells["ct"] <= cutoff)
    return wells.drop(columns="detected", errors="ignore")


def samples(wells: pd.DataFrame, cutoff: float) -> pd.DataFrame:
    """One row per arm, time, donor and target: mean Ct of its technical replicates, nan where no well was detected."""
    import pandas as pd

    names = ["arm", "time_h", "donor", "target"]
    groups = wells.groupby(names, sort=False)["ct"]
    spread = _technical_sd(wells.groupby(names, sort=False)["ct"])
    rows = [
        (
            *key,
            len(cts),
            int(cts.notna().sum()),
            _mean_ct(cts.to_numpy(), cutoff, spread.get(str(key[-1]), TECHNICAL_SD)),
        )
        for key, cts in groups
    ]
    return pd.DataFrame(rows, columns=[*names, "n_wells", "n_detected", "ct"])


def replicates(wells: pd.DataFrame) -> pd.DataFrame:
    """How far technical replicates of a sample agree: one row per sample with two detected wells or more.

    `outlying`: its variance is larger than that of the other samples of this target by more than chance allows (F test
    at 5 % over all samples of the target, Bonferroni), and its wells lie more than half a cycle apart.
    """
    from scipy.special import fdtrc

    names = ["arm", "time_h", "donor", "target"]
    found = wells.groupby(names, sort=False)["ct"].agg(["size", "count", "mean", "var", "min", "max"]).reset_index()
    found = found[found["count"] > 1]
    df = found["count"] - 1
    squares, by_target = df * found["var"], found["target"]
    df_rest = df.groupby(by_target).transform("sum") - df
    rest = (squares.groupby(by_target).transform("sum") - squares) / df_rest.clip(lower=1)
    # when all others agree to the last digit, a spread is judged by the finest resolution believed
    ratio = found["var"] / rest.clip(lower=CT_RESOLUTION**2)
    p_value = np.where(df_rest > 0, fdtrc(df, df_rest.clip(lower=1), ratio), 1.0)
    several = by_target.groupby(by_target).transform("size")
    spread = found["max"] - found["min"]
    found = found.assign(
        sd_ct=np.sqrt(found["var"]), spread=spread, outlying=(p_value < 0.05 / several) & (spread > WIDE)
    ).rename(columns={"size": "n_wells", "count": "n_detected", "mean": "mean_ct"})
    return found[[*names, "n_wells", "n_detected", "mean_ct", "sd_ct", "spread", "outlying"]].reset_index(drop=True)


def replicate_notes(found: pd.DataFrame) -> list[str]:
    """Which samples to look at again, and targets whose replicates are too far apart in general."""
    outlying = records(found[found["outlying"]])
    notes = [
        f"technical replicates of {row['target']} lie {row['spread']:.2f} cycles apart in {row['arm']}, donor "
        f"{row['donor']}, {day(row['time_h'])}: an outlying well? (nothing was left out)"
        for row in outlying[:MOST_NOTES]
    ]
    if len(outlying) > MOST_NOTES:
        notes.append(f"{len(outlying) - MOST_NOTES} more samples with an outlying replicate: table replicates")
    for target, group in found.groupby("target", sort=False):
        weight = group["n_detected"] - 1
        pooled = math.sqrt(float((group["sd_ct"] ** 2 * weight).sum() / weight.sum()))
        if pooled > WIDE:
            notes.append(f"technical replicates of {target} have an SD of {pooled:.2f} cycles; 0.3 is usual")
    return notes


def stability(samples: pd.DataFrame, references: Sequence[str], amplification: Mapping[str, float]) -> pd.DataFrame:
    """geNorm's M of each reference RNA: how much its ratio to the others varies between samples; small is stable.

    M_j = mean over k of the standard deviation over samples of log2(a_j / a_k), log2 a = -log2(1 + efficiency) Ct.
    Samples in which all references were detected. Vandesompele J et al., Genome Biol 2002;3:research0034,
    doi 10.1186/gb-2002-3-7-research0034.
    """
    import pandas as pd

    wide = samples.pivot(index=["arm", "time_h", "donor"], columns="target", values="ct")
    logs = -wide.reindex(columns=list(references)).mul([amplification[name] for name in references]).dropna()
    rows = []
    for name in references if len(references) > 1 and len(logs) > 1 else ():
        spread = [float((logs[name] - logs[other]).std()) for other in references if other != name]
        rows.append((name, float(np.mean(spread)), len(logs)))
    return pd.DataFrame(rows, columns=["target", "m", "n_samples"])


def stability_notes(found: pd.DataFrame, references: Sequence[str]) -> list[str]:
    """What a reader must know of the references."""
    if len(references) == 1:
        return [f"one reference RNA ({references[0]}): whether it is stable cannot be judged from this table"]
    return [
        f"the reference {row['target']} varies between samples (geNorm M = {row['m']:.2f}; stable below 0.5 to 1)"
        for row in records(found[found["m"] > UNSTABLE])
    ]


def _technical_sd(groups: Any) -> dict[str, float]:
    """Pooled standard deviation of detected replicates, by target."""
    spread = groups.agg(["var", "count"])
    spread = spread[spread["count"] > 1]
    weight = spread["count"] - 1
    pooled = (spread["var"] * weight).groupby(level="target").sum() / weight.groupby(level="target").sum()
    return {str(name): max(math.sqrt(value), CT_RESOLUTION) for name, value in pooled.items()}


def _mean_ct(cts: NDArray[np.float64], cutoff: float, sd: float) -> float:
    """Mean of technical replicates; undetected ones are known to lie beyond the cut-off (normal with known sd)."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_ndtr

    seen = cts[~np.isnan(cts)]
    n_beyond = len(cts) - len(seen)
    if not n_beyond or not len(seen):
        return float(seen.mean()) if len(seen) else math.nan

    def cost(mean: float) -> float:
        return float(np.sum((seen - mean) ** 2) / (2.0 * sd * sd) - n_beyond * log_ndtr((mean - cutoff) / sd))

    low = float(seen.mean())
    return float(minimize_scalar(cost, bounds=(low, max(low, cutoff) + 10.0 * sd), method="bounded").x)


def dct(
    samples: pd.DataFrame, target: str, references: Sequence[str], amplification: Mapping[str, float], cutoff: float
) -> tuple[pd.DataFrame, list[str]]:
    """arm, time_h, donor, dct, censored: dCt of every sample (of its cut-off where censored), and what was left out."""
    wide = samples.pivot(index=["arm", "time_h", "donor"], columns="target", values="ct")
    wide = wide.reindex(columns=[target, *references])
    against = wide[list(references)].mul([amplification[name] for name in references]).mean(axis=1, skipna=False)
    measured = samples[samples["target"] == target].set_index(["arm", "time_h", "donor"])["ct"]
    failed = against.reindex(measured.index).isna()
    notes = [
        f"sample left out, its reference was not detected or not measured: {arm}, donor {donor}, {day(time)}"
        for arm, time, donor in failed.index[failed]
    ]
    measured = measured[~failed]
    dct = amplification[target] * measured.fillna(cutoff) - against.reindex(measured.index)
    return dct.rename("dct").reset_index().assign(censored=measured.isna().to_numpy()), notes


def detection(wells: pd.DataFrame, min_detected: float) -> pd.DataFrame:
    """How far each target was measured at all in each arm and time."""
    import pandas as pd

    rows = []
    for (target, arm, time), group in wells.groupby(["target", "arm", "time_h"], sort=False):
        seen = group["ct"].notna()
        by_donor = seen.groupby(group["donor"]).any()
        verdict = "detected" if seen.mean() >= min_detected else "below detection"
        rows.append((
            target, arm, time, len(seen), int((~seen).sum()), float((~seen).mean()), len(by_donor),
            int(by_donor.sum()), group["ct"].median() if seen.any() else math.nan, verdict,
        ))  # fmt: skip
    names = ["target", "arm", "time_h", "n_wells", "n_undetected", "share_undetected", "n_donors", "n_donors_detected"]
    return pd.DataFrame(rows, columns=[*names, "median_ct", "verdict"])
