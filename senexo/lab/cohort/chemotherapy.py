"""Courses of chemotherapy of patients: hazard of cycling cells and effect on blood, from concentrations in plasma.

Induction (7+3): cytarabine 200 mg/m2 a day for seven days, daunorubicin 60 mg/m2 on three days. Consolidation:
cytarabine 3 g/m2 over 3 h twice on days 1, 3 and 5. Patients differ in the clearance of cytarabine; the other numbers
are the central ones of `study/agents.csv`. Hazards of the two agents add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from senexo.engine.host.patient import STEP_D
from senexo.engine.pk.course import course
from senexo.engine.pk.events import Event
from senexo.lab.exposure import compartments_of, kill_per_day
from senexo.study import agents
from senexo.study.agents import BODIES

if TYPE_CHECKING:
    from senexo.study.agents import Agent

Floats = NDArray[np.float64]
HOURS, EVERY_H, CHUNK = 240.0, 0.5, 500
SURFACE = BODIES["patient"].surface_m2
INDUCTION: dict[Agent, list[Event]] = {
    "cytarabine": [Event(0.0, amt=7 * 200.0 * SURFACE, rate=200.0 * SURFACE / 24.0)],
    "daunorubicin": [Event(0.0, amt=60.0 * SURFACE, ii=24.0, addl=2)],
}
CONSOLIDATION: dict[Agent, list[Event]] = {
    "cytarabine": [
        Event(hour, amt=3000.0 * SURFACE, rate=1000.0 * SURFACE) for hour in (0.0, 12.0, 48.0, 60.0, 96.0, 108.0)
    ],
}


def courses(clearance: Floats, saturation: float) -> tuple[Floats, Floats]:
    """[n, 2, steps] of induction and consolidation in steps of a patient: the mean kill hazard per day of cycling
    cells, and ln(1 + uM of cytarabine), the latter up to `saturation`.

    clearance: [n] of cytarabine, over the central value.
    """
    parts = [_courses(clearance[at : at + CHUNK], saturation) for at in range(0, len(clearance), CHUNK)]
    return np.concatenate([kill for kill, _ in parts]), np.concatenate([blood for _, blood in parts])


def _courses(clearance: Floats, saturation: float) -> tuple[Floats, Floats]:
    times = np.arange(0.0, HOURS + EVERY_H, EVERY_H)
    steps = int(HOURS / (24.0 * STEP_D))
    kills, blood = (np.zeros((len(clearance), 2, steps)) for _ in range(2))
    for number, regimen in enumerate((INDUCTION, CONSOLIDATION)):
        for agent, events in regimen.items():
            known = {name: np.array([one.value]) for name, one in agents.of(agent, "patient").items()}
            if agent == "cytarabine":
                known["clearance"] = known["clearance"] * clearance
                known["half_life"] = known["half_life"] / clearance  # the volume is the same
            found = course(compartments_of(agent, "patient", known), events, times).concentration
            micromolar = found * 1e3 / known["molar_mass"][:, None]
            kills[:, number] += _means(kill_per_day(micromolar, known), steps)
            if agent == "cytarabine":
                blood[:, number] = _means(np.log1p(np.minimum(micromolar, saturation)), steps)
    return kills, blood


def _means(values: Floats, steps: int) -> Floats:
    """[hosts, steps] means by the trapezoidal rule of values [hosts, times]."""
    between = 0.5 * (values[:, 1:] + values[:, :-1])
    return np.asarray(between.reshape(len(values), steps, -1).mean(axis=2))
