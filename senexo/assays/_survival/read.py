"""Patients from a table of the bench: times, events, strata, and the covariates that a model is adjusted for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from senexo.assays.patients.columns import Covariate, covariate, event_column, is_numeric, refuse_two_roles
from senexo.assays.stats.kaplan_meier import Flags, Floats, Labels
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import EMPTY, Column, as_text, check, likely

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Roles:
    """Which column is what; `event` may also be COLUMN=VALUE."""

    time: str
    event: str
    group: str | None
    adjust: Sequence[str]
    strata: Sequence[str]
    patient: str | None


@dataclass(frozen=True, slots=True)
class Cohort:
    """One row per patient with a time and an event; `index` is that of the table."""

    index: pd.Index
    time: Floats
    event: Flags
    stratum: Labels
    group: Covariate | None
    adjust: tuple[Covariate, ...]
    notes: tuple[str, ...]


def read(table: pd.DataFrame, roles: Roles, where: str) -> Cohort:
    """The patients that can be followed; rows without a time or an event are counted and left out.

    InvalidInput lists every fault: columns that are missing or have two roles, cells that are no times, events or
    numbers, a covariate with too many names, a patient twice, nobody left, no event.
    """
    others = [roles.time, roles.group, roles.patient, *roles.adjust, *roles.strata]
    refuse_two_roles([roles.event, *others], where)
    event, wanted = event_column(table, roles.event, where)
    refuse_two_roles([event, *others], where)
    kinds = {name: is_numeric(table[name]) for name in roles.adjust if list(table.columns).count(name) == 1}
    columns = [
        Column(roles.time, "number", may_be_empty=True, low=0),
        Column(event, "text" if wanted is not None else "flag", may_be_empty=True),
        *(Column(name, "text", may_be_empty=True) for name in (roles.group, *roles.strata) if name is not None),
        *(Column(name, "number" if kinds.get(name) else "text", may_be_empty=True) for name in roles.adjust),
        *([Column(roles.patient, "text")] if roles.patient is not None else []),
    ]
    rows = check(table, columns, where=where, key=[roles.patient] if roles.patient is not None else [])
    words = table[event].map(as_text).set_axis(rows.index)
    unknown = words.str.lower().isin(EMPTY)
    if wanted is not None and not (words == wanted).any():
        found = f"no row with '{wanted}' in column {event}"
        raise InvalidInput([Fault(f"{where}: event", found, f"one of {likely(wanted, words.unique())}")])
    happened = (words == wanted) if wanted is not None else rows[event]
    followed, notes = _followed(rows, roles, unknown.to_numpy(), happened.to_numpy(dtype=bool), where)
    rows, happened = rows[followed], happened[followed]
    for name in roles.strata:
        empty = rows[name].str.lower().isin(EMPTY).to_numpy()
        if empty.all() and empty.size:
            raise InvalidInput([Fault(f"{where}: column {name}", "nobody with a stratum", "a name in some rows")])
        if empty.any():
            notes.append(f"{_count(empty)} left out: no {name}")
            rows, happened = rows[~empty], happened[~empty]
    if rows.empty or not happened.any():
        found = f"no row with a time in column {roles.time} and yes or no in column {event}"
        nobody = Fault(where, found, "at least one, its time above 0")
        raise InvalidInput([nobody if rows.empty else Fault(f"{where}: column {event}", "no event", "at least one")])
    stratum = np.zeros(len(rows), dtype=np.int64)
    if roles.strata:
        stratum = rows.groupby(list(roles.strata)).ngroup().to_numpy().astype(np.int64)
    adjust = tuple(covariate(name, rows[name], kinds[name], where) for name in roles.adjust)
    group = None if roles.group is None else covariate(roles.group, rows[roles.group], False, where)
    return Cohort(
        rows.index, rows[roles.time].to_numpy(dtype=float), happened.to_numpy(dtype=bool), stratum, group, adjust,
        tuple(notes),
    )  # fmt: skip


def _followed(
    rows: pd.DataFrame, roles: Roles, unknown: Flags, happened: Flags, where: str
) -> tuple[NDArray[np.bool_], list[str]]:
    """Who has a time above 0 and an event, and what to say of the others."""
    time = rows[roles.time].to_numpy(dtype=float)
    missing, zero = np.isnan(time) | unknown, time == 0.0
    notes = []
    if missing.any():
        notes.append(f"{_count(missing)} left out: no time or no event")
    zero &= ~missing
    if zero.any():
        died = int(happened[zero].sum())
        notes.append(
            f"{_count(zero)} left out: time 0, {died} of them with the event (to keep early deaths, give them the time "
            f"that passed, half a day)"
        )
    kept = ~missing & ~zero
    if len(rows.columns) > 3 and (copies := int(rows.duplicated().sum())):
        notes.append(f"{copies} rows say the same as an earlier row in all columns used: the same patient twice?")
    return kept, notes


def _count(which: Flags) -> str:
    n = int(which.sum())
    return f"{n} of {len(which)} rows {'is' if n == 1 else 'are'}"
