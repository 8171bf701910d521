"""Nanoparticle tracking: particles released per cell and hour, and what changes that, by donor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays._particles import rates
from senexo.assays._particles import read as released
from senexo.assays._particles import sentences as tracking_words
from senexo.assays.comparisons import check_design, pairs_of
from senexo.assays.result import AssayResult, judge
from senexo.assays.stats.estimate import LEVEL, Estimate
from senexo.assays.stats.multiple_testing import holm

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SMALL_RATIO, LARGE_RATIO = 1.25, 2.0

_METHOD = (
    "Particles per mL were multiplied by the dilution, {blank}, multiplied by the volume of medium and divided by "
    "cells and hours. Readings of a sample were averaged. {compared} Rates below the limit of the blank (one-sided "
    "95 % prediction limit) entered as censored; the uncertainty of a shared blank was added to the error. P-values "
    "are corrected by Holm."
)
_COMPARED = {
    "paired": "Arms were compared by Student's t on the log ratios of rates within donors.",
    "unpaired": "Arms of different donors were compared by Welch's t-test of log rates.",
}


@dataclass(frozen=True)
class ParticlesResult(AssayResult):
    """Tables: ratios, rates (every arm), samples (every arm and donor), blanks. Columns: docs/assays/particles.md."""

    def figure(self) -> Figure:
        from senexo.assays._particles.figure import particle_rates

        return particle_rates(self.tables, self.settings)


def particles(
    table: pd.DataFrame,
    *,
    compare: Sequence[str] | Sequence[Sequence[str]] | None = None,
    blank: str | None = None,
    design: str = "paired",
    where: str = "table",
) -> ParticlesResult:
    """Estimate particles released per cell and hour in every arm, and ratios between arms, by donor.

    rate = (particles per mL x dilution - blank) x volume / (cells x hours); ratios are of geometric means over donors.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per reading: arm, donor, particles_per_ml (as read, that is of the diluted sample; or
        particles_per_frame and frame_volume_nl), dilution (factor, 1 = none), volume_ml of conditioned medium, n_cells
        (at its end), hours; where there are any replicate (readings or runs of a sample), batch (samples that share a
        blank), n_cells_start. Rows of the blank need no donor, cells or hours. Other columns are ignored.
    compare : pair of str or sequence of pairs, optional
        (arm, control arm), or several such pairs.
    blank : str, optional
        The arm that is medium without cells; without it nothing is subtracted.
    design : {"paired", "unpaired"}, default "paired"
        Arms of the same donors, or of different donors.
    where : str, default "table"
        What messages call the table.

    Returns
    -------
    ParticlesResult
        Tables ratios, rates, samples, blanks. An arm of which fewer than half of the donors lie above the blank has the
        verdict ``below blank: not testable`` instead of a p-value, one donor ``not testable``.

    Raises
    ------
    InvalidInput
        Every fault of the table (row, column) and unknown arms, together.

    References
    ----------
    Limit of the blank: Armbruster DA, Pry T, Clin Biochem Rev 2008;29 Suppl 1:S49-52. Error of a shared blank: Zou GY,
    Donner A, Stat Med 2008;27:1693-1702, doi 10.1002/sim.3095.

    Examples
    --------
    >>> import pandas as pd
    >>> read = pd.DataFrame({"arm": ["mock", "kd"] * 3, "donor": list("aabbcc"), "dilution": 100, "volume_ml": 5,
    ...                      "particles_per_ml": [9e7, 5e7, 6e7, 2.5e7, 1.2e8, 6e7], "n_cells": 2e6, "hours": 48})
    >>> print(particles(read, compare=("kd", "mock")))
    particles: 1 finding (95 % intervals; p after Holm)
    ratio:kd:mock  0.487 [0.339, 0.700]  ratio  p = 0.013  large
    """
    check_design(design, where)
    found, notes = released.readings(table, blank, where)
    blanks, more = released.blanks(found)
    samples = released.samples(found, blanks, where)
    compared = pairs_of(samples["arm"], compare, where)
    tables = {
        "ratios": _ratios(samples, blanks, compared, design),
        "rates": _rates(samples, blanks),
        "samples": samples,
        "blanks": blanks,
    }
    _, variances = rates.mixed_ratios(samples, compared) if design == "paired" else ({}, {})
    settings = {
        "compare": compared, "blank": blank, "design": design, "level": LEVEL, "small_ratio": SMALL_RATIO,
        "large_ratio": LARGE_RATIO, "donor_sd": variances.get("donor_sd"), "residual_sd": variances.get("residual_sd"),
    }  # fmt: skip
    subtracted = "less the mean of the blank" if blank is not None else "without a blank to subtract"
    return ParticlesResult(
        "particles", _METHOD.format(blank=subtracted, compared=_COMPARED[design]), settings,
        tuple(tracking_words.findings(tables, settings)), tables, (*notes, *more),
    )  # fmt: skip


def _df(blanks: pd.DataFrame) -> float:
    return float(blanks["df"].iloc[0]) if len(blanks) else math.inf


def _rates(samples: pd.DataFrame, blanks: pd.DataFrame) -> pd.DataFrame:
    """Geometric mean rate of every arm."""
    import pandas as pd

    rows = []
    for arm, mine in samples.groupby("arm", sort=False):
        n_below = int(mine["below"].sum())
        log = rates.arm_rate(mine, _df(blanks))
        verdict = "above blank" if not n_below else "below blank" if _too_few(mine) else "partly below blank"
        rows.append((arm, len(mine), n_below, *np.exp([log.value, log.low, log.high]), verdict))
    return pd.DataFrame(rows, columns=["arm", "n_donors", "n_below", "rate", "low", "high", "verdict"])


def _too_few(rows: pd.DataFrame) -> bool:
    """Are fewer than half of an arm's donors above the blank?"""
    return bool(len(rows)) and bool((~rows["below"]).mean() < rates.MEASURED)


def _ratios(
    samples: pd.DataFrame, blanks: pd.DataFrame, compared: Sequence[tuple[str, str]], design: str
) -> pd.DataFrame:
    """One row per pair of arms, with the mixed model's opinion beside it."""
    import pandas as pd

    by_arm = {arm: rows.set_index("donor") for arm, rows in samples.groupby("arm", sort=False)}
    mixed, _ = rates.mixed_ratios(samples, compared) if design == "paired" else ({}, {})
    rows: list[dict[str, Any]] = []
    for arm, control in compared:
        first, second = by_arm[arm], by_arm[control]
        if design == "paired":
            both = first.index.intersection(second.index)
            first, second = first.loc[both], second.loc[both]
        below = _too_few(first) or _too_few(second)
        judged = rates.paired if design == "paired" else rates.unpaired
        log = rates.NOTHING if below else judged(first, second, _df(blanks))
        other, df = mixed.get((arm, control), (rates.NOTHING, math.nan))
        rows.append({
            "arm": arm, "control": control, "n_donors": len(first), "n_donors_control": len(second),
            "n_below": int(first["below"].sum()), "n_below_control": int(second["below"].sum()),
            "ratio": math.exp(log.value), "low": math.exp(log.low), "high": math.exp(log.high),
            "p_value": log.p_value, "ratio_mixed": math.exp(other.value), "low_mixed": math.exp(other.low),
            "high_mixed": math.exp(other.high), "df_mixed": df, "p_mixed": other.p_value, "below": below,
        })  # fmt: skip
    for row, p in zip(rows, holm([row["p_value"] for row in rows]), strict=True):
        row |= {"p_holm": float(p), "verdict": _verdict(row, float(p))}
    return pd.DataFrame(rows, columns=[
        "arm", "control", "n_donors", "n_donors_control", "n_below", "n_below_control", "ratio", "low", "high",
        "p_value", "p_holm", "ratio_mixed", "low_mixed", "high_mixed", "df_mixed", "p_mixed", "verdict",
    ])  # fmt: skip


def _verdict(row: Mapping[str, Any], p: float) -> str:
    if row["below"]:
        return rates.NOT_TESTABLE
    with np.errstate(divide="ignore"):
        log = Estimate(*(float(np.log(row[name])) for name in ("ratio", "low", "high")))
    return judge(log, p, small=math.log(SMALL_RATIO), large=math.log(LARGE_RATIO))
