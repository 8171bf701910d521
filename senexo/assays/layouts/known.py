"""The layouts of every assay, and the reader that recognises them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from senexo.assays.layouts.cfx import CFX
from senexo.assays.layouts.genes_in_rows import GCT, GENES_IN_ROWS
from senexo.assays.layouts.layout import Layout
from senexo.assays.layouts.lightcycler import LIGHTCYCLER
from senexo.assays.layouts.prism_survival import PRISM_SURVIVAL
from senexo.assays.layouts.quantstudio import QUANTSTUDIO
from senexo.assays.layouts.two_headers import TWO_HEADERS
from senexo.assays.layouts.wide_qpcr import WIDE_QPCR
from senexo.base.cells import as_text
from senexo.base.table_file import Grid, framed

if TYPE_CHECKING:
    import pandas as pd

# assay -> its layouts, the first that fits is used; every assay reads two rows of names
LAYOUTS: dict[str, tuple[Layout, ...]] = {
    "qpcr": (QUANTSTUDIO, CFX, LIGHTCYCLER, WIDE_QPCR),
    "expression": (GCT, GENES_IN_ROWS),
    "survival": (PRISM_SURVIVAL,),
}


def laid_out(grid: Grid, assay: str, asked: Iterable[str] = ()) -> tuple[pd.DataFrame, list[str]]:
    """The table of an assay from a file in any layout that is known, and how it was read.

    Parameters
    ----------
    grid
        The cells of the file, from `senexo.base.table_file.read_grid`.
    assay
        The name of the assay.
    asked
        Columns that the call names.

    Returns
    -------
    frame : pandas.DataFrame
        As the assay reads it; a file in no other layout is a plain table, a header and rows.
    said : list of str
        Which layout, and what was done.

    Examples
    --------
    >>> from pathlib import Path
    >>> grid = Grid(Path("t.csv"), [["Sample", "miR-34c", "U6"], ["mock 1", "33.1", "17.2"]], ",")
    >>> laid_out(grid, "qpcr")[0]["target"].to_list()
    ['miR-34c', 'U6']
    """
    for layout in (*LAYOUTS.get(assay, ()), TWO_HEADERS):
        header = layout.header(grid.lines)
        if header is not None and not (layout.unless_asked and {*asked} & {*map(as_text, grid.lines[header])}):
            frame, said = layout.read(grid, header)
            return frame, [layout.name, *said]
    frame, plain = framed(grid)
    return frame, list(plain)
