"""The wells of a study, simulated: those an arm's medium comes from first, then the arm's own."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Generic

import numpy as np
from numpy.typing import NDArray

from senexo.engine.population.model import Cells
from senexo.lab.coupled.measure import kept, measured
from senexo.lab.coupled.methods import CellMethod
from senexo.lab.coupled.plating import Plating
from senexo.lab.coupled.single_cells import SingleCellSimulator
from senexo.lab.coupled.well import Course, State, Well, WellSimulator
from senexo.lab.ensemble import Cancelled
from senexo.lab.limits import NO_LIMITS, WellLimits

if TYPE_CHECKING:
    from senexo.lab.coupled.design import WellDesign
    from senexo.lab.experiment import Unit
    from senexo.study.schema import Arm

Arms = Mapping[str, "Arm"]
Asks = Callable[[], bool]


class Wells(ABC, Generic[State]):
    """The wells of a design by one method.

    Attributes
    ----------
    design
        The wells.
    single_cells
        Whether there are single cells to keep and to stain; else there are means alone.
    """

    single_cells = True

    def __init__(self, design: WellDesign) -> None:
        self.design = design

    @abstractmethod
    def of_design(self, design: WellDesign) -> Wells[State]:
        """The wells of another design by the same method."""

    @abstractmethod
    def simulator(self, cancelled: Asks) -> AbstractContextManager[WellSimulator[State]]:
        """What simulates one well, and stops when the run is cancelled."""

    @abstractmethod
    def plated(self, simulator: Any, arm: Arm, donor: int) -> State:
        """An arm's well at time 0, before the schedule's first action, in fresh medium."""

    @abstractmethod
    def sentences(self) -> tuple[str, ...]:
        """How cells were simulated, for a reader of the results."""

    def compile(self) -> None:
        """Compile what the method needs."""

    def cultures(self, arm: Arm, donor: int) -> tuple[object, ...]:
        """The keys of the cultures that are grown once for all wells plated from them; none where there are none."""
        return ()

    def prepare(self, arm: Arm, donor: int, cancelled: Asks) -> None:
        """Grow the cultures of an arm's well ahead of it."""
        if self.cultures(arm, donor):
            with self.simulator(cancelled) as simulator:
                self.plated(simulator, arm, donor)

    def arrays(self, arms: Arms, unit: Unit, cancelled: Asks) -> dict[str, NDArray[Any]]:
        """The arrays of a unit.

        For c curve times, t read-out times, T types, q read-outs, P pool species, r replicates, p qPCR targets:
        `numbers` [c, T] cells, `of_types` [c, T, q] means, `course` [c, q] means of all cells, `shares` [c, 3] cells
        over those plated, switch off and senescent among the living, `pools` [c, P], `followed` [c, T] simulated cells;
        `spread` [t, q, 3], `arrest` [t, 2], `arrest_of` [t, T, 2], `senescence` [r, t, 2], `copies` [t, p],
        `ct` [r, t, p]; the cells at read-out times one after the other (`rows`: how many): `type`, `key`, `parent`,
        `born`, `values`, `weight`; the log, what population control did, the pool balances. Numbers and means are of
        all cells that the simulated ones represent. A well that ended before its time has nan after that; its last
        state is the last of the cells, and `ended` says why. By mean_field numbers are
        fractions, and what is of single cells is empty or nan.
        """
        with self.simulator(cancelled) as simulator:
            name = list(arms)[unit.arm]
            course = self._grown(simulator, arms, name, unit.donor, float(self.design.curve_times[-1]))
            if cancelled():
                raise Cancelled
        single = self.single_cells
        return measured(self.design, course, unit, single=single) | kept(self.design, course, single=single)

    def _grown(self, simulator: WellSimulator[State], arms: Arms, name: str, donor: int, until: float) -> Course[State]:
        """An arm's well until an hour; wells whose medium it gets are simulated before, as far as they are needed."""
        design, arm, media = self.design, arms[name], []
        for given in arm.medium_from:
            source = self._grown(simulator, arms, given.arm, donor, given.taken_h)
            if given.taken_h in source.states:  # else it ended before
                media.append(simulator.conditioned(source, given.taken_h, given.share, given.time_h))
        times = np.union1d(design.curve_times, design.readout_times)
        taken = {m.taken_h for other in arms.values() for m in other.medium_from}
        read = sorted({float(t) for t in (*times, *taken) if t <= until} | {until})
        well = Well(
            until, tuple(read), arm.schedule, arm.insert.schedule if arm.insert else (), design.most_cells,
            design.rare_cells, design.stops if design.stop_when else None,
            None if design.arrest is None else design.off, media, tuple(design.readout_times.tolist()),
        )  # fmt: skip
        return simulator.grow(self.plated(simulator, arm, donor), well)


class SingleCellWells(Wells[Cells]):
    """Wells whose cells are simulated one by one, plated from cultures that are grown once."""

    def __init__(self, design: WellDesign, method: CellMethod, limits: WellLimits = NO_LIMITS) -> None:
        super().__init__(design)
        self.method, self.plating, self.limits = method, Plating(design), limits

    def of_design(self, design: WellDesign) -> SingleCellWells:
        return SingleCellWells(design, self.method, self.limits)

    @property
    def halved(self) -> SingleCellWells:
        """The same cells, their cultures included, with half the window."""
        return SingleCellWells(self.design, self.method.halved, self.limits)

    def compile(self) -> None:
        self.method.prepare(self.design.population)

    def cultures(self, arm: Arm, donor: int) -> tuple[object, ...]:
        return self.plating.keys(arm, donor)

    def plated(self, simulator: SingleCellSimulator, arm: Arm, donor: int) -> Cells:
        return self.plating.plated(simulator, arm, donor)

    @contextmanager
    def simulator(self, cancelled: Asks) -> Iterator[SingleCellSimulator]:
        """A simulator whose kernels stop within a second once the run is cancelled."""
        design = self.design
        made = SingleCellSimulator(
            design.population, self.method, share=design.circuit.well, halves=design.halves, limits=self.limits
        )
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.2):
                made.stop[0] |= cancelled()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield made
        finally:
            over.set()
            watcher.join()

    def sentences(self) -> tuple[str, ...]:
        most, rare = self.design.most_cells, self.design.rare_cells
        control = (
            f"Of a well's cells about {most:,} are simulated, each representing as many as its weight says; a type with"
            f" fewer than {rare} cells is simulated cell by cell. All numbers are of all cells."
        )
        exact = f"A well ends when it has more than {most:,} cells."
        return (*self.method.sentences(self.design), control if self.method.controlled else exact)
