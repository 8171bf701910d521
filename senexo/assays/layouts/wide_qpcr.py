"""qPCR as one row per sample and one column of Ct per RNA."""

from __future__ import annotations

from senexo.assays._qpcr.spec import SPEC, UNDETECTED
from senexo.assays.layouts.layout import Frame, Layout, Lines
from senexo.base.cells import EMPTY, as_text, is_number
from senexo.base.table_file import Grid, framed

_SAMPLE = ("sample", "sample name", "samples", "probe", "name")
_ABOUT = {one.name for one in SPEC.columns} - {"target", "ct"}  # what a wide table may say of a sample
_WORDS = {*EMPTY, *UNDETECTED}


def _header(lines: Lines) -> int | None:
    """The first filled line, where a sample is named and the other columns hold numbers or words for undetected."""
    at = next((i for i, line in enumerate(lines) if sum(bool(as_text(cell)) for cell in line) > 1), None)
    if at is None:
        return None
    names = [as_text(cell).lower() for cell in lines[at]]
    said = {name for name in names if name in _ABOUT or name in _SAMPLE}
    rnas = [k for k, name in enumerate(names) if name and name not in said]
    if not said & {*_SAMPLE, "arm"} or len(rnas) < 2 or {"ct", "cq", "cp", "target", "content"} & set(names):
        return None
    cells = [as_text(line[k]) for line in lines[at + 1 :] for k in rnas if k < len(line)]
    return at if cells and all(is_number(cell.replace(",", ".")) or cell.lower() in _WORDS for cell in cells) else None


def _read(grid: Grid, header: int) -> Frame:
    frame, said = framed(grid, header)
    sample = next((name for name in frame.columns if name.lower() in _SAMPLE), None)
    frame = frame.rename(columns={name: name.lower() for name in frame.columns if name.lower() in _ABOUT})
    frame = frame.rename(columns={sample: "sample"}) if sample else frame
    about = [name for name in frame.columns if name in {*_ABOUT, "sample"}]
    rnas = [name for name in frame.columns if name not in about]
    long = frame.melt(id_vars=about, value_vars=rnas, var_name="target", value_name="ct", ignore_index=False)
    return long.reset_index(drop=True), [*said, f"a column of Ct for each of {', '.join(rnas)}"]


WIDE_QPCR = Layout("a row per sample and a column per RNA", _header, _read)
