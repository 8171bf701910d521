"""One cell of the stochastic circuit, read deterministically and held near the standard size, as `verify._cell`'s.

All laws of a cell are of first order in what it holds at given concentrations, so dividing all it holds by its size
leaves its concentrations as they are: a division into unequal parts, made as often as the grid has times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from senexo.engine.formula.evaluate import initial_values
from senexo.engine.ode.single import Translated, integrate
from senexo.lab.coupled.population import population_of
from senexo.model.circuit import Circuit
from verify._cell import Floats, Wish, do

HELD = ("L", "m", "mx", "LC", "mC", "I", "MR", "R", "MC", "EF", "CD", "CE", "RB", "RP", "RE", "SI", "C6", "P21")


class Copies:
    """A growing cell's size goes about 1; an arrested one is left to grow."""

    def __init__(self, circuit: Circuit, parameters: Mapping[str, float]) -> None:
        self._lowered = population_of(circuit, types=["LSC"]).types[0].network
        self._translated = Translated(self._lowered)
        given = {self._lowered.slot(name): value for name, value in parameters.items()}
        self._v = initial_values(self._lowered, given)
        self._scaled = [self._lowered.slot(name) for name in ("size", "X", "vesicles", *HELD)]

    def get(self, name: str) -> float:
        return float(self._v[self._lowered.slot(name)])

    def set(self, name: str, value: float) -> None:
        self._v[self._lowered.slot(name)] = value

    def divide(self, size: float) -> None:
        self._v[self._scaled] *= size / self.get("V")
        self._v = integrate(self._translated, self._v, np.array([0.0]))[0]

    def run(self, times: Floats, names: Sequence[str]) -> Floats:
        rows = []
        for place, time in enumerate(times):
            if place:
                step = time - times[place - 1]
                self._v = integrate(self._translated, self._v, np.array([0.0, step]), rtol=1e-7, atol=1e-5)[-1]
                if self.get("on") > 0.5:
                    self.divide(np.exp(-self.get("mu0") * step / 2))
            rows.append([self.get(name) for name in names])
        return np.array(rows)


def course(
    circuit: Circuit,
    names: Sequence[str],
    *,
    serum: float = 20.0,
    genotype: Sequence[Wish] = (),
    treatment: Sequence[Wish] = (),
    times: Floats,
    settle: float = 500.0,
    parameters: Mapping[str, float] | None = None,
) -> dict[str, Floats]:
    """As `verify._cell.grow`; the treatment meets a cell of standard size."""
    cell = Copies(circuit, parameters or {})
    do(cell, circuit, [*genotype, ("change", "serum", serum)])
    cell.run(np.arange(0.0, settle + 1.0, times[1] - times[0]), names)
    cell.divide(1.0)
    for quantity in circuit.zero_at_start:
        cell.set(quantity, 0.0)
    do(cell, circuit, treatment)
    return dict(zip(names, cell.run(times, names).T, strict=True))
