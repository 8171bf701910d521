"""Joining two tables and excluding rows; rows that are dropped are counted."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING

from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import Column, as_number, as_text, check, likely

if TYPE_CHECKING:
    import pandas as pd


def join(
    table: pd.DataFrame, other: pd.DataFrame, on: str, *, where: str = "table", where_other: str = "joined table"
) -> tuple[pd.DataFrame, list[str]]:
    """Join two tables one to one by the names in a column.

    Parameters
    ----------
    table, other
        The tables.
    on
        A column of both. Spaces around a name and the decimals of a whole number do not matter (3 is 3.0).
    where, where_other
        What messages call the tables.

    Returns
    -------
    joined : pandas.DataFrame
        The rows of `table` that have a partner in `other`, with the columns of both. They keep their index.
    notes : list of str
        How many rows of each table have no partner.

    Raises
    ------
    InvalidInput
        A name is empty or occurs twice in a table, the tables have no common name, or a column of both tables differs
        in a joined row.

    Examples
    --------
    >>> import pandas as pd
    >>> clinic = pd.DataFrame({"patient": ["a", "b", "c"], "age": [61, 48, 55]})
    >>> both, notes = join(clinic, pd.DataFrame({"patient": ["c", "a"], "miR-34c": [0, 7]}), "patient")
    >>> both["miR-34c"].to_list(), notes
    ([7, 0], ['1 of 3 rows of table has no partner in joined table by patient and is left out'])
    """
    import pandas as pd

    keys = [
        check(frame, [Column(on, "text")], where=name, key=[on])[on]
        for frame, name in ((table, where), (other, where_other))
    ]
    common = set(keys[0]) & set(keys[1])
    if not common:
        example = [", ".join(f"'{key}'" for key in list(names)[:2]) for names in keys]
        where_both = f"{where} and {where_other}, column {on}"
        raise InvalidInput(
            [Fault(where_both, f"no common name ({example[0]}; {example[1]})", "the same names in both")]
        )
    left, right = (
        frame[found.isin(common).to_numpy()].set_axis(found[found.isin(common)], axis=0)
        for frame, found in zip((table, other), keys, strict=True)
    )
    right = right.loc[left.index].drop(columns=on)
    shared = [name for name in right.columns if name in left.columns]
    contradicted = [name for name in shared if left[name].map(as_text).ne(right[name].map(as_text)).any()]
    if contradicted:
        faults = [
            Fault(f"{where} and {where_other}: column {name}", "different values for the same row", "a name of its own")
            for name in contradicted
        ]
        raise InvalidInput(faults)
    both = pd.concat([left, right.drop(columns=shared)], axis=1)
    both.index = table.index[keys[0].isin(common).to_numpy()]
    notes = [
        f"{dropped} of {_rows(len(found))} of {name} {'has' if dropped == 1 else 'have'} no partner in {partner} by "
        f"{on} and {'is' if dropped == 1 else 'are'} left out"
        for found, name, partner in zip(keys, (where, where_other), (where_other, where), strict=True)
        if (dropped := len(found) - len(common))
    ]
    return both, notes


def exclude(table: pd.DataFrame, conditions: Sequence[str], *, where: str = "table") -> tuple[pd.DataFrame, list[str]]:
    """Remove the rows for which a condition holds.

    Parameters
    ----------
    table
        The table.
    conditions
        Texts COLUMN=VALUE, or COLUMN=VALUE|VALUE for several. Values are compared as text, or as numbers where both are
        (3 is 3.0); ``COLUMN=`` removes rows with an empty cell. A value that itself holds a bar is found first.
    where
        What messages call the table.

    Returns
    -------
    kept : pandas.DataFrame
        The other rows, with their index.
    notes : list of str
        How many rows each condition removed.

    Raises
    ------
    InvalidInput
        There is no such column, no row with the value, or no row left.

    Examples
    --------
    >>> import pandas as pd
    >>> kept, notes = exclude(pd.DataFrame({"FAB": ["M3", "M1", "M3"]}), ["FAB=M3"])
    >>> len(kept), notes
    (1, ['2 of 3 rows of table are left out: FAB = M3'])
    """
    import numpy as np

    faults, notes, kept = [], [], np.ones(len(table), dtype=bool)
    for condition in conditions:
        names = [str(name) for name in table.columns if condition.startswith(f"{name}=")]
        name = max(names, key=len, default="")
        asked = condition[len(name) + 1 :].strip()
        if not names:
            columns = likely(condition.partition("=")[0], table.columns)
            faults.append(Fault(f"{where}: exclude", f"'{condition}'", f"COLUMN=VALUE of a column ({columns})"))
            continue
        if list(table.columns).count(name) > 1:
            faults.append(Fault(f"{where}: column {name}", "several of that name", "one"))
            continue
        cells = table[name].map(as_text)
        met = _met(cells, asked)
        several = [part.strip() for part in asked.split("|")] if not met.any() else [asked]
        found = {part: _met(cells, part) for part in several}
        if all(one.any() for one in found.values()):
            met = functools.reduce(operator.or_, found.values())
            verb = "is" if met.sum() == 1 else "are"
            notes.append(
                f"{met.sum()} of {_rows(len(table))} of {where} {verb} left out: "
                f"{name} = {' or '.join(part or 'empty' for part in several)}"
            )
        else:
            there = [f"'{value}'" for value in dict.fromkeys(cells)]
            faults += [
                Fault(f"{where}: exclude, column {name}", f"no row with '{part}'", f"one of {likely(part, there)}")
                for part, one in found.items()
                if not one.any()
            ]
        kept &= ~met.to_numpy()
    if not faults and len(table) and not kept.any():
        faults = [Fault(f"{where}: exclude", "no row left", "at least one")]
    if faults:
        raise InvalidInput(faults)
    return table[kept], notes


def _met(cells: pd.Series, value: str) -> pd.Series:
    """Which cells hold a value, as text or as the same number."""
    return (cells == value) | (cells.map(as_number) == as_number(value))


def _rows(n: int) -> str:
    return f"{n} row{'' if n == 1 else 's'}"
