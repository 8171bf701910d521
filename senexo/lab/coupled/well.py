"""One well from plating to its last read-out, whatever method simulates its cells.

The time of a well is cut at every intervention and read-out. It is looked at every hour: does the condition to stop
hold, are too many cells simulated. In a Transwell there are cells above a membrane too, with a medium and a schedule of
their own. What a method does to a state (advance it, act on it, make a snapshot of it) its simulator says.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from senexo.engine.population.control import Resampled
from senexo.engine.population.mass_balance import PoolBalance
from senexo.engine.population.model import Floats, Ints, Log, Population, Words
from senexo.lab.coupled.off_times import OffTimes
from senexo.lab.coupled.readings import Snapshot

if TYPE_CHECKING:
    from senexo.study.schema import Action

LOOK_H = 1.0  # between two looks at a well
PASSAGE = 0.5  # of a full flask that is split: what goes on
RARE_CELLS = 50  # simulated cells that population control leaves of every type

State = TypeVar("State")
Look = Callable[[State], tuple[State, str]]  # what goes on, and why a well ends there ("": it does not)
Rows = Callable[[Floats], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True, eq=False)
class Halves:
    """A Transwell's two halves: places of the types in each, and the names that are swapped in the insert.

    share: the parameter that is the share of the medium that is in the insert.
    """

    below: frozenset[int]
    above: frozenset[int]
    swap: Mapping[str, str]
    share: str


@dataclass(frozen=True, slots=True)
class Medium:
    """Conditioned medium: copies per pool species, poured in at `given` (h); fractions by mean_field."""

    copies: Ints | Floats
    given: float


@dataclass(frozen=True, slots=True)
class Well:
    """One well and what is done in it.

    Attributes
    ----------
    until, times
        Its last hour, and those of its read-outs.
    schedule, above
        Actions with their hours, and those in the insert.
    most_cells, rare_cells
        At more than `most_cells` simulated cells some are merged, but none of a type with `rare_cells` or fewer of
        them; a method without population control ends the well.
    stop_when
        Of the well now and as it was plated: whether it ends. Looked at every hour.
    off
        Which rows of values have a switch that is off; None: no cell is arrested.
    conditioned
        Medium that is poured in.
    balance_times
        Hours, besides those of interventions, at which the pools are balanced.
    """

    until: float
    times: Sequence[float]
    schedule: Sequence[Action] = ()
    above: Sequence[Action] = ()
    most_cells: int = 20_000
    rare_cells: int = RARE_CELLS
    stop_when: Callable[[Snapshot, Snapshot], bool] | None = None
    off: Rows | None = None
    conditioned: Sequence[Medium] = ()
    balance_times: Sequence[float] = ()


@dataclass(slots=True, eq=False)
class Course(Generic[State]):
    """What became of a well.

    Attributes
    ----------
    begin
        The well as it was plated.
    end
        Its last state.
    snapshots
        At every read-out time that was reached, and where a well ended before its time.
    log, resampled
        Fates of simulated cells, and what population control did, in order of time; nothing by mean_field.
    balances
        Of the pools, per stretch between two interventions: begin and end (h), and one for each species; nothing
        by mean_field.
    states
        Read-out time -> the state there, before that hour's interventions.
    ended
        Why it ended before its time; "": it did not.
    """

    begin: Snapshot
    end: State
    snapshots: list[Snapshot] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    control: list[Resampled] = field(default_factory=list)
    balances: list[tuple[float, float, tuple[PoolBalance, ...]]] = field(default_factory=list)
    states: dict[float, State] = field(default_factory=dict)
    ended: str = ""

    @property
    def log(self) -> Log:
        """All that happened to simulated cells."""
        return joined(self.logs)

    @property
    def resampled(self) -> Resampled:
        """All that population control did."""
        return Resampled.joined(self.control)


class WellSimulator(ABC, Generic[State]):
    """A population in a well, and the method that simulates it.

    Parameters
    ----------
    population
        The types of cells and their pools.
    share
        The parameter that is the number of cells that share a medium; None: no such.
    halves
        Of a Transwell, where the population has types for its insert.
    """

    def __init__(self, population: Population, share: str | None = None, halves: Halves | None = None) -> None:
        self.population, self.share, self.halves = population, share, halves

    # ---- what a method does

    @abstractmethod
    def time_of(self, state: State) -> float:
        """The hour of a state."""

    @abstractmethod
    def copy(self, state: State) -> State:
        """A state that may be changed in place."""

    @abstractmethod
    def snapshot(self, state: State) -> Snapshot:
        """What is in the well."""

    @abstractmethod
    def advance(self, state: State, until: float, look: Look[State], logs: list[Log]) -> tuple[State, str]:
        """The state at `until` and "", or where a look or the method itself ended the well, and why.

        It is looked at every full hour and at `until`; what a look gives back goes on.
        """

    @abstractmethod
    def act(
        self, state: State, actions: Sequence[Action], *, types: Collection[int] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """Do actions to cells of these places (None: of all) and to pools, in place; names: what stands for what."""

    @abstractmethod
    def pour(self, state: State, copies: Ints | Floats) -> None:
        """Add medium that holds these copies of each pool species, in place."""

    @abstractmethod
    def drawn_off(self, state: State, share: float) -> Ints | Floats:
        """The copies in a share of the medium, as a sister well of the same history would give them."""

    @abstractmethod
    def controlled(self, state: State, well: Well) -> tuple[State, Resampled, str]:
        """The state after population control, what it did, and why the well ends where it cannot."""

    @abstractmethod
    def balance(self, begin: State, end: State) -> tuple[PoolBalance, ...]:
        """Where the copies of each pool species came from and went between two states."""

    # ---- a well

    def grow(self, begin: State, well: Well) -> Course[State]:
        """A plated well to its end."""
        start = self.time_of(begin)
        acts = (*well.schedule, *well.above)
        acted = {float(a.time_h) for a in acts if a.time_h is not None} | {m.given for m in well.conditioned}
        times = sorted({t for t in (*well.times, *acted) if start <= t <= well.until} | {well.until})
        off = OffTimes()
        course = Course(self._seen(begin, well, off), begin)
        state = opened = begin
        for time in times:
            if time > self.time_of(state):
                state, course.ended = self.advance(state, time, self._look(course, well, off), course.logs)
                if course.ended or time in acted or time in well.balance_times or time == times[-1]:
                    course.balances.append((self.time_of(opened), self.time_of(state), self.balance(opened, state)))
                    opened = state
            if course.ended:
                course.snapshots.append(self._seen(state, well, off, remember=False))
                break
            if time in well.times:
                course.snapshots.append(self._seen(state, well, off, remember=False))
                course.states[time] = state
            state = self.copy(state)
            self._intervene(state, well, time)
            opened = state if time in acted else opened
        course.end = state
        return course

    def conditioned(self, source: Course[State], taken: float, share: float, given: float) -> Medium:
        """A share of another well's medium at one of its read-out times."""
        return Medium(self.drawn_off(source.states[taken], share), given)

    def shares(self) -> list[str]:
        """The parameters that are numbers of cells that share a medium: that of the well, that of the insert."""
        names = [] if self.share is None else [self.share]
        return names + [self.halves.swap[name] for name in names] if self.halves else names

    def _look(self, course: Course[State], well: Well, off: OffTimes) -> Look[State]:
        def look(state: State) -> tuple[State, str]:
            time = self.time_of(state)
            if time % LOOK_H and time != well.until:  # between two looks nothing changes, whatever is read there
                return state, ""
            if well.stop_when is not None or well.off is not None:
                seen = self._seen(state, well, off)
                if well.stop_when is not None and well.stop_when(seen, course.begin):
                    return state, f"stop_when became true at {time:g} h"
            if time % LOOK_H:
                return state, ""
            state, done, ended = self.controlled(state, well)
            off.resampled(done)
            course.control.append(done)
            return state, ended

        return look

    def _seen(self, state: State, well: Well, off: OffTimes, *, remember: bool = True) -> Snapshot:
        """The well with the hours since which switches are off; they are remembered at looks alone."""
        now = self.snapshot(state)
        if well.off is None:
            return now
        note = off.look if remember and now.time % LOOK_H == 0.0 else off.since
        return replace(now, off_since=note(now.key, well.off(now.values), now.time))

    def _intervene(self, state: State, well: Well, time: float) -> None:
        """The interventions of an hour: below, in the insert, then medium poured in."""
        here = [action for action in well.schedule if action.time_h == time]
        self.act(state, here, types=self.halves.below if self.halves else None)
        if self.halves is not None:
            above = [action for action in well.above if action.time_h == time]
            self.act(state, above, types=self.halves.above, names=self.halves.swap)
        for medium in well.conditioned:
            if medium.given == time:
                self.pour(state, medium.copies)


def joined(logs: Sequence[Log]) -> Log:
    """The logs of one stretch after the other as one."""
    if not logs:
        empty: Words = np.zeros((0, 2), dtype=np.uint64)
        return Log(np.zeros(0), empty, *np.zeros((2, 0), dtype=np.int64))
    columns = ("time", "key", "channel", "weight")
    time, key, channel, weight = (np.concatenate([getattr(log, name) for log in logs]) for name in columns)
    return Log(time, key, channel, weight, complete=logs[-1].complete, reason=logs[-1].reason)
