"""A leukaemia in one host: the one table of its transitions.

Compartments: stem cells that are active (`L_a`), quiescent (`L_q`) and senescent (`L_s`); those that escaped from
senescence (`E_a`, `E_q`), which may renew themselves more; transit blasts `T1` .. `Tn`, each division making two of the
next; mature blasts in marrow (`M`) and in blood (`W`). Daughters of a stem cell stay stem cells independently of each
other, each with the probability `renewal`.

The table is a `senexo.engine.branching.process.Process`: `counts.follow` draws from it (one by one when few, leaps when
many), `extinction.mean` is its deterministic twin, `extinction.log_extinction` and `splitting` give the probability
that no stem cell is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.engine.branching.process import Event, Process
from senexo.engine.host.kinetics import Kinetics

Floats = NDArray[np.float64]
ACTIVE, RESTING, SENESCENT, MARROW, BLOOD = "L_a", "L_q", "L_s", "M", "W"
ESCAPED_ACTIVE, ESCAPED_RESTING = "E_a", "E_q"
STEM = (ACTIVE, RESTING, SENESCENT, ESCAPED_ACTIVE, ESCAPED_RESTING)
GROWING = (ACTIVE, RESTING, ESCAPED_ACTIVE, ESCAPED_RESTING)  # stem cells that are not senescent


@dataclass(frozen=True, slots=True)
class Treatment:
    """What acts on the cells, constant between `edges` (h): hazards per hour [intervals], each 0 unless given.

    Attributes
    ----------
    edges
        Rising; the first is the start and the last the end.
    commit, apoptosis
        Of active stem cells, into senescence and death.
    escape, clear
        Of senescent stem cells, back to activity, and removal by the host.
    kill
        Of cycling cells (active stem cells and transit blasts), by chemotherapy.
    resting_share
        Share of `kill` that meets quiescent stem cells.
    cycling
        Factor on the division rate of active stem cells, from 0 to 1.
    """

    edges: Floats
    commit: Floats = field(default_factory=lambda: np.zeros(1))
    apoptosis: Floats = field(default_factory=lambda: np.zeros(1))
    escape: Floats = field(default_factory=lambda: np.zeros(1))
    clear: Floats = field(default_factory=lambda: np.zeros(1))
    kill: Floats = field(default_factory=lambda: np.zeros(1))
    resting_share: float = 0.0
    cycling: Floats = field(default_factory=lambda: np.ones(1))


def leukaemia(rates: Kinetics, treatment: Treatment, *, capacity: float = inf) -> Process:
    """The transitions of a leukaemia under a treatment.

    Parameters
    ----------
    rates
        Of undisturbed growth.
    treatment
        What acts on the cells.
    capacity
        Cells at which no division happens any more; divisions fall with the room 1 - X / capacity, X all cells.

    Returns
    -------
    Process
        Its types are `STEM`, the transit blasts, `MARROW`, `BLOOD`.

    Raises
    ------
    InvalidInput
        Hazards that are negative or do not fit the edges; a resting share or cycling factor outside 0 to 1.

    Examples
    --------
    >>> from senexo.engine.host.kinetics import Kinetics
    >>> rates = Kinetics(0.04, 0.55, 0.55, 0.01, 0.01, 3, 0.06, 0.004, 0.002, 0.04)
    >>> leukaemia(rates, Treatment(np.array([0.0, 100.0]))).types
    ('L_a', 'L_q', 'L_s', 'E_a', 'E_q', 'T1', 'T2', 'T3', 'M', 'W')
    """
    faults = []
    if not 0.0 <= treatment.resting_share <= 1.0:
        faults.append(Fault("resting_share", f"{treatment.resting_share:g}", "a share from 0 to 1"))
    if not ((treatment.cycling >= 0.0) & (treatment.cycling <= 1.0)).all():
        faults.append(Fault("cycling", "a factor outside 0 to 1", "factors from 0 to 1"))
    if faults:
        raise InvalidInput(faults)
    transits = [f"T{i}" for i in range(1, rates.transits + 1)]
    types = [*STEM, *transits, MARROW, BLOOD]
    return Process.of(types, list(_events(rates, treatment, transits)), treatment.edges, capacity=capacity)


def _events(rates: Kinetics, treatment: Treatment, transits: list[str]) -> Iterator[Event]:
    kill = treatment.kill
    for active, resting, p in (
        (ACTIVE, RESTING, rates.renewal),
        (ESCAPED_ACTIVE, ESCAPED_RESTING, rates.renewal_escaped),
    ):
        division = rates.division * treatment.cycling
        yield Event(active, {active: 2}, p * p * division, needs_room=True)
        yield Event(active, {active: 1, transits[0]: 1}, 2.0 * p * (1.0 - p) * division, needs_room=True)
        yield Event(active, {transits[0]: 2}, (1.0 - p) ** 2 * division, needs_room=True)
        yield Event(active, {resting: 1}, rates.rest)
        yield Event(active, {SENESCENT: 1}, treatment.commit)
        yield Event(active, {}, treatment.apoptosis)
        yield Event(active, {}, kill)
        yield Event(resting, {active: 1}, rates.wake)
        yield Event(resting, {}, treatment.resting_share * kill)
    yield Event(SENESCENT, {ESCAPED_ACTIVE: 1}, treatment.escape)
    yield Event(SENESCENT, {}, treatment.clear)
    for own, following in zip(transits, [*transits[1:], MARROW], strict=True):
        yield Event(own, {following: 2}, rates.transit_division, needs_room=True)
        yield Event(own, {}, kill)
    yield Event(MARROW, {BLOOD: 1}, rates.egress)
    yield Event(MARROW, {}, rates.loss)
    yield Event(BLOOD, {}, rates.blood_loss)
