"""Tables of PEtab 2 that version 1 does not have: conditions in rows, experiments, names of the model."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite
from pathlib import Path

from senexo.base.errors import Fault
from senexo.fitting.formulas import FormulaError, read_formula
from senexo.fitting.petab.sheet import Row, is_id, near, read_sheet
from senexo.fitting.problem import Condition, Period, Schedule, Value

_CONDITION = ("conditionId", "targetId", "targetValue")
_EXPERIMENT = ("experimentId", "time", "conditionId")
AS_IT_IS = ""  # id of the experiment that changes nothing


def read_condition_rows(path: Path, faults: list[Fault]) -> tuple[tuple[Condition, ...], dict[tuple[str, str], Row]]:
    """The conditions, and the row of each target of each, for messages."""
    sheet = read_sheet(path, faults, needed=_CONDITION, known=(*_CONDITION, "conditionName"))
    if not set(_CONDITION) <= set(sheet.columns):
        return (), {}
    values: dict[str, dict[str, Value]] = {}
    rows: dict[tuple[str, str], Row] = {}
    for row in sheet.rows:
        id, target = row.raw("conditionId"), row.raw("targetId")
        for column, text in (("conditionId", id), ("targetId", target)):
            if not is_id(text):
                sheet.fault(row, column, "letters, digits and _, beginning with a letter")
        if (id, target) in rows:
            sheet.fault(row, "targetId", f"a target once in a condition; it is in row {rows[id, target].number} too")
        rows[id, target] = row
        try:
            values.setdefault(id, {})[target] = read_formula(row.raw("targetValue"))
        except FormulaError as error:
            found = f"{error.found} at character {error.at} of {row.raw('targetValue')[:60]!r}"
            sheet.fault(row, "targetValue", error.expected, found)
    return tuple(Condition(id, found) for id, found in values.items()), rows


def read_schedules(
    path: Path, conditions: Mapping[str, Condition], faults: list[Fault]
) -> tuple[tuple[Schedule, ...], dict[str, Row]]:
    """The experiments, and a row of each, for messages."""
    sheet = read_sheet(path, faults, needed=_EXPERIMENT, known=(*_EXPERIMENT, "experimentName"))
    if not set(_EXPERIMENT) <= set(sheet.columns):
        return (), {}
    found: dict[str, dict[float, dict[str, Row]]] = {}
    rows: dict[str, Row] = {}
    for row in sheet.rows:
        id, condition = row.raw("experimentId"), row.text("conditionId")
        if not is_id(id):
            sheet.fault(row, "experimentId", "letters, digits and _, beginning with a letter")
        if condition and condition not in conditions:
            sheet.fault(row, "conditionId", near(condition, conditions, "an id of the condition table, or nothing"))
        time = _time(row)
        if time is None:
            continue
        rows.setdefault(id, row)
        here = found.setdefault(id, {}).setdefault(time, {})
        for other in here:
            twice = set(conditions[other].values if other in conditions else ()) & set(
                conditions[condition].values if condition in conditions else ()
            )
            if other == condition or twice:
                sheet.fault(row, "conditionId", f"conditions of one time with targets of their own ({other}, too)")
        if condition:
            here[condition] = row
    schedules = []
    for id, periods in found.items():
        ordered = tuple(Period(time, tuple(periods[time])) for time in sorted(periods))
        schedules.append(Schedule(id, ordered))
    return tuple(schedules), rows


def _time(row: Row) -> float | None:
    try:
        time = float(row.raw("time"))
    except ValueError:
        time = inf
    if not isfinite(time) and time != -inf:
        row.sheet.fault(row, "time", "a number, or -inf for the steady state before the start")
        return None
    return time


def read_mapping(path: Path, faults: list[Fault]) -> tuple[dict[str, str], dict[str, Row]]:
    """Name in the tables -> id of the model, of rows that have one, and the row of each."""
    names = ("petabEntityId", "modelEntityId")
    sheet = read_sheet(path, faults, needed=names, known=(*names, "name"))
    found: dict[str, str] = {}
    rows: dict[str, Row] = {}
    for row in sheet.rows if set(names) <= set(sheet.columns) else ():
        name = row.raw("petabEntityId")
        if not is_id(name) or name in found:
            sheet.fault(row, "petabEntityId", "letters, digits and _, beginning with a letter, an id once")
        elif row.text("modelEntityId"):
            found[name], rows[name] = row.raw("modelEntityId"), row
    return found, rows
