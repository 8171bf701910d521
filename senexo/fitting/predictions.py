"""What one model predicts for its measurements, as arrays: predictions and widths, with their derivatives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from senexo.fitting.experiments import Experiments
from senexo.fitting.problem import Problem
from senexo.fitting.readouts import Readout, slots_of
from senexo.fitting.symbols import Symbols

Floats = NDArray[np.float64]


class Predictions:
    """The measurements of one model, each a row.

    Parameters
    ----------
    problem
        With that model, and its measurements alone.
    rtol
        Relative tolerance of the ODE solver.
    """

    def __init__(self, problem: Problem, rtol: float) -> None:
        self.symbols = Symbols(problem)
        self.experiments = Experiments(self.symbols, rtol)
        measured = [one for one in problem.observables if any(m.observable == one.id for m in problem.measurements)]
        self._readouts = [
            (Readout(self.symbols, one),
             np.array([k for k, m in enumerate(problem.measurements) if m.observable == one.id], dtype=np.int64))
            for one in measured
        ]  # fmt: skip
        index = {(one.before, one.condition): k for k, one in enumerate(self.experiments.all)}
        first = np.cumsum([0, *(len(one.times) for one in self.experiments.all)])
        at = []
        for m in problem.measurements:
            e = index[m.before, m.condition]
            at.append(first[e] + np.searchsorted(self.experiments.all[e].times, m.time))
        self._at = np.array(at, dtype=np.int64)
        self._times = np.array([m.time for m in problem.measurements])
        self._numbers: list[tuple[int, int, float]] = []
        self._links: list[tuple[int, int, int]] = []
        self._note_own(problem)
        sources = {source for _, _, source in self._links}
        self.experiments.columns = sorted({*slots_of([one for one, _ in self._readouts]), *sources})
        self._column = {slot: k for k, slot in enumerate(self.experiments.columns)}

    def _note_own(self, problem: Problem) -> None:
        """Values that measurements give to names of their own: numbers, and links to other quantities."""
        symbols, named = self.symbols, {one.id: one for one in problem.observables}
        for row, m in enumerate(problem.measurements):
            one = named[m.observable]
            pairs = [*zip(one.own, m.own, strict=True), *zip(one.own_noise, m.own_noise, strict=True)]
            for name, value in pairs:
                if isinstance(value, str):
                    slot = symbols.parameters[value] if value in symbols.parameters else symbols.model[value]
                    self._links.append((row, symbols.own[name], slot))
                else:
                    self._numbers.append((row, symbols.own[name], value))

    def _vectors(self, values: Floats, *, slopes: bool) -> tuple[Floats, Floats | None]:
        found = [self.experiments.simulate(one, values, slopes=slopes) for one in self.experiments.all]
        v = np.concatenate([one.values for one in found])[self._at]
        for row, slot, number in self._numbers:
            v[row, slot] = number
        for row, slot, source in self._links:
            v[row, slot] = v[row, source]
        if not slopes:
            return v, None
        by = np.concatenate([one.slopes for one in found if one.slopes is not None])[self._at]
        for row, slot, source in self._links:
            if slot in self._column:
                by[row, :, self._column[slot]] = by[row, :, self._column[source]]
        return v, by

    def values(self, values: Floats) -> tuple[Floats, Floats]:
        """Predictions and widths [rows] at the values of all parameters of the table.

        Raises
        ------
        SimulationError
            An experiment cannot be simulated.
        """
        v, _ = self._vectors(values, slopes=False)
        y, width = np.full(len(v), np.nan), np.full(len(v), np.nan)
        for readout, rows in self._readouts:
            y[rows], width[rows] = readout.values(v[rows], self._times[rows])
        return y, width

    def slopes(self, values: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Predictions, widths [rows], and d of each / d value of an estimated parameter [rows, parameters]."""
        v, by = self._vectors(values, slopes=True)
        assert by is not None
        y, width = np.full(len(v), np.nan), np.full(len(v), np.nan)
        dy, dwidth = np.zeros(by.shape[:2]), np.zeros(by.shape[:2])
        for readout, rows in self._readouts:
            y[rows], width[rows], dy[rows], dwidth[rows] = readout.slopes(
                v[rows], by[rows], self._column, self._times[rows]
            )
        return y, width, dy, dwidth
