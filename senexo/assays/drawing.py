"""What the figures of all assays share: the style of a paper, colours, and estimates drawn one below the other.

Series differ in colour (Okabe and Ito's palette, safe for colour-blind readers), marker and line style at once, so that
they can be distinguished in black and white too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.base.plotting import require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00", "#7F7F7F")
MARKERS = "osD^vP*X"
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (2, 1)), (0, (1, 3)))
STYLE: Any = {
    "font.family": "sans-serif", "font.sans-serif": ["Arial", "Liberation Sans", "DejaVu Sans"], "font.size": 8,
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.7, "axes.labelsize": 8,
    "axes.titlesize": 8, "axes.titlelocation": "left", "axes.titleweight": "bold", "xtick.labelsize": 7,
    "ytick.labelsize": 7, "xtick.major.width": 0.7, "ytick.major.width": 0.7, "legend.frameon": False,
    "legend.fontsize": 7, "lines.linewidth": 1.3, "svg.fonttype": "none", "pdf.fonttype": 42, "savefig.dpi": 300,
}  # fmt: skip


@contextmanager
def canvas(width: float, height: float) -> Iterator[Figure]:
    """An empty figure in the house style, unknown to pyplot, so that nothing keeps it alive."""
    require_matplotlib()
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        yield Figure(figsize=(width, height), layout="constrained")


def look_of(index: int) -> dict[str, Any]:
    """Colour, marker (filled or open in turn) and line style of the index-th family."""
    colour = COLOURS[index % len(COLOURS)]
    return {
        "color": colour, "marker": MARKERS[index % len(MARKERS)], "markersize": 4,
        "markerfacecolor": "white" if index % 2 else colour, "linestyle": LINES[index % len(LINES)],
    }  # fmt: skip


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


def name_rows(axes: Axes, names: list[str]) -> None:
    """One name per row, the first on top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


def beside(axes: Axes, place: int, text: str) -> None:
    """A word to the right of a row."""
    axes.annotate(text, (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=6.5,
                  annotation_clip=False)  # fmt: skip
