"""Tables of a circuit: rows with their place, and what is known of a number."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from senexo.base.errors import Fault
from senexo.base.evidence import STATUSES, current_status

LAWS = ("fixed", "uniform", "log-uniform")


@dataclass(frozen=True, slots=True)
class CircuitParameter:
    """One constant and what is known of it; `status` is that of its weakest part (value or range)."""

    name: str
    value: float
    low: float
    high: float
    law: str
    unit: str
    source: str
    status: str
    note: str


def rows(file: str, text: str, columns: Sequence[str], faults: list[Fault]) -> Iterator[tuple[str, dict[str, str]]]:
    """(place, row) of a CSV text whose header must be exactly `columns`; rows of a wrong length are faults."""
    try:
        lines = list(csv.reader(text.splitlines()))
    except csv.Error as error:
        faults.append(Fault(file, str(error), "a CSV table"))
        return
    if not lines or lines[0] != list(columns):
        faults.append(Fault(f"{file}: header", ",".join(lines[0] if lines else []), ",".join(columns)))
        return
    for number, cells in enumerate(lines[1:], start=2):
        if len(cells) == len(columns):
            yield f"{file}:{number}", dict(zip(columns, cells, strict=True))
        else:
            faults.append(Fault(f"{file}:{number}", f"{len(cells)} fields", f"{len(columns)} fields"))


def parameter(place: str, row: dict[str, str], faults: list[Fault]) -> CircuitParameter | None:
    """The constant of a row; None when a number is missing. What is wrong with the row goes to `faults`."""
    numbers = {}
    for column in ("value", "low", "high"):
        number = finite(row[column])
        if number is None:
            faults.append(Fault(f"{place} {row['name']}.{column}", repr(row[column]), "a finite number"))
        else:
            numbers[column] = number
    row = {**row, "status": current_status(row["status"])}
    faults.extend(unlisted(place, row, {"law": LAWS, "status": STATUSES}))
    faults.extend(Fault(f"{place} {row['name']}.{c}", "nothing", "a text") for c in ("unit", "source") if not row[c])
    return CircuitParameter(**{**row, **numbers}) if len(numbers) == 3 else None  # type: ignore[arg-type]


def range_faults(place: str, p: CircuitParameter) -> Iterator[Fault]:
    """What is wrong with the range, law or source of a parameter."""
    if not p.low <= p.value <= p.high:
        yield Fault(place, f"value {p.value:g}, range {p.low:g} to {p.high:g}", "a value inside its range")
    if p.law == "log-uniform" and p.low <= 0:
        yield Fault(place, f"a log-uniform law from {p.low:g}", "a range above 0")


def unlisted(place: str, row: dict[str, str], allowed: Mapping[str, tuple[str, ...]]) -> Iterator[Fault]:
    """A fault per column whose word is not one of those allowed."""
    for column, words in allowed.items():
        if row[column] not in words:
            yield Fault(f"{place} {row['name']}.{column}", repr(row[column]), f"one of {', '.join(words)}")


def finite(text: str) -> float | None:
    """The finite number that a text is; None for any other text."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
