"""The figures of a report, drawn from its tables alone and returned as SVG text.

House rules: the donor is the unit, so a line is the median over donors and a band the 10 to 90 % of
donors; every axis names its unit; colours differ in grey and for colour-blind readers (viridis
for a dose ladder, markers and line styles for families).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import matplotlib
import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL = (2.5, 2.0)  # inches, one panel of a small multiple
COLUMNS = 4
MARKERS = "osD^vP*X<>hp"
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans", "font.size": 8, "axes.spines.top": False, "axes.spines.right": False,
    "axes.titlesize": 8, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.labelsize": 8,
    "axes.linewidth": 0.7, "xtick.labelsize": 7, "ytick.labelsize": 7, "legend.frameon": False,
    "legend.fontsize": 7, "lines.linewidth": 1.3, "svg.fonttype": "path", "svg.hashsalt": "senexo",
}  # fmt: skip


def svg(figure: Figure) -> str:
    """The figure as one `<svg>` element: no XML header, no date, so the same data give the same bytes."""
    text = io.StringIO()
    # a layout engine and a tight box each draw the whole figure once more
    box: Any = "tight" if figure.get_layout_engine() else None
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches=box, pad_inches=0.04)
    return text.getvalue()[text.getvalue().index("<svg") :]


@contextmanager
def styled() -> Iterator[None]:
    """Within it figures are drawn in the house style; the user's own settings of matplotlib come back after it."""
    with matplotlib.rc_context(STYLE):
        yield


def new_figure(width: float, height: float, layout: Literal["constrained"] | None = "constrained") -> Figure:
    """An empty figure, unknown to pyplot (so nothing is kept alive between reports); to be used within `styled`."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout=layout)


def panels(rows: int, columns: int) -> tuple[Figure, Any]:
    """Equal panels with shared axes, at computed places: a layout engine would take most of a report's time."""
    left, right, bottom, top, gap = 0.62, 0.06, 0.48, 0.24, 0.34  # inches
    width, height = left + PANEL[0] * columns + right, top + (PANEL[1] + gap) * rows - gap + bottom
    figure = new_figure(width, height, None)
    figure.subplots_adjust(
        left=left / width, right=1 - right / width, bottom=bottom / height, top=1 - top / height,
        wspace=0.08, hspace=gap / PANEL[1],
    )  # fmt: skip
    return figure, figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)


def over_donors(rows: pd.DataFrame) -> pd.DataFrame:
    """Per time: the median over donors and the 10 and 90 % donors of the cell means."""
    return rows.groupby("time_h")["value"].quantile(np.array([0.1, 0.5, 0.9])).unstack()


def time_course(timecourse: pd.DataFrame, arms: pd.DataFrame, quantity: str) -> str | None:
    """One read-out over time: a panel per family of arms, a line per dose, every panel on one scale.

    `timecourse` holds arm, donor, time_h, quantity, statistic, value, unit; `arms` holds arm, family,
    dose_copies, position. The dotted line is the first arm of the study (its untreated control).
    """
    data = timecourse[(timecourse["quantity"] == quantity) & (timecourse["statistic"] == "mean")]
    if data.empty:
        return None
    by_arm = {str(arm): over_donors(rows) for arm, rows in data.groupby("arm")}
    arms = arms[arms["arm"].isin(list(by_arm))].sort_values("position")
    families = list(dict.fromkeys(arms["family"]))
    rows = -(-len(families) // COLUMNS)
    figure, grid = panels(rows, min(COLUMNS, len(families)))
    highest = max(float(np.nanmax(table.to_numpy())) for table in by_arm.values())
    lowest = min(float(np.nanmin(table.to_numpy())) for table in by_arm.values())
    logarithmic = lowest > 0 and highest / lowest > 50
    control = arms["arm"].iloc[0]
    for axes, family in zip(grid.flat, families, strict=False):
        members = arms[arms["family"] == family]
        _family_panel(axes, members, by_arm, control)
        axes.set_title(family)
        if logarithmic:
            axes.set_yscale("log")
    for axes in grid.flat[len(families) :]:
        axes.set_visible(False)
    for column, axes in enumerate(grid[-1]):  # the lowest visible panel of a column names the time
        grid[-1 if axes.get_visible() else -2, column].tick_params(labelbottom=True)
    if logarithmic:
        # counts far below one copy all mean "none"; they must not squeeze the rest
        grid.flat[0].set_ylim(max(lowest, min(0.1, highest / 1e4)) / 1.5, highest * 1.5)
    else:
        span = highest - min(lowest, 0.0) or 1.0
        grid.flat[0].set_ylim(min(lowest, 0.0) - 0.02 * span, highest + 0.05 * span)
    figure.supxlabel("time (days)", fontsize=8, y=0.03 / rows)
    figure.supylabel(f"{quantity} ({data['unit'].iloc[0]})", fontsize=8, x=0.005)
    return svg(figure)


def _family_panel(axes: Axes, members: pd.DataFrame, by_arm: dict[str, pd.DataFrame], control: str) -> None:
    """The arms of one family; bands for the lowest and the highest dose only, so that they stay readable."""
    shades = matplotlib.colormaps["viridis"](np.linspace(0.85, 0.05, len(members)) if len(members) > 1 else [0.25])
    for index, (arm, colour) in enumerate(zip(members["arm"], shades, strict=True)):
        table = by_arm[arm]
        days = table.index.to_numpy() / 24.0
        if index in (0, len(members) - 1):
            axes.fill_between(days, table[0.1], table[0.9], color=colour, alpha=0.18, linewidth=0)
        label = dose_label(members["dose_copies"].iloc[index]) if len(members) > 1 else None
        axes.plot(days, table[0.5], color=colour, label=label)
    axes.plot(by_arm[control].index / 24.0, by_arm[control][0.5], color="0.35", linestyle=":", linewidth=1.0)
    if len(members) > 1:
        axes.legend(title="copies", title_fontsize=6, fontsize=6, handlelength=1.2, labelspacing=0.15, loc="best")


def dose_label(copies: float) -> str:
    """A dose as a reader writes it: 10,000; a control without dose is 0."""
    return "0" if copies is None or np.isnan(copies) else f"{copies:,.0f}"


def arm_fractions(counts: pd.DataFrame, arms: pd.DataFrame, label: str) -> str:
    """The share of positive cells per arm at the last time: a dot per donor, the mean over donors as a bar."""
    final = counts[counts["time_h"] == counts["time_h"].max()]
    donors = final.groupby(["arm", "donor"])[["n_positive", "n_total"]].sum()
    share = (donors["n_positive"] / donors["n_total"]).rename("share").reset_index()
    arms = arms[arms["arm"].isin(share["arm"])].sort_values("position")
    figure = new_figure(7.2, 0.17 * len(arms) + 0.7)
    axes = figure.subplots()
    for row, arm in enumerate(arms["arm"]):
        values = share.loc[share["arm"] == arm, "share"].to_numpy()
        axes.plot(100 * values, np.full(len(values), row), "o", color="0.55", markersize=2.6, alpha=0.6, zorder=2)
        axes.plot([100 * values.mean()] * 2, [row - 0.36, row + 0.36], color="#b3202c", linewidth=2, zorder=3)
        if row % 2:
            axes.axhspan(row - 0.5, row + 0.5, color="0.96", zorder=0)
    axes.set_yticks(range(len(arms)), arms["arm"].to_list())
    axes.set_ylim(len(arms) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"{label} at day {final['time_h'].iloc[0] / 24:g} (% of cells; dot = donor, bar = mean of donors)")
    axes.tick_params(axis="y", length=0)
    return svg(figure)


def dose_response(counts: pd.DataFrame, arms: pd.DataFrame, curves: Sequence[dict[str, Any]], label: str) -> str | None:
    """Share of positive cells against dose, one line per family that has a ladder of three doses or more.

    `curves` are fitted four-parameter logistic curves: family, bottom, top, ec50, hill (shares and copies).
    """
    final = counts[(counts["time_h"] == counts["time_h"].max()) & (counts["dose_copies"] > 0)]
    ladders = [f for f, rows in final.groupby("family", sort=False) if rows["dose_copies"].nunique() >= 3]
    order = list(dict.fromkeys(arms.sort_values("position")["family"]))
    ladders.sort(key=order.index)
    if not ladders:
        return None
    fitted = {curve["family"]: curve for curve in curves}
    figure = new_figure(5.2, 3.2)
    axes = figure.subplots()
    colours = matplotlib.colormaps["viridis"](np.linspace(0.0, 0.82, len(ladders)))
    for family, colour, marker in zip(ladders, colours, MARKERS, strict=False):
        rows = final[final["family"] == family]
        donors = rows.groupby(["dose_copies", "donor"])[["n_positive", "n_total"]].sum()
        share = (100 * donors["n_positive"] / donors["n_total"]).groupby("dose_copies")
        doses = share.mean().index.to_numpy()
        error = 1.96 * share.sem().to_numpy()
        mean = share.mean().to_numpy()
        bars = [np.minimum(error, mean), np.minimum(error, 100 - mean)]  # a share lies between 0 and 100 %
        axes.errorbar(
            doses, mean, yerr=bars, color=colour, marker=marker, markersize=4, capsize=2,
            linestyle="none" if family in fitted else "-", linewidth=1, label=family,
        )  # fmt: skip
        if family in fitted:
            grid = np.geomspace(doses.min(), doses.max(), 200)
            axes.plot(grid, 100 * four_parameter_logistic(grid, fitted[family]), color=colour)
    axes.set_xscale("log")
    ticks = sorted(final["dose_copies"].unique())
    axes.set_xticks(ticks, [dose_label(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set_xlabel("dose (active copies per cell)")
    axes.set_ylabel(f"{label} (%)\nmean of donors, 95 % CI")
    axes.legend(loc="upper left")
    return svg(figure)


def four_parameter_logistic(dose: np.ndarray, curve: dict[str, Any]) -> np.ndarray:
    """bottom + (top - bottom) / (1 + (ec50 / dose)^hill)."""
    return curve["bottom"] + (curve["top"] - curve["bottom"]) / (1 + (curve["ec50"] / dose) ** curve["hill"])
