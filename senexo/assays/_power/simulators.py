"""The assays whose power is known; a new one is a file here and its line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from senexo.assays._power.dilution import SIMULATOR as DILUTION
from senexo.assays._power.expression import SIMULATOR as EXPRESSION
from senexo.assays._power.particles import SIMULATOR as PARTICLES
from senexo.assays._power.qpcr import SIMULATOR as QPCR
from senexo.assays._power.response import SIMULATOR as RESPONSE
from senexo.assays._power.senescence import SIMULATOR as SENESCENCE
from senexo.assays._power.simulator import Found, Simulator
from senexo.assays._power.survival import SIMULATOR as SURVIVAL
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd

SIMULATORS: dict[str, Simulator] = {
    "senescence": SENESCENCE,
    "qpcr": QPCR,
    "expression": EXPRESSION,
    "particles": PARTICLES,
    "survival": SURVIVAL,
    "dilution": DILUTION,
    "response": RESPONSE,
}


def read_pilot(
    assay: str, table: pd.DataFrame | None, roles: Mapping[str, Any], design: str, where: str
) -> tuple[Found, list[str]]:
    """The assumptions that the pilot table settles; nothing without one."""
    named = {name: value for name, value in roles.items() if value is not None}
    if table is None:
        if named:
            first = next(iter(named))
            raise InvalidInput([Fault(f"{where}: {first}", f"'{named[first]}'", "a pilot table to find it in")])
        return {}, []
    needed, optional = SIMULATORS[assay].pilot.roles, SIMULATORS[assay].pilot.optional
    faults = [
        Fault(f"{where}: {name}", "nothing", f"a pilot of {assay} needs it") for name in needed if name not in named
    ]
    faults += [
        Fault(f"{where}: {name}", f"'{value}'", f"only {', '.join(needed + optional)} for a pilot of {assay}")
        for name, value in named.items()
        if name not in needed + optional
    ]
    if faults:
        raise InvalidInput(faults)
    return SIMULATORS[assay].pilot.read(table, named, design, where)
