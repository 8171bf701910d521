"""Figures of response: the fitted chance against a level with its ROC curve, shares of groups, or odds ratios."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays.drawing import COLOURS, canvas
from senexo.assays.patients.forest import forest
from senexo.assays.result import p_text, records
from senexo.assays.stats.estimate import significant

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 30  # levels in one figure
Tables = Mapping[str, "pd.DataFrame"]


def response_figure(tables: Tables, settings: Mapping[str, Any]) -> Figure:
    """Of one level its curve, of groups or a cut the shares, of several levels a row each."""
    if len(settings["value"]) > 1:
        return _forest(tables["models"], settings)
    if len(tables["shares"]):
        return _shares(tables, settings)
    return _curve(tables, settings)


def _forest(models: pd.DataFrame, settings: Mapping[str, Any]) -> Figure:
    """Odds ratios of levels, adjusted where that was asked."""
    adjust = settings["adjust"]
    chosen = models[(models["role"] == "asked") & (models["model"] == ("adjusted" if adjust else "alone"))]
    of = f"adjusted for {', '.join(adjust)}" if adjust else ""
    return forest(chosen, settings, ratio="odds_ratio", label="odds ratio of response", most=MOST, estimand=of)


def _curve(tables: Tables, settings: Mapping[str, Any]) -> Figure:
    """A: a tick per patient, the fitted chance and its 95 % band. B: the ROC curve."""
    from matplotlib.ticker import PercentFormatter

    patients, curve = tables["patients"], tables["curve"]
    with canvas(6.4, 2.9) as figure:
        left, right = figure.subplots(1, 2, width_ratios=[3.6, 2.8])
        for response, place in ((1, 1.03), (0, -0.03)):
            level = patients.loc[patients["response"] == response, "level"]
            left.plot(level, np.full(len(level), place), "|", color="black", markersize=8, markeredgewidth=0.8)
        if len(curve):
            left.plot(curve["level"], curve["share"], color=COLOURS[0])
            left.fill_between(curve["level"], curve["low"], curve["high"], color=COLOURS[0], alpha=0.18, linewidth=0)
        left.set_ylim(-0.08, 1.08)
        left.yaxis.set_major_formatter(PercentFormatter(1.0))
        left.set_xlabel(settings["value"][0] if settings["value"] else "")
        left.set_ylabel("responders (fit, 95 % CI; a tick per patient)")
        left.set_title("A")
        _roc(right, tables)
        left.set_title(_odds(tables), loc="right", fontsize=7, fontweight="normal")
        right.annotate(_area(tables), (0.97, 0.05), xycoords="axes fraction", ha="right", fontsize=7)
        return figure


def _roc(axes: Axes, tables: Tables) -> None:
    points = tables["roc"]
    axes.plot([0, 1], [0, 1], color="0.5", linestyle=":", linewidth=1.0)
    axes.plot(points["false_positive"], points["true_positive"], color="black")
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_aspect("equal")
    axes.set_xlabel("1 \N{MINUS SIGN} specificity")
    axes.set_ylabel("sensitivity")
    axes.set_title("B")


def _odds(tables: Tables) -> str:
    """The odds ratio of the level, short."""
    for row in records(tables["models"]):
        if row["role"] == "asked" and row["model"] == "alone":
            text = f"odds ratio per SD {_ratio(row, '_sd')}, {p_text(row['p_value'])}"
            return text if math.isfinite(row["p_value"]) else str(row["verdict"])
    return ""


def _area(tables: Tables) -> str:
    for row in records(tables["areas"]):
        ends = "" if math.isnan(row["low"]) else f"\n(95 % CI {row['low']:.2f} to {row['high']:.2f})"
        return f"area {row['area']:.2f}{ends}"
    return ""


def _ratio(row: Mapping[str, Any], end: str) -> str:
    ratio, low, high = (significant(row[key + end], 2) for key in ("odds_ratio", "low", "high"))
    return f"{ratio} ({low} to {high})"


def _shares(tables: Tables, settings: Mapping[str, Any]) -> Figure:
    """A row per group: the share who responded with its exact interval, counts, and Fisher's p against the first."""
    rows, cuts = records(tables["shares"]), records(tables["cuts"])
    tests = {row["group"]: row for row in records(tables["fisher"])}
    with canvas(5.2, 1.0 + 0.28 * len(rows)) as figure:
        axes = figure.subplots()
        for place, row in enumerate(rows):
            share, low, high = (100 * row[key] for key in ("share", "low", "high"))
            axes.errorbar(share, place, xerr=[[share - low], [high - share]], fmt="o", color="black", markersize=4.5,
                          capsize=2.5, elinewidth=1.0)  # fmt: skip
            text = f"{row['n_response']} of {row['n']}"
            if row["group"] in tests:
                test = tests[row["group"]]
                text += f", {p_text(test['p_holm']) or test['verdict'].split(':')[0]}"
            axes.annotate(text, (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=7,
                          annotation_clip=False)  # fmt: skip
        signs = {"low": "≤", "high": ">"}
        names = [f"{row['group']} ({signs[row['group']]} {significant(cuts[0]['cut'])})" if cuts else row["group"]
                 for row in rows]  # fmt: skip
        axes.set_yticks(range(len(rows)), names)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(0, 100)
        axes.tick_params(axis="y", length=0)
        axes.set_ylabel(settings["group"] or settings["value"][0])
        axes.set_xlabel(f"responders (%, exact 95 % CI; Fisher's exact test against {rows[0]['group']})")
        return figure
