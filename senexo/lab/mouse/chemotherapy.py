"""The kill hazard of chemotherapy in a mouse: doses, concentrations in plasma, and their effect, agent by agent.

Hazards of the agents of a regimen add. Over an interval of the mouse's clock the hazard is its mean.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from senexo.engine.pk.course import course
from senexo.engine.pk.events import Event
from senexo.lab.exposure import compartments_of, kill_per_day
from senexo.study import agents
from senexo.study.agents import BODIES, CHEMOTHERAPY

Floats = NDArray[np.float64]
EVERY_H, FINE_H, EDGES_H = 24.0, 0.05, 6.0
HALF_LIVES = 10.0  # after the last dose, in which a hazard is followed


def edges(regimen: str, values: Mapping[str, float]) -> Floats:
    """Hours after the beginning between which the hazard of a regimen is constant."""
    last = max(
        EVERY_H * (count - 1) + HALF_LIVES * values[f"{agent}_half_life"] for agent, _, count in CHEMOTHERAPY[regimen]
    )
    return np.arange(0.0, last + EDGES_H, EDGES_H)


def kill(regimen: str, values: Mapping[str, float], between: Floats) -> Floats:
    """Mean hazard per hour of cycling cells [intervals] between hours after the beginning (those below 0: none)."""
    end = edges(regimen, values)[-1]
    fine = np.arange(0.0, end + FINE_H, FINE_H)
    integral = np.zeros(len(fine))
    for agent, per_kg, count in CHEMOTHERAPY[regimen]:
        own = {name: np.array([values[f"{agent}_{name}"]]) for name in agents.of(agent, "mouse")}
        dose = Event(0.0, amt=per_kg * BODIES["mouse"].weight_kg, ii=EVERY_H, addl=count - 1)
        concentration = course(compartments_of(agent, "mouse", own), [dose], fine).concentration
        hazard = kill_per_day(concentration * 1e3 / own["molar_mass"], own)[0] / 24.0
        integral[1:] += np.cumsum(0.5 * (hazard[1:] + hazard[:-1]) * FINE_H)
    return np.diff(np.interp(between, fine, integral)) / np.diff(between)
