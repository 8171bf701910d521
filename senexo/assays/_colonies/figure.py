"""The figure of `colonies`: plating efficiencies and surviving fractions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from senexo.assays.drawing import canvas, draw_estimates
from senexo.assays.result import records

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def colonies_figure(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Left: plating efficiencies of arms. Right: surviving fractions."""
    shown = [(r["arm"], r["efficiency"], r["low"], r["high"]) for r in records(tables["efficiencies"])]
    ratios = [
        (f"{row['arm']}\n/ {row['control']}", row["ratio"], row["low"], row["high"])
        for row in records(tables["fractions"])
    ]
    with canvas(6.4, 1.4 + 0.4 * max(len(shown), len(ratios))) as figure:
        left, right = figure.subplots(1, 2)
        draw_estimates(left, shown, nothing=0.0, label="colonies per cell plated (mean of donors, 95 % CI)")
        draw_estimates(right, ratios, nothing=1.0, label="surviving fraction (95 % CI)", log=bool(ratios))
        return figure
