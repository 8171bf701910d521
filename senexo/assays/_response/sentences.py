"""What `response` says in words: was it measured, how many responded, and what goes with response."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from senexo.assays._response.tables import SMALL
from senexo.assays.detection import NOT_TESTABLE, Detection
from senexo.assays.patients.sentences import (
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
from senexo.assays.result import Finding, before_holm, p_text, records
from senexo.assays.stats.estimate import Estimate, significant

if TYPE_CHECKING:
    import pandas as pd
_finding = finding_of("response")


def findings(
    tables: Tables, settings: Mapping[str, Any], names: Sequence[str], detections: Mapping[str, Detection | None]
) -> Iterator[Finding]:
    """All findings. names: the questions; several levels get a short report each, one gets all there is."""
    several, fisher = len(names) > 1, len(tables["fisher"]) > 0
    model = "adjusted" if settings["adjust"] else "alone"
    shown = list(names)
    if several:
        asked = tables["models"]["role"] == "asked"
        rows = tables["fisher"] if fisher and model == "alone" else tables["models"][
            asked & (tables["models"]["model"] == model)]  # fmt: skip
        rows = rows.sort_values(["p_value", "value"], kind="stable")
        yield screen_finding(_finding, rows, len(names), "response")
        shown = levels_reported(rows, names)
    for name in shown:
        detection = detections.get(name)
        if detection is not None:
            yield detection_finding(_finding, name, detection)
        cuts = {row["value"]: row["cut"] for row in records(tables["cuts"])}
        for row in _of(tables["shares"], name) if not several else []:
            yield _share(row, cuts)
        for row in _of(tables["fisher"], name):
            yield _fisher(row, cuts)
        for row in _of(tables["models"], name):
            doubled = fisher and row["model"] == "alone" and not row["problem"]  # Fisher's test has said it
            if row["role"] == "asked" and not doubled:
                yield _odds_ratio(row, settings)
        for row in _of(tables["areas"], name) if not several else []:
            yield _area(row, below=detection is not None and not detection.testable)


def _of(table: pd.DataFrame, name: str) -> list[dict[str, Any]]:
    return records(table[table["value"] == name])


def _name(row: Row, group: str, cuts: Mapping[str, float]) -> str:
    if row["value"] in cuts:
        return cut_group(row["value"], group, cuts[row["value"]])
    return f"{row['value']} {group}"


def _share(row: Row, cuts: Mapping[str, float]) -> Finding:
    share, low, high = (100 * row[key] for key in ("share", "low", "high"))
    sentence = (
        f"{_name(row, row['group'], cuts)}: {row['n_response']} of {row['n']} responded ({share:.0f} %, 95 % CI "
        f"{low:.0f} to {high:.0f} %)."
    )
    found = Estimate(row["share"], row["low"], row["high"])
    return _finding(f"share:{row['value']}:{row['group']}", sentence, found, "share", math.nan, "estimated")


def _fisher(row: Row, cuts: Mapping[str, float]) -> Finding:
    id = f"fisher:{row['value']}:{row['group']}:{row['control']}"
    title = f"{_name(row, row['group'], cuts)} against {row['control']}: "
    found = Estimate(row["odds_ratio"], row["low"], row["high"])
    if math.isnan(row["p_value"]):
        why = "below detection" if row["verdict"] == NOT_TESTABLE else "all or none of both responded"
        return _finding(id, f"{title}not testable, {why}.", NOTHING, "odds ratio", math.nan, row["verdict"])
    text = f"{_ratio(row)}, exact; {p_text(row['p_holm'])}): {_effect(row, '')}"
    return _finding(id, title + text, found, "odds ratio", row["p_holm"], row["verdict"])


def _odds_ratio(row: Row, settings: Mapping[str, Any]) -> Finding:
    level = row["term"] == row["value"]
    title = f"{row['value']}{'' if level else ', ' + row['term']} ({row['estimand']}): "
    id = f"odds_ratio:{row['model']}:{row['value']}" + ("" if level else f":{row['term']}")
    if row["problem"] or math.isnan(row["p_value"]):
        why = "below detection" if row["verdict"] == NOT_TESTABLE else row["problem"]
        return _finding(id, f"{title}not testable, {why}.", NOTHING, "odds ratio", math.nan, row["verdict"])
    per = " for each unit more" if level else ""
    text = f"{_ratio(row, per)}; {p_text(row['p_holm'])}; {row['n_response']} of {row['n']} patients responded): "
    if row["method"] == "firth":
        why = " as the columns part responders from the others" if settings["method"] == "auto" else ""
        text = f"{text[:-2]}, by Firth's method{why}: "
    found = Estimate(row["odds_ratio"], row["low"], row["high"])
    return _finding(id, title + text + _effect(row, "_sd" if level else ""), found, "odds ratio", row["p_holm"],
                    row["verdict"])  # fmt: skip


def _area(row: Row, *, below: bool) -> Finding:
    if below:
        sentence = f"{row['value']}: the area under the ROC curve is not testable, below detection."
        return _finding(f"area:{row['value']}", sentence, NOTHING, "area under the ROC curve", math.nan, NOT_TESTABLE)
    found = Estimate(row["area"], row["low"], row["high"])
    ends = "no interval" if math.isnan(row["low"]) else f"95 % CI {row['low']:.2f} to {row['high']:.2f}"
    sentence = (
        f"{row['value']}: the area under the ROC curve is {row['area']:.2f} ({ends}): a responder has the higher level "
        f"in {100 * row['area']:.0f} % of pairs (a coin: 50 %)."
    )
    return _finding(f"area:{row['value']}", sentence, found, "area under the ROC curve", math.nan, "estimated")


def _ratio(row: Row, per: str = "") -> str:
    ends = [significant(row[key]) for key in ("odds_ratio", "low", "high")]
    return f"odds ratio {ends[0]}{per} (95 % CI {ends[1]} to {ends[2]}"


def _effect(row: Row, end: str) -> str:
    """What the verdict of an odds ratio says; end: "_sd" for a level, which is judged per standard deviation."""
    per = " for one standard deviation" if end else ""
    low, high, verdict = row[f"low{end}"], row[f"high{end}"], row["verdict"]
    if verdict == "absent":
        return f"no effect shown; an odds ratio of {SMALL:g}{per}, either way, is excluded."
    if verdict == "not shown":
        far = farthest(low, high)
        limit = "" if math.isinf(far) else f"; up to {significant(far)}-fold{per} is not excluded"
        return f"no effect shown{before_holm(row)}{limit}."
    more = "more" if row["odds_ratio"] > 1 else "less"
    size = f" ({significant(row['odds_ratio_sd'])}{per})" if end else ""
    return f"a {verdict} effect, response is {more} likely{size}."
