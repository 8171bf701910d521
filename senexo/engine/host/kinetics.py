"""Rates of a leukaemia that grows undisturbed: from what is measured to the rates of its transitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput

Floats = NDArray[np.float64]
MOST_TRANSITS = 60


@dataclass(frozen=True, slots=True)
class Kinetics:
    """Rates per hour and cell, with all the room there can be.

    Attributes
    ----------
    division, renewal
        Of an active stem cell: division rate, and the probability that a daughter stays a stem cell.
    renewal_escaped
        The same probability of stem cells that were senescent once.
    rest, wake
        Of stem cells, into quiescence and out of it.
    transits, transit_division
        Number of transit divisions, and their rate.
    loss, egress, blood_loss
        Of mature blasts in marrow: death, and leaving for the blood; of blasts in blood: death.
    """

    division: float
    renewal: float
    renewal_escaped: float
    rest: float
    wake: float
    transits: int
    transit_division: float
    loss: float
    egress: float
    blood_loss: float

    @property
    def growth(self) -> float:
        """Net growth per hour of the stem cells, with all the room: the leading eigenvalue of active and resting
        cells."""
        gain = (2.0 * self.renewal - 1.0) * self.division - self.rest
        half = (gain - self.wake) / 2.0
        return float(half + np.sqrt(half * half + gain * self.wake + self.rest * self.wake))

    @property
    def composition(self) -> Floats:
        """Cells per stem cell in balanced growth: active, resting, transit 1 .. n, mature in marrow, in blood."""
        mu = self.growth
        active = (self.wake + mu) / (self.wake + mu + self.rest)
        cells = [active, 1.0 - active, 2.0 * (1.0 - self.renewal) * self.division * active]
        cells[2] /= self.transit_division + mu
        for _ in range(self.transits - 1):
            cells.append(cells[-1] * 2.0 * self.transit_division / (self.transit_division + mu))
        cells.append(2.0 * self.transit_division * cells[-1] / (self.loss + self.egress + mu))
        cells.append(self.egress * cells[-1] / (self.blood_loss + mu))
        return np.array(cells)

    @property
    def stem_share(self) -> float:
        """Stem cells over all cells in balanced growth."""
        return float(1.0 / self.composition.sum())


def kinetics(
    *, division: float, growth: float, resting: float, wake: float, stem_share: float, transit_division: float, loss:
    float, egress: float, blood_loss: float, stemness: float = 1.0,
) -> Kinetics:  # fmt: skip
    """The rates of a leukaemia that grows as measured, with the resting share and the stem-cell share that are given.

    With a the active share: renewal p = (1 + growth / (a division)) / 2 and rest = (1 - a) (wake + growth) / a, so that
    stem cells grow at `growth` with the resting share 1 - a. The number of transit divisions is the one whose balanced
    growth has the stem-cell share nearest to `stem_share` on a logarithmic scale (within a factor 1.4, as a division
    doubles cells).

    Parameters
    ----------
    division, growth, wake, transit_division, loss, egress, blood_loss
        Per hour; `growth` is the net growth of stem cells.
    resting
        Share of the stem cells that rest while the leukaemia grows; at most 1 - growth / division.
    stem_share
        Stem cells over all cells.
    stemness
        Factor on the odds of renewal, renewal / (1 - renewal), of cells that escaped from senescence.

    Raises
    ------
    InvalidInput
        Rates or shares out of range, and a resting share with which stem cells cannot grow so fast.

    Examples
    --------
    >>> found = kinetics(division=1 / 24, growth=0.058 / 24, resting=0.5, wake=0.02 / 24, stem_share=1e-5,
    ...                  transit_division=1.5 / 24, loss=0.1 / 24, egress=0.05 / 24, blood_loss=1 / 24)
    >>> round(found.growth * 24, 6), found.transits
    (0.058, 16)
    """
    rates = {"division": division, "growth": growth, "transit_division": transit_division, "blood_loss": blood_loss}
    faults = [Fault(name, f"{rate:g}", "a rate above 0") for name, rate in rates.items() if not rate > 0.0]
    others = {"wake": wake, "loss": loss, "egress": egress, "stemness": stemness}
    faults += [Fault(name, f"{rate:g}", "0 or more") for name, rate in others.items() if not rate >= 0.0]
    if not 0.0 < stem_share < 1.0:
        faults.append(Fault("stem_share", f"{stem_share:g}", "a share between 0 and 1"))
    if not faults and not 0.0 <= resting <= 1.0 - growth / division:
        expected = f"0 to {1.0 - growth / division:g}, with which active cells can grow at {growth:g} per hour"
        faults.append(Fault("resting", f"{resting:g}", expected))
    if faults:
        raise InvalidInput(faults)
    active = 1.0 - resting
    renewal = min(1.0, 0.5 * (1.0 + growth / (active * division)))
    rest = resting * (wake + growth) / active
    escaped = renewal * stemness / (1.0 - renewal + renewal * stemness) if renewal < 1.0 else 1.0

    def of(transits: int) -> Kinetics:
        return Kinetics(
            division, renewal, escaped, rest, wake, transits, transit_division, loss,
            egress, blood_loss,
        )  # fmt: skip

    return min(map(of, range(1, MOST_TRANSITS + 1)), key=lambda one: abs(np.log(one.stem_share / stem_share)))
