"""Wells of single cells: the engine's `Cells`, simulated by one of its methods, and the flasks they come from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.engine.population.control import Resampled, control
from senexo.engine.population.initial import start
from senexo.engine.population.mass_balance import PoolBalance, pool_balances
from senexo.engine.population.model import Cells, Floats, Ints, Log, Population
from senexo.lab.coupled.handling import drawn_off, plate, pour, set_parameter, sorted_for, subculture, treat
from senexo.lab.coupled.methods import CellMethod, Hybrid
from senexo.lab.coupled.readings import Snapshot
from senexo.lab.coupled.well import LOOK_H, PASSAGE, Halves, Look, Well, WellSimulator
from senexo.lab.limits import NO_LIMITS, WellLimits

if TYPE_CHECKING:
    from senexo.study.schema import Action


class SingleCellSimulator(WellSimulator[Cells]):
    """Wells whose cells are simulated one by one.

    Parameters
    ----------
    population, share, halves
        As of `WellSimulator`.
    method
        The engine's method; `Hybrid()` by default.
    limits
        A well that reaches one raises `LimitReached`.
    progress
        Called with cell-hours as they are simulated.
    """

    def __init__(
        self, population: Population, method: CellMethod | None = None, share: str | None = None,
        halves: Halves | None = None, limits: WellLimits = NO_LIMITS,
        progress: Callable[[float], None] = lambda cell_hours: None,
    ) -> None:  # fmt: skip
        super().__init__(population, share, halves)
        self.method = Hybrid() if method is None else method
        self.progress, self.limits = progress, limits
        self.stop: NDArray[np.bool_] = np.zeros(1, dtype=np.bool_)  # set it to interrupt a run

    # ---- flasks

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
        fresh = plate(self.population, self.expanded(cells, hours), numbers, states)
        self.share_out(fresh)
        return fresh

    def expanded(self, cells: Cells, hours: float, of: Collection[str] = ()) -> Cells:
        """These cells after a culture that is split whenever it is twice as large; of some types only, if `of` says.

        Then it is sorted whenever it is twice as large: a flask of slow cells is not left to the fast ones they become.
        """
        n = max(1, len(cells))

        def look(now: Cells) -> tuple[Cells, str]:
            if len(now) <= 2 * n:
                return now, ""
            return (self._sorted(now, of, n) if of else self._split(now)), ""

        limits = self.limits.of_culture
        return self._advance(cells, cells.time + hours, look, [], limits)[0] if hours > 0 else cells

    def share_out(self, cells: Cells) -> None:
        """Set how many cells share their medium; in a Transwell each half for itself, media as the cells."""
        above = np.isin(cells.type, list(self.halves.above)) if self.halves else np.zeros(len(cells), dtype=bool)
        numbers = (np.count_nonzero(~above), np.count_nonzero(above))
        for name, n in zip(self.shares(), numbers, strict=False):
            set_parameter(self.population, cells, name, max(float(n), 1.0))
        if self.halves is not None:
            set_parameter(self.population, cells, self.halves.share, numbers[1] / max(1, len(cells)))

    # ---- what a well needs

    def time_of(self, state: Cells) -> float:
        return state.time

    def copy(self, state: Cells) -> Cells:
        return state.copy()

    def snapshot(self, state: Cells) -> Snapshot:
        return Snapshot.of(self.population, state)

    def advance(self, state: Cells, until: float, look: Look[Cells], logs: list[Log]) -> tuple[Cells, str]:
        return self._advance(state, until, look, logs, self.limits)

    def _advance(
        self, state: Cells, until: float, look: Look[Cells], logs: list[Log], limits: WellLimits
    ) -> tuple[Cells, str]:
        while state.time < until:
            end = min(until, (np.floor(state.time / LOOK_H + 1e-9) + 1.0) * LOOK_H)
            was = state.time
            state, log = self.method.run(self.population, state, float(end), self.stop, limits.of_engine)
            limits.check(state)
            logs.append(log)
            self.progress(len(state) * (state.time - was))
            if not log.complete:
                return state, log.reason
            state, ended = look(state)
            if ended:
                return state, ended
        return state, ""

    def act(
        self, state: Cells, actions: Sequence[Action], *, types: Collection[int] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        treat(self.population, state, actions, types=types, names=names)

    def pour(self, state: Cells, copies: Ints | Floats) -> None:
        pour(self.population, state, copies)

    def drawn_off(self, state: Cells, share: float) -> Ints:
        return drawn_off(self.population, state, share)

    def controlled(self, state: Cells, well: Well) -> tuple[Cells, Resampled, str]:
        if self.method.controlled:
            return *control(state, most=well.most_cells, rare=well.rare_cells), ""
        full = len(state) > well.most_cells
        why = f"more than {well.most_cells} cells at {state.time:g} h, and this method simulates every cell"
        return state, Resampled.none(), why if full else ""

    def balance(self, begin: Cells, end: Cells) -> tuple[PoolBalance, ...]:
        return pool_balances(self.population, begin, end)

    # ---- flasks that are full

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
        for name in self.shares():
            now = float(cells.base[0, self.population.types[0].network.slot(name)])
            set_parameter(self.population, cells, name, max(now * share, 1.0))
