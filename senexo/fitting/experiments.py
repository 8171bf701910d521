"""The experiments of a problem: one simulation for each pair of conditions, with its derivatives by the parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import InvalidModel, SimulationError, UnsupportedFeature
from senexo.engine.formula.graph import Graph, Node
from senexo.engine.formula.unset import check_values
from senexo.engine.ode.sensitivity import Course, Sensitivities
from senexo.engine.ode.single import Translated, integrate
from senexo.engine.ode.steady import steady_state
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
    """

    def __init__(self, symbols: Symbols, before: str | None, condition: str, times: Floats, leaves: Sequence[int]):
        conditions = {one.id: one for one in symbols.problem.conditions}
        self.before, self.condition, self.times = before, condition, times
        self.first = None if before is None else StartValues(symbols.start(conditions[before]), leaves, symbols.width)
        self.start = StartValues(symbols.start(conditions[condition]), leaves, symbols.width)
        states = np.array([item.slot for item in symbols.lowered.rates], dtype=np.int64)
        reset = {symbols.model[id] for id in conditions[condition].values if id in symbols.model}
        self.kept = np.array([slot for slot in states if int(slot) not in reset], dtype=np.int64)
        parts = [self.start] if self.first is None else [self.first, self.start]
        self.active = np.array(
            sorted({int(k) for part in parts for k, slot in zip(part.parameters, part.targets, strict=True)
                    if slot < symbols.n_model}), dtype=np.int64,
        )  # fmt: skip
        self.moved = {int(slot) for part in parts for slot in part.targets}


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
        self.all = [
            Experiment(symbols, before, condition, np.array(sorted(found)), self.leaves)
            for (before, condition), found in times.items()
        ]
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
        return v

    def simulate(self, experiment: Experiment, values: Floats, *, slopes: bool) -> Simulated:
        """One experiment at the values of all parameters of the table [parameters].

        Raises
        ------
        SimulationError
            The model cannot be followed to the last time, or comes to no rest.
        """
        exact = self.exact if slopes else None
        v = self._vector(values)
        start = experiment.start.values(v)
        gradient = experiment.start.slopes(v, len(self.leaves)) if exact is not None else None
        if experiment.first is not None:
            before = experiment.first.values(v)
            by_before = experiment.first.slopes(v, len(self.leaves)) if exact is not None else None
            rest, rest_slopes = self._rest(before, by_before, experiment.active)
            start[experiment.kept] = rest[experiment.kept]
            if gradient is not None and rest_slopes is not None:
                place = {int(slot): k for k, slot in enumerate(self.states)}
                columns = [place[int(slot)] for slot in experiment.kept]
                gradient[np.ix_(experiment.active, experiment.kept)] = rest_slopes[:, columns]
        return self._course(experiment, start, gradient)

    def _course(self, experiment: Experiment, start: Floats, gradient: Floats | None) -> Simulated:
        n, active = self.symbols.n_model, experiment.active
        finite = experiment.times[np.isfinite(experiment.times)]
        values = np.tile(start, (len(experiment.times), 1))
        slopes = None if gradient is None else np.tile(gradient[:, self.columns], (len(experiment.times), 1, 1))
        place = {slot: k for k, slot in enumerate(self.columns)}
        read = [(k, place[int(slot)]) for k, slot in enumerate(self.states) if int(slot) in place]
        of_state, column = (np.array([pair[end] for pair in read], dtype=np.int64) for end in (0, 1))
        if len(finite):
            course = self._run(start[:n], None if gradient is None else gradient[active, :n], finite)
            values[: len(finite), :n] = course.values
            if slopes is not None:
                slopes[np.ix_(np.arange(len(finite)), active, column)] = course.slopes[:, :, of_state]
        if len(finite) < len(experiment.times):
            rest, rest_slopes = self._rest(start, gradient, active)
            values[-1, :n] = rest[:n]
            if slopes is not None and rest_slopes is not None:
                slopes[np.ix_(np.array([len(finite)]), active, column)] = rest_slopes[:, of_state]
        if not np.all(np.isfinite(values[:, self.states])):
            raise SimulationError(f"condition {experiment.condition}: a quantity is not a number")
        return Simulated(values, slopes)

    def _run(self, v0: Floats, gradient: Floats | None, times: Floats) -> Course:
        if gradient is None or self.exact is None:
            with np.errstate(all="ignore"):
                found = integrate(self.translated, v0, times, rtol=self.rtol)
            return Course(found, np.empty((len(times), 0, len(self.states))))
        return self.exact.solve(v0, np.ascontiguousarray(gradient), times, rtol=self.rtol)

    def _rest(self, start: Floats, gradient: Floats | None, active: NDArray[np.int64]) -> tuple[Floats, Floats | None]:
        """The steady state reached from a vector, and its derivatives [active, states]."""
        n = self.symbols.n_model
        found = start.copy()
        found[:n] = steady_state(self.translated, start[:n], rtol=self.rtol).values
        if gradient is None or self.exact is None:
            return found, None
        return found, slopes_at_rest(self.exact, start[:n], found[:n], gradient[active, :n])
