"""Where a well of cells is given up, so that a runaway population does not hold up all others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypedDict

from senexo.base.errors import Fault, InvalidInput, LimitReached

if TYPE_CHECKING:
    from senexo.engine.population.model import Cells
    from senexo.study.schema import Study


class Most(TypedDict, total=False):
    """What the engine's methods take."""

    most_cells: int
    most_events: int


@dataclass(frozen=True, slots=True)
class WellLimits:
    """Limits of one well; None: no such limit.

    Attributes
    ----------
    events
        Reactions and fates of its cells, each as often as its cell's weight; of a culture before it, as many again.
    cells
        Cells living at once, each as often as its weight.
    """

    events: int | None = None
    cells: int | None = None

    def __bool__(self) -> bool:
        return self.events is not None or self.cells is not None

    @property
    def of_engine(self) -> Most:
        """The same for a run of the engine between two looks."""
        found = Most()
        if self.events is not None:
            found["most_events"] = self.events
        if self.cells is not None:
            found["most_cells"] = self.cells
        return found

    @property
    def of_culture(self) -> WellLimits:
        """A culture is split whenever it has doubled: its cells are bounded, and are not those of the well."""
        return replace(self, cells=None)

    def check(self, cells: Cells) -> None:
        """LimitReached for cells that have reached one."""
        happened, living = int(cells.fired.sum()), int(cells.weight.sum())
        if self.events is not None and happened >= self.events:
            raise LimitReached(f"{self.events:,} events at {cells.time:g} h")
        if self.cells is not None and living >= self.cells:
            raise LimitReached(f"{self.cells:,} cells at {cells.time:g} h")

    def refuse(self, study: Study, why: str) -> None:
        """InvalidInput for each limit that is set, where a study has nothing that it would count."""
        given = {"max_events": self.events, "max_cells": self.cells}
        expected = "a study of cells that are simulated one by one in a shared medium"
        faults = [Fault(name, f"{study.title}: {why}", expected) for name, most in given.items() if most is not None]
        if faults:
            raise InvalidInput(faults)


NO_LIMITS = WellLimits()


def well_limits(events: int | None, cells: int | None) -> WellLimits:
    """The limits that a user sets; InvalidInput for one that is no number of events or cells."""
    faults = [
        Fault(name, repr(value), "a whole number, 1 or more")
        for name, value in (("max_events", events), ("max_cells", cells))
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1)
    ]
    if faults:
        raise InvalidInput(faults)
    return WellLimits(events, cells)
