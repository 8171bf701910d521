"""Who is cultured: the donors' draws of the uncertain parameters, and the variation between a donor's cells."""

from __future__ import annotations

import math
from typing import Any

from senexo.base.units import NUMBER_KIND, Kind, shown
from senexo.study.known import Known
from senexo.study.place import Place, named
from senexo.study.schema import CellType, Donors, Draw

DONORS, CELLS = ("n", "draws"), ("n", "variation")
DRAW = ("law", "value", "low", "high", "unit", "source", "status")
LAWS = ("fixed", "uniform", "log-uniform")
STATUSES = ("seen", "memory", "assumed", "derived")
VARIATION = Kind("dimensionless", 'a coefficient of variation from 0 to 3, e.g. 0.2 or "20 %"', high=3.0, bare=True)
HERE = "this study"
DEFAULT_DONORS = 20
MOST_DONORS, MOST_CELLS = 10_000, 100_000


def read_donors(place: Place | None, known: Known | None, varying: set[str]) -> Donors | None:
    """Number of donors and every parameter's law; `varying`: parameters that need a draw to vary around."""
    n: int | None = DEFAULT_DONORS
    draws = dict(known.draws) if known else {}
    if place is not None and place.table(DONORS):
        number, chosen = place.get("n"), place.get("draws")
        n = DEFAULT_DONORS if number is None else number.whole(1, MOST_DONORS, DEFAULT_DONORS)
        if chosen is not None and chosen.value == "central":
            draws = {name: draw.model_copy(update={"law": "fixed"}) for name, draw in draws.items()}
        elif chosen is not None and chosen.table(expected='"central", or a table of parameters, e.g. { K8 = 1250 }'):
            for name, entry in chosen.items():
                draw = _read_draw(name, entry, known)
                if draw is not None and known is not None and name in known.sequenced and not _same(draws[name], draw):
                    entry.fault("nothing here: model.targets sets it", found=f"another law of {name}")
                elif draw is not None:
                    draws[name] = draw
    if known is not None:
        for name in sorted(varying - draws.keys()):
            draws[name] = known.adjustable[name]
    return None if n is None else Donors(n=n, draws=dict(sorted(draws.items())))


def _same(first: Draw, second: Draw) -> bool:
    """The same numbers; a study with central draws holds the law fixed."""
    return (first.value, first.low, first.high) == (second.value, second.low, second.high)


def _read_draw(name: str, place: Place, known: Known | None) -> Draw | None:
    """One parameter's law: a number (all donors alike), or what departs from the parameter table."""
    base = known.adjustable.get(name) if known else None
    if known is not None and base is None:
        place.fault(named(name, known.adjustable, "parameters"), found=f"the unknown parameter {shown(name)}")
        return None
    if not isinstance(place.value, dict):
        value = place.quantity(NUMBER_KIND)
        return None if value is None or base is None else _fixed(base, value)
    place.table(DRAW)
    law = base.law if (entry := place.get("law")) is None and base else entry and entry.one_of(LAWS, "laws")
    numbers = {key: below.quantity(NUMBER_KIND) for key in ("value", "low", "high") if (below := place.get(key))}
    words = {key: below.text() for key in ("unit", "source") if (below := place.get(key)) and below.value != ""}
    status = place.get("status")
    if status is not None:
        words["status"] = status.one_of(STATUSES, "statuses")
    if base is None or law is None or None in numbers.values() or None in words.values():
        return None
    return _departing(place, base, law, numbers, words)


def _fixed(base: Draw, value: float) -> Draw:
    same = value == base.value
    return Draw(law="fixed", value=value, low=value, high=value, unit=base.unit, source=base.source if same else HERE,
                status=base.status if same else "assumed")  # fmt: skip


def _departing(place: Place, base: Draw, law: Any, numbers: dict[str, Any], words: dict[str, Any]) -> Draw | None:
    """The table's draw with what the study says put over it, checked."""
    if law == "fixed" and not {"low", "high"} & numbers.keys():
        value = numbers.get("value", base.value)
        low = high = value
    else:
        low, high = numbers.get("low", base.low), numbers.get("high", base.high)
        value = numbers.get("value", base.value if low <= base.value <= high else _middle(low, high, law))
    spread = bool({"low", "high"} & numbers.keys()) and low < high
    if law == "fixed" and spread and "law" not in place.value:
        place.fault(f"a law ({', '.join(LAWS)}), since the table holds it fixed", found="a range without a law")
        return None
    if not low <= value <= high:
        place.fault("low <= value <= high", found=f"low {low:g}, value {value:g}, high {high:g}")
        return None
    if law == "log-uniform" and low <= 0:
        place.fault("a range above 0 for a log-uniform law", found=f"low {low:g}")
        return None
    same = (law, value, low, high) == (base.law, base.value, base.low, base.high)
    about = {"unit": base.unit, "source": base.source if same else HERE, "status": base.status if same else "assumed"}
    return Draw(**{"law": law, "value": value, "low": low, "high": high, **about, **words})


def _middle(low: float, high: float, law: str) -> float:
    return math.sqrt(low * high) if law == "log-uniform" and low > 0 and high > 0 else (low + high) / 2


def read_cells(place: Place | None, known: Known | None) -> dict[str, CellType]:
    """The cell types with their numbers and the variation between cells."""
    cells: dict[str, CellType] = {}
    if place is None or not place.table(expected="a table of cell types, e.g. [cells.LSC]"):
        return cells
    if not place.value:
        place.fault("a cell type, e.g. [cells.LSC]", found="no cell type")
    types = [kind.name for kind in known.circuit.cell_types] if known and known.circuit else []
    fewest = 0 if types else 1  # of a type that only some arms have
    for name, entry in place.items():
        if types and name not in types:
            entry.fault(f"one of {', '.join(types)}", found=f"the cell type {shown(name)}")
        if not entry.table(CELLS):
            continue
        number, chosen = entry.get("n"), entry.get("variation")
        if number is None:
            entry.fault("the key n, cells per donor and arm, e.g. 100", found="no n")
        n = None if number is None else number.whole(fewest, MOST_CELLS, 100)
        variation = dict(known.circuit.varying) if known and known.circuit else {}
        if chosen is not None and chosen.table(expected='a table of parameters, e.g. { Td = "20 %" }'):
            variation = _read_variation(chosen, known)
        if n is not None:
            cells[name] = CellType(n=n, variation=dict(sorted(variation.items())))
    return cells


def _read_variation(place: Place, known: Known | None) -> dict[str, float]:
    variation = {}
    for name, entry in place.items():
        cv = entry.quantity(VARIATION)
        if known is not None and name not in known.adjustable:
            entry.fault(named(name, known.adjustable, "parameters"), found=f"the unknown parameter {shown(name)}")
        elif cv is not None:
            variation[name] = cv
    return variation
