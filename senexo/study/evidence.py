"""The `[[evidence]]` of a study in its resolved form: every number stands in it, also those of a figure or a file."""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from senexo.base.errors import InvalidInput
from senexo.base.files import no_plain_file
from senexo.base.units import shown
from senexo.study.claims import Clause, Vocabulary, parse_claim
from senexo.study.cursor import Cursor, named
from senexo.study.donors import HERE
from senexo.study.form import evidence as form
from senexo.study.schema import Candidate, Draw, Evidence

FIGURES = Path(__file__).parent.parent / "studies" / "figures.csv"
MAX_ROWS, MAX_BYTES = 100_000, 2**22
OF_A_FIGURE = ("value", "low", "high")


@functools.cache
def figures() -> Mapping[str, Mapping[str, str]]:
    """Name -> row of the published figures that ship with senexo.

    >>> figures()["aml-mir34c"]["parameter"]
    'm0'
    """
    with FIGURES.open(encoding="utf-8", newline="") as lines:
        return {row["name"]: row for row in csv.DictReader(lines)}


def condition(text: str) -> str:
    """An expression as a condition that can be parsed as one: its left side is the expression."""
    return f"{text} > 0"


def read_evidence(
    written: Sequence[form.Evidence | None], place: Cursor, vocabulary: Vocabulary, draws: Mapping[str, Draw] | None,
    folder: Path,
) -> tuple[Evidence, ...]:  # fmt: skip
    """All evidence of a study; what is wrong with it is noted."""
    found: dict[str, Evidence] = {}
    for entry, one in zip(place.elements() if written else (), written, strict=True):
        made = None if one is None else _one(one, entry, vocabulary, draws, folder)
        if made is not None and made.name in found:
            entry.fault("each name once", found=f"a second evidence called {shown(made.name)}")
        elif made is not None:
            found[made.name] = made
    return tuple(found.values())


def _one(
    one: form.Evidence, place: Cursor, vocabulary: Vocabulary, draws: Mapping[str, Draw] | None, folder: Path
) -> Evidence | None:
    row: Mapping[str, str] = {}
    if one.figure is not None:
        if place.at("figure").one_of(figures(), "figures") is None:
            return None
        row = figures()[one.figure]
    name = one.name or one.figure
    if name is None:
        place.fault("the key name, or figure", found="no name")
    own = one.parameter is not None or one.observable is not None
    parameter = one.parameter if own else row.get("parameter") or None
    _about(one, parameter, place, vocabulary, draws)
    numbers = {key: _number(getattr(one, key), row.get(key)) for key in OF_A_FIGURE}
    law = row.get("law", one.law) if "law" not in place else one.law
    data: dict[str, tuple[float, ...]] = {}
    if one.kind == "figure":
        _figure_faults(numbers, law, place)
    elif one.kind is not None:
        data = _data(one, place, folder)
    if place.has_fault() or name is None or one.kind is None or law is None or one.level is None:
        return None
    return Evidence.model_validate({
        "name": name, "kind": one.kind, "parameter": parameter, "observable": one.observable, "law": law,
        "level": float(row["level"]) if row and "level" not in place else one.level, **numbers, "data": data,
        "dispersion": one.dispersion or 0.0, "source": one.source or row.get("source") or HERE,
        "status": one.status if "status" in place else row.get("status") or "assumed",
    })  # fmt: skip


def read_candidates(
    written: Sequence[form.Candidate | None], place: Cursor, vocabulary: Vocabulary, draws: Mapping[str, Draw] | None
) -> tuple[Candidate, ...]:
    """All candidate experiments of a study; what is wrong with them is noted."""
    found: dict[str, Candidate] = {}
    for entry, one in zip(place.elements() if written else (), written, strict=True):
        if one is None:
            continue
        _about(one, one.parameter, entry, vocabulary, draws)
        design = _design(one, entry)
        if one.name in found:
            entry.at("name").fault("each name once")
        elif not entry.has_fault() and one.name is not None:
            numbers = {"sd": one.sd or 0.0, "dispersion": one.dispersion or 0.0, "cost": one.cost}
            fields = {"kind": one.kind, "parameter": one.parameter, "observable": one.observable, "law": one.law}
            found[one.name] = Candidate.model_validate({"name": one.name, **fields, "design": design, **numbers})
    return tuple(found.values())


def _design(one: form.Candidate, place: Cursor) -> dict[str, tuple[float, ...]]:
    """The wells of a candidate experiment."""
    if one.kind is None or place.has_fault():
        return {}
    wanted, design = form.DESIGNS[one.kind], one.design or {}
    if set(design) != set(wanted):
        place.fault(f"a design with {', '.join(wanted) or 'no column'}", found=", ".join(design) or "no column")
        return {}
    if one.kind == "figure" and not (one.sd or 0.0) > 0:
        place.fault("the key sd above 0: how wrong such a figure is", found=f"{one.sd or 0.0:g}")
    found = {name: tuple(x for x in design[name] or () if x is not None) for name in wanted}
    for name, values in found.items():
        if any(x <= 0 or (name != "exposure" and x != math.floor(x)) for x in values):
            place.at("design").at(name).fault("whole numbers above 0" if name != "exposure" else "numbers above 0")
    if len({len(values) for values in found.values()}) > 1:
        place.at("design").fault("columns of one length")
    return found


def _number(written: float | None, of_row: str | None) -> float | None:
    return written if written is not None else float(of_row) if of_row else None


def _about(
    one: form.Evidence | form.Candidate, parameter: str | None, place: Cursor, vocabulary: Vocabulary,
    draws: Mapping[str, Draw] | None,
) -> None:  # fmt: skip
    """Faults of what the evidence is about."""
    if (parameter is None) == (one.observable is None) and not place.has_fault():
        found = "both" if parameter else "neither"
        place.fault("the key parameter or the key observable: what the measurement is about", found=found)
    if parameter is not None and draws is not None and parameter not in draws:
        where = place.at("parameter") if "parameter" in place else place.at("figure")
        where.fault(named(parameter, draws, "parameters"), found=shown(parameter))
    if one.observable is not None:
        where = place.at("observable")
        try:
            clause = parse_claim(condition(one.observable), vocabulary, where=where.where)
        except InvalidInput as error:
            place.faults.extend(error.faults)
        else:
            if _is_condition(clause, one.observable):
                where.fault("a number of the study, without a comparison")


def _is_condition(clause: Clause, text: str) -> bool:
    return any(sign in text for sign in "<>") or not hasattr(clause, "left")


def _figure_faults(numbers: Mapping[str, float | None], law: str | None, place: Cursor) -> None:
    value, low, high = (numbers[key] for key in OF_A_FIGURE)
    if place.has_fault():
        return
    if value is None or low is None or high is None:
        missing = ", ".join(key for key in OF_A_FIGURE if numbers[key] is None)
        place.fault("value, low and high: an estimate with its interval", found=f"no {missing}")
    elif not low < value < high:
        place.at("value").fault("an estimate inside its interval", found=f"{value:g}, {low:g} to {high:g}")
    elif law == "log-normal" and low <= 0:
        place.at("low").fault('an interval above 0, or law = "normal"', found=f"{low:g}")


def _data(one: form.Evidence, place: Cursor, folder: Path) -> dict[str, tuple[float, ...]]:
    """The columns of a measured table, checked against what its kind allows."""
    assert one.kind is not None
    if (one.data is None) == (one.file is None):
        place.fault("the key data, or the key file", found="both" if one.data else "neither")
        return {}
    where = place.at("data" if one.file is None else "file")
    columns = one.data if one.file is None else _columns(folder / one.file, where)
    wanted = form.COLUMNS[one.kind]
    if columns is None or where.has_fault():
        return {}
    if set(columns) != set(wanted):
        where.fault(f"the columns {', '.join(wanted)}", found=", ".join(columns) or "no column")
        return {}
    found = {name: tuple(x for x in columns[name] or () if x is not None) for name in wanted}
    if len({len(values) for values in found.values()}) != 1:
        where.fault("columns of one length", found=", ".join(f"{name}: {len(found[name])}" for name in wanted))
        return {}
    _count_faults(one.kind, found, where)
    return found


def _count_faults(kind: str, data: Mapping[str, Sequence[float]], where: Cursor) -> None:
    """Counts are whole, and a part is no larger than its whole."""
    parts = {"senescence": ("positive", "counted"), "fates": ("with_fate", "cells"), "dilution": ("positive", "wells")}
    whole = [name for name in data if name not in ("ct", "exposure")]
    for row in range(len(next(iter(data.values())))):
        if any(data[name][row] < 0 or data[name][row] != math.floor(data[name][row]) for name in whole):
            where.fault("whole numbers of 0 or more", found=f"row {row + 1}: {[data[name][row] for name in whole]}")
        elif kind in parts and data[parts[kind][0]][row] > data[parts[kind][1]][row]:
            where.fault(f"{parts[kind][0]} of at most {parts[kind][1]}", found=f"row {row + 1}")
        elif kind == "particles" and data["exposure"][row] <= 0:
            where.fault("an exposure above 0 (cells x hours x the share counted)", found=f"row {row + 1}")


def _columns(path: Path, where: Cursor) -> dict[str, list[float | None]] | None:
    """The numbers of a CSV file by column."""
    try:
        if kind := no_plain_file(path):
            where.fault("a CSV file", found=kind)
            return None
        with path.open(encoding="utf-8-sig", newline="") as lines:
            if path.stat().st_size > MAX_BYTES:
                where.fault(f"at most {MAX_BYTES:,} bytes", found=f"{path.stat().st_size:,} bytes")
                return None
            rows = list(csv.reader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        where.fault(f"a CSV file; there is none that can be read at {path.name}", found=str(error))
        return None
    if len(rows) < 2 or len(rows) > MAX_ROWS:
        where.fault(f"a header and 1 to {MAX_ROWS:,} rows", found=f"{len(rows)} lines")
        return None
    head = [name.strip() for name in rows[0]]
    table: dict[str, list[float | None]] = {name: [] for name in head}
    for number, cells in enumerate(rows[1:], start=2):
        try:
            values = [float(cell) for cell in cells]
        except ValueError:
            values = []
        if len(values) != len(head) or not all(map(math.isfinite, values)):
            where.fault("numbers, one for every column", found=f"line {number}: {shown(','.join(cells))}")
            return None
        for name, value in zip(head, values, strict=True):
            table[name].append(value)
    return table
