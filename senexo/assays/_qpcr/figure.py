"""Fold changes of all arms one below the other, with the donors behind each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays.drawing import beside, canvas, name_rows
from senexo.assays.result import day, p_text, records

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def fold_changes(tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> Figure:
    """Fold change of every arm with its interval, and the donors behind it.

    A donor with one sample below detection is an open triangle that points where its fold change lies; an interval
    that the data leave open ends in an arrow at the edge.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    folds = records(tables["fold_changes"])
    with canvas(5.2, 0.8 + 0.24 * len(folds)) as figure:
        axes = figure.subplots()
        samples = tables["dct"].set_index(["arm", "time_h", "donor"]).sort_index()
        paired = settings["design"] == "paired"
        drawn = [x for place, row in enumerate(folds) for x in _donor_folds(axes, samples, row, place, paired=paired)]
        drawn += [row[key] for row in folds for key in ("fold", "low", "high")]
        drawn = [x for x in drawn if np.isfinite(x) and x > 0.0]
        low, high = min([1.0, *drawn]) / 1.4, max([1.0, *drawn]) * 1.4
        for place, row in enumerate(folds):
            below = row["verdict"] == "below detection: not testable"
            beside(axes, place, "below detection" if below else p_text(row["p_holm"]) or row["verdict"])
            _fold(axes, row, place, (low, high))
        axes.axvline(1.0, color="0.4", linestyle=":", linewidth=1.0)
        axes.set_xscale("log")
        axes.set_xlim(low, high)
        steps = (1.0, 2.0, 5.0) if high / low < 200 else (1.0,)
        axes.xaxis.set_major_locator(LogLocator(subs=steps))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        timed = len({row["time_h"] for row in folds}) > 1
        name_rows(axes, [row["arm"] + (f", {day(row['time_h'])}" if timed else "") for row in folds])
        words = f"{settings['target']} (fold of {settings['control']}; mean, 95 % CI, donors)"
        if any(row["n_censored"] for row in folds):
            words += "\ntriangles: one sample of the donor was below detection"
        axes.set_xlabel(words)
        return figure


def _fold(axes: Axes, row: Mapping[str, Any], place: int, edges: tuple[float, float]) -> None:
    """Mean and interval of one arm; nothing where nothing was estimated."""
    if np.isnan(row["low"]) and np.isnan(row["high"]):
        return
    ends = np.clip([row["low"], row["high"]], *edges)
    axes.plot(ends, [place, place], color="black", linewidth=1.2, zorder=4)
    for end, value, marker in zip(ends, (row["low"], row["high"]), "<>", strict=True):
        if not np.isfinite(value) or value == 0.0:
            axes.plot(end, place, marker, color="black", markersize=5, clip_on=False, zorder=5)
    if np.isfinite(row["fold"]) and row["fold"] > 0.0:
        axes.plot(row["fold"], place, "D", color="black", markersize=4.5, zorder=5)


def _donor_folds(axes: Axes, samples: pd.DataFrame, row: Mapping[str, Any], place: int, *, paired: bool) -> list[float]:
    """The fold change of every donor; returns what was drawn."""
    try:
        arm, control = (samples.loc[(name, row["time_h"])] for name in (row["arm"], row["control"]))
    except KeyError:  # the arm has no sample at this time
        return []
    if paired:
        donors = arm.index.intersection(control.index)
        arm, control = arm.loc[donors], control.loc[donors]
        fold, hidden_control = 2.0 ** (control["dct"] - arm["dct"]).to_numpy(), control["censored"].to_numpy(bool)
    else:  # each donor of the arm against the mean of the other donors
        fold, hidden_control = 2.0 ** (control["dct"].mean() - arm["dct"]).to_numpy(), np.zeros(len(arm), bool)
    hidden = arm["censored"].to_numpy(bool)
    for chosen, marker in (
        (~hidden & ~hidden_control, "o"), (hidden & ~hidden_control, "<"), (~hidden & hidden_control, ">"),
    ):  # fmt: skip
        # four rows beside the interval, so that donors hide neither it nor each other
        spread = place + np.array([-0.32, 0.32, -0.2, 0.2])[np.arange(chosen.sum()) % 4]
        axes.plot(fold[chosen], spread, marker, color="0.45", markersize=3, markerfacecolor="none",
                  markeredgewidth=0.7, zorder=2)  # fmt: skip
    return [float(x) for x in fold[~(hidden & hidden_control)]]
