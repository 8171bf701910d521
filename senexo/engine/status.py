"""Status codes of stochastic kernels, and the error each one stands for."""

from __future__ import annotations

from senexo.base.errors import Fault, InvalidInput, SenexoError, SimulationError, UnsupportedFeature
from senexo.engine.formula.network import Lowered

OK, NEGATIVE, NOT_A_NUMBER, DEPLETED, NOT_WHOLE, STOICHIOMETRY = 0, 1, 2, 3, 4, 5
TOO_LONG, CASCADE, DELAY, WAITING, STEPS, STOPPED = 6, 7, 8, 9, 10, 11
CUT, LOOK, FIRED = 12, 13, 14  # not an end: between parts of the kernel
TOO_MANY = 15
LARGEST = 2.0**53  # from here on floating point skips whole numbers: a molecule more or less changes nothing
ROOM, FULL, BELOW_HAZARD, THINNED = 20, 21, 22, 23  # of populations: more rows, more entries; THINNED: no event


def error(lowered: Lowered, code: int, index: int, time: float, run: int, most: int) -> SenexoError:
    """The error that says what happened; `index` is a reaction, slot or event, as the code has it."""
    where = f"in run {run} at time {time:g}"
    if code in (NEGATIVE, NOT_A_NUMBER, DEPLETED, TOO_LONG, STEPS):
        reaction = lowered.reactions[index].id if lowered.reactions else ""
        if code == NEGATIVE:
            return UnsupportedFeature(
                "a kinetic law that goes negative", f"reaction {reaction} {where}; write it as two one-way reactions"
            )
        if code == DEPLETED:
            return UnsupportedFeature(
                "a kinetic law that fires without enough reactant",
                f"reaction {reaction} {where} would leave a negative amount; its law must be 0 there",
            )
        if code == NOT_A_NUMBER:
            return SimulationError(f"the kinetic law of reaction {reaction} is not a finite number {where}")
        if code == TOO_LONG:
            return SimulationError(f"more than {most} reaction events {where}, the last one {reaction}")
        return SimulationError(f"the step size vanished while time-dependent rates were integrated, {where}")
    if code in (NOT_WHOLE, STOICHIOMETRY, TOO_MANY):
        species = lowered.slots[index].id
        if code == TOO_MANY:
            return UnsupportedFeature(
                "2^53 or more molecules",
                f"species {species} {where} would lose single molecules to rounding; use method 'ode', or a larger "
                "unit of substance",
            )
        if code == NOT_WHOLE:
            return UnsupportedFeature(
                "an amount that is not a whole number of molecules",
                f"species {species} {where}, in a stochastic run (a whole number, 0 or more)",
            )
        return UnsupportedFeature("a stoichiometry that is not whole", f"of species {species}, {where}")
    event = lowered.events[index].id
    if code == CASCADE:
        return SimulationError(f"events trigger each other without end {where}: event {event} and others")
    if code == DELAY:
        return SimulationError(f"event {event} {where}: its delay is not 0 or more")
    return SimulationError(f"too many events wait to be executed {where}, the last one {event}")


def reason(code: int, what: str, time: float, *, most_cells: int, most_events: int) -> str:
    """Why the run of a population ended before its time, as a label of the partial result; "" for one that did not.

    what: the channel that is to blame, "name of type". Raises `SenexoError` for what makes a result impossible.
    """
    if code == OK:
        return ""
    if code == ROOM:
        return f"more than {most_cells} cells at time {time:g}"
    if code == TOO_LONG:
        return f"more than {most_events} events at time {time:g}"
    if code == TOO_MANY:
        return f"more than 2^53 cells, or copies in the medium, at time {time:g}"
    if code == STOPPED:
        return f"stopped at time {time:g}"
    where = f"{what} at time {time:g}"
    if code == DEPLETED:
        raise UnsupportedFeature(
            "a kinetic law that fires without enough reactant", f"{where}; its law must be 0 where a reactant is short"
        )
    if code == BELOW_HAZARD:
        raise InvalidInput(
            [Fault(f"fate {where}", "a hazard that is negative or above its bound", "0 <= hazard <= bound")]
        )
    if code == NEGATIVE:
        raise SimulationError(f"a propensity is negative or no finite number, {where}")
    raise AssertionError(f"a run of a population does not end with code {code}")
