"""What `expression` says in words: was it measured, how many RNAs differ, and which."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from senexo.assays.detection import NOT_TESTABLE, detect
from senexo.assays.result import Finding, interval_text, p_text, records
from senexo.assays.stats.estimate import ALPHA, Estimate, significant

if TYPE_CHECKING:
    import pandas as pd

    from senexo.assays.panel import Panel


def reported(rows: pd.DataFrame, targets: Sequence[str], most: int) -> list[str]:
    """The RNAs that get a sentence: those named in advance; else the significant ones, at most `most`; else few."""
    if targets:
        return list(targets)
    if len(rows) <= most:
        return list(rows["feature"])
    return list(rows.loc[rows["p_bh"] < ALPHA, "feature"][:most])


def findings(
    tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any], names: Sequence[str], reads: Panel | None
) -> list[Finding]:
    """The detection report, the screen, and a fold change for each RNA in `names`. reads: None for intensities."""
    rows = tables["features"].set_index("feature")
    found = [_detection(rows, settings)]
    if reads is not None:
        found += [_measured(name, tables, reads, settings) for name in settings["target"]]
    if settings["problem"]:
        sentence = f"{settings['case']} against {settings['control']}: not testable, {settings['problem']}."
        found.append(_screen(settings, sentence, math.nan, "not testable"))
    elif len(rows) > 1:
        found.append(_screened(rows, settings))
    return found + [_fold(name, row, settings) for name in names for row in records(rows.loc[[name]])]


def _detection(rows: pd.DataFrame, settings: Mapping[str, Any]) -> Finding:
    """How many of all RNAs were measured at all."""
    n, n_below = len(rows), int((rows["detection"] == "below detection").sum())
    case, control = settings["case"], settings["control"]
    sentence = (
        f"{n - n_below} of {n} RNA{'s' if n > 1 else ''} {'were' if n > 1 else 'was'} detected in at least half of the "
        f"samples of {case} ({settings['n_case']}) or {control} ({settings['n_control']})"
    )
    sentence += f"; {n_below} below detection {'are' if n_below > 1 else 'is'} not tested." if n_below else "."
    verdict = "detected" if not n_below else "below detection" if n_below == n else "partly below detection"
    share = Estimate(n_below / n, math.nan, math.nan)
    unit = "share of RNAs below detection"
    return Finding.of("expression", "detection", sentence, share, unit=unit, p_holm=math.nan, verdict=verdict)


def _measured(name: str, tables: Mapping[str, pd.DataFrame], reads: Panel, settings: Mapping[str, Any]) -> Finding:
    """Was one RNA measured, group by group?"""
    depth = tables["samples"]["depth"]
    chosen = {settings["case"]: reads.is_case, settings["control"]: ~reads.is_case}
    sentences = [
        detect(
            reads.values.loc[rows, name], min_reads=settings["min_reads"], depth=depth[rows], name=f"{name} in {label}"
        )
        for label, rows in chosen.items()
        if rows.any()
    ]
    row = tables["features"].set_index("feature").loc[name]
    n, n_detected = sum(x.n for x in sentences), sum(x.n_detected for x in sentences)
    share = Estimate(1.0 - n_detected / n if n else math.nan, math.nan, math.nan)
    return Finding.of(
        "expression", f"detection:{name}", " ".join(x.sentence for x in sentences) or f"{name}: no sample.", share,
        unit="share of samples below detection", p_holm=math.nan, verdict=str(row["detection"]),
    )  # fmt: skip


def _screened(rows: pd.DataFrame, settings: Mapping[str, Any]) -> Finding:
    """How many of the tested RNAs differ."""
    case, control = settings["case"], settings["control"]
    n_tested = int(rows["p_value"].notna().sum())
    differ = rows[rows["p_bh"] < ALPHA]
    higher = int((differ["log2_fold"] > 0).sum())
    share = len(differ) / n_tested if n_tested else math.nan
    words = (
        f"{len(differ)} of {n_tested} tested RNAs differ" if len(differ) else f"None of {n_tested} tested RNAs differs"
    )
    ups = f": {higher} higher and {len(differ) - higher} lower in {case}" if len(differ) else ""
    rate = f"at a false discovery rate of {100 * ALPHA:g} %"
    sentence = f"{case} against {control}: {words} {rate} ({_donors(settings)}){ups}."
    return _screen(settings, sentence, share, "estimated" if len(differ) else "not shown")


def _screen(settings: Mapping[str, Any], sentence: str, share: float, verdict: str) -> Finding:
    id = f"screen:{settings['case']}:{settings['control']}"
    value = Estimate(share, math.nan, math.nan)
    unit = "share of tested RNAs"
    return Finding.of("expression", id, sentence, value, unit=unit, p_holm=math.nan, verdict=verdict)


def _fold(name: str, row: Mapping[str, Any], settings: Mapping[str, Any]) -> Finding:
    """One RNA's fold change."""
    p = row["p_holm"] if row["target"] else row["p_bh"]
    estimate = Estimate(row["fold"], row["low"], row["high"])
    id = f"fold:{name}:{settings['case']}:{settings['control']}"
    sentence = f"{name}, {settings['case']} against {settings['control']}: {_words(row, p, settings)}"
    return Finding.of("expression", id, sentence, estimate, unit="fold", p_holm=p, verdict=row["verdict"])


def _words(row: Mapping[str, Any], p: float, settings: Mapping[str, Any]) -> str:
    if row["verdict"] == NOT_TESTABLE:
        return "not testable, below detection in both."
    if settings["problem"]:
        return f"not testable, {settings['problem']}."
    if math.isnan(p):
        why = "one sample alone decides" if settings["kind"] != "intensities" else "too few values, or none that vary"
        return f"not testable, {why}."
    n = settings["n_case"], settings["n_control"]
    paired = settings["design"] == "paired"
    bracket = interval_text(row["low"], row["high"], p, n[0], n_control=None if paired else n[1])
    if not row["target"]:
        bracket = bracket.replace(p_text(p), f"adjusted {p_text(p)}")
    small = settings["small_fold"]
    words = {
        "absent": f"no difference shown; {small:g}-fold or more is excluded.",
        "not shown": f"no difference shown; up to {significant(max(row['high'], 1.0 / row['low']))}-fold is not "
        "excluded.",
    }
    return f"{significant(row['fold'])}-fold ({bracket}): {words.get(row['verdict'], _effect(row))}"


def _effect(row: Mapping[str, Any]) -> str:
    return f"a {row['verdict']} {'increase' if row['log2_fold'] > 0 else 'decrease'}."


def _donors(settings: Mapping[str, Any]) -> str:
    n = settings["n_case"], settings["n_control"]
    return f"{n[0]} donors, paired" if settings["design"] == "paired" else f"{n[0]} and {n[1]} donors, unpaired"
