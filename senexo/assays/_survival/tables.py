"""All tables of `survival`, question by question: a column of groups, or levels, held against survival of a cohort."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays._survival.columns import ALL, COLUMNS, COMPETING_COLUMNS, FURTHER_COLUMNS, LARGE, SMALL, Rows
from senexo.assays._survival.groups import Groups
from senexo.assays._survival.models import Models
from senexo.assays._survival.read import Cohort
from senexo.assays.patients.columns import check_group, indicators
from senexo.assays.patients.question import Question
from senexo.assays.result import judge, records
from senexo.assays.stats.cutpoint import Cut, choose
from senexo.assays.stats.estimate import ALPHA, Estimate
from senexo.assays.stats.kaplan_meier import Flags, Floats
from senexo.assays.stats.multiple_testing import benjamini_hochberg, holm

if TYPE_CHECKING:
    import pandas as pd


class Answers:
    """Rows of all tables, question by question."""

    def __init__(
        self,
        cohort: Cohort,
        *,
        control: str | None,
        cut: str | float | None,
        until: float | None,
        unit: str,
        where: str,
        order: Sequence[str] = (),
        at: Sequence[float] = (),
    ):
        self.cohort, self.control, self.cut, self.where = cohort, control, cut, where
        self.order = order
        self.rows: Rows = defaultdict(list)
        self.notes: list[str] = []
        self.groups = Groups(cohort, self.rows, self.notes, until=until, unit=unit, where=where, at=at)
        self.models = Models(cohort, self.rows, self.notes)

    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables, p-values corrected within each kind of test; `cox`, which answers, first."""
        import pandas as pd

        competing = self.cohort.competing is not None
        wanted = COLUMNS | (COMPETING_COLUMNS if competing else {})
        wanted |= {name: columns for name, columns in FURTHER_COLUMNS.items() if name in self.rows}
        found = {name: pd.DataFrame(self.rows[name], columns=list(columns)) for name, columns in wanted.items()}
        for name, families in (
            ("cox", ("model", "outcome")), ("logrank", ("test",)), ("means", ()),
            ("proportional", ("model", "outcome", "term")), ("subdistribution", ("model", "outcome")),
            ("gray", ("outcome",)), ("fixed_differences", ()), ("pairwise", ("value",)),
        ):  # fmt: skip
            if name in found:
                _correct(found[name], families)
        for name in ("cox", "subdistribution"):
            if name in found:
                found[name]["verdict"] = [_size(row) for row in records(found[name])]
        for name in ("logrank", "means", "gray", "fixed_differences", "pairwise", "trend"):
            if name in found:
                found[name]["verdict"] = [_shown(row) for row in records(found[name])]
        return found

    def all_patients(self, name: str = ALL) -> None:
        """One curve of all patients, where nothing was asked or they cannot be distinguished."""
        self.groups.all_patients(name, ALL)

    def add(self, question: Question) -> None:
        """The answer to one question."""
        cohort = self.cohort
        if question.detection is not None:
            self.rows["detection"].append(question.detection.row(question.name))
        if question.values is None:
            assert cohort.group is not None
            rows = cohort.group.present()
            levels = check_group(cohort.group, rows, self.control, self.where, self.order)
            labels = cohort.group.values[rows]
            place = np.array([levels.index(label) for label in labels])
            self.groups.add(question, rows, place, levels, None, False)
            self.groups.compare(question, rows, place, levels, ordered=bool(self.order))
            terms = [f"{level} against {levels[0]}" for level in levels[1:]]
            self.models.add(question, rows, indicators(labels, levels), terms, None)
            return
        rows = ~np.isnan(question.values)
        values = question.values[rows]
        if not rows.any() or (values == values[0]).all():
            self._untestable(question, rows, "it is the same in all patients" if rows.any() else "it is empty")
            return
        self._level(question, rows, values)

    def _level(self, question: Question, rows: Flags, values: Floats) -> None:
        """A level: cut where that is asked for, else as a number, cut at the median for the eye only."""
        cohort, how = self.cohort, self.cut if self.cut is not None else "median"
        found = choose(values, how, cohort.time[rows], cohort.event[rows])
        if isinstance(found, str):
            if self.cut is not None:
                self._untestable(question, rows, found)
                return
            if question.curves:
                self.all_patients(question.name)
        elif self.cut is not None or question.curves:
            high = values > found.at
            self.rows["cuts"].append({
                "value": question.name, "how": "drawn only" if self.cut is None else str(self.cut), "cut": found.at,
                "n_low": int((~high).sum()), "n_high": int(high.sum()), "statistic": found.statistic,
                "p_value": math.nan if question.below else found.p_value,
            })  # fmt: skip
            self.groups.add(question, rows, high.astype(np.int64), ["low", "high"], found, self.cut is None)
        if self.cut is None:
            self.models.add(question, rows, values[:, None], [question.name], None)
        else:
            assert isinstance(found, Cut)
            self.models.add(question, rows, (values > found.at).astype(float)[:, None], ["high against low"], found)

    def _untestable(self, question: Question, rows: Flags, problem: str) -> None:
        if question.curves:
            self.all_patients(question.name)
        self.models.untestable(question, rows, problem)


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
    p = row.get("p_holm", math.nan)
    p = row["p_value"] if math.isnan(p) else p
    return "shown" if p < ALPHA else "not shown"


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
