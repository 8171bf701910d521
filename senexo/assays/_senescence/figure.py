"""Dose-response of every family with its curve and EC50, and the shares of compared arms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays.drawing import beside, canvas, look_of, name_rows
from senexo.assays.result import day, p_text, records
from senexo.assays.stats.dose_response import Curve
from senexo.assays.stats.estimate import significant

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def shares_and_curves(tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> Figure:
    """Left the dose-response of every family with its curve and EC50, right the compared arms; one may be missing."""
    shares = tables["shares"]
    now = shares[shares["time_h"] == settings["time_h"]]
    families = [row["family"] for row in records(tables["ec50"])]
    arms = _shown_arms(shares, tables, families, settings["time_h"])
    widths = [3.5] * bool(families) + [3.5] * bool(len(arms))
    with canvas(sum(widths), max(2.8, 0.9 + 0.17 * len(arms))) as figure:
        panels = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
        if families:
            _dose_response(panels[0], now, tables, settings["title"])
        if len(arms):
            _arms(panels[-1], arms, tables, settings["title"])
        if len(panels) > 1:
            for panel, letter in zip(panels, "AB", strict=True):
                panel.set_title(letter)
        return figure


def _shown_arms(
    shares: pd.DataFrame, tables: Mapping[str, pd.DataFrame], families: list[str], time_h: float
) -> pd.DataFrame:
    """The arms that were compared, at their times; without a comparison, those that are no dose of a ladder."""
    differences, washouts = tables["differences"], tables["washouts"]
    asked = {(arm, time_h) for arm in (*differences["arm"], *differences["control"], *washouts["control"])}
    asked |= {(row["washed"], row["time_h"]) for row in records(washouts)}
    asked |= {(row[name], row["kept_time_h"]) for row in records(washouts) for name in ("kept", "control")}
    if len(differences) or len(washouts):
        return shares[[sample in asked for sample in zip(shares["arm"], shares["time_h"], strict=True)]]
    return shares[(shares["time_h"] == time_h) & ~shares["family"].isin(families)]


def _dose_response(axes: Axes, now: pd.DataFrame, tables: Mapping[str, pd.DataFrame], title: str) -> None:
    curves = {row["family"]: row for row in records(tables["curves"])}
    rows = records(tables["ec50"])
    for index, row in enumerate(rows):
        family, look = row["family"], look_of(index)
        points = now[(now["family"] == family) & (now["dose_copies"] > 0)].sort_values("dose_copies")
        # families share their doses: set side by side so that no interval hides another
        dose = points["dose_copies"].to_numpy() * 1.06 ** (index - (len(rows) - 1) / 2.0)
        line = look.pop("linestyle")
        if family in curves:
            curve = curves[family]
            grid = np.geomspace(points["dose_copies"].min(), points["dose_copies"].max(), 300)
            fit = Curve(curve["bottom"], curve["top"], curve["ec50"], curve["hill"])
            axes.plot(grid, 100 * fit.at(grid), color=look["color"], linestyle=line, zorder=2)
        shown = "none" if family in curves else line
        axes.errorbar(dose, *_percent(points), capsize=2, elinewidth=0.8, linestyle=shown, zorder=3, **look)
        label = family if np.isnan(row["estimate"]) else f"{family}: EC50 {significant(row['estimate'])}"
        axes.plot([], [], linestyle=line, label=label, **look)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("dose (active copies per cell)")
    axes.set_ylabel(f"{title} (%)")
    highest = axes.get_ylim()[1]
    axes.set_ylim(0, highest * (1.0 + 0.075 * len(rows)))  # room for the legend above the data
    if highest > 60:
        axes.set_yticks(range(0, 101, 20))
    axes.legend(loc="upper left", handlelength=3.2, borderaxespad=0.0)


def _percent(shares: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Shares in per cent, and the two lengths of their intervals."""
    share, low, high = 100 * shares[["share", "low", "high"]].to_numpy().T
    return share, np.maximum([share - low, high - share], 0.0)


def _arms(axes: Axes, arms: pd.DataFrame, tables: Mapping[str, pd.DataFrame], title: str) -> None:
    """A point with its interval per arm, from the top in the order of the table; p, and what remains, beside it."""
    rows, differences = np.arange(len(arms)), tables["differences"]
    share, lengths = _percent(arms)
    axes.errorbar(share, rows, xerr=lengths, fmt="o", color="black", markersize=4, capsize=2, elinewidth=0.9)
    place = {sample: i for i, sample in enumerate(zip(arms["arm"], arms["time_h"], strict=True))}
    several, now = differences["control"].nunique() > 1, arms["time_h"].max()
    marks: dict[int, list[str]] = {}
    for row in records(differences.drop_duplicates("arm")):
        if (row["arm"], now) in place:
            against = f" against {row['control']}" if several else ""
            marks.setdefault(place[row["arm"], now], []).append(p_text(row["p_holm"]) + against)
    for row in records(tables["washouts"]):
        if np.isfinite(row["remaining"]):
            remains = f"{100 * row['remaining']:.0f} % remains"
            marks.setdefault(place[row["washed"], row["time_h"]], []).append(remains)
    for row_number, words in marks.items():
        beside(axes, row_number, "\n".join(words))
    names = zip(arms["arm"], arms["time_h"], strict=True)
    name_rows(axes, [arm + ("" if time == now else f", {day(time)}") for arm, time in names])
    axes.set_xlim(left=0)
    axes.set_xlabel(f"{title} (%)")
    if len(differences) and not several:
        axes.annotate(f"against {differences['control'].iloc[0]}", (1.02, 1.02), xycoords="axes fraction",
                      fontsize=6.5, annotation_clip=False)  # fmt: skip
