"""Cells in one medium: a well from plating to its last read-out, by one of the engine's methods.

A well's life: every cell gets its donor's parameters and its own variation, then the genotype and the medium; the cells
grow in a flask of their own for a while, which is split when it is full; a sample of them is plated in fresh medium at
time 0. From there the schedule acts: the run is cut at every action and read-out. A well is never split: when it has
many cells, each followed one represents several (`senexo.engine.population.control`), and the medium stays whole. In a
Transwell there are cells above a membrane too, with a medium and a schedule of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.engine.population.control import Resampled, control
from senexo.engine.population.exact import run_exact
from senexo.engine.population.hybrid import longest_step, run_hybrid
from senexo.engine.population.initial import start
from senexo.engine.population.mass_balance import PoolBalance, pool_balances
from senexo.engine.population.model import Cells, Floats, Ints, Log, Population, Words
from senexo.engine.population.partition import HybridPartition
from senexo.engine.population.splitting import run_split
from senexo.lab.coupled.handling import drawn_off, plate, pour, set_parameter, sorted_for, subculture, treat
from senexo.lab.coupled.readings import Reading

if TYPE_CHECKING:
    from senexo.study.schema import Action

LOOK_H = 1.0  # how often a well is looked at: are too many cells followed, is it to stop, is the run cancelled
PASSAGE = 0.5  # what is kept of a full flask
RARE_CELLS = 50  # followed cells that population control leaves of every type


@dataclass(frozen=True, slots=True)
class Method:
    """How cells are followed.

    `exact`: event by event; `split`: in windows of `window` hours with the pools frozen; `hybrid`: so too, with what a
    cell has many copies of as continuous amounts: what `partition` says, or what the population's own values do, in
    steps of at most `step` hours (None: what `run_hybrid` takes).
    """

    name: str = "hybrid"
    window: float = 0.25
    partition: HybridPartition | None = None
    step: float | None = None

    @property
    def halved(self) -> Method:
        """The same with half the window, and half the step within it."""
        return replace(self, window=self.window / 2.0, step=longest_step(self.window, self.step) / 2.0)

    def run(self, population: Population, cells: Cells, until: float, stop: NDArray[np.bool_]) -> tuple[Cells, Log]:
        """The engine's run; InvalidInput for a method it does not have."""
        if self.name == "exact":
            return run_exact(population, cells, until, stop=stop)
        if self.name == "split":
            return run_split(population, cells, until, window=self.window, stop=stop)
        if self.name == "hybrid":
            return run_hybrid(
                population, cells, until, window=self.window, step=self.step, partition=self.partition, stop=stop
            )
        raise InvalidInput([Fault("culture.method", repr(self.name), "exact, split or hybrid")])


@dataclass(frozen=True, slots=True)
class Medium:
    """Conditioned medium: a share of the medium of another well as it was at `taken`, poured in at `given` (h)."""

    copies: Ints | Floats  # fractions where the well is a deterministic twin
    given: float


@dataclass(frozen=True, slots=True)
class Well:
    """One well and what is done in it.

    times: read-outs (h); schedule: actions with their hours, `above`: those in the insert; most_cells: at more followed
    cells, some are merged, but none of a type with `rare_cells` or fewer of them (`exact`: the well ends); stop_when:
    looked at every hour; conditioned: medium poured in.
    """

    until: float
    times: Sequence[float]
    schedule: Sequence[Action] = ()
    above: Sequence[Action] = ()
    most_cells: int = 20_000
    rare_cells: int = RARE_CELLS
    stop_when: Callable[[Reading], bool] | None = None
    conditioned: Sequence[Medium] = ()
    balance_times: Sequence[float] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What became of a well.

    readings: at every read-out time that was reached; log: fates in order of time, of the cells that were followed;
    resampled: what population control did; balances: of the pools, one per stretch between two interventions, with
    begin and end (h); checkpoints: hour -> the state there, before that hour's interventions; ended: "" when `until`
    was reached, else why not.
    """

    begin: Cells
    end: Cells
    readings: tuple[Reading, ...]
    log: Log
    resampled: Resampled
    balances: tuple[tuple[float, float, tuple[PoolBalance, ...]], ...]
    checkpoints: dict[float, Cells]
    ended: str


@dataclass(frozen=True, slots=True, eq=False)
class Halves:
    """A Transwell's two halves: places of the types in each, and the names that are swapped in the insert.

    share: the parameter that tells how much of the medium is in the insert.
    """

    below: frozenset[int]
    above: frozenset[int]
    swap: Mapping[str, str]
    share: str


@dataclass(eq=False)
class Bench:
    """A population, how it is followed, and the parameter that tells how many cells share a medium.

    halves: of a Transwell, where the population has types for its insert.
    """

    population: Population
    method: Method
    share: str | None = None
    halves: Halves | None = None
    stop: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(1, dtype=np.bool_))
    progress: Callable[[float], None] = lambda cell_hours: None

    def seeded(
        self,
        numbers: Mapping[str, int],
        overrides: Mapping[str, Mapping[str, Any]],
        *,
        seed: int,
        replicate: int,
        genotype: Sequence[Action] = (),
        medium: Sequence[Action] = (),
    ) -> Cells:
        """Cells with their parameters, genotype and medium, before any culture."""
        cells = start(self.population, numbers, seed=seed, replicate=replicate, overrides=overrides)
        treat(self.population, cells, [*genotype, *medium])
        self.share_out(cells)
        return cells

    def cultured(
        self,
        cells: Cells,
        hours: float,
        numbers: Mapping[str, int],
        states: Mapping[str, Collection[str]] | None = None,
    ) -> Cells:
        """These cells after a culture, plated anew at time 0."""
        fresh = plate(self.population, self.grown(cells, hours), numbers, states)
        self.share_out(fresh)
        return fresh

    def grown(self, cells: Cells, hours: float, of: Collection[str] = ()) -> Cells:
        """These cells after a culture that is split whenever it is twice as large; of some types only, if `of` says.

        Then it is sorted whenever it is twice as large: a flask of slow cells is not left to the fast ones they become.
        """
        if hours > 0:
            n = max(1, len(cells))

            def look(now: Cells) -> tuple[Cells, str]:
                if len(now) <= 2 * n:
                    return now, ""
                return (self._sorted(now, of, n) if of else self._split(now)), ""

            cells, _, _ = self._until(cells, cells.time + hours, look)
        return cells

    def grow(self, begin: Cells, well: Well) -> Course:
        """A plated well to its end."""
        cells, ended = begin, ""
        acts = (*well.schedule, *well.above)
        acted = {float(a.time_h) for a in acts if a.time_h is not None} | {m.given for m in well.conditioned}
        times = sorted(
            {t for t in well.times if t >= begin.time} | {t for t in acted if t >= begin.time} | {well.until}
        )
        readings: list[Reading] = []
        resampled: list[Resampled] = []
        balances: list[tuple[float, float, tuple[PoolBalance, ...]]] = []
        logs: list[Log] = []
        checkpoints: dict[float, Cells] = {}
        opened = cells

        def look(now: Cells) -> tuple[Cells, str]:
            if well.stop_when is not None and well.stop_when(Reading.of(self.population, now)):
                return now, f"stop_when became true at {now.time:g} h"
            if now.time % LOOK_H:  # a read-out or an intervention between two looks changes nothing but itself
                return now, ""
            if self.method.name == "exact":
                full = f"more than {well.most_cells} cells at {now.time:g} h, and exact follows every cell"
                return now, full if len(now) > well.most_cells else ""
            now, done = control(now, most=well.most_cells, rare=well.rare_cells)
            resampled.append(done)
            return now, ""

        for time in times:
            if time > cells.time and not ended:
                cells, log, ended = self._until(cells, time, look)
                logs.append(log)
                if ended or time in acted or time in well.balance_times or time == times[-1]:
                    balances.append((opened.time, cells.time, pool_balances(self.population, opened, cells)))
                    opened = cells
            if ended:
                break
            if time in well.times:
                readings.append(Reading.of(self.population, cells))
                checkpoints[time] = cells
            cells = cells.copy()
            self._act(cells, well, time)
            for medium in well.conditioned:
                if medium.given == time:
                    pour(self.population, cells, medium.copies)
            opened = cells if time in acted else opened
        return Course(
            begin,
            cells,
            tuple(readings),
            _joined(logs),
            Resampled.joined(resampled),
            tuple(balances),
            checkpoints,
            ended,
        )

    def conditioned(self, source: Course, taken: float, share: float, given: float) -> Medium:
        """A share of another well's medium at one of its read-out times, as a sister well of it would give it."""
        return Medium(drawn_off(self.population, source.checkpoints[taken], share), given)

    def _until(self, cells: Cells, until: float, look: Callable[[Cells], tuple[Cells, str]]) -> tuple[Cells, Log, str]:
        """Run to a time with a look every hour, which may change the state or end the run; also why it ended."""
        logs = []
        while cells.time < until:
            end = min(until, (np.floor(cells.time / LOOK_H + 1e-9) + 1.0) * LOOK_H)
            was = cells.time
            cells, log = self.method.run(self.population, cells, float(end), self.stop)
            logs.append(log)
            self.progress(len(cells) * (cells.time - was))
            if not log.complete:
                return cells, _joined(logs), log.reason
            cells, ended = look(cells)
            if ended:
                return cells, _joined(logs), ended
        return cells, _joined(logs), ""

    def _split(self, cells: Cells, share: float = PASSAGE) -> Cells:
        """A subculture of a flask."""
        fewer = subculture(cells, share)
        self._fewer(fewer, share)
        return fewer

    def _sorted(self, cells: Cells, of: Collection[str], n: int) -> Cells:
        """A sort for some types, and a subculture where still more than n cells are left."""
        pure = sorted_for(self.population, cells, of)
        self._fewer(pure, max(len(pure), 1) / len(cells))
        return pure if len(pure) <= n else self._split(pure, n / len(pure))

    def _fewer(self, cells: Cells, share: float) -> None:
        """So many fewer cells share the medium of each half."""
        for name in self._shares():
            now = float(cells.base[0, self.population.types[0].network.slot(name)])
            set_parameter(self.population, cells, name, max(now * share, 1.0))

    def _act(self, cells: Cells, well: Well, time: float) -> None:
        """The interventions of an hour: below, then in the insert."""
        here = [action for action in well.schedule if action.time_h == time]
        treat(self.population, cells, here, types=self.halves.below if self.halves else None)
        if self.halves is not None:
            above = [action for action in well.above if action.time_h == time]
            treat(self.population, cells, above, types=self.halves.above, names=self.halves.swap)

    def share_out(self, cells: Cells) -> None:
        """Tell the cells how many share their medium; in a Transwell each half for itself, media as the cells."""
        above = np.isin(cells.type, list(self.halves.above)) if self.halves else np.zeros(len(cells), dtype=bool)
        numbers = (np.count_nonzero(~above), np.count_nonzero(above))
        for name, n in zip(self._shares(), numbers, strict=False):
            set_parameter(self.population, cells, name, max(float(n), 1.0))
        if self.halves is not None:
            share = numbers[1] / max(1, len(cells))
            set_parameter(self.population, cells, self.halves.share, share)

    def _shares(self) -> list[str]:
        """The parameters that tell how many cells share a medium: that of the well, that of the insert."""
        names = [] if self.share is None else [self.share]
        return names + [self.halves.swap[name] for name in names] if self.halves else names


def _joined(logs: Sequence[Log]) -> Log:
    if not logs:
        empty: Words = np.zeros((0, 2), dtype=np.uint64)
        return Log(np.zeros(0), empty, *np.zeros((2, 0), dtype=np.int64))
    columns = ("time", "key", "channel", "weight")
    time, key, channel, weight = (np.concatenate([getattr(log, name) for log in logs]) for name in columns)
    return Log(time, key, channel, weight, complete=logs[-1].complete, reason=logs[-1].reason)
