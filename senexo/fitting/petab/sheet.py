"""One table of a PEtab problem as rows of texts, with the place of every cell for messages."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from senexo.base.cells import as_text
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table_file import read_grid

_MISSING = frozenset({"", "nan", "na", "none", "null"})


@dataclass(frozen=True, slots=True)
class Row:
    """One row: texts by the name of their column; `number` as a spreadsheet counts, the header being row 1."""

    sheet: Sheet
    number: int
    cells: dict[str, str]

    def at(self, column: str) -> str:
        """Where a cell is, for a message."""
        return f"{self.sheet.path}: row {self.number}, column {column}"

    def text(self, column: str) -> str:
        """A cell's text without blanks around it; "" where it is empty or there is no such column."""
        found = self.cells.get(column, "").strip()
        return "" if found.lower() in _MISSING else found

    def raw(self, column: str) -> str:
        """A cell's text as it is."""
        return self.cells.get(column, "").strip()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table's header and rows, and the faults found in it so far."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    faults: list[Fault]

    def fault(self, row: Row, column: str, expected: str, found: str | None = None) -> None:
        """Note a fault of a cell."""
        raw = row.raw(column)
        self.faults.append(
            Fault(row.at(column), (repr(raw) if raw else "nothing") if found is None else found, expected)
        )


def read_sheet(path: Path, faults: list[Fault], *, needed: Collection[str], known: Collection[str]) -> Sheet:
    """A table; what is wrong with the file, the header or an id goes to `faults`.

    needed: columns without which a table cannot be read. known: all columns that have a meaning; others are passed
    over, but one that is nearly a known one is a fault.
    """
    try:
        lines = read_grid(path).lines
    except InvalidInput as error:
        faults += error.faults
        return Sheet(path, (), (), faults)
    header = [as_text(cell).strip() for cell in lines[0]] if lines else []
    sheet = Sheet(path, tuple(header), tuple(_rows(path, header, lines, faults)), faults)
    rows = tuple(Row(sheet, row.number, row.cells) for row in sheet.rows)
    sheet = Sheet(path, tuple(header), rows, faults)
    for name in needed:
        if name not in header:
            near = difflib.get_close_matches(name, header, n=1, cutoff=0.8)
            found = f"the column {near[0]}" if near else f"the columns {', '.join(header)}" if header else "no header"
            faults.append(Fault(f"{path}: row 1", found, f"a column {name}"))
    for name in header:
        near = [one for one in known if one.lower() == name.lower() and one != name]
        if near and name not in known and near[0] not in needed:
            faults.append(Fault(f"{path}: row 1", f"the column {name}", f"its name as PEtab spells it: {near[0]}"))
    return sheet


def _rows(path: Path, header: list[str], lines: list[list[object]], faults: list[Fault]) -> Iterator[Row]:
    empty = Sheet(path, tuple(header), (), faults)
    for k, name in enumerate(header):
        if not name or name in header[:k]:
            found = f"the name {name!r} again" if name else "no name"
            faults.append(Fault(f"{path}: row 1, column {k + 1}", found, "a name for each column, no name twice"))
    for number, line in enumerate(lines[1:], 2):
        texts = [as_text(cell) for cell in line]
        if not any(text.strip() for text in texts):
            continue
        if len(texts) > len(header) and any(text.strip() for text in texts[len(header) :]):
            faults.append(Fault(f"{path}: row {number}", f"{len(texts)} cells", f"{len(header)}, as the header has"))
        yield Row(empty, number, dict(zip(header, texts, strict=False)))


def number(row: Row, column: str, expected: str = "a number") -> float | None:
    """A finite number; None, with a fault, for anything else."""
    try:
        value = float(row.text(column))
    except ValueError:
        row.sheet.fault(row, column, expected)
        return None
    if not isfinite(value):
        row.sheet.fault(row, column, expected)
        return None
    return value


def is_id(text: str) -> bool:
    """Whether a text is an identifier as PEtab has them: letters, digits and _, no digit first."""
    return text.isidentifier() and text.isascii()


def identifiers(sheet: Sheet, column: str) -> Iterator[tuple[str, Row]]:
    """The rows whose id is one, each id once; other rows are faults."""
    seen: dict[str, int] = {}
    for row in sheet.rows:
        id = row.raw(column)
        if not is_id(id):
            sheet.fault(row, column, "letters, digits and _, beginning with a letter")
        elif id in seen:
            sheet.fault(row, column, f"an id once; it is in row {seen[id]} too")
        else:
            seen[id] = row.number
            yield id, row


def near(id: str, known: Collection[str], otherwise: str) -> str:
    """The names that an unknown one may have meant."""
    found = difflib.get_close_matches(id, list(known), n=3, cutoff=0.6)
    return f"one of {', '.join(found)}" if found else otherwise
