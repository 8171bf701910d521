"""The experiment on independent cells: each its own deterministic circuit, with its own parameters and fates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.lab import observables, protocol
from senexo.lab.experiment import Arrays, Get, Size, Unit, World, arms_in
from senexo.lab.lone import measure, replay, tables
from senexo.lab.lone.base import OneCellType
from senexo.lab.lone.simulator import SETTLED_KEPT, SLICE, Trajectories
from senexo.lab.observables import WellSummary, evaluate
from senexo.lab.replay import Replay
from senexo.study.observables import Observable, Quantity

if TYPE_CHECKING:
    import pandas as pd

    from senexo.base.store import Store
    from senexo.lab.limits import WellLimits
    from senexo.study.schema import Arm

CAUTIONS = (
    "Cells are independent: no shared medium, no divisions into two cells, no molecular noise. Each cell's circuit"
    " is a deterministic system with the cell's own parameters; its fates are drawn from the hazards along it.",
    "Commitment is counted, not felt: a committed cell's circuit runs on undisturbed. A cell that escapes is no"
    " longer counted as senescent, its circuit is not set back, and it does not commit again.",
)
TWINS = (
    "The same virtual cells of the same virtual donors stand in every arm, so arms differ by what is done to them"
    " and by measuring noise only; no experiment has such controls."
)
INDEPENDENT = "Every arm has cells of its own of the same virtual donors, so arms differ by chance too, as wells do."


class IndependentCells(OneCellType):
    """Cells of one type that do not interact (`senexo.lab.experiment.Experiment`).

    Parameters
    ----------
    study
        The resolved study; it has one cell type.
    network
        The model of a cell.
    circuit
        Its fates, read-outs and switch; None for a plain model.

    Raises
    ------
    InvalidInput
        When an arm acts on what the model does not have.
    UnsupportedFeature
        For a model with events.
    """

    replays_cells = True

    def limit(self, limits: WellLimits) -> None:
        """Refused: cells are followed by differential equations, and their number is given."""
        limits.refuse(self.study, "a study of independent cells")

    def size(self) -> Size:
        """Cells per arm; memory of one slice of cells on the fine grid and of one unit with its read-outs."""
        simulator, n, r = self.simulator, self.simulator.n_cells, self.study.replicates.n
        slots, q, p = len(simulator.lowered.slots), len(simulator.units), len(self.simulator.targets)
        fine, t, c = len(simulator.times), len(self.simulator.readout_times), len(self.simulator.curve_times)
        course = c * (q + 3) + 3 * t * q
        stored = 8.0 * (n * (t * q + 4) + course + t * r * (2 + p))
        return Size(
            founders=(n,) * len(self.study.arms),
            unit_bytes=stored,
            working_bytes=8.0 * fine * (3 * min(n, SLICE) * slots + 2 * n * (q + 4)) + 3 * stored,
            rows=float(len(self.study.arms) * self.study.donors.n * max(course, n, t * r * max(p, 1))),
        )

    def preparation(self, unit: Unit) -> object:
        """Cells settle once for all arms of a donor that share a genotype, where there is room to keep them."""
        own = unit if self.simulator.n_cells > SLICE * SETTLED_KEPT or self._independent else None
        return unit.donor, protocol.effects(self._arm(unit).genotype), own

    def prepare(self, unit: Unit, cancelled: Callable[[], bool]) -> None:
        """Let the cells of a unit settle."""
        self.simulator.settle(self._arm(unit), unit.donor, self._numbers(unit), cancelled=cancelled)

    def simulate_unit(self, unit: Unit, cancelled: Callable[[], bool] = lambda: False) -> dict[str, NDArray[Any]]:
        """The arrays of `measure.unit_arrays`; of a claim's null those of `measure.means` at the read-out times."""
        cells = self._grown(unit, cancelled)
        if unit.world is World.NULL:
            return measure.means(self.simulator, cells, self.simulator.readout_times)
        return measure.unit_arrays(self.simulator, cells, unit)

    def lacks(self, quantity: Quantity) -> str | None:
        """What the model would need to show a quantity."""
        return observables.lacks(quantity, {fate.name for fate in self.simulator.fates}, self.simulator.arrest)

    def value(self, observable: Observable, unit: Unit, arrays: Arrays) -> float:
        """An observable at a read-out time; nan where no cell is alive to show it."""
        return evaluate(observable, self._summary(observable.time_h, unit.world, arrays), self.families)

    def tables(self, units: Sequence[Unit], get: Get) -> Iterator[tuple[str, pd.DataFrame]]:
        """The tables arms, parameters, donors, timecourse, cells, senescence, arrest and qpcr, if they have rows."""
        return tables.tables(self.simulator, units, get)

    def write_files(self, store: Store, units: Sequence[Unit], get: Get) -> None:
        """`trajectories.zarr`: the read-outs of every cell."""
        with store.folder_for("trajectories.zarr") as folder:
            tables.trajectories(folder, self.simulator, units, get)

    def cautions(self, tables: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
        """How cells were simulated."""
        wells = INDEPENDENT if self._independent else TWINS
        return (CAUTIONS[0], wells, CAUTIONS[1])

    def replay(self, get: Get, *, arm: str, donor: int, cell: int) -> Replay:
        """One cell simulated alone, and whether it has the bits that are stored."""
        stored = get(replay.chunk_of(self.study, arm=arm, donor=donor, cell=cell))
        unit = next(u for u in self.units() if u.donor == donor and u.arm == list(self.study.arms).index(arm))
        self.compile()
        key = self._numbers(unit)[cell - 1]
        return replay.replay(self.simulator, stored, arm=arm, donor=donor, cell=cell, key=key)

    @property
    def _independent(self) -> bool:
        return self.study.culture.wells == "independent"

    def _numbers(self, unit: Unit) -> range:
        """The numbers that key a unit's cells: 1, 2, ... in every arm; of independent wells others in each."""
        first = 1 + replay.first_key(unit.treatment_digest, unit.occurrence) if self._independent else 1
        return range(first, first + self.simulator.n_cells)

    def _arm(self, unit: Unit) -> Arm:
        return list(arms_in(self.study, unit.world).values())[unit.arm]

    def _grown(self, unit: Unit, cancelled: Callable[[], bool]) -> Trajectories:
        return self.simulator.grow(self._arm(unit), unit.donor, self._numbers(unit), cancelled=cancelled)

    def _summary(self, time_h: float, world: World, arrays: Arrays) -> WellSummary:
        """A unit's well at a read-out time; `course` of the null is at these times alone."""
        cells = self.simulator
        row = np.searchsorted(cells.readout_times if world is World.NULL else cells.curve_times, time_h)
        arrested, living = arrays["arrest"][np.searchsorted(cells.readout_times, time_h)].astype(float)
        return WellSummary(
            types=(cells.cell_type,), cells=np.array([living]), plated=np.array([float(cells.n_cells)]),
            senescent=arrays["shares"][row, 2:], arrested=np.array([arrested / living if living else np.nan]),
            means=arrays["course"][row][None, :], readouts=self.study.readouts.names,
        )  # fmt: skip
