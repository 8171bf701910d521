"""How a run of a population can end."""

from __future__ import annotations

from senexo.base.errors import Fault, InvalidInput, SimulationError, UnsupportedFeature
from senexo.engine.population.kernel import BELOW_HAZARD, ROOM
from senexo.engine.population.tables import Plan
from senexo.engine.status import DEPLETED, OK, STOPPED, TOO_LONG


def reason(plan: Plan, code: int, channel: int, time: float, *, most_cells: int, most_events: int) -> str:
    """Why a run ended before its time, as a label of the partial result; "" for one that did not.

    Raises `SenexoError` for what makes a result impossible.
    """
    if code == OK:
        return ""
    if code == ROOM:
        return f"more than {most_cells} cells at time {time:g}"
    if code == TOO_LONG:
        return f"more than {most_events} events at time {time:g}"
    if code == STOPPED:
        return f"stopped at time {time:g}"
    where = f"{plan.channels[channel].name} of {plan.channels[channel].type} at time {time:g}"
    if code == DEPLETED:
        raise UnsupportedFeature(
            "a kinetic law that fires without enough reactant", f"{where}; its law must be 0 where a reactant is short"
        )
    if code == BELOW_HAZARD:
        raise InvalidInput(
            [Fault(f"fate {where}", "a hazard that is negative or above its bound", "0 <= hazard <= bound")]
        )
    raise SimulationError(f"a propensity is negative or no finite number, {where}")
