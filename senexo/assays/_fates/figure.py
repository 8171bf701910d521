"""The figure of `fates`: cumulative incidence of every fate by arm, the donors' curves and their mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays.drawing import COLOURS, LINES, canvas

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def fates_figure(tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> Figure:
    """One panel per arm: thin steps are donors, thick ones their mean; the dotted line is the time judged."""
    curves = tables["curves"]
    arms = list(dict.fromkeys(tables["donors"]["arm"]))
    end = settings["time_h"]
    grid = np.linspace(0.0, end, 200)
    with canvas(1.0 + 2.6 * len(arms), 2.8) as figure:
        panels = figure.subplots(1, len(arms), sharey=True, squeeze=False)[0]
        for panel, arm in zip(panels, arms, strict=True):
            for number, fate in enumerate(settings["cause"]):
                mine = curves[(curves["arm"] == arm) & (curves["fate"] == fate)]
                steps = []
                for _, own in mine.groupby("donor", sort=False):
                    values = np.append(0.0, own["incidence"].to_numpy(float))
                    steps.append(values[np.searchsorted(own["time_h"].to_numpy(float), grid, side="right")])
                    panel.step(grid, steps[-1], where="post", color=COLOURS[number % 8], linewidth=0.4, alpha=0.5)
                if steps:
                    panel.step(
                        grid, np.mean(steps, axis=0), where="post", color=COLOURS[number % 8],
                        linestyle=LINES[number % 8], linewidth=1.6, label=fate,
                    )  # fmt: skip
            panel.axvline(end, color="0.4", linestyle=":", linewidth=0.8)
            panel.set_title(arm)
            panel.set_xlabel("time (h)")
            panel.set_ylim(0.0, 1.0)
        panels[0].set_ylabel("share of cells (donors; mean)")
        panels[-1].legend()
        return figure
