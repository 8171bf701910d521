"""The report's section on a study's claim: the verdict first, then its figures; made from the tables alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.report import figures

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

SHOWN = 12  # parameters in the figure of ranks
BINS = 40
COLOURS = {"claim": "#b3202c", "null world": "0.45"}


def section(found: dict[str, Any], claim: pd.DataFrame, draws: pd.DataFrame, ranks: pd.DataFrame) -> dict[str, Any]:
    """The content of the claim's section: `found` is the claim in findings.json, the others are its tables."""
    comparisons = list(dict.fromkeys(draws["comparison"]))
    drawn = [
        {"svg": margins(claim, draws, text), "caption": f"{text}: by how much, in every donor with a value. {READ}"}
        for text in comparisons
        if draws.loc[draws["comparison"] == text, "kept"].any()
    ]
    for text in comparisons:
        own = ranks[ranks["comparison"] == text]
        if len(own) and not own["reading"].eq("too few draws to rank").any():
            caption = f"Spearman's rank correlation of parameters with the margin of {text}, over draws; 95 % CI."
            drawn.append(
                {"svg": ranked(own), "caption": f"{caption} Filled: {own['p_corrected'].lt(0.05).sum()} {SIGNIFICANT}"}
            )
    return {**found, "figures": drawn}


READ = "Right of the line it holds. Bar: the mean over donors with its interval. Below: the same donors in the null."
SIGNIFICANT = "parameters, significant after correction for all of them. Band: correlations below 0.2 in size."


def margins(claim: pd.DataFrame, draws: pd.DataFrame, text: str) -> str:
    """Histogram of one comparison's margin over donors, in its own world and in its null."""
    rows = draws[(draws["comparison"] == text) & draws["kept"]]
    edges = _edges(rows["margin"].to_numpy())
    figure = figures.new_figure(7.2, 2.6)
    for axes, (world, colour) in zip(figure.subplots(2, 1, sharex=True), COLOURS.items(), strict=True):
        values = rows.loc[rows["world"] == world, "margin"].to_numpy()
        axes.hist(np.clip(values, edges[0], edges[-1]), bins=edges, color=colour, alpha=0.45)
        summary = claim[(claim["world"] == world) & (claim["comparison"] == text)].iloc[0]
        _mean(axes, summary, colour, edges)
        axes.axvline(0.0, color="black", linewidth=0.8)
        axes.set_yscale("symlog", linthresh=10)
        axes.set_ylabel("donors (log)")
        axes.set_title(
            f"{world}: true in {summary['n_true']:.0f} of {summary['n_donors']}"
            if len(values)
            else f"{world}: no value"
        )
    axes.set_xlabel("margin")
    return figures.svg(figure)


def ranked(own: pd.DataFrame) -> str:
    """The parameters with the largest rank correlations, with their intervals."""
    top = own.assign(size=own["rho"].abs()).sort_values("size", ascending=False).head(SHOWN)
    figure = figures.new_figure(5.2, 0.2 * len(top) + 0.7)
    axes = figure.subplots()
    axes.axvspan(-0.2, 0.2, color="0.95", zorder=0)
    axes.axvline(0.0, color="0.4", linewidth=0.8, zorder=1)
    for row, one in enumerate(top.to_dict("records")):
        significant = one["p_corrected"] < 0.05
        axes.plot([one["low"], one["high"]], [row, row], color="#30507a", linewidth=1.4, zorder=2)
        axes.plot(
            one["rho"], row, "o", color="#30507a", markerfacecolor="#30507a" if significant else "white", zorder=3
        )
    axes.set_yticks(range(len(top)), top["parameter"].to_list())
    axes.set_ylim(len(top) - 0.5, -0.5)
    reach = max(0.4, float(np.nanmax(np.abs(top[["low", "high"]].to_numpy()))) + 0.05)
    axes.set_xlim(-reach, reach)
    axes.set_xlabel("rank correlation with the margin")
    axes.tick_params(axis="y", length=0)
    return figures.svg(figure)


def _edges(values: np.ndarray) -> np.ndarray:
    """Bins that hold 0 and all but the farthest 1 % of each side, which go into the outermost ones."""
    low, high = np.quantile(values, [0.005, 0.995])
    low, high = min(low, 0.0), max(high, 0.0)
    space = 0.03 * (high - low) or 1.0
    return np.linspace(low - space, high + space, BINS + 1)


def _mean(axes: Axes, summary: Any, colour: str, edges: np.ndarray) -> None:
    if np.isnan(summary["low"]):
        return
    height = 0.5 * axes.get_ylim()[1]
    low, mean, high = (float(np.clip(summary[key], edges[0], edges[-1])) for key in ("low", "mean", "high"))
    axes.plot([low, high], [height, height], color=colour, linewidth=2.5, solid_capstyle="butt")
    axes.plot(mean, height, "D", color=colour, markersize=4)
