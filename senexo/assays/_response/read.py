"""Who responded: patients from a table of the bench, with the covariates that a model is adjusted for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from senexo.assays.patients.columns import Covariate, covariate, is_numeric, refuse_two_roles
from senexo.assays.patients.outcome import asked_outcome, decide, unknown_words
from senexo.assays.patients.repeats import refuse_repeats
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import Column, check

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


@dataclass(frozen=True, slots=True)
class Roles:
    """Which column is what; `response` may also be COLUMN=VALUE|VALUE; unknown: words for not known."""

    response: str
    group: str | None = None
    adjust: Sequence[str] = ()
    patient: str | None = None
    unknown: str | Sequence[str] = ()


def read(table: pd.DataFrame, roles: Roles, where: str) -> Responders:
    """The patients whose response is known; rows without one are counted and left out.

    InvalidInput lists every fault: columns that are missing or have two roles, cells that are neither yes nor no, a
    covariate with too many names, a patient twice, and a table in which every patient or no patient responded.
    """
    asked = asked_outcome(table, roles.response, "response", where)
    others = [roles.group, roles.patient, *roles.adjust]
    refuse_two_roles([asked.column, *others], where)
    unknown = unknown_words(table, roles.unknown, [asked.column], where)
    used = [asked.column, *(name for name in others if name is not None)]
    refuse_repeats(table, used=used, patient=roles.patient, where=where)
    kinds = {one: is_numeric(table[one]) for one in roles.adjust if list(table.columns).count(one) == 1}
    columns = [
        asked.check(unknown),
        *([Column(roles.group, "text", may_be_empty=True)] if roles.group is not None else []),
        *(Column(one, "number" if kinds.get(one) else "text", may_be_empty=True) for one in roles.adjust),
        *([Column(roles.patient, "text")] if roles.patient is not None else []),
    ]
    rows = check(table, columns, where=where, key=[roles.patient] if roles.patient is not None else [])
    outcome = decide(table, rows, asked, unknown, where)
    known, notes = outcome.known, list(outcome.notes)
    if not known.all():
        n = int((~known).sum())
        notes.append(f"{n} of {len(known)} rows {'is' if n == 1 else 'are'} left out: no {asked.column}")
    rows, responded = rows[known], outcome.happened[known].astype(np.int64)
    if not len(rows) or responded.min() == responded.max():
        found = "no row with a response" if not len(rows) else "every patient" if responded.all() else "no patient"
        found += " responded" if len(rows) else ""
        expected = "patients who did and patients who did not"
        raise InvalidInput([Fault(f"{where}: column {asked.column}", found, expected)])
    return Responders(
        rows.index, responded,
        None if roles.group is None else covariate(roles.group, rows[roles.group], False, where),
        tuple(covariate(one, rows[one], kinds[one], where) for one in roles.adjust),
        tuple(notes),
    )  # fmt: skip
