"""Results of QuantStudio, StepOne, ViiA 7 and 7500: a block about the run, then a row per well."""

from __future__ import annotations

from senexo.assays.layouts.layout import Frame, Layout, line_with, named
from senexo.assays.layouts.wells import tidy
from senexo.base.table_file import Grid

_NAMES = {
    "well position": "position", "well": "well", "omit": "omit", "sample name": "sample", "sample": "sample",
    "target name": "target", "target": "target", "task": "task", "ct": "ct", "cт": "ct", "cq": "ct",
    "quantity": "quantity",
}  # fmt: skip  # "cт" with a Cyrillic letter is what StepOne writes
_UNDETECTED = ("undetermined", "undet", "no ct")


def _read(grid: Grid, header: int) -> Frame:
    frame, said = named(grid, header, _NAMES)
    if "position" in frame:
        frame = frame.assign(well=frame["position"])
    wells, notes = tidy(frame, _UNDETECTED)
    return wells, [*said, *notes]


QUANTSTUDIO = Layout(
    "QuantStudio or StepOne results",
    line_with("Well", "Sample Name | Sample", "Target Name | Target", "Task", "CT | Cт | Cq"),
    _read,
)
