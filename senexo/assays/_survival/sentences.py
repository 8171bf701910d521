"""What `survival` says in words: was it measured, how long do patients live, does it differ, and by how much."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from senexo.assays._survival.columns import ALL, SEARCHED, SMALL, estimand
from senexo.assays._survival.further_sentences import further
from senexo.assays.detection import NOT_TESTABLE, Detection
from senexo.assays.patients.sentences import (
    MOST_LEVELS,
    NOTHING,
    Row,
    Tables,
    cut_group,
    detection_finding,
    farthest,
    finding_of,
    levels_reported,
    screen_finding,
)
from senexo.assays.result import Finding, p_text, records
from senexo.assays.stats.estimate import ALPHA, Estimate, significant

if TYPE_CHECKING:
    import pandas as pd

_finding = finding_of("survival")


def findings(
    tables: Tables, settings: Mapping[str, Any], names: Sequence[str], detections: Mapping[str, Detection | None]
) -> list[Finding]:
    """All findings. names: the questions; several levels get a short report each, one gets all there is."""
    words = _Words(tables, settings)
    if len(names) < 2:
        return list(words.whole(names[0] if names else ALL, detections))
    return list(words.several(names, detections))


class _Words:
    def __init__(self, tables: Tables, settings: Mapping[str, Any]) -> None:
        self.tables, self.settings = tables, settings
        self.model = "adjusted" if settings["adjust"] else "stratified" if settings["strata"] else "alone"
        self.named = bool(settings["adjust"] or settings["strata"])  # are there several estimands to distinguish?
        self.event = settings["outcomes"][0]

    def whole(self, name: str, detections: Mapping[str, Detection | None]) -> Iterator[Finding]:
        detection = detections.get(name)
        if detection is not None:
            yield detection_finding(_finding, name, detection)
        drawn = self.settings["value"] and self.settings["cut"] is None
        for row in self.rows("groups", name) if not drawn and self.settings["competing"] is None else ():
            yield self._median(row)
        for row in self.rows("incidence", name) if not drawn else ():
            yield self._incidence(row)
        for row in self.rows("gray", name):
            yield self._gray(row)
        for row in self.rows("logrank", name):
            if row["test"] == "log-rank":
                yield self._log_rank(row)
        yield from further(self, name)
        for table in ("cox", "subdistribution"):
            for row in self.rows(table, name):
                if row["role"] == "asked" and (table == "cox" or row["outcome"] == self.event):
                    yield self._hazard_ratio(row, table)
        yield from self._proportional(name)
        for row in self.rows("means", name):
            yield self._mean(row)
        for row in self.rows("models", name):
            if row["model"] == self.model and row["outcome"] == self.event:
                yield self._concordance(row)

    def several(self, names: Sequence[str], detections: Mapping[str, Detection | None]) -> Iterator[Finding]:
        """Detection of what was not measured throughout, how many levels matter, and one answer for each that does."""
        cut = self.settings["cut"] is not None
        table = self.tables["logrank" if cut else "cox"]
        chosen = table["test"] == "log-rank" if cut else self._main(table)
        rows = table[chosen].sort_values(["p_value", "value"], kind="stable")
        test = "log-rank test" if cut else f"Cox model, {self._estimand()}"
        if self.named and cut:
            test += f", {rows['estimand'].iloc[0]}"
        yield screen_finding(_finding, rows, len(names), "survival", test)
        shown, few = levels_reported(rows, names), len(names) <= MOST_LEVELS
        for name in names:
            detection = detections.get(name)
            if detection is not None and (name in shown or (few and detection.verdict != "detected")):
                yield detection_finding(_finding, name, detection)
        for name in shown:
            for row in self.rows("logrank", name):
                if row["test"] == "log-rank":
                    yield self._log_rank(row)
            for row in self.rows("cox", name):
                if row["role"] == "asked" and row["outcome"] == self.event and (row["model"] == self.model or few):
                    yield self._hazard_ratio(row, "cox")

    def rows(self, table: str, name: str) -> list[dict[str, Any]]:
        if table not in self.tables:  # of competing events only
            return []
        whole = self.tables[table]
        return records(whole[whole["value"] == name])

    def label(self, name: str, group: str) -> str:
        """A group as the sentence calls it; of a cut level with its threshold."""
        for row in self.rows("cuts", name):
            return cut_group(name, group, row["cut"])
        return "All patients" if group == ALL else f"{name} {group}"

    def _time(self, value: float) -> str:
        unit = self.settings["unit"]
        return _reached(value) + (f" {unit}" if unit and math.isfinite(value) else "")

    def _main(self, table: pd.DataFrame) -> pd.Series:
        """The rows of the model that counts: of the event, adjusted where that was asked."""
        asked = (table["role"] == "asked") & (table["model"] == self.model)
        return asked & (table["outcome"] == self.event)

    def _estimand(self) -> str:
        """What the model that counts holds constant."""
        return estimand(self.model, self.settings["adjust"], self.settings["strata"])

    def _of(self, row: Row) -> str:
        """The estimand in brackets, where an answer has several."""
        return f" ({row['estimand']})" if self.named else ""

    def _median(self, row: Row) -> Finding:
        counted = f"{row['n_events']} of {row['n']} had the event"
        ends = f"95 % CI {_reached(row['median_low'])} to {_reached(row['median_high'])}"
        if math.isnan(row["median_low"]):
            ends = "too few events for an interval"
        median = row["median"]
        reached = math.isfinite(median)
        label = self.label(row["value"], row["group"])
        words = f"median {self._time(median)}" if reached else "median not reached"
        sentence = f"{label}{self._of(row)}: {words} ({ends}; {counted})."
        found = Estimate(median, row["median_low"], row["median_high"])
        id = f"median:{row['value']}:{row['group']}"
        return _finding(
            id, sentence, found, self.settings["unit"] or "time", math.nan, "estimated" if reached else "not reached"
        )

    def _incidence(self, row: Row) -> Finding:
        """The share of patients with an event by a time, where another event precludes it."""
        kind = "incidence" + ("_competing" if row["outcome"] != self.event else "")
        label = self.label(row["value"], row["group"]) + (" (unadjusted)" if self.named else "")
        ends = f"95 % CI {_percent(row['low'])} to {_percent(row['high'])} %; " if math.isfinite(row["low"]) else ""
        counted = f"{ends}{row['n_events']} of {row['n']} in all"
        sentence = (
            f"{label}: {row['outcome']} by {self._time(row['time'])} in {_percent(row['incidence'])} % of patients "
            f"({counted})."
        )
        found = Estimate(row["incidence"], row["low"], row["high"])
        id = f"{kind}:{row['value']}:{row['group']}"
        return _finding(id, sentence, found, "share", math.nan, "estimated")

    def _gray(self, row: Row) -> Finding:
        """Gray's test of one kind of event."""
        kind = "gray" + ("_competing" if row["outcome"] != self.event else "")
        late = self.settings["entry"] is not None
        words = {
            NOT_TESTABLE: "not testable, below detection.",
            "not testable": f"not testable, {'late entry' if late else 'groups without patients at risk together'}.",
            "shown": f"it differs ({self._test(row)}).",
            "not shown": f"no difference shown ({self._test(row)}).",
        }
        what = f", {row['estimand']}" if self.named else ""
        title = f"{row['value']}: Gray's test of the cumulative incidence of {row['outcome']}{what}: "
        found = NOTHING if row["verdict"] == NOT_TESTABLE else Estimate(row["chi_square"], math.nan, math.nan)
        id = f"{kind}:{row['value']}"
        return _finding(id, title + words[row["verdict"]], found, "chi-square", row["p_holm"], row["verdict"])

    def _log_rank(self, row: Row) -> Finding:
        name, p = row["value"], row["p_holm"]
        noun = "survival" if self.settings["competing"] is None else "hazard"
        words = {
            NOT_TESTABLE: "not testable, below detection.",
            "not testable": "not testable, no two groups were at risk together.",
            "shown": f"{noun} differs ({self._test(row)}).",
            "not shown": f"no difference of {noun} shown ({self._test(row)}).",
        }
        what = ", " + row["estimand"] if self.named else ""
        if self.settings["competing"] is not None:
            what += f", cause-specific hazard of {self.event}"
        found = NOTHING if row["verdict"] == NOT_TESTABLE else Estimate(row["chi_square"], math.nan, math.nan)
        cuts = self.rows("cuts", name)
        at = f", cut at {significant(cuts[0]['cut'])}" if cuts else ""
        title = f"{name}{at}: log-rank test{what}: "
        return _finding(f"logrank:{name}", title + words[row["verdict"]], found, "chi-square", p, row["verdict"])

    def _test(self, row: Row) -> str:
        if self.settings["cut"] == "optimal":
            return f"{p_text(row['p_holm'])}, the search for the cut counted"
        df = row["degrees_of_freedom"]
        return f"chi-square {significant(row['chi_square'])}, {df} df, {p_text(row['p_holm'])}"

    def _hazard_ratio(self, row: Row, table: str) -> Finding:
        name, verdict = row["value"], row["verdict"]
        level = row["term"] == name
        kind = "hazard_ratio" if table == "cox" else "subdistribution_ratio"
        kind += "_competing" if row["outcome"] != self.event else ""
        id = f"{kind}:{row['model']}:{name}" + ("" if level else f":{row['term']}")
        title = f"{name}{'' if level else ', ' + row['term']} ({row['estimand']}): "
        ratio = (
            "hazard ratio"
            if self.settings["competing"] is None
            else (f"{'cause-specific' if table == 'cox' else 'subdistribution'} hazard ratio of {row['outcome']}")
        )
        found = Estimate(row["hazard_ratio"], row["low"], row["high"])
        if verdict in (NOT_TESTABLE, "not testable"):
            why = "below detection" if verdict == NOT_TESTABLE else row["problem"] or "the model gives no p-value"
            shown = NOTHING if verdict == NOT_TESTABLE else found
            of = f"{ratio} " if ratio != "hazard ratio" else ""
            return _finding(id, f"{title}{of}not testable, {why}.", shown, "hazard ratio", math.nan, verdict)
        per = " for each unit more" if level else ""
        ends = f"95 % CI {significant(row['low'])} to {significant(row['high'])}"
        counted = f"{row['n']} patients, {row['n_events']} events"
        if verdict == SEARCHED:
            text = (
                f"{ratio} {significant(row['hazard_ratio'])} ({ends}; {counted}): too far from 1 and its interval "
                "too narrow, as the cut was searched for; only the log-rank p counts the search."
            )
            return _finding(id, title + text, found, "hazard ratio", math.nan, verdict)
        text = f"{ratio} {significant(row['hazard_ratio'])}{per} ({ends}; {p_text(row['p_holm'])}; {counted}): "
        if row["method"] == "Firth":  # Cox's own ratio is infinite: all events lie on one side
            text = f"{text[:-2]}, by Firth's method as Cox's own ratio is infinite: "
        return _finding(id, title + text + _effect(row, level), found, "hazard ratio", row["p_holm"], verdict)

    def _proportional(self, name: str) -> Iterator[Finding]:
        for row in self.rows("proportional", name):
            if row["term"] != ALL or row["model"] != self.model or row["outcome"] != self.event:
                continue
            p = row["p_holm"]
            if math.isnan(p):
                text, verdict = "not testable.", "not testable"
            elif p < ALPHA:
                text = (
                    f"contradicted ({p_text(p)}): hazard ratios change with time, so one number is their average; look "
                    "at the curves and at restricted mean survival."
                )
                verdict = "contradicts proportional hazards"
            else:
                text, verdict = f"not contradicted ({p_text(p)}).", "agrees with proportional hazards"
            found = Estimate(row["chi_square"], math.nan, math.nan)
            if self._unmeasured(name):
                text, verdict, found = "not testable, below detection.", NOT_TESTABLE, NOTHING
            title = f"Proportional hazards ({row['estimand']}): "
            yield _finding(f"proportional:{self.model}:{name}", title + text, found, "chi-square", p, verdict)

    def _mean(self, row: Row) -> Finding:
        id = f"mean_difference:{row['value']}:{row['group']}:{row['control']}"
        label = self.label(row["value"], row["group"])
        title = f"{label} against {row['control']}{self._of(row)}, mean survival "
        title += f"within the first {self._time(row['until'])}: "
        unit = self.settings["unit"] or "time"
        found = Estimate(row["difference"], row["low"], row["high"])
        if row["verdict"] in (NOT_TESTABLE, SEARCHED, "not testable"):
            why = {NOT_TESTABLE: "below detection", SEARCHED: "the cut was searched for"}.get(
                row["verdict"], "the spread of a group is not known"
            )
            return _finding(id, f"{title}not testable, {why}.", NOTHING, unit, math.nan, row["verdict"])
        text = (
            f"{row['difference']:+.3g} (95 % CI {row['low']:+.3g} to {row['high']:+.3g}; {p_text(row['p_holm'])}): "
            + (
                "no difference shown."
                if row["verdict"] == "not shown"
                else "longer."
                if row["difference"] > 0
                else "shorter."
            )
        )
        return _finding(id, title + text, found, unit, row["p_holm"], row["verdict"])

    def _unmeasured(self, name: str) -> bool:
        """Is the model that is reported one of nothing but a level that was not measured?"""
        return self.model != "adjusted" and any(row["verdict"] == NOT_TESTABLE for row in self.rows("cox", name))

    def _concordance(self, row: Row) -> Finding:
        id = f"concordance:{row['model']}:{row['value']}"
        if self._unmeasured(row["value"]):
            return _finding(id, "C-index: not testable, below detection.", NOTHING, "C-index", math.nan, NOT_TESTABLE)
        found = Estimate(row["concordance"], row["concordance_low"], row["concordance_high"])
        if self.settings["cut"] == "optimal" and math.isfinite(row["concordance"]):
            text = (
                f"C-index of the model ({row['estimand']}) {row['concordance']:.3f}: too high and without an interval, "
                "as the cut was searched for in the same patients."
            )
            found = Estimate(row["concordance"], math.nan, math.nan)
            return _finding(id, text, found, "C-index", math.nan, SEARCHED)
        share = (
            f"C-index of the model ({row['estimand']}) {row['concordance']:.3f} (95 % CI "
            f"{row['concordance_low']:.3f} to {row['concordance_high']:.3f}; 0.5 is a coin's)."
            if math.isfinite(row["concordance"])
            else "C-index: not testable, no pair of patients of whom one certainly died first."
        )
        verdict = "estimated" if math.isfinite(row["concordance"]) else "not testable"
        return _finding(id, share, found, "C-index", math.nan, verdict)


def _percent(value: float) -> str:
    return f"{100 * value:.1f}" if math.isfinite(value) else "-"


def _reached(value: float) -> str:
    return significant(value) if math.isfinite(value) else "not reached"


def _effect(row: Row, level: bool) -> str:
    """What the verdict of a hazard ratio says."""
    per = " for one standard deviation" if level else ""
    end = "_sd" if level else ""
    low, high = row[f"low{end}"], row[f"high{end}"]
    words = {
        "absent": f"no effect shown; a hazard ratio of {SMALL:g}{per}, either way, is excluded.",
        "not shown": f"no effect shown; up to {significant(farthest(low, high))}-fold{per} is not excluded.",
    }
    more = "higher" if row["hazard_ratio"] > 1 else "lower"
    size = f"{significant(row[f'hazard_ratio{end}'])}{per}" if level else ""
    return words.get(row["verdict"], f"a {row['verdict']} effect, {more} hazard{f' ({size})' if size else ''}.")
