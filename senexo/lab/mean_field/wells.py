"""The wells of a study of coupled cells by mean_field: fractions of cells, plated from cultures in the mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from senexo.lab.coupled.plating import halves
from senexo.lab.coupled.wells import Wells
from senexo.lab.mean_field.simulator import MeanFieldSimulator, MeanState
from senexo.model.cell_types import INSERT

if TYPE_CHECKING:
    from senexo.lab.coupled.design import WellDesign
    from senexo.study.schema import Action, Arm


class MeanFieldWells(Wells[MeanState]):
    """The wells of a design in the mean; their equations are made once."""

    single_cells = False

    def __init__(self, design: WellDesign) -> None:
        super().__init__(design)
        self._made = MeanFieldSimulator(design.population, design.circuit.well, design.halves)

    def of_design(self, design: WellDesign) -> MeanFieldWells:
        return MeanFieldWells(design)

    @contextmanager
    def simulator(self, cancelled: Callable[[], bool]) -> Iterator[MeanFieldSimulator]:
        yield self._made.cancelled_by(cancelled)

    def plated(self, simulator: MeanFieldSimulator, arm: Arm, donor: int) -> MeanState:
        """The well at time 0: each type from a culture of its own, those of it in G0 included, in fresh medium."""
        design, parts = self.design, []
        names = {type: INSERT + type for type in design.types if INSERT + type in design.types}
        for numbers, genotype in halves(design.study, arm):
            for name, n in numbers.items():
                base = name.removeprefix(INSERT)
                grown = self._culture(simulator, donor, base, float(n), genotype)
                family = [base, *design.states[base]]
                there = np.array([grown.v[simulator.cells[design.types.index(each)]] for each in family])
                share = there / there.sum() * min(float(n), there.sum()) if there.sum() > 0.0 else there
                picked = dict(zip(family, share.tolist(), strict=True))
                parts.append((grown, picked, names if name != base else {}))
        return simulator.plated(parts[0][0], parts)

    def sentences(self) -> tuple[str, ...]:
        return (
            "Cells share their medium. They are not simulated one by one: numbers of cells and the mean molecules of"
            " each type change by the deterministic laws (mean_field). Chance and the variation between cells are left"
            " out; numbers of cells are fractions, and tables of single cells are empty.",
        )

    def _culture(
        self, simulator: MeanFieldSimulator, donor: int, base: str, n: float, genotype: Sequence[Action]
    ) -> MeanState:
        """A type after its culture, which is split whenever it has doubled."""
        culture = self.design.study.culture
        begin = simulator.seeded({base: 1.5 * n + 10.0}, self.design.numbers(donor), [*genotype, *culture.medium])
        return simulator.expanded(begin, culture.preequilibration_h, 3.0 * n + 20.0)
