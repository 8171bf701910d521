"""Rows of one patient: repeated events and start/stop intervals are not patients of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import EMPTY, as_number, as_text

if TYPE_CHECKING:
    import pandas as pd

_WHO = r"(patient|subject|participant|person|individual|pat|subj|usubjid|mrn|mouse|animal)"
_NAMES = re.compile(rf"(?i)^(id|{_WHO}|(case|{_WHO})[\s_.-]?(id|no|nr|num|number|code|key)|id[\s_.-]?{_WHO})$")
_ENTRY = re.compile(
    r"(?i)^(t_?start|t0|time_?0|(entry|enter|entered|start|begin|left_?trunc\w*|delay(ed)?(_entry)?)"
    r"([\s_.-]?(time|day|week|month|year)s?)?|(time|day|week|month|year)s?[\s_.-](entry|start|begin))$"
)
_FEW = 3  # rows that continue the one before, from which they are taken for intervals
_SHARE = 0.1  # of all rows that do
_LEAST_NAMES = 0.05  # names over rows; a column with fewer is a kind of patient, not a name


def refuse_repeats(table: pd.DataFrame, *, used: Sequence[str], patient: str | None, where: str) -> None:
    """InvalidInput where a column that names patients repeats a name; used: columns with another role.

    Where the call says which column names patients, that one is checked with the table.
    """
    if patient is not None:
        return
    faults = []
    for name in table.columns:
        if str(name) in used or not _NAMES.match(str(name)) or list(table.columns).count(name) > 1:
            continue
        cells = table[name].map(as_text)
        cells = cells[[cell.lower() not in EMPTY for cell in cells]]
        counts = cells.value_counts(sort=False)
        again = counts[counts > 1]
        if again.empty or len(counts) < max(2.0, _LEAST_NAMES * len(cells)):
            continue
        first = again.index[0]
        rows = " and ".join(str(int(row) + 2) for row in cells.index[cells == first][:2])
        found = f"'{first}' in rows {rows}, {len(again)} of {len(counts)} names in several rows"
        expected = (
            "one row per patient: repeated events, or intervals of one patient, are not patients of their own (keep "
            "one row of each; if the column names no patients, rename it or name the right one with patient)"
        )
        faults.append(Fault(f"{where}: column {name}", found, expected))
    if faults:
        raise InvalidInput(faults)


def entry_column(table: pd.DataFrame, *, time: str, entry: str | None, used: Sequence[str], where: str) -> list[str]:
    """What to say of columns that look like times of entry; InvalidInput where rows are intervals of one patient."""
    names = [entry] if entry is not None else [str(name) for name in table.columns if _ENTRY.match(str(name))]
    notes = []
    end = _numbers(table, time)
    for name in names:
        if (entry is None and name in used) or list(table.columns).count(name) != 1 or end is None:
            continue
        start = _numbers(table, name)
        if start is None:
            continue
        continued = int(np.count_nonzero((start[1:] == end[:-1]) & (start[1:] > 0.0)))
        if continued >= max(_FEW, _SHARE * len(end)):
            found = f"{continued} rows begin where the row before ends"
            expected = (
                "one row per patient: start/stop intervals of one patient are not analysed as patients of their own "
                "(keep first entry, last time and last event of each)"
            )
            raise InvalidInput([Fault(f"{where}: columns {name} and {time}", found, expected)])
        known = ~(np.isnan(start) | np.isnan(end))
        later = known & (start > 0.0)
        if entry is None and later.any() and (start[known] >= 0.0).all() and (start[known] <= end[known]).all():
            notes.append(
                f"column {name} looks like the time at which patients came under observation: {int(later.sum())} of "
                f"{len(end)} entered after time 0. They are analysed as followed from time 0, which is wrong if they "
                f"could not have died before (then: entry={name})"
            )
    return notes


def _numbers(table: pd.DataFrame, name: str) -> np.ndarray | None:
    """A column as numbers; None where it is none of numbers."""
    if list(table.columns).count(name) != 1:
        return None
    texts = [as_text(cell) for cell in table[name]]
    numbers = np.array([as_number(text) for text in texts])
    filled = sum(text.lower() not in EMPTY for text in texts)
    return numbers if filled and int(np.isfinite(numbers).sum()) == filled else None
