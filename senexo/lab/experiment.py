"""What an experiment is: the protocol that every kind of virtual experiment implements, and its unit of work.

The workflow, the estimate of a run, the claim's null, the judging and the provenance see an experiment through this
protocol alone. A kind of experiment is a package beside this module and one line in `senexo.lab.registry`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from senexo.lab import protocol
from senexo.study.schema import Arm

if TYPE_CHECKING:
    import pandas as pd

    from senexo.base.store import Store
    from senexo.engine.formula.network import Lowered
    from senexo.lab.limits import WellLimits
    from senexo.lab.replay import Replay
    from senexo.model.circuit import Circuit
    from senexo.study.observables import Observable, Quantity
    from senexo.study.schema import Study

Arrays = Mapping[str, NDArray[Any]]  # what a unit leaves, by name
Get = Callable[[str], Arrays]  # the arrays of a unit, by the name of its chunk
UNTREATED = Arm(family="untreated", dose_label="", summary="untreated")


class World(Enum):
    """In which version of the study a unit is simulated; the value begins the name of its chunk.

    STUDY: as the study says. NULL: with the edges cut that the claim's null cuts. WINDOW_CHECK: with half the window.
    """

    STUDY = ""
    NULL = "null-"
    WINDOW_CHECK = "half-"


@dataclass(frozen=True, slots=True)
class Unit:
    """One arm of one donor: the unit of work and of storage.

    Attributes
    ----------
    arm
        Number of the arm, counted from 0 in the order of the study.
    donor
        Number of the donor, counted from 1.
    treatment_digest, occurrence
        What is done in the arm, and how many arms before it do the same (`senexo.lab.protocol.occurrences`): together
        with the donor they key the random numbers of measuring, so that the name of an arm changes no number.
    world
        The version of the study.
    """

    arm: int
    donor: int
    treatment_digest: str
    occurrence: int
    world: World = World.STUDY

    @property
    def chunk(self) -> str:
        """The name under which the unit's arrays are kept."""
        return f"{self.world.value}arm{self.arm:03d}-donor{self.donor:04d}"


@dataclass(frozen=True, slots=True)
class Size:
    """How large the units of a study are; the counts are exact, the bytes are estimates.

    Attributes
    ----------
    founders
        Cells at time 0 per arm, in the order of the arms, all cell types together.
    unit_bytes
        Arrays of one unit as they are stored.
    working_bytes
        Memory that one worker takes while it simulates a unit.
    rows
        Rows of the longest table.
    """

    founders: tuple[int, ...]
    unit_bytes: float
    working_bytes: float
    rows: float


class Experiment(Protocol):
    """A study of one kind, ready to simulate any of its units.

    Attributes
    ----------
    study
        The resolved study.
    circuit
        Its circuit; None for a plain model.
    networks
        The lowered network of each type of cells.
    families
        Cell type -> the types that count as it: itself, and what its cells become without a division.
    replays_cells
        Whether one cell can be simulated again alone (`replay`).
    """

    @property
    def study(self) -> Study: ...

    @property
    def circuit(self) -> Circuit | None: ...

    @property
    def networks(self) -> Sequence[Lowered]: ...

    @property
    def families(self) -> Mapping[str, Sequence[str]]: ...

    @property
    def replays_cells(self) -> bool: ...

    def of_study(self, study: Study) -> Experiment:
        """Another study of the same model and cell types (other times, donors or arms); not compiled again."""

    def size(self) -> Size:
        """How large one unit is."""

    def limit(self, limits: WellLimits) -> None:
        """Give up units that reach a limit: `simulate_unit` raises LimitReached.

        Raises InvalidInput where nothing is counted.
        """

    def units(self) -> list[Unit]:
        """All units of work but those of a claim's null, donor by donor: an unfinished run has whole donors."""

    def preparation(self, unit: Unit) -> object:
        """The key of what is simulated once for all units of that key (settled cells, a culture before plating)."""

    def prepare(self, unit: Unit, cancelled: Callable[[], bool]) -> None:
        """Simulate what `preparation` names, unless it is there."""

    def compile(self) -> None:
        """Compile what the simulation needs; nothing else compiles."""

    def simulate_unit(self, unit: Unit, cancelled: Callable[[], bool]) -> dict[str, NDArray[Any]]:
        """The arrays of one unit; raises `Cancelled` soon after `cancelled()` becomes true."""

    def lacks(self, quantity: Quantity) -> str | None:
        """What the model would need to show a quantity; None where it shows it."""

    def value(self, observable: Observable, unit: Unit, arrays: Arrays) -> float:
        """An observable of a unit with these arrays, at a read-out time; nan where no cell is alive to show it."""

    def tables(self, units: Sequence[Unit], get: Get) -> Iterator[tuple[str, pd.DataFrame]]:
        """The tables of a result folder that come from no assay, by name."""

    def write_files(self, store: Store, units: Sequence[Unit], get: Get) -> None:
        """The files of a result folder that are no tables: states of single cells, snapshots."""

    def cautions(self, tables: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
        """What a reader of the results must know of how cells were simulated, in plain words."""

    def replay(self, get: Get, *, arm: str, donor: int, cell: int) -> Replay:
        """One cell simulated again and compared with what is stored.

        Raises InvalidInput for a cell that is not there, UnsupportedFeature where no cell is simulated alone.
        """


def units_of(study: Study) -> list[Unit]:
    """Every arm for donor 1, then for donor 2, and so on, in the world of the study."""
    arms = protocol.occurrences(study.arms)
    return [
        Unit(arm, donor, digest, occurrence)
        for donor in range(1, study.donors.n + 1)
        for arm, (digest, occurrence) in enumerate(arms)
    ]


def arms_in(study: Study, world: World) -> dict[str, Arm]:
    """The arms of a study as they are in a world, by name."""
    return {name: _in_world(arm, study, world) for name, arm in study.arms.items()}


def untreated_in(study: Study, world: World) -> Arm:
    """An arm that does nothing, as it is in a world; no study lists it."""
    return _in_world(UNTREATED, study, world)


def _in_world(arm: Arm, study: Study, world: World) -> Arm:
    return arm.cut(study.claim.cuts) if world is World.NULL and study.claim is not None else arm
