"""The usual plot of limiting dilution: log share of units without response against cells, a line per group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays.drawing import COLOURS, LINES, MARKERS, canvas
from senexo.assays.result import records
from senexo.assays.stats.estimate import significant

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FITTED = tuple(line for line in LINES if line != ":")  # dotted lines are bounds


def log_fractions(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """A marker per dose, the fitted straight line of slope -frequency and its 95 % interval as a band.

    Triangles at the bottom: every unit responded, log(0). A dotted line is the bound of a group with no or only
    responses.
    """
    from matplotlib.ticker import MaxNLocator

    units, fits = tables["units"], records(tables["frequencies"])
    with canvas(3.6, 2.8 + 0.17 * len(fits)) as figure:
        axes = figure.subplots()
        share = 1 - units["response"] / units["tested"]
        floor = 1.15 * min(-0.5, float(np.log(share[share > 0].min())) if (share > 0).any() else -1.0)
        cells = np.linspace(0.0, float(units["dose"].max()), 300)
        for k, fit in enumerate(fits):
            own = units[units["group"] == fit["group"]]
            colour = COLOURS[k % len(COLOURS)]
            look: dict[str, Any] = {"color": colour, "marker": MARKERS[k % len(MARKERS)], "markersize": 4}
            line: dict[str, Any] = {"color": colour, "linestyle": FITTED[k % len(FITTED)]}
            dose, negative = own["dose"].to_numpy(), 1 - own["response"].to_numpy() / own["tested"].to_numpy()
            some = negative > 0
            bottom = np.full(int((~some).sum()), floor * (1 - 0.03 * k))
            for x, y, marker in (
                (dose[some], np.log(negative[some]), look), (dose[~some], bottom, look | {"marker": "v"}),
            ):  # fmt: skip
                if len(x):  # an empty line that is not clipped would still claim room
                    fill = "full" if marker is look else "none"
                    axes.plot(x, y, linestyle="none", fillstyle=fill, clip_on=False, zorder=3, **marker)
            low, high = (-fit[key] * cells for key in ("frequency_low", "frequency_high"))
            if 0 < fit["n_response"] < fit["n_tested"]:
                axes.plot(cells, -fit["frequency"] * cells, **line)
                axes.fill_between(cells, low, high, color=colour, alpha=0.13, linewidth=0)
            else:
                line["linestyle"] = ":"
                axes.plot(cells, low if fit["n_response"] else high, **line)
            axes.plot([], [], label=_label(fit, named=len(fits) > 1), **look, linestyle=line["linestyle"])
        axes.set_ylim(floor * 1.06, 0.03 * abs(floor))
        axes.set_xlim(0, cells[-1] * 1.03)
        axes.set_xlabel("cells per unit")
        axes.set_ylabel("ln (fraction of units without response)")
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_formatter(lambda y, _: f"{y:.1f}".replace("-", "\N{MINUS SIGN}") if y else "0")
        figure.legend(
            loc="outside upper left", handlelength=3.2, title="one responding cell in N (95 % CI)",
            alignment="left", title_fontsize=7,
        )  # fmt: skip
        return figure


def _label(fit: Mapping[str, Any], *, named: bool) -> str:
    low, high = significant(fit["one_in_low"]), significant(fit["one_in_high"])
    if fit["n_response"] == 0:
        text = f"fewer than 1 in {low}"
    elif fit["n_response"] == fit["n_tested"]:
        text = f"more than 1 in {high}"
    else:
        text = f"1 in {significant(fit['one_in'])} ({low} to {high})"
    return f"{fit['group']}: {text}" if named else text
