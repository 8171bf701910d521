"""What older files say in ways that libSBML's conversion to Level 3 Version 2 does not get right by itself."""

from __future__ import annotations

import math
from dataclasses import replace

import libsbml

from senexo.model.expression import Call, Number
from senexo.model.mathml_read import formula_of
from senexo.model.network import Event
from senexo.model.sbml_tree import FreshIds, each

# What such an annotation holds: <symbols xmlns="http://sbml.org/annotations/symbols" definition=".../wiki/Derivative"/>
_DERIVATIVE = ("sbml.org/annotations/symbols", "wikipedia.org/wiki/Derivative")


def settle_stoichiometries(model: libsbml.Model) -> None:
    """Level 2's stoichiometryMath, made ready for the conversion, which gives it ids that may be taken already."""
    fresh = FreshIds(model)
    for reaction in each(model, "Reactions"):
        for reference in (*each(reaction, "Reactants"), *each(reaction, "Products")):
            if not reference.isSetStoichiometryMath():
                continue
            stoichiometry = formula_of(reference.getStoichiometryMath(), f"reaction {reaction.getId()}")
            if isinstance(stoichiometry, Number):
                reference.unsetStoichiometryMath()
                reference.setStoichiometry(stoichiometry.value)
            elif not reference.isSetId():
                reference.setId(fresh.take("stoichiometry"))


def delay_unit(event: libsbml.Event) -> float:
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
        (u.getMultiplier() * 10.0 ** u.getScale()) ** u.getExponentAsDouble() for u in each(definition, "Units")
    )


def in_model_time(event: Event, delay_unit: float) -> Event:
    """The event with its delay in the model's time unit."""
    if event.delay is None or delay_unit == 1.0:
        return event
    return replace(event, delay=Call("times", (Number(delay_unit), event.delay)))


def without_fast(model: libsbml.Model) -> set[str]:
    """Take the attribute `fast`, which Level 3 Version 2 lacks, from reactions; the ids of those that had it."""
    fast = [reaction for reaction in each(model, "Reactions") if reaction.isSetFast() and reaction.getFast()]
    for reaction in fast:
        reaction.setFast(False)
    return {reaction.getId() for reaction in fast}


def settle_rate_functions(model: libsbml.Model) -> None:
    """Functions that stand for rateOf by an annotation, as COPASI writes them, made the csymbol of L3V2."""
    definitions = model.getListOfFunctionDefinitions()
    annotated = [(f.getId(), f.getAnnotationString() or "") for f in each(model, "FunctionDefinitions")]
    stands = [id for id, annotation in annotated if all(part in annotation for part in _DERIVATIVE)]
    if not stands:
        return
    elements = model.getListOfAllElements()
    for number in range(elements.getSize()):
        element = elements.get(number)
        if not (getattr(element, "isSetMath", bool)() and element.getMath() is not None):
            continue
        math = element.getMath().deepCopy()
        ahead, changed = [math], False
        while ahead:
            node = ahead.pop()
            if node.getType() == libsbml.AST_FUNCTION and node.getName() in stands:
                node.setType(libsbml.AST_FUNCTION_RATE_OF)
                changed = True
            ahead.extend(node.getChild(k) for k in range(node.getNumChildren()))
        if changed:
            element.setMath(math)
    for id in stands:
        definitions.remove(id)
