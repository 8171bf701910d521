"""What to measure next: the table `next_steps`, from the comparisons of a run and from what decides its claim.

Donors: the smallest number at which a paired t-test of two sides shows the difference that was found, if donors vary as
these did. Power is that of the noncentral t distribution with n - 1 degrees of freedom (Cohen 1988, Statistical Power
Analysis for the Behavioral Sciences, chapter 2), without a correction for several comparisons.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from senexo.lab.claim.tables import DECIDES
from senexo.lab.tables import number

if TYPE_CHECKING:
    from senexo.lab.claim.verdict import Verdict
    from senexo.lab.experiment import Experiment
    from senexo.lab.judging import Answer
    from senexo.study.schema import Study

POWER, ALPHA = 0.8, 0.05
FEWEST_DONORS, MOST_DONORS = 3, 2000
PARAMETERS = 3
# table of an assay -> (estimate, lower and upper end) on the scale on which Student's t made the interval
COMPARED = {
    "differences": ("difference", "low", "high"),
    "fold_changes": ("ddct", "ddct_low", "ddct_high"),
}
COLUMNS = (
    "kind", "request", "assay", "readout", "arm", "control", "dose_copies", "estimate", "low", "high", "verdict",
    "sd", "n_donors", "n_needed", "power", "parameter", "rho", "range_low", "range_high", "unit", "note",
)  # fmt: skip


def table(experiment: Experiment, answers: Sequence[Answer], claim: Verdict | None) -> pd.DataFrame:
    """One row per comparison (`kind` donors) and per deciding parameter (`kind` parameter), in the study's order."""
    rows = [*_parameters(experiment, claim), *_comparisons(experiment.study, answers)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def donors_needed(estimate: float, sd: float) -> float:
    """Donors with which a paired t-test shows `estimate`, between donors of standard deviation `sd`, with power 0.8.

    nan where more than `MOST_DONORS` would be needed, or where nothing was estimated.

    Examples
    --------
    >>> donors_needed(1.0, 1.0)
    10.0
    """
    if not math.isfinite(estimate) or not math.isfinite(sd) or estimate == 0.0:
        return math.nan
    effect = abs(estimate) / sd if sd else math.inf
    if power_of(MOST_DONORS, effect) < POWER:
        return math.nan
    low, high = FEWEST_DONORS - 1, MOST_DONORS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of(middle, effect) >= POWER else (middle, high)
    return float(high)


def power_of(n: int, effect: float) -> float:
    """Power of a paired t-test of two sides at 0.05 with n donors; effect: mean difference over its SD."""
    from scipy.stats import nct, t

    critical, shift = float(t.ppf(1.0 - ALPHA / 2.0, n - 1)), effect * math.sqrt(n)
    if shift > 8.0 * critical:  # above 1 - 1e-4; far out the series of the distribution loses its digits
        return 1.0
    wrong_side = nct.cdf(-critical, n - 1, shift) if shift < 4.0 else 0.0  # below 1e-5 from there on
    return float(nct.sf(critical, n - 1, shift) + wrong_side)


def _comparisons(study: Study, answers: Sequence[Answer]) -> Iterator[dict[str, Any]]:
    for answer in answers:
        for name, keys in COMPARED.items():
            rows = answer.result.tables.get(name)
            for row in [] if rows is None else rows.to_dict("records"):
                yield _comparison(study, answer, {str(key): value for key, value in row.items()}, keys)


def _comparison(study: Study, answer: Answer, row: Mapping[str, Any], keys: tuple[str, str, str]) -> dict[str, Any]:
    estimate, low, high = (float(row[key]) for key in keys)
    n = int(row["n_donors"])
    sd = spread(estimate, low, high, float(row["p_value"]), n)
    arm = study.arms.get(str(row["arm"]))
    return {
        "kind": "donors", "request": answer.request, "assay": answer.result.assay,
        "readout": row.get("fate") or row.get("target") or answer.name, "arm": row["arm"], "control": row["control"],
        "dose_copies": number(arm.dose_copies if arm else None), "estimate": estimate, "low": low, "high": high,
        "verdict": row["verdict"], "sd": sd, "n_donors": n, "n_needed": donors_needed(estimate, sd), "power": POWER,
    }  # fmt: skip


def spread(estimate: float, low: float, high: float, p_value: float, n: int) -> float:
    """The SD between n donors behind a mean, its 95 % interval and its p-value, both of Student's t.

    The p-value comes first: the end of an interval of shares may be cut off at -100 or 100 %.
    """
    from scipy.stats import t

    if n < 2:
        return math.nan
    if 0.0 < p_value < 1.0 and estimate != 0.0:
        return abs(estimate) / float(t.isf(p_value / 2.0, n - 1)) * math.sqrt(n)
    return max(estimate - low, high - estimate) / float(t.isf(ALPHA / 2.0, n - 1)) * math.sqrt(n)


def _parameters(experiment: Experiment, claim: Verdict | None) -> Iterator[dict[str, Any]]:
    """The parameters that decide a claim, the strongest first, each once."""
    if claim is None:
        return
    ranks = claim.tables["claim_ranks"]
    deciding = ranks[ranks["reading"] == DECIDES]
    deciding = deciding.sort_values("rho", key=abs, ascending=False, kind="stable").drop_duplicates("parameter")
    notes = {one.name: one.note for one in experiment.circuit.parameters} if experiment.circuit else {}
    for row in deciding.head(PARAMETERS).itertuples():
        name = str(row.parameter)
        draw = experiment.study.donors.draws[name]
        yield {
            "kind": "parameter", "parameter": name, "rho": row.rho, "range_low": draw.low, "range_high": draw.high,
            "unit": draw.unit, "n_donors": row.n_donors, "note": notes.get(name, ""),
        }  # fmt: skip
