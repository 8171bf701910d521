"""What `survival` says of fixed times, of pairs of groups and of a trend."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from senexo.assays._survival.columns import SEARCHED
from senexo.assays.detection import NOT_TESTABLE
from senexo.assays.patients.sentences import NOTHING, Row, finding_of
from senexo.assays.result import Finding, p_text
from senexo.assays.stats.estimate import Estimate, significant

MOST_PAIRS = 6  # pairs of groups that get a sentence each
_finding = finding_of("survival")


class Words(Protocol):
    """What is needed of the words of one answer."""

    settings: Mapping[str, Any]

    def rows(self, table: str, name: str) -> list[dict[str, Any]]: ...

    def label(self, name: str, group: str) -> str: ...


def further(words: Words, name: str) -> Iterator[Finding]:
    """Findings of pairs, trend and fixed times of one question."""
    pairs = words.rows("pairwise", name)
    if len(pairs) > MOST_PAIRS:
        yield _pairs(name, pairs)
    else:
        yield from (_pair(words, row) for row in pairs)
    yield from (_trend(words, row) for row in words.rows("trend", name))
    yield from (_survival(words, row) for row in words.rows("fixed_times", name))
    yield from (_difference(words, row) for row in words.rows("fixed_differences", name))


def _what(words: Words, row: Row) -> str:
    """The estimand and, with competing events, the hazard that a log-rank test compares."""
    of = "" if row["estimand"] == "unadjusted" else f", {row['estimand']}"
    return of + (f", cause-specific hazard of {row['outcome']}" if words.settings["competing"] is not None else "")


def _pair(words: Words, row: Row) -> Finding:
    title = f"{row['value']}, {row['group']} against {row['control']}: log-rank test{_what(words, row)}: "
    test = f"chi-square {significant(row['chi_square'])}, 1 df, {p_text(row['p_holm'])} corrected for all pairs"
    text = {
        "not testable": "not testable, the two groups were never at risk together.",
        "shown": f"they differ ({test}).",
        "not shown": f"no difference shown ({test}).",
    }[row["verdict"]]
    found = Estimate(row["chi_square"], math.nan, math.nan)
    id = f"pairwise:{row['value']}:{row['group']}:{row['control']}"
    return _finding(id, title + text, found, "chi-square", row["p_holm"], row["verdict"])


def _pairs(name: str, pairs: list[dict[str, Any]]) -> Finding:
    """One sentence for many pairs."""
    shown = [f"{row['group']} and {row['control']}" for row in pairs if row["verdict"] == "shown"]
    which = f": {'; '.join(shown[:MOST_PAIRS])}{'; ...' if len(shown) > MOST_PAIRS else ''}" if shown else ""
    text = f"{name}: of {len(pairs)} pairs of groups {len(shown)} differ by log-rank tests corrected for all{which}."
    found = Estimate(len(shown) / len(pairs), math.nan, math.nan)
    return _finding(f"pairwise:{name}", text, found, "share of pairs", math.nan, "shown" if shown else "not shown")


def _trend(words: Words, row: Row) -> Finding:
    test = f"chi-square {significant(row['chi_square'])}, 1 df, {p_text(row['p_value'])}"
    text = {
        "not testable": "not testable, no two groups were at risk together.",
        "shown": f"the hazard {row['direction']} ({test}).",
        "not shown": f"none shown ({test}).",
    }[row["verdict"]]
    sentence = f"{row['value']}: log-rank test for trend over {row['order']}{_what(words, row)}: {text}"
    found = Estimate(row["chi_square"], math.nan, math.nan)
    return _finding(f"trend:{row['value']}", sentence, found, "chi-square", row["p_value"], row["verdict"])


def _survival(words: Words, row: Row) -> Finding:
    id = f"survival:{row['value']}:{row['group']}:{row['time']:g}"
    title = f"{words.label(row['value'], row['group'])}{_of(row)}: survival at {_time(words, row)} "
    if math.isnan(row["survival"]):
        return _finding(
            id, f"{title}not estimable, no patient was followed so long.", NOTHING, "share", math.nan, "not testable"
        )
    ends = f"95 % CI {_percent(row['low'])} to {_percent(row['high'])} %"
    if math.isnan(row["low"]):
        ends = "no interval, as " + ("no patient had" if row["survival"] == 1.0 else "all had") + " the event"
    text = f"{_percent(row['survival'])} % ({ends}; {row['n_at_risk']} at risk)."
    found = Estimate(row["survival"], row["low"], row["high"])
    return _finding(id, title + text, found, "share", math.nan, "estimated")


def _difference(words: Words, row: Row) -> Finding:
    id = f"survival_difference:{row['value']}:{row['group']}:{row['control']}:{row['time']:g}"
    label = words.label(row["value"], row["group"])
    title = f"{label} against {row['control']}{_of(row)}, survival at {_time(words, row)}: "
    if row["verdict"] not in ("shown", "not shown"):
        why = {NOT_TESTABLE: "below detection", SEARCHED: "the cut was searched for"}.get(
            row["verdict"], "a group has no interval then"
        )
        return _finding(id, f"{title}not testable, {why}.", NOTHING, "share", math.nan, row["verdict"])
    more = "no difference shown" if row["verdict"] == "not shown" else "higher" if row["difference"] > 0 else "lower"
    text = (
        f"{100 * row['difference']:+.1f} percentage points (95 % CI {100 * row['low']:+.1f} to "
        f"{100 * row['high']:+.1f}; {p_text(row['p_holm'])}): {more}."
    )
    found = Estimate(row["difference"], row["low"], row["high"])
    return _finding(id, title + text, found, "share", row["p_holm"], row["verdict"])


def _of(row: Row) -> str:
    return "" if row["estimand"] == "unadjusted" else f" ({row['estimand']})"


def _time(words: Words, row: Row) -> str:
    unit = words.settings["unit"]
    return f"{row['time']:g}" + (f" {unit}" if unit else "")


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"
