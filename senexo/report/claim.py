"""The figures of a claim: margins over donors in both worlds, and what goes with them; made from tables alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.report.drawing import SERIES, SOFT, Drawn, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from senexo.report.folder import ResultFolder

SHOWN = 12  # parameters in the figure of ranks
BINS = 40
FEW, TENS = 4, (10, 100, 1_000, 10_000, 100_000)  # numbers of donors that are marked: each one, or these
COLOURS = {"claim": SERIES[0], "null world": SOFT}


def figures(folder: ResultFolder) -> list[Drawn]:
    """The margin of every comparison of a claim over donors, and the parameters that go with it."""
    claim, draws, ranks = folder.table("claim"), folder.table("claim_draws"), folder.table("claim_ranks")
    comparisons = list(dict.fromkeys(draws["comparison"]))
    drawn = [
        margins(claim, draws, text, number)
        for number, text in enumerate(comparisons, start=1)
        if draws.loc[draws["comparison"] == text, "kept"].any()
    ]
    for number, text in enumerate(comparisons, start=1):
        own = ranks[ranks["comparison"] == text]
        if len(own) and not own["reading"].eq("too few draws to rank").any():
            drawn.append(ranked(own, text, number))
    return drawn


READ = "Right of the line it is true. Bar: the mean over donors with its interval. Below: the same donors in the null."
SIGNIFICANT = "parameters, significant after correction for all of them. Band: correlations below 0.2 in size."


def margins(claim: pd.DataFrame, draws: pd.DataFrame, text: str, number: int) -> Drawn:
    """Histogram of one comparison's margin over donors, in its own world and in its null."""
    rows = draws[(draws["comparison"] == text) & draws["kept"]]
    edges = _edges(rows["margin"].to_numpy())
    figure = new_figure(6.4, 2.3)
    for axes, (world, colour) in zip(figure.subplots(2, 1, sharex=True), COLOURS.items(), strict=True):
        values = rows.loc[rows["world"] == world, "margin"].to_numpy()
        numbers, _, _ = axes.hist(np.clip(values, edges[0], edges[-1]), bins=edges, color=colour, alpha=0.45)
        summary = claim[(claim["world"] == world) & (claim["comparison"] == text)].iloc[0]
        _mean(axes, summary, colour, edges)
        axes.axvline(0.0, color="black", linewidth=0.8)
        axes.set_yscale("symlog", linthresh=10)
        most = int(np.max(numbers))
        axes.set_yticks(range(most + 1) if most <= FEW else [n for n in (0, 5, *TENS) if n <= most])
        axes.set_ylabel("donors (log)")
        axes.set_title(
            f"{world}: true in {summary['n_true']:.0f} of {summary['n_donors']}"
            if len(values)
            else f"{world}: no value"
        )
    axes.set_xlabel("margin")
    rows_of = claim[claim["comparison"] == text].set_index("world")
    said = "; ".join(
        f"{world}: mean {rows_of.loc[world, 'mean']:.3g}, true in {rows_of.loc[world, 'n_true']:.0f} of "
        f"{rows_of.loc[world, 'n_donors']:.0f}"
        for world in COLOURS
    )
    return Drawn(
        f"claim-margins-{number}", f"{text}: by how much, in every donor with a value. {READ}",
        f"Histograms of the margin of {text} over donors. {said}.",
        rows[["world", "donor", "comparison", "margin", "claim_is_true"]], figure,
    )  # fmt: skip


def ranked(own: pd.DataFrame, text: str, number: int) -> Drawn:
    """The parameters with the largest rank correlations, with their intervals."""
    top = own.assign(size=own["rho"].abs()).sort_values("size", ascending=False).head(SHOWN)
    figure = new_figure(5.2, 0.2 * len(top) + 0.7)
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
    said = "; ".join(f"{one['parameter']} {one['rho']:+.2f}" for one in top.to_dict("records"))
    return Drawn(
        f"claim-ranks-{number}",
        f"Spearman's rank correlation of parameters with the margin of {text}, over draws; 95 % CI. "
        f"Filled: {own['p_corrected'].lt(0.05).sum()} {SIGNIFICANT}",
        f"Rank correlations of parameters with the margin of {text}. {said}.", top, figure,
    )  # fmt: skip


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
