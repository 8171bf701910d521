"""Who responded: patients from a table of the bench, with the covariates that a model is adjusted for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from senexo.assays.patients.columns import Covariate, covariate, event_column, is_numeric, refuse_two_roles
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import EMPTY, Column, as_text, check, likely

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Responders:
    """One row per patient whose response is known; `index` is that of the table, `response` 1 or 0."""

    index: pd.Index
    response: NDArray[np.int64]
    group: Covariate | None
    adjust: tuple[Covariate, ...]
    notes: tuple[str, ...]


def read(
    table: pd.DataFrame, response: str, group: str | None, adjust: Sequence[str], patient: str | None, where: str
) -> Responders:
    """The patients whose response is known; rows without one are counted and left out.

    response: a column of yes and no, or COLUMN=VALUE, or COLUMN=VALUE|VALUE. InvalidInput lists every fault: columns
    that are missing or have two roles, cells that are neither yes nor no, a covariate with too many names, a patient
    twice, and a table in which everybody or nobody responded.
    """
    name, wanted = event_column(table, response, where)
    refuse_two_roles([name, group, patient, *adjust], where)
    kinds = {one: is_numeric(table[one]) for one in adjust if list(table.columns).count(one) == 1}
    columns = [
        Column(name, "text" if wanted is not None else "flag", may_be_empty=True),
        *([Column(group, "text", may_be_empty=True)] if group is not None else []),
        *(Column(one, "number" if kinds.get(one) else "text", may_be_empty=True) for one in adjust),
        *([Column(patient, "text")] if patient is not None else []),
    ]
    rows = check(table, columns, where=where, key=[patient] if patient is not None else [])
    words = table[name].map(as_text).set_axis(rows.index)
    known = ~words.str.lower().isin(EMPTY)
    yes = rows[name]
    if wanted is not None:
        values = [value.strip() for value in wanted.split("|")]
        faults = [
            Fault(f"{where}: response", f"no row with '{value}' in column {name}", f"one of {likely(value, seen)}")
            for value in values
            if value not in (seen := list(words[known].unique()))
        ]
        if faults:
            raise InvalidInput(faults)
        yes = words.isin(values)
    notes = []
    if not known.all():
        n = int((~known).sum())
        notes.append(f"{n} of {len(known)} rows {'is' if n == 1 else 'are'} left out: no {name}")
    rows, responded = rows[known], yes[known].to_numpy(dtype=bool).astype(np.int64)
    if not len(rows) or responded.min() == responded.max():
        found = "no row with a response" if not len(rows) else "everybody" if responded.all() else "nobody"
        found += " responded" if len(rows) else ""
        raise InvalidInput([Fault(f"{where}: column {name}", found, "patients who did and patients who did not")])
    return Responders(
        rows.index, responded,
        None if group is None else covariate(group, rows[group], False, where),
        tuple(covariate(one, rows[one], kinds[one], where) for one in adjust),
        tuple(notes),
    )  # fmt: skip
