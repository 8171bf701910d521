"""Patients from a table of the bench: times, events, strata, and the covariates that a model is adjusted for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.kaplan_meier import Flags, Floats, Labels
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import EMPTY, FLAGS, Column, as_number, as_text, check, likely

if TYPE_CHECKING:
    import pandas as pd

MAX_GROUPS = 12


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
class Covariate:
    """A column: numbers (nan = empty), or names (empty = "") of which the first level is the reference."""

    name: str
    values: pd.Series
    numeric: bool

    def present(self) -> Flags:
        filled: Flags = (self.values.notna() if self.numeric else self.values != "").to_numpy()
        return filled

    def levels(self, rows: Flags) -> list[str]:
        return in_order(set(self.values[rows]))

    def columns(self, rows: Flags) -> tuple[Floats, list[str]]:
        """Its columns in a model of these patients, and what a hazard ratio of each is of."""
        if self.numeric:
            return self.values[rows].to_numpy(dtype=float)[:, None], [self.name]
        levels = self.levels(rows)
        if len(levels) < 2:  # a column that tells nothing, which models refuse by name
            return np.zeros((int(rows.sum()), 1)), [self.name]
        return indicators(self.values[rows], levels), [f"{self.name}: {x} against {levels[0]}" for x in levels[1:]]


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


def indicators(labels: pd.Series, levels: Sequence[str]) -> Floats:
    """A column for every level but the first."""
    return np.column_stack([(labels == level).to_numpy(dtype=float) for level in levels[1:]])


def in_order(names: set[str]) -> list[str]:
    """Names as a reader expects them: by number where all are numbers, else by letter."""
    numbers = {name: as_number(name) for name in names}
    whole = all(value == value for value in numbers.values())
    return sorted(names, key=lambda name: (numbers[name] if whole else 0.0, name))


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


def event_column(table: pd.DataFrame, event: str, where: str) -> tuple[str, str | None]:
    """The column, and the value that means the event where it was given as COLUMN=VALUE.

    InvalidInput: a column that holds other words than yes and no throughout, none of which was named.
    """
    names = [str(name) for name in table.columns if event.startswith(f"{name}=")]
    if event in table.columns or not names:
        if list(table.columns).count(event) == 1:
            words = [word for word in map(as_text, table[event]) if word.lower() not in EMPTY]
            others = [word for word in words if word.lower() not in FLAGS]
            if len(others) > max(2, len(words) / 3):
                found = ", ".join(f"'{word}'" for word in list(dict.fromkeys(others))[:3])
                expected = f"yes and no, or a value that means yes, as {event}={others[0]}"
                raise InvalidInput([Fault(f"{where}: column {event}", f"{found} in {len(others)} rows", expected)])
        return event, None
    name = max(names, key=len)
    return name, event[len(name) + 1 :].strip()


def refuse_two_roles(given: Sequence[str | None], where: str) -> None:
    names = [name for name in given if name is not None]
    twice = dict.fromkeys(name for name in names if names.count(name) > 1)
    if twice:
        raise InvalidInput([Fault(f"{where}: options", f"column {name} in two roles", "one") for name in twice])


def is_numeric(cells: pd.Series) -> bool:
    """Are most of the filled cells numbers? Then the others are slips of the pen, and faults."""
    words = [word for word in map(as_text, cells) if word.lower() not in EMPTY]
    return sum(as_number(word) == as_number(word) for word in words) > len(words) / 2


def covariate(name: str, values: pd.Series, numeric: bool, where: str) -> Covariate:
    if numeric:
        return Covariate(name, values, True)
    values = values.where(~values.str.lower().isin(EMPTY), "")
    levels = set(values) - {""}
    if len(levels) > MAX_GROUPS:
        shown = ", ".join(f"'{level}'" for level in in_order(levels)[:3])
        found = f"{len(levels)} different names ({shown}, ...)"
        raise InvalidInput([Fault(f"{where}: column {name}", found, f"at most {MAX_GROUPS} groups, or numbers")])
    return Covariate(name, values, False)


def check_group(group: Covariate, rows: Flags, control: str | None, where: str) -> list[str]:
    """The groups, the control first; InvalidInput where there are not two, or no such control."""
    levels = group.levels(rows)
    place = f"{where}: column {group.name}"
    if len(levels) < 2:
        raise InvalidInput([Fault(place, f"only the group {levels[0]}" if levels else "no group", "two groups")])
    if control is None:
        return levels
    if control not in levels:
        raise InvalidInput([Fault(f"{where}: control", f"'{control}'", f"a group: {', '.join(levels)}")])
    return [control, *(level for level in levels if level != control)]
