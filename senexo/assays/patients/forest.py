"""A forest of ratios: several levels below each other, each with its interval and p-value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from senexo.assays.detection import NOT_TESTABLE
from senexo.assays.drawing import beside, canvas, name_rows
from senexo.assays.result import p_text, records

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_LOWEST, _HIGHEST = 1e-3, 1e3  # of intervals as drawn
_TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]
_FINE_TICKS = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.7, 2.0]


def forest(
    chosen: pd.DataFrame, settings: Mapping[str, Any], *, ratio: str, label: str, most: int, estimand: str = ""
) -> Figure:
    """Ratios of levels, one row each; per standard deviation where they are not cut. Of more than `most` the first.

    chosen: one row per level; ratio: the column of the ratio; label: what the axis calls it; estimand: what was held
    constant, where anything was.
    """
    rows = records(chosen.assign(order=chosen["p_value"].fillna(2.0)).sort_values("order", kind="stable"))
    rows = rows[:most] if len(rows) > most else records(chosen)
    end = "_sd" if settings["cut"] is None else ""
    with canvas(5.2, 0.9 + 0.2 * len(rows)) as figure:
        axes = figure.subplots()
        drawn = [1.0]
        for place, row in enumerate(rows):
            fitted = row["verdict"] not in (NOT_TESTABLE, "not testable")
            if fitted:
                low, high = row[f"low{end}"], row[f"high{end}"]
                drawn += [x for x in (low, high) if 0.0 < x < math.inf]
                axes.plot([max(low, _LOWEST), min(high, _HIGHEST)], [place, place], color="black", linewidth=1.1)
                axes.plot(row[f"{ratio}{end}"], place, "s", color="black", markersize=4)
            tested = fitted and math.isfinite(row["p_value"])
            beside(axes, place, p_text(row["p_holm"]) if tested else str(row["verdict"]).split(":")[0])
        low, high = max(min(drawn), _LOWEST), min(max(drawn), _HIGHEST)
        axes.axvline(1.0, color="0.4", linestyle=":", linewidth=1.0)
        axes.set_xscale("log")
        axes.set_xlim(low / 1.15, high * 1.15)
        _ratio_ticks(axes, low, high)
        name_rows(axes, [str(row["value"]) for row in rows])
        per = "per standard deviation" if end else "high against low"
        held = f",\n{estimand}" if estimand else ""
        axes.set_xlabel(f"{label}, {per} (95 % CI; p after Holm){held}")
        return figure


def _ratio_ticks(axes: Any, low: float, high: float) -> None:
    """Round ratios on a logarithmic axis."""
    from matplotlib.ticker import FixedLocator, NullLocator

    axes.xaxis.set_major_locator(FixedLocator(_FINE_TICKS if low > 0.45 and high < 2.2 else _TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:g}")
