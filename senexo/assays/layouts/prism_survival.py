"""Survival as GraphPad Prism has it: a column of times, and one per group with 1 (event), 0 (censored) or nothing."""

from __future__ import annotations

from senexo.assays.layouts.layout import Frame, Layout, Lines
from senexo.base.cells import as_number, as_text
from senexo.base.table_file import Grid, framed

_TIMES = ("time", "days", "day", "weeks", "months", "years", "hours", "x", "elapsed")


def _is_time(name: str) -> bool:
    return name.lower().replace("(", " ").split(" ")[0] in _TIMES


def _header(lines: Lines) -> int | None:
    at = next((i for i, line in enumerate(lines) if sum(bool(as_text(cell)) for cell in line) > 1), None)
    if at is None or not _is_time(as_text(lines[at][0])):
        return None
    groups = [k for k, name in enumerate(lines[at]) if k and as_text(name)]
    rows = [[as_text(line[k]) if k < len(line) else "" for k in groups] for line in lines[at + 1 :]]
    rows = [row for row in rows if any(row)]
    marks = all(sum(bool(cell) for cell in row) == 1 and set(row) <= {"", "0", "1"} for row in rows)
    return at if len(groups) > 1 and rows and marks else None


def _read(grid: Grid, header: int) -> Frame:
    frame, said = framed(grid, header)
    time, *groups = frame.columns
    long = frame.melt(id_vars=[time], value_vars=groups, var_name="group", value_name="event")
    long = long[long["event"].map(as_text) != ""]
    long = long.assign(event=long["event"].map(as_text).map(as_number).astype(int)).reset_index(drop=True)
    return long, [*said, f"a column of 0 and 1 for each of {', '.join(groups)}: columns event and group"]


PRISM_SURVIVAL = Layout("a column of events per group", _header, _read)
