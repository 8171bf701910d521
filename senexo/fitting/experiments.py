"""The experiments of a problem: one simulation for each pair of conditions, with its derivatives by the parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import InvalidModel, SimulationError, UnsupportedFeature
from senexo.engine.formula.graph import Graph, Node
from senexo.engine.formula.timeline import continued, triggers
from senexo.engine.formula.unset import check_values
from senexo.engine.ode.sensitivity import Course, Sensitivities
from senexo.engine.ode.single import Translated, integrate
from senexo.engine.ode.steady import steady_state
from senexo.fitting.changes import Changes
from senexo.fitting.problem import Schedule
from senexo.fitting.rest import slopes_at_rest
from senexo.fitting.start_values import StartValues
from senexo.fitting.symbols import Symbols

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Simulated:
    """One experiment: the vector at every time [times, slots], and derivatives [times, parameters, columns]."""

    values: Floats
    slopes: Floats | None


class Experiment:
    """One simulation: perhaps a steady state under one condition, then a course under another.

    Attributes
    ----------
    before, condition
        Ids of the conditions; `before` None: no pre-equilibration.
    times
        Ascending; an infinite last one is the steady state.
    active
        Parameters on which the model depends, moved: slots that they set.
    """

    def __init__(self, symbols: Symbols, before: str | None, condition: str, times: Floats, leaves: Sequence[int]):
        values = {one.id: one.values for one in symbols.problem.conditions}
        self.before, self.condition, self.times = before, condition, times
        self.first = None if before is None else StartValues(symbols.start(values[before]), leaves, symbols.width)
        self.start = StartValues(symbols.start(values[condition]), leaves, symbols.width)
        states = np.array([item.slot for item in symbols.lowered.rates], dtype=np.int64)
        reset = {symbols.model[id] for id in values[condition] if id in symbols.model}
        self.kept = np.array([slot for slot in states if int(slot) not in reset], dtype=np.int64)
        parts = [self.start] if self.first is None else [self.first, self.start]
        active = {int(k) for part in parts for k, slot in zip(part.parameters, part.targets, strict=True)
                  if slot < symbols.n_model}  # fmt: skip
        self.active = np.array(sorted(active), dtype=np.int64)
        self.moved = {int(slot) for part in parts for slot in part.targets}


class Periods:
    """One simulation of an experiment with a schedule: periods in turn, each begun by changes of the state.

    Attributes
    ----------
    before, condition, times, active, moved
        As those of `Experiment`; `condition` is the id of the experiment.
    periods
        Time of each, and its changes; those of the first are part of `start`.
    """

    def __init__(self, symbols: Symbols, schedule: Schedule, times: Floats, leaves: Sequence[int]):
        values = {one.id: one.values for one in symbols.problem.conditions}
        self.before, self.condition, self.times = None, schedule.id, times
        merged = [{id: v for name in one.conditions for id, v in values[name].items()} for one in schedule.periods]
        self.start = StartValues(symbols.start(merged[0]), leaves, symbols.width)
        self.periods: list[tuple[float, Changes | None]] = [
            (one.time, Changes(symbols, what) if k and what else None)
            for k, (one, what) in enumerate(zip(schedule.periods, merged, strict=True))
        ]
        changes = [one for _, one in self.periods if one is not None]
        read = {slot for one in changes for slot in one.reads}
        self.active = np.array(
            sorted({int(k) for k in self.start.parameters} | {k for k, slot in enumerate(leaves) if slot in read}),
            dtype=np.int64,
        )
        self.moved = {int(slot) for slot in self.start.targets} | {slot for one in changes for slot in one.moved}


class Experiments:
    """All experiments of a problem, and the solvers that they share.

    Parameters
    ----------
    symbols
        The problem's names.
    rtol
        Relative tolerance of a step of the solver.

    Attributes
    ----------
    columns
        Slots of which derivatives are wanted, set by who reads them.
    why_not
        Why there are no exact sensitivities (events, for example); None where there are.
    """

    def __init__(self, symbols: Symbols, rtol: float = 1e-8) -> None:
        self.symbols, self.rtol = symbols, rtol
        problem = symbols.problem
        self.leaves = [symbols.parameters[one.id] for one in problem.estimated]
        times: dict[tuple[str | None, str], set[float]] = {}
        for one in problem.measurements:
            times.setdefault((one.before, one.condition), set()).add(one.time)
        schedules = {one.id: one for one in problem.schedules}
        self.all: list[Experiment | Periods] = [
            Periods(symbols, schedules[condition], np.array(sorted(found)), self.leaves)
            if schedules
            else Experiment(symbols, before, condition, np.array(sorted(found)), self.leaves)
            for (before, condition), found in times.items()
        ]
        delayed = [event.id for event in symbols.lowered.events if event.delay is not None]
        if delayed and any(len(one.periods) > 1 for one in problem.schedules):
            raise UnsupportedFeature("delayed events in an experiment of several periods", f"event {delayed[0]}")
        self._continued: dict[tuple[bool, ...], Translated] = {}
        self.base = np.full(symbols.width, np.nan)
        self.base[: symbols.n_model] = symbols.lowered.values
        self.states = np.array([item.slot for item in symbols.lowered.rates], dtype=np.int64)
        self.columns: list[int] = []
        self.translated = Translated(symbols.lowered)
        self.why_not: str | None = None
        self.exact: Sensitivities | None = None
        try:
            self.exact = Sensitivities(symbols.lowered, self._inputs())
        except UnsupportedFeature as error:
            self.why_not = str(error)

    def _inputs(self) -> list[int]:
        """Constants that rates read and that a parameter moves in some experiment."""
        lowered, graph = self.symbols.lowered, Graph()
        inlined: dict[int, Node] = {}
        for item in lowered.assignments:
            inlined[item.slot] = graph.add(item.math, inlined)
        rates = [graph.add(item.math, inlined) for item in lowered.rates]
        read = {int(graph.keys[node][1]) for node in graph.reachable(rates) if graph.operator(node) == "slot"}
        moved = {slot for one in self.all for slot in one.moved}
        return sorted((read & moved) - {int(slot) for slot in self.states})

    def check(self, values: Floats) -> None:
        """Raise `InvalidModel` for quantities that have no value at the start of an experiment."""
        for one in self.all:
            v = one.start.values(self._vector(values))[: self.symbols.n_model]
            try:
                check_values(self.symbols.lowered, v)
            except InvalidModel as error:
                raise InvalidModel(f"{self.symbols.problem.model.source}, condition {one.condition}: {error}") from None

    def _vector(self, values: Floats) -> Floats:
        v = self.base.copy()
        n = self.symbols.n_model
        v[n : n + len(values)] = values
        if self.symbols.late:
            v[n - 1] = 0.0
        return v

    def simulate(self, experiment: Experiment | Periods, values: Floats, *, slopes: bool) -> Simulated:
        """One experiment at the values of all parameters of the table [parameters].

        Raises
        ------
        SimulationError
            The model cannot be followed to the last time, or comes to no rest.
        """
        slopes = slopes and self.exact is not None
        v = self._vector(values)
        if isinstance(experiment, Periods):
            found = self._in_periods(experiment, v, slopes=slopes)
        else:
            found = self._in_one(experiment, v, slopes=slopes)
        if not np.all(np.isfinite(found.values[:, self.states])):
            raise SimulationError(f"condition {experiment.condition}: a quantity is not a number")
        return found

    def _in_one(self, experiment: Experiment, v: Floats, *, slopes: bool) -> Simulated:
        start = experiment.start.values(v)
        by = experiment.start.slopes(v, len(self.leaves)) if slopes else None
        if experiment.first is not None:
            before = experiment.first.values(v)
            by_before = experiment.first.slopes(v, len(self.leaves)) if slopes else None
            rest, by_rest = self._rest(before, by_before, experiment.active, self.translated)
            start[experiment.kept] = rest[experiment.kept]
            if by is not None and by_rest is not None:
                by[:, experiment.kept] = by_rest[:, experiment.kept]
        return self._stretch(start, by, experiment.active, experiment.times, self.translated)[0]

    def _in_periods(self, experiment: Periods, v: Floats, *, slopes: bool) -> Simulated:
        """Period after period; what happens at a time counts before what is measured then."""
        parts: list[Simulated] = []
        translated, times = self.translated, experiment.times
        state, by, before = v, None, 0.0
        for k, (time, changes) in enumerate(experiment.periods):
            begin = 0.0 if time == -inf else time
            if k == 0:
                if self.symbols.late:
                    v[self.symbols.n_model - 1] = begin
                state = experiment.start.values(v)
                by = experiment.start.slopes(v, len(self.leaves)) if slopes else None
            else:
                translated = self._left(state, before)
                if changes is not None:
                    state, by = changes.apply(state, by, begin)
                if self.symbols.late:
                    state[self.symbols.n_model - 1] = begin
            before = begin
            end = experiment.periods[k + 1][0] if k + 1 < len(experiment.periods) else inf
            if time == -inf:
                state, by = self._rest(state, by, experiment.active, translated)
                if k + 1 == len(experiment.periods):  # what is measured is measured at rest
                    parts.append(Simulated(state[None], None if by is None else by[None, :, self.columns]))
                continue
            here = times[(times >= time) & (times < end)] if end < inf else times[times >= time]
            grid = np.append(here, end) if end < inf else here
            found, state, by = self._stretch(state, by, experiment.active, grid - time, translated)
            before = end
            n = len(here)
            parts.append(Simulated(found.values[:n], None if found.slopes is None else found.slopes[:n]))
            if not np.any(times >= end):
                break
        return Simulated(
            np.concatenate([one.values for one in parts]),
            np.concatenate([one.slopes for one in parts if one.slopes is not None]) if slopes else None,
        )

    def _left(self, state: Floats, time: float) -> Translated:
        """The model with its events' triggers as a period left them at a time: what is true already does not begin."""
        lowered = self.symbols.lowered
        if not lowered.events:
            return self.translated
        v = state[: self.symbols.n_model].copy()
        if self.symbols.late:
            v[-1] = time
        were = tuple(bool(one) for one in triggers(lowered, v))
        if were not in self._continued:
            self._continued[were] = Translated(continued(lowered, were))
        return self._continued[were]

    def _stretch(
        self, start: Floats, by: Floats | None, active: NDArray[np.int64], times: Floats, translated: Translated
    ) -> tuple[Simulated, Floats, Floats | None]:
        """A run from a vector: what is at `times` (an infinite last one: at rest), and the vector at the last one."""
        n = self.symbols.n_model
        finite = times[np.isfinite(times)]
        values = np.tile(start, (len(times), 1))
        slopes = None if by is None else np.tile(by[:, self.columns], (len(times), 1, 1))
        last, by_last = start.copy(), None if by is None else by.copy()
        if len(finite):
            course = self._run(start[:n], None if by is None else by[active, :n], finite, translated)
            values[: len(finite), :n] = course.values
            last[:n] = course.values[-1]
            if slopes is not None and by_last is not None:
                read = [(k, self.columns.index(slot)) for k, slot in enumerate(self.states) if slot in self.columns]
                of_state, column = (np.array([pair[end] for pair in read], dtype=np.int64) for end in (0, 1))
                slopes[np.ix_(np.arange(len(finite)), active, column)] = course.slopes[:, :, of_state]
                by_last[np.ix_(active, self.states)] = course.slopes[-1]
        if len(finite) < len(times):
            last, by_last = self._rest(start, by, active, translated)
            values[-1, :n] = last[:n]
            if slopes is not None and by_last is not None:
                slopes[-1] = by_last[:, self.columns]
        return Simulated(values, slopes), last, by_last

    def _run(self, v0: Floats, by: Floats | None, times: Floats, translated: Translated) -> Course:
        if by is None or self.exact is None:
            with np.errstate(all="ignore"):
                found = integrate(translated, v0, times, rtol=self.rtol)
            return Course(found, np.empty((len(times), 0, len(self.states))))
        return self.exact.solve(v0, np.ascontiguousarray(by), times, rtol=self.rtol)

    def _rest(
        self, start: Floats, by: Floats | None, active: NDArray[np.int64], translated: Translated
    ) -> tuple[Floats, Floats | None]:
        """The steady state reached from a vector, and its derivatives [parameters, slots]."""
        n = self.symbols.n_model
        found = start.copy()
        found[:n] = steady_state(translated, start[:n], rtol=self.rtol).values
        if by is None or self.exact is None:
            return found, None
        after = by.copy()
        after[np.ix_(active, self.states)] = slopes_at_rest(self.exact, start[:n], found[:n], by[active, :n])
        return found, after
