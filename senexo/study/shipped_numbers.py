"""The shipped tables of numbers beside those of circuits: of mice, patients, agents and blood."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources

from senexo.base.errors import Fault
from senexo.model.circuit_table import CircuitParameter, parameter, range_faults, rows


@functools.cache
def shipped_numbers(file: str, *holds_for: str) -> Mapping[tuple[str, ...], CircuitParameter]:
    """(what its row holds for, name) -> what is known of a number, with range, source and status.

    holds_for: the first columns of the table, by name; the others are those of a circuit's parameters.
    """
    faults: list[Fault] = []
    text = (resources.files("senexo.study") / file).read_text(encoding="utf-8")
    found = {}
    for place, row in rows(file, text, (*holds_for, *CircuitParameter.__slots__), faults):
        one = parameter(place, {name: row[name] for name in CircuitParameter.__slots__}, faults)
        if one is not None:
            found[*(row[column] for column in holds_for), one.name] = one
            faults += range_faults(place, one)
    assert not faults, faults
    return found
