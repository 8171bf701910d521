"""What a course of chemotherapy adds for stem cells, by level of miR-34c-5p and p53: tables from the circuit.

Nothing else connects the level with an outcome. For each level of a grid, with p53 as it is or without it, the circuits
of an arm's cells are followed while p53 is raised by the damage of a course; the hazards that they have more than
untreated cells of the same level and p53 are the table's row. Between levels of the grid a patient's hazards are linear
in the logarithm of the level; beyond its ends they are those of the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from senexo.engine.host.patient import COURSE_D, STEP_D
from senexo.lab.lone.hazards import CellHazards, excess, of_cells
from senexo.study.schema import Action

if TYPE_CHECKING:
    from senexo.lab.lone.simulator import CellSimulator
    from senexo.model.circuit import Circuit
    from senexo.study.schema import Arm

Floats = NDArray[np.float64]
LEVELS = (1 / 64, 1 / 16, 1 / 4, 1.0, 4.0, 16.0)  # over the circuit's own
DAY_H, STEP_H = 24.0, 24.0 * STEP_D
MIRNA, GENE = "miR-34c-5p", "p53"


def of_patient(arm: Arm, circuit: Circuit, level: float, *, mutated: bool) -> Arm:
    """An arm as it is in a patient with this level, and without p53 where it is mutated."""
    (target,) = (one.target for one in circuit.handles if (one.name, one.verb, one.unit) == (MIRNA, "express", "fold"))
    own = [Action(target=target, operation="multiply", value=level, verb="level", of=MIRNA)]
    if mutated:
        own += [
            Action(target=one.target, operation="set", value=float(one.value), verb=one.verb, of=GENE)
            for one in circuit.handles
            if (one.name, one.verb) == (GENE, "knock_out")
        ]
    return arm.model_copy(update={"genotype": (*arm.genotype, *own)})


def damaged(arm: Arm, circuit: Circuit, factor: float, days: float) -> Arm:
    """An arm whose p53 is raised by `factor` from hour 0 on for some days; where there is none it stays so."""
    (target,) = (one.target for one in circuit.handles if (one.name, one.verb) == (GENE, "knock_out"))
    course = [
        Action(time_h=hour, target=target, operation="multiply", value=value, verb="damage", of=GENE)
        for hour, value in ((0.0, factor), (days * DAY_H, 1.0 / factor))
    ]
    return arm.model_copy(update={"schedule": tuple(sorted((*arm.schedule, *course), key=lambda one: one.time_h or 0))})


def rows(
    simulator: CellSimulator, arm: Arm, untreated: Arm, donor: int, *, factor: float, days: float,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[Floats, float]:  # fmt: skip
    """[2 len(LEVELS), 4, steps] what a course adds (per day; the last a factor), p53 as it is first; and escape per day
    of untreated cells at the circuit's own level."""
    assert simulator.circuit is not None
    cells, found = range(1, simulator.n_cells + 1), []
    escape = 0.0
    for mutated in (False, True):
        for level in LEVELS:
            own, other = (of_patient(one, simulator.circuit, level, mutated=mutated) for one in (arm, untreated))
            own = damaged(own, simulator.circuit, factor, days)
            treated, alone = (of_cells(simulator, one, donor, cells, cancelled) for one in (own, other))
            found.append(by_step(excess(treated, alone)))
            if level == 1.0 and not mutated:
                escape = float(alone.escape[-1]) * DAY_H
    return np.array(found), escape


def by_step(table: CellHazards) -> Floats:
    """[4, steps] a table in the steps of a patient's course, at most one course long: commitment, death, escape (per
    day), factor on divisions."""
    steps = int(min(table.edges_h[-1], COURSE_D * DAY_H) / STEP_H)
    middle = (np.arange(steps) + 0.5) * STEP_H
    at = np.clip(np.searchsorted(table.edges_h, middle, side="right") - 1, 0, len(table.commit) - 1)
    hazards = [DAY_H * one[at] for one in (table.commit, table.death, table.escape)]
    return np.array([*hazards, table.cycling[at]])


def as_blasts(added: Floats) -> Floats:
    """The same table where stem cells respond as blasts do: a course adds nothing."""
    nothing = np.zeros_like(added)
    nothing[:, 2], nothing[:, 3] = added[:, 2], 1.0
    return nothing


def places(level: Floats, mutated: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Floats]:
    """Between which row and the next of the table patients are [n], and the share of the next."""
    grid = np.log(np.array(LEVELS))
    at = np.clip(np.log(level), grid[0], grid[-1])
    row = np.clip(np.searchsorted(grid, at, side="right") - 1, 0, len(grid) - 2)
    return row + len(grid) * mutated, (at - grid[row]) / (grid[row + 1] - grid[row])
