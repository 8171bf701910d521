"""Words in a column of threshold cycles: undetected, or no reading at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from senexo.assays._qpcr.spec import UNDETECTED
from senexo.base.cells import EMPTY, as_number, as_text
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import numbered

if TYPE_CHECKING:
    import pandas as pd

FOR_EMPTY = "empty"  # in the option `undetected`: an empty cell, and the words for one


def with_readings(table: pd.DataFrame, undetected: str | None, where: str) -> tuple[pd.DataFrame, list[str]]:
    """The wells with a reading, every word for undetected in column ct as `undetected`; and how many have none.

    A well without a reading tells nothing, an undetected one that there is less than the cut-off shows. A table with a
    column `detected` says which is which, and is left as it is but for the words.
    """
    if "ct" not in table.columns or table.empty or table.columns.duplicated().any():
        return table, []
    table = numbered(table)
    cells = table["ct"].map(as_text)
    empty = cells.str.lower().isin(EMPTY)
    asked = [] if undetected is None else [word.strip() for word in undetected.split("|")]
    missed = cells.str.lower().isin(UNDETECTED)
    for word in asked:
        meant = empty if word.lower() in (FOR_EMPTY, *EMPTY) else cells.str.lower() == word.lower()
        missed |= meant | (cells.map(as_number) == as_number(word))
    ct = table["ct"].astype(object).where(~missed, UNDETECTED[0])
    if "detected" in table.columns:
        return table.assign(ct=ct), []
    none = empty & ~missed
    if len(table) and none.all():
        found = f"{len(table)} empty cells and no reading"
        expected = f"Ct values, `{UNDETECTED[0]}`, or undetected={FOR_EMPTY} where an empty cell means that"
        raise InvalidInput([Fault(f"{where}: column ct", found, expected)])
    return table.assign(ct=ct)[~none], _note(table, none)


def asked_about_zero(error: InvalidInput) -> InvalidInput:
    """The same faults; those of a Ct of 0 say how to call it undetected."""
    how = "or undetected=0 (--undetected 0), where an instrument writes 0 for undetected"
    return InvalidInput([
        replace(fault, expected=f"{fault.expected}, {how}")
        if fault.found == "'0'" and fault.where.endswith("column ct") else fault
        for fault in error.faults
    ])  # fmt: skip


def _note(table: pd.DataFrame, none: pd.Series) -> list[str]:
    n = int(none.sum())
    if not n:
        return []
    wells, are = ("well", "is") if n == 1 else ("wells", "are")
    which = ""
    if "target" in table.columns:
        counts = table.loc[none, "target"].map(as_text).value_counts(sort=False)
        which = f" ({', '.join(f'{target} {k}' for target, k in counts.items())})"
    return [
        f"{n} {wells} without a reading (empty or NA){which} {are} left out; if that means undetected: "
        f"--undetected {FOR_EMPTY}"
    ]
