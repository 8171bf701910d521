"""The figure of a panel: predicted log2 fold changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MOST_ROWS = 40
INK = "#1b3a4b"


def repressions(genes: pd.DataFrame, title: str) -> Figure:
    """Dots with intervals; genes without a sequence are written "unknown". At most 40 genes, the most repressed."""
    from matplotlib.figure import Figure

    shown = genes.head(MOST_ROWS)
    figure = Figure(figsize=(6.3, 1.1 + 0.28 * max(len(shown), 3)), layout="constrained")
    axes = figure.subplots()
    places = range(len(shown))
    known = shown["log2_fold_change"].notna().to_numpy()
    table = shown[known]
    y = [place for place, is_known in zip(places, known, strict=True) if is_known]
    axes.hlines(y, table["log2_low"], table["log2_high"], color=INK, linewidth=1.6)
    axes.plot(table["log2_fold_change"], y, "o", color=INK, markersize=5)
    for place, is_known in zip(places, known, strict=True):
        if not is_known:
            axes.annotate("unknown: no sequence", (0, place), (-4, 0), textcoords="offset points", ha="right",
                          va="center", fontsize=8, color="#666666")  # fmt: skip
    axes.axvline(0, color="#999999", linewidth=0.8)
    axes.set_yticks(list(places), [str(gene) for gene in shown["gene"]])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlim(right=0.08)
    axes.set_xlabel("predicted log2 fold change of the mRNA (median, 95 % interval)")
    axes.set_title(title, fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure
