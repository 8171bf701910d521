"""The experiment on cells that share their medium: they divide, change type and die, and exchange vesicles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import UnsupportedFeature
from senexo.lab import observables
from senexo.lab.coupled import halving, tables
from senexo.lab.coupled.community import Community
from senexo.lab.coupled.plating import founders
from senexo.lab.experiment import Arrays, Get, Size, Unit, World, arms_in, units_of
from senexo.lab.observables import WellSummary, evaluate
from senexo.lab.replay import Replay
from senexo.study.observables import Observable, Quantity

if TYPE_CHECKING:
    import pandas as pd

    from senexo.base.store import Store
    from senexo.model.circuit import Circuit
    from senexo.study.schema import Arm, Study

GROWTH = 2  # to so many times the cells plated, in the mean: for estimates of memory


class CoupledCells:
    """Cells of one or several types in wells (`senexo.lab.experiment.Experiment`).

    Parameters
    ----------
    study
        The resolved study.
    circuit
        A circuit with pools (species in the medium) and molecule numbers.

    Raises
    ------
    InvalidInput
        For cell types that the circuit lacks, or for an arm that acts on what is not there.
    """

    replays_cells = False

    def __init__(self, study: Study, circuit: Circuit) -> None:
        self.study = study
        self.circuit: Circuit | None = circuit
        self.community = Community(study, circuit)
        self.networks = tuple(type.network for type in self.community.population.types)

    def of_study(self, study: Study) -> CoupledCells:
        """Another study of the same circuit and cell types; not compiled again."""
        assert self.circuit is not None
        other = CoupledCells(study, self.circuit)
        other.community.population = self.community.population
        return other

    @property
    def families(self) -> Mapping[str, Sequence[str]]:
        """Cell type -> it and what its cells become without a division (in G0, senescent)."""
        return self.community.families

    def size(self) -> Size:
        """Cells plated per arm, inserts included; memory of wells that grow to `GROWTH` times their number."""
        made, arms = self.community, self.study.arms.values()
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
        return [*own, *halving.units(self.study.culture.window_check_wells, own)]

    def preparation(self, unit: Unit) -> object:
        """Cultures before the plating are grown once for all arms of a donor that share their genotypes."""
        return unit.world is World.WINDOW_CHECK, self._of(unit).cultures_of(self._arm(unit), unit.donor)

    def prepare(self, unit: Unit, cancelled: Callable[[], bool]) -> None:
        """Grow the cultures from which a unit is plated."""
        self._of(unit).prepare(self._arm(unit), unit.donor, cancelled)

    def compile(self) -> None:
        """Compile what the method needs."""
        self.community.compile()

    def simulate_unit(self, unit: Unit, cancelled: Callable[[], bool] = lambda: False) -> dict[str, NDArray[Any]]:
        """The arrays of `Community.fill`; of a well with half the window, what is compared."""
        arrays = self._of(unit).fill(self._arm(unit), unit, cancelled)
        return {name: arrays[name] for name in halving.KEPT} if unit.world is World.WINDOW_CHECK else arrays

    def lacks(self, quantity: Quantity) -> str | None:
        """What the model would need to show a quantity."""
        return observables.lacks(quantity, {fate.name for fate in self.community.fates}, self.community.arrest)

    def value(self, observable: Observable, unit: Unit, arrays: Arrays) -> float:
        """An observable at a read-out time; nan where no cell is alive to show it."""
        return evaluate(observable, self._summary(observable.time_h, arrays), self.families)

    def tables(self, units: Sequence[Unit], get: Get) -> Iterator[tuple[str, pd.DataFrame]]:
        """The tables of `tables.tables`, and `halving` where wells were repeated with half the window."""
        yield from tables.tables(self.community, _in(World.STUDY, units), get)
        if again := _in(World.WINDOW_CHECK, units):
            yield "halving", halving.table(self.community, again, get)

    def write_files(self, store: Store, units: Sequence[Unit], get: Get) -> None:
        """`states.zarr`: all cells at all read-out times; `cells.h5ad`: all cells at the last one."""
        own = _in(World.STUDY, units)
        with store.folder_for("states.zarr") as folder:
            tables.keep_states(folder, self.community, own, get)
        with store.adopting("cells.h5ad"):
            tables.keep_snapshot(store.folder / "cells.h5ad", self.community, own, get)

    def cautions(self, tables: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
        """How cells were simulated, and what the window check showed."""
        found = tables.get("halving")
        wells = len(self.study.arms) * self.study.donors.n
        more = () if found is None else (halving.sentence(self.community.method.window, found, wells),)
        return (*self.community.cautions(), *more)

    def replay(self, get: Get, *, arm: str, donor: int, cell: int) -> Replay:
        """No cell is simulated alone here."""
        raise UnsupportedFeature("the replay of one cell among others", "a cell depends on all others of its well")

    @cached_property
    def _halved(self) -> Community:
        return self.community.halved

    def _of(self, unit: Unit) -> Community:
        return self._halved if unit.world is World.WINDOW_CHECK else self.community

    def _arm(self, unit: Unit) -> Arm:
        return list(arms_in(self.study, unit.world).values())[unit.arm]

    def _summary(self, time_h: float, arrays: Arrays) -> WellSummary:
        """A unit's well at a read-out time."""
        made = self.community
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
