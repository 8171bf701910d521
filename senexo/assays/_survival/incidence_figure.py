"""Competing events: stacked cumulative incidences, one panel per group, above their risk tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays.drawing import COLOURS, canvas
from senexo.assays.patients.sentences import group_label
from senexo.assays.result import p_text, records

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_ACROSS = 3  # panels in one row
_PALE = (0.75, 0.35)  # of the areas of event and competing event


def incidence_figure(tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> Figure:
    """Event below, competing event on top of it, the rest without either; a panel per group."""
    groups = list(dict.fromkeys(tables["groups"]["group"]))
    across = min(len(groups), MOST_ACROSS)
    down = math.ceil(len(groups) / across)
    words = _words(tables, settings)
    at_risk = tables["at_risk"]
    with canvas(1.2 + 2.5 * across, 2.9 * down + 0.14 * len(words)) as figure:
        panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
        for place, panel in enumerate(panels.flat):
            if place >= len(groups):
                panel.set_visible(False)
                continue
            own = at_risk[at_risk["group"] == groups[place]]
            _stack(panel, tables["incidence_curves"], groups[place], settings["outcomes"], float(at_risk["time"].max()))
            panel.set_title(group_label(groups[place], tables["cuts"]))
            panel.set_xticks(own["time"].to_list(), [f"{row['time']:g}\n{row['n_at_risk']}" for row in records(own)])
        unit = settings["unit"]
        for panel in panels[-1]:
            panel.set_xlabel(f"time ({unit or settings['time']}); below: at risk")
        for row in panels:
            row[0].set_ylabel("patients (%)")
            row[0].set_yticks(np.linspace(0, 1, 6), [f"{share:.0f}" for share in np.linspace(0, 100, 6)])
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles[::-1], labels[::-1], loc="outside right upper")
        figure.suptitle("\n".join(words), fontsize=7)
        return figure


def _stack(panel: Axes, curves: pd.DataFrame, group: str, outcomes: list[str], last_tick: float) -> None:
    """Steps of both incidences on a common grid of times, one upon the other."""
    own = curves[curves["group"] == group]
    times = np.unique(own["time"].to_numpy(float)) if len(own) else np.zeros(0)
    end = max(float(curves["time"].max()), last_tick)
    grid = np.concatenate([[0.0], times, [end]])
    below = np.zeros(len(grid))
    for number, outcome in enumerate(outcomes):
        mine = own[own["outcome"] == outcome]
        values = np.append(0.0, mine["incidence"].to_numpy(float))
        top = below + values[np.searchsorted(mine["time"].to_numpy(float), grid, side="right")]
        panel.fill_between(grid, below, top, step="post", color=COLOURS[number], alpha=_PALE[number], linewidth=0,
                           label=outcome)  # fmt: skip
        panel.step(grid, top, where="post", color=COLOURS[number], linewidth=1.0)
        below = top
    panel.set_xlim(0.0, end)
    panel.set_ylim(0.0, 1.0)


def _words(tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> list[str]:
    """Gray's tests, and what the panels hold constant where anything was."""
    several = bool(settings["strata"] or settings["adjust"])
    words = [", ".join(settings["value"])] if settings["value"] else []
    for row in records(tables["gray"]):
        if math.isfinite(row["p_value"]):
            of = f", {row['estimand']}" if several else ""
            words.append(f"{row['outcome']}: Gray's test {p_text(row['p_value'])}{of}")
    if several:
        words.append("areas are unadjusted")
    return words
