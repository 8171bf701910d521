"""What `survival` computes of groups: curves, medians, restricted means, log-rank tests, cumulative incidences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from senexo.assays._survival.columns import SEARCHED, Rows, risk_times
from senexo.assays._survival.read import Cohort
from senexo.assays.detection import NOT_TESTABLE
from senexo.assays.patients.question import Question
from senexo.assays.stats import kaplan_meier, standardised
from senexo.assays.stats.competing_risks import incidence
from senexo.assays.stats.cutpoint import Cut
from senexo.assays.stats.fixed_times import difference_at, survival_at
from senexo.assays.stats.gray import gray_test
from senexo.assays.stats.kaplan_meier import Curve, Flags, Floats, Labels
from senexo.base.errors import Fault, InvalidInput

FEW_AT_RISK = 5  # patients at an event, below which a step of a curve of late entrants is mostly chance


class Groups:
    """Rows of the tables of groups, appended to `rows`; `notes` are what a reader must know."""

    def __init__(
        self, cohort: Cohort, rows: Rows, notes: list[str], *, until: float | None, unit: str, where: str,
        at: Sequence[float] = (),
    ) -> None:  # fmt: skip
        self.cohort, self.rows, self.notes = cohort, rows, notes
        self.until, self.unit, self.where, self.at = until, unit, where, at

    def add(
        self, question: Question, rows: Flags, place: Labels, levels: list[str], cut: Cut | None, drawn: bool
    ) -> None:
        """All tables of the groups of one question; only curves where a cut is `drawn` for the eye."""
        tests = self._log_rank(rows, place)
        expected = tests["log-rank"].expected
        if self.cohort.competing is not None:
            self._incidences(question, rows, place, levels, expected, drawn)
        else:
            self._survival(question, rows, place, levels, expected, cut, drawn)
        if drawn:
            return
        searched = cut is not None and cut.searched
        for test, found in tests.items():
            p = math.nan if question.below else found.p_value
            if searched:
                p = cut.p_value if test == "log-rank" and cut is not None and not question.below else math.nan
            self.rows["logrank"].append({
                "value": question.name, "test": test, "estimand": self._of_tests(), "outcome": self.cohort.outcomes[0],
                "chi_square": found.chi_square, "degrees_of_freedom": found.degrees_of_freedom, "p_value": p,
                "verdict": NOT_TESTABLE if question.below else "",
            })  # fmt: skip

    def compare(self, question: Question, rows: Flags, place: Labels, levels: list[str], *, ordered: bool) -> None:
        """Log-rank tests of every pair of three or more groups, and of a trend where the groups are ordered."""
        common = {"value": question.name, "estimand": self._of_tests(), "outcome": self.cohort.outcomes[0]}
        members = np.flatnonzero(rows)
        for one, two in combinations(range(len(levels)), 2) if len(levels) > 2 else ():
            pair = np.zeros(len(rows), bool)
            pair[members[(place == one) | (place == two)]] = True
            found = self._one_log_rank(pair, (place[np.isin(place, (one, two))] == two).astype(np.int64), 0.0)
            self.rows["pairwise"].append({
                **common, "group": levels[two], "control": levels[one], "chi_square": found.chi_square,
                "degrees_of_freedom": 1, "p_value": found.p_value, "verdict": "",
            })  # fmt: skip
        if ordered:
            value, chi_square, p_value = self._one_log_rank(rows, place, 0.0).trend()
            self.rows["trend"].append({
                **common, "order": ", ".join(levels), "chi_square": chi_square,
                "degrees_of_freedom": 1, "p_value": p_value,
                "direction": "rises" if value > 0 else "falls", "verdict": "",
            })  # fmt: skip

    def all_patients(self, name: str, label: str) -> None:
        """The curve of all patients."""
        cohort = self.cohort
        everyone, place = np.ones(len(cohort.time), bool), np.zeros(len(cohort.time), np.int64)
        question = Question(name, None, None, curves=True)
        if cohort.competing is not None:
            self._incidences(question, everyone, place, [label], None, True)
        else:
            self._curves(name, everyone, place, [label], None)

    def _of_tests(self) -> str:
        return f"stratified by {self.cohort.strata_of}" if self.cohort.strata else "unadjusted"

    def _entry(self, own: Any) -> Floats | None:
        return None if self.cohort.entry is None else self.cohort.entry[own]

    def _log_rank(self, rows: Flags, place: Labels) -> dict[str, kaplan_meier.LogRank]:
        return {test: self._one_log_rank(rows, place, rho) for test, rho in (("log-rank", 0.0), ("Peto-Peto", 1.0))}

    def _one_log_rank(self, rows: Flags, place: Labels, rho: float) -> kaplan_meier.LogRank:
        cohort = self.cohort
        return kaplan_meier.log_rank(
            cohort.time[rows], cohort.event[rows], place, cohort.stratum[rows], rho=rho, entry=self._entry(rows)
        )

    def _survival(
        self, question: Question, rows: Flags, place: Labels, levels: list[str], expected: Floats, cut: Cut | None,
        drawn: bool,
    ) -> None:  # fmt: skip
        """Curves, medians and restricted means; with strata all of them standardised to the strata."""
        weighted = (
            self._standardised(question.name, rows, place, levels) if self.cohort.strata and len(levels) > 1 else None
        )
        curves, until = self._curves(question.name, rows, place, levels, expected, weighted)
        searched = cut is not None and cut.searched
        for when, k in ((when, k) for when in self.at for k in range(1, 0 if drawn else len(levels))):
            gap = difference_at(curves[k], curves[0], when)
            withheld = NOT_TESTABLE if question.below else SEARCHED if searched else ""
            self.rows["fixed_differences"].append({
                "value": question.name, "group": levels[k], "control": levels[0], "estimand": self._of_curves(weighted),
                "time": when, "difference": gap.value, "low": gap.low, "high": gap.high,
                "p_value": math.nan if withheld else gap.p_value, "verdict": withheld,
            })  # fmt: skip
        for k in range(1, 0 if drawn else len(levels)):
            if weighted is None:
                gap = kaplan_meier.mean_difference(curves[k], curves[0], until)
            else:
                gap = standardised.mean_difference(weighted[k], weighted[0], until)
            withheld = NOT_TESTABLE if question.below else SEARCHED if searched else ""
            self.rows["means"].append({
                "value": question.name, "group": levels[k], "control": levels[0], "estimand": self._of_curves(weighted),
                "until": until, "difference": gap.value, "low": gap.low, "high": gap.high,
                "p_value": math.nan if withheld else gap.p_value, "verdict": withheld,
            })  # fmt: skip

    def _of_curves(self, weighted: list[standardised.Standardised] | None) -> str:
        return "unadjusted" if weighted is None else f"standardised to {self.cohort.strata_of}"

    def _standardised(
        self, name: str, rows: Flags, place: Labels, levels: list[str]
    ) -> list[standardised.Standardised] | None:
        """The groups in every stratum, weighted by its share of all; None where no stratum holds all groups."""
        cohort = self.cohort
        stratum, of = cohort.stratum[rows], np.flatnonzero(rows)
        common = [s for s in np.unique(stratum) if len(np.unique(place[stratum == s])) == len(levels)]
        gone = [cohort.strata[s] for s in np.unique(stratum) if s not in common]
        if gone:
            left = f"strata without all groups of {name} ({', '.join(gone[:5])}{', ...' if len(gone) > 5 else ''})"
            what = (
                "are no part of standardised curves and restricted means"
                if common
                else "leave no stratum to compare in"
            )
            self.notes.append(f"{left} {what}" + ("" if common else ": curves and restricted means are unadjusted"))
        if not common:
            return None
        weights = standardised.weights_of(stratum[np.isin(stratum, common)])
        found = []
        for k in range(len(levels)):
            members = [of[(place == k) & (stratum == s)] for s in common]
            curves = tuple(kaplan_meier.curve(cohort.time[own], cohort.event[own], self._entry(own)) for own in members)
            found.append(standardised.Standardised(curves, tuple(weights[int(s)] for s in common)))
        return found

    def _curves(
        self, name: str, rows: Flags, place: Labels, levels: list[str], expected: Floats | None,
        weighted: list[standardised.Standardised] | None = None,
    ) -> tuple[list[Curve], float]:  # fmt: skip
        cohort = self.cohort
        members = [np.flatnonzero(rows)[place == k] for k in range(len(levels))]
        plain = [kaplan_meier.curve(cohort.time[own], cohort.event[own], self._entry(own)) for own in members]
        curves = plain if weighted is None else [one.curve() for one in weighted]
        until = self._until(name, levels, plain if weighted is None else weighted)
        for k, (level, own, curve) in enumerate(zip(levels, members, curves, strict=True)):
            median, mean = curve.median(), (curve if weighted is None else weighted[k]).mean_interval(until)
            reverse = kaplan_meier.curve(cohort.time[own], ~cohort.event[own], self._entry(own))
            self.rows["groups"].append({
                "value": name, "group": level, "estimand": self._of_curves(weighted), "n": len(own),
                "n_events": int(cohort.event[own].sum()),
                "n_expected": math.nan if expected is None else float(expected[k]), "median": median.value,
                "median_low": median.low, "median_high": median.high, "until": until, "mean": mean.value,
                "mean_low": mean.low, "mean_high": mean.high, "follow_up": reverse.median().value,
            })  # fmt: skip
            for i in range(len(curve.time)):
                self.rows["curves"].append({
                    "value": name, "group": level, "time": curve.time[i], "n_at_risk": int(curve.n_at_risk[i]),
                    "n_events": int(curve.n_events[i]), "n_censored": int(curve.n_censored[i]),
                    "survival": curve.survival[i], "std_error": curve.std_error[i], "low": curve.low[i],
                    "high": curve.high[i],
                })  # fmt: skip
            for when in self.at:
                found, _ = survival_at(curve, when)
                self.rows["fixed_times"].append({
                    "value": name, "group": level, "estimand": self._of_curves(weighted), "time": when,
                    **self._followed(own, when), "survival": found.value, "low": found.low, "high": found.high,
                })  # fmt: skip
            self._few_at_risk(name, level, plain[k].time, plain[k].n_events, plain[k].n_at_risk)
        self._at_risk(name, levels, members)
        return curves, until

    def _few_at_risk(self, name: str, level: str, time: Floats, events: Any, at_risk: Any) -> None:
        """Curves of late entrants begin with few patients: an early event then moves them far."""
        if self.cohort.entry is None:
            return
        few = (events > 0) & (at_risk < FEW_AT_RISK) & (time < np.median(time))
        if few.any():
            first = int(np.argmax(few))
            self.notes.append(
                f"{name} {level}: only {int(at_risk[first])} at risk at the event at {time[first]:g}; early steps of "
                "this curve are uncertain, and with them all that is read from it"
            )

    def _at_risk(self, name: str, levels: Sequence[str], members: Sequence[Any]) -> None:
        """The table below a figure: who is followed at round times."""
        cohort = self.cohort
        everyone = np.concatenate(list(members))
        for k, own in enumerate(members):
            for when in risk_times(float(cohort.time[everyone].max()), self.unit):
                row = {"value": name, "group": levels[k], "time": when, **self._followed(own, when)}
                self.rows["at_risk"].append(row)

    def _followed(self, own: Any, when: float) -> dict[str, int]:
        """How many are at risk at a time, and how many had the event by then."""
        time, entry = self.cohort.time[own], self._entry(own)
        here = (time >= when) & (True if entry is None else (entry < when) | (entry == 0.0))
        gone = self.cohort.event[own] & (time <= when)
        return {"n_at_risk": int(here.sum()), "n_events": int(gone.sum())}

    def _until(self, name: str, levels: list[str], curves: Sequence[Curve | standardised.Standardised]) -> float:
        """The time to which means are restricted. Beyond the last patient of a group its curve would be made up."""
        last = [one.last() if isinstance(one, standardised.Standardised) else float(one.time[-1]) for one in curves]
        if self.until is None:
            return min(last)
        known, level = min((curve.known_until(), level) for curve, level in zip(curves, levels, strict=True))
        if self.until > known:
            expected = f"at most {known:g}: no patient of {name} {level} was followed longer"
            raise InvalidInput([Fault(f"{self.where}: until", f"{self.until:g}", expected)])
        return self.until

    def _incidences(
        self, question: Question, rows: Flags, place: Labels, levels: list[str], expected: Floats | None, drawn: bool
    ) -> None:
        """Cumulative incidences of event and competing event, and Gray's tests that groups have the same."""
        cohort, name = self.cohort, question.name
        assert cohort.competing is not None
        cause = np.where(cohort.event, 0, np.where(cohort.competing, 1, -1))
        members = [np.flatnonzero(rows)[place == k] for k in range(len(levels))]
        start = np.zeros(len(cohort.time)) if cohort.entry is None else cohort.entry
        until = min(float(cohort.time[own].max()) for own in members) if self.until is None else self.until
        for k, own in enumerate(members):
            found = incidence(start[own], cohort.time[own], cause[own], 2)
            if until > found.reach:
                expected_text = f"at most {found.reach:g}: no patient of {name} {levels[k]} was followed longer"
                raise InvalidInput([Fault(f"{self.where}: until", f"{until:g}", expected_text)])
            self._few_at_risk(name, levels[k], found.time, found.events.sum(axis=0), found.at_risk)
            reverse = kaplan_meier.curve(cohort.time[own], cause[own] < 0, self._entry(own))
            n_events = int(cohort.event[own].sum())
            self.rows["groups"].append({
                "value": name, "group": levels[k], "estimand": "unadjusted", "n": len(own), "n_events": n_events,
                "n_expected": math.nan if expected is None else float(expected[k]), "until": until,
                "follow_up": reverse.median().value,
            })  # fmt: skip
            low, high = found.interval()
            values, errors = found.at(until)
            last = int(np.searchsorted(found.time, until, side="right")) - 1
            for j, outcome in enumerate(cohort.outcomes):
                self.rows["incidence"].append({
                    "value": name, "group": levels[k], "outcome": outcome, "n": len(own),
                    "n_events": int((cause[own] == j).sum()), "time": until, "incidence": float(values[j]),
                    "std_error": float(errors[j]), "low": low[j, last] if last >= 0 else math.nan,
                    "high": high[j, last] if last >= 0 else math.nan,
                })  # fmt: skip
                for i in range(len(found.time)):
                    self.rows["incidence_curves"].append({
                        "value": name, "group": levels[k], "outcome": outcome, "time": found.time[i],
                        "n_at_risk": int(found.at_risk[i]), "n_events": int(found.events[j, i]),
                        "incidence": found.incidence[j, i], "std_error": found.error[j, i], "low": low[j, i],
                        "high": high[j, i],
                    })  # fmt: skip
        self._at_risk(name, levels, members)
        for j, outcome in enumerate(() if drawn else cohort.outcomes):
            own = (cause == j)[rows], (cause == 1 - j)[rows]
            possible = cohort.entry is None
            test = gray_test(cohort.time[rows], *own, place, cohort.stratum[rows]) if possible else None
            self.rows["gray"].append({
                "value": name, "outcome": outcome, "estimand": self._of_tests(),
                "chi_square": math.nan if test is None else test.chi_square, "degrees_of_freedom": len(levels) - 1,
                "p_value": math.nan if test is None or question.below else test.p_value,
                "verdict": NOT_TESTABLE if question.below else "",
            })  # fmt: skip
