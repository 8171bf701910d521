"""What a layout is: a way in which an instrument or a program writes a table, known by its header."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from senexo.base.cells import as_text
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table_file import Grid, framed

if TYPE_CHECKING:
    import pandas as pd

Lines = Sequence[Sequence[Any]]
HIGHEST_HEADER = 100  # lines above a header in which instruments describe the run
Frame = tuple["pd.DataFrame", list[str]]  # the table of an assay, and what was done


@dataclass(frozen=True, slots=True)
class Layout:
    """One layout of the tables of one assay.

    name: what notes call it. header: the line with the names, None where the file has another layout. read: the table
    as the assay wants it, from the grid and that line. unless_asked: not where the
    call names a column of that line.
    """

    name: str
    header: Callable[[Lines], int | None]
    read: Callable[[Grid, int], Frame]
    unless_asked: bool = False


def line_with(*names: str) -> Callable[[Lines], int | None]:
    """A function that finds the first line with all of these names (a | b: one of the two), in any case."""
    wanted = [set(name.lower().split(" | ")) for name in names]

    def header(lines: Lines) -> int | None:
        for i, line in enumerate(lines[:HIGHEST_HEADER]):
            there = {as_text(cell).lower() for cell in line}
            if all(some & there for some in wanted):
                return i
        return None

    return header


def named(grid: Grid, header: int, names: dict[str, str]) -> Frame:
    """The columns of an export under the names of the assay; columns without a new name are left out.

    `names`: name in the file, in any case -> name in the assay. The table ends at the first empty line.
    """
    end = next((i for i in range(header + 1, len(grid.lines)) if not any(map(as_text, grid.lines[i]))), len(grid.lines))
    frame, said = framed(replace(grid, lines=grid.lines[:end]), header)
    found: dict[str, str] = {}
    for name in map(str, frame.columns):
        if names.get(name.lower()) not in (None, *found.values()):  # of two names for one thing the first is used
            found[name] = names[name.lower()]
    if frame.empty:
        raise InvalidInput(
            [Fault(f"{grid.path}: row {header + 1}", "names of columns and no row below", "at least one")]
        )
    return frame[list(found)].rename(columns=found), list(said)
