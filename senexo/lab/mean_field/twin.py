"""A well by the deterministic twin of its population: fractions of cells, means of their molecules, no chance at all.

Interventions are those on single cells (`senexo.lab.coupled.well`): actions at their hours, medium poured in, a full
flask split in two. Cells of a type are all alike, also at the start: the donor's numbers, without variation.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.base.errors import Fault, InvalidInput
from senexo.engine.ode.single import integrate
from senexo.engine.population.initial import start
from senexo.engine.population.mean_field import MeanField
from senexo.engine.population.model import Cells, Floats, Population
from senexo.engine.population.tables import plan
from senexo.lab.coupled.well import LOOK_H, PASSAGE, Halves, Medium, Well

if TYPE_CHECKING:
    from senexo.study.schema import Action

RTOL = 1e-7  # of a step; numbers and means then agree with those at 1e-9 to 1e-5 over a week of the shipped circuit


@dataclass(frozen=True, slots=True, eq=False)
class MeanReading:
    """A well at `time` (h): numbers [types] of cells, values [types, slots] of a cell in the mean, pools [pools]."""

    time: float
    numbers: Floats
    values: Floats
    pools: Floats


@dataclass(frozen=True, slots=True, eq=False)
class MeanCourse:
    """What became of a well: readings at the times that were reached; `end`: all that goes on."""

    readings: tuple[MeanReading, ...]
    end: Floats
    ended: str


class Twin:
    """The deterministic twin of a bench: `v` is always the value vector of `MeanField(population).lowered`.

    share, halves: as of `senexo.lab.coupled.well.Bench`. UnsupportedFeature for hazards that read the age.
    """

    def __init__(self, population: Population, share: str | None = None, halves: Halves | None = None) -> None:
        self.population, self.share, self.halves = population, share, halves
        self.field = MeanField(population)
        known = {info.id: place for place, info in enumerate(self.field.lowered.slots)}
        shape = (len(population.types), population.width)
        self._mean, self._own = np.full(shape, -1), np.full(shape, -1)
        for place, type in enumerate(population.types):
            for slot, info in enumerate(type.network.slots):
                self._mean[place, slot] = known.get(f"{type.name}.{info.id}", known.get(info.id, -1))
                self._own[place, slot] = known.get(f"own({type.name}.{info.id})", -1)
        self.cells = np.array([known[f"cells({type.name})"] for type in population.types])
        self.pools = np.array([known[id] for id in population.pooled], dtype=int)

    # ---- states

    def begin(self, cells: Cells) -> Floats:
        """The twin of cells that are there, each as the mean of its type."""
        return self.field.start(cells)

    def seeded(
        self, numbers: Mapping[str, float], overrides: Mapping[str, Mapping[str, Any]], actions: Iterable[Action] = ()
    ) -> Floats:
        """So many cells of each type with these numbers in them, all alike, after genotype and medium."""
        v = self.field.start(start(self.population, {}, seed=0, overrides=overrides))
        self.act(v, actions)
        for name, n in numbers.items():
            v[self.cells[self.population.number(name)]] = n
        self.share_out(v)
        return v

    def plated(self, v: Floats, cultures: Iterable[tuple[Floats, Mapping[str, float], Mapping[str, str]]]) -> Floats:
        """Fresh medium and no cells but these: of each culture so many of its types, under the names they get here.

        v: a state with the parameters of this well; it is not changed.
        """
        fresh = v.copy()
        fresh[self.cells], fresh[self.pools] = 0.0, 0.0
        for grown, numbers, names in cultures:
            for name, n in numbers.items():
                old, new = self.population.number(name), self.population.number(names.get(name, name))
                counted = plan(self.population).countable[old]
                for slot in range(len(self.population.types[old].network.slots)):
                    if old != new and self._own[old, slot] >= 0:
                        fresh[self._own[new, slot]] = grown[self._own[old, slot]]
                    if slot in counted or (old != new and self._own[old, slot] >= 0):
                        fresh[self._mean[new, slot]] = grown[self._mean[old, slot]]
                fresh[self.cells[new]] = n
        self.share_out(fresh)
        return fresh

    def reading(self, v: Floats, time: float) -> MeanReading:
        """What is there; what a solver leaves below 0 is nothing."""
        values = np.where(self._mean >= 0, v[self._mean], 0.0)
        for place, slots in enumerate(plan(self.population).countable):
            values[place, list(slots)] = np.maximum(values[place, list(slots)], 0.0)
        return MeanReading(time, np.maximum(v[self.cells], 0.0), values, np.maximum(v[self.pools], 0.0))

    # ---- what hands do, in place

    def act(
        self,
        v: Floats,
        actions: Iterable[Action],
        *,
        types: Collection[int] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Actions on all cells and pools, in their order, as `senexo.lab.coupled.handling.treat` does them.

        InvalidInput for a target that no type has.
        """
        for action in actions:
            target = (names or {}).get(action.target, action.target)
            if target in self.population.pooled:
                _change(v, self.pools[self.population.pooled.index(target)], action)
                continue
            places = self._places(target)
            for place, slot in places:
                if types is not None and place not in types:
                    continue
                _change(v, self._mean[place, slot], action)
                if slot not in plan(self.population).countable[place]:
                    _change(v, self._own[place, slot], action)

    def subculture(self, v: Floats, share: float) -> None:
        """A flask that is split: this share of cells and medium goes on."""
        v[self.cells] *= share
        v[self.pools] *= share
        for name in self._shares():
            place, slot = self._places(name)[0]
            self._set(v, name, max(float(v[self._own[place, slot]]) * share, 1.0))

    def share_out(self, v: Floats) -> None:
        """Tell the cells how many share their medium; in a Transwell each half for itself."""
        above = sorted(self.halves.above) if self.halves else []
        total, upper = float(v[self.cells].sum()), float(v[self.cells[above]].sum())
        for name, n in zip(self._shares(), (total - upper, upper), strict=False):
            self._set(v, name, max(n, 1.0))
        if self.halves is not None:
            self._set(v, self.halves.share, upper / max(total, 1.0))

    # ---- running

    def grow(
        self,
        begin: Floats,
        well: Well,
        stop_when: Callable[[MeanReading], bool] | None = None,
        *,
        flask_of: float | None = None,
    ) -> MeanCourse:
        """A plated well to its end, from hour 0; what `well` says of single cells is not read.

        flask_of: a culture that is split in two whenever it has more cells than this.
        """
        acts = (*well.schedule, *well.above)
        deeds = {float(a.time_h) for a in acts if a.time_h is not None} | {m.given for m in well.conditioned}
        wanted = {float(t) for t in well.times}
        looks = set(np.arange(0.0, well.until, LOOK_H).tolist()) | {well.until}
        grid = np.array(sorted(t for t in wanted | deeds | looks if 0.0 <= t <= well.until))
        v, time, ended, done = begin, 0.0, "", 0
        readings: list[MeanReading] = []
        while done < len(grid) and not ended:
            until = next((k for k in range(done, len(grid)) if grid[k] in deeds), len(grid) - 1)
            stretch = grid[done : until + 1]
            for when, row in zip(stretch, integrate(self.field.lowered, v, stretch - time, rtol=RTOL), strict=True):
                v, time, done = row.copy(), float(when), done + 1
                look = time > 0.0 and time in looks
                if look and stop_when is not None and stop_when(self.reading(v, time)):
                    ended = f"stop_when became true at {time:g} h"
                    break
                full = look and flask_of is not None and v[self.cells].sum() > flask_of
                if full:
                    self.subculture(v, PASSAGE)
                if time in wanted:
                    readings.append(self.reading(v, time))
                if full:
                    break
            if not ended:
                self._deeds(v, well, time)
        return MeanCourse(tuple(readings), v, ended)

    def conditioned(self, source: MeanReading, share: float, given: float) -> Medium:
        """A share of another well's medium as it was read."""
        return Medium(share * source.pools, given)

    def _deeds(self, v: Floats, well: Well, time: float) -> None:
        """The deeds of an hour: below, in the insert, then medium poured in."""
        here = [action for action in well.schedule if action.time_h == time]
        self.act(v, here, types=self.halves.below if self.halves else None)
        if self.halves is not None:
            above = [action for action in well.above if action.time_h == time]
            self.act(v, above, types=self.halves.above, names=self.halves.swap)
        for medium in well.conditioned:
            if medium.given == time:
                v[self.pools] += medium.copies

    def _shares(self) -> list[str]:
        names = [] if self.share is None else [self.share]
        return names + [self.halves.swap[name] for name in names] if self.halves else names

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
