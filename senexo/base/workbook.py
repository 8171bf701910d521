"""Spreadsheets (.xlsx): one sheet as rows of cells. Formulas are not computed, macros and links are not followed.

A workbook is a zip of XML from an unknown source. It is refused before parsing when it unpacks to more than `MAX_BYTES`
or declares entities, and while reading when a sheet has more cells than `MAX_CELLS`.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

MAX_BYTES = 256 * 2**20  # of all parts, unpacked
MAX_PARTS = 2000
MAX_CELL = 131_072  # characters
MAX_CELLS = 20_000_000  # with the gaps, which a few bytes can make as wide as the sheet


def sheet_lines(data: bytes, *, where: str, sheet: str | None = None) -> list[list[Any]]:
    """The rows of one sheet of a workbook.

    Parameters
    ----------
    data
        The bytes of the .xlsx file.
    where
        What messages call the file.
    sheet
        Name of the sheet; needed where several are filled.

    Returns
    -------
    list of list
        Rows from the first to the last filled one, each without its empty right end. Cells are as stored: text,
        numbers, booleans, dates; of a formula the value that the spreadsheet last computed.

    Raises
    ------
    InvalidInput
        No workbook, one that is too large, no such sheet, or cells with an error (#N/A) or a formula without a stored
        value (each with its place).
    """
    formulas = _inspect(data, where)
    lines = _lines(data, where, sheet, values=True)
    faults = [
        Fault(f"{where}: row {i + 1}, column {j + 1}", f"the error '{cell}'", "a value")
        for i, line in enumerate(lines)
        for j, cell in enumerate(line)
        if isinstance(cell, _Error)
    ]
    if formulas:
        written = _lines(data, where, sheet, values=False)
        faults += [
            Fault(f"{where}: row {i + 1}, column {j + 1}", "a formula without a stored value", "a value (open the file "
                  "in a spreadsheet and save it, or paste values)")
            for i, line in enumerate(written)
            for j, cell in enumerate(line)
            if isinstance(cell, _Formula) and _cell(lines, i, j) is None
        ]  # fmt: skip
    if faults:
        raise InvalidInput(faults[:20])
    return lines


class _Error(str):
    """A cell such as #N/A."""


class _Formula(str):
    """A cell that holds a formula."""


def _inspect(data: bytes, where: str) -> bool:
    """Whether the workbook has a formula; raises InvalidInput where it is none or too large."""
    formulas = False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_BYTES:
                _refuse(where, f"a workbook that unpacks to more than {MAX_BYTES // 2**20} MiB", "a smaller table")
            for part in parts:
                if not part.filename.lower().endswith((".xml", ".rels")):
                    continue
                text = archive.read(part)  # never more than the size declared above
                if b"<!DOCTYPE" in text or b"<!ENTITY" in text or b"\0" in text[:8]:
                    _refuse(where, f"declarations in {part.filename}", "a workbook as a spreadsheet saves it")
                formulas |= b"<f>" in text or b"<f " in text
    except InvalidInput:
        raise
    except Exception as error:  # zipfile and zlib raise a dozen kinds for a broken archive
        _refuse(where, f"no readable workbook ({error})", "an .xlsx file without a password")
    return formulas


def _lines(data: bytes, where: str, sheet: str | None, *, values: bool) -> list[list[Any]]:
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=values, keep_links=False)
        return list(_filled(book, _chosen(book, where, sheet), where))
    except InvalidInput:
        raise
    except Exception as error:  # openpyxl raises a dozen kinds for a broken file
        _refuse(where, f"no readable workbook ({error})", "an .xlsx file as a spreadsheet saves it")


def _chosen(book: Workbook, where: str, sheet: str | None) -> str:
    names = [there.title for there in book.worksheets]
    if sheet is not None:
        if sheet not in names:
            _refuse(f"{where}: sheet", f"'{sheet}'", f"one of {', '.join(names)}")
        return sheet
    filled = [name for name in names if next(_filled(book, name, where), None) is not None]
    if len(filled) > 1:
        _refuse(where, f"{len(filled)} sheets ({', '.join(filled)})", "one, or its name as --sheet")
    return (filled or names)[0]


def _filled(book: Workbook, sheet: str, where: str) -> Iterator[list[Any]]:
    """The rows up to the last filled one; rows before it that are empty are empty lists."""
    there = book[sheet]
    there.reset_dimensions()  # what the file says of itself can be wrong, or far too large
    waiting, cells = 0, 0
    for row in there.iter_rows():
        cells += len(row) + 1
        if cells > MAX_CELLS:
            _refuse(f"{where}: sheet {sheet}", f"more than {MAX_CELLS:,} cells", "a smaller table")
        line = [_value(cell) for cell in row]
        if any(isinstance(cell, str) and len(cell) > MAX_CELL for cell in line):
            _refuse(f"{where}: sheet {sheet}", f"a cell of more than {MAX_CELL:,} characters", "a shorter one")
        while line and (line[-1] is None or line[-1] == ""):
            line.pop()
        if not line:
            waiting += 1
            continue
        yield from ([] for _ in range(waiting))
        waiting = 0
        yield line


def _value(cell: Any) -> Any:
    kind = getattr(cell, "data_type", "n")
    return _Error(cell.value) if kind == "e" else _Formula(cell.value) if kind == "f" else cell.value


def _cell(lines: list[list[Any]], row: int, column: int) -> Any:
    return lines[row][column] if row < len(lines) and column < len(lines[row]) else None


def _refuse(where: str, found: str, expected: str) -> NoReturn:
    raise InvalidInput([Fault(where, found, expected)])
