"""What experiments on independent cells share, whether their cells are read themselves or give hazards to a host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self

from senexo.lab.experiment import Unit, units_of
from senexo.lab.lone.simulator import CellSimulator

if TYPE_CHECKING:
    from senexo.model.circuit import Circuit
    from senexo.model.network import Network
    from senexo.study.schema import Study


class OneCellType:
    """A part of `senexo.lab.experiment.Experiment`: its study has one cell type, simulated one cell at a time."""

    def __init__(self, study: Study, network: Network, circuit: Circuit | None) -> None:
        self.simulator = CellSimulator(study, network, circuit)
        self.study, self._network = study, network
        self.circuit: Circuit | None = circuit
        self.networks = (self.simulator.lowered,)

    @property
    def families(self) -> Mapping[str, Sequence[str]]:
        """The one cell type, which becomes no other."""
        return {self.simulator.cell_type: (self.simulator.cell_type,)}

    def of_study(self, study: Study) -> Self:
        """Another study of the same model; not compiled again."""
        other = type(self)(study, self._network, self.circuit)
        other.simulator.share_kernel(self.simulator)
        return other

    def units(self) -> list[Unit]:
        """Every arm of every donor."""
        return units_of(self.study)

    def compile(self) -> None:
        """Compile the model's equations."""
        self.simulator.compile()
