"""Responses written as shares of the units: `4/6`, or `50%` of those tested."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from senexo.base.cells import as_number, as_text
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import at, numbered

if TYPE_CHECKING:
    import pandas as pd

_OF = re.compile(r"(\d+)\s*(?:/|of|von)\s*(\d+)")
_PERCENT = re.compile(r"(\d+(?:[.,]\d+)?)\s*%")


def counted(table: pd.DataFrame, tested: str, response: str, where: str) -> tuple[pd.DataFrame, list[str]]:
    """The table with its responses as numbers of units, and how they were read.

    `4/6` gives 4 responses of 6 tested, and is the column `tested` where the table has none; `50%` needs that column
    and must be a whole number of units within the rounding of its digits. InvalidInput names each contradiction.
    """
    if response not in table.columns or table.columns.duplicated().any():
        return table, []
    cells = [as_text(cell) for cell in table[response]]
    of, percent = [_OF.fullmatch(cell) for cell in cells], [_PERCENT.fullmatch(cell) for cell in cells]
    if not any(of) and not any(percent):
        return table, []
    table = numbered(table)
    units = [as_text(cell) for cell in table[tested]] if tested in table.columns else [m[2] if m else "" for m in of]
    faults, counts, said = list[Fault](), list[Any](), dict[str, str]()
    for row, cell, n, fraction, share in zip(table.index, cells, units, of, percent, strict=True):
        if fraction is not None and as_number(n) != float(fraction[2]):
            faults.append(Fault(at(where, row, response), f"'{cell}' where {tested} is {n or 'empty'}", f"'/{n}'"))
        elif fraction is not None:
            counts.append(fraction[1])
            said.setdefault("/", f"'{cell}' is {fraction[1]} of {fraction[2]}")
        elif share is not None:
            found = _units_of(share[1], as_number(n))
            expected = f"a share that is a whole number of the {n or '(unknown)'} units {tested}"
            faults += [Fault(at(where, row, response), f"'{cell}'", expected)] if found is None else []
            counts.append(found)
            said.setdefault("%", f"'{cell}' of {n} is {found}")
        else:
            counts.append(cell)
    if faults:
        raise InvalidInput(faults)
    return table.assign(**{tested: units, response: counts}), [f"{response}: {'; '.join(said.values())}"]


def _units_of(percent: str, n: float) -> int | None:
    """How many of n units a percentage is; None where no whole number rounds to it."""
    if not n > 0:
        return None
    share = float(percent.replace(",", "."))
    digits = len(re.split("[.,]", percent)[1]) if re.search("[.,]", percent) else 0
    count = round(share * n / 100.0)
    return count if abs(100.0 * count / n - share) <= 0.5 * 10.0**-digits + 1e-9 else None
