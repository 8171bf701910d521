"""A reaction network in SBML's own words: immutable, complete, and independent of any file format.

Names and meaning follow SBML Level 3 Version 2 Core (doi 10.1515/jib-2017-0080). Everything a Level 2
file says in another way (stoichiometryMath, built-in units, default attributes) is already translated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from senexo.model.expression import Expression


@dataclass(frozen=True, slots=True)
class UnitFactor:
    """multiplier * 10^scale * kind, raised to exponent."""

    kind: str
    exponent: float = 1.0
    scale: int = 0
    multiplier: float = 1.0


@dataclass(frozen=True, slots=True)
class UnitDefinition:
    """A named unit: the product of its factors."""

    id: str
    factors: tuple[UnitFactor, ...] = ()
    name: str | None = None


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """A function that formulas may apply; `body` is a formula over its arguments alone."""

    id: str
    arguments: tuple[str, ...]
    body: Expression | None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Compartment:
    """A volume (or area, or length) that species are in; `size` None: not given."""

    id: str
    size: float | None = None
    spatial_dimensions: float | None = 3.0
    units: str | None = None
    constant: bool = True
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Species:
    """A kind of molecules in a compartment.

    In formulas its id means a concentration, unless `has_only_substance_units`. `boundary_condition`: reactions do not
    change it.
    """

    id: str
    compartment: str
    initial_amount: float | None = None
    initial_concentration: float | None = None
    substance_units: str | None = None
    has_only_substance_units: bool = False
    boundary_condition: bool = False
    constant: bool = False
    conversion_factor: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A global parameter, or a local one of a kinetic law (then always constant)."""

    id: str
    value: float | None = None
    units: str | None = None
    constant: bool = True
    name: str | None = None


@dataclass(frozen=True, slots=True)
class InitialAssignment:
    """`symbol` has the value of `math` at the start."""

    symbol: str
    math: Expression | None


@dataclass(frozen=True, slots=True)
class Rule:
    """`variable` has the value of `math` at all times (assignment), or changes at that rate (rate)."""

    kind: Literal["assignment", "rate"]
    variable: str
    math: Expression | None


@dataclass(frozen=True, slots=True)
class AlgebraicRule:
    """`math` is 0 at all times; a quantity in it that nothing else determines follows from that."""

    math: Expression | None


@dataclass(frozen=True, slots=True)
class SpeciesReference:
    """`id` makes the stoichiometry a quantity that rules, assignments and formulas may name."""

    species: str
    stoichiometry: float | None = 1.0
    id: str | None = None
    constant: bool = True


@dataclass(frozen=True, slots=True)
class KineticLaw:
    """The rate of a reaction (extent per time)."""

    math: Expression | None
    local_parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Reaction:
    """A process that turns reactants into products; without a kinetic law it does not happen.

    `fast` (until L3V1): so much faster than the others that its kinetic law is 0 at all times.
    """

    id: str
    reactants: tuple[SpeciesReference, ...] = ()
    products: tuple[SpeciesReference, ...] = ()
    modifiers: tuple[str, ...] = ()
    kinetic_law: KineticLaw | None = None
    reversible: bool = True
    compartment: str | None = None
    name: str | None = None
    fast: bool = False


@dataclass(frozen=True, slots=True)
class Trigger:
    """An event happens when `math` becomes true; `persistent`: even if it is false again when the delay is over."""

    math: Expression | None
    initial_value: bool = True
    persistent: bool = True


@dataclass(frozen=True, slots=True)
class EventAssignment:
    """`variable` is set to the value of `math` by an event."""

    variable: str
    math: Expression | None


@dataclass(frozen=True, slots=True)
class Event:
    """`id` may be empty in SBML; the reader gives such an event a name of its own."""

    id: str
    trigger: Trigger
    assignments: tuple[EventAssignment, ...] = ()
    delay: Expression | None = None
    priority: Expression | None = None
    use_values_from_trigger_time: bool = True
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """A reaction network, as an SBML Level 3 Version 2 model without packages, and fast reactions.

    Attributes
    ----------
    id, name
        Of the model.
    substance_units, time_units, volume_units, area_units, length_units, extent_units
        Ids of units; None where not given.
    conversion_factor
        Parameter that converts extent to substance, for all species that name none of their own.
    unit_definitions, function_definitions
        What formulas and quantities may name.
    compartments, species, parameters
        The quantities.
    initial_assignments, rules, reactions, events, algebraic_rules
        What sets and changes them.
    """

    id: str
    name: str | None = None
    substance_units: str | None = None
    time_units: str | None = None
    volume_units: str | None = None
    area_units: str | None = None
    length_units: str | None = None
    extent_units: str | None = None
    conversion_factor: str | None = None
    unit_definitions: tuple[UnitDefinition, ...] = ()
    function_definitions: tuple[FunctionDefinition, ...] = ()
    compartments: tuple[Compartment, ...] = ()
    species: tuple[Species, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    initial_assignments: tuple[InitialAssignment, ...] = ()
    rules: tuple[Rule, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    events: tuple[Event, ...] = ()
    algebraic_rules: tuple[AlgebraicRule, ...] = ()
