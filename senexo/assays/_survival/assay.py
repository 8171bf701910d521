"""Survival of patients or mice: Kaplan-Meier, log-rank, Cox alone and adjusted, cut-points, restricted means."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from senexo.assays._survival import read as patients
from senexo.assays._survival import sentences as survival_words
from senexo.assays._survival.columns import LARGE, SMALL
from senexo.assays._survival.method import method
from senexo.assays._survival.tables import Answers
from senexo.assays.detection import LEAST_READS
from senexo.assays.level_detection import Measured, measured
from senexo.assays.patients.alike import alike_note
from senexo.assays.patients.columns import refuse_two_roles
from senexo.assays.patients.dates import with_times
from senexo.assays.patients.outcome import asked_outcome
from senexo.assays.patients.question import (
    Question,
    cut_of,
    missing_note,
    names_of,
    numbered,
    own_covariates,
    read_levels,
    unused_options,
)
from senexo.assays.result import AssayResult
from senexo.assays.stats.cutpoint import SHARE, SHUFFLES
from senexo.assays.stats.estimate import LEVEL, significant
from senexo.assays.transform import columns_used
from senexo.base.deprecation import former_keywords
from senexo.base.errors import Fault, InvalidInput
from senexo.base.join import exclude as left_out

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

UNITS = ("days", "weeks", "months", "years", "hours")


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
    at: float | Sequence[float] = (),
    order: str | Sequence[str] = (),
    unit: str | None = None,
    since: str | None = None,
    entry: str | None = None,
    competing: str | None = None,
    unknown: str | Sequence[str] = (),
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
        Column that says whether the event occurred (1, true, yes) or follow-up ended (0, false, no); or COLUMN=VALUE,
        or COLUMN=VALUE|VALUE. Words that differ by case, blanks or punctuation are one word; what every other word of
        the column was taken for stands in the notes.
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
        Columns whose groups have baseline hazards of their own. The log-rank test is stratified too, and curves,
        medians and restricted means are standardised to the strata; the unadjusted hazard ratio stands beside them.
    exclude : str or sequence of str, optional
        Rows to leave out, as COLUMN=VALUE.
    until : float, optional
        Time to which mean survival is restricted, in the unit of `time`; by default the longest that all groups were
        followed.
    at : float or sequence of float, optional
        Times at which survival is given, in the unit of `time`: with log-log intervals, and groups compared with the
        control on that scale.
    order : str or sequence of str, optional
        All groups, in the order in which tables and figures show them; the first is the control. A log-rank test for
        trend is then added.
    unit : str, optional
        Unit of the times; by default as the name of the column says, of dates (`since`) days.
    since : str, optional
        Column of the date from which time runs; `time`, and `entry` where it is given, are then columns of dates. A
        month has 365.25 / 12 days.
    entry : str, optional
        Column of the time at which each patient came under observation, below `time` (left truncation). At risk at t
        are those with entry < t <= time.
    competing : str, optional
        The event that precludes the one asked for, as `event`: cumulative incidences, Gray's test, cause-specific
        hazard ratios of both and Fine and Gray's model.
    unknown : str or sequence of str, optional
        Words of the columns of events that mean "not known" (``Unknown|Lost``); these rows are left out.
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
        Tables cox (or groups), logrank, means, models, proportional, cuts, detection, curves, at_risk, and with
        `competing` subdistribution, incidence, gray, incidence_curves; fixed_times and fixed_differences with `at`,
        pairwise of three or more groups, trend with `order`. A level below detection has the verdict
        ``below detection: not testable`` instead of a p-value.

    Raises
    ------
    InvalidInput
        Every fault of the table (row, column) and of the options, together.

    References
    ----------
    Kaplan EL, Meier P, J Am Stat Assoc 1958;53:457-481, doi 10.1080/01621459.1958.10501452. Cox DR, J R Stat Soc B
    1972;34:187-202, doi 10.1111/j.2517-6161.1972.tb00899.x. Firth's penalty: Heinze G, Schemper M, Biometrics
    2001;57:114-119, doi 10.1111/j.0006-341X.2001.00114.x. Competing events: Gray RJ, Ann Stat 1988;16:1141-1154, doi
    10.1214/aos/1176350951. Fine JP, Gray RJ, J Am Stat Assoc 1999;94:496-509, doi 10.1080/01621459.1999.10474144.

    Examples
    --------
    >>> from senexo.assays.specs import example
    >>> table, options = example("survival")
    >>> result = survival(table, **options)
    >>> [finding.verdict for finding in result.findings if finding.id.startswith(("detection", "logrank"))]
    ['detected', 'shown']
    """
    asked = [value] if isinstance(value, str) else list(dict.fromkeys(value or []))
    roles = patients.Roles(time, event, group, names_of(adjust), names_of(strata), patient, entry, competing, unknown)
    number = _check_options(control, asked, cut, roles, until, where)
    times = _times(at, asked, number, competing, where)
    ordered = names_of(order)
    if ordered and group is None:
        raise InvalidInput(
            [Fault(f"{where}: order", f"'{', '.join(ordered)}' without a group", "the column of groups")]
        )
    rows, notes = left_out(numbered(table), names_of(exclude), where=where)
    if since is not None:
        unit = unit or "days"
        rows, computed = with_times(rows, [time, *([entry] if entry else [])], since, unit, where)
        notes += computed
    unit = _unit(time) if unit is None else unit
    values, cohort = _read(rows, asked, roles, where)
    found = measured(rows, asked, kind=kind, min_reads=min_reads, where=where) if asked else Measured({}, [])
    answers = Answers(cohort, control=control, cut=number, until=until, unit=unit, where=where, order=ordered, at=times)
    notes += [*cohort.notes, *found.notes]
    if group is not None:
        notes += missing_note(group, ~cohort.group.present() if cohort.group else np.zeros(0, bool))
        notes += alike_note(group, dict.fromkeys(cohort.group.values[cohort.group.present()])) if cohort.group else []
        answers.add(Question(group, None, None, curves=True))
    elif not asked:
        answers.all_patients()
    for name in asked:
        numbers = values[name].reindex(cohort.index).to_numpy(dtype=float)
        if len(asked) == 1:
            notes += missing_note(name, np.isnan(numbers))
        own, own_notes = own_covariates(rows, name, roles.adjust)
        notes += own_notes
        answers.add(Question(name, numbers, found.detections[name], curves=len(asked) == 1, same_as=own))
    for covariate in cohort.adjust:
        notes += missing_note(covariate.name, ~covariate.present(), " of the adjusted model")
    settings = {
        "time": time, "event": event, "group": group, "control": control, "value": asked, "cut": number,
        "adjust": roles.adjust, "strata": roles.strata, "exclude": names_of(exclude), "until": until,
        "at": times, "order": ordered,
        "unit": unit, "since": since, "entry": entry, "competing": competing,
        "unknown": names_of(unknown), "patient": patient, "kind": kind, "min_reads": min_reads,
        "level": LEVEL, "small_ratio": SMALL, "large_ratio": LARGE, "searched_share": SHARE, "shuffles": SHUFFLES,
        "n": len(cohort.time), "n_events": int(cohort.event.sum()), "n_strata": int(cohort.stratum.max()) + 1,
        "outcomes": list(cohort.outcomes),
    }  # fmt: skip
    tables = answers.tables()
    if not asked and group is None:
        tables = {"groups": tables.pop("groups"), **tables}
    notes += _confounded(tables["cox"])
    findings = survival_words.findings(tables, settings, [group] if group is not None else asked, found.detections)
    return SurvivalResult("survival", method(settings), settings, tuple(findings), tables, (*notes, *answers.notes))


def _check_options(
    control: str | None, value: Sequence[str], cut: str | float | None, roles: patients.Roles, until: float | None,
    where: str,
) -> str | float | None:  # fmt: skip
    """The cut as a word or a number; everything that is wrong with the request at once."""
    number, faults = cut_of(cut, ("median", "optimal"), "median, optimal or a number", where)
    group = roles.group
    if group is not None and value:
        faults.append(Fault(f"{where}: value", "a value besides a group", "one of the two"))
    faults += unused_options(group, control, value, cut, where)
    for name, given, why in (
        ("strata", roles.strata, "within strata"), ("entry", roles.entry, "of late entrants"),
        ("competing", roles.competing, "by Gray's test"),
    ):  # fmt: skip
        if cut == "optimal" and given:
            expected = f"median or a number (a search {why} is not done)"
            faults.append(Fault(f"{where}: cut", f"'optimal' with {name}", expected))
    if until is not None and not (math.isfinite(until) and until > 0):
        faults.append(Fault(f"{where}: until", f"{until:g}", "a time > 0"))
    if faults:
        raise InvalidInput(faults)
    return number


def _times(
    at: float | Sequence[float], value: Sequence[str], cut: str | float | None, competing: str | None, where: str
) -> list[float]:
    """The fixed times, rising; what is wrong with them at once."""
    times = [at] if isinstance(at, int | float) else list(at)
    place = f"{where}: at"
    faults = [Fault(place, f"{one:g}", "a time > 0") for one in times if not (math.isfinite(one) and one > 0)]
    if times and competing is not None:
        faults.append(Fault(place, "fixed times with competing", "`until`, the time at which incidences are given"))
    if times and value and cut is None:
        faults.append(Fault(place, "fixed times of a level without a cut", "a cut, or a group"))
    if faults:
        raise InvalidInput(faults)
    return sorted({float(one) for one in times})


def _read(
    rows: pd.DataFrame, asked: Sequence[str], roles: patients.Roles, where: str
) -> tuple[dict[str, pd.Series], patients.Cohort]:
    """Levels and patients; a column has one role only, also within a formula."""
    values, cohort = read_levels(rows, asked, lambda: patients.read(rows, roles, where), where)
    alone = asked if len(asked) == 1 and list(roles.adjust) == asked else []  # nothing is left to hold constant
    refuse_two_roles([*asked, *roles.strata, *alone], where)
    asked_of = [(roles.event, "event"), *([(roles.competing, "competing")] if roles.competing is not None else [])]
    events = {asked_outcome(rows, text, option, where).column for text, option in asked_of}
    outcome = [roles.time, *([roles.entry] if roles.entry is not None else []), *sorted(events)]
    for text in asked:
        used = columns_used(rows, text)
        refuse_two_roles([*outcome, *(name for name in used if name in outcome)], where)
    return values, cohort


def _unit(time: str) -> str:
    """The unit that the name of the column tells, if it does: os_days, time (months)."""
    words = re.findall(r"[a-z]+", time.lower())
    return next((unit for unit in UNITS if unit in words or unit[:-1] in words), "")


def _confounded(cox: pd.DataFrame) -> list[str]:
    """Where stratifying changes a hazard ratio: unadjusted and stratified ratios answer different questions."""
    chosen = cox[(cox["role"] == "asked") & cox["model"].isin(["alone", "stratified"]) & cox["hazard_ratio"].notna()]
    notes = []
    for (name, term, outcome), pair in chosen.groupby(["value", "term", "outcome"], sort=False):
        ratios = pair.set_index("model")["hazard_ratio"]
        if len(ratios) < 2 or outcome != cox["outcome"].iloc[0]:
            continue
        before, after = float(ratios["alone"]), float(ratios["stratified"])
        if max(before / after, after / before) >= SMALL:
            of = pair.loc[pair["model"] == "stratified", "estimand"].iloc[0]
            title = name if term == name else f"{name}, {term}"
            notes.append(
                f"{title}: the hazard ratio is {significant(before)} unadjusted and {significant(after)} {of}: groups "
                "differ in their strata and strata in their hazard, so the two answer different questions"
            )
    return notes
