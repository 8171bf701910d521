"""Names of samples such as `mock d1` as arm and donor."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from senexo.base.cells import as_text
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd

_BETWEEN = (r"\s*[_|;/]\s*", r"\s+", r"\s*-\s*")  # what separates the parts of a name, the surest first


def parts(names: pd.Series, n: int) -> list[pd.Series] | None:
    """The n parts of every name, where one separator parts all of them so; None where none does."""
    filled = names[names != ""]
    for between in _BETWEEN:
        split = filled.map(functools.partial(re.split, between))
        if len(split) and (split.map(len) == n).all() and split.map(all).all():
            return [split.str[k].reindex(names.index, fill_value="") for k in range(n)]
    return None


def _crossed(split: list[pd.Series], filled: pd.Series) -> bool:
    """Whether arms or donors come back: names that are all different in both parts are no arms and donors."""
    n = filled.nunique()
    return n == 1 or any(part[filled.index].nunique() < n for part in split)


def with_arms(frame: pd.DataFrame, where: str) -> tuple[pd.DataFrame, list[str]]:
    """Arm and donor from the column sample, where the table has neither; what was taken for what."""
    if "sample" not in frame.columns or {"arm", "donor"} & set(frame.columns):
        return frame, []
    names = frame["sample"].map(as_text)
    filled = names[names != ""]
    if filled.empty:
        return frame, []
    split = parts(names, 2)
    if split is None or not _crossed(split, filled):
        shown = ", ".join(f"'{name}'" for name in list(dict.fromkeys(filled))[:3])
        expected = (
            "names 'ARM DONOR' (mock d1), or a second table with the arm and donor of each: --join PLAN --on sample"
        )
        raise InvalidInput([Fault(f"{where}: column sample", f"names such as {shown}", expected)])
    first = filled.index[0]
    note = f"sample '{names[first]}' as arm {split[0][first]}, donor {split[1][first]}, and so on"
    return frame.assign(arm=split[0], donor=split[1]), [note]
