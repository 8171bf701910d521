"""The measurement table of PEtab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf, nan
from pathlib import Path

from senexo.base.errors import Fault
from senexo.fitting.petab.conditions import value_of
from senexo.fitting.petab.sheet import Row, Sheet, near, number, read_sheet
from senexo.fitting.problem import (
    CENSORINGS,
    COUNTS,
    OF_TRIALS,
    Censoring,
    Condition,
    Measurement,
    Observable,
    Schedule,
)

_NEEDED = ("observableId", "simulationConditionId", "measurement", "time")
_KNOWN = (*_NEEDED, "preequilibrationConditionId", "observableParameters", "noiseParameters", "datasetId",
          "replicateId")  # fmt: skip
_OF_EXTENSION = ("censoring", "measurementUpper", "trials")
_NEEDED_2 = ("observableId", "experimentId", "measurement", "time")
_KNOWN_2 = (*_NEEDED_2, "observableParameters", "noiseParameters", "modelId", "datasetId", "replicateId")


def read_measurements(
    path: Path, observables: Mapping[str, Observable], conditions: Mapping[str, Condition], faults: list[Fault]
) -> tuple[tuple[Measurement, ...], dict[int, Row]]:
    """The measurements of version 1, and the rows they stand in, for messages."""
    sheet = _sheet(path, faults, _NEEDED, _KNOWN)
    found = [_measurement(sheet, row, observables, conditions) for row in sheet.rows]
    return tuple(one for one in found if one is not None), {row.number: row for row in sheet.rows}


def read_measurements_2(
    path: Path, observables: Mapping[str, Observable], schedules: Mapping[str, Schedule], models: Sequence[str],
    faults: list[Fault],
) -> tuple[tuple[Measurement, ...], dict[int, Row]]:  # fmt: skip
    """The measurements of version 2, and the rows they stand in, for messages."""
    sheet = _sheet(path, faults, _NEEDED_2, _KNOWN_2)
    found = [_of_schedule(sheet, row, observables, schedules, models) for row in sheet.rows]
    return tuple(one for one in found if one is not None), {row.number: row for row in sheet.rows}


def _sheet(path: Path, faults: list[Fault], needed: Sequence[str], known: Sequence[str]) -> Sheet:
    sheet = read_sheet(path, faults, needed=needed, known=(*known, *_OF_EXTENSION))
    if not set(needed) <= set(sheet.columns):
        return Sheet(path, (), (), faults)
    if not sheet.rows:
        faults.append(Fault(str(path), "no measurement", "at least one row below the header"))
    return sheet


def _of_schedule(
    sheet: Sheet,
    row: Row,
    observables: Mapping[str, Observable],
    schedules: Mapping[str, Schedule],
    models: Sequence[str],
) -> Measurement | None:
    before = len(sheet.faults)
    id = row.text("experimentId")
    if id and id not in schedules:
        sheet.fault(row, "experimentId", near(id, schedules, "an id of the experiment table, or nothing"))
    model = row.text("modelId") or (models[0] if len(models) == 1 else "")
    if model not in models:
        sheet.fault(row, "modelId", f"one of the models {', '.join(models)}")
    made = _common(sheet, row, observables, first=_first(schedules.get(id)))
    return None if made is None or len(sheet.faults) > before else replace(made, condition=id, model=model)


def _first(schedule: Schedule | None) -> float:
    """The first time that is not before the start."""
    times = [one.time for one in schedule.periods if one.time > -inf] if schedule is not None else []
    return times[0] if times else 0.0 if schedule is None else inf


def _measurement(
    sheet: Sheet, row: Row, observables: Mapping[str, Observable], conditions: Mapping[str, Condition]
) -> Measurement | None:
    before = len(sheet.faults)
    for column in ("simulationConditionId", "preequilibrationConditionId"):
        id = row.text(column)
        if id not in conditions and (id or column == "simulationConditionId"):
            sheet.fault(row, column, near(id, conditions, "an id of the condition table"))
    made = _common(sheet, row, observables, first=0.0)
    if made is None or len(sheet.faults) > before:
        return None
    return replace(
        made,
        condition=row.raw("simulationConditionId"),
        before=row.text("preequilibrationConditionId") or None,
    )


def _common(sheet: Sheet, row: Row, observables: Mapping[str, Observable], first: float) -> Measurement | None:
    """What both versions have; `first`: the time before which there is nothing to measure."""
    observable = observables.get(row.raw("observableId"))
    if observable is None:
        expected = near(row.raw("observableId"), observables, "an id of the observable table")
        sheet.fault(row, "observableId", expected)
    value = number(row, "measurement")
    time = inf if row.raw("time").lower() in ("inf", "+inf", "infinity") else number(row, "time", "a number or inf")
    if time is not None and time < first:
        sheet.fault(row, "time", f"{first:g} or later, or inf for the steady state" if first < inf else "inf")
    if observable is None:
        return None
    if value is not None and observable.scale != "lin" and value <= 0.0:
        sheet.fault(row, "measurement", f"a number above 0: {observable.id} is on the scale {observable.scale}")
    own = _own(sheet, row, "observableParameters", observable.own)
    own_noise = _own(sheet, row, "noiseParameters", observable.own_noise)
    if value is None or time is None:
        return None
    censoring, upper = _limits(sheet, row, observable, value)
    trials = _trials(sheet, row, observable, value)
    return Measurement(observable.id, "", time, value, None, own, own_noise, row.number, censoring, upper, trials)


def _limits(sheet: Sheet, row: Row, observable: Observable, value: float) -> tuple[Censoring, float]:
    """What is known of a value that was not seen itself, and the upper end of an interval."""
    censoring: Censoring = ""
    if (text := row.text("censoring")) in CENSORINGS:
        censoring = text
    else:
        sheet.fault(row, "censoring", "left (at most the measurement), right (at least it), interval, or nothing")
    if censoring and observable.distribution in COUNTS:
        sheet.fault(row, "censoring", f"nothing: counts of {observable.distribution} are known")
    if censoring == "interval":
        upper = number(row, "measurementUpper", "the upper end of the interval")
        if upper is not None and not upper > value:
            sheet.fault(row, "measurementUpper", f"a number above the measurement ({value:g})")
        return censoring, nan if upper is None else upper
    if row.text("measurementUpper"):
        sheet.fault(row, "measurementUpper", "nothing, or interval in the column censoring")
    return censoring, nan


def _trials(sheet: Sheet, row: Row, observable: Observable, value: float) -> float:
    """How many trials a count is of; nan where the law has none."""
    if observable.distribution in COUNTS and not (value >= 0.0 and value == int(value)):
        sheet.fault(row, "measurement", "a whole number, 0 or more")
    if observable.distribution not in OF_TRIALS:
        if row.text("trials"):
            sheet.fault(row, "trials", f"nothing: {observable.distribution} has no trials")
        return nan
    trials = number(row, "trials", "the number of trials")
    if trials is not None and not (trials >= value and trials == int(trials)):
        sheet.fault(row, "trials", f"a whole number, {value:g} or more")
    return nan if trials is None else trials


def _own(sheet: Sheet, row: Row, column: str, names: tuple[str, ...]) -> tuple[float | str, ...]:
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
