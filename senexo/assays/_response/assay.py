"""Response (complete remission, MRD negativity) against groups or levels: odds ratios, Fisher's test, ROC curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays._response import read as responders
from senexo.assays._response import sentences as response_words
from senexo.assays._response.tables import LARGE, SMALL, Answers, Question
from senexo.assays.detection import LEAST_READS
from senexo.assays.level_detection import Measured, measured
from senexo.assays.result import AssayResult
from senexo.assays.stats.estimate import LEVEL
from senexo.assays.transform import column
from senexo.base.errors import Fault, InvalidInput
from senexo.base.join import exclude as left_out
from senexo.base.table import capped

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

METHODS = ("auto", "firth")
EXAMPLE_OPTIONS: dict[str, object] = {
    "response": "remission=CR|CRi", "value": ["log2(miR-34a-5p + 1)"], "adjust": ["age"],
}  # fmt: skip

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
    patient: str | None = None,
    kind: str | None = None,
    least: float = LEAST_READS,
    method: str = "auto",
    where: str = "table",
) -> ResponseResult:
    """Does response go with a group, or with a level: shares, Fisher's exact test, logistic regression, ROC curve.

    Logistic regression: log odds of response = a + x b; an odds ratio is exp(b).

    table: one row per patient. response: the column of yes (1, true) and no (0, false), or COLUMN=VALUE, or
    COLUMN=VALUE|VALUE (``remission=CR|CRi``). group: a column of groups, each compared with `control` (the first by
    default); or value: one or several formulas of columns (``log2(hsa-mir-34c + 1)``), all corrected together. cut:
    none (the odds ratio is for each unit of the value), ``median`` or a number (low is up to it). adjust: columns of
    numbers or names that the second model holds constant. exclude: COLUMN=VALUE of rows to leave out. patient: a
    column that names each patient once. kind, least: was an RNA measured at all, see `measured`. method: ``auto`` is
    maximum likelihood, and Firth's penalised likelihood where that has no maximum; ``firth`` always the latter.

    InvalidInput lists every fault of the table (row, column) and unknown names. A level below detection gets the
    verdict ``below detection: not testable`` instead of a p-value.

    >>> found = response(example(), **EXAMPLE_OPTIONS)
    >>> [finding.verdict for finding in found.findings if finding.id.startswith("odds_ratio:alone")]
    ['moderate']
    """
    asked = [value] if isinstance(value, str) else list(dict.fromkeys(value or []))
    adjusted = _names(adjust)
    number = _check_options(group, control, asked, cut, method, where)
    rows, notes = left_out(_numbered(table), _names(exclude), where=where)
    values, cohort = _read(rows, asked, (response, group, adjusted, patient), where)
    found = measured(rows, asked, kind=kind, least=least, where=where) if asked else Measured({}, [])
    answers = Answers(cohort, control=control, cut=number, method=method, where=where)
    notes += [*cohort.notes, *found.notes]
    if cohort.group is not None:
        notes += _missing(cohort.group.name, ~cohort.group.present())
        answers.add(Question(cohort.group.name, None, None, curves=False))
    for name in asked:
        numbers = values[name].reindex(cohort.index).to_numpy(dtype=float)
        if len(asked) == 1:
            notes += _missing(name, np.isnan(numbers))
        answers.add(Question(name, numbers, found.detections[name], curves=len(asked) == 1))
    for one in cohort.adjust:
        notes += _missing(one.name, ~one.present(), " of the adjusted model")
    settings = {
        "response": response, "group": group, "control": control, "value": asked, "cut": number, "adjust": adjusted,
        "exclude": _names(exclude), "patient": patient, "kind": kind, "least": least, "method": method, "level": LEVEL,
        "small_ratio": SMALL, "large_ratio": LARGE, "n": len(cohort.response), "n_response": int(cohort.response.sum()),
    }  # fmt: skip
    tables, names = answers.tables(), [group] if group is not None else asked
    findings = tuple(response_words.findings(tables, settings, names, found.detections))
    return ResponseResult("response", _method(settings), settings, findings, tables, (*notes, *answers.notes))


def example() -> pd.DataFrame:
    """Made-up patients: the higher miR-34a-5p, the more often they reach remission; miR-34c-5p was hardly seen.

    >>> example().shape
    (60, 6)
    """
    import pandas as pd

    rng = np.random.default_rng(20180515)
    n = 60
    level, age = rng.normal(0.0, 1.0, n), rng.normal(58.0, 11.0, n).round().clip(20, 85)
    chance = 1.0 / (1.0 + np.exp(-(0.6 + 1.3 * level - 0.03 * (age - 58.0))))
    remission = np.where(rng.random(n) < chance, np.where(rng.random(n) < 0.8, "CR", "CRi"), "no")
    return pd.DataFrame({
        "patient": [f"P{i + 1:02d}" for i in range(n)], "remission": remission,
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
    group: str | None, control: str | None, value: Sequence[str], cut: str | float | None, method: str, where: str
) -> str | float | None:
    """The cut as a word or a number; everything that is wrong with the request at once."""
    faults, number = [], cut
    if isinstance(cut, str) and cut != "median":
        try:
            number = float(cut)
        except ValueError:
            number = math.nan
    if isinstance(number, int | float) and not math.isfinite(number):
        expected = "median or a number (a cut that is searched for would be fitted to the answer)"
        faults.append(Fault(f"{where}: cut", f"'{cut}'", expected))
    if (group is None) == (not value):
        found = "neither a group nor a value" if group is None else "a value besides a group"
        faults.append(Fault(f"{where}: value", found, "one of the two"))
    if cut is not None and not value:
        faults.append(Fault(f"{where}: cut", f"'{cut}' without a value", "a value to cut"))
    if control is not None and group is None:
        faults.append(Fault(f"{where}: control", f"'{control}' without a group", "the column of groups"))
    if method not in METHODS:
        faults.append(Fault(f"{where}: method", f"'{method}'", f"one of {', '.join(METHODS)}"))
    if faults:
        raise capped(faults, where)
    return number


def _read(
    rows: pd.DataFrame, asked: Sequence[str], roles: tuple[str, str | None, list[str], str | None], where: str
) -> tuple[dict[str, pd.Series], responders.Responders]:
    """Levels and patients, with the faults of both together."""
    faults: list[Fault] = []
    values: dict[str, pd.Series] = {}
    for text in asked:
        try:
            values[text] = column(rows, text, where=where)
        except InvalidInput as error:
            faults += error.faults
    try:
        cohort = responders.read(rows, *roles, where)
    except InvalidInput as error:
        raise capped([*error.faults, *faults], where) from None
    if faults:
        raise capped(faults, where)
    return values, cohort


def _missing(name: str, missing: np.ndarray, of: str = "") -> list[str]:
    n = int(missing.sum())
    return [f"{n} of {len(missing)} patients {'has' if n == 1 else 'have'} no {name} and {'is' if n == 1 else 'are'} "
            f"no part{of}"] if n else []  # fmt: skip


def _method(settings: Mapping[str, Any]) -> str:
    adjust = f", unadjusted and adjusted for {', '.join(settings['adjust'])}," if settings["adjust"] else ""
    text = _LOGISTIC.format(adjust=adjust, firth=_FIRTH[settings["method"]])
    text += _AREA if settings["cut"] is None and settings["value"] else _EXACT
    return text + _HOLM
