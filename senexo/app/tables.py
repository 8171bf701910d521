"""The table of `senexo assay NAME TABLE`: read, joined, rows excluded; everything that was done to it is noted."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from senexo.assays.spec import flag
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Source:
    """Which table, and what is done to it before the assay; one field per option of the command line."""

    table: Path | None = None
    sheet: str | None = None
    decimal: str | None = None
    skip: int | None = None
    join: Path | None = None
    on: str | None = None
    join_sheet: str | None = None
    exclude: list[str] | None = field(default=None)

    @classmethod
    def taken(cls, given: dict[str, Any]) -> Source:
        """The source from the options of the command line, which are taken out of `given`."""
        return cls(**{one.name: given.pop(one.name, None) for one in fields(cls)})

    def flags(self) -> list[str]:
        """The options that were given without a table."""
        return [flag(one.name) for one in fields(self) if one.name != "table" and getattr(self, one.name)]


def read(source: Source) -> tuple[pd.DataFrame, str, list[str]]:
    """The table to judge, what messages call it, and how it was read and what was dropped."""
    from senexo.base.join import exclude
    from senexo.base.join import join as joined

    if source.table is None:
        raise AssertionError("a table")
    _refuse_half_a_join(source)
    frame, notes = _file(source.table, source.sheet, source)
    where = source.table.name
    if source.join is not None and source.on is not None:
        other, more = _file(source.join, source.join_sheet, source)
        same = source.join.name == where
        names = (f"{where} (TABLE)", f"{where} (--join)") if same else (where, source.join.name)
        frame, dropped = joined(frame, other, source.on, where=names[0], where_other=names[1])
        notes += more + dropped
    frame, left_out = exclude(frame, source.exclude or (), where=where)
    return frame, where, notes + left_out


def _file(path: Path, sheet: str | None, source: Source) -> tuple[pd.DataFrame, list[str]]:
    from senexo.base.table_file import framed, read_grid

    frame, said = framed(read_grid(path, sheet=sheet, decimal=source.decimal, skip=source.skip or 0))
    return frame, [f"{path.name} was read so: {'; '.join(said)}"] if said else []


def _refuse_half_a_join(source: Source) -> None:
    if (source.join is None) != (source.on is None):
        missing = Fault("--on", "nothing", "the column that names the same rows in both tables")
        raise InvalidInput(
            [missing if source.join else Fault("--join", "nothing", "the second table, as --on is given")]
        )
    if source.join is None and source.join_sheet is not None:
        raise InvalidInput([Fault("--join", "nothing", "the second table, as --join-sheet is given")])
