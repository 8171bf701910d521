"""Patients from a table of the bench: times, entries, events, strata, and the covariates of an adjusted model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from senexo.assays.patients.columns import Covariate, covariate, is_numeric, refuse_two_roles
from senexo.assays.patients.outcome import Asked, Outcome, asked_outcome, decide, precluded, unknown_words
from senexo.assays.patients.repeats import entry_column, refuse_repeats
from senexo.assays.stats.kaplan_meier import Flags, Floats, Labels
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import EMPTY, Column, at, check

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Roles:
    """Which column is what; `event` and `competing` may also be COLUMN=VALUE; unknown: words for not known."""

    time: str
    event: str
    group: str | None
    adjust: Sequence[str]
    strata: Sequence[str]
    patient: str | None
    entry: str | None = None
    competing: str | None = None
    unknown: str | Sequence[str] = ()

    @property
    def others(self) -> list[str | None]:
        """The columns that are neither an event nor a level."""
        return [self.time, self.entry, self.group, self.patient, *self.adjust, *self.strata]


@dataclass(frozen=True, slots=True)
class Cohort:
    """One row per patient with a time and an event; `index` is that of the table.

    entry: when each came under observation, None where all did at time 0. competing: who had the competing event, None
    where none was named. outcomes: what sentences call event and competing event. strata: the names of strata,
    strata_of: the columns they are from.
    """

    index: pd.Index
    time: Floats
    entry: Floats | None
    event: Flags
    competing: Flags | None
    outcomes: tuple[str, ...]
    stratum: Labels
    strata: tuple[str, ...]
    strata_of: str
    group: Covariate | None
    adjust: tuple[Covariate, ...]
    notes: tuple[str, ...]


def read(table: pd.DataFrame, roles: Roles, where: str) -> Cohort:
    """The patients that can be followed; rows without a time or an event are counted and left out.

    InvalidInput lists every fault: columns that are missing or have two roles, cells that are no times, events or
    numbers, a covariate with too many names, a patient twice, no patient left, no event.
    """
    asked = _asked(table, roles, where)
    unknown = unknown_words(table, roles.unknown, [one.column for one in asked], where)
    used = [one.column for one in asked] + [name for name in roles.others if name is not None]
    refuse_repeats(table, used=used, patient=roles.patient, where=where)
    kinds = {name: is_numeric(table[name]) for name in roles.adjust if list(table.columns).count(name) == 1}
    columns = [
        Column(roles.time, "number", may_be_empty=True, low=0),
        *([Column(roles.entry, "number", may_be_empty=True, low=0)] if roles.entry is not None else []),
        *{one.column: one.check(unknown) for one in asked}.values(),
        *(Column(name, "text", may_be_empty=True) for name in (roles.group, *roles.strata) if name is not None),
        *(Column(name, "number" if kinds.get(name) else "text", may_be_empty=True) for name in roles.adjust),
        *([Column(roles.patient, "text")] if roles.patient is not None else []),
    ]
    key = [roles.patient] if roles.patient is not None else []
    rows = check(table, columns, where=where, key=key, rules=[_before_the_end(roles, where)])
    outcomes = [decide(table, rows, one, unknown, where) for one in asked]
    notes = [note for one in outcomes for note in one.notes]
    notes += entry_column(table, time=roles.time, entry=roles.entry, used=used[1:], where=where)
    happened, known, more = _first_event(outcomes)
    kept, followed = _followed(rows, roles, ~known, happened[0], where)
    stratified, strata_notes = _with_strata(rows[kept], roles, where)
    kept[kept] = stratified
    notes += [*more, *followed, *strata_notes]
    if not kept.any() or not happened[0][kept].any():
        found = f"no row with a time in column {roles.time} and yes or no in column {asked[0].column}"
        no_row = Fault(where, found, "at least one, its time above 0")
        no_event = Fault(f"{where}: column {asked[0].column}", "no event", "at least one")
        raise InvalidInput([no_event if kept.any() else no_row])
    if roles.competing is None:
        notes += precluded(table, outcomes[0], kept, used)
    rows = rows[kept]
    stratum, names = _strata(rows, roles)
    return Cohort(
        rows.index, rows[roles.time].to_numpy(float),
        None if roles.entry is None else rows[roles.entry].to_numpy(float),
        happened[0][kept], happened[1][kept] if len(happened) > 1 else None, tuple(one.label for one in asked),
        stratum, names, ", ".join(roles.strata),
        None if roles.group is None else covariate(roles.group, rows[roles.group], False, where),
        tuple(covariate(name, rows[name], kinds[name], where) for name in roles.adjust), tuple(notes),
    )  # fmt: skip


def _asked(table: pd.DataFrame, roles: Roles, where: str) -> list[Asked]:
    """The event and, where there is one, the competing event: two columns, or words of one."""
    refuse_two_roles([roles.event, *roles.others], where)
    event = asked_outcome(table, roles.event, "event", where)
    refuse_two_roles([event.column, *roles.others], where)
    if roles.competing is None:
        return [event]
    competing = asked_outcome(table, roles.competing, "competing", where)
    refuse_two_roles([competing.column, *roles.others], where)
    if competing.column == event.column and (
        not (event.words and competing.words) or set(event.words) & set(competing.words)
    ):
        found = f"'{roles.competing}' beside the event '{roles.event}'"
        raise InvalidInput([Fault(f"{where}: competing", found, "another column, or other words of the same column")])
    return [event, competing]


def _before_the_end(roles: Roles, where: str):  # type: ignore[no-untyped-def]
    """The rule that patients enter before their time ends."""

    def rule(rows: pd.DataFrame) -> list[Fault]:
        if roles.entry is None or roles.entry not in rows:
            return []
        late = rows.index[(rows[roles.entry] >= rows[roles.time]) & (rows[roles.time] > 0.0)]
        return [
            Fault(at(where, row, roles.entry), f"{rows.loc[row, roles.entry]:g}",
                  f"less than the {roles.time} of {rows.loc[row, roles.time]:g}") for row in late
        ]  # fmt: skip

    return rule


def _first_event(outcomes: Sequence[Outcome]) -> tuple[list[Flags], Flags, list[str]]:
    """Who had which event first, of whom it is known, and what to say of rows with both."""
    happened, known = [outcomes[0].happened], outcomes[0].known
    if len(outcomes) < 2:
        return happened, known, []
    other = outcomes[1]
    both = outcomes[0].happened & other.happened
    known = outcomes[0].happened | (known & other.known)
    first, second = outcomes[0].asked.label, other.asked.label
    n = int(both.sum())
    notes = [f"{n} rows have both {first} and {second}: taken as {first}, at the time given"] if n else []
    return [*happened, other.happened & ~both], known, notes


def _followed(
    rows: pd.DataFrame, roles: Roles, unknown: Flags, happened: Flags, where: str
) -> tuple[NDArray[np.bool_], list[str]]:
    """Who has a time above 0 and an event, and what to say of the others."""
    time = rows[roles.time].to_numpy(dtype=float)
    missing, zero = np.isnan(time) | unknown, time == 0.0
    notes = []
    if missing.any():
        notes.append(f"{_count(missing)} left out: no time or no event")
    if roles.entry is not None:
        no_entry = np.isnan(rows[roles.entry].to_numpy(dtype=float)) & ~missing
        if no_entry.any():
            notes.append(f"{_count(no_entry)} left out: no {roles.entry}")
        missing = missing | no_entry
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


def _with_strata(rows: pd.DataFrame, roles: Roles, where: str) -> tuple[Flags, list[str]]:
    """Which rows have a name in all columns of strata, and how many have none."""
    kept, notes = np.ones(len(rows), dtype=bool), []
    for name in roles.strata:
        empty = rows[name].str.lower().isin(EMPTY).to_numpy() & kept
        if empty.size and (empty == kept).all():
            raise InvalidInput([Fault(f"{where}: column {name}", "no patient with a stratum", "a name in some rows")])
        if empty.any():
            notes.append(f"{_count(empty[kept])} left out: no {name}")
            kept &= ~empty
    return kept, notes


def _strata(rows: pd.DataFrame, roles: Roles) -> tuple[Labels, tuple[str, ...]]:
    """The number of each patient's stratum, and the names of strata."""
    if not roles.strata:
        return np.zeros(len(rows), dtype=np.int64), ()
    groups = rows.groupby(list(roles.strata))
    names = [key if isinstance(key, tuple) else (key,) for key, _ in groups]
    return groups.ngroup().to_numpy().astype(np.int64), tuple(", ".join(map(str, name)) for name in names)


def _count(which: Flags) -> str:
    n = int(which.sum())
    return f"{n} of {len(which)} rows {'is' if n == 1 else 'are'}"
