"""SBML into a network, by way of libSBML; runs only in the parser's process (see `base.sandbox`).

Level 2 and Level 3 are read in all their versions: what older ones say in another way (stoichiometryMath,
built-in units, default attributes) libSBML translates to Level 3 Version 2. Level 1 loses defaults on that way.
Source: SBML Level 3 Version 2 Core, doi 10.1515/jib-2017-0080.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import libsbml

from senexo.base.errors import InvalidModel
from senexo.base.sandbox import scan_xml
from senexo.model.circles import refuse_circles
from senexo.model.expression import Symbol, rewrite
from senexo.model.mathml_read import formula, formula_of
from senexo.model.network import (
    AlgebraicRule,
    Compartment,
    Event,
    EventAssignment,
    FunctionDefinition,
    InitialAssignment,
    KineticLaw,
    Network,
    Parameter,
    Reaction,
    Rule,
    Species,
    SpeciesReference,
    Trigger,
    UnitDefinition,
    UnitFactor,
)
from senexo.model.plain import to_plain
from senexo.model.sbml_check import (
    check,
    check_root,
    raise_errors,
    refuse_features,
    refuse_recursion,
    refuse_unknown_functions,
)
from senexo.model.sbml_comp import flattened, uses_comp
from senexo.model.sbml_level2 import (
    delay_unit,
    in_model_time,
    settle_rate_functions,
    settle_stoichiometries,
    without_fast,
)
from senexo.model.sbml_text import prepared
from senexo.model.sbml_tree import FreshIds, each, known, optional

T = TypeVar("T")


def read_plain(data: bytes) -> list[Any]:
    """The network of an SBML file as plain data: the task that the parser's process runs."""
    return to_plain(read(data))


def read_bundle(data: bytes) -> list[Any]:
    """`read_plain` of JSON with the text of a file ("main"), and of the external files that it uses ("files")."""
    whole = json.loads(data)
    return to_plain(read(whole["main"].encode(), {place: text.encode() for place, text in whole["files"].items()}))


def read(data: bytes, files: Mapping[str, bytes] | None = None) -> Network:
    """The network of an SBML file, in UTF-8 and declared so.

    files: those that it uses by the package comp, by their path relative to its folder. Raises `InvalidModel` with line
    and reason for what is not valid SBML, and `UnsupportedFeature` for packages that change the mathematics.
    """
    check_root(scan_xml(data))
    document = libsbml.readSBMLFromString(prepared(data).decode())
    raise_errors(document)
    if document.getLevel() > 2 and uses_comp(document):
        document = flattened(document, files or {})
    if document.getLevel() < 2:
        raise InvalidModel("SBML Level 1 is not read; translate it to Level 2 or 3 first (libSBML's converter does)")
    if document.getModel() is None:
        raise InvalidModel("there is no <model> in it")
    refuse_features(document.getModel())
    refuse_recursion(document.getModel())
    check(document)
    settle_stoichiometries(document.getModel())
    delay_units = tuple(map(delay_unit, each(document.getModel(), "Events")))
    fast = without_fast(document.getModel())
    if not document.setLevelAndVersion(3, 2, False):
        raise_errors(document)
        raise InvalidModel("libSBML cannot translate it to SBML Level 3 Version 2")
    settle_rate_functions(document.getModel())
    network = _Reading(document.getModel()).network()
    network = replace(network, reactions=tuple(replace(r, fast=r.id in fast) for r in network.reactions))
    refuse_unknown_functions(network)
    refuse_circles(network)
    return replace(network, events=tuple(map(in_model_time, network.events, delay_units)))


class _Reading:
    """One L3V2 model on its way to a network."""

    def __init__(self, model: libsbml.Model) -> None:
        self.model = model
        self.fresh = FreshIds(model)

    def network(self) -> Network:
        model = self.model
        return Network(
            id=model.getId() or self.fresh.take("model"),
            name=optional(model, "Name"),
            substance_units=optional(model, "SubstanceUnits"),
            time_units=optional(model, "TimeUnits"),
            volume_units=optional(model, "VolumeUnits"),
            area_units=optional(model, "AreaUnits"),
            length_units=optional(model, "LengthUnits"),
            extent_units=optional(model, "ExtentUnits"),
            conversion_factor=optional(model, "ConversionFactor"),
            unit_definitions=self.all("UnitDefinitions", _unit_definition),
            function_definitions=self.all("FunctionDefinitions", _function),
            compartments=self.all("Compartments", _compartment),
            species=self.all("Species", _species),
            parameters=self.all("Parameters", _parameter),
            initial_assignments=self.all("InitialAssignments", _initial_assignment),
            rules=tuple(_rule(rule) for rule in each(model, "Rules") if not rule.isAlgebraic()),
            algebraic_rules=tuple(
                AlgebraicRule(formula_of(rule, "algebraic rule")) for rule in each(model, "Rules") if rule.isAlgebraic()
            ),
            reactions=self.all("Reactions", _reaction),
            events=self.all("Events", self.event),
        )

    def all(self, plural: str, build: Callable[[Any], T]) -> tuple[T, ...]:
        return tuple(build(element) for element in each(self.model, plural))

    def event(self, event: libsbml.Event) -> Event:
        id = event.getId() or self.fresh.take("event")
        where = f"event {id}"
        trigger = event.getTrigger()
        return Event(
            id=id,
            trigger=Trigger(
                formula_of(trigger, where),
                initial_value=trigger.getInitialValue() if trigger is not None else True,
                persistent=trigger.getPersistent() if trigger is not None else True,
            ),
            assignments=tuple(
                EventAssignment(a.getVariable(), formula_of(a, where)) for a in each(event, "EventAssignments")
            ),
            delay=formula_of(event.getDelay(), where),
            priority=formula_of(event.getPriority(), where),
            use_values_from_trigger_time=event.getUseValuesFromTriggerTime(),
            name=optional(event, "Name"),
        )


def _unit_definition(definition: libsbml.UnitDefinition) -> UnitDefinition:
    factors = tuple(
        UnitFactor(
            kind=libsbml.UnitKind_toString(unit.getKind()),
            exponent=unit.getExponentAsDouble(),
            scale=unit.getScale(),
            multiplier=unit.getMultiplier(),
        )
        for unit in each(definition, "Units")
    )
    return UnitDefinition(definition.getId(), factors, optional(definition, "Name"))


def _function(function: libsbml.FunctionDefinition) -> FunctionDefinition:
    body = function.getBody() if function.isSetMath() else None
    return FunctionDefinition(
        id=function.getId(),
        arguments=tuple(function.getArgument(i).getName() for i in range(function.getNumArguments())),
        body=None if body is None else formula(body, f"function {function.getId()}"),
        name=optional(function, "Name"),
    )


def _compartment(compartment: libsbml.Compartment) -> Compartment:
    return Compartment(
        id=compartment.getId(),
        size=known(compartment, "Size"),
        spatial_dimensions=(
            compartment.getSpatialDimensionsAsDouble() if compartment.isSetSpatialDimensions() else None
        ),
        units=optional(compartment, "Units"),
        constant=compartment.getConstant(),
        name=optional(compartment, "Name"),
    )


def _species(species: libsbml.Species) -> Species:
    return Species(
        id=species.getId(),
        compartment=species.getCompartment(),
        initial_amount=known(species, "InitialAmount"),
        initial_concentration=known(species, "InitialConcentration"),
        substance_units=optional(species, "SubstanceUnits"),
        has_only_substance_units=species.getHasOnlySubstanceUnits(),
        boundary_condition=species.getBoundaryCondition(),
        constant=species.getConstant(),
        conversion_factor=optional(species, "ConversionFactor"),
        name=optional(species, "Name"),
    )


def _parameter(parameter: Any) -> Parameter:
    return Parameter(
        id=parameter.getId(),
        value=known(parameter, "Value"),
        units=optional(parameter, "Units"),
        constant=parameter.getConstant(),
        name=optional(parameter, "Name"),
    )


def _initial_assignment(assignment: libsbml.InitialAssignment) -> InitialAssignment:
    symbol = assignment.getSymbol()
    return InitialAssignment(symbol, formula_of(assignment, f"initial assignment of {symbol}"))


def _rule(rule: libsbml.Rule) -> Rule:
    variable = rule.getVariable()
    return Rule("rate" if rule.isRate() else "assignment", variable, formula_of(rule, f"rule of {variable}"))


def _reference(reference: libsbml.SpeciesReference) -> SpeciesReference:
    return SpeciesReference(
        species=reference.getSpecies(),
        stoichiometry=optional(reference, "Stoichiometry"),
        id=optional(reference, "Id"),
        constant=reference.getConstant(),
    )


def _reaction(reaction: libsbml.Reaction) -> Reaction:
    reactants = tuple(map(_reference, each(reaction, "Reactants")))
    products = tuple(map(_reference, each(reaction, "Products")))
    modifiers = tuple(m.getSpecies() for m in each(reaction, "Modifiers"))
    law = reaction.getKineticLaw()
    taken = {r.species for r in reactants + products} | set(modifiers)
    return Reaction(
        id=reaction.getId(),
        reactants=reactants,
        products=products,
        modifiers=modifiers,
        kinetic_law=None if law is None else _kinetic_law(law, taken, f"reaction {reaction.getId()}"),
        reversible=reaction.getReversible(),
        compartment=optional(reaction, "Compartment"),
        name=optional(reaction, "Name"),
    )


def _kinetic_law(law: libsbml.KineticLaw, taken: set[str], where: str) -> KineticLaw:
    """The law; a local parameter named like a species of the reaction, which L3V2 no longer allows, is renamed."""
    body = formula_of(law, where)
    parameters = tuple(map(_parameter, each(law, "LocalParameters")))
    ids = {p.id for p in parameters}
    renamed = {id: _free(f"{id}_local", ids | taken) for id in sorted(ids & taken)}
    if renamed and body is not None:
        body = rewrite(body, lambda n: Symbol(renamed.get(n.id, n.id)) if isinstance(n, Symbol) else n)
    return KineticLaw(body, tuple(replace(p, id=renamed.get(p.id, p.id), constant=True) for p in parameters))


def _free(stem: str, taken: set[str]) -> str:
    while stem in taken:
        stem += "_"
    return stem
