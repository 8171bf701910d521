"""What `response` computes for one question: a group, or a level, held against who responded."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.assays._response.read import Responders
from senexo.assays.detection import NOT_TESTABLE
from senexo.assays.patients.columns import Covariate, check_group, indicators
from senexo.assays.patients.question import Question
from senexo.assays.result import judge, records
from senexo.assays.stats import roc
from senexo.assays.stats.estimate import Estimate, significant
from senexo.assays.stats.logistic import Logistic
from senexo.assays.stats.multiple_testing import benjamini_hochberg, holm
from senexo.assays.stats.odds import exact_odds_ratio
from senexo.assays.stats.proportion import clopper_pearson

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SMALL, LARGE = 1.5, 4.0  # odds ratios (of a level: per standard deviation), about Cohen's d of 0.2 and 0.8
PER_COEFFICIENT = 10  # patients of the rarer outcome; below it estimates wander

COLUMNS: dict[str, tuple[str, ...]] = {
    "models": (
        "value", "model", "estimand", "term", "role", "n", "n_response", "odds_ratio", "low", "high", "p_value",
        "p_holm", "p_bh", "sd", "odds_ratio_sd", "low_sd", "high_sd", "method", "problem", "verdict",
    ),
    "fisher": (
        "value", "group", "control", "odds_ratio", "low", "high", "p_value", "p_holm", "p_bh", "verdict",
    ),
    "shares": ("value", "group", "n", "n_response", "share", "low", "high"),
    "areas": ("value", "n", "n_response", "area", "low", "high"),
    "cuts": ("value", "how", "cut", "n_low", "n_high"),
    "detection": ("value", "n", "n_zero", "n_detected", "share_detected", "min_reads", "depth", "verdict"),
    "curve": ("value", "level", "share", "low", "high"),
    "roc": ("value", "threshold", "false_positive", "true_positive"),
    "patients": ("value", "level", "response"),
}  # fmt: skip


class Answers:
    """Rows of all tables, question by question."""

    def __init__(self, cohort: Responders, *, control: str | None, cut: str | float | None, method: str, where: str):
        self.cohort, self.control, self.cut, self.method, self.where = cohort, control, cut, method, where
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.notes: list[str] = []

    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables, p-values corrected within each kind of test; first the one that answers."""
        import pandas as pd

        found = {name: pd.DataFrame(self.rows[name], columns=list(columns)) for name, columns in COLUMNS.items()}
        models, fisher = found["models"], found["fisher"]
        asked = models["role"] == "asked"
        _correct(models, asked & (models["model"] == "alone"))
        _correct(models, asked & (models["model"] == "adjusted"))
        _correct(fisher, fisher["value"].notna())
        for table in (models, fisher):
            table["verdict"] = [_size(row) for row in records(table)]
        if len(fisher):
            found = {"fisher": fisher, **found}
        return found

    def add(self, question: Question) -> None:
        cohort = self.cohort
        if question.detection is not None:
            self.rows["detection"].append(question.detection.row(question.name))
        if question.values is None:
            assert cohort.group is not None
            rows = cohort.group.present()
            levels = check_group(cohort.group, rows, self.control, self.where)
            labels = cohort.group.values[rows]
            self._groups(question, rows, np.array([levels.index(label) for label in labels]), levels)
            terms = [f"{level} against {levels[0]}" for level in levels[1:]]
            self._models(question, rows, indicators(labels, levels), terms)
            return
        rows = ~np.isnan(question.values)
        values = question.values[rows]
        if not rows.any() or (values == values[0]).all():
            self._untold(question, rows, "it is the same in all patients" if rows.any() else "it is empty")
        elif self.cut is None:
            self._level(question, rows, values)
        else:
            self._cut(question, rows, values, float(np.median(values)) if self.cut == "median" else float(self.cut))

    def _cut(self, question: Question, rows: Flags, values: Floats, at: float) -> None:
        high = values > at
        if high.all() or not high.any():
            side = "up to" if high.all() else "above"
            self._untold(question, rows, f"no patient has a value {side} {significant(at)}")
            return
        self.rows["cuts"].append({
            "value": question.name, "how": str(self.cut), "cut": at, "n_low": int((~high).sum()),
            "n_high": int(high.sum()),
        })  # fmt: skip
        self._groups(question, rows, high.astype(np.int64), ["low", "high"])
        self._models(question, rows, high.astype(float)[:, None], ["high against low"])

    def _level(self, question: Question, rows: Flags, values: Floats) -> None:
        y, name = self.cohort.response[rows], question.name
        fit = self._models(question, rows, values[:, None], [name])
        if y.min() == y.max():
            return
        found = roc.area(values, y)
        self.rows["areas"].append({
            "value": name, "n": len(y), "n_response": int(y.sum()), "area": found.value, "low": found.low,
            "high": found.high,
        })  # fmt: skip
        if not question.curves:
            return
        self.rows["patients"] += [
            {"value": name, "level": level, "response": int(one)} for level, one in zip(values, y, strict=True)
        ]
        for threshold, false, true in zip(*roc.steps(values, y), strict=True):
            self.rows["roc"].append(
                {"value": name, "threshold": threshold, "false_positive": false, "true_positive": true}
            )
        if fit is not None:
            at = np.linspace(values.min(), values.max(), 101)
            for level, share, low, high in zip(at, *fit.curve(at, values[:, None]), strict=True):
                self.rows["curve"].append({"value": name, "level": level, "share": share, "low": low, "high": high})

    def _groups(self, question: Question, rows: Flags, place: NDArray[np.int64], levels: Sequence[str]) -> None:
        """Shares with exact intervals, and every group against the first by Fisher's exact test."""
        from scipy.stats import fisher_exact

        y = self.cohort.response[rows]
        counts = [(int(y[place == k].sum()), int((place == k).sum())) for k in range(len(levels))]
        for level, (responded, n) in zip(levels, counts, strict=True):
            low, high = clopper_pearson(responded, n)
            self.rows["shares"].append({
                "value": question.name, "group": level, "n": n, "n_response": responded, "share": responded / n,
                "low": low, "high": high,
            })  # fmt: skip
        (b, m), testable = counts[0], not question.below
        for level, (a, n) in zip(levels[1:], counts[1:], strict=True):
            one_kind = a + b in (0, n + m)
            ratio = Estimate(math.nan, 0.0, math.inf) if one_kind else exact_odds_ratio(a, n, b, m)
            p = fisher_exact([[a, n - a], [b, m - b]]).pvalue if testable and not one_kind else math.nan
            self.rows["fisher"].append({
                "value": question.name, "group": level, "control": levels[0], "odds_ratio": ratio.value,
                "low": ratio.low, "high": ratio.high, "p_value": float(p), "verdict": "" if testable else NOT_TESTABLE,
            })  # fmt: skip

    def _models(self, question: Question, rows: Flags, x: Floats, terms: list[str]) -> Logistic | None:
        """Logistic regression on what was asked, alone and adjusted; the fit alone."""
        alone = self._model(question, "alone", rows, x, terms, ())
        if self.cohort.adjust:
            complete = rows.copy()
            adjust = tuple(one for one in self.cohort.adjust if one.name not in question.same_as)
            for one in adjust:
                complete &= one.present()
            self._model(question, "adjusted", complete, x[complete[rows]], terms, adjust)
        return alone

    def _model(
        self, question: Question, model: str, rows: Flags, x: Floats, terms: list[str], adjust: Sequence[Covariate]
    ) -> Logistic | None:
        y = self.cohort.response[rows]
        held = f"adjusted for {', '.join(one.name for one in adjust)}" if adjust else "unadjusted"
        about = {
            "value": question.name, "model": model, "estimand": held, "n": len(y), "n_response": int(y.sum()),
        }  # fmt: skip
        found = _design(x, terms, adjust, rows) if rows.any() else "no patient with all of its columns"
        fit = found if isinstance(found, str) else _fit(found[0], y, self.method)
        if isinstance(found, str) or isinstance(fit, str):
            for term in terms:
                self.rows["models"].append({
                    **about, "term": term, "role": "asked", "problem": fit,
                    "verdict": NOT_TESTABLE if question.below else "not testable",
                })  # fmt: skip
            return None
        rarer = min(int(y.sum()), int((1 - y).sum()))
        if rarer < PER_COEFFICIENT * found[0].shape[1] and not self.notes:
            least = PER_COEFFICIENT * found[0].shape[1]
            self.notes.append(
                f"{rarer} patients of the rarer outcome in the {model} model: {least} would be enough to trust it"
            )
        for j, term in enumerate(found[1]):
            odds, sd, asked = fit.odds_ratio(j), fit.standard_deviation(j), j < len(terms)
            ends = {"odds_ratio": odds.value, "low": odds.low, "high": odds.high}
            self.rows["models"].append({
                **about, "term": term, "role": "asked" if asked else "adjusted for", **ends,
                "p_value": math.nan if asked and question.below else odds.p_value, "sd": sd,
                **{f"{key}_sd": _power(value, sd) for key, value in ends.items()}, "method": fit.method,
                "problem": "", "verdict": NOT_TESTABLE if asked and question.below else "",
            })  # fmt: skip
        return fit

    def _untold(self, question: Question, rows: Flags, problem: str) -> None:
        y = self.cohort.response[rows]
        names = ", ".join(one.name for one in self.cohort.adjust if one.name not in question.same_as)
        for model in ("alone", *(["adjusted"] if self.cohort.adjust else [])):
            self.rows["models"].append({
                "value": question.name, "model": model,
                "estimand": f"adjusted for {names}" if model == "adjusted" and names else "unadjusted",
                "term": question.name, "role": "asked", "n": len(y),
                "n_response": int(y.sum()), "problem": problem,
                "verdict": NOT_TESTABLE if question.below else "not testable",
            })  # fmt: skip


def _design(x: Floats, terms: list[str], adjust: Sequence[Covariate], rows: Flags) -> tuple[Floats, list[str]] | str:
    """The columns of a model and their names, what was asked first; or why there are none."""
    parts, names = [x], list(terms)
    for one in adjust:
        if not one.numeric and len(one.levels(rows)) < 2:
            return f"{one.name} is the same in all"
        matrix, labels = one.columns(rows)
        parts.append(matrix)
        names += labels
    return np.column_stack(parts), names


def _fit(x: Floats, y: NDArray[np.int64], method: str) -> Logistic | str:
    """Maximum likelihood, or Firth's where that has no maximum (``auto``) or is asked for; or why there is none."""
    if y.min() == y.max():
        return "all responded" if y.all() else "none responded"
    if len(y) < x.shape[1] + 2:
        return f"{len(y)} patients for {x.shape[1]} columns"
    try:
        if method == "auto":
            try:
                return Logistic(x, y, "logistic")
            except ValueError as error:
                if "part responders" not in str(error):
                    raise
        return Logistic(x, y, "firth")
    except ValueError as error:
        return str(error)


def _correct(table: pd.DataFrame, family: pd.Series) -> None:
    """p_holm and p_bh of tests of one kind."""
    p = table.loc[family, "p_value"].to_numpy(dtype=float)
    table.loc[family, "p_holm"] = holm(list(p))
    table.loc[family, "p_bh"] = benjamini_hochberg(p)


def _power(ratio: float, sd: float) -> float:
    if ratio <= 0.0 or math.isinf(ratio) or math.isnan(ratio):
        return ratio
    exponent = sd * math.log(ratio)
    return math.exp(exponent) if exponent < 700.0 else math.inf


def _size(row: Mapping[str, Any]) -> str:
    """The verdict of an odds ratio, of a level per standard deviation; covariates get none."""
    if row.get("role", "asked") != "asked" or row["verdict"]:
        return str(row["verdict"])
    kind = "_sd" if row.get("term") == row["value"] else ""
    with np.errstate(divide="ignore"):
        logs = Estimate(*(float(np.log(row[key + kind])) for key in ("odds_ratio", "low", "high")))
    return judge(logs, row["p_holm"], small=math.log(SMALL), large=math.log(LARGE))
