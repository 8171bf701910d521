"""Power against the number of donors, mice or patients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays.drawing import COLOURS, canvas

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def power_curve(curve: pd.DataFrame, settings: Mapping[str, Any]) -> Figure:
    """Every simulated number with its Monte-Carlo interval, the curve through them, and what was asked for."""
    from scipy.special import ndtr, ndtri

    answer = settings["n"] if isinstance(settings["n"], int) else None
    shown = curve[curve["n"] <= 2.5 * answer] if answer else curve
    with canvas(3.6, 2.8) as figure:
        axes = figure.subplots()
        n, share = shown["n"].to_numpy(float), 100.0 * shown["power"].to_numpy()
        lengths = np.maximum([share - 100.0 * shown["low"], 100.0 * shown["high"] - share], 0.0)
        if shown["fitted"].notna().sum() > 1:
            ends = shown.iloc[[0, -1]]
            inside = ends["fitted"].clip(1e-9, 1.0 - 1e-9)
            b, a = np.polyfit(np.sqrt(ends["n"]), ndtri(inside), 1)
            grid = np.linspace(n.min(), n.max(), 200)
            axes.plot(grid, 100.0 * ndtr(a + b * np.sqrt(grid)), color=COLOURS[0], zorder=2)
        axes.errorbar(n, share, lengths, fmt="o", color="black", markersize=3.5, capsize=2, elinewidth=0.8, zorder=3)
        axes.axhline(100.0 * settings["power"], color="0.4", linestyle=":", linewidth=1.0)
        if answer:
            axes.axvline(answer, color="0.4", linestyle="--", linewidth=1.0)
            axes.annotate(f"{answer:,}", (answer, 2), xytext=(3, 0), textcoords="offset points", fontsize=7)
        axes.set_ylim(0, 103)
        axes.set_xlim(left=0)
        axes.set_xlabel(settings["unit"])
        axes.set_ylabel("power (%)")
        axes.set_title(settings["claim"], fontweight="normal")
        return figure
