"""What is refused before a model is read: not SBML, not valid, or beyond what senexo does."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

import libsbml

from senexo.base.errors import InvalidModel, UnsupportedFeature
from senexo.base.sandbox import Scan
from senexo.model.expression import Expression, Invoke, walk
from senexo.model.network import Network
from senexo.model.sbml_tree import each

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


def check_root(scan: Scan) -> None:
    """Refuse what is not SBML."""
    namespace, _, name = scan.root.rpartition("|")
    if name != "sbml" or not namespace.startswith("http://www.sbml.org/sbml/level"):
        raise InvalidModel(f"not an SBML file: the outermost element is <{name:.40}>, expected <sbml>")


def raise_errors(document: libsbml.SBMLDocument) -> None:
    """Raise InvalidModel with the errors that libSBML has logged, if there are any."""
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


def check(document: libsbml.SBMLDocument) -> None:
    """libSBML's own validation: identifiers, formulas, references, attributes."""
    _validate(document, libsbml.LIBSBML_CAT_IDENTIFIER_CONSISTENCY, libsbml.LIBSBML_CAT_MATHML_CONSISTENCY)
    # Its general checks look for circles in a way that takes minutes for a chain of a thousand rules. They get a
    # copy whose rules hold no names; `refuse_circles` looks for circles instead.
    copy = document.clone()
    for element in (*each(copy.getModel(), "Rules"), *each(copy.getModel(), "InitialAssignments")):
        if element.isSetMath():
            element.setMath(_ZERO)
    _validate(copy, libsbml.LIBSBML_CAT_GENERAL_CONSISTENCY)


def _validate(document: libsbml.SBMLDocument, *wanted: int) -> None:
    for category in _CATEGORIES:
        document.setConsistencyChecks(category, category in wanted)
    document.checkConsistency()
    raise_errors(document)


def refuse_recursion(model: libsbml.Model) -> None:
    """Refuse functions that are defined by themselves, by way of others too; libSBML's validation never ends there."""
    calls: dict[str, list[str]] = {}
    for function in each(model, "FunctionDefinitions"):
        names, ahead = set(), [function.getBody()] if function.isSetMath() and function.getBody() else []
        while ahead:
            node = ahead.pop()
            if node.getType() == libsbml.AST_FUNCTION:
                names.add(node.getName())
            ahead.extend(node.getChild(number) for number in range(node.getNumChildren()))
        calls[function.getId()] = sorted(names)
    try:
        TopologicalSorter(calls).prepare()
    except CycleError as error:
        circle = " -> ".join(error.args[1][::-1])
        raise InvalidModel(f"circular function definition: {circle}; a function may only use others") from None


def refuse_features(model: libsbml.Model) -> None:
    """The features that senexo does not have, looked for before anything is converted away."""
    plugin = model.getPlugin("fbc")
    if plugin is not None and plugin.getNumObjectives() > 0:
        raise UnsupportedFeature("package fbc", "the model is an optimisation of fluxes, not a course in time")


def refuse_unknown_functions(network: Network) -> None:
    """A function that is none: in Level 2 Version 1 libSBML accepts the name of any quantity in its place."""
    known = {function.id for function in network.function_definitions}
    for where, formula in _formulas(network):
        for node in walk(formula) if formula is not None else ():
            if isinstance(node, Invoke) and node.function not in known:
                raise InvalidModel(f"{where}: {node.function} is used as a function; there is no function of that name")


def _formulas(network: Network) -> Iterator[tuple[str, Expression | None]]:
    for function in network.function_definitions:
        yield f"function {function.id}", function.body
    for assignment in network.initial_assignments:
        yield f"initial assignment of {assignment.symbol}", assignment.math
    for rule in network.rules:
        yield f"rule of {rule.variable}", rule.math
    for algebraic in network.algebraic_rules:
        yield "algebraic rule", algebraic.math
    for reaction in network.reactions:
        if reaction.kinetic_law is not None:
            yield f"reaction {reaction.id}", reaction.kinetic_law.math
    for event in network.events:
        for math in (event.trigger.math, event.delay, event.priority, *(item.math for item in event.assignments)):
            yield f"event {event.id}", math
