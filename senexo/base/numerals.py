"""Numbers as people write them: decimal comma or point, grouped thousands. Two readings are kept as two.

    10.000      10 where the point is the decimal mark, 10,000 where the comma is
    1.234,5     one reading: only with a decimal comma
    10 000      one reading (a blank or an apostrophe only groups)

Which mark is the decimal one is said by the caller, or by cells that have one reading only, first those of the same
column, then those of the other columns of numbers. Where no cell settles it, both readings are kept (`Numeral`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from senexo.base.cells import EMPTY, Numeral, as_text

if TYPE_CHECKING:
    import pandas as pd

MARKS = (".", ",")
_BLANKS = " \u00a0\u202f\u2009'\u2019"  # the blanks are the usual, the hard, the narrow hard and the thin one
_CANDIDATE = re.compile(rf"\d[.,{_BLANKS}]\d|^[+-]?,\d|\d,$")  # a text without it has one reading


_QUOTED = re.compile(r'"[^"\n]*\d?,\d')  # a comma within quotation marks
_COMMA = re.compile(r",\d|\d,")
_BLANKED = re.compile(rf"\d[{_BLANKS}]\d")


def _pattern(mark: str) -> re.Pattern[str]:
    other = "," if mark == "." else "."
    group = rf"(?P<by>[{re.escape(other)}{_BLANKS}])\d{{3}}(?:(?P=by)\d{{3}})*"
    return re.compile(rf"[+-]?(?:(?:[1-9]\d{{0,2}}{group}|\d+)(?:{re.escape(mark)}\d*)?|{re.escape(mark)}\d+)"
                      r"(?:[eE][+-]?\d+)?")  # fmt: skip


_PATTERNS = {mark: _pattern(mark) for mark in MARKS}


def reading(cell: str, mark: str) -> float | None:
    """The number that a text is where `mark` is the decimal mark; None where it is none.

    >>> reading("1.234,5", ","), reading("1.234,5", "."), reading("10 000", ".")
    (1234.5, None, 10000.0)
    """
    found = _PATTERNS[mark].fullmatch(cell)
    if found is None:
        return None
    plain = cell if found["by"] is None else cell.replace(found["by"], "")
    return float(plain.replace(mark, "."))


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What the texts of one column say: marks that single cells prove, cells with two readings."""

    numeric: bool
    proven: frozenset[str]
    two: tuple[str, ...]
    marked: bool  # whether any cell needs more than Python's own reading of numbers


def grouping(text: str, separator: str) -> bool:
    """Whether a text may hold a comma or a sign that groups digits within a number; False is certain.

    >>> grouping('a,n\\nx,31.5', ","), grouping('a,n\\nx,"10,000"', ","), grouping("a;n\\nx;1,5", ";")
    (False, True, True)
    """
    return bool((_QUOTED if separator == "," else _COMMA).search(text) or _BLANKED.search(text))


def interpret(
    frame: pd.DataFrame, *, separator: str | None, decimal: str | None, grouped: bool = True
) -> tuple[pd.DataFrame, list[str]]:
    """Columns of numbers with their numbers read: the cells keep their text, and know their number (`Numeral`).

    Parameters
    ----------
    frame
        Cells as they are in the file.
    separator
        What separates its columns; None in a workbook. Where it is the comma, no comma is a decimal mark unless a cell
        proves it.
    decimal
        The decimal mark, where the caller says it.
    grouped
        False where the file has no comma within a number, nor another sign that groups digits (`grouping`).

    Returns
    -------
    frame : pandas.DataFrame
        The same texts.
    said : list of str
        How numbers were read, where that is not plain.
    """
    if not grouped and separator == ",":
        return frame, []
    seen = []
    for place in range(frame.shape[1]):
        seen.append(_evidence(frame.iloc[:, place], separator))
        if not grouped and decimal is None and seen[-1].numeric and seen[-1].proven == {"."}:
            return frame, []  # points only, one of them proven to be a decimal mark: plain numbers
    numbers = [one for one in seen if one.numeric]
    if not any(one.marked for one in numbers):
        return frame, []
    proven = frozenset[str]().union(*(one.proven for one in numbers))
    if separator == "," and not proven and _rounded(numbers):
        proven = frozenset(".")
    frame, said = frame.copy(), dict[str, None]()
    for place, one in enumerate(seen):
        if one.numeric and one.marked:
            mark = decimal or _only(one.proven) or (None if one.proven else _only(proven))
            cells = [_read(cell, mark, mixed=len(one.proven) > 1) for cell in frame.iloc[:, place]]
            frame.isetitem(place, _objects(cells))
            said |= dict.fromkeys(_said(cells, mark))
    return frame, list(said)


def _evidence(cells: pd.Series, separator: str | None) -> _Evidence:
    words = dict.fromkeys(as_text(cell) for cell in cells if isinstance(cell, str))
    natives = sum(isinstance(cell, int | float) and bool(as_text(cell)) for cell in cells)
    filled = numeric = natives
    proven, two = set[str](), []
    marked = False
    for word in words:
        if word.lower() in EMPTY:
            continue
        filled += 1
        if not _CANDIDATE.search(word):
            numeric += _plain(word)
            continue
        readings = {mark: number for mark in MARKS if (number := reading(word, mark)) is not None}
        numeric += bool(readings)
        if separator == "," and "," not in word:  # a spreadsheet that separates by commas writes points
            readings.pop(",", None)
        marked |= bool(readings) and not (_plain(word) and "," not in readings)
        if len(readings) == 2 and readings["."] != readings[","]:
            two.append(word)
        elif len(readings) == 1:
            proven |= readings.keys()
    return _Evidence(numeric > filled / 2, frozenset(proven), tuple(two), marked)


def _plain(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _rounded(numbers: Sequence[_Evidence]) -> bool:
    """Whether a cell such as 10,000 is there: ten is not written with three decimals where commas separate columns."""
    return any(word.endswith(",000") for one in numbers for word in one.two)


def _only(marks: frozenset[str]) -> str | None:
    return next(iter(marks)) if len(marks) == 1 else None


def _read(cell: Any, mark: str | None, *, mixed: bool) -> Any:
    if not isinstance(cell, str) or not _CANDIDATE.search(word := as_text(cell)):
        return cell
    if mixed and mark is None:  # 31.5 and 31,5 in one column: a slip of the pen, not two conventions
        mark = "."
    if mark is not None:
        number = reading(word, mark)
        if number is None:
            return Numeral(word, ()) if mark == "," and _plain(word) else cell
        return cell if mark == "." and _plain(word) else Numeral(word, (number,))
    numbers = [number for mark in MARKS if (number := reading(word, mark)) is not None]
    return Numeral(word, tuple(dict.fromkeys(numbers))) if numbers else cell


def _said(cells: Sequence[Any], mark: str | None) -> list[str]:
    """One clause for a decimal comma, one for grouped digits, each with an example."""
    read = [cell for cell in cells if isinstance(cell, Numeral) and len(cell.readings) == 1]
    grouped = next((cell for cell in read if re.search(rf"\d[{_BLANKS}]\d|\d[.,]\d.*[.,]\d", cell)
                    or (mark == "." and "," in cell) or (mark == "," and "." in cell)), None)  # fmt: skip
    comma = next((cell for cell in read if mark == "," and "," in cell), None)
    clauses = [f"decimal comma ('{comma}' is {comma.readings[0]:g})"] if comma is not None else []
    return clauses + ([f"grouped digits ('{grouped}' is {grouped.readings[0]:.15g})"] if grouped is not None else [])


def _objects(cells: list[Any]) -> Any:
    import numpy as np

    made = np.empty(len(cells), dtype=object)
    made[:] = cells
    return made
