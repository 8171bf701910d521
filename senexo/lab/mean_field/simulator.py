"""Wells by the deterministic equations of their population: fractions of cells, means of their molecules, no chance.

Cells of a type are all alike, also at the start: the donor's numbers, without variation. What is done in a well, and
when it is looked at and read, is as for single cells (`senexo.lab.coupled.well`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.base.errors import Fault, InvalidInput
from senexo.engine.ode.single import Translated, integrate
from senexo.engine.population.control import Resampled
from senexo.engine.population.initial import start
from senexo.engine.population.mass_balance import PoolBalance
from senexo.engine.population.mean_field import MIN_CELLS, MeanField
from senexo.engine.population.model import Cells, Floats, Ints, Log, Population
from senexo.lab.coupled.readings import Snapshot
from senexo.lab.coupled.well import LOOK_H, PASSAGE, Halves, Look, Well, WellSimulator
from senexo.lab.ensemble import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from senexo.study.schema import Action

RTOL = 1e-7  # of a step; numbers and means then agree with those at 1e-9 to 1e-5 over a week of the shipped circuit
MIN_CELLS_FOR_MEAN = 10.0 * MIN_CELLS  # a type with fewer counts as empty: its means are a quotient of rounding errors


@dataclass(frozen=True, slots=True, eq=False)
class MeanState:
    """A well at `time` (h): values [slots] of `MeanField(population).lowered`."""

    time: float
    v: Floats


class MeanFieldSimulator(WellSimulator[MeanState]):
    """Wells of numbers of cells and of their mean molecules.

    Parameters
    ----------
    population, share, halves
        As of `WellSimulator`.
    cancelled
        Asked now and then; a run that is cancelled raises `Cancelled`.

    Raises
    ------
    UnsupportedFeature
        For hazards that read the age of cells.
    """

    def __init__(
        self, population: Population, share: str | None = None, halves: Halves | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        super().__init__(population, share, halves)
        self.cancelled = cancelled
        self.field = MeanField(population)
        self.translated = Translated(self.field.lowered)
        known = {info.id: place for place, info in enumerate(self.field.lowered.slots)}
        shape = (len(population.types), population.width)
        self._mean, self._own = np.full(shape, -1), np.full(shape, -1)
        for place, type in enumerate(population.types):
            for slot, info in enumerate(type.network.slots):
                self._mean[place, slot] = known.get(f"{type.name}.{info.id}", known.get(info.id, -1))
                self._own[place, slot] = known.get(f"own({type.name}.{info.id})", -1)
        self.cells = np.array([known[f"cells({type.name})"] for type in population.types])
        self.pools = np.array([known[id] for id in population.pooled], dtype=int)

    def cancelled_by(self, cancelled: Callable[[], bool]) -> MeanFieldSimulator:
        """The same equations for a run of its own."""
        other = copy(self)
        other.cancelled = cancelled
        return other

    # ---- flasks and plating

    def begin(self, cells: Cells) -> MeanState:
        """The means of cells that are there."""
        return MeanState(cells.time, self.field.start(cells))

    def seeded(
        self, numbers: Mapping[str, float], overrides: Mapping[str, Mapping[str, Any]], actions: Sequence[Action] = ()
    ) -> MeanState:
        """So many cells of each type with these numbers in them, all alike, after genotype and medium."""
        state = MeanState(0.0, self.field.start(start(self.population, {}, seed=0, overrides=overrides)))
        self.act(state, actions)
        for name, n in numbers.items():
            state.v[self.cells[self.population.number(name)]] = n
        self.share_out(state.v)
        return state

    def expanded(self, state: MeanState, hours: float, flask: float) -> MeanState:
        """A culture after so many hours that is split in two whenever it has more than `flask` cells."""

        def look(now: MeanState) -> tuple[MeanState, str]:
            if now.v[self.cells].sum() <= flask:
                return now, ""
            fewer = self.copy(now)
            self._subculture(fewer.v, PASSAGE)
            return fewer, ""

        return self.advance(state, state.time + hours, look, [])[0] if hours > 0 else state

    def plated(
        self, state: MeanState, cultures: Iterable[tuple[MeanState, Mapping[str, float], Mapping[str, str]]]
    ) -> MeanState:
        """Fresh medium at time 0 and no cells but these: of each culture so many of its types, as they are named here.

        state: has the parameters of this well; it is not changed.
        """
        fresh = state.v.copy()
        fresh[self.cells], fresh[self.pools] = 0.0, 0.0
        for grown, numbers, names in cultures:
            for name, n in numbers.items():
                old, new = self.population.number(name), self.population.number(names.get(name, name))
                counted = self.population.countable[old]
                for slot in range(len(self.population.types[old].network.slots)):
                    if old != new and self._own[old, slot] >= 0:
                        fresh[self._own[new, slot]] = grown.v[self._own[old, slot]]
                    if slot in counted or (old != new and self._own[old, slot] >= 0):
                        fresh[self._mean[new, slot]] = grown.v[self._mean[old, slot]]
                fresh[self.cells[new]] = n
        self.share_out(fresh)
        return MeanState(0.0, fresh)

    def share_out(self, v: Floats) -> None:
        """Set how many cells share their medium; in a Transwell each half for itself."""
        above = sorted(self.halves.above) if self.halves else []
        total, upper = float(v[self.cells].sum()), float(v[self.cells[above]].sum())
        for name, n in zip(self.shares(), (total - upper, upper), strict=False):
            self._set(v, name, max(n, 1.0))
        if self.halves is not None:
            self._set(v, self.halves.share, upper / max(total, 1.0))

    # ---- what a well needs

    def time_of(self, state: MeanState) -> float:
        return state.time

    def copy(self, state: MeanState) -> MeanState:
        return MeanState(state.time, state.v.copy())

    def snapshot(self, state: MeanState) -> Snapshot:
        """A row for each type that has cells; what a solver leaves below 0 is nothing."""
        v = state.v
        values = np.where(self._mean >= 0, v[self._mean], 0.0)
        for place, slots in enumerate(self.population.countable):
            values[place, list(slots)] = np.maximum(values[place, list(slots)], 0.0)
        there = np.flatnonzero(v[self.cells] > MIN_CELLS_FOR_MEAN)
        key = np.column_stack((np.zeros_like(there), there + 1)).astype(np.uint64)
        return Snapshot(
            state.time, there, key, np.zeros_like(key), np.zeros(len(there)), values[there], v[self.cells][there],
            np.maximum(v[self.pools], 0.0), np.full(len(there), np.nan),
        )  # fmt: skip

    def advance(self, state: MeanState, until: float, look: Look[MeanState], logs: list[Log]) -> tuple[MeanState, str]:
        while state.time < until:
            first = (np.floor(state.time / LOOK_H + 1e-9) + 1.0) * LOOK_H
            times = np.array([state.time, *np.arange(first, until, LOOK_H), until])
            rows = integrate(self.translated, state.v, times - state.time, rtol=RTOL)
            for time, row in zip(times[1:].tolist(), rows[1:], strict=True):
                if self.cancelled():
                    raise Cancelled
                now = MeanState(time, row.copy())
                state, ended = look(now)
                if ended:
                    return state, ended
                if state is not now:  # what goes on is another state than the integrated one
                    break
        return state, ""

    def act(
        self, state: MeanState, actions: Sequence[Action], *, types: Collection[int] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """As `senexo.lab.coupled.handling.treat`. InvalidInput for a target that no type has."""
        v = state.v
        for action in actions:
            target = (names or {}).get(action.target, action.target)
            if target in self.population.pooled:
                _change(v, self.pools[self.population.pooled.index(target)], action)
                continue
            for place, slot in self._places(target):
                if types is not None and place not in types:
                    continue
                _change(v, self._mean[place, slot], action)
                if slot not in self.population.countable[place]:
                    _change(v, self._own[place, slot], action)

    def pour(self, state: MeanState, copies: Ints | Floats) -> None:
        state.v[self.pools] += copies

    def drawn_off(self, state: MeanState, share: float) -> Floats:
        return np.asarray(share * np.maximum(state.v[self.pools], 0.0))

    def controlled(self, state: MeanState, well: Well) -> tuple[MeanState, Resampled, str]:
        """Nothing: numbers of cells cost nothing."""
        return state, Resampled.none(), ""

    def balance(self, begin: MeanState, end: MeanState) -> tuple[PoolBalance, ...]:
        """Nothing: flows are not integrated apart."""
        return ()

    # ---- quantities

    def _subculture(self, v: Floats, share: float) -> None:
        """A flask that is split: this share of cells and medium goes on."""
        v[self.cells] *= share
        v[self.pools] *= share
        for name in self.shares():
            place, slot = self._places(name)[0]
            self._set(v, name, max(float(v[self._own[place, slot]]) * share, 1.0))

    def _places(self, id: str) -> list[tuple[int, int]]:
        found = [
            (place, slot)
            for place, type in enumerate(self.population.types)
            for slot, info in enumerate(type.network.slots)
            if info.id == id
        ]
        if not found:
            raise InvalidInput([Fault("an action", repr(id), "a quantity of the cells or of a pool")])
        return found

    def _set(self, v: Floats, id: str, value: float) -> None:
        for place, slot in self._places(id):
            v[self._mean[place, slot]] = v[self._own[place, slot]] = value


def _change(v: Floats, at: int, action: Action) -> None:
    if action.operation == "set":
        v[at] = action.value
    else:
        v[at] = v[at] * action.value if action.operation == "multiply" else v[at] + action.value
