"""The measurement table of PEtab v1."""

from __future__ import annotations

from math import inf
from pathlib import Path

from senexo.base.errors import Fault
from senexo.fitting.petab.conditions import value_of
from senexo.fitting.petab.sheet import Row, Sheet, near, number, read_sheet
from senexo.fitting.problem import Condition, Measurement, Observable, Value

_NEEDED = ("observableId", "simulationConditionId", "measurement", "time")
_KNOWN = (*_NEEDED, "preequilibrationConditionId", "observableParameters", "noiseParameters", "datasetId",
          "replicateId")  # fmt: skip


def read_measurements(
    path: Path, observables: dict[str, Observable], conditions: dict[str, Condition], faults: list[Fault]
) -> tuple[tuple[Measurement, ...], dict[int, Row]]:
    """The measurements, and the rows they stand in, for messages."""
    sheet = read_sheet(path, faults, needed=_NEEDED, known=_KNOWN)
    if not set(_NEEDED) <= set(sheet.columns):
        return (), {}
    if not sheet.rows:
        faults.append(Fault(str(path), "no measurement", "at least one row below the header"))
    found = [_measurement(sheet, row, observables, conditions) for row in sheet.rows]
    return tuple(one for one in found if one is not None), {row.number: row for row in sheet.rows}


def _measurement(
    sheet: Sheet, row: Row, observables: dict[str, Observable], conditions: dict[str, Condition]
) -> Measurement | None:
    before = len(sheet.faults)
    observable = observables.get(row.raw("observableId"))
    if observable is None:
        expected = near(row.raw("observableId"), observables, "an id of the observable table")
        sheet.fault(row, "observableId", expected)
    for column in ("simulationConditionId", "preequilibrationConditionId"):
        id = row.text(column)
        if id not in conditions and (id or column == "simulationConditionId"):
            sheet.fault(row, column, near(id, conditions, "an id of the condition table"))
    value = number(row, "measurement")
    time = inf if row.raw("time").lower() in ("inf", "+inf", "infinity") else number(row, "time", "a number or inf")
    if time is not None and time < 0.0:
        sheet.fault(row, "time", "0 or later, or inf for the steady state")
    if observable is None:
        return None
    if value is not None and observable.scale != "lin" and value <= 0.0:
        sheet.fault(row, "measurement", f"a number above 0: {observable.id} is on the scale {observable.scale}")
    own = _own(sheet, row, "observableParameters", observable.own)
    own_noise = _own(sheet, row, "noiseParameters", observable.own_noise)
    if len(sheet.faults) > before or value is None or time is None:
        return None
    return Measurement(
        observable.id, row.raw("simulationConditionId"), time, value, row.text("preequilibrationConditionId") or None,
        own, own_noise, row.number,
    )  # fmt: skip


def _own(sheet: Sheet, row: Row, column: str, names: tuple[str, ...]) -> tuple[Value, ...]:
    texts = [text.strip() for text in row.text(column).split(";")] if row.text(column) else []
    values = [value_of(text) for text in texts]
    if len(values) != len(names):
        wanted = (
            f"{len(names)} values separated by ; ({', '.join(names)})" if names else "nothing: the formula reads none"
        )
        sheet.fault(row, column, wanted, f"{len(values)} in {row.raw(column)!r}" if texts else "nothing")
        return ()
    if None in values:
        sheet.fault(row, column, "numbers and ids of parameters, separated by ;")
        return ()
    return tuple(value for value in values if value is not None)
