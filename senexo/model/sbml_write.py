"""A network as SBML Level 3 Version 2 Core text.

Written with the standard library alone: libSBML writes floats with 15 digits, which would not read back equal.
Source: SBML Level 3 Version 2 Core, doi 10.1515/jib-2017-0080.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TypeVar
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from senexo.model.expression import Expression
from senexo.model.mathml_write import lambda_element, math_element
from senexo.model.network import (
    Compartment,
    Event,
    FunctionDefinition,
    KineticLaw,
    Network,
    Parameter,
    Reaction,
    Species,
    SpeciesReference,
    UnitDefinition,
)

_CORE = "http://www.sbml.org/sbml/level3/version2/core"
T = TypeVar("T")


def to_sbml(network: Network) -> str:
    """The network as SBML Level 3 Version 2 Core; `load` of this text gives an equal network.

    >>> "level3/version2" in to_sbml(Network("m"))
    True
    """
    root = Element("sbml", xmlns=_CORE, level="3", version="2")
    model = _element(
        root,
        "model",
        id=network.id,
        name=network.name,
        substanceUnits=network.substance_units,
        timeUnits=network.time_units,
        volumeUnits=network.volume_units,
        areaUnits=network.area_units,
        lengthUnits=network.length_units,
        extentUnits=network.extent_units,
        conversionFactor=network.conversion_factor,
    )
    _list(model, "FunctionDefinitions", network.function_definitions, _write_function)
    _list(model, "UnitDefinitions", network.unit_definitions, _write_unit_definition)
    _list(model, "Compartments", network.compartments, _write_compartment)
    _list(model, "Species", network.species, _write_species)
    _list(model, "Parameters", network.parameters, _write_parameter)
    _list(
        model,
        "InitialAssignments",
        network.initial_assignments,
        lambda parent, a: _with_math(_element(parent, "initialAssignment", symbol=a.symbol), a.math),
    )
    _list(
        model,
        "Rules",
        network.rules,
        lambda parent, r: _with_math(_element(parent, f"{r.kind}Rule", variable=r.variable), r.math),
    )
    _list(model, "Reactions", network.reactions, _write_reaction)
    _list(model, "Events", network.events, _write_event)
    indent(root)
    return tostring(root, encoding="UTF-8", xml_declaration=True).decode() + "\n"


def _text(value: str | float) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float() if math.isnan(value):
            return "NaN"
        case float() if math.isinf(value):
            return "INF" if value > 0 else "-INF"
        case float():
            return repr(value)
    return str(value)


def _element(parent: Element, tag: str, **attributes: str | float | None) -> Element:
    """A child element; attributes that are None are left out."""
    return SubElement(parent, tag, {name: _text(value) for name, value in attributes.items() if value is not None})


def _list(parent: Element, plural: str, items: Iterable[T], write: Callable[[Element, T], None]) -> None:
    items = tuple(items)
    if items:
        inside = SubElement(parent, f"listOf{plural}")
        for item in items:
            write(inside, item)


def _with_math(element: Element, math: Expression | None) -> None:
    if math is not None:
        element.append(math_element(math))


def _write_function(parent: Element, function: FunctionDefinition) -> None:
    element = _element(parent, "functionDefinition", id=function.id, name=function.name)
    if function.arguments or function.body is not None:
        element.append(lambda_element(function.arguments, function.body))


def _write_unit_definition(parent: Element, definition: UnitDefinition) -> None:
    element = _element(parent, "unitDefinition", id=definition.id, name=definition.name)
    _list(
        element,
        "Units",
        definition.factors,
        lambda units, f: _write_nothing(
            _element(units, "unit", kind=f.kind, exponent=f.exponent, scale=f.scale, multiplier=f.multiplier)
        ),
    )


def _write_nothing(element: Element) -> None:
    """The element is complete as it stands."""


def _write_compartment(parent: Element, compartment: Compartment) -> None:
    _element(
        parent,
        "compartment",
        id=compartment.id,
        name=compartment.name,
        spatialDimensions=compartment.spatial_dimensions,
        size=compartment.size,
        units=compartment.units,
        constant=compartment.constant,
    )


def _write_species(parent: Element, species: Species) -> None:
    _element(
        parent,
        "species",
        id=species.id,
        name=species.name,
        compartment=species.compartment,
        initialAmount=species.initial_amount,
        initialConcentration=species.initial_concentration,
        substanceUnits=species.substance_units,
        hasOnlySubstanceUnits=species.has_only_substance_units,
        boundaryCondition=species.boundary_condition,
        constant=species.constant,
        conversionFactor=species.conversion_factor,
    )


def _write_parameter(parent: Element, parameter: Parameter) -> None:
    _element(
        parent,
        "parameter",
        id=parameter.id,
        name=parameter.name,
        value=parameter.value,
        units=parameter.units,
        constant=parameter.constant,
    )


def _write_reaction(parent: Element, reaction: Reaction) -> None:
    element = _element(
        parent,
        "reaction",
        id=reaction.id,
        name=reaction.name,
        reversible=reaction.reversible,
        compartment=reaction.compartment,
    )
    _list(element, "Reactants", reaction.reactants, _write_reference)
    _list(element, "Products", reaction.products, _write_reference)
    _list(
        element,
        "Modifiers",
        reaction.modifiers,
        lambda modifiers, id: _write_nothing(_element(modifiers, "modifierSpeciesReference", species=id)),
    )
    if reaction.kinetic_law is not None:
        _write_kinetic_law(element, reaction.kinetic_law)


def _write_reference(parent: Element, reference: SpeciesReference) -> None:
    _element(
        parent,
        "speciesReference",
        id=reference.id,
        species=reference.species,
        stoichiometry=reference.stoichiometry,
        constant=reference.constant,
    )


def _write_kinetic_law(parent: Element, law: KineticLaw) -> None:
    element = _element(parent, "kineticLaw")
    _with_math(element, law.math)
    _list(
        element,
        "LocalParameters",
        law.local_parameters,
        lambda parameters, p: _write_nothing(
            _element(parameters, "localParameter", id=p.id, name=p.name, value=p.value, units=p.units)
        ),
    )


def _write_event(parent: Element, event: Event) -> None:
    element = _element(
        parent,
        "event",
        id=event.id,
        name=event.name,
        useValuesFromTriggerTime=event.use_values_from_trigger_time,
    )
    trigger = event.trigger
    _with_math(
        _element(element, "trigger", initialValue=trigger.initial_value, persistent=trigger.persistent), trigger.math
    )
    if event.priority is not None:
        _with_math(_element(element, "priority"), event.priority)
    if event.delay is not None:
        _with_math(_element(element, "delay"), event.delay)
    _list(
        element,
        "EventAssignments",
        event.assignments,
        lambda inside, a: _with_math(_element(inside, "eventAssignment", variable=a.variable), a.math),
    )
