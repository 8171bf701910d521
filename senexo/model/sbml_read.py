"""SBML into a network, by way of libSBML; runs only in the parser's process (see `base.sandbox`).

Level 2 and Level 3 are read in all their versions: what older ones say in another way (stoichiometryMath,
built-in units, default attributes) libSBML translates to Level 3 Version 2. Level 1 loses defaults on that way.
Source: SBML Level 3 Version 2 Core, doi 10.1515/jib-2017-0080.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any, TypeVar

import libsbml

from senexo.base.errors import InvalidModel, UnsupportedFeature
from senexo.base.sandbox import Scan, scan_xml
from senexo.model.circles import refuse_circles
from senexo.model.expression import Call, Expression, Number, Symbol, rewrite
from senexo.model.mathml_read import formula
from senexo.model.network import (
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

# Packages that only draw, group or describe; and functions of L3V2 lent to L3V1, which core reads anyway.
_HARMLESS = {"layout", "render", "groups", "l3v2extendedmath"}

# Breaches of SBML that touch no number: dangling names of units (case 00959 of the test suite has one), units
# redefined, lists left empty (allowed from L3V2 on), and what stands in notes, annotations and metaids.
_FORGIVEN = {
    libsbml.DanglingUnitReference,
    libsbml.InvalidSubstanceRedefinition,
    libsbml.InvalidLengthRedefinition,
    libsbml.InvalidAreaRedefinition,
    libsbml.InvalidTimeRedefinition,
    libsbml.InvalidVolumeRedefinition,
    libsbml.EmptyListElement,
    libsbml.EmptyListOfUnits,
    libsbml.EmptyListInReaction,
    libsbml.EmptyListInKineticLaw,
    libsbml.NoReactantsOrProducts,
    libsbml.DuplicateMetaId,
    libsbml.InvalidMetaidSyntax,
    libsbml.InvalidSBOTermSyntax,
    libsbml.MissingAnnotationNamespace,
    libsbml.DuplicateAnnotationNamespaces,
    libsbml.SBMLNamespaceInAnnotation,
    libsbml.NotesNotInXHTMLNamespace,
    libsbml.NotesContainsXMLDecl,
    libsbml.InvalidNotesContent,
    libsbml.OnlyOneNotesElementAllowed,
}

_CATEGORIES = (
    libsbml.LIBSBML_CAT_GENERAL_CONSISTENCY,
    libsbml.LIBSBML_CAT_IDENTIFIER_CONSISTENCY,
    libsbml.LIBSBML_CAT_UNITS_CONSISTENCY,
    libsbml.LIBSBML_CAT_MATHML_CONSISTENCY,
    libsbml.LIBSBML_CAT_SBO_CONSISTENCY,
    libsbml.LIBSBML_CAT_OVERDETERMINED_MODEL,
    libsbml.LIBSBML_CAT_MODELING_PRACTICE,
)
_ZERO = libsbml.parseL3Formula("0")

_MOST_ERRORS_SHOWN = 5
_LONGEST_MESSAGE = 300

T = TypeVar("T")


def read_plain(data: bytes) -> list[Any]:
    """The network of an SBML file as plain data: the task that the parser's process runs."""
    return to_plain(read(data))


def read(data: bytes) -> Network:
    """The network of an SBML file, in UTF-8 and declared so.

    Raises `InvalidModel` with line and reason for what is not valid SBML, and `UnsupportedFeature` for
    algebraic rules, fast reactions, ``delay()`` and packages that change the mathematics.
    """
    check_root(scan_xml(data))
    document = libsbml.readSBMLFromString(data.decode())
    _raise_errors(document)
    if document.getLevel() < 2:
        raise InvalidModel("SBML Level 1 is not read; translate it to Level 2 or 3 first (libSBML's converter does)")
    if document.getModel() is None:
        raise InvalidModel("there is no <model> in it")
    _refuse(document.getModel())
    _check(document)
    _settle_stoichiometries(document.getModel())
    delay_units = tuple(map(_delay_unit, _each(document.getModel(), "Events")))
    if not document.setLevelAndVersion(3, 2, False):
        _raise_errors(document)
        raise InvalidModel("libSBML cannot translate it to SBML Level 3 Version 2")
    network = _Reading(document.getModel()).network()
    refuse_circles(network)
    return replace(network, events=tuple(map(_in_model_time, network.events, delay_units)))


def check_root(scan: Scan) -> None:
    """Refuse what is not SBML, and packages that change the mathematics, by their declaration alone."""
    namespace, _, name = scan.root.rpartition("|")
    if name != "sbml" or not namespace.startswith("http://www.sbml.org/sbml/level"):
        raise InvalidModel(f"not an SBML file: the outermost element is <{name:.40}>, expected <sbml>")
    for attribute, value in scan.attributes.items():
        package, _, local = attribute.rpartition("|")
        if local == "required" and package and value.strip() in ("true", "1"):
            short = package.removeprefix("http://www.sbml.org/sbml/level3/version1/").split("/")[0]
            if short not in _HARMLESS:
                raise UnsupportedFeature(f"package {short}", "it changes the mathematics of the model")


def _raise_errors(document: libsbml.SBMLDocument) -> None:
    log = [document.getError(i) for i in range(document.getNumErrors())]
    errors = [e for e in log if e.getSeverity() >= libsbml.LIBSBML_SEV_ERROR and e.getErrorId() not in _FORGIVEN]
    if not errors:
        return
    lines = [f"line {e.getLine()}: {_wording(e)}" for e in errors[:_MOST_ERRORS_SHOWN]]
    if len(errors) > len(lines):
        lines.append(f"... and {len(errors) - len(lines)} more")
    raise InvalidModel("\n".join(lines))


def _wording(error: libsbml.SBMLError) -> str:
    """What is wrong with this file, if libSBML says it, rather than the rule in general, which it puts first."""
    general, _, rest = " ".join(error.getMessage().split()).partition(" Reference: ")
    section, _, particular = rest.partition(" Section ")
    number, _, particular = particular.partition(" ")
    if not particular.strip(". "):
        return general[:_LONGEST_MESSAGE]
    return f"{error.getShortMessage()}: {particular.strip()} ({section} section {number})"


def _check(document: libsbml.SBMLDocument) -> None:
    """libSBML's own validation: identifiers, formulas, references, attributes."""
    _validate(document, libsbml.LIBSBML_CAT_IDENTIFIER_CONSISTENCY, libsbml.LIBSBML_CAT_MATHML_CONSISTENCY)
    # Its general checks look for circles in a way that takes minutes for a chain of a thousand rules. They get a
    # copy whose rules hold no names; `refuse_circles` looks for circles instead.
    copy = document.clone()
    for element in (*_each(copy.getModel(), "Rules"), *_each(copy.getModel(), "InitialAssignments")):
        if element.isSetMath():
            element.setMath(_ZERO)
    _validate(copy, libsbml.LIBSBML_CAT_GENERAL_CONSISTENCY)


def _validate(document: libsbml.SBMLDocument, *wanted: int) -> None:
    for category in _CATEGORIES:
        document.setConsistencyChecks(category, category in wanted)
    document.checkConsistency()
    _raise_errors(document)


def _refuse(model: libsbml.Model) -> None:
    """The features that senexo does not have, looked for before anything is converted away."""
    for rule in _each(model, "Rules"):
        if rule.isAlgebraic():
            raise UnsupportedFeature("algebraic rule", f"line {rule.getLine()}")
    for reaction in _each(model, "Reactions"):
        if reaction.isSetFast() and reaction.getFast():
            raise UnsupportedFeature("fast reaction", f"reaction {reaction.getId()}, line {reaction.getLine()}")
    plugin = model.getPlugin("fbc")
    if plugin is not None and plugin.getNumObjectives() > 0:
        raise UnsupportedFeature("package fbc", "the model asks for an optimal flux, not for a course in time")


def _settle_stoichiometries(model: libsbml.Model) -> None:
    """Level 2's stoichiometryMath, made ready for the conversion, which gives it ids that may be taken already."""
    taken = {e.getId() for e in _everything(model) if e.isSetId()}
    numbers = count(1)
    for reaction in _each(model, "Reactions"):
        for reference in (*_each(reaction, "Reactants"), *_each(reaction, "Products")):
            if not reference.isSetStoichiometryMath():
                continue
            stoichiometry = _math(reference.getStoichiometryMath(), f"reaction {reaction.getId()}")
            if isinstance(stoichiometry, Number):
                reference.unsetStoichiometryMath()
                reference.setStoichiometry(stoichiometry.value)
            elif not reference.isSetId():
                reference.setId(_fresh("stoichiometry", numbers, taken))


def _fresh(stem: str, numbers: Iterator[int], taken: set[str]) -> str:
    """An id that nothing in the model has."""
    id = next(id for number in numbers if (id := f"{stem}_{number}") not in taken)
    taken.add(id)
    return id


def _delay_unit(event: libsbml.Event) -> float:
    """How many of the model's time units one unit of the delay is: L2V1 and L2V2 let an event have its own."""
    if not event.getTimeUnits():
        return 1.0
    model = event.getModel()
    return _seconds(model, event.getTimeUnits()) / _seconds(model, "time")


def _seconds(model: libsbml.Model, unit: str) -> float:
    definition = model.getUnitDefinition(unit)
    if definition is None:
        return 1.0  # the built-in units `second`, and `time` where the model does not redefine it
    return math.prod(
        (u.getMultiplier() * 10.0 ** u.getScale()) ** u.getExponentAsDouble() for u in _each(definition, "Units")
    )


def _in_model_time(event: Event, delay_unit: float) -> Event:
    if event.delay is None or delay_unit == 1.0:
        return event
    return replace(event, delay=Call("times", (Number(delay_unit), event.delay)))


def _each(parent: Any, plural: str) -> Iterable[Any]:
    """The elements of a listOf."""
    items = getattr(parent, f"getListOf{plural}")()
    return (items.get(i) for i in range(items.size()))


def _optional(element: Any, name: str) -> Any:
    """An attribute's value, None where it is not set."""
    return getattr(element, f"get{name}")() if getattr(element, f"isSet{name}")() else None


def _known(element: Any, name: str) -> float | None:
    """A number's value; in SBML NaN and a value left out both mean that it is not known."""
    value = _optional(element, name)
    return None if value is None or math.isnan(value) else value


def _math(element: Any, where: str) -> Expression | None:
    tree = element.getMath() if element is not None and element.isSetMath() else None
    return None if tree is None else formula(tree, where)


class _Reading:
    """One L3V2 model on its way to a network."""

    def __init__(self, model: libsbml.Model) -> None:
        self.model = model
        self.taken = {e.getId() for e in _everything(model) if e.isSetId()}
        self.numbers = count(1)

    def network(self) -> Network:
        model = self.model
        return Network(
            id=model.getId() or _fresh("model", self.numbers, self.taken),
            name=_optional(model, "Name"),
            substance_units=_optional(model, "SubstanceUnits"),
            time_units=_optional(model, "TimeUnits"),
            volume_units=_optional(model, "VolumeUnits"),
            area_units=_optional(model, "AreaUnits"),
            length_units=_optional(model, "LengthUnits"),
            extent_units=_optional(model, "ExtentUnits"),
            conversion_factor=_optional(model, "ConversionFactor"),
            unit_definitions=self.all("UnitDefinitions", _unit_definition),
            function_definitions=self.all("FunctionDefinitions", _function),
            compartments=self.all("Compartments", _compartment),
            species=self.all("Species", _species),
            parameters=self.all("Parameters", _parameter),
            initial_assignments=self.all("InitialAssignments", _initial_assignment),
            rules=self.all("Rules", _rule),
            reactions=self.all("Reactions", _reaction),
            events=self.all("Events", self.event),
        )

    def all(self, plural: str, build: Callable[[Any], T]) -> tuple[T, ...]:
        return tuple(build(element) for element in _each(self.model, plural))

    def event(self, event: libsbml.Event) -> Event:
        id = event.getId() or _fresh("event", self.numbers, self.taken)
        where = f"event {id}"
        trigger = event.getTrigger()
        return Event(
            id=id,
            trigger=Trigger(
                _math(trigger, where),
                initial_value=trigger.getInitialValue() if trigger is not None else True,
                persistent=trigger.getPersistent() if trigger is not None else True,
            ),
            assignments=tuple(
                EventAssignment(a.getVariable(), _math(a, where)) for a in _each(event, "EventAssignments")
            ),
            delay=_math(event.getDelay(), where),
            priority=_math(event.getPriority(), where),
            use_values_from_trigger_time=event.getUseValuesFromTriggerTime(),
            name=_optional(event, "Name"),
        )


def _everything(model: libsbml.Model) -> Iterable[Any]:
    elements = model.getListOfAllElements()
    return (elements.get(i) for i in range(elements.getSize()))


def _unit_definition(definition: libsbml.UnitDefinition) -> UnitDefinition:
    factors = tuple(
        UnitFactor(
            kind=libsbml.UnitKind_toString(unit.getKind()),
            exponent=unit.getExponentAsDouble(),
            scale=unit.getScale(),
            multiplier=unit.getMultiplier(),
        )
        for unit in _each(definition, "Units")
    )
    return UnitDefinition(definition.getId(), factors, _optional(definition, "Name"))


def _function(function: libsbml.FunctionDefinition) -> FunctionDefinition:
    body = function.getBody() if function.isSetMath() else None
    return FunctionDefinition(
        id=function.getId(),
        arguments=tuple(function.getArgument(i).getName() for i in range(function.getNumArguments())),
        body=None if body is None else formula(body, f"function {function.getId()}"),
        name=_optional(function, "Name"),
    )


def _compartment(compartment: libsbml.Compartment) -> Compartment:
    return Compartment(
        id=compartment.getId(),
        size=_known(compartment, "Size"),
        spatial_dimensions=(
            compartment.getSpatialDimensionsAsDouble() if compartment.isSetSpatialDimensions() else None
        ),
        units=_optional(compartment, "Units"),
        constant=compartment.getConstant(),
        name=_optional(compartment, "Name"),
    )


def _species(species: libsbml.Species) -> Species:
    return Species(
        id=species.getId(),
        compartment=species.getCompartment(),
        initial_amount=_known(species, "InitialAmount"),
        initial_concentration=_known(species, "InitialConcentration"),
        substance_units=_optional(species, "SubstanceUnits"),
        has_only_substance_units=species.getHasOnlySubstanceUnits(),
        boundary_condition=species.getBoundaryCondition(),
        constant=species.getConstant(),
        conversion_factor=_optional(species, "ConversionFactor"),
        name=_optional(species, "Name"),
    )


def _parameter(parameter: Any) -> Parameter:
    return Parameter(
        id=parameter.getId(),
        value=_known(parameter, "Value"),
        units=_optional(parameter, "Units"),
        constant=parameter.getConstant(),
        name=_optional(parameter, "Name"),
    )


def _initial_assignment(assignment: libsbml.InitialAssignment) -> InitialAssignment:
    symbol = assignment.getSymbol()
    return InitialAssignment(symbol, _math(assignment, f"initial assignment of {symbol}"))


def _rule(rule: libsbml.Rule) -> Rule:
    variable = rule.getVariable()
    return Rule("rate" if rule.isRate() else "assignment", variable, _math(rule, f"rule of {variable}"))


def _reference(reference: libsbml.SpeciesReference) -> SpeciesReference:
    return SpeciesReference(
        species=reference.getSpecies(),
        stoichiometry=_optional(reference, "Stoichiometry"),
        id=_optional(reference, "Id"),
        constant=reference.getConstant(),
    )


def _reaction(reaction: libsbml.Reaction) -> Reaction:
    reactants = tuple(map(_reference, _each(reaction, "Reactants")))
    products = tuple(map(_reference, _each(reaction, "Products")))
    modifiers = tuple(m.getSpecies() for m in _each(reaction, "Modifiers"))
    law = reaction.getKineticLaw()
    taken = {r.species for r in reactants + products} | set(modifiers)
    return Reaction(
        id=reaction.getId(),
        reactants=reactants,
        products=products,
        modifiers=modifiers,
        kinetic_law=None if law is None else _kinetic_law(law, taken, f"reaction {reaction.getId()}"),
        reversible=reaction.getReversible(),
        compartment=_optional(reaction, "Compartment"),
        name=_optional(reaction, "Name"),
    )


def _kinetic_law(law: libsbml.KineticLaw, taken: set[str], where: str) -> KineticLaw:
    """The law; a local parameter named like a species of the reaction, which L3V2 no longer allows, is renamed."""
    body = _math(law, where)
    parameters = tuple(map(_parameter, _each(law, "LocalParameters")))
    ids = {p.id for p in parameters}
    renamed = {id: _free(f"{id}_local", ids | taken) for id in sorted(ids & taken)}
    if renamed and body is not None:
        body = rewrite(body, lambda n: Symbol(renamed.get(n.id, n.id)) if isinstance(n, Symbol) else n)
    return KineticLaw(body, tuple(replace(p, id=renamed.get(p.id, p.id), constant=True) for p in parameters))


def _free(stem: str, taken: set[str]) -> str:
    while stem in taken:
        stem += "_"
    return stem
