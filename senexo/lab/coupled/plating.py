"""Plating: every type of cell comes from a culture of its own, with its donor's numbers and its own variation.

All arms of a donor and genotype are plated from the same cultures, so arms differ by what is done in them alone. Where
a culture has too few cells left (they died, or turned into others), fewer are plated: an empty well is a legal result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.engine.population.model import Cells, lineage_keys
from senexo.lab import donors, protocol
from senexo.lab.coupled.handling import brought_together, plate
from senexo.model.cell_types import INSERT, own_names

if TYPE_CHECKING:
    from senexo.lab.coupled.design import WellDesign
    from senexo.lab.coupled.single_cells import SingleCellSimulator
    from senexo.study.schema import Action, Arm, Study

CULTURES_KEPT = 24  # those of a donor's arms are needed at about the same time


class Plating:
    """The cultures of a study, grown when an arm needs them."""

    def __init__(self, design: WellDesign) -> None:
        self.design = design
        self._largest: dict[str, int] = {}
        for arm in design.study.arms.values():
            for name, n in {**below(design.study, arm), **above(arm)}.items():
                self._largest[name] = max(n, self._largest.get(name, 0))
        self._grown: dict[tuple[Any, ...], Cells] = {}
        self._locks: dict[tuple[Any, ...], Lock] = {}
        self._one_at_a_time = Lock()

    def plated(self, simulator: SingleCellSimulator, arm: Arm, donor: int) -> Cells:
        """The cells of an arm at time 0, before the schedule's first action, in fresh medium."""
        types, states = self.design.types, self.design.states
        cultures: list[tuple[Cells, Mapping[str, str]]] = []
        for numbers, genotype in halves(self.design.study, arm):
            for name, n in numbers.items():
                base = name.removeprefix(INSERT)
                grown = self._culture(simulator, donor, genotype, name)
                there = int(np.isin(grown.type, [types.index(each) for each in (base, *states[base])]).sum())
                cells = plate(simulator.population, grown, {base: min(n, there)}, states)
                up = {type: INSERT + type for type in types if INSERT + type in types}
                cultures.append((cells, up if name != base else {}))
        well = brought_together(simulator.population, cultures)
        simulator.share_out(well)
        return well

    def keys(self, arm: Arm, donor: int) -> tuple[object, ...]:
        """What tells the cultures apart from which an arm is plated."""
        return tuple(
            (donor, protocol.effects(genotype), name)
            for numbers, genotype in halves(self.design.study, arm)
            for name, n in numbers.items()
            if n
        )

    def _culture(self, simulator: SingleCellSimulator, donor: int, genotype: Sequence[Action], name: str) -> Cells:
        """The grown culture that a type is plated from; two that need it at once wait for one to grow it."""
        key = (donor, protocol.effects(genotype), name)
        with self._one_at_a_time:
            lock = self._locks.setdefault(key, Lock())
        with lock:
            found = self._grown.get(key)
            if found is None:
                found = self._grow(simulator, donor, genotype, name)
                with self._one_at_a_time:
                    self._grown[key] = found
                    while len(self._grown) > CULTURES_KEPT:
                        oldest = next(iter(self._grown))
                        del self._grown[oldest]
                        self._locks.pop(oldest, None)
        return found

    def _grow(self, simulator: SingleCellSimulator, donor: int, genotype: Sequence[Action], name: str) -> Cells:
        study, base = self.design.study, name.removeprefix(INSERT)
        n = _more(self._largest[name])
        numbers = range(1, n + 1)
        cells = simulator.seeded(
            {base: n}, self._overrides(donor, base, numbers), seed=study.seed, replicate=donor, genotype=genotype,
            medium=study.culture.medium,
        )  # fmt: skip
        place = self.design.types.index(name)
        cells.key = lineage_keys(cells.key, np.full(n, place))  # so that no two cultures share a stream
        return simulator.expanded(cells, study.culture.preequilibration_h, of=(base, *self.design.states[base]))

    def _overrides(self, donor: int, grown: str, cells: range) -> dict[str, dict[str, Any]]:
        """The donor's numbers; of the type that is grown, one per cell for what varies."""
        study, found = self.design.study, dict[str, dict[str, Any]](self.design.numbers(donor))
        draws = study.donors.draws
        laws = {**draws, **{id: draws[key] for id, key in own_names(self.design.circuit.cell_types)[grown].items()}}
        varying = donors.cell_values(
            study.cells[grown].variation, found[grown], laws, seed=study.seed, number=donor, cells=cells
        )
        return {**found, grown: {**found[grown], **varying}}


def below(study: Study, arm: Arm) -> dict[str, int]:
    """The cells in the well of an arm: its own numbers, or those of the study."""
    return arm.cells or {name: kind.n for name, kind in study.cells.items()}


def above(arm: Arm) -> dict[str, int]:
    """The cells in its insert, by the names that their types have there."""
    return {INSERT + name: n for name, n in arm.insert.cells.items()} if arm.insert else {}


def halves(study: Study, arm: Arm) -> list[tuple[dict[str, int], Sequence[Action]]]:
    """Numbers of cells by type and their genotype, below and, where there is one, in the insert."""
    found: list[tuple[dict[str, int], Sequence[Action]]] = [(below(study, arm), arm.genotype)]
    return [*found, (above(arm), arm.insert.genotype)] if arm.insert else found


def founders(study: Study, arm: Arm) -> int:
    """How many cells are plated in a well of an arm, those of its insert included."""
    return sum(below(study, arm).values()) + sum(above(arm).values())


def _more(n: int) -> int:
    """Cells in the culture before, so that after deaths and differentiation there are n to plate."""
    return n + n // 2 + 10
