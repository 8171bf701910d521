"""SBML's events at one instant: which have been triggered, which wait, which execute, in which order.

Source: SBML Level 3 Version 2 Core, section 4.12 (doi 10.1515/jib-2017-0080).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import SimulationError
from senexo.engine.ode.equations import Equations
from senexo.engine.ode.zeno import Accumulations

# Events that trigger each other without end at one instant are a fault of the model, not a long run.
MOST_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A triggered event that has not executed; `values` are those of its trigger's time, if it uses these."""

    event: int
    due: float
    values: NDArray[np.float64] | None


class EventQueue:
    """The events of one run over the cells of its `Equations`."""

    def __init__(self, equations: Equations, ties: np.random.Generator | None, *, end: float = inf) -> None:
        self.equations = equations
        self.ties = ties
        self.events = equations.lowered.events
        self.was = np.array([event.initial_value for event in self.events], dtype=bool)
        self.waiting: list[Waiting] = []
        self.n_executed = 0
        self.below: dict[int, str] = {}  # slots of species, and what set each below zero first
        self.accumulations = Accumulations(tuple(event.id for event in self.events), end)

    @property
    def next_time(self) -> float:
        return min([entry.due for entry in self.waiting]) if self.waiting else inf

    def settle(self, time: float) -> bool:
        """Let everything happen that happens at this time; True if any event executed.

        One event executes at a time, the one of highest priority among those due; after each, triggers are
        evaluated again, so an event may cause or cancel others at the same instant. Ties between equal priorities are
        broken at random, as the specification has it; events without priority go last, in the order of triggering.
        """
        executed = 0
        while True:
            self.equations.look()
            self.notice(time)
            due = [entry for entry in self.waiting if entry.due <= time] if self.waiting else []
            if not due:
                return executed > 0
            entry = self.next_of(due)
            self.waiting.remove(entry)
            self.execute(entry, time)
            self.n_executed += 1
            self.accumulations.note(entry.event, time)
            executed += 1
            if executed > MOST_AT_ONCE:
                raise SimulationError(
                    f"more than {MOST_AT_ONCE} events at time {time:g}: event {self.events[entry.event].id} and "
                    "others trigger each other without end"
                )

    def notice(self, time: float) -> None:
        """Queue events whose trigger became true; drop those that do not persist and whose trigger became false."""
        if not self.events:
            return
        now = self.equations.triggers != 0.0
        for index in np.flatnonzero(now != self.was):
            if now[index]:
                self.waiting.append(self.triggered(int(index), time))
            elif not self.events[index].persistent:
                self.waiting = [entry for entry in self.waiting if entry.event != index]
        self.was = now

    def triggered(self, index: int, time: float) -> Waiting:
        event, programs = self.events[index], self.equations.events[index]
        delay = 0.0
        if programs.delay is not None:
            self.equations.compute(programs.delay)
            delay = float(self.equations.memory[programs.cell])
            if isnan(delay) or delay < 0.0:
                raise SimulationError(f"event {event.id} at time {time:g}: its delay is {delay:g}, not 0 or more")
        return Waiting(index, time + delay, self.values(index) if event.use_values_from_trigger_time else None)

    def values(self, index: int) -> NDArray[np.float64]:
        programs = self.equations.events[index]
        self.equations.compute(programs.assign)
        return self.equations.memory[programs.values.start : programs.values.stop].copy()

    def next_of(self, due: list[Waiting]) -> Waiting:
        priorities = [self.priority(entry) for entry in due]
        highest = max(priorities)
        first = [entry for entry, priority in zip(due, priorities, strict=True) if priority == highest]
        if len(first) == 1 or highest == -inf:
            return first[0]
        assert self.ties is not None  # given where an event has a priority
        return first[self.ties.integers(len(first))]

    def priority(self, entry: Waiting) -> float:
        """As it is now; an event without one goes after those that have one."""
        programs = self.equations.events[entry.event]
        if programs.priority is None:
            return -inf
        self.equations.compute(programs.priority)
        priority = float(self.equations.memory[programs.cell])
        return -inf if isnan(priority) else priority

    def execute(self, entry: Waiting, time: float) -> None:
        """All assignments of one event at once, each from the state before the event: sizes of compartments too."""
        memory, assignments = self.equations.memory, self.events[entry.event].assignments
        values = self.values(entry.event) if entry.values is None else entry.values
        sizes = [memory[item.size] if item.size >= 0 else 1.0 for item in assignments]
        for item, value, size in zip(assignments, values, sizes, strict=True):
            memory[item.slot] = value * size
            info = self.equations.lowered.slots[item.slot]
            if value * size < 0.0 and info.kind == "species" and item.slot not in self.below:
                self.below[item.slot] = (
                    f"{self.events[entry.event].id} sets {info.id} to {value * size:g} at time {time:g}, below zero"
                )
        self.equations.refresh()
