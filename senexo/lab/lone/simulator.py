"""Independent cells: one arm, one donor, every cell its own circuit as one row of a batched ODE.

The parameters of a cell (donor's draw, own variation) give the model's initial values, so what the model derives from
them (a production rate that holds the untreated level) is the wild type's. Then the genotype acts (knock-outs, cut
edges, mutated sites), the culture medium is set, the cell settles for `preequilibration_h` hours, and at time 0 its
counters and cumulative hazards start. The arm's schedule acts from there.

Cells do not interact here: no shared medium, no division into two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import SimulationError, UnsupportedFeature
from senexo.engine.formula.evaluate import apply_assignments, initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.ode.ensemble import BatchODE, BatchResult, message
from senexo.lab import donors, protocol
from senexo.lab.ensemble import Cancelled
from senexo.lab.lone import fates
from senexo.lab.measurement import Target, targets, time_grids

if TYPE_CHECKING:
    from senexo.model.circuit import Circuit
    from senexo.model.network import Network
    from senexo.study.schema import Action, Arm, Study

Floats = NDArray[np.float64]
SLICE = 64  # cells solved at a time: bounds the memory, and how long a cancelled run goes on
SETTLED_KEPT = 64  # settled slices kept: arms of one donor that share a genotype start from the same cells


@dataclass(frozen=True, slots=True)
class Trajectories:
    """Time courses and fates of n cells on the fine time grid.

    Attributes
    ----------
    times
        [k] hours.
    quantities
        [n, k, q] in the order of the study's read-outs.
    happened
        Hours [n] by name of the fate; nan: did not happen.
    switch
        [n, k] the quantity that is off below `threshold`; None: the model has no such switch.
    """

    times: Floats
    quantities: Floats
    happened: dict[str, Floats]
    switch: Floats | None
    threshold: float

    def time_of(self, fate: str) -> Floats:
        """When a fate happened to each cell [n]; nan where it did not, or where the model has no such fate."""
        return self.happened.get(fate, np.full(len(self.quantities), np.nan))

    def alive(self, when: float) -> NDArray[np.bool_]:
        """Which cells live at a time."""
        return ~(self.time_of("death") <= when)

    def senescent(self, when: float) -> NDArray[np.bool_]:
        """Which cells are committed, not escaped and alive at a time."""
        return (self.time_of("commitment") <= when) & ~(self.time_of("escape") <= when) & self.alive(when)

    def off(self) -> NDArray[np.bool_]:
        """Whether each cell's switch is off [n, k]."""
        if self.switch is None:
            return np.zeros(self.quantities.shape[:2], dtype=bool)
        return self.switch < self.threshold

    def off_between(self, begin: float, end: float) -> NDArray[np.bool_]:
        """Which cells' switch was off all the time between two hours [n]."""
        if self.switch is None:
            return np.zeros(len(self.quantities), dtype=bool)
        return fates.below_throughout(self.times, self.switch, self.threshold, begin, end)

    def longest_off(self, until: float) -> Floats:
        """The longest unbroken time [n], up to `until` and the cell's death, with the switch off."""
        if self.switch is None:
            return np.zeros(len(self.quantities))
        end = np.fmin(self.time_of("death"), until)
        return fates.longest_below(self.times, self.switch, self.threshold, end)


class CellSimulator:
    """A study's model, lowered once, to simulate the cells of any arm and donor once it is compiled.

    Raises
    ------
    InvalidInput
        When an arm acts on what the model does not have.
    UnsupportedFeature
        For a model with events.
    SimulationError
        When a cell's equations cannot be followed to the end.
    """

    _batch: BatchODE | None = None  # once it is compiled

    def __init__(self, study: Study, network: Network, circuit: Circuit | None) -> None:
        self.study = study
        self.circuit = circuit
        self.fates = circuit.fates if circuit else ()
        self.arrest = circuit.arrest if circuit else None
        whole, integrals = fates.with_quadratures(network, [fate.hazard for fate in self.fates])
        self.lowered = lower(whole)
        if self.lowered.events:  # said here, before a folder is made and a kernel compiled
            raise UnsupportedFeature("events in a study's model", f"{network.id} has event {self.lowered.events[0].id}")
        self.slot = {info.id: index for index, info in enumerate(self.lowered.slots)}
        protocol.check(study, self.lowered, {fate.name for fate in self.fates})
        named = {readout.name: readout for readout in circuit.readouts} if circuit else {}
        self.units = [named[name].unit if name in named else "1" for name in study.readouts.names]
        ids = [named[name].id if name in named else name for name in study.readouts.names]
        watched = [*ids, *([self.arrest.id] if self.arrest else []), *integrals]
        self._watched = np.array([self.slot[name] for name in watched], dtype=int)
        counters = (*integrals, *(circuit.zero_at_start if circuit else ()))
        self._counters = np.array([self.slot[name] for name in counters], dtype=int)
        self.readout_times = np.unique(study.readouts.times_h)
        self.times, self.curve_times = time_grids(study)
        self.targets: tuple[Target, ...] = targets(study)
        ((self.cell_type, self.n_cells),) = ((name, kind.n) for name, kind in study.cells.items())
        self._settled_cells: dict[tuple[object, ...], Floats] = {}
        self._one_at_a_time = Lock()

    def compile(self) -> None:
        """Compile the equations; takes seconds, and nothing before it does."""
        if self._batch is None:
            self._batch = BatchODE(self.lowered)

    def share_kernel(self, other: CellSimulator) -> None:
        """Take over the compiled equations of another study of the same model, if they are compiled."""
        self._batch = other._batch

    def grow(
        self, arm: Arm, donor: int, cells: Sequence[int], *, cancelled: Callable[[], bool] = lambda: False
    ) -> Trajectories:
        """The cells numbered `cells` of one donor in one arm; a cell's bits do not depend on the others asked for."""
        kept = self._whole(arm, donor, cells, cancelled)
        q = len(self.units)
        integrals = self._integrals(kept)
        limits = {fate.name: fates.thresholds(self.study.seed, donor, cells, fate.name) for fate in self.fates}
        return Trajectories(
            times=self.times,
            quantities=kept[:, :, :q],
            happened=fates.draw(self.fates, self.times, integrals, limits),
            switch=kept[:, :, q] if self.arrest else None,
            threshold=self.arrest.below if self.arrest else 0.0,
        )

    def hazards(
        self, arm: Arm, donor: int, cells: Sequence[int], *, cancelled: Callable[[], bool] = lambda: False
    ) -> tuple[dict[str, Floats], NDArray[np.bool_]]:
        """Integrated hazards [cells, grid] by fate, and whether the switch is off [cells, grid]; no fate is drawn."""
        kept = self._whole(arm, donor, cells, cancelled)
        off = np.zeros(kept.shape[:2], dtype=bool)
        if self.arrest:
            off = kept[:, :, len(self.units)] < self.arrest.below
        return self._integrals(kept), off

    def _whole(self, arm: Arm, donor: int, cells: Sequence[int], cancelled: Callable[[], bool]) -> Floats:
        """The watched quantities [cells, grid, watched], slice by slice."""
        parts = []
        for start in range(0, len(cells), SLICE):
            if cancelled():
                raise Cancelled
            parts.append(self._followed(arm, donor, cells[start : start + SLICE]))
        return np.concatenate(parts)

    def _integrals(self, kept: Floats) -> dict[str, Floats]:
        first = kept.shape[2] - len(self.fates)
        return {fate.name: kept[:, :, first + k] for k, fate in enumerate(self.fates)}

    def settle(
        self, arm: Arm, donor: int, cells: Sequence[int], *, cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        """Let cells settle ahead of `grow`, so far as there is room to keep them."""
        for start in range(0, len(cells), SLICE):
            if cancelled():
                raise Cancelled
            self._settled(arm, donor, cells[start : start + SLICE])

    def settled_draws(self) -> Floats:
        """One cell [donors, slots] of every donor, without variation or genotype, settled: the state at time 0."""
        draws, numbers = self.study.donors.draws, range(self.study.donors.n)
        drawn = [donors.donor_values(draws, self.study.seed, number) for number in numbers]
        parameters = {self.slot[name]: np.array([values[name] for values in drawn]) for name in draws}
        return self._at_rest(parameters, (), "draw", numbers)

    def followed(self, arm: Arm, settled: Floats) -> Floats:
        """What becomes of cells that all settled alike, in one arm whose genotype acts from time 0.

        Returns [cells, grid, read-outs, switch if there is one, integrated hazards].
        """
        v = settled.copy()
        protocol.act(v, arm.genotype, self.slot)
        return self._along(v, arm, "draw", range(len(v)))

    def _followed(self, arm: Arm, donor: int, cells: Sequence[int]) -> Floats:
        """The watched quantities [cells, grid, watched] of one slice of cells."""
        return self._along(self._settled(arm, donor, cells).copy(), arm, f"donor {donor}, cell", cells)

    def _along(self, v: Floats, arm: Arm, what: str, numbers: Sequence[int]) -> Floats:
        kept = [v[:, None, self._watched]]
        for stretch in protocol.stretches(self.times, arm.schedule):
            protocol.act(v, stretch.actions, self.slot)
            result = self._run(v, stretch.times, what, numbers)
            kept.append(result.values[:, stretch.kept])
            v = result.final
        return np.concatenate(kept, axis=1)

    def _settled(self, arm: Arm, donor: int, cells: Sequence[int]) -> Floats:
        """The cells' states [cells, slots] at time 0, before the schedule's first action."""
        key = (donor, tuple(cells), protocol.effects(arm.genotype))
        known = self._settled_cells.get(key)
        if known is not None:
            return known
        v = self._at_rest(self._parameters(donor, cells), arm.genotype, f"donor {donor}, cell", cells)
        with self._one_at_a_time:  # two threads may come here with one key; they bring the same bits
            self._settled_cells[key] = v
            if len(self._settled_cells) > SETTLED_KEPT:
                del self._settled_cells[next(iter(self._settled_cells))]
        return v

    def _at_rest(
        self,
        parameters: Mapping[int, float | Floats],
        genotype: Sequence[Action],
        what: str,
        numbers: Sequence[int],
    ) -> Floats:
        v = initial_values(self.lowered, parameters, len(numbers))
        protocol.act(v, genotype, self.slot)
        protocol.act(v, self.study.culture.medium, self.slot)
        settle = self.study.culture.preequilibration_h
        if settle > 0:
            v = self._run(v, np.array([-settle, 0.0]), what, numbers).final
        v[:, self._counters] = 0.0
        apply_assignments(self.lowered, v, 0.0)
        return v

    def _parameters(self, donor: int, cells: Sequence[int]) -> dict[int, float | Floats]:
        """By slot: what the donor drew, and what its cells vary."""
        seed, draws = self.study.seed, self.study.donors.draws
        (kind,) = self.study.cells.values()
        common = donors.donor_values(draws, seed, donor)
        own = donors.cell_values(kind.variation, common, draws, seed=seed, number=donor, cells=cells)
        overrides: dict[int, float | Floats] = {self.slot[name]: value for name, value in common.items()}
        return overrides | {self.slot[name]: value for name, value in own.items()}

    def _run(self, v: Floats, times: Floats, what: str, numbers: Sequence[int]) -> BatchResult:
        assert self._batch is not None, "compile() comes first"
        result = self._batch.solve(v, times, slots=self._watched, threads=1)
        failed = np.flatnonzero(result.status)
        if failed.size:
            where = f"{what} {numbers[failed[0]]}, between {times[0]:g} h and {times[-1]:g} h"
            raise SimulationError(f"{where}: {message(result.status[failed[0]])}")
        return result
