"""Which arms a call compares, and their estimates drawn one below the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import capped, likely

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DESIGNS = ("paired", "unpaired")


def pairs_of(
    known: Iterable[str], compare: Sequence[str] | Sequence[Sequence[str]] | None, where: str
) -> list[tuple[str, str]]:
    """(arm, control) of every comparison asked for, each once; InvalidInput lists arms the table does not have."""
    if not compare:
        return []
    asked = [compare] if isinstance(compare[0], str) else list(compare)
    arms = list(dict.fromkeys(known))
    faults = [
        Fault(f"{where}: compare", f"'{name}'", f"an arm of the table: {likely(str(name), arms)}")
        for pair in asked
        for name in (pair if len(pair) == 2 else [f"{len(pair)} names"])
        if name not in arms
    ]
    faults += [
        Fault(f"{where}: compare", f"{pair[0]} with itself", "two different arms")
        for pair in asked
        if len(pair) == 2 and pair[0] == pair[1]
    ]
    if faults:
        raise capped(faults, where)
    return list(dict.fromkeys((str(pair[0]), str(pair[1])) for pair in asked))


def check_design(design: str, where: str) -> None:
    """InvalidInput unless it is known how donors of two arms belong together."""
    if design not in DESIGNS:
        raise InvalidInput([Fault(f"{where}: design", f"'{design}'", f"one of {', '.join(DESIGNS)}")])


def draw_estimates(
    axes: Axes, rows: Sequence[tuple[str, float, float, float]], *, nothing: float, label: str, log: bool = False
) -> None:
    """One line per (name, value, low, high); a dotted line where there is no effect; open ends are not drawn."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    for place, (_, value, low, high) in enumerate(rows):
        ends = [end for end in (low, high) if np.isfinite(end) and (end > 0.0 or not log)]
        if len(ends) == 2:
            axes.plot(ends, [place, place], color="black", linewidth=1.2)
        if np.isfinite(value) and (value > 0.0 or not log):
            axes.plot(value, place, "D", color="black", markersize=4.5)
    axes.axvline(nothing, color="0.4", linestyle=":", linewidth=1.0)
    if log:
        axes.set_xscale("log")
        low, high = axes.get_xlim()
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high / low < 300 else (1.0,)))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
    axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(label)
