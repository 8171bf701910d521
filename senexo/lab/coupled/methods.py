"""The methods that simulate single cells in a shared medium: one class each, and the table of them.

Another method of the engine is a class here and a row in `senexo.study.methods`; a test holds the two together.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from senexo.engine.population.exact import run_exact
from senexo.engine.population.hybrid import longest_step, prepare, run_hybrid
from senexo.engine.population.model import Cells, Log, Population
from senexo.engine.population.partition import HybridPartition, divided
from senexo.engine.population.splitting import run_split
from senexo.lab.limits import Most
from senexo.study.form.kinds import DEFAULT_WINDOW_H
from senexo.study.methods import DEFAULT, MethodName

if TYPE_CHECKING:
    from senexo.lab.coupled.design import WellDesign

Stop = NDArray[np.bool_]
_NONE = Most()  # no limits
DONORS_COMPARED = 8  # the first of a study, in which a species may be scarce that is abundant at the central values


class CellMethod(ABC):
    """A method that simulates every cell by itself.

    Attributes
    ----------
    controlled
        Whether population control bounds the number of cells that are simulated; else a well with more of them ends.
    """

    controlled: ClassVar[bool] = True

    @classmethod
    @abstractmethod
    def of(cls, design: WellDesign) -> Self:
        """The method as the study sets it."""

    @abstractmethod
    def run(
        self, population: Population, cells: Cells, until: float, stop: Stop, limits: Most = _NONE
    ) -> tuple[Cells, Log]:  # fmt: skip
        """The cells at `until` (h) and what happened to them; `stop[0]` or one of the engine's limits ends it."""

    @abstractmethod
    def sentences(self, design: WellDesign) -> tuple[str, ...]:
        """How cells were simulated, for a reader of the results."""

    def prepare(self, population: Population) -> None:  # noqa: B027
        """Compile what the population needs; the kernels of most methods serve all networks."""

    @property
    def halved(self) -> Self:
        """The same with half the window; a method without a window is what it is."""
        return self


@dataclass(frozen=True)
class Exact(CellMethod):
    """All cells and their medium as one Markov process, event by event."""

    controlled: ClassVar[bool] = False

    @classmethod
    def of(cls, design: WellDesign) -> Exact:
        return cls()

    def run(
        self, population: Population, cells: Cells, until: float, stop: Stop, limits: Most = _NONE
    ) -> tuple[Cells, Log]:  # fmt: skip
        return run_exact(population, cells, until, stop=stop, **limits)

    def sentences(self, design: WellDesign) -> tuple[str, ...]:
        return ("Cells share their medium. All cells and the medium are one process, event by event.",)


@dataclass(frozen=True)
class Split(CellMethod):
    """Operator splitting: cells event by event in windows (h) during which the pools are constant."""

    window: float = DEFAULT_WINDOW_H

    @classmethod
    def of(cls, design: WellDesign) -> Split:
        return cls(design.study.culture.window_h or DEFAULT_WINDOW_H)

    def run(
        self, population: Population, cells: Cells, until: float, stop: Stop, limits: Most = _NONE
    ) -> tuple[Cells, Log]:  # fmt: skip
        return run_split(population, cells, until, window=self.window, stop=stop, **limits)

    def sentences(self, design: WellDesign) -> tuple[str, ...]:
        return (_windows(self.window), "Within a window every reaction of a cell happens one by one.")

    @property
    def halved(self) -> Split:
        return replace(self, window=self.window / 2.0)


@dataclass(frozen=True)
class Hybrid(CellMethod):
    """Operator splitting with abundant species as continuous amounts (Langevin).

    Attributes
    ----------
    window, step
        Length of a window, and of the longest step within it (h; None: what `run_hybrid` takes).
    partition
        What is continuous; None: what is abundant at the population's own values.
    """

    window: float = DEFAULT_WINDOW_H
    partition: HybridPartition | None = None
    step: float | None = None

    @classmethod
    def of(cls, design: WellDesign) -> Hybrid:
        return cls(design.study.culture.window_h or DEFAULT_WINDOW_H, _partition(design, None))

    def run(
        self, population: Population, cells: Cells, until: float, stop: Stop, limits: Most = _NONE
    ) -> tuple[Cells, Log]:  # fmt: skip
        return run_hybrid(
            population,
            cells,
            until,
            window=self.window,
            step=self.step,
            partition=self.partition,
            stop=stop,
            **limits,
        )

    def prepare(self, population: Population) -> None:
        prepare(population, self.partition)

    def sentences(self, design: WellDesign) -> tuple[str, ...]:
        continuous = frozenset() if self.partition is None else self.partition.continuous
        donors = range(1, DONORS_COMPARED + 1)
        scarce = Counter(id for donor in donors for id in continuous - _partition(design, donor).continuous)
        rough = ", ".join(f"{id} ({n} of {DONORS_COMPARED})" for id, n in sorted(scarce.items()))
        return (
            _windows(self.window),
            "Scarce molecules, vesicles and fates happen one by one. Continuous amounts with the noise of their"
            " reactions, because an untreated cell has many copies at the central values:"
            f" {', '.join(sorted(continuous)) or 'none'}."
            + (f" Rough, because some of the first donors have few copies: {rough}." if rough else ""),
        )

    @property
    def halved(self) -> Hybrid:
        return replace(self, window=self.window / 2.0, step=longest_step(self.window, self.step) / 2.0)


CELL_METHODS: Mapping[MethodName, type[CellMethod]] = {"hybrid": Hybrid, "split": Split, "exact": Exact}


def cell_method(design: WellDesign) -> CellMethod:
    """The method that a study names, as it sets it."""
    return CELL_METHODS[design.study.culture.method or DEFAULT].of(design)


def _windows(window: float) -> str:
    return (
        f"Cells share their medium. They are simulated in windows of {window:g} h with the medium as it was when they"
        " began; then vesicles and cargo are taken up and lost in whole molecules. A shorter window is closer to the"
        " truth."
    )


def _partition(design: WellDesign, donor: int | None) -> HybridPartition:
    """What is abundant in an untreated cell of a donor; None: at the central values of the study's laws."""
    numbers = design.numbers(donor)
    values = []
    for type in design.population.types:
        values.append(type.network.values.copy())
        for id, value in numbers[type.name].items():
            values[-1][type.network.slot(id)] = value
    return divided(design.population, values=values)
