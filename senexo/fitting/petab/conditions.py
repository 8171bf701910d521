"""The condition table of PEtab v1: what differs between experiments."""

from __future__ import annotations

from pathlib import Path

from senexo.base.errors import Fault
from senexo.fitting.petab.sheet import Row, identifiers, is_id, read_sheet
from senexo.fitting.problem import Condition, Value

_NAMES = ("conditionId", "conditionName")


def read_conditions(path: Path, faults: list[Fault]) -> tuple[tuple[Condition, ...], dict[str, Row]]:
    """The conditions, and the row of each, for messages."""
    sheet = read_sheet(path, faults, needed=("conditionId",), known=_NAMES)
    if "conditionId" not in sheet.columns:
        return (), {}
    targets = [name for name in sheet.columns if name not in _NAMES]
    rows = dict(identifiers(sheet, "conditionId"))
    conditions = []
    for id, row in rows.items():
        values: dict[str, Value] = {}
        kept = set()
        for target in targets:
            text = row.text(target)
            if not text:
                kept.add(target)
            elif (value := value_of(text)) is not None:
                values[target] = value
            else:
                sheet.fault(row, target, "a number, the id of a parameter, or nothing")
        conditions.append(Condition(id, values, frozenset(kept), row.text("conditionName") or None))
    return tuple(conditions), rows


def value_of(text: str) -> float | str | None:
    """A number or an id; None for anything else."""
    try:
        return float(text)
    except ValueError:
        return text if is_id(text) else None
