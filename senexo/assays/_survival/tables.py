"""What `survival` computes for one question: a group, or a level, held against the survival of a cohort."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays._survival.read import Cohort
from senexo.assays.detection import NOT_TESTABLE
from senexo.assays.patients.columns import Covariate, check_group, indicators
from senexo.assays.patients.question import Question
from senexo.assays.result import judge, records
from senexo.assays.stats import kaplan_meier
from senexo.assays.stats.cox import Fit, cox
from senexo.assays.stats.cutpoint import Cut, choose
from senexo.assays.stats.estimate import ALPHA, Estimate
from senexo.assays.stats.kaplan_meier import Flags, Floats, z_value
from senexo.assays.stats.multiple_testing import benjamini_hochberg, holm
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"
SMALL, LARGE = 1.25, 2.0  # hazard ratios (of a level: per standard deviation): below small, from there large
SEARCHED = "searched cut"
FEW_EVENTS = 10  # per coefficient of a model; below it estimates wander

COLUMNS: dict[str, tuple[str, ...]] = {
    "cox": (
        "value", "model", "term", "role", "n", "n_events", "hazard_ratio", "low", "high", "coefficient", "std_error",
        "p_value", "p_holm", "p_bh", "sd", "hazard_ratio_sd", "low_sd", "high_sd", "method", "problem", "verdict",
    ),
    "groups": (
        "value", "group", "n", "n_events", "n_expected", "median", "median_low", "median_high", "until", "mean",
        "mean_low", "mean_high", "follow_up",
    ),
    "logrank": ("value", "test", "chi_square", "degrees_of_freedom", "p_value", "p_holm", "p_bh", "verdict"),
    "means": ("value", "group", "control", "until", "difference", "low", "high", "p_value", "p_holm", "verdict"),
    "models": (
        "value", "model", "n", "n_events", "method", "log_likelihood", "null_log_likelihood", "chi_square",
        "degrees_of_freedom", "p_value", "concordance", "concordance_low", "concordance_high", "concordance_error",
    ),
    "proportional": ("value", "model", "term", "chi_square", "degrees_of_freedom", "p_value", "p_holm"),
    "cuts": ("value", "how", "cut", "n_low", "n_high", "statistic", "p_value"),
    "detection": ("value", "n", "n_zero", "n_detected", "share_detected", "min_reads", "depth", "verdict"),
    "curves": (
        "value", "group", "time", "n_at_risk", "n_events", "n_censored", "survival", "std_error", "low", "high",
    ),
}  # fmt: skip
Rows = dict[str, list[dict[str, Any]]]


class Answers:
    """Rows of all tables, question by question."""

    def __init__(
        self, cohort: Cohort, *, control: str | None, cut: str | float | None, until: float | None, where: str
    ):
        self.cohort, self.control, self.cut, self.until, self.where = cohort, control, cut, until, where
        self.rows: Rows = defaultdict(list)
        self.notes: list[str] = []

    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables with p-values corrected within each kind of test."""
        import pandas as pd

        found = {name: pd.DataFrame(self.rows[name], columns=list(columns)) for name, columns in COLUMNS.items()}
        for name, families in (
            ("cox", ("model",)), ("logrank", ("test",)), ("means", ()), ("proportional", ("model", "term")),
        ):  # fmt: skip
            _correct(found[name], families)
        found["cox"]["verdict"] = [_size(row) for row in records(found["cox"])]
        for name in ("logrank", "means"):
            found[name]["verdict"] = [_shown(row) for row in records(found[name])]
        return found

    def everybody(self, name: str = ALL) -> None:
        """One curve of all patients, where nothing was asked or they cannot be told apart."""
        self._curves(name, np.ones(len(self.cohort.time), bool), np.zeros(len(self.cohort.time), np.int64), [ALL])

    def add(self, question: Question) -> None:
        cohort = self.cohort
        if question.detection is not None:
            self.rows["detection"].append(question.detection.row(question.name))
        if question.values is None:
            assert cohort.group is not None
            rows = cohort.group.present()
            levels = check_group(cohort.group, rows, self.control, self.where)
            labels = cohort.group.values[rows]
            place = np.array([levels.index(label) for label in labels])
            self._groups(question, rows, place, levels, None)
            terms = [f"{level} against {levels[0]}" for level in levels[1:]]
            self._models(question, rows, indicators(labels, levels), terms, None)
            return
        rows = ~np.isnan(question.values)
        values = question.values[rows]
        if not rows.any() or (values == values[0]).all():
            self._untold(question, rows, "it is the same in all patients" if rows.any() else "it is empty")
            return
        self._cut(question, rows, values)

    def _cut(self, question: Question, rows: Flags, values: Floats) -> None:
        """A level: cut where that is asked for, else as a number, cut at the median for the eye only."""
        cohort, how = self.cohort, self.cut if self.cut is not None else "median"
        found = choose(values, how, cohort.time[rows], cohort.event[rows])
        if isinstance(found, str):
            if self.cut is not None:
                self._untold(question, rows, found)
                return
            if question.curves:
                self.everybody(question.name)
        elif self.cut is not None or question.curves:
            high = values > found.at
            self.rows["cuts"].append({
                "value": question.name, "how": "drawn only" if self.cut is None else str(self.cut), "cut": found.at,
                "n_low": int((~high).sum()), "n_high": int(high.sum()), "statistic": found.statistic,
                "p_value": math.nan if question.below else found.p_value,
            })  # fmt: skip
            self._groups(question, rows, high.astype(np.int64), ["low", "high"], found)
        if self.cut is None:
            self._models(question, rows, values[:, None], [question.name], None)
        else:
            assert isinstance(found, Cut)
            self._models(question, rows, (values > found.at).astype(float)[:, None], ["high against low"], found)

    def _groups(self, question: Question, rows: Flags, place: Any, levels: list[str], cut: Cut | None) -> None:
        """Curves, medians, restricted means and the log-rank test of groups; only curves where a cut is for the eye."""
        cohort, name = self.cohort, question.name
        tests = {
            test: kaplan_meier.log_rank(cohort.time[rows], cohort.event[rows], place, cohort.stratum[rows], rho=rho)
            for test, rho in (("log-rank", 0.0), ("Peto-Peto", 1.0))
        }
        curves, until = self._curves(name, rows, place, levels, tests["log-rank"].expected)
        if cut is not None and self.cut is None:
            return
        searched = cut is not None and cut.searched
        for test, found in tests.items():
            p = math.nan if question.below else found.p_value
            if searched:
                p = cut.p_value if test == "log-rank" and cut is not None and not question.below else math.nan
            self.rows["logrank"].append({
                "value": name, "test": test, "chi_square": found.chi_square,
                "degrees_of_freedom": found.degrees_of_freedom, "p_value": p,
                "verdict": self._withheld(question, False),
            })  # fmt: skip
        for k in range(1, len(levels)):
            gap = kaplan_meier.mean_difference(curves[k], curves[0], until)
            told = not (question.below or searched)
            self.rows["means"].append({
                "value": name, "group": levels[k], "control": levels[0], "until": until, "difference": gap.value,
                "low": gap.low, "high": gap.high, "p_value": gap.p_value if told else math.nan,
                "verdict": self._withheld(question, searched),
            })  # fmt: skip

    def _curves(
        self, name: str, rows: Flags, place: Any, levels: list[str], expected: Floats | None = None
    ) -> tuple[list[kaplan_meier.Curve], float]:
        cohort = self.cohort
        members = [rows.nonzero()[0][place == k] for k in range(len(levels))]
        curves = [kaplan_meier.curve(cohort.time[own], cohort.event[own]) for own in members]
        until = min(float(curve.time[-1]) for curve in curves)
        if self.until is not None:
            until = self.until
            self._check_until(name, levels, curves)
        for k, (level, own, curve) in enumerate(zip(levels, members, curves, strict=True)):
            median, mean = curve.median(), curve.mean_interval(until)
            self.rows["groups"].append({
                "value": name, "group": level, "n": len(own), "n_events": int(cohort.event[own].sum()),
                "n_expected": math.nan if expected is None else float(expected[k]), "median": median.value,
                "median_low": median.low, "median_high": median.high, "until": until, "mean": mean.value,
                "mean_low": mean.low, "mean_high": mean.high,
                "follow_up": kaplan_meier.curve(cohort.time[own], ~cohort.event[own]).median().value,
            })  # fmt: skip
            for i in range(len(curve.time)):
                self.rows["curves"].append({
                    "value": name, "group": level, "time": curve.time[i], "n_at_risk": int(curve.n_at_risk[i]),
                    "n_events": int(curve.n_events[i]), "n_censored": int(curve.n_censored[i]),
                    "survival": curve.survival[i], "std_error": curve.std_error[i], "low": curve.low[i],
                    "high": curve.high[i],
                })  # fmt: skip
        return curves, until

    def _check_until(self, name: str, levels: list[str], curves: list[kaplan_meier.Curve]) -> None:
        """Beyond the last patient of a group its curve would be made up."""
        known, level = min((curve.known_until(), level) for curve, level in zip(curves, levels, strict=True))
        if self.until is not None and self.until > known:
            expected = f"at most {known:g}: nobody of {name} {level} was followed longer"
            raise InvalidInput([Fault(f"{self.where}: until", f"{self.until:g}", expected)])

    def _models(self, question: Question, rows: Flags, x: Floats, terms: list[str], cut: Cut | None) -> None:
        """Cox's model of what was asked, alone and adjusted."""
        self._model(question, "alone", rows, x, terms, cut, ())
        if self.cohort.adjust:
            complete = rows.copy()
            for covariate in self.cohort.adjust:
                complete &= covariate.present()
            self._model(question, "adjusted", complete, x[complete[rows]], terms, cut, self.cohort.adjust)

    def _model(
        self, question: Question, model: str, rows: Flags, x: Floats, terms: list[str], cut: Cut | None,
        adjust: Sequence[Covariate],
    ) -> None:  # fmt: skip
        cohort, name = self.cohort, question.name
        named = [(question.name, terms)]
        parts = [x]
        for covariate in adjust:
            matrix, labels = covariate.columns(rows) if rows.any() else (np.zeros((0, 1)), [covariate.name])
            parts.append(matrix)
            named.append((covariate.name, labels))
        design = np.column_stack(parts)
        ends = np.cumsum([0, *(len(labels) for _, labels in named)])
        columns = [list(range(a, b)) for a, b in pairwise(ends)]
        fit: Fit | str = "no patient with all of its columns"
        same = [
            term for (term, _), own in zip(named, columns, strict=True) if (design[:1, own] == design[:, own]).all()
        ]
        if rows.any() and same:
            fit = f"{same[0]} is the same in all patients"
        elif rows.any():
            fit = cox(cohort.time[rows], cohort.event[rows], design, cohort.stratum[rows], columns)
        searched = cut is not None and cut.searched
        about = {"value": name, "model": model, "n": int(rows.sum()), "n_events": int(cohort.event[rows].sum())}
        self._coefficients(question, about, fit, named, design, searched)
        if isinstance(fit, str):
            return
        withheld = question.below or searched
        self._fit(about, fit, len(design.T), withheld and model == "alone")
        for (term, _), (chi, df) in zip([*named, (ALL, [])], fit.proportional, strict=True):
            hide = withheld and (term == name or model == "alone")
            self.rows["proportional"].append({
                "value": name, "model": model, "term": term, "chi_square": chi, "degrees_of_freedom": df,
                "p_value": math.nan if hide else _upper_tail(chi, df),
            })  # fmt: skip

    def _coefficients(
        self, question: Question, about: dict[str, Any], fit: Fit | str, named: list[tuple[str, list[str]]],
        design: Floats, searched: bool,
    ) -> None:  # fmt: skip
        place = 0
        for term, labels in named:
            asked = term == question.name
            for label in labels:
                row = {
                    **about,
                    "term": label,
                    "role": "asked" if asked else "adjusted for",
                    "sd": math.nan,
                    "problem": "",
                }
                if isinstance(fit, str):
                    self.rows["cox"].append(
                        row | {"problem": fit, "verdict": self._withheld(question, False) or "not testable"}
                    )
                    continue
                found = fit.coefficients[place]
                sd = float(design[:, place].std(ddof=1))
                told = not (asked and (question.below or searched))
                ends = {"hazard_ratio": found.value, "low": found.low, "high": found.high}
                self.rows["cox"].append({
                    **row, **{key: _exp(end) for key, end in ends.items()}, "coefficient": found.value,
                    "std_error": float(fit.std_errors[place]), "p_value": found.p_value if told else math.nan,
                    "sd": sd, **{f"{key}_sd": _exp(end * sd) for key, end in ends.items()}, "method": fit.method,
                    "verdict": self._withheld(question, searched) if asked else "",
                })  # fmt: skip
                place += 1

    def _fit(self, about: dict[str, Any], fit: Fit, df: int, hide: bool) -> None:
        share, error = fit.concordance
        half = z_value() * error
        self.rows["models"].append({
            **about, "method": fit.method, "log_likelihood": fit.log_likelihood,
            "null_log_likelihood": fit.null_log_likelihood, "chi_square": fit.chi_square, "degrees_of_freedom": df,
            "p_value": math.nan if hide else _upper_tail(fit.chi_square, df), "concordance": share,
            "concordance_low": max(0.0, share - half), "concordance_high": min(1.0, share + half),
            "concordance_error": error,
        })  # fmt: skip
        if fit.n_events < FEW_EVENTS * df and not self.notes:
            kind = "one coefficient" if df == 1 else f"{df} coefficients"
            events = f"{fit.n_events} event{'' if fit.n_events == 1 else 's'}"
            self.notes.append(f"{events} for {kind} of the {about['model']} model: fewer than {FEW_EVENTS} each")

    def _untold(self, question: Question, rows: Flags, problem: str) -> None:
        if question.curves:
            self.everybody(question.name)
        events = int(self.cohort.event[rows].sum())
        for model in ("alone", *(["adjusted"] if self.cohort.adjust else [])):
            self.rows["cox"].append({
                "value": question.name, "model": model, "term": question.name, "role": "asked", "n": int(rows.sum()),
                "n_events": events, "problem": problem, "verdict": self._withheld(question, False) or "not testable",
            })  # fmt: skip

    @staticmethod
    def _withheld(question: Question, searched: bool) -> str:
        return NOT_TESTABLE if question.below else SEARCHED if searched else ""


def _size(row: Mapping[str, Any]) -> str:
    """The verdict of a hazard ratio, of a level per standard deviation; covariates get none."""
    if row["role"] != "asked" or row["verdict"]:
        return str(row["verdict"])
    kind = "_sd" if row["term"] == row["value"] else ""
    with np.errstate(divide="ignore"):
        logs = [float(np.log(row[key + kind])) for key in ("hazard_ratio", "low", "high")]
    return judge(Estimate(*logs), row["p_holm"], small=math.log(SMALL), large=math.log(LARGE))


def _shown(row: Mapping[str, Any]) -> str:
    if row["verdict"]:
        return str(row["verdict"])
    if math.isnan(row["p_value"]):
        return "not testable"
    p = row["p_holm"] if not math.isnan(row["p_holm"]) else row["p_value"]
    return "shown" if p < ALPHA else "not shown"


def _exp(value: float) -> float:
    return math.exp(value) if value < 700.0 else math.inf


def _upper_tail(chi: float, df: int) -> float:
    from scipy.special import chdtrc

    return math.nan if math.isnan(chi) else float(chdtrc(df, max(0.0, chi)))


def _correct(table: pd.DataFrame, families: Sequence[str]) -> None:
    """p_holm and, where the table has it, p_bh, within each kind of test; of what was asked only."""
    asked = table["role"] == "asked" if "role" in table else table.index >= 0
    if "term" in families:  # of the check of proportional hazards: that of the whole model
        asked, families = table["term"] == ALL, [name for name in families if name != "term"]
    kind = table[list(families)].agg(":".join, axis=1) if families and len(table) else table["value"].map(lambda _: "")
    for name in kind[asked].unique():
        chosen = (kind == name) & asked
        p = table.loc[chosen, "p_value"].to_numpy(dtype=float)
        table.loc[chosen, "p_holm"] = holm(list(p))
        if "p_bh" in table:
            table.loc[chosen, "p_bh"] = benjamini_hochberg(p)
