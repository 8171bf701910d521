"""Shares of positive cells: by dose, and by arm where no single cells were followed.

The donor is the unit: a dot is a donor, a bar or a curve is the mean over donors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.report.drawing import INK, LINES, SERIES, Drawn, dose, new_figure

if TYPE_CHECKING:
    import pandas as pd

    from senexo.report.folder import ResultFolder

MARKERS = "osD^vP*X<>hp"
READOUTS = (
    ("senescence", "senescent", "SA-β-gal positive cells", "as a stain would show them, reading errors included"),
    ("arrest", "arrested", "arrested cells", "free E2F below its threshold all the last 72 h, or committed"),
)
FEWEST_DOSES = 3


def dose_responses(folder: ResultFolder) -> list[Drawn]:
    """A figure per read-out: a line per family with three doses or more; none where all shares are 0."""
    drawn = []
    for name, readout, label, meaning in READOUTS:
        if folder.has(name):
            counts = folder.table(name)
            last = counts["time_h"].max()
            curves = {
                str(curve["family"]): curve
                for curve in folder.found["curves"]
                if curve["readout"] == readout and curve["time_h"] == last
            }
            drawn.append(_dose_response(folder, counts, curves, readout, label, meaning))
    return [one for one in drawn if one]


def _dose_response(
    folder: ResultFolder, counts: pd.DataFrame, curves: Mapping[str, Mapping[str, Any]], readout: str, label: str,
    meaning: str,
) -> Drawn | None:  # fmt: skip
    final = counts[(counts["time_h"] == counts["time_h"].max()) & (counts["dose_copies"] > 0)]
    order = list(dict.fromkeys(folder.arms["family"]))
    ladders = [f for f, rows in final.groupby("family") if rows["dose_copies"].nunique() >= FEWEST_DOSES]
    ladders.sort(key=order.index)
    if not ladders or not (final["n_positive"] > 0).any():
        return None
    figure = new_figure(3.7, 2.3)
    axes = figure.subplots()
    rows = []
    for index, family in enumerate(ladders[: len(SERIES)]):
        colour, marker = SERIES[index], MARKERS[index]
        own = final[final["family"] == family]
        sums = own.groupby(["dose_copies", "donor"])[["n_positive", "n_total"]].sum()
        share = (100 * sums["n_positive"] / sums["n_total"]).rename("percent").reset_index()
        mean = share.groupby("dose_copies")["percent"].mean()
        axes.plot(share["dose_copies"], share["percent"], ".", color=colour, markersize=3, alpha=0.6)
        fitted = family in curves
        axes.plot(
            mean.index, mean, marker=marker, color=colour, markersize=5, label=str(family), linestyle="none" if fitted
            else LINES[index], linewidth=1,
        )  # fmt: skip
        if fitted:
            grid = np.geomspace(mean.index.min(), mean.index.max(), 200)
            axes.plot(grid, 100 * four_parameter_logistic(grid, curves[family]), color=colour, linestyle=LINES[index])
        rows.append(share.assign(family=family))
    import pandas as pd

    ticks = sorted(final["dose_copies"].unique())
    axes.set_xscale("log")
    axes.set_xticks(ticks, [dose(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set_xlabel("dose (active copies per cell)")
    axes.set_ylabel(f"{label} (%)")
    if len(ladders) > 1:
        axes.legend(loc="upper left")
    data = pd.concat(rows, ignore_index=True)
    means = data.groupby(["family", "dose_copies"], sort=False)["percent"].mean()
    said = "; ".join(f"{family} {dose(copies)} copies {value:.1f} %" for (family, copies), value in means.items())
    day = final["time_h"].iloc[0] / 24
    return Drawn(
        f"dose-response-{readout}",
        f"{label[0].upper()}{label[1:]} on day {day:g} by dose of {', '.join(map(str, ladders))}: {meaning}. "
        "Large: mean of donors. Small: donors." + (" Line: fitted logistic curve." if curves else ""),
        f"Dose-response of {label}. Means over donors: {said}.", data, figure,
    )  # fmt: skip


def shares_of_arms(folder: ResultFolder) -> list[Drawn]:
    """The share of positive cells in every arm at the last time: a dot per donor, a bar at their mean."""
    drawn = []
    for name, readout, label, meaning in READOUTS:
        if folder.has(name):
            drawn.append(_arm_shares(folder, folder.table(name), readout, label, meaning))
    return drawn


def _arm_shares(folder: ResultFolder, counts: pd.DataFrame, readout: str, label: str, meaning: str) -> Drawn:
    final = counts[counts["time_h"] == counts["time_h"].max()]
    donors = final.groupby(["arm", "donor"])[["n_positive", "n_total"]].sum()
    share = (donors["n_positive"] / donors["n_total"]).rename("share").reset_index()
    arms = [arm for arm in folder.arms["arm"] if arm in set(share["arm"])]
    figure = new_figure(6.4, 0.19 * len(arms) + 0.6)
    axes = figure.subplots()
    for row, arm in enumerate(arms):
        values = 100 * share.loc[share["arm"] == arm, "share"].to_numpy()
        if row % 2:
            axes.axhspan(row - 0.5, row + 0.5, color="#f6f7f9", zorder=0)
        axes.barh(row, values.mean(), height=0.66, color=SERIES[0], alpha=0.5, zorder=1)
        axes.plot(values, np.full(len(values), row), "o", color=INK, markersize=2.2, alpha=0.65, zorder=2)
    axes.set_yticks(range(len(arms)), arms)
    axes.set_ylim(len(arms) - 0.5, -0.5)
    axes.set_xlim(left=0)
    day = final["time_h"].iloc[0] / 24
    axes.set_xlabel(f"{label}, day {day:g} (% of cells; dot: donor, bar: mean of donors)")
    axes.tick_params(axis="y", length=0)
    means = 100 * share.groupby("arm")["share"].mean()
    said = "; ".join(f"{arm} {means[arm]:.1f} %" for arm in arms)
    return Drawn(
        f"shares-{readout}", f"{label[0].upper()}{label[1:]} in every arm: {meaning}.",
        f"Share of {label} per arm, means over donors: {said}.", share, figure,
    )  # fmt: skip


def four_parameter_logistic(doses: np.ndarray, curve: Mapping[str, Any]) -> np.ndarray:
    """bottom + (top - bottom) / (1 + (ec50 / dose)^hill)."""
    return np.asarray(
        curve["bottom"] + (curve["top"] - curve["bottom"]) / (1 + (curve["ec50"] / doses) ** curve["hill"])
    )
