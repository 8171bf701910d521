"""One cell of a table: as a spreadsheet shows it, and as the number it means."""

from __future__ import annotations

import math

EMPTY = frozenset({"", "na", "n/a", "nan", "none", "null", "-"})
MAX_WHOLE = 2**53  # beyond it, neighbouring whole numbers are one float64


class Numeral(str):
    """A cell as it is written, with the numbers it can mean.

    One; two where the decimal mark is not known; none where it has a decimal point and the mark is the comma.

    >>> cell = Numeral("10.000", (10.0, 10000.0))
    >>> cell, cell.readings
    ('10.000', (10.0, 10000.0))
    """

    __slots__ = ("readings",)
    readings: tuple[float, ...]

    def __new__(cls, text: str, readings: tuple[float, ...]) -> Numeral:
        made = super().__new__(cls, text)
        made.readings = readings
        return made

    def __getnewargs__(self) -> tuple[str, tuple[float, ...]]:  # type: ignore[override]
        return str(self), self.readings


def as_number(cell: str) -> float:
    """The number that a text is, every digit kept (pandas rounds); nan for any other text and without one reading."""
    if isinstance(cell, Numeral):
        return cell.readings[0] if len(cell.readings) == 1 else math.nan
    try:
        return float(cell) if "_" not in cell else math.nan
    except ValueError:
        return math.nan


def is_number(cell: str) -> bool:
    """Whether a text is a number, be it one with two readings."""
    return isinstance(cell, Numeral) or not math.isnan(as_number(cell))


def as_text(cell: object) -> str:
    """A cell as a spreadsheet shows it: whole numbers without decimals, a missing value as an empty text."""
    if isinstance(cell, Numeral):
        return cell
    if cell is None or cell != cell or str(cell) in ("<NA>", "NaT"):
        return ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) <= MAX_WHOLE else repr(float(cell))
    return str(cell).strip()
