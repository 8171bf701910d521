"""The figure of `balance`: what donor cells lose and recipients gain, and the transfer index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from senexo.assays.drawing import canvas, draw_estimates
from senexo.assays.result import records

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def balance_figure(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """A: loss and gain of each pair of arms. B: transfer indices."""
    found = records(tables["transfers"])
    rows = [
        (f"{row['arm']}\n/ {row['control']}: {name}", row[name], row[f"{name}_low"], row[f"{name}_high"])
        for row in found
        for name in ("loss", "gain")
    ]
    index = [(row["arm"], row["index"], row["index_low"], row["index_high"]) for row in found]
    with canvas(6.4, 1.4 + 0.5 * len(rows)) as figure:
        left, right = figure.subplots(1, 2)
        draw_estimates(left, rows, nothing=0.0, label="copies per well (mean of donors, 95 % CI)")
        draw_estimates(right, index, nothing=1.0, label="transfer index (gain / loss, 95 % CI)")
        left.set_title("A")
        right.set_title("B")
        return figure
