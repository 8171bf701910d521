"""Survival of patients or mice: Kaplan-Meier, log-rank, Cox alone and adjusted, cut-points, restricted means."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays._survival import read as patients
from senexo.assays._survival import sentences as survival_words
from senexo.assays._survival.tables import LARGE, SMALL, Answers, Question
from senexo.assays.detection import LEAST_READS
from senexo.assays.level_detection import Measured, measured
from senexo.assays.result import AssayResult
from senexo.assays.stats.cutpoint import SHARE, SHUFFLES
from senexo.assays.stats.estimate import LEVEL
from senexo.assays.transform import column, columns_used
from senexo.base.errors import Fault, InvalidInput, UnsupportedFeature
from senexo.base.join import exclude as left_out
from senexo.base.table import capped

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

UNITS = ("days", "weeks", "months", "years", "hours")
EXAMPLE_OPTIONS: dict[str, object] = {
    "time": "os_months", "event": "dead", "value": ["log2(miR-34a-5p + 1)"], "cut": "median", "adjust": ["age"],
}  # fmt: skip

_KAPLAN_MEIER = (
    "Survival was estimated by Kaplan and Meier's method with 95 % intervals on the log scale (Greenwood), medians "
    "with the intervals that follow from them"
)
_GROUPS = (
    ", and compared by the log-rank test{strata}; restricted mean survival within the time that all groups were "
    "followed was compared by Welch's t test from Greenwood variances"
)
_SEARCHED = (
    ", and compared by the largest standardised log-rank statistic over all cuts that leave a tenth of the patients on "
    "either side, its p-value from {shuffles:,} permutations (which counts the search)"
)
_COX = (
    " Hazard ratios are from Cox's proportional hazards model (Efron's ties{strata}){adjust}, with Firth's penalised "
    "likelihood where a ratio would be infinite; proportional hazards were checked by the score test of an interaction "
    "with 1 - S(t) (Schoenfeld residuals), discrimination by Harrell's C. P-values of several levels were corrected by "
    "Holm's method."
)


@dataclass(frozen=True)
class SurvivalResult(AssayResult):
    """Tables: cox (or groups), logrank, means, models, proportional, cuts, detection, curves.

    Columns: docs/assays/survival.md.
    """

    def figure(self) -> Figure:
        from senexo.assays._survival.figure import survival_figure

        return survival_figure(self.tables, self.settings)


def survival(
    table: pd.DataFrame,
    *,
    time: str,
    event: str,
    group: str | None = None,
    control: str | None = None,
    value: str | Sequence[str] | None = None,
    cut: str | float | None = None,
    adjust: str | Sequence[str] = (),
    strata: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    until: float | None = None,
    unit: str | None = None,
    patient: str | None = None,
    kind: str | None = None,
    least: float = LEAST_READS,
    ties: str = "efron",
    where: str = "table",
) -> SurvivalResult:
    """Do groups, or a level, go with survival: curves, log-rank, Cox alone and adjusted, restricted mean survival.

    Cox: the hazard is h0(t) exp(x b), or h0 of each stratum; a ratio is exp(b).

    table: one row per patient. time: the column of follow-up times (above 0); event: the column that says whether the
    event came (1, true, yes) or follow-up ended (0, false, no), or COLUMN=VALUE. group: a column of groups, of which
    `control` (the first by default) is what ratios refer to; or value: one or several formulas of columns
    (``log2(hsa-mir-34c + 1)``), all corrected together. cut: none (the hazard ratio is for each unit of the value),
    ``median``, a number (low is up to it), or ``optimal`` (searched, with a p-value that counts the search). adjust:
    columns of numbers or names that the second model holds constant. strata: columns whose groups have hazards of their
    own. exclude: COLUMN=VALUE of rows to leave out. until: the time to which mean survival is restricted (by default
    the longest that all groups were followed). unit: of the times, read from the column's name where that says it.
    patient: a column that names each patient once. kind, least: was an RNA measured at all, see `measured`. ties:
    ``efron``.

    InvalidInput lists every fault of the table (row, column) and unknown names; UnsupportedFeature names other ways to
    treat ties. A level below detection gets the verdict ``below detection: not testable`` instead of a p-value.

    >>> found = survival(example(), **EXAMPLE_OPTIONS)
    >>> [finding.verdict for finding in found.findings if finding.id.startswith(("detection", "logrank"))]
    ['detected', 'shown']
    """
    asked = [value] if isinstance(value, str) else list(dict.fromkeys(value or []))
    roles = patients.Roles(time, event, group, _names(adjust), _names(strata), patient)
    number = _check_options(group, control, asked, cut, roles.strata, until, ties, where)
    rows, notes = left_out(_numbered(table), _names(exclude), where=where)
    values, cohort = _read(rows, asked, roles, where)
    found = measured(rows, asked, kind=kind, least=least, where=where) if asked else Measured({}, [])
    answers = Answers(cohort, control=control, cut=number, until=until, where=where)
    notes += [*cohort.notes, *found.notes]
    if group is not None:
        notes += _missing(group, ~cohort.group.present() if cohort.group else np.zeros(0, bool))
        answers.add(Question(group, None, None, curves=True))
    elif not asked:
        answers.everybody()
    for name in asked:
        numbers = values[name].reindex(cohort.index).to_numpy(dtype=float)
        if len(asked) == 1:
            notes += _missing(name, np.isnan(numbers))
        answers.add(Question(name, numbers, found.detections[name], curves=len(asked) == 1))
    for covariate in cohort.adjust:
        notes += _missing(covariate.name, ~covariate.present(), " of the adjusted model")
    settings = {
        "time": time, "event": event, "group": group, "control": control, "value": asked, "cut": number,
        "adjust": roles.adjust, "strata": roles.strata, "exclude": _names(exclude), "until": until,
        "unit": _unit(time) if unit is None else unit, "patient": patient, "kind": kind, "least": least, "ties": ties,
        "level": LEVEL, "small_ratio": SMALL, "large_ratio": LARGE, "searched_share": SHARE, "shuffles": SHUFFLES,
        "n": len(cohort.time), "n_events": int(cohort.event.sum()), "n_strata": int(cohort.stratum.max()) + 1,
    }  # fmt: skip
    tables = answers.tables()
    if not asked and group is None:
        tables = {"groups": tables.pop("groups"), **tables}
    findings = survival_words.findings(tables, settings, [group] if group is not None else asked, found.detections)
    return SurvivalResult("survival", _method(settings), settings, tuple(findings), tables, (*notes, *answers.notes))


def example() -> pd.DataFrame:
    """Made-up patients: the lower miR-34a-5p, the shorter they live; miR-34c-5p was hardly seen.

    >>> example().shape
    (60, 7)
    """
    import pandas as pd

    rng = np.random.default_rng(20180515)
    n = 60
    level, age = rng.normal(0.0, 1.0, n), rng.normal(58.0, 11.0, n).round().clip(20, 85)
    months = rng.exponential(16.0, n) * np.exp(0.9 * level - 0.03 * (age - 58.0))
    end = rng.uniform(6.0, 60.0, n)
    return pd.DataFrame({
        "patient": [f"P{i + 1:02d}" for i in range(n)],
        "os_months": np.minimum(months, end).clip(0.1).round(1), "dead": (months <= end).astype(int),
        "arm": np.where(rng.random(n) < 0.5, "7+3", "aza"), "age": age.astype(int),
        "miR-34a-5p": rng.poisson(150.0 * np.exp(0.8 * level)), "miR-34c-5p": rng.poisson(0.7, n),
    })  # fmt: skip


def _names(given: str | Sequence[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _numbered(table: pd.DataFrame) -> pd.DataFrame:
    """Rows numbered as `read_table` leaves them, so that messages name the row of the spreadsheet."""
    import pandas as pd

    good = table.index.is_unique and pd.api.types.is_integer_dtype(table.index)
    return table if good else table.reset_index(drop=True)


def _check_options(
    group: str | None, control: str | None, value: Sequence[str], cut: str | float | None, strata: Sequence[str],
    until: float | None, ties: str, where: str,
) -> str | float | None:  # fmt: skip
    """The cut as a word or a number; everything that is wrong with the request at once."""
    if ties != "efron":
        raise UnsupportedFeature(f"ties = '{ties}'", "ties are treated by Efron's method (ties = 'efron')")
    faults, number = [], cut
    if isinstance(cut, str) and cut not in ("median", "optimal"):
        try:
            number = float(cut)
        except ValueError:
            number = math.nan
    if isinstance(number, int | float) and not math.isfinite(number):
        faults.append(Fault(f"{where}: cut", f"'{cut}'", "median, optimal or a number"))
    if group is not None and value:
        faults.append(Fault(f"{where}: value", "a value besides a group", "one of the two"))
    if cut is not None and not value:
        faults.append(Fault(f"{where}: cut", f"'{cut}' without a value", "a value to cut"))
    if cut == "optimal" and strata:
        faults.append(
            Fault(f"{where}: cut", "'optimal' with strata", "median or a number (a search within strata is not done)")
        )
    if control is not None and group is None:
        faults.append(Fault(f"{where}: control", f"'{control}' without a group", "the column of groups"))
    if until is not None and not (math.isfinite(until) and until > 0):
        faults.append(Fault(f"{where}: until", f"{until:g}", "a time > 0"))
    if faults:
        raise capped(faults, where)
    return number


def _read(
    rows: pd.DataFrame, asked: Sequence[str], roles: patients.Roles, where: str
) -> tuple[dict[str, pd.Series], patients.Cohort]:
    """Levels and patients, with the faults of both together."""
    faults: list[Fault] = []
    values: dict[str, pd.Series] = {}
    for text in asked:
        try:
            values[text] = column(rows, text, where=where)
        except InvalidInput as error:
            faults += error.faults
    try:
        cohort = patients.read(rows, roles, where)
    except InvalidInput as error:
        raise capped(list(dict.fromkeys([*error.faults, *faults])), where) from None
    if faults:
        raise capped(faults, where)
    patients.refuse_two_roles([*asked, *roles.adjust, *roles.strata], where)
    outcome = [roles.time, patients.event_column(rows, roles.event, where)[0]]
    for text in asked:
        used = columns_used(rows, text)
        patients.refuse_two_roles([*outcome, *(name for name in used if name in outcome)], where)
    return values, cohort


def _missing(name: str, missing: np.ndarray, of: str = "") -> list[str]:
    n = int(missing.sum())
    return [f"{n} of {len(missing)} patients {'has' if n == 1 else 'have'} no {name} and {'is' if n == 1 else 'are'} "
            f"no part{of}"] if n else []  # fmt: skip


def _unit(time: str) -> str:
    """The unit that the name of the column tells, if it does: os_days, time (months)."""
    words = re.findall(r"[a-z]+", time.lower())
    return next((unit for unit in UNITS if unit in words or unit[:-1] in words), "")


def _method(settings: Mapping[str, Any]) -> str:
    strata = f", stratified by {', '.join(settings['strata'])}" if settings["strata"] else ""
    adjust = f", unadjusted and adjusted for {', '.join(settings['adjust'])}" if settings["adjust"] else ""
    compared = settings["group"] is not None or settings["cut"] is not None
    text = _KAPLAN_MEIER
    if settings["cut"] == "optimal":
        text += _SEARCHED.format(shuffles=SHUFFLES)
    elif compared:
        text += _GROUPS.format(strata=strata)
    asked = settings["group"] is not None or settings["value"]
    return f"{text}.{_COX.format(strata=strata, adjust=adjust) if asked else ''}"
