"""What Level 2 says in ways that libSBML's conversion to Level 3 does not get right by itself."""

from __future__ import annotations

import math
from dataclasses import replace

import libsbml

from senexo.model.expression import Call, Number
from senexo.model.mathml_read import formula_of
from senexo.model.network import Event
from senexo.model.sbml_tree import FreshIds, each


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
