"""Numbers of blood counts: rows of `blood.csv`, each with its range, source and status."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources
from typing import Literal, get_args

from senexo.base.errors import Fault
from senexo.model.circuit_table import CircuitParameter, parameter, range_faults, rows

FILE = "blood.csv"
Cells = Literal["neutrophils", "platelets"]
CELLS: tuple[Cells, ...] = get_args(Cells)


@functools.cache
def numbers(cells: Cells) -> Mapping[str, CircuitParameter]:
    """What is known of baseline (G/L), transit, loss (1/d), feedback and slope of a line, by name."""
    faults: list[Fault] = []
    text = (resources.files("senexo.study") / FILE).read_text(encoding="utf-8")
    found = {}
    for place, row in rows(FILE, text, ("where", *CircuitParameter.__slots__), faults):
        one = parameter(place, {name: row[name] for name in CircuitParameter.__slots__}, faults)
        if one is not None and row["where"] == cells:
            found[one.name] = one
            faults += range_faults(place, one)
    assert not faults, faults
    return found
