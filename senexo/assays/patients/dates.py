"""Times between two columns of dates. One with two readings (03/04/2020) is settled by its column or asked about."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING

from senexo.base.cells import EMPTY, as_text
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import at, likely

if TYPE_CHECKING:
    import pandas as pd

DAYS = {"days": 1.0, "weeks": 7.0, "months": 365.25 / 12.0, "years": 365.25}
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_POINTS = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
EXPECTED = "a date: 2020-04-03, 03.04.2020 or a date of the spreadsheet"


def with_times(
    table: pd.DataFrame, ends: list[str], since: str, unit: str, where: str
) -> tuple[pd.DataFrame, list[str]]:
    """The table with the columns `ends` (dates) as times since the date in column `since`.

    Parameters
    ----------
    table
        Rows with their numbers as index.
    ends, since
        Columns of dates.
    unit
        ``days``, ``weeks``, ``months`` (365.25 / 12 days) or ``years`` (365.25 days).
    where
        What messages call the table.

    Returns
    -------
    table : pandas.DataFrame
        Times in place of the dates of `ends`, nan where a date is empty.
    notes : list of str
        What was computed.

    Raises
    ------
    InvalidInput
        A column that is missing, cells that are no dates, dates before `since`, or an unknown unit.
    """
    import pandas as pd

    faults = [
        Fault(
            f"{where}: column {name}", f"no such column (there are: {likely(name, table.columns)})", "a column of dates"
        )
        for name in [since, *ends]
        if name not in table.columns
    ]
    if unit not in DAYS:
        faults.append(
            Fault(f"{where}: unit", f"'{unit}'", f"one of {', '.join(DAYS)}, as times are computed from dates")
        )
    if faults:
        raise InvalidInput(faults)
    read = {name: _dates(table[name], name, where, faults) for name in [since, *ends]}
    times = {}
    for name in ends:
        days = [
            (end - start).days if end is not None and start is not None else None
            for start, end in zip(read[since], read[name], strict=True)
        ]
        faults += [
            Fault(at(where, row, name), f"{-n} days before {since}", f"a date from that of {since} on")
            for row, n in zip(table.index, days, strict=True)
            if n is not None and n < 0
        ]
        times[name] = pd.Series(days, index=table.index, dtype=float) / DAYS[unit]
    if faults:
        raise InvalidInput(faults)
    return table.assign(**times), [f"times are {unit} from {since} to {' and '.join(ends)}"]


def _dates(cells: pd.Series, name: str, where: str, faults: list[Fault]) -> list[datetime.date | None]:
    """The dates of a column; None where a cell is empty. Faults are added to `faults`."""
    texts = [cell.date().isoformat() if isinstance(cell, datetime.datetime) else as_text(cell) for cell in cells]
    order, found = _order(texts), list[datetime.date | None]()
    for row, text in zip(cells.index, texts, strict=True):
        date = None if text.lower() in EMPTY else _date(text, order or "dmy")
        if date is None and text.lower() not in EMPTY:
            faults.append(Fault(at(where, row, name), f"'{text}'", EXPECTED))
        found.append(date)
    slashes = next(
        ((row, text) for row, text in zip(cells.index, texts, strict=True) if _SLASHES.fullmatch(text)), None
    )
    if order is None and slashes is not None:
        expected = "dates with one reading, such as 2020-04-03 (no day of the column is above 12)"
        faults.append(Fault(at(where, slashes[0], name), f"'{slashes[1]}', day or month first", expected))
    return found


def _order(texts: list[str]) -> str | None:
    """Whether dates with slashes have the day or the month first; None where none settles it."""
    found = [match for text in texts if (match := _SLASHES.fullmatch(text))]
    day, month = (any(int(match[k]) > 12 for match in found) for k in (1, 2))
    return "dmy" if day and not month else "mdy" if month and not day else None


def _date(text: str, order: str) -> datetime.date | None:
    try:
        if match := _ISO.fullmatch(text):
            return datetime.date(int(match[1]), int(match[2]), int(match[3]))
        if match := _POINTS.fullmatch(text):
            return datetime.date(int(match[3]), int(match[2]), int(match[1]))
        if match := _SLASHES.fullmatch(text):
            day, month = (match[1], match[2]) if order == "dmy" else (match[2], match[1])
            return datetime.date(int(match[3]), int(month), int(day))
    except ValueError:
        return None
    return None
