"""Wells of a qPCR export as rows of `qpcr`: omitted wells, controls and standards apart, words for undetected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from senexo.assays._qpcr.spec import UNDETECTED
from senexo.base.cells import as_number, as_text

if TYPE_CHECKING:
    import pandas as pd

NO_TEMPLATE = ("ntc", "neg ctrl", "negative control", "no template control")
NO_TRANSCRIPTASE = ("nrt", "nac", "no rt")
STANDARD = ("standard", "std")
_YES = ("true", "yes", "1")


def tidy(frame: pd.DataFrame, undetected: tuple[str, ...]) -> tuple[pd.DataFrame, list[str]]:
    """Wells with the columns sample, target, ct, replicate (the well) and, where there are any, quantity.

    frame: text columns well, sample, target, ct, task and where the export has them omit, quantity. undetected: words
    of this instrument for a well without a signal, in small letters.
    """
    notes: list[str] = []
    cells = frame.map(as_text)
    cells = cells[(cells["target"] != "") & (cells["ct"].ne("") | cells["sample"].ne("") | cells["task"].ne(""))]
    task = cells["task"].str.lower()
    omitted = cells["omit"].str.lower().isin(_YES) if "omit" in cells else task.isin(())
    without_rt = task.str.startswith(NO_TRANSCRIPTASE) & ~omitted
    notes += _counted(omitted, "marked as omitted") + _counted(without_rt, "without reverse transcriptase")
    cells, task = cells[~omitted & ~without_rt], task[~omitted & ~without_rt]
    standard, blank = task.str.startswith(STANDARD), task.str.startswith(NO_TEMPLATE)
    ct = frame.loc[cells.index, "ct"].where(~cells["ct"].str.lower().isin(undetected), UNDETECTED[0])
    wells = cells[["sample", "target"]].assign(ct=ct, replicate=cells["well"])
    quantity = frame.loc[cells.index, "quantity"] if "quantity" in frame else wells["sample"].map(lambda _: "")
    unquantified = standard & (quantity.map(as_text).map(as_number) != quantity.map(as_text).map(as_number))
    notes += _counted(unquantified, "of a dilution series without a quantity")
    quantity = quantity.where(standard, "").where(~blank, "0")
    if blank.any() or standard.any():
        wells = wells.assign(quantity=quantity, sample=wells["sample"].where(~(blank | standard), ""))
    notes += [f"{int(blank.sum())} no-template controls are kept apart"] if blank.any() else []
    return wells[~unquantified], notes


def _counted(which: pd.Series, what: str) -> list[str]:
    n = int(which.sum())
    return [f"{n} well{'s' if n > 1 else ''} {what} left out"] if n else []
