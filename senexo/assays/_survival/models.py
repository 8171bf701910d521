"""Hazard ratios of `survival`: Cox's model unadjusted, stratified, adjusted; Fine and Gray's of competing events."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from senexo.assays._survival.columns import ALL, CAUSE_SPECIFIC, SEARCHED, SUBDISTRIBUTION, Rows, estimand
from senexo.assays._survival.read import Cohort
from senexo.assays.detection import NOT_TESTABLE
from senexo.assays.patients.columns import Covariate
from senexo.assays.patients.question import Question
from senexo.assays.stats.cox import Fit, cox
from senexo.assays.stats.cutpoint import Cut
from senexo.assays.stats.estimate import Estimate
from senexo.assays.stats.fine_gray import SubdistributionFit, fine_gray
from senexo.assays.stats.kaplan_meier import Flags, Floats, z_value

FEW_EVENTS = 10  # per coefficient of a model; below it estimates wander
_LATE = "late entry (Fine and Gray's model needs patients followed from time 0)"


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a model holds constant: covariates, and strata or not."""

    name: str
    adjust: tuple[Covariate, ...]
    stratified: bool
    estimand: str


@dataclass(frozen=True, slots=True)
class _Terms:
    """The columns of one model: `design`, patients x columns; their names term by term, what was asked first."""

    named: list[tuple[str, list[str]]]
    design: Floats

    @property
    def columns(self) -> list[list[int]]:
        ends = np.cumsum([0, *(len(labels) for _, labels in self.named)])
        return [list(range(a, b)) for a, b in pairwise(ends)]

    def constant(self) -> str | None:
        """The first term that is the same in all patients."""
        for (term, _), own in zip(self.named, self.columns, strict=True):
            if (self.design[:1, own] == self.design[:, own]).all():
                return term
        return None


class Models:
    """Rows of the tables of models, appended to `rows`; `notes` are what a reader must know."""

    def __init__(self, cohort: Cohort, rows: Rows, notes: list[str]) -> None:
        self.cohort, self.rows, self.notes = cohort, rows, notes

    def kinds(self, question: Question) -> Iterator[_Kind]:
        """Unadjusted, within strata where there are any, and adjusted; a level is no adjuster of its own model."""
        cohort = self.cohort
        strata = [cohort.strata_of] if cohort.strata else []
        adjust = tuple(one for one in cohort.adjust if one.name not in question.same_as)
        yield _Kind("alone", (), False, estimand("alone", (), ()))
        if strata:
            yield _Kind("stratified", (), True, estimand("stratified", (), strata))
        if cohort.adjust:
            names = [one.name for one in adjust]
            of = estimand("adjusted" if names else "stratified" if strata else "alone", names, strata)
            yield _Kind("adjusted", adjust, bool(strata), of)

    def add(self, question: Question, rows: Flags, x: Floats, terms: list[str], cut: Cut | None) -> None:
        """All models of one question. x: patients of `rows` x columns, one for each of `terms`."""
        searched = cut is not None and cut.searched
        for kind in self.kinds(question):
            complete = rows.copy()
            for covariate in kind.adjust:
                complete &= covariate.present()
            built = self._terms(question, kind, complete, x[complete[rows]], terms)
            events = [self.cohort.event, *([] if self.cohort.competing is None else [self.cohort.competing])]
            for outcome, event in zip(self.cohort.outcomes, events, strict=True):
                self._cox(question, kind, complete, built, outcome, event, searched)
                if len(events) > 1:
                    self._fine_gray(question, kind, complete, built, outcome, event, searched)

    def untestable(self, question: Question, rows: Flags, problem: str) -> None:
        """A level that cannot be compared: one row in each model."""
        for kind in self.kinds(question):
            about = self._about(question, kind, self.cohort.outcomes[0], rows, self.cohort.event)
            self.rows[CAUSE_SPECIFIC].append({
                **about, "term": question.name, "role": "asked", "problem": problem,
                "verdict": NOT_TESTABLE if question.below else "not testable",
            })  # fmt: skip

    def _about(self, question: Question, kind: _Kind, outcome: str, rows: Flags, event: Flags) -> dict[str, Any]:
        return {
            "value": question.name, "model": kind.name, "estimand": kind.estimand, "outcome": outcome,
            "n": int(rows.sum()), "n_events": int(event[rows].sum()),
        }  # fmt: skip

    @staticmethod
    def _terms(question: Question, kind: _Kind, rows: Flags, x: Floats, terms: list[str]) -> _Terms:
        named, parts = [(question.name, terms)], [x]
        for covariate in kind.adjust:
            matrix, labels = covariate.columns(rows) if rows.any() else (np.zeros((0, 1)), [covariate.name])
            parts.append(matrix)
            named.append((covariate.name, labels))
        return _Terms(named, np.column_stack(parts))

    def _cox(
        self, question: Question, kind: _Kind, rows: Flags, built: _Terms, outcome: str, event: Flags, searched: bool
    ) -> None:
        """Cox's model of one kind of event, the other kind censored."""
        cohort = self.cohort
        fit: Fit | str = "no patient with all of its columns"
        same = built.constant() if rows.any() else None
        if same is not None:
            fit = f"{same} is the same in all patients"
        elif rows.any():
            stratum = cohort.stratum[rows] if kind.stratified else np.zeros(int(rows.sum()), np.int64)
            entry = None if cohort.entry is None else cohort.entry[rows]
            fit = cox(cohort.time[rows], event[rows], built.design, stratum, built.columns, entry)
        about = self._about(question, kind, outcome, rows, event)
        found = None if isinstance(fit, str) else (fit.coefficients, fit.std_errors, fit.method)
        self._coefficients(CAUSE_SPECIFIC, question, about, found, fit if isinstance(fit, str) else "", built, searched)
        if isinstance(fit, str):
            return
        withheld = question.below or searched
        self._fit(about, fit, len(built.design.T), withheld and kind.name != "adjusted")
        for (term, _), (chi, df) in zip([*built.named, (ALL, [])], fit.proportional, strict=True):
            hide = withheld and (term == question.name or kind.name != "adjusted")
            self.rows["proportional"].append({
                **{key: about[key] for key in ("value", "model", "estimand", "outcome")}, "term": term,
                "chi_square": chi, "degrees_of_freedom": df, "p_value": math.nan if hide else _upper_tail(chi, df),
            })  # fmt: skip

    def _fine_gray(
        self, question: Question, kind: _Kind, rows: Flags, built: _Terms, outcome: str, event: Flags, searched: bool
    ) -> None:
        """Fine and Gray's model of one kind of event, the other kind competing."""
        cohort = self.cohort
        assert cohort.competing is not None
        fit: SubdistributionFit | str = "no patient with all of its columns"
        same = built.constant() if rows.any() else None
        if cohort.entry is not None:
            fit = _LATE
        elif same is not None:
            fit = f"{same} is the same in all patients"
        elif rows.any():
            stratum = cohort.stratum[rows] if kind.stratified else np.zeros(int(rows.sum()), np.int64)
            other = (cohort.event | cohort.competing) & ~event
            fit = fine_gray(cohort.time[rows], event[rows], other[rows], built.design, stratum)
        about = self._about(question, kind, outcome, rows, event)
        found = None if isinstance(fit, str) else (fit.coefficients, fit.std_errors, "Fine-Gray")
        problem = fit if isinstance(fit, str) else ""
        self._coefficients(SUBDISTRIBUTION, question, about, found, problem, built, searched)

    def _coefficients(
        self, table: str, question: Question, about: dict[str, Any],
        found: tuple[Sequence[Estimate], Floats, str] | None, problem: str, built: _Terms, searched: bool,
    ) -> None:  # fmt: skip
        place = 0
        for term, labels in built.named:
            asked = term == question.name
            for label in labels:
                row = {**about, "term": label, "role": "asked" if asked else "adjusted for", "sd": math.nan}
                if found is None:
                    verdict = NOT_TESTABLE if question.below else "not testable"
                    self.rows[table].append(row | {"problem": problem, "verdict": verdict})
                    continue
                estimate, error = found[0][place], float(found[1][place])
                sd = float(built.design[:, place].std(ddof=1))
                withheld = (NOT_TESTABLE if question.below else SEARCHED if searched else "") if asked else ""
                ends = {"hazard_ratio": estimate.value, "low": estimate.low, "high": estimate.high}
                self.rows[table].append({
                    **row, **{key: _exp(end) for key, end in ends.items()}, "coefficient": estimate.value,
                    "std_error": error, "p_value": math.nan if withheld else estimate.p_value, "sd": sd,
                    **{f"{key}_sd": _exp(end * sd) for key, end in ends.items()}, "method": found[2], "problem": "",
                    "verdict": withheld,
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
        if fit.n_events < FEW_EVENTS * df and not any("fewer than" in note for note in self.notes):
            kind = "one coefficient" if df == 1 else f"{df} coefficients"
            events = f"{fit.n_events} event{'' if fit.n_events == 1 else 's'}"
            self.notes.append(f"{events} for {kind} of the {about['model']} model: fewer than {FEW_EVENTS} each")


def _exp(value: float) -> float:
    return math.exp(value) if value < 700.0 else math.inf


def _upper_tail(chi: float, df: int) -> float:
    from scipy.special import chdtrc

    return math.nan if math.isnan(chi) else float(chdtrc(df, max(0.0, chi)))
