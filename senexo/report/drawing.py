"""What all figures of a report share: style, colours, alternative text, and the files of one figure.

Red (`LOOK`) marks what the reader should look at, and nothing else. Series differ in marker or line style besides
colour, so that they differ in grey.
"""

from __future__ import annotations

import html
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from senexo.base.atomic import write_file
from senexo.base.table import csv_bytes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

LOOK = "#c4161c"
INK, SOFT, PALE = "#1b1f24", "#6b7480", "#e6e9ed"
SERIES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#000000", "#8c6d31", "#7F7F7F")
LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (2, 1)), (0, (1, 3)))
FORMATS = ("svg", "pdf", "png")
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 8,
    "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 8, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "axes.labelsize": 8, "axes.linewidth": 0.7, "axes.edgecolor": INK,
    "xtick.labelsize": 7, "ytick.labelsize": 7, "legend.frameon": False, "legend.fontsize": 7, "lines.linewidth": 1.3,
    "svg.fonttype": "path", "svg.hashsalt": "senexo", "pdf.fonttype": 42, "text.parse_math": False,
}  # fmt: skip


@contextmanager
def styled() -> Iterator[None]:
    """Within it figures are drawn in the house style; the user's own settings of matplotlib come back after it."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        yield


def new_figure(width: float, height: float, *, constrained: bool = True) -> Figure:
    """An empty figure in inches, unknown to pyplot (so nothing keeps it alive); to be used within `styled`."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained" if constrained else None)


@dataclass(frozen=True)
class Drawn:
    """One figure of a report.

    Attributes
    ----------
    name
        File name without its ending.
    caption, alt
        What is shown, for those who see it; and what it says, for those who do not.
    data
        The numbers that are drawn.
    """

    name: str
    caption: str
    alt: str
    data: pd.DataFrame
    figure: Figure

    def __post_init__(self) -> None:
        _plain_powers(self.figure)

    def svg(self) -> str:
        """The figure as one `<svg>` element with its alternative text; the same data give the same bytes."""
        text = io.StringIO()
        self.figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches=self._box)
        body = text.getvalue()[text.getvalue().index("<svg") :]
        end = body.index(">")
        label = html.escape(self.alt, quote=True)
        return f'{body[:end]} role="img" aria-label="{label}"{body[end:]}'

    def save(self, folder: Path) -> list[Path]:
        """Write NAME.svg, .pdf, .png and the data as NAME.csv into a folder."""
        paths = []
        for kind in FORMATS:
            data = io.BytesIO()
            metadata: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[kind]
            self.figure.savefig(data, format=kind, dpi=300, metadata=metadata, bbox_inches=self._box)
            paths.append(folder / f"{self.name}.{kind}")
            write_file(paths[-1], data.getvalue())
        paths.append(folder / f"{self.name}.csv")
        write_file(paths[-1], csv_bytes(self.data))
        return paths

    @property
    def _box(self) -> Any:
        return "tight" if self.figure.get_layout_engine() else None


def _plain_powers(figure: Figure) -> None:
    """Numbers of logarithmic axes as text: matplotlib writes them as formulas, which the house style does not read."""
    from matplotlib.ticker import FuncFormatter, LogFormatterMathtext, NullFormatter

    for axis in (one for axes in figure.axes for one in (axes.xaxis, axes.yaxis)):
        if isinstance(axis.get_major_formatter(), LogFormatterMathtext):
            axis.set_major_formatter(FuncFormatter(lambda value, _: power(value)))
        if isinstance(axis.get_minor_formatter(), LogFormatterMathtext):
            axis.set_minor_formatter(NullFormatter())


def power(value: float) -> str:
    """A number on a logarithmic axis.

    Examples
    --------
    >>> power(0.01), power(500.0), power(1e11), power(1e-5), power(3e7)
    ('0.01', '500', '10¹¹', '10⁻⁵', '3·10⁷')
    """
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:g}"
    factor, exponent = f"{value:.3e}".split("e")
    raised = "10" + str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return raised if float(factor) == 1.0 else f"{float(factor):g}·{raised}"


def dose(copies: float) -> str:
    """A dose as a reader writes it: 10,000; nothing for none."""
    return "" if copies is None or copies != copies else f"{copies:,.0f}"
