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
from senexo.assays._survival.tables import LARGE, SMALL, Answers
from senexo.assays.detection import LEAST_READS
from senexo.assays.level_detection import Measured, measured
from senexo.assays.patients.columns import event_column, refuse_two_roles
from senexo.assays.patients.question import (
    Question,
    cut_of,
    missing_note,
    names_of,
    numbered,
    read_levels,
    unused_options,
)
from senexo.assays.result import AssayResult
from senexo.assays.stats.cutpoint import SHARE, SHUFFLES
from senexo.assays.stats.estimate import LEVEL
from senexo.assays.transform import columns_used
from senexo.base.deprecation import former_keywords
from senexo.base.errors import Fault
from senexo.base.join import exclude as left_out
from senexo.base.table import capped

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

UNITS = ("days", "weeks", "months", "years", "hours")
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


@former_keywords({"least": "min_reads"}, dropped={"ties": ("efron", "ties are treated by Efron's method")})
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
    min_reads: float = LEAST_READS,
    where: str = "table",
) -> SurvivalResult:
    """Compare survival between groups, or with a level.

    Kaplan-Meier curves, log-rank test, Cox's model alone and adjusted, restricted mean survival. The hazard of Cox's
    model is h0(t) exp(x b), with an h0 for each stratum; a hazard ratio is exp(b). With neither `group` nor `value` the
    survival of all is estimated.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per patient; the columns are named by the other parameters.
    time : str
        Column of follow-up times, above 0.
    event : str
        Column that says whether the event occurred (1, true, yes) or follow-up ended (0, false, no); or COLUMN=VALUE.
    group : str, optional
        Column of groups, at most 12.
    control : str, optional
        The group that ratios refer to; by default the first by name or number.
    value : str or sequence of str, optional
        One or several levels, each a column or a formula of columns (``log2(hsa-mir-34c + 1)``). P-values of several
        are corrected together.
    cut : str or float, optional
        How a level is divided into low (up to the cut) and high: ``median``, a number, or ``optimal``, which is
        searched and has a p-value that counts the search. Without it the hazard ratio is for one unit of the level.
    adjust : str or sequence of str, optional
        Columns of numbers or names that the second model holds constant.
    strata : str or sequence of str, optional
        Columns whose groups have baseline hazards of their own.
    exclude : str or sequence of str, optional
        Rows to leave out, as COLUMN=VALUE.
    until : float, optional
        Time to which mean survival is restricted, in the unit of `time`; by default the longest that all groups were
        followed.
    unit : str, optional
        Unit of the times; by default as the name of the column says.
    patient : str, optional
        Column that names each patient once.
    kind : {"counts", "rpm", "other"}, optional
        What columns of RNAs hold; by default as their numbers say. Of ``other`` detection is not judged.
    min_reads : float, default 3
        Reads with which an RNA counts as measured.
    where : str, default "table"
        What messages call the table.

    Returns
    -------
    SurvivalResult
        Tables cox (or groups), logrank, means, models, proportional, cuts, detection, curves. A level below detection
        has the verdict ``below detection: not testable`` instead of a p-value.

    Raises
    ------
    InvalidInput
        Every fault of the table (row, column) and of the options, together.

    References
    ----------
    Kaplan EL, Meier P, J Am Stat Assoc 1958;53:457-481, doi 10.1080/01621459.1958.10501452. Cox DR, J R Stat Soc B
    1972;34:187-202, doi 10.1111/j.2517-6161.1972.tb00899.x. Firth's penalty: Heinze G, Schemper M, Biometrics
    2001;57:114-119, doi 10.1111/j.0006-341X.2001.00114.x.

    Examples
    --------
    >>> from senexo.assays.specs import example
    >>> table, options = example("survival")
    >>> result = survival(table, **options)
    >>> [finding.verdict for finding in result.findings if finding.id.startswith(("detection", "logrank"))]
    ['detected', 'shown']
    """
    asked = [value] if isinstance(value, str) else list(dict.fromkeys(value or []))
    roles = patients.Roles(time, event, group, names_of(adjust), names_of(strata), patient)
    number = _check_options(group, control, asked, cut, roles.strata, until, where)
    rows, notes = left_out(numbered(table), names_of(exclude), where=where)
    values, cohort = _read(rows, asked, roles, where)
    found = measured(rows, asked, kind=kind, min_reads=min_reads, where=where) if asked else Measured({}, [])
    answers = Answers(cohort, control=control, cut=number, until=until, where=where)
    notes += [*cohort.notes, *found.notes]
    if group is not None:
        notes += missing_note(group, ~cohort.group.present() if cohort.group else np.zeros(0, bool))
        answers.add(Question(group, None, None, curves=True))
    elif not asked:
        answers.everybody()
    for name in asked:
        numbers = values[name].reindex(cohort.index).to_numpy(dtype=float)
        if len(asked) == 1:
            notes += missing_note(name, np.isnan(numbers))
        answers.add(Question(name, numbers, found.detections[name], curves=len(asked) == 1))
    for covariate in cohort.adjust:
        notes += missing_note(covariate.name, ~covariate.present(), " of the adjusted model")
    settings = {
        "time": time, "event": event, "group": group, "control": control, "value": asked, "cut": number,
        "adjust": roles.adjust, "strata": roles.strata, "exclude": names_of(exclude), "until": until,
        "unit": _unit(time) if unit is None else unit, "patient": patient, "kind": kind, "min_reads": min_reads,
        "level": LEVEL, "small_ratio": SMALL, "large_ratio": LARGE, "searched_share": SHARE, "shuffles": SHUFFLES,
        "n": len(cohort.time), "n_events": int(cohort.event.sum()), "n_strata": int(cohort.stratum.max()) + 1,
    }  # fmt: skip
    tables = answers.tables()
    if not asked and group is None:
        tables = {"groups": tables.pop("groups"), **tables}
    findings = survival_words.findings(tables, settings, [group] if group is not None else asked, found.detections)
    return SurvivalResult("survival", _method(settings), settings, tuple(findings), tables, (*notes, *answers.notes))


def _check_options(
    group: str | None, control: str | None, value: Sequence[str], cut: str | float | None, strata: Sequence[str],
    until: float | None, where: str,
) -> str | float | None:  # fmt: skip
    """The cut as a word or a number; everything that is wrong with the request at once."""
    number, faults = cut_of(cut, ("median", "optimal"), "median, optimal or a number", where)
    if group is not None and value:
        faults.append(Fault(f"{where}: value", "a value besides a group", "one of the two"))
    faults += unused_options(group, control, value, cut, where)
    if cut == "optimal" and strata:
        faults.append(
            Fault(f"{where}: cut", "'optimal' with strata", "median or a number (a search within strata is not done)")
        )
    if until is not None and not (math.isfinite(until) and until > 0):
        faults.append(Fault(f"{where}: until", f"{until:g}", "a time > 0"))
    if faults:
        raise capped(faults, where)
    return number


def _read(
    rows: pd.DataFrame, asked: Sequence[str], roles: patients.Roles, where: str
) -> tuple[dict[str, pd.Series], patients.Cohort]:
    """Levels and patients; a column has one role only, also within a formula."""
    values, cohort = read_levels(rows, asked, lambda: patients.read(rows, roles, where), where)
    refuse_two_roles([*asked, *roles.adjust, *roles.strata], where)
    outcome = [roles.time, event_column(rows, roles.event, where)[0]]
    for text in asked:
        used = columns_used(rows, text)
        refuse_two_roles([*outcome, *(name for name in used if name in outcome)], where)
    return values, cohort


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
