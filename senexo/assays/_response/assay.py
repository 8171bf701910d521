"""Response (complete remission, MRD negativity) against groups or levels: odds ratios, Fisher's test, ROC curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays._response import read as responders
from senexo.assays._response import sentences as response_words
from senexo.assays._response.tables import LARGE, SMALL, Answers
from senexo.assays.detection import LEAST_READS
from senexo.assays.level_detection import Measured, measured
from senexo.assays.patients.alike import alike_note
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
from senexo.assays.stats.estimate import LEVEL
from senexo.base.deprecation import former_keywords
from senexo.base.errors import Fault, InvalidInput
from senexo.base.join import exclude as left_out

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

METHODS = ("auto", "firth")
_LOGISTIC = (
    "Odds ratios are from logistic regression{adjust} with 95 % profile-likelihood intervals and likelihood ratio "
    "tests{firth}."
)
_FIRTH = {
    "auto": ", by Firth's penalised likelihood where the columns part responders from the others",
    "firth": ", all by Firth's penalised likelihood",
}
_EXACT = (
    " Shares have exact (Clopper-Pearson) intervals; groups were compared by Fisher's exact test, with the conditional "
    "odds ratio and its exact interval."
)
_AREA = " The area under the ROC curve has DeLong's interval on the logit scale."
_HOLM = " P-values of several levels or groups were corrected by Holm's method."


@dataclass(frozen=True)
class ResponseResult(AssayResult):
    """Tables: models, fisher (first where groups are compared), shares, areas, cuts, detection, curve, roc, patients.

    Columns: docs/assays/response.md.
    """

    def figure(self) -> Figure:
        from senexo.assays._response.figure import response_figure

        return response_figure(self.tables, self.settings)


@former_keywords({"least": "min_reads"})
def response(
    table: pd.DataFrame,
    *,
    response: str,
    group: str | None = None,
    control: str | None = None,
    value: str | Sequence[str] | None = None,
    cut: str | float | None = None,
    adjust: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    unknown: str | Sequence[str] = (),
    patient: str | None = None,
    kind: str | None = None,
    min_reads: float = LEAST_READS,
    method: str = "auto",
    where: str = "table",
) -> ResponseResult:
    """Compare the response of patients between groups, or with a level.

    Shares, Fisher's exact test, logistic regression alone and adjusted, ROC curve. Logistic regression: log odds of
    response = a + x b; an odds ratio is exp(b).

    Parameters
    ----------
    table : pandas.DataFrame
        One row per patient; the columns are named by the other parameters.
    response : str
        Column of yes (1, true) and no (0, false), or COLUMN=VALUE, or COLUMN=VALUE|VALUE (``remission=CR|CRi``). Words
        that differ by case, blanks or punctuation are one word; what every other word of the column was taken for
        stands in the notes.
    group : str, optional
        Column of groups, at most 12, each compared with `control`.
    control : str, optional
        The group that odds ratios refer to; by default the first by name or number.
    value : str or sequence of str, optional
        One or several levels, each a column or a formula of columns (``log2(hsa-mir-34c + 1)``). P-values of several
        are corrected together.
    cut : {"median"} or float, optional
        How a level is divided into low (up to the cut) and high. Without it the odds ratio is for one unit of the
        level.
    adjust : str or sequence of str, optional
        Columns of numbers or names that the second model holds constant.
    exclude : str or sequence of str, optional
        Rows to leave out, as COLUMN=VALUE.
    unknown : str or sequence of str, optional
        Words of the column of response that mean "not known" (``NE|not done``); these rows are left out.
    patient : str, optional
        Column that names each patient once.
    kind : {"counts", "rpm", "other"}, optional
        What columns of RNAs hold; by default as their numbers say. Of ``other`` detection is not judged.
    min_reads : float, default 3
        Reads with which an RNA counts as measured.
    method : {"auto", "firth"}, default "auto"
        ``auto`` is maximum likelihood, and Firth's penalised likelihood where that has no maximum; ``firth`` always the
        latter.
    where : str, default "table"
        What messages call the table.

    Returns
    -------
    ResponseResult
        Tables models, fisher (first where groups are compared), shares, areas, cuts, detection, curve, roc, patients. A
        level below detection has the verdict ``below detection: not testable`` instead of a p-value.

    Raises
    ------
    InvalidInput
        Every fault of the table (row, column) and of the options, together.

    References
    ----------
    Firth D, Biometrika 1993;80:27-38, doi 10.1093/biomet/80.1.27. DeLong ER, DeLong DM, Clarke-Pearson DL, Biometrics
    1988;44:837-845, doi 10.2307/2531595.

    Examples
    --------
    >>> from senexo.assays.specs import example
    >>> table, options = example("response")
    >>> result = response(table, **options)
    >>> [finding.verdict for finding in result.findings if finding.id.startswith("odds_ratio:alone")]
    ['moderate']
    """
    asked = [value] if isinstance(value, str) else list(dict.fromkeys(value or []))
    adjusted = names_of(adjust)
    roles = responders.Roles(response, group, adjusted, patient, unknown)
    number = _check_options(group, control, asked, cut, method, where)
    rows, notes = left_out(numbered(table), names_of(exclude), where=where)
    values, cohort = read_levels(rows, asked, lambda: responders.read(rows, roles, where), where)
    found = measured(rows, asked, kind=kind, min_reads=min_reads, where=where) if asked else Measured({}, [])
    answers = Answers(cohort, control=control, cut=number, method=method, where=where)
    notes += [*cohort.notes, *found.notes]
    if cohort.group is not None:
        notes += missing_note(cohort.group.name, ~cohort.group.present())
        notes += alike_note(cohort.group.name, dict.fromkeys(cohort.group.values[cohort.group.present()]))
        answers.add(Question(cohort.group.name, None, None, curves=False))
    for name in asked:
        numbers = values[name].reindex(cohort.index).to_numpy(dtype=float)
        if len(asked) == 1:
            notes += missing_note(name, np.isnan(numbers))
        own, own_notes = own_covariates(rows, name, adjusted)
        notes += own_notes
        answers.add(Question(name, numbers, found.detections[name], curves=len(asked) == 1, same_as=own))
    for one in cohort.adjust:
        notes += missing_note(one.name, ~one.present(), " of the adjusted model")
    settings = {
        "response": response, "group": group, "control": control, "value": asked, "cut": number, "adjust": adjusted,
        "exclude": names_of(exclude), "unknown": names_of(unknown), "patient": patient, "kind": kind,
        "min_reads": min_reads, "method": method,
        "level": LEVEL,
        "small_ratio": SMALL, "large_ratio": LARGE, "n": len(cohort.response), "n_response": int(cohort.response.sum()),
    }  # fmt: skip
    tables, names = answers.tables(), [group] if group is not None else asked
    findings = tuple(response_words.findings(tables, settings, names, found.detections))
    return ResponseResult("response", _method(settings), settings, findings, tables, (*notes, *answers.notes))


def _check_options(
    group: str | None, control: str | None, value: Sequence[str], cut: str | float | None, method: str, where: str
) -> str | float | None:
    """The cut as a word or a number; everything that is wrong with the request at once."""
    expected = "median or a number (a cut that is searched for would be fitted to the answer)"
    number, faults = cut_of(cut, ("median",), expected, where)
    if (group is None) == (not value):
        found = "neither a group nor a value" if group is None else "a value besides a group"
        faults.append(Fault(f"{where}: value", found, "one of the two"))
    faults += unused_options(group, control, value, cut, where)
    if method not in METHODS:
        faults.append(Fault(f"{where}: method", f"'{method}'", f"one of {', '.join(METHODS)}"))
    if faults:
        raise InvalidInput(faults)
    return number


def _method(settings: Mapping[str, Any]) -> str:
    adjust = f", unadjusted and adjusted for {', '.join(settings['adjust'])}," if settings["adjust"] else ""
    text = _LOGISTIC.format(adjust=adjust, firth=_FIRTH[settings["method"]])
    text += _AREA if settings["cut"] is None and settings["value"] else _EXACT
    return text + _HOLM
