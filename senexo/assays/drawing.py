"""Figures of the assays, for a paper: labels with units, colour-blind safe, told apart in black and white.

Families differ in colour (Okabe and Ito's palette), marker and line style at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays.dose_response import Curve
from senexo.assays.result import p_text, records, significant

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00", "#7F7F7F")
MARKERS = "osD^vP*X"
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (2, 1)), (0, (1, 3)))
STYLE: Any = {
    "font.family": "sans-serif", "font.sans-serif": ["Arial", "Liberation Sans", "DejaVu Sans"], "font.size": 8,
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.7, "axes.labelsize": 8,
    "axes.titlesize": 8, "axes.titlelocation": "left", "axes.titleweight": "bold", "xtick.labelsize": 7,
    "ytick.labelsize": 7, "xtick.major.width": 0.7, "ytick.major.width": 0.7, "legend.frameon": False,
    "legend.fontsize": 7, "lines.linewidth": 1.3, "svg.fonttype": "none", "pdf.fonttype": 42, "savefig.dpi": 300,
}  # fmt: skip


@contextmanager
def _canvas(width: float, height: float) -> Iterator[Figure]:
    """An empty figure in the house style, unknown to pyplot, so that nothing keeps it alive."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        yield Figure(figsize=(width, height), layout="constrained")


def shares_and_curves(tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> Figure:
    """Left the dose-response of every family with its curve and EC50, right the compared arms; one may be missing."""
    shares = tables["shares"]
    now = shares[shares["time_h"] == settings["time_h"]]
    families = [row["family"] for row in records(tables["ec50"])]
    arms = _shown_arms(now, tables["differences"], families)
    widths = [3.5] * bool(families) + [3.5] * bool(len(arms))
    with _canvas(sum(widths), max(2.8, 0.9 + 0.19 * len(arms))) as figure:
        panels = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
        if families:
            _dose_response(panels[0], now, tables, settings["title"])
        if len(arms):
            _arms(panels[-1], arms, tables["differences"], settings["title"])
        if len(panels) > 1:
            for panel, letter in zip(panels, "AB", strict=True):
                panel.set_title(letter)
        return figure


def _shown_arms(now: pd.DataFrame, differences: pd.DataFrame, families: list[str]) -> pd.DataFrame:
    """The arms that were compared; without a comparison, those that are no dose of a ladder."""
    if len(differences):
        return now[now["arm"].isin({*differences["arm"], *differences["control"]})]
    return now[~now["family"].isin(families)]


def _dose_response(axes: Axes, now: pd.DataFrame, tables: Mapping[str, pd.DataFrame], title: str) -> None:
    curves = {row["family"]: row for row in records(tables["curves"])}
    names = [row["family"] for row in records(tables["ec50"])]
    for index, row in enumerate(records(tables["ec50"])):
        family, colour = row["family"], COLOURS[index % len(COLOURS)]
        marker, line = MARKERS[index % len(MARKERS)], LINES[index % len(LINES)]
        points = now[(now["family"] == family) & (now["dose_copies"] > 0)].sort_values("dose_copies")
        # families share their doses: set side by side so that no interval hides another
        dose = points["dose_copies"].to_numpy() * 1.06 ** (index - (len(names) - 1) / 2.0)
        share = 100 * points[["share", "low", "high"]].to_numpy().T
        label = family if np.isnan(row["estimate"]) else f"{family}: EC50 {significant(row['estimate'])}"
        axes.errorbar(
            dose, share[0], yerr=[share[0] - share[1], share[2] - share[0]], fmt=marker, color=colour, markersize=4,
            markerfacecolor="white" if index % 2 else colour, capsize=2, elinewidth=0.8, zorder=3,
            linestyle=line if family not in curves else "none", linewidth=1.0,
        )  # fmt: skip
        axes.plot([], [], marker=marker, color=colour, linestyle=line, markersize=4, label=label,
                  markerfacecolor="white" if index % 2 else colour)  # fmt: skip
        if family in curves:
            curve = curves[family]
            grid = np.geomspace(points["dose_copies"].min(), points["dose_copies"].max(), 300)
            fit = Curve(curve["bottom"], curve["top"], curve["ec50"], curve["hill"])
            axes.plot(grid, 100 * fit.at(grid), color=colour, linestyle=line, zorder=2)
    axes.set_xscale("log")
    axes.set_xlabel("dose (active copies per cell)")
    axes.set_ylabel(f"{title} (%)")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left", handlelength=3.2, borderaxespad=0.0)
    axes.set_ylim(top=min(112, axes.get_ylim()[1] * 1.1))


def _arms(axes: Axes, arms: pd.DataFrame, differences: pd.DataFrame, title: str) -> None:
    """A point with its interval per arm, from the top in the order of the table; p beside the compared arm."""
    rows = np.arange(len(arms))
    share = 100 * arms[["share", "low", "high"]].to_numpy().T
    axes.errorbar(share[0], rows, xerr=[share[0] - share[1], share[2] - share[0]], fmt="o", color="black",
                  markersize=4, capsize=2, elinewidth=0.9)  # fmt: skip
    place = dict(zip(arms["arm"], rows, strict=True))
    for row in records(differences.drop_duplicates("arm")):
        if row["arm"] in place:
            axes.annotate(p_text(row["p_holm"]), (1.0, place[row["arm"]]), xycoords=("axes fraction", "data"),
                          ha="left", va="center", fontsize=6.5, annotation_clip=False)  # fmt: skip
    axes.set_yticks(rows, list(arms["arm"]))
    axes.set_ylim(len(arms) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(f"{title} (%)")


def fold_changes(tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> Figure:
    """Fold change of every arm with its interval, and the donors behind it; open triangles are bounds (censored)."""
    folds = tables["fold_changes"]
    with _canvas(5.2, max(1.8, 0.8 + 0.24 * len(folds))) as figure:
        axes = figure.subplots()
        dct = tables["dct"].set_index(["arm", "time_h", "donor"]).sort_index()
        bounds = [1.0]
        for place, row in enumerate(records(folds)):
            bounds += _donor_folds(axes, dct, row, place)
            if row["verdict"] == "below detection: not testable":
                axes.annotate("below detection", (1.02, place), xycoords=("axes fraction", "data"), va="center",
                              fontsize=6.5, annotation_clip=False)  # fmt: skip
                continue
            axes.annotate(p_text(row["p_holm"]), (1.02, place), xycoords=("axes fraction", "data"), va="center",
                          fontsize=6.5, annotation_clip=False)  # fmt: skip
            bounds += [x for x in (row["fold"], row["low"], row["high"]) if np.isfinite(x) and x > 0]
        low, high = min(bounds) / 1.3, max(bounds) * 1.3
        for place, row in enumerate(records(folds)):
            if np.isfinite(row["low"]) or np.isfinite(row["high"]):
                ends = np.clip(np.nan_to_num([row["low"], row["high"]], posinf=high), low, high)
                axes.plot(ends, [place, place], color="black", linewidth=1.2, zorder=4)
            if np.isfinite(row["fold"]) and row["fold"] > 0 and row["verdict"] != "below detection: not testable":
                axes.plot(row["fold"], place, "D", color="black", markersize=4.5, zorder=5)
        axes.axvline(1.0, color="0.4", linestyle=":", linewidth=1.0)
        axes.set_xscale("log")
        axes.set_xlim(low, high)
        times = folds["time_h"].nunique() > 1
        names = [row["arm"] + (f", {row['time_h']:g} h" if times else "") for row in records(folds)]
        axes.set_yticks(range(len(folds)), names)
        axes.set_ylim(len(folds) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(f"{settings['target']} (fold of {settings['control']}, 95 % CI; small: donors)")
        return figure


def _donor_folds(axes: Axes, dct: pd.DataFrame, row: Mapping[str, Any], place: int) -> list[float]:
    """The paired fold change of every donor; returns what was drawn."""
    try:
        arm, control = (dct.loc[(name, row["time_h"])] for name in (row["arm"], row["control"]))
    except KeyError:  # the arm has no sample at this time
        return []
    donors = arm.index.intersection(control.index)
    fold = 2.0 ** (control.loc[donors, "dct"] - arm.loc[donors, "dct"]).to_numpy()
    hidden, hidden_control = arm.loc[donors, "censored"].to_numpy(), control.loc[donors, "censored"].to_numpy()
    for chosen, marker in (
        (~hidden & ~hidden_control, "o"), (hidden & ~hidden_control, "<"), (~hidden & hidden_control, ">"),
    ):  # fmt: skip
        axes.plot(fold[chosen], np.full(chosen.sum(), place), marker, color="0.45", markersize=3,
                  markerfacecolor="none", markeredgewidth=0.7, zorder=2)  # fmt: skip
    return [float(x) for x in fold[~(hidden & hidden_control)]]
