"""The observable table of PEtab: formulas, scales and noise."""

from __future__ import annotations

import re
from pathlib import Path

from senexo.base.errors import Fault
from senexo.fitting.formulas import FormulaError, read_formula
from senexo.fitting.petab.sheet import Row, Sheet, identifiers, is_id, read_sheet
from senexo.fitting.problem import COUNTS, DISTRIBUTIONS, SCALES, Distribution, Observable, Scale
from senexo.model.expression import Expression, Number, Symbol, walk

_NEEDED = ("observableId", "observableFormula", "noiseFormula")
_KNOWN = (*_NEEDED, "observableName", "observableTransformation", "noiseDistribution")
_KNOWN_2 = (*_NEEDED, "observableName", "noiseDistribution", "observablePlaceholders", "noisePlaceholders")
_LAWS_2: dict[str, tuple[Scale, Distribution]] = {
    "normal": ("lin", "normal"), "laplace": ("lin", "laplace"), "log-normal": ("log", "normal"),
    "log-laplace": ("log", "laplace"), **{law: ("lin", law) for law in COUNTS},
}  # fmt: skip


def read_observables(
    path: Path, faults: list[Fault], version: int = 1
) -> tuple[tuple[Observable, ...], dict[str, Row]]:
    """The observables, and the row of each, for messages."""
    sheet = read_sheet(path, faults, needed=_NEEDED, known=_KNOWN if version == 1 else _KNOWN_2)
    if not set(_NEEDED) <= set(sheet.columns):
        return (), {}
    rows = dict(identifiers(sheet, "observableId"))
    read = _observable if version == 1 else _observable_2
    return tuple(read(sheet, id, row) for id, row in rows.items()), rows


def _observable(sheet: Sheet, id: str, row: Row) -> Observable:
    scale: Scale = "lin"
    if (text := row.text("observableTransformation")) in SCALES:
        scale = text
    elif text:
        sheet.fault(row, "observableTransformation", f"one of {', '.join(SCALES)}")
    distribution: Distribution = "normal"
    if (text := row.text("noiseDistribution")) in DISTRIBUTIONS:
        distribution = text
    elif text in COUNTS:
        distribution = text
        if scale != "lin":
            sheet.fault(row, "observableTransformation", f"lin: counts of {text} have no logarithm")
    elif text:
        sheet.fault(row, "noiseDistribution", f"one of {', '.join((*DISTRIBUTIONS, *COUNTS))}")
    formula, noise = _formula(sheet, row, "observableFormula"), _formula(sheet, row, "noiseFormula")
    return Observable(
        id, formula, noise, scale, distribution,
        _placeholders(sheet, row, "observableParameter", id, formula, "observableFormula"),
        _placeholders(sheet, row, "noiseParameter", id, noise, "noiseFormula"),
        row.text("observableName") or None,
    )  # fmt: skip


def _observable_2(sheet: Sheet, id: str, row: Row) -> Observable:
    law = row.text("noiseDistribution") or "normal"
    if law not in _LAWS_2:
        sheet.fault(row, "noiseDistribution", f"one of {', '.join(_LAWS_2)}")
    scale, distribution = _LAWS_2.get(law, ("lin", "normal"))
    return Observable(
        id, _formula(sheet, row, "observableFormula"), _formula(sheet, row, "noiseFormula"), scale, distribution,
        _declared(sheet, row, "observablePlaceholders"), _declared(sheet, row, "noisePlaceholders"),
        row.text("observableName") or None,
    )  # fmt: skip


def _declared(sheet: Sheet, row: Row, column: str) -> tuple[str, ...]:
    names = tuple(text.strip() for text in row.text(column).split(";")) if row.text(column) else ()
    if not all(is_id(name) for name in names) or len(set(names)) < len(names):
        sheet.fault(row, column, "different names separated by ;")
    return names


def _formula(sheet: Sheet, row: Row, column: str) -> Expression:
    text = row.raw(column)
    if not text:
        sheet.fault(row, column, "a formula, or a number")
        return Number(1.0)
    try:
        return read_formula(text)
    except FormulaError as error:
        sheet.fault(row, column, error.expected, f"{error.found} at character {error.at} of {text[:60]!r}")
        return Number(1.0)


def _placeholders(sheet: Sheet, row: Row, kind: str, id: str, formula: Expression, column: str) -> tuple[str, ...]:
    """Names such as observableParameter1_ID, in the order of their numbers, which must count from 1."""
    numbers = set()
    for node in walk(formula):
        if isinstance(node, Symbol) and (match := re.fullmatch(rf"{kind}(\d+)_{re.escape(id)}", node.id)):
            numbers.add(int(match.group(1)))
    if numbers and numbers != set(range(1, len(numbers) + 1)):
        sheet.fault(row, column, f"{kind}N_{id} with N counted from 1", f"N = {', '.join(map(str, sorted(numbers)))}")
    return tuple(f"{kind}{n}_{id}" for n in sorted(numbers))
