"""The table of `senexo assay NAME TABLE`: read, joined, rows excluded; everything that was done to it is noted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from senexo.assays.spec import Spec, flag
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


def columns_asked(spec: Spec, options: Mapping[str, Any]) -> list[str]:
    """The columns that the options of a call name."""
    names = [option.name for option in spec.options if option.kind in ("column", "columns")]
    given = [options[name] for name in names if options.get(name)]
    return [name for one in given for name in ([one] if isinstance(one, str) else one)]


def read(source: Source, assay: str, asked: Sequence[str] = ()) -> tuple[pd.DataFrame, str, list[str]]:
    """The table to judge, what messages call it, and how it was read and what was dropped.

    asked: columns that the call names.
    """
    from senexo.assays.layouts.samples import with_arms
    from senexo.base.join import exclude
    from senexo.base.join import join as joined

    if source.table is None:
        raise AssertionError("a table")
    _refuse_half_a_join(source)
    frame, notes = _file(source.table, source.sheet, source, assay, asked)
    where = source.table.name
    if source.join is not None and source.on is not None:
        other, more = _file(source.join, source.join_sheet, source, assay, asked)
        same = source.join.name == where
        names = (f"{where} (TABLE)", f"{where} (--join)") if same else (where, source.join.name)
        frame, dropped = joined(frame, other, source.on, where=names[0], where_other=names[1])
        notes += more + dropped
    frame, left_out = exclude(frame, source.exclude or (), where=where)
    frame, named = with_arms(frame, where) if assay == "qpcr" else (frame, [])
    return frame, where, notes + left_out + named


def _file(
    path: Path, sheet: str | None, source: Source, assay: str, asked: Sequence[str]
) -> tuple[pd.DataFrame, list[str]]:
    from senexo.assays.layouts.known import laid_out
    from senexo.base.table_file import read_grid

    frame, said = laid_out(read_grid(path, sheet=sheet, decimal=source.decimal, skip=source.skip or 0), assay, asked)
    return frame, [f"{path.name} was read so: {'; '.join(said)}"] if said else []


def _refuse_half_a_join(source: Source) -> None:
    if (source.join is None) != (source.on is None):
        missing = Fault("--on", "nothing", "the column that names the same rows in both tables")
        raise InvalidInput(
            [missing if source.join else Fault("--join", "nothing", "the second table, as --on is given")]
        )
    if source.join is None and source.join_sheet is not None:
        raise InvalidInput([Fault("--join", "nothing", "the second table, as --join-sheet is given")])
