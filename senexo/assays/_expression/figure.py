"""The figure of `expression`: all tested RNAs (volcano, or fold changes where they are few), and chosen ones by donor.

Significant RNAs are filled, others open, so that grey prints tell them apart.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays.drawing import COLOURS, canvas
from senexo.assays.result import records
from senexo.assays.stats.estimate import ALPHA

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

MANY = 15  # RNAs from which a volcano says more than a list of fold changes
LABELLED = 8
DRAWN = 4


def expression_figure(tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> Figure:
    """Left the RNAs that were tested, right up to four of them by donor."""
    rows = tables["features"]
    tested = rows[rows["p_value"].notna()]
    names = list(dict.fromkeys(tables["values"]["feature"]))[:DRAWN]
    screen, width = 3.6 if len(tested) else 0.0, 0.6 + 1.25 * len(names)
    with canvas(screen + width, 3.2) as figure:
        right: Figure | SubFigure = figure
        if screen:
            left, right = figure.subfigures(1, 2, width_ratios=[screen, width], squeeze=False)[0]
            axes = left.subplots()
            (_volcano if len(tested) >= MANY else _folds)(axes, tested, settings)
            axes.set_title("A")
            right.suptitle("B", x=0.02, ha="left", fontsize=8, fontweight="bold")
        panels = right.subplots(1, len(names), squeeze=False)[0]
        for i, (name, axes) in enumerate(zip(names, panels, strict=True)):
            _donors(axes, name, tables, settings)
            if i == 0:
                axes.set_ylabel(_unit(settings))
        return figure


def _volcano(axes: Axes, tested: pd.DataFrame, settings: Mapping[str, Any]) -> None:
    """log2 fold change against -log10 p; the dashed line is where the false discovery rate reaches 5 %."""
    fold, p = tested["log2_fold"].to_numpy(), np.maximum(tested["p_value"].to_numpy(), 1e-300)
    height, hit = -np.log10(p), (tested["p_bh"] < ALPHA).to_numpy()
    for chosen, colour, marker in ((hit & (fold > 0), COLOURS[1], "^"), (hit & (fold < 0), COLOURS[0], "v")):
        axes.plot(fold[chosen], height[chosen], marker, color=colour, markersize=4, linestyle="none", zorder=3)
    axes.plot(fold[~hit], height[~hit], "o", color="0.55", markersize=2.5, markerfacecolor="none", markeredgewidth=0.6)
    if hit.any():
        between = height[hit].min(), height[~hit].max(initial=0.0)
        axes.axhline(sum(between) / 2.0, color="0.3", linestyle="--", linewidth=0.8)
        axes.annotate("false discovery rate 5 %", (0.99, sum(between) / 2.0), xycoords=("axes fraction", "data"),
                      ha="right", va="bottom", fontsize=6, color="0.3")  # fmt: skip
    edge = 1.15 * max(1.0, float(np.abs(fold).max()))
    axes.set_xlim(-edge, edge)
    axes.set_ylim(0, 1.12 * float(height.max()))
    named = tested["target"] | (hit & (np.arange(len(tested)) < LABELLED))
    _label(axes, tested[named].sort_values("target", ascending=False, kind="stable"))
    axes.axvline(0.0, color="0.7", linewidth=0.6, zorder=0)
    axes.set_xlabel(_fold_label(settings))
    axes.set_ylabel("\N{MINUS SIGN}log10 p (unadjusted)")


def _fold_label(settings: Mapping[str, Any], more: str = "") -> str:
    """What the axis of folds says, in two lines where names are long."""
    groups = f"{settings['case']} / {settings['control']}"
    return f"log2 fold change,{' ' if len(groups + more) < 32 else chr(10)}{groups}{more}"


def _label(axes: Axes, named: pd.DataFrame) -> None:
    """Names beside their points, the first ones first; a name that would cover an earlier one is left out."""
    low, high = axes.get_xlim()
    top = axes.get_ylim()[1]
    wide, tall = 0.0165 * (high - low), 0.045 * top  # of a letter, of a line
    taken: list[tuple[float, float, float, float]] = []
    for row in records(named):
        x, y = row["log2_fold"], -np.log10(max(row["p_value"], 1e-300))
        width = wide * len(row["feature"])
        for side, up in ((1, 0.3), (-1, 0.3), (1, -0.9), (-1, -0.9), (1, 1.2), (-1, 1.2)):
            left = x + wide if side > 0 else x - wide - width
            box = left, left + width, y + up * tall, y + (up + 1.0) * tall
            if box[0] < low or box[1] > high or box[3] > top or any(_overlap(box, other) for other in taken):
                continue
            taken.append(box)
            axes.text(
                x + side * wide, box[2], row["feature"], fontsize=6, ha="left" if side > 0 else "right",
                fontweight="bold" if row["target"] else "normal",
            )  # fmt: skip
            break


def _overlap(box: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return box[0] < other[1] and other[0] < box[1] and box[2] < other[3] and other[2] < box[3]


def _folds(axes: Axes, tested: pd.DataFrame, settings: Mapping[str, Any]) -> None:
    """Every fold change with its interval, the smallest p on top."""
    places = np.arange(len(tested))
    hit = (tested["p_holm"].fillna(tested["p_bh"]) < ALPHA).to_numpy()
    value, low, high = tested[["log2_fold", "log2_low", "log2_high"]].to_numpy().T
    axes.errorbar(
        value, places, xerr=[value - low, high - value], fmt="none", ecolor="black", elinewidth=0.9, capsize=2
    )
    axes.plot(value[hit], places[hit], "D", color="black", markersize=4.5)
    axes.plot(value[~hit], places[~hit], "D", color="black", markersize=4.5, markerfacecolor="white")
    axes.axvline(0.0, color="0.4", linestyle=":", linewidth=1.0)
    axes.set_yticks(places, list(tested["feature"]))
    axes.set_ylim(len(tested) - 0.5, -0.5)
    axes.set_xlabel(_fold_label(settings, " (95 % CI)"))


def _donors(axes: Axes, name: str, tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> None:
    """One RNA: a point per donor, pairs joined, a bar at the median of each group."""
    values = tables["values"]
    mine = values[values["feature"] == name]
    groups = [settings["control"], settings["case"]]
    spread = np.random.default_rng(0)
    shown = {}
    for place, group in enumerate(groups):
        chosen = mine[mine["group"] == group].set_index("donor")["value"]
        y = _height(chosen.to_numpy(float), settings)
        paired = settings["design"] == "paired"
        x = place + (np.zeros(len(y)) if paired else spread.uniform(-0.16, 0.16, len(y)))
        shown[group] = dict(zip(chosen.index, zip(x, y, strict=True), strict=True))
        axes.plot(x, y, "os"[place], color=COLOURS[place], markersize=3.2, linestyle="none", zorder=3,
                  markerfacecolor="white" if place == 0 else COLOURS[place], markeredgewidth=0.8)  # fmt: skip
        if np.isfinite(y).any():
            axes.hlines(np.nanmedian(y), place - 0.28, place + 0.28, color="black", linewidth=1.4, zorder=4)
    if settings["design"] == "paired":
        for donor in shown[groups[0]].keys() & shown[groups[1]].keys():
            axes.plot(
                *zip(*(shown[group][donor] for group in groups), strict=True), color="0.7", linewidth=0.6, zorder=1
            )
    row = tables["features"].set_index("feature").loc[name]
    below = "\nbelow detection" if row["detection"] == "below detection" else ""
    if below and settings["kind"] != "intensities":
        below += f"\n(< {settings['min_reads']:g} reads)"
    axes.set_title(f"{name}{below}", fontsize=6.5, fontweight="normal", loc="center")
    axes.set_xticks([0, 1], [textwrap.fill(group, 10, break_long_words=False) for group in groups])
    if max(len(word) for group in groups for word in group.split()) > 9:
        axes.tick_params(axis="x", labelrotation=90)
    axes.set_xlim(-0.5, 1.5)
    if settings["kind"] != "intensities":
        _count_axis(axes)
        if below:
            axes.axhline(np.log2(settings["min_reads"] + 1.0), color="0.4", linestyle=":", linewidth=0.9)


def _height(values: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Reads as log2(reads + 1), so that samples without a read are seen."""
    return values if settings["kind"] == "intensities" else np.log2(values + 1.0)


def _count_axis(axes: Axes) -> None:
    """Ticks that say reads: 0, 1, 3, 10, 30, ..."""
    top = max(axes.get_ylim()[1], 2.2)
    marks = [0, *(m * 10**e for e in range(7) for m in ((1, 3) if top < 12 else (1,)) if np.log2(m * 10**e + 1) <= top)]
    axes.set_ylim(-0.25, top)
    axes.set_yticks([np.log2(mark + 1) for mark in marks], [f"{mark:,}" for mark in marks])


def _unit(settings: Mapping[str, Any]) -> str:
    return "log2 intensity" if settings["kind"] == "intensities" else "reads (size-corrected)"
