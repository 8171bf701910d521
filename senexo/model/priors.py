"""Priors of a circuit: other numbers for its parameters than those of `parameters.csv`, one table each.

The table `parameters.csv` is the prior called `shipped`. Every file `priors/NAME.csv` of the folder, with the same
columns, is the prior NAME: it holds the rows that differ, all others are those of `parameters.csv`. Each row brings its
own source and status.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from senexo.base.errors import Fault
from senexo.model.circuit_table import CircuitParameter, parameter, range_faults, rows

FOLDER, SHIPPED = "priors", "shipped"
Prior = Mapping[str, CircuitParameter]


def prior_files(folder: Path) -> list[str]:
    """The files of a circuit's priors, relative to its folder, in the order of their names."""
    return sorted(f"{FOLDER}/{path.name}" for path in (folder / FOLDER).glob("*.csv"))


def read_priors(
    texts: Mapping[str, str], parameters: tuple[CircuitParameter, ...], faults: list[Fault]
) -> dict[str, Prior]:
    """Name -> (parameter -> row) of the priors among the texts of a circuit; what is wrong goes to `faults`."""
    known = {p.name: p for p in parameters}
    found: dict[str, Prior] = {}
    for file, text in texts.items():
        if not file.startswith(f"{FOLDER}/"):
            continue
        name = Path(file).stem
        if name == SHIPPED:
            faults.append(Fault(file, "a prior of this name", f"another name ({SHIPPED} is parameters.csv)"))
        table: dict[str, CircuitParameter] = {}
        for place, row in rows(file, text, CircuitParameter.__slots__, faults):
            one = parameter(place, row, faults)
            if one is not None:
                faults.extend(_row_faults(f"{file}: {one.name}", one, known, table))
                table[one.name] = one
        found[name] = table
    return found


def _row_faults(place: str, one: CircuitParameter, known: Prior, before: Prior) -> Iterator[Fault]:
    if one.name in before:
        yield Fault(place, "a second row", "one row per parameter")
    yield from range_faults(place, one)
    if one.name not in known:
        yield Fault(place, "no such parameter in parameters.csv", "a parameter of the circuit")
    elif known[one.name].unit != one.unit:
        yield Fault(place, f"in {one.unit}", f"the unit of parameters.csv, {known[one.name].unit}")
