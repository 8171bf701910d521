"""Kaplan-Meier curves with their risk table; of several levels, their hazard ratios below each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays._survival.columns import estimand
from senexo.assays.detection import NOT_TESTABLE
from senexo.assays.drawing import COLOURS, LINES, canvas
from senexo.assays.patients.forest import forest
from senexo.assays.patients.sentences import group_label
from senexo.assays.result import p_text, records
from senexo.assays.stats.estimate import significant

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 25  # levels that a forest of hazard ratios shows
BANDS = 3  # groups up to which intervals are drawn; more hide each other
BESIDE = 5  # groups up to which the legend finds room between the curves
LEVEL_COLOURS = {"low": COLOURS[1], "high": COLOURS[0]}


def survival_figure(tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> Figure:
    """Curves where one thing was asked, a forest of hazard ratios where several were."""
    if len(settings["value"]) > 1:
        return _forest(tables["cox"], settings)
    if settings["competing"] is not None:
        from senexo.assays._survival.incidence_figure import incidence_figure

        return incidence_figure(tables, settings)
    return _curves(tables, settings)


def _forest(cox: pd.DataFrame, settings: Mapping[str, Any]) -> Figure:
    """Hazard ratios of levels, of the model that holds most constant."""
    model = "adjusted" if settings["adjust"] else "stratified" if settings["strata"] else "alone"
    chosen = cox[(cox["role"] == "asked") & (cox["model"] == model) & (cox["outcome"] == settings["outcomes"][0])]
    of = estimand(model, settings["adjust"], settings["strata"]) if model != "alone" else ""
    label = (
        "hazard ratio" if settings["competing"] is None else f"cause-specific hazard ratio of {settings['outcomes'][0]}"
    )
    return forest(chosen, settings, ratio="hazard_ratio", label=label, most=MOST, estimand=of)


def _curves(tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> Figure:
    groups, curves = records(tables["groups"]), tables["curves"]
    labels = [group_label(row["group"], tables["cuts"]) for row in groups]
    height = 0.17 * (len(groups) + 1.6)
    words = _words(tables, settings)
    widest = max(len(str(row["group"])) for row in groups) + (20 if len(groups) > BESIDE else 0)
    with canvas(4.1 + 0.05 * widest, 2.9 + height + 0.13 * len(words)) as figure:
        axes, table = figure.subplots(2, 1, height_ratios=[2.7, height], sharex=True)
        end = max((float(curves.loc[curves["group"] == row["group"], "time"].max()) for row in groups), default=1.0)
        for k, (row, colour) in enumerate(zip(groups, colours_of(groups), strict=True)):
            own = curves[curves["group"] == row["group"]]
            _step(axes, own, colour, LINES[k % len(LINES)], labels[k], band=len(groups) <= BANDS)
        axes.set_ylim(0, 1.02)
        axes.set_yticks(np.linspace(0, 1, 6), [f"{share:.0f}" for share in np.linspace(0, 100, 6)])
        of = str(groups[0]["estimand"])
        axes.set_ylabel("survival (%)" + (f",\n{of}" if of != "unadjusted" else ""))
        axes.set_xlim(0, end * 1.02)
        ticks = sorted(set(tables["at_risk"]["time"]))
        axes.set_xticks(ticks)
        axes.tick_params(labelbottom=True)
        unit = settings["unit"]
        axes.set_xlabel(f"time ({unit})" if unit else f"time ({settings['time']})")
        if len(groups) > 1:
            beside = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)} if len(groups) > BESIDE else {"loc": "best"}
            axes.legend(**beside, handlelength=3.0, borderaxespad=0.2)
        axes.set_title("\n".join(words), fontsize=7, fontweight="normal")  # above, where it hides no curve
        risk_table(table, tables["at_risk"], groups)
        return figure


def _step(axes: Axes, own: pd.DataFrame, colour: str, line: Any, label: str, *, band: bool) -> None:
    """One curve from 1 at time 0, a tick where a patient was censored, its interval as a pale band."""
    time = np.append(0.0, own["time"].to_numpy(float))
    steps = {name: np.append(1.0, own[name].to_numpy(float)) for name in ("survival", "low", "high")}
    axes.plot(time, steps["survival"], drawstyle="steps-post", color=colour, linestyle=line, label=label, zorder=3)
    if band:
        known = ~np.isnan(steps["low"])
        axes.fill_between(time[known], steps["low"][known], steps["high"][known], step="post", color=colour, alpha=0.13,
                          linewidth=0)  # fmt: skip
    left = own[own["n_censored"] > 0]
    axes.plot(left["time"], left["survival"], "|", color=colour, markersize=4, markeredgewidth=0.8, zorder=4)


def risk_table(axes: Axes, at_risk: pd.DataFrame, groups: Sequence[Mapping[str, Any]]) -> None:
    """How many are still followed at each tick, below the axis."""
    axes.set_ylim(len(groups) - 0.4, -1.3)
    axes.spines[:].set_visible(False)
    axes.tick_params(axis="both", length=0, labelbottom=False)
    names = [str(row["group"]) for row in groups]
    axes.set_yticks(range(len(groups)), names)
    axes.tick_params(axis="y", pad=13)
    axes.annotate("number at risk", (0, -0.95), xycoords=("axes fraction", "data"), fontsize=7, va="center",
                  fontweight="bold")  # fmt: skip
    for k, (row, colour) in enumerate(zip(groups, colours_of(groups), strict=True)):
        axes.get_yticklabels()[k].set_color(colour)
        for one in records(at_risk[at_risk["group"] == row["group"]]):
            axes.annotate(str(one["n_at_risk"]), (one["time"], k), fontsize=7, ha="center", va="center")


def colours_of(groups: Sequence[Mapping[str, Any]]) -> list[str]:
    """Of groups, by their places; low and high of a cut level have their own."""
    if {row["group"] for row in groups} == set(LEVEL_COLOURS):
        return [LEVEL_COLOURS[row["group"]] for row in groups]
    return [COLOURS[place % len(COLOURS)] for place in range(len(groups))]


def _words(tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> list[str]:
    """What the corner says: the test, and the hazard ratio."""
    words = []
    if settings["value"]:
        split = settings["cut"] is None and len(tables["cuts"])
        words.append(settings["value"][0] + (", split at the median to draw it" if split else ""))
    tests = [row for row in records(tables["logrank"]) if row["test"] == "log-rank"]
    asked = [row for row in records(tables["cox"]) if row["role"] == "asked"]
    if any(row["verdict"] == NOT_TESTABLE for row in (*tests, *asked)):
        return [*words, NOT_TESTABLE]
    if asked and asked[0]["problem"]:
        words.append(f"not testable, {asked[0]['problem']}")
    several = bool(settings["strata"] or settings["adjust"])
    for row in tests:
        if math.isfinite(row["p_value"]):
            searched = " (search counted)" if settings["cut"] == "optimal" else ""
            of = f", {row['estimand']}" if several else ""
            words.append(f"log-rank {p_text(row['p_value'])}{of}{searched}")
    for model in dict.fromkeys(row["model"] for row in asked):
        rows = [row for row in asked if row["model"] == model and math.isfinite(row["p_value"])]
        for row in rows if len(rows) < 3 else []:
            kind = f", {row['estimand']}" if several else ""
            if settings["value"] and settings["cut"] is None:
                # of one unit (a year, a single read) a ratio may be 1.0 to two digits and still matter
                words.append(f"HR per SD {_ratio(row, '_sd')}, {p_text(row['p_value'])}{kind}")
            else:
                words.append(f"HR {_ratio(row)}{', ' + row['term'] if settings['group'] else ''}{kind}")
    return words


def _ratio(row: Mapping[str, Any], of: str = "") -> str:
    ratio, low, high = (significant(row[key + of], 2) for key in ("hazard_ratio", "low", "high"))
    return f"{ratio} (95 % CI {low} to {high})"
