"""Branching processes of several types of cells: cells act independently, at hazards by type and time.

Divisions, deaths, rest, waking, senescence and escape are events of one cell of one type, which becomes any number of
cells of any types. Hazards are tables: constant between edges. Events that need room have their hazards multiplied by
max(0, 1 - X / capacity), X the cells that take up room (logistic limitation). With a finite capacity cells are no
longer independent; `Process.in_room` gives the branching process of a room that is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Event:
    """What may happen to a cell of a type.

    Parameters
    ----------
    parent
        The cell's type.
    offspring
        Type -> cells of that type in its place; empty for a death.
    hazard
        Per cell and unit of time: one number, or one for each interval between edges.
    needs_room
        Whether the hazard falls with the room that is left.
    """

    parent: str
    offspring: Mapping[str, int]
    hazard: float | Sequence[float] | Floats
    needs_room: bool = False


@dataclass(frozen=True, slots=True)
class Process:
    """A branching process as arrays.

    Attributes
    ----------
    types
        Names of the types of cells.
    parent
        [events] number of the type to which an event happens.
    offspring
        [events, types] cells in its place.
    edges
        [intervals + 1] times at which hazards change; the process runs from the first to the last.
    hazards
        [intervals, events] per cell and unit of time, with all the room there can be.
    limited
        [events] whether an event needs room.
    takes_room
        [types] whether a cell of the type takes up room.
    capacity
        Cells at which no room is left; inf: cells are independent.
    """

    types: tuple[str, ...]
    parent: Counts
    offspring: Counts
    edges: Floats
    hazards: Floats
    limited: NDArray[np.bool_]
    takes_room: NDArray[np.bool_]
    capacity: float = inf

    @classmethod
    def of(
        cls, types: Sequence[str], events: Sequence[Event], edges: Sequence[float] | Floats, *, capacity: float = inf,
        takes_room: Sequence[str] | None = None,
    ) -> Process:  # fmt: skip
        """A process of named types and events.

        Parameters
        ----------
        types
            Names of the types.
        events
            What may happen to a cell.
        edges
            Times at which hazards change, rising; the first is the start and the last the end.
        capacity
            Cells at which no room is left for events that need it; by default there is always room.
        takes_room
            The types that take up room; all by default.

        Raises
        ------
        InvalidInput
            With all faults at once: a type unknown or named twice, a count or hazard that is negative, edges that do
            not rise, as many hazards as do not fit the edges, a capacity of 0 or less.

        Examples
        --------
        >>> rest = Event("active", {"quiescent": 1}, 0.1)
        >>> division, death = Event("active", {"active": 2}, 0.3), Event("active", {}, [0.1, 0.2])
        >>> Process.of(["active", "quiescent"], [rest, division, death], [0.0, 7.0, 14.0]).hazards.shape
        (2, 3)
        """
        intervals = len(edges) - 1
        faults = _faults_of_frame(types, edges)
        for number, event in enumerate(events, start=1):
            faults += _faults_of(event, f"event {number}", types, max(intervals, 1))
        roomy = list(types if takes_room is None else takes_room)
        faults += [Fault("takes_room", name, "one of " + ", ".join(types)) for name in roomy if name not in types]
        if not capacity > 0.0:
            faults.append(Fault("capacity", f"{capacity:g}", "a number of cells above 0"))
        if faults:
            raise InvalidInput(faults)
        place = {name: i for i, name in enumerate(types)}
        offspring = np.zeros((len(events), len(types)), np.int64)
        for row, event in enumerate(events):
            for name, count in event.offspring.items():
                offspring[row, place[name]] = count
        hazards = np.empty((intervals, len(events)))
        for row, event in enumerate(events):
            hazards[:, row] = event.hazard
        parent = np.array([place[event.parent] for event in events], np.int64)
        return cls(
            tuple(types), parent, offspring, np.array(edges, float), hazards,
            np.array([event.needs_room for event in events], np.bool_),
            np.array([name in roomy for name in types], np.bool_), float(capacity),
        )  # fmt: skip

    @property
    def law(self) -> tuple[Any, ...]:
        """All numbers of the process, as the compiled steps take them."""
        return (
            self.edges, self.hazards, self.parent, self.offspring, self.limited, self.takes_room, self.capacity
        )  # fmt: skip

    @property
    def change(self) -> Counts:
        """[events, types] cells that an event adds, and takes away."""
        return self.offspring - np.eye(len(self.types), dtype=np.int64)[self.parent]

    def room(self, cells: Counts | Floats) -> Floats:
        """max(0, 1 - X / capacity) where there are these cells [..., types]."""
        return np.asarray(np.maximum(0.0, 1.0 - (cells @ self.takes_room.astype(float)) / self.capacity))

    def in_room(self, edges: Sequence[float] | Floats, room: Sequence[float] | Floats) -> Process:
        """The branching process in which room is a known course: [len(edges) - 1] room between these edges.

        The edges are rising times from the first to the last edge of the process. Where cells of interest are few among
        those that fill the room (stem cells among blasts), the course of the twin (`extinction.mean`) is close to
        theirs.
        """
        both = np.union1d(self.edges, np.asarray(edges, float))
        both = both[(both >= self.edges[0]) & (both <= self.edges[-1])]
        middle = 0.5 * (both[1:] + both[:-1])
        own = np.searchsorted(self.edges, middle, side="right") - 1
        given = np.clip(np.searchsorted(np.asarray(edges, float), middle, side="right") - 1, 0, len(room) - 1)
        factor = np.where(self.limited, np.asarray(room, float)[given][:, None], 1.0)
        return replace(self, edges=both, hazards=self.hazards[own] * factor, capacity=inf)

    def counted(self, names: Sequence[str] | None) -> NDArray[np.int64]:
        """[types] 1 for each of these types, 0 for others; None: all types.

        Raises InvalidInput for a name that is no type, and where cells of other types would become such cells, because
        no cell of these types at one time would then not mean none later.
        """
        if names is None:
            return np.ones(len(self.types), np.int64)
        listed = ", ".join(self.types)
        faults = [Fault("counted types", name, f"one of {listed}") for name in names if name not in self.types]
        mask = np.array([int(name in names) for name in self.types], np.int64)
        for parent, children in zip(self.parent, self.offspring, strict=True):
            if not faults and not mask[parent] and (children * mask).any():
                faults.append(
                    Fault("counted types", f"{self.types[parent]}, left out", "every type that becomes a counted one")
                )
        if faults:
            raise InvalidInput(faults)
        return mask

    def within(self, time: float, what: str) -> None:
        """Raise InvalidInput for a time before the first edge or after the last."""
        if not self.edges[0] <= time <= self.edges[-1]:
            raise InvalidInput(
                [Fault(what, f"{time:g}", f"{self.edges[0]:g} to {self.edges[-1]:g}, as hazards are given")]
            )

    def start(self, counts: Mapping[str, int]) -> Counts:
        """[types] cells by name, others none. Raises InvalidInput for unknown names and negative counts."""
        faults = [Fault("cells", name, "one of " + ", ".join(self.types)) for name in counts if name not in self.types]
        faults += [
            Fault(f"cells of {name}", str(n), "a whole number of at least 0") for name, n in counts.items() if n < 0
        ]
        if faults:
            raise InvalidInput(faults)
        return np.array([counts.get(name, 0) for name in self.types], np.int64)


def _faults_of_frame(types: Sequence[str], edges: Sequence[float] | Floats) -> list[Fault]:
    faults = [
        Fault("types", f"{name} twice", "each name once") for name in sorted({n for n in types if types.count(n) > 1})
    ]
    times = np.asarray(edges, float)
    if len(times) < 2 or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        faults.append(Fault("edges", ", ".join(f"{x:g}" for x in edges), "two or more finite times that rise"))
    return faults


def _faults_of(event: Event, where: str, types: Sequence[str], intervals: int) -> list[Fault]:
    listed = "one of " + ", ".join(types)
    faults = [Fault(where, name, listed) for name in (event.parent, *event.offspring) if name not in types]
    for name, count in event.offspring.items():
        if count < 0 or count != int(count):
            faults.append(Fault(f"{where}, offspring {name}", f"{count:g}", "a whole number of at least 0"))
    hazard = np.atleast_1d(np.asarray(event.hazard, float))
    if not (np.isfinite(hazard) & (hazard >= 0)).all():
        faults.append(Fault(f"{where}, hazard", str(event.hazard), "finite numbers of at least 0"))
    if len(hazard) not in (1, intervals):
        faults.append(Fault(f"{where}, hazard", f"{len(hazard)} numbers", f"1 or {intervals}, one for each interval"))
    return faults
