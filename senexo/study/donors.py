"""Who is cultured: the donors' draws of the uncertain parameters, and the variation between a donor's cells."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from senexo.base.units import shown
from senexo.study.cursor import Cursor, named
from senexo.study.form import culture as form
from senexo.study.form.culture import LAWS
from senexo.study.form.kinds import DEFAULT_DONORS
from senexo.study.names import ModelNames
from senexo.study.schema import CellType, Donors, Draw

HERE = "this study"


def read_donors(
    donors: form.Donors | None, place: Cursor, names: ModelNames | None, varying: set[str]
) -> Donors | None:
    """Number of donors and every parameter's law; `varying`: parameters that need a draw to vary around."""
    draws = dict(names.draws) if names else {}
    chosen = donors.draws if donors else None
    if chosen == "central":
        draws = {name: draw.model_copy(update={"law": "fixed"}) for name, draw in draws.items()}
    elif chosen is not None:
        for name, written in chosen.items():
            entry = place.at("draws").at(name)
            draw = _read_draw(name, written, entry, names)
            if draw is not None and names is not None and name in names.sequenced and not _same(draws[name], draw):
                entry.fault("nothing here: model.targets sets it", found=f"another law of {name}")
            elif draw is not None:
                draws[name] = draw
    if names is not None:
        for name in sorted(varying - draws.keys()):
            draws[name] = names.adjustable[name]
    n = DEFAULT_DONORS if donors is None else donors.n
    stand_for: Any = donors.stand_for if donors else None
    return None if n is None else Donors(n=n, draws=dict(sorted(draws.items())), stand_for=stand_for)


def _same(first: Draw, second: Draw) -> bool:
    """The same numbers; a study with central draws holds the law fixed."""
    return (first.value, first.low, first.high) == (second.value, second.low, second.high)


def _read_draw(name: str, written: float | form.Draw | None, place: Cursor, names: ModelNames | None) -> Draw | None:
    """One parameter's law: a number (all donors alike), or what departs from the parameter table."""
    base = names.adjustable.get(name) if names else None
    if names is not None and base is None:
        place.fault(named(name, names.adjustable, "parameters"), found=f"the unknown parameter {shown(name)}")
    if base is None or written is None or place.has_fault():
        return None
    return draw_over(base, written, place)


def draw_over(base: Draw, written: float | form.Draw, place: Cursor) -> Draw | None:
    """The law of a table with what a study says put over it: a number (all alike), or what departs from the law."""
    return _departing(place, base, written) if isinstance(written, form.Draw) else _fixed(base, written)


def draws_over(
    table: Mapping[str, Draw], written: Mapping[str, float | form.Draw | None] | str | None, place: Cursor, what: str
) -> dict[str, Draw]:
    """The numbers of a table with what a study says put over them; `"central"` holds each at its value.

    what: what the numbers are of, in messages.
    """
    if isinstance(written, str):
        return {name: draw.model_copy(update={"law": "fixed"}) for name, draw in table.items()}
    found = dict(table)
    for name, one in (written or {}).items():
        entry = place.at(name)
        if name not in table:
            entry.fault(named(name, table, what), found=f"the unknown number {shown(name)}")
        elif one is not None and (draw := draw_over(table[name], one, entry)) is not None:
            found[name] = draw
    return found


def _fixed(base: Draw, value: float) -> Draw:
    same = value == base.value
    return Draw(law="fixed", value=value, low=value, high=value, unit=base.unit, source=base.source if same else HERE,
                status=base.status if same else "assumed")  # fmt: skip


def _departing(place: Cursor, base: Draw, written: form.Draw) -> Draw | None:
    """The table's draw with what the study says put over it, checked."""
    law: Any = written.law or base.law
    ranged = written.low is not None or written.high is not None
    if law == "fixed" and not ranged:
        low = high = value = base.value if written.value is None else written.value
    else:
        low = base.low if written.low is None else written.low
        high = base.high if written.high is None else written.high
        usual = base.value if low <= base.value <= high else _middle(low, high, law)
        value = usual if written.value is None else written.value
    if law == "fixed" and ranged and low < high and written.law is None:
        place.fault(f"a law ({', '.join(LAWS)}), since the table holds it fixed", found="a range without a law")
        return None
    if not low <= value <= high:
        place.fault("low <= value <= high", found=f"low {low:g}, value {value:g}, high {high:g}")
        return None
    if law == "log-uniform" and low <= 0:
        place.fault("a range above 0 for a log-uniform law", found=f"low {low:g}")
        return None
    same = (law, value, low, high) == (base.law, base.value, base.low, base.high)
    about: dict[str, Any] = {"unit": base.unit, "source": base.source, "status": base.status}
    if not same:
        about |= {"source": HERE, "status": "assumed"}
    about |= {key: word for key in about if (word := getattr(written, key))}
    return Draw(law=law, value=value, low=low, high=high, **about)


def _middle(low: float, high: float, law: str) -> float:
    return math.sqrt(low * high) if law == "log-uniform" and low > 0 and high > 0 else (low + high) / 2


def read_cells(
    types: dict[str, form.CellType | None] | None, place: Cursor, names: ModelNames | None
) -> dict[str, CellType]:
    """The cell types with their numbers and the variation between cells."""
    cells: dict[str, CellType] = {}
    known = [kind.name for kind in names.circuit.cell_types] if names and names.circuit else []
    for name, written in (types or {}).items():
        entry = place.at(name)
        if known and name not in known:
            entry.fault(named(name, known, "types of cells"), found=f"the cell type {shown(name)}")
        if written is None:
            continue
        if written.n == 0 and names is not None and not known:
            entry.at("n").fault("a whole number from 1 on, e.g. 100 (0 is for a type that only some arms have)")
        variation = dict(names.circuit.varying) if names and names.circuit else {}
        if written.variation is not None:
            variation = _read_variation(written.variation, entry.at("variation"), names)
        if written.n is not None:
            cells[name] = CellType(n=written.n, variation=dict(sorted(variation.items())))
    return cells


def _read_variation(written: dict[str, float | None], place: Cursor, names: ModelNames | None) -> dict[str, float]:
    variation = {}
    for name, cv in written.items():
        if names is not None and name not in names.adjustable:
            expected = named(name, names.adjustable, "parameters")
            place.at(name).fault(expected, found=f"the unknown parameter {shown(name)}")
        elif cv is not None:
            variation[name] = cv
    return variation
