"""Courses over time: what a request compares stands in one panel, each quantity on an axis of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from senexo.report.drawing import LINES, SERIES, Drawn, new_figure
from senexo.report.folder import ALL_CELLS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from senexo.report.folder import ResultFolder

PANEL, COLUMNS = (2.35, 1.55), 3
MOST_ARMS, MOST_PANELS = 8, 15
DECADES = 50.0  # a range beyond which a positive quantity is drawn on a logarithmic axis


def curves(folder: ResultFolder) -> list[Drawn]:
    """A figure per set of arms that is compared: all quantities of the first set, else what the request reads."""
    course = _course(folder)
    if course.empty:
        return []
    return [
        drawn
        for number, (arms, asked) in enumerate(_sets(folder).items(), start=1)
        if number == 1 or asked
        if (drawn := _figure(course, list(arms), asked if number > 1 else set(), number))
    ]


def _sets(folder: ResultFolder) -> dict[tuple[str, ...], set[str]]:
    """Arms compared -> quantities that the request reads (empty: all)."""
    found: dict[tuple[str, ...], set[str]] = {}
    order = list(folder.arms["arm"])
    for assay in folder.found["assays"]:
        settings = assay["settings"]
        named = [arm for pair in _pairs(settings.get("compare")) for arm in pair]
        named += [settings["control"], *settings.get("arms", [])] if settings.get("control") and not named else []
        arms = tuple(sorted({arm for arm in named if arm in order}, key=order.index))[:MOST_ARMS]
        if arms:
            read = settings.get("target") or settings.get("what") or []
            found.setdefault(arms, set()).update([read] if isinstance(read, str) else read)
    if not found:
        found[tuple(order[:MOST_ARMS])] = set()
    return found


def _pairs(compare: object) -> list[list[str]]:
    if not isinstance(compare, list) or not compare:
        return []
    return [compare] if isinstance(compare[0], str) else compare


def _course(folder: ResultFolder) -> pd.DataFrame:
    """Means per well over time: read-outs over all cells, shares, and numbers of cells per type."""
    table = folder.table("timecourse")
    table = table[table["statistic"] == "mean"]
    whole = table["cell_type"] == ALL_CELLS
    if whole.any():
        table = table[whole]
    if folder.has("counts"):
        counts = folder.table("counts")
        cells = counts[counts["quantity"] == "cells"]
        table = pd.concat([cells.assign(quantity=cells["cell_type"] + " cells"), table], ignore_index=True)
    return table


def _figure(course: pd.DataFrame, arms: list[str], asked: set[str], number: int) -> Drawn | None:
    own = course[course["arm"].isin(arms)]
    if asked:
        own = own[[any(one == q or q.startswith(f"{one} in ") for one in asked) for q in own["quantity"]]]
    medians = own.groupby(["quantity", "arm", "time_h"], sort=False)["value"]
    table = (
        medians.quantile(np.array([0.1, 0.5, 0.9])).unstack().rename(columns={0.1: "low", 0.5: "median", 0.9: "high"})
    )
    units = own.groupby("quantity", sort=False)["unit"].first()
    shown = [name for name in units.index if _varies(table.loc[name])][:MOST_PANELS]
    if not shown:
        return None
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    figure = new_figure(PANEL[0] * columns + 0.15, PANEL[1] * rows + 0.45, constrained=False)
    height = figure.get_figheight()
    figure.subplots_adjust(left=0.52 / figure.get_figwidth(), right=0.985, bottom=0.66 / height, top=1 - 0.2 / height,
                           wspace=0.28, hspace=0.42)  # fmt: skip
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, name in zip(grid.flat, shown, strict=False):
        _panel(axes, table.loc[name], arms, name, str(units[name]))
    for axes in grid.flat[len(shown) :]:
        axes.remove()
    for place in range(len(shown)):
        if place + columns >= len(shown):
            grid.flat[place].set_xlabel("day", fontsize=7, labelpad=1)
    handles, labels = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=min(4, len(labels)), fontsize=7, handlelength=2.6)
    data = table.loc[shown].reset_index()
    return Drawn(
        f"courses-{number}",
        f"Courses of {' against '.join(arms) if len(arms) == 2 else ', '.join(arms)}. Line: median of donors. "
        "Band: 10 to 90 % of donors (first and last arm). Quantities that are the same for all are left out.",
        _alt(data, arms, shown),
        data.assign(unit=data["quantity"].map(units)),
        figure,
    )


def _varies(values: pd.DataFrame) -> bool:
    """Whether a quantity shows anything: its medians are not one constant, such as 0 in all arms at all times."""
    numbers = values["median"].to_numpy(dtype=float)
    if not np.isfinite(numbers).any():
        return False
    return bool(np.nanmax(numbers) - np.nanmin(numbers) > 1e-9 * np.nanmax(np.abs(numbers)))


def _panel(axes: Axes, values: pd.DataFrame, arms: list[str], name: str, unit: str) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    there = set(values.index.get_level_values("arm"))
    for index, arm in enumerate(arms):
        if arm not in there:
            continue
        one = values.loc[arm]
        days = one.index.to_numpy() / 24.0
        if index in (0, len(arms) - 1):
            axes.fill_between(days, one["low"], one["high"], color=SERIES[index], alpha=0.13, linewidth=0)
        axes.plot(days, one["median"], color=SERIES[index], linestyle=LINES[index], linewidth=1.1, label=arm)
    axes.set_title(name + (f" ({unit})" if unit not in ("1", "cells", "") else ""), fontsize=7.2)
    middle = values["median"].to_numpy(dtype=float)
    if np.nanmin(middle) > 0 and np.nanmax(middle) / np.nanmin(middle) > DECADES:
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter(NullFormatter())
    elif np.nanmin(values["low"]) >= 0:
        axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))


def short(value: float) -> str:
    """A number on an axis: 20k, 3M, 0.05.

    Examples
    --------
    >>> short(20000.0), short(1.5e6), short(0.05), short(150.0)
    ('20k', '1.5M', '0.05', '150')
    """
    for scale, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= scale:
            return f"{value / (1e3 if letter == 'k' else scale):g}{letter}"
    return f"{value:g}"


def _alt(data: pd.DataFrame, arms: list[str], shown: list[str]) -> str:
    last = data[data["time_h"] == data["time_h"].max()].set_index(["quantity", "arm"])["median"]
    said = [
        f"{name}: " + ", ".join(f"{arm} {last[name, arm]:.3g}" for arm in arms if (name, arm) in last.index)
        for name in shown
    ]
    return "Courses over time; medians at the end. " + "; ".join(said) + "."
