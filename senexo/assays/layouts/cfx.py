"""Quantification Cq results of CFX Maestro and CFX Manager: `Content` names what a well holds, `NaN` is no signal."""

from __future__ import annotations

from senexo.assays.layouts.layout import Frame, Layout, line_with, named
from senexo.assays.layouts.wells import tidy
from senexo.base.cells import as_text
from senexo.base.table_file import Grid

_NAMES = {
    "well": "well", "target": "target", "content": "task", "sample": "sample", "cq": "ct",
    "biological set name": "set", "starting quantity (sq)": "quantity",
}  # fmt: skip
_UNDETECTED = ("nan", "n/a", "")


def _read(grid: Grid, header: int) -> Frame:
    frame, said = named(grid, header, _NAMES)
    wells, notes = tidy(frame.drop(columns="set", errors="ignore"), _UNDETECTED)
    if "set" in frame and frame.loc[wells.index, "set"].map(as_text).ne("").any():
        wells = wells.rename(columns={"sample": "arm"}).assign(donor=frame.loc[wells.index, "set"].map(as_text))
        said = [*said, "column Sample as arm, Biological Set Name as donor"]
    return wells, [*said, *notes]


CFX = Layout("CFX results", line_with("Well", "Fluor", "Target", "Content", "Sample", "Cq"), _read)
