"""The findings as rows: what was compared, by how much, with which interval and p-value, and what that says.

Interval and p-value are those of findings.json. The interval is that of one comparison, the p-value is corrected by
Holm for all comparisons of its kind; where the interval excludes no effect and the p-value does not, the row says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from senexo.assays.specs import REQUESTS
from senexo.base.errors import StoreError

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05
READS = {
    "large": "large effect", "moderate": "moderate effect", "small": "small effect",
    "not shown": "undecided", "not decided": "undecided", "no dose response shown": "undecided",
    "estimated": "estimated", "not reached": "half effect not reached", "beyond the ladder": "beyond the ladder",
    "not testable": "not testable", "below detection: not testable": "below detection", "absent": "no relevant effect",
}  # fmt: skip
NOTHING = {"share": 0.0, "fold": 1.0, "ratio": 1.0}  # unit -> the value without effect


@dataclass(frozen=True)
class Row:
    """One finding on the page; `look`: an effect was shown."""

    compared: str
    effect: str
    p: str
    reads: str
    sentence: str
    look: bool


@dataclass(frozen=True)
class Group:
    """The findings of one assay result."""

    title: str
    rows: tuple[Row, ...]
    method: str
    cautions: tuple[str, ...]


def groups(found: Mapping[str, Any]) -> list[Group]:
    """The findings by assay result, in the study's order."""
    if any("findings" not in assay for assay in found["assays"]):
        raise StoreError("findings.json is of an older version: make its report with the version that run.json names")
    by_id = {finding["id"]: finding for finding in found["findings"]}
    titles = [_title(assay) for assay in found["assays"]]
    made = []
    for title, assay in zip(titles, found["assays"], strict=True):
        number = f" (request {assay['request']})" if titles.count(title) > 1 else ""
        rows = tuple(row(by_id[id]) for id in assay["findings"])
        notes = (*assay.get("cautions", []), *assay.get("notes", []))
        made.append(Group(_capital(title) + number, rows, assay["method"], tuple(plain(note) for note in notes)))
    return made


def row(finding: Mapping[str, Any]) -> Row:
    """One finding as a row."""
    return Row(
        compared(finding), effect(finding), p_value(finding.get("p_value")), reads(finding), finding["sentence"],
        finding["verdict"] in ("large", "moderate"),
    )  # fmt: skip


def compared(finding: Mapping[str, Any]) -> str:
    """What a finding compares, from its id; its sentence up to the first colon where the id does not say."""
    match str(finding["id"]).split(":"):
        case [_, "detection", target]:
            return f"{target} detected"
        case [_, _, "difference", arm, control] | [_, "ratio" | "transfer", arm, control]:
            return f"{arm} against {control}"
        case [_, "difference", what, arm, control]:
            return f"{what}: {arm} against {control}"
        case [_, "fold", _, arm, control, time]:
            return f"{arm} against {control}, day {float(time.removesuffix('h')) / 24:g}"
        case [_, "fold", _, arm, control]:
            return f"{arm} against {control}"
        case [_, _, "ec50", family]:
            return f"dose-response of {family}"
        case _:
            return str(finding["sentence"]).partition(":")[0]


def effect(finding: Mapping[str, Any]) -> str:
    """Estimate and interval with their unit; nothing where nothing was estimated.

    Examples
    --------
    >>> effect({"estimate": 0.035, "low": -0.069, "high": 0.139, "unit": "share", "id": ""})
    '+3.5 points (−6.9 to +13.9)'
    """
    value, low, high, unit = (finding.get(key) for key in ("estimate", "low", "high", "unit"))
    if value is None:
        return ""
    if unit == "share" and ":detection:" not in str(finding["id"]):
        return f"{_signed(100 * value)} points" + _interval(low, high, lambda end: _signed(100 * end))
    if unit == "share of wells undetected":
        return f"{100 * (1 - value):.0f} % of wells"
    shown = {"fold": "-fold", "ratio": "-fold", "copies": " copies"}.get(str(unit), f" {unit}")
    return f"{_three(value)}{shown}" + _interval(low, high, _three)


def _interval(low: float | None, high: float | None, text: Any) -> str:
    if low is None and high is None:
        return ""
    return f" ({'any' if low is None else text(low)} to {'any' if high is None else text(high)})"


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")


def _three(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def p_value(p: float | None) -> str:
    """A p-value as journals print it.

    Examples
    --------
    >>> p_value(1.0), p_value(0.00001), p_value(0.0312)
    ('1.0', '< 0.0001', '0.031')
    """
    if p is None or math.isnan(p):
        return ""
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}" if p < 0.995 else "1.0"


def reads(finding: Mapping[str, Any]) -> str:
    """What a finding says, in a few words that its interval and p-value bear out."""
    verdict = str(finding["verdict"])
    said = READS.get(verdict, verdict)
    nothing = NOTHING.get(str(finding.get("unit")))
    low, high, p = finding.get("low"), finding.get("high"), finding.get("p_value")
    if said != "undecided" or nothing is None or low is None or high is None:
        return said
    if low > nothing or high < nothing:
        corrected = p is not None and p >= ALPHA
        return "undecided: the interval alone excludes no effect, the corrected p does not" if corrected else said
    if nothing == 0.0:
        return f"undecided: up to {100 * max(-low, high):.0f} points remain possible"
    return f"undecided: up to {_three(max(high, 1.0 / low) if low > 0 else high)}-fold remains possible"


def plain(text: str) -> str:
    """A note or caution as a sentence of its own: a capital first, a full stop last."""
    stripped = text.strip()
    return _capital(stripped) + ("" if stripped.endswith((".", "!", "?")) else ".")


def _capital(text: str) -> str:
    return text if text[:1].isupper() or text[:4] == "miR-" else text[:1].upper() + text[1:]


def _title(assay: Mapping[str, Any]) -> str:
    request = REQUESTS.get(assay["assay"])
    if request is None:
        unknown = f"an assay {assay['assay']!r} that this report does not know"
        raise StoreError(f"findings.json: {unknown}; make it with the same version")
    return request.title.format(**assay["settings"])


def table(found: Mapping[str, Any]) -> pd.DataFrame:
    """All findings as a table, one row each."""
    import pandas as pd

    rows = [
        {"id": one["id"], "assay": one["assay"], "compared": compared(one), "estimate": one["estimate"],
         "low": one["low"], "high": one["high"], "unit": one["unit"], "p_holm": one["p_value"], "reads": reads(one)}
        for one in found["findings"]
    ]  # fmt: skip
    columns = ["id", "assay", "compared", "estimate", "low", "high", "unit", "p_holm", "reads"]
    return pd.DataFrame(rows, columns=columns)
