"""A network as SBML Level 3 Version 2 Core text; with fast reactions, which that no longer has, Version 1.

Written with the standard library alone: libSBML writes floats with 15 digits, which would not read back equal.
Source: SBML Level 3 Version 2 Core, doi 10.1515/jib-2017-0080.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeVar
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from senexo.model.expression import Expression
from senexo.model.mathml_write import lambda_element, math_element
from senexo.model.network import (
    Compartment,
    Event,
    FunctionDefinition,
    Network,
    Parameter,
    Reaction,
    Species,
    SpeciesReference,
    UnitDefinition,
)

_CORE = "http://www.sbml.org/sbml/level3/version{}/core"
_LENT = "http://www.sbml.org/sbml/level3/version1/l3v2extendedmath/version1"
_VERSION_2 = {"max", "min", "rem", "quotient", "implies"}  # elements of MathML that Version 1 lacks
_RATE = "http://www.sbml.org/sbml/symbols/rateOf"
T = TypeVar("T")


def to_sbml(network: Network) -> str:
    """The network as SBML Level 3 Core; `load` of this text gives an equal network.

    Version 2; a network with fast reactions is written as Version 1, with the package l3v2extendedmath where its
    formulas need functions of Version 2.

    >>> "level3/version2" in to_sbml(Network("m"))
    True
    """
    version = 1 if any(reaction.fast for reaction in network.reactions) else 2
    root = Element("sbml", xmlns=_CORE.format(version), level="3", version=str(version))
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
    for inside, function in _listed(model, "FunctionDefinitions", network.function_definitions):
        _write_function(inside, function)
    for inside, definition in _listed(model, "UnitDefinitions", network.unit_definitions):
        _write_unit_definition(inside, definition)
    for inside, compartment in _listed(model, "Compartments", network.compartments):
        _write_compartment(inside, compartment)
    for inside, species in _listed(model, "Species", network.species):
        _write_species(inside, species)
    for inside, parameter in _listed(model, "Parameters", network.parameters):
        _write_parameter(inside, "parameter", parameter)
    for inside, assignment in _listed(model, "InitialAssignments", network.initial_assignments):
        _with_math(_element(inside, "initialAssignment", symbol=assignment.symbol), assignment.math)
    for inside, rule in _listed(model, "Rules", network.rules):
        _with_math(_element(inside, f"{rule.kind}Rule", variable=rule.variable), rule.math)
    rules = model.find("listOfRules")
    for inside, algebraic in _listed(model, "Rules", network.algebraic_rules, rules):
        _with_math(_element(inside, "algebraicRule"), algebraic.math)
    for inside, reaction in _listed(model, "Reactions", network.reactions):
        _write_reaction(inside, reaction, version)
    for inside, event in _listed(model, "Events", network.events):
        _write_event(inside, event)
    if version == 1 and any(element.tag in _VERSION_2 or _RATE in element.attrib.values() for element in root.iter()):
        root.set("xmlns:lent", _LENT)
        root.set("lent:required", "true")
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


def _listed(
    parent: Element, plural: str, items: tuple[T, ...], inside: Element | None = None
) -> Iterator[tuple[Element, T]]:
    """Each item with the listOf element that is to hold it (`inside`, or a new one; none is made without items)."""
    if items:
        inside = SubElement(parent, f"listOf{plural}") if inside is None else inside
        for item in items:
            yield inside, item


def _with_math(element: Element, formula: Expression | None) -> None:
    if formula is not None:
        element.append(math_element(formula))


def _write_function(parent: Element, function: FunctionDefinition) -> None:
    element = _element(parent, "functionDefinition", id=function.id, name=function.name)
    if function.arguments or function.body is not None:
        element.append(lambda_element(function.arguments, function.body))


def _write_unit_definition(parent: Element, definition: UnitDefinition) -> None:
    element = _element(parent, "unitDefinition", id=definition.id, name=definition.name)
    for units, f in _listed(element, "Units", definition.factors):
        _element(units, "unit", kind=f.kind, exponent=f.exponent, scale=f.scale, multiplier=f.multiplier)


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


def _write_parameter(parent: Element, tag: str, parameter: Parameter) -> None:
    """A `parameter`, or a `localParameter`, which has no attribute `constant`."""
    _element(
        parent,
        tag,
        id=parameter.id,
        name=parameter.name,
        value=parameter.value,
        units=parameter.units,
        constant=parameter.constant if tag == "parameter" else None,
    )


def _write_reaction(parent: Element, reaction: Reaction, version: int) -> None:
    element = _element(
        parent,
        "reaction",
        id=reaction.id,
        name=reaction.name,
        reversible=reaction.reversible,
        compartment=reaction.compartment,
        fast=reaction.fast if version == 1 else None,
    )
    for inside, reference in _listed(element, "Reactants", reaction.reactants):
        _write_reference(inside, reference)
    for inside, reference in _listed(element, "Products", reaction.products):
        _write_reference(inside, reference)
    for inside, modifier in _listed(element, "Modifiers", reaction.modifiers):
        _element(inside, "modifierSpeciesReference", species=modifier)
    if reaction.kinetic_law is not None:
        law = _element(element, "kineticLaw")
        _with_math(law, reaction.kinetic_law.math)
        for inside, parameter in _listed(law, "LocalParameters", reaction.kinetic_law.local_parameters):
            _write_parameter(inside, "localParameter", parameter)


def _write_reference(parent: Element, reference: SpeciesReference) -> None:
    _element(
        parent,
        "speciesReference",
        id=reference.id,
        species=reference.species,
        stoichiometry=reference.stoichiometry,
        constant=reference.constant,
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
    for inside, assignment in _listed(element, "EventAssignments", event.assignments):
        _with_math(_element(inside, "eventAssignment", variable=assignment.variable), assignment.math)
