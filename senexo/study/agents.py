"""Agents that are given to a body: what is known of their pharmacokinetics and effect, and of the body's size.

Numbers stand in `agents.csv`, each with range, source and status. A row without a body holds for both. Disposition is
linear with one compartment: clearance, and a volume that gives the half-life. Into the peritoneum (`ip`) a mimic is
absorbed at a first-order rate, the share `bioavailability` of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from senexo.base.errors import Fault, InvalidInput
from senexo.base.units import NUMBER
from senexo.model.circuit_table import CircuitParameter
from senexo.study.shipped_numbers import shipped_numbers

FILE = "agents.csv"
Agent = Literal["cytarabine", "daunorubicin", "doxorubicin", "mimic"]
AGENTS: tuple[Agent, ...] = get_args(Agent)
BodyName = Literal["mouse", "patient"]
DoseUnit = Literal["mg", "mg/kg", "mg/m2"]
Route = Literal["iv", "ip"]
OLIGO_ROUTES: tuple[Route, ...] = get_args(Route)
AVOGADRO = 6.02214076e23
SHARES = ("marrow_share", "uptake", "endosomal_escape", "active_share")
DOSE_UNITS: tuple[DoseUnit, ...] = get_args(DoseUnit)
BODY_DOSE = re.compile(rf"\s*(?P<number>{NUMBER})\s*(?P<unit>(?:mg|µg|ug|g)/(?:kg|m2|m²))\s*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Body:
    """Whom a dose is given to.

    Attributes
    ----------
    weight_kg, surface_m2
        Assumed: 20 g, and 70 kg and 1.8 m2. A mouse of 20 g has 0.0067 m2: mg/kg times 3 is mg/m2 (FDA's guidance on
        starting doses, 2005, from memory).
    """

    name: BodyName
    weight_kg: float
    surface_m2: float

    def size(self, unit: str) -> float:
        """The body in the unit of a dose or a clearance: kg or m2."""
        return {"kg": self.weight_kg, "m2": self.surface_m2}[unit.rpartition("/")[2]]


CHEMOTHERAPY: Mapping[str, tuple[tuple[Agent, float, int], ...]] = {
    # of a mouse: agent, mg/kg every 24 h from the beginning, number of doses; the doses are from memory
    # (10.1182/blood-2012-10-464677)
    "5+3": (("cytarabine", 50.0, 5), ("doxorubicin", 1.5, 3)),
}
BODIES: Mapping[BodyName, Body] = {
    "mouse": Body("mouse", 0.02, 0.02 / 3.0),
    "patient": Body("patient", 70.0, 1.8),
}


def numbers() -> Mapping[tuple[str, ...], CircuitParameter]:
    """(agent, body or nothing, name) -> what is known of the number."""
    return shipped_numbers(FILE, "agent", "body")


def of(agent: Agent, body: BodyName) -> dict[str, CircuitParameter]:
    """The numbers of an agent in a body, by name."""
    return {name: one for (who, where, name), one in numbers().items() if who == agent and where in ("", body)}


def copies_per_mg(value: Mapping[str, Any]) -> Any:
    """Active copies per cell of the marrow for each mg that leaves the plasma, from the numbers of an oligo.

    Numbers or arrays of one shape.
    """
    share = math.prod(value[name] for name in SHARES)
    return 1e-3 / value["molar_mass"] * AVOGADRO * share / value["marrow_cells"]


def milligrams(dose: str, body: Body, where: str = "dose") -> float:
    """A dose per weight or surface, as mg for this body.

    Raises
    ------
    InvalidInput
        For what is no such dose.

    Examples
    --------
    >>> milligrams("100 mg/m2", BODIES["patient"]), milligrams("2 mg/kg", BODIES["mouse"])
    (180.0, 0.04)
    """
    found = BODY_DOSE.fullmatch(dose)
    if found is None:
        raise InvalidInput([Fault(where, repr(dose), 'an amount per weight or surface, e.g. "2 mg/kg" or "100 mg/m2"')])
    unit = found["unit"].lower().replace("²", "2").replace("µg", "ug")
    in_mg = {"mg": 1.0, "ug": 1e-3, "g": 1e3}[unit.partition("/")[0]]
    return float(found["number"]) * in_mg * body.size(unit)
