"""The figure of `particles`: rates of every donor and arm, and the ratios between arms.

Samples below the blank are open triangles at its limit, pointing to where they lie.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays._particles.rates import NOT_TESTABLE
from senexo.assays.drawing import COLOURS, canvas
from senexo.assays.result import p_text, records

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def particle_rates(tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> Figure:
    """Left the rates, donors of a paired design joined; right, where arms were compared, the ratios."""
    ratios = tables["ratios"]
    arms = _arms(tables, settings)
    widths = [1.2 + 0.75 * len(arms), *([3.4] if len(ratios) else [])]
    with canvas(sum(widths), 3.0) as figure:
        panels = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
        _rates(panels[0], arms, tables, settings)
        if len(ratios):
            _ratios(panels[1], ratios)
            for panel, letter in zip(panels, "AB", strict=True):
                panel.set_title(letter)
        return figure


def _arms(tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> list[str]:
    """The compared arms, controls first; all of them where nothing was compared."""
    pairs = settings["compare"]
    return list(dict.fromkeys([*(pair[1] for pair in pairs), *(pair[0] for pair in pairs)])) or list(
        tables["rates"]["arm"]
    )


def _rates(axes: Axes, arms: list[str], tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> None:
    samples = tables["samples"]
    donors = {name: i for i, name in enumerate(dict.fromkeys(samples["donor"]))}
    place = {arm: i for i, arm in enumerate(arms)}
    shown = samples[samples["arm"].isin(arms)]
    x = shown["arm"].map(place) + 0.30 * ((shown["donor"].map(donors) + 0.5) / len(donors) - 0.5)
    if settings["design"] == "paired":
        for _, mine in shown.assign(x=x).groupby("donor", sort=False):
            mine = mine.sort_values("x")
            axes.plot(mine["x"], mine["rate"], color="0.75", linewidth=0.6, zorder=1)
    below = shown["below"].to_numpy(bool)
    axes.plot(x[~below], shown.loc[~below, "rate"], "o", color=COLOURS[0], markersize=3.5, zorder=3)
    axes.plot(
        x[below], shown.loc[below, "rate"], "v", color=COLOURS[0], markersize=4, markerfacecolor="white", zorder=3
    )
    for row in records(tables["rates"]):
        if row["arm"] in place and np.isfinite(row["rate"]):
            at = place[row["arm"]] + 0.30
            axes.plot(at, row["rate"], "D", color="black", markersize=4, zorder=4)
            if np.isfinite([row["low"], row["high"]]).all() and row["low"] > 0.0:
                axes.plot([at, at], [row["low"], row["high"]], color="black", linewidth=1.1, zorder=4)
    axes.set_yscale("log")
    _plain_ticks(axes)
    long = max(map(len, arms)) > 10
    axes.set_xticks(range(len(arms)), arms, rotation=30 if long else 0, ha="right" if long else "center")
    axes.set_xlim(-0.5, len(arms) - 0.4)
    axes.set_ylabel("particles per cell and hour\n(donors; geometric mean, 95 % CI)")


def _plain_ticks(axes: Axes) -> None:
    """Numbers without powers of ten, 1-2-5 where the range is short."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high / low < 300 else (1.0,)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))


def _ratios(axes: Axes, ratios: pd.DataFrame) -> None:
    """A ratio with its interval per row, and p or the reason why there is none beside it."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    names = []
    for place, row in enumerate(records(ratios)):
        names.append(f"{row['arm']}\n/ {row['control']}")
        ends = [value for value in (row["low"], row["high"]) if np.isfinite(value) and value > 0.0]
        if len(ends) == 2:
            axes.plot(ends, [place, place], color="black", linewidth=1.2)
        if np.isfinite(row["ratio"]) and row["ratio"] > 0.0:
            axes.plot(row["ratio"], place, "D", color="black", markersize=4.5)
        word = "below blank" if row["verdict"] == NOT_TESTABLE else p_text(row["p_holm"]) or row["verdict"]
        axes.annotate(word, (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=6.5,
                      annotation_clip=False)  # fmt: skip
    axes.axvline(1.0, color="0.4", linestyle=":", linewidth=1.0)
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    low, high = min(low, 0.45), max(high, 1.25)
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0) if high / low < 12 else (1.0,)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("ratio of rates (95 % CI)")
