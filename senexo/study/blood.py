"""Numbers of blood counts: rows of `blood.csv`, each with its range, source and status."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal, get_args

from senexo.model.circuit_table import CircuitParameter
from senexo.study.shipped_numbers import shipped_numbers

FILE = "blood.csv"
Cells = Literal["neutrophils", "platelets"]
CELLS: tuple[Cells, ...] = get_args(Cells)


@functools.cache
def numbers(cells: Cells) -> Mapping[str, CircuitParameter]:
    """What is known of baseline (G/L), transit, loss (1/d), feedback and slope of a line, by name."""
    return {name: one for (where, name), one in shipped_numbers(FILE, "where").items() if where == cells}
