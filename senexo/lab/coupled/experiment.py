"""The experiment on cells that share their medium: they divide, change type and die, and exchange vesicles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import UnsupportedFeature
from senexo.lab import observables
from senexo.lab.coupled import tables as tables_of
from senexo.lab.coupled import window_check
from senexo.lab.coupled.plating import founders
from senexo.lab.coupled.wells import SingleCellWells, Wells
from senexo.lab.experiment import Arrays, Get, Size, Unit, World, arms_in, units_of
from senexo.lab.observables import WellSummary, evaluate
from senexo.lab.replay import Replay
from senexo.study.form.kinds import DEFAULT_WINDOW_H
from senexo.study.observables import Observable, Quantity

if TYPE_CHECKING:
    import pandas as pd

    from senexo.base.store import Store
    from senexo.lab.coupled.design import WellDesign
    from senexo.lab.limits import WellLimits
    from senexo.model.circuit import Circuit
    from senexo.study.schema import Arm, Study

GROWTH = 2  # to so many times the cells plated, in the mean: for estimates of memory


class CoupledCells:
    """Cells of one or several types in wells (`senexo.lab.experiment.Experiment`).

    Parameters
    ----------
    design
        The wells of the study.
    wells
        The method by which they are simulated.
    """

    replays_cells = False

    def __init__(self, design: WellDesign, wells: Wells[Any]) -> None:
        self.design, self.wells = design, wells
        self.study, self.families = design.study, design.families
        self.circuit: Circuit | None = design.circuit
        self.networks = tuple(type.network for type in design.population.types)

    def of_study(self, study: Study) -> CoupledCells:
        """Another study of the same circuit and cell types; not compiled again."""
        design = self.design.of_study(study)
        return CoupledCells(design, self.wells.of_design(design))

    def size(self) -> Size:
        """Cells plated per arm, inserts included; memory of wells that grow to `GROWTH` times their number."""
        made, arms = self.design, self.study.arms.values()
        plated = tuple(founders(self.study, arm) for arm in arms)
        most = GROWTH * max(plated, default=0)
        slots, t, c = len(made.lowered.slots), len(made.readout_times), len(made.curve_times)
        q, kinds = len(made.units), len(made.types)
        rows = len(plated) * (c * (kinds + 1) * (q + 3) + 3 * t * q) + 3 * GROWTH * sum(plated)
        return Size(
            founders=plated,
            unit_bytes=8.0 * (most * (t * (slots + 6) + 3) + c * kinds * (q + 1)),
            working_bytes=8.0 * most * slots * 3 * c,
            rows=float(self.study.donors.n * rows),
        )

    def units(self) -> list[Unit]:
        """Every arm of every donor, and the wells that are repeated with half the window."""
        own = units_of(self.study)
        return [*own, *window_check.units(self.study.culture.window_check_wells, own)]

    def preparation(self, unit: Unit) -> object:
        """Cultures before the plating are grown once for all arms of a donor that share their genotypes."""
        return unit.world is World.WINDOW_CHECK, self._of(unit).cultures(self._arm(unit), unit.donor)

    def prepare(self, unit: Unit, cancelled: Callable[[], bool]) -> None:
        """Grow the cultures from which a unit is plated."""
        self._of(unit).prepare(self._arm(unit), unit.donor, cancelled)

    def limit(self, limits: WellLimits) -> None:
        """Give up wells that reach a limit; by mean_field there is no event, and no cell, to be counted."""
        if isinstance(self.wells, SingleCellWells):
            self.wells.limits = limits
        else:
            limits.refuse(self.study, "a study of means (mean_field)")

    def compile(self) -> None:
        """Compile what the method needs."""
        self.wells.compile()

    def simulate_unit(self, unit: Unit, cancelled: Callable[[], bool] = lambda: False) -> dict[str, NDArray[Any]]:
        """The arrays of `Wells.arrays`; of a well with half the window, what is compared."""
        arrays = self._of(unit).arrays(arms_in(self.study, unit.world), unit, cancelled)
        return {name: arrays[name] for name in window_check.KEPT} if unit.world is World.WINDOW_CHECK else arrays

    def lacks(self, quantity: Quantity) -> str | None:
        """What the model would need to show a quantity."""
        return observables.lacks(quantity, {fate.name for fate in self.design.fates}, self.design.arrest)

    def value(self, observable: Observable, unit: Unit, arrays: Arrays) -> float:
        """An observable at a read-out time; nan where no cell is alive to show it."""
        return evaluate(observable, self._summary(observable.time_h, arrays), self.families)

    def tables(self, units: Sequence[Unit], get: Get) -> Iterator[tuple[str, pd.DataFrame]]:
        """The tables of `tables.tables`, and `window_check` where wells were repeated with half the window."""
        yield from tables_of.tables(self.design, _in(World.STUDY, units), get)
        if again := _in(World.WINDOW_CHECK, units):
            yield "window_check", window_check.table(self.design, again, get)

    def write_files(self, store: Store, units: Sequence[Unit], get: Get) -> None:
        """`states.zarr`: all cells at all read-out times; `cells.h5ad`: all cells at the last one."""
        own = _in(World.STUDY, units)
        with store.folder_for("states.zarr") as folder:
            tables_of.keep_states(folder, self.design, own, get)
        with store.adopting("cells.h5ad"):
            tables_of.keep_snapshot(store.folder / "cells.h5ad", self.design, own, get)

    def cautions(self, tables: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
        """How cells were simulated, and what the window check showed."""
        culture, design = self.study.culture, self.design
        found = tables.get("window_check")
        wells = len(self.study.arms) * self.study.donors.n
        return (
            *self.wells.sentences(),
            "Cells divide, change type and die by hazards that are the circuit's assumptions. "
            + design.circuit.growth_rule,
            "All arms of a donor and genotype are plated from the same cultures, one of"
            f" {culture.preequilibration_h:g} h for each type.",
            *tables_of.empty_sentence(tables.get("counts")),
            *tables_of.ended_sentence(tables.get("ended_early"), wells),
            *(() if found is None else (window_check.sentence(culture.window_h or DEFAULT_WINDOW_H, found, wells),)),
        )

    def replay(self, get: Get, *, arm: str, donor: int, cell: int) -> Replay:
        """No cell is simulated alone here."""
        raise UnsupportedFeature("the replay of one cell among others", "a cell depends on all others of its well")

    @cached_property
    def _halved(self) -> Wells[Any]:
        """The wells with half the window; units of them are made for methods that have one alone."""
        assert isinstance(self.wells, SingleCellWells)
        return self.wells.halved

    def _of(self, unit: Unit) -> Wells[Any]:
        return self._halved if unit.world is World.WINDOW_CHECK else self.wells

    def _arm(self, unit: Unit) -> Arm:
        return list(arms_in(self.study, unit.world).values())[unit.arm]

    def _summary(self, time_h: float, arrays: Arrays) -> WellSummary:
        """A unit's well at a read-out time."""
        made = self.design
        at, k = np.searchsorted(made.curve_times, time_h), np.searchsorted(made.readout_times, time_h)
        stopped, seen = arrays["arrest_of"][k].T
        with np.errstate(invalid="ignore", divide="ignore"):
            arrested = stopped / seen
        return WellSummary(
            types=made.types, cells=arrays["numbers"][at], plated=arrays["numbers"][0],
            senescent=made.senescent.astype(float), arrested=arrested, means=arrays["of_types"][at],
            readouts=self.study.readouts.names,
        )  # fmt: skip


def _in(world: World, units: Sequence[Unit]) -> list[Unit]:
    return [unit for unit in units if unit.world is world]
