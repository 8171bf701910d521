"""Tasks of a SED-ML document carried out: simulations, and tasks repeated along ranges, within each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray
from numpy.typing import NDArray

from senexo.base.errors import InvalidModel, SimulationError, UnsupportedFeature
from senexo.interchange.document import Document, Formula, Range, SetValue, Simulation, Task, Variable
from senexo.interchange.kisao import Method, method_of
from senexo.interchange.quantities import Loaded
from senexo.interchange.values import MOST_VALUES, number_of, stacked
from senexo.lab.simulation import simulate

Floats = NDArray[np.float64]

MOST_POINTS = 10_000_000  # of one time course
MOST_RUNS = 100_000  # simulations of one document
MOST_NESTED = 20


@dataclass
class State:
    """A model during a task: where the last simulation left it (None: at its start), and what was set since."""

    model: Loaded
    last: xarray.Dataset | None = None
    parameters: dict[str, float] = field(default_factory=dict)


@dataclass
class Runner:
    """The tasks of a document, over the models that they need."""

    document: Document
    model: Callable[[str], Loaded]
    notes: list[str] = field(default_factory=list)
    used: dict[str, Method] = field(default_factory=dict)  # task -> how it was carried out
    until: float | None = None  # time.monotonic() at which simulations end
    _runs: int = 0
    _asked: list[int] = field(default_factory=lambda: [0, 0])  # simulations and values so far

    def __post_init__(self) -> None:
        self.tasks = {task.id: task for task in self.document.tasks}
        self.simulations = {one.id: one for one in self.document.simulations}

    def results(self, id: str, variables: tuple[Variable, ...]) -> dict[str, Floats]:
        """The values of variables in a task: [times], or [iterations, subtasks, ..., times] of a repeated one.

        Raises
        ------
        InvalidModel
            References to what is not there, tasks that contain themselves, targets that name nothing.
        UnsupportedFeature
            Elements of SED-ML that cannot be carried out.
        SimulationError
            A simulation cannot be carried to its end.
        """
        runs, points = self.size(id)
        self._asked[0] += runs
        self._asked[1] += points * max(1, len(variables))
        for n, most, what in zip(self._asked, (MOST_RUNS, MOST_VALUES), ("simulations", "values"), strict=True):
            if n > most:
                raise InvalidModel(f"task {id}: {n:,} {what} in the document so far, at most {most:,}")
        return self.task(id, {}, variables, {})

    # ---- how much there is to do, before any of it is done

    def size(self, id: str, inside: tuple[str, ...] = ()) -> tuple[int, int]:
        """The simulations of a task and its output times, in all."""
        if id in inside:
            raise InvalidModel(f"task {id} contains itself: {' > '.join((*inside, id))}")
        if len(inside) >= MOST_NESTED:
            raise InvalidModel(f"task {inside[0]}: tasks within each other, more than {MOST_NESTED} deep")
        task = self._known(self.tasks, id, "task")
        match task.kind:
            case "task":
                simulation = self._known(self.simulations, task.simulation or "", f"task {id}: simulation")
                return 1, _points(simulation)
            case "repeated":
                n = self.iterations(task)
                if not task.subtasks:
                    raise InvalidModel(f"task {id}: it repeats no task")
                runs = points = 0
                for sub in task.subtasks:
                    more = self.size(sub.task, (*inside, id))
                    runs, points = min(runs + n * more[0], 10**15), min(points + n * more[1], 10**15)
                return runs, points
        raise UnsupportedFeature(f"{task.element} in SED-ML", f"task {id}")

    def iterations(self, task: Task) -> int:
        ranges = {one.id: one for one in task.ranges}
        return self._length(task, self._known(ranges, task.range or "", f"task {task.id}: range"), ranges, ())

    def _length(self, task: Task, one: Range, ranges: Mapping[str, Range], inside: tuple[str, ...]) -> int:
        if one.id in inside:
            raise InvalidModel(f"task {task.id}: the range {one.id} depends on itself")
        match one.kind:
            case "uniform":
                if one.steps < 0 or not np.all(np.isfinite((one.begin, one.end))):
                    raise InvalidModel(f"task {task.id}: the range {one.id} is not a range of numbers")
                return one.steps + 1
            case "vector":
                return len(one.values)
            case "functional":
                of = self._known(ranges, one.of or "", f"task {task.id}: range {one.id}: range")
                return self._length(task, of, ranges, (*inside, one.id))
            case "other":
                raise UnsupportedFeature(f"{one.element} in SED-ML", f"task {task.id}, range {one.id}")

    def _known(self, among: Mapping[str, Any], id: str, where: str) -> Any:
        if id not in among:
            raise InvalidModel(f"{where} {id or '(none)'} is not in the document")
        return among[id]

    # ---- one task

    def task(
        self, id: str, states: dict[str, State], variables: tuple[Variable, ...], ranges: dict[str, float]
    ) -> dict[str, Floats]:
        task = self.tasks[id]
        if task.kind == "repeated":
            return self.repeated(task, states, variables, ranges)
        state = self.state(task.model or "", states)
        simulation = self.simulations[task.simulation or ""]
        data = self.simulated(task, simulation, state)
        return {variable.id: state.model.course(variable, data) for variable in variables}

    def state(self, model: str, states: dict[str, State]) -> State:
        if model not in states:
            states[model] = State(self.model(model))
        return states[model]

    def simulated(self, task: Task, simulation: Simulation, state: State) -> xarray.Dataset:
        """One simulation, which leaves the model where it ends."""
        method = method_of(simulation.algorithm, simulation.kind, f"simulation {simulation.id}")
        if task.id not in self.used:
            self.used[task.id] = method
            self.notes += [note for note in method.notes if note not in self.notes]
        options = dict(method.options)
        if method.way == "ssa":
            options |= {"method": "ssa", "seed": options.get("seed", 0) + self._runs}
        self._runs += 1
        now = 0.0 if state.last is None else float(state.last[_clock(state.last)].values[-1])
        times: Floats | None
        match simulation.kind:
            case "uniform":
                begin, times = simulation.initial, _times(simulation)
            case "one step":
                begin, times = now, np.array([now + simulation.step])
            case "steady":
                begin, times = now, None
            case "other":
                raise UnsupportedFeature(f"{simulation.element} in SED-ML", f"simulation {simulation.id}")
        if self.until is not None:
            left = self.until - time.monotonic()
            if left <= 0.0:
                raise SimulationError(f"task {task.id}: the time that was given (max_seconds) is over")
            options |= {} if times is None else {"max_seconds": left}
        start = begin if state.last is None else _at(state.last, begin)
        data = simulate(
            state.model.network,
            times,
            start=start,
            parameters=dict(state.parameters),
            steady_state="root" if times is None else False,
            **options,
        )
        for caution in data.attrs.get("cautions", "").splitlines():
            note = f"task {task.id}: {caution}"
            if note not in self.notes:
                self.notes.append(note)
        if not data.attrs["status"].startswith("complete"):
            raise SimulationError(f"task {task.id}: {data.attrs['status']}")
        state.last, state.parameters = data.isel({_clock(data): [-1]}), _lasting(state.parameters)
        return data

    # ---- repeated tasks

    def repeated(
        self, task: Task, states: dict[str, State], variables: tuple[Variable, ...], ranges: dict[str, float]
    ) -> dict[str, Floats]:
        rows: list[dict[str, Floats]] = []
        subtasks = sorted(task.subtasks, key=lambda sub: sub.order)
        for k in range(self.iterations(task)):
            if task.reset:
                for model in self.models_of(task):
                    states.pop(model, None)
            here = dict(ranges)
            for one in task.ranges:
                self.range_value(task, one, k, here, states)
            self.set(task.changes, here, states, f"task {task.id}")
            parts = []
            for sub in subtasks:
                self.set(sub.changes, here, states, f"task {task.id}, subtask {sub.task}")
                parts.append(self.task(sub.task, states, variables, here))
            rows.append({variable.id: stacked([part[variable.id] for part in parts]) for variable in variables})
        return {variable.id: stacked([row[variable.id] for row in rows]) for variable in variables}

    def models_of(self, task: Task) -> Iterator[str]:
        for sub in task.subtasks:
            inner = self.tasks[sub.task]
            if inner.kind == "repeated":
                yield from self.models_of(inner)
            elif inner.model is not None:
                yield inner.model

    def range_value(self, task: Task, one: Range, k: int, here: dict[str, float], states: dict[str, State]) -> float:
        """The k-th value of a range, also under its id for the formulas that follow."""
        where = f"task {task.id}, range {one.id}"
        ranges = {other.id: other for other in task.ranges}
        match one.kind:
            case "uniform":
                share = k / one.steps if one.steps else 0.0
                if one.logarithmic:
                    if not (one.begin > 0.0 and one.end > 0.0):
                        raise InvalidModel(f"{where}: a logarithmic range needs ends above 0")
                    value = float(one.begin * (one.end / one.begin) ** share)
                else:
                    value = one.begin + (one.end - one.begin) * share
            case "vector":
                if k >= len(one.values):
                    raise InvalidModel(f"{where}: {len(one.values)} values, but the task has more iterations")
                value = one.values[k]
            case "functional":
                if one.of is not None:
                    self._length(task, one, ranges, ())
                    self.range_value(task, ranges[one.of], k, here, states)
                assert one.formula is not None
                value = self.formula(one.formula, here, states, where)
            case "other":
                raise UnsupportedFeature(f"{one.element} in SED-ML", where)
        here[one.id] = value
        return value

    def set(self, changes: tuple[SetValue, ...], here: dict[str, float], states: dict[str, State], where: str) -> None:
        """Set values of models, all from the state before."""
        found = []
        for change in changes:
            if change.target is None:
                raise UnsupportedFeature("a setValue of a symbol", f"{where}: {change.symbol}")
            state = self.state(change.model, states)
            quantity = state.model.quantity(change.target)
            value = self.formula(change.formula, here, states, where)
            if state.model.is_concentration(quantity):
                value *= state.model.amount(state.model.size_of(quantity), state.last, state.parameters)
            found.append((state, quantity.id, value))
        for state, id, value in found:
            state.parameters[id] = value

    def formula(self, formula: Formula, here: dict[str, float], states: dict[str, State], where: str) -> float:
        values = dict(here)
        for variable in formula.variables:
            if variable.model is None or variable.target is None:
                raise UnsupportedFeature("a setValue or range of a task's results", f"{where}, variable {variable.id}")
            state = self.state(variable.model, states)
            quantity = state.model.quantity(variable.target)
            values[variable.id] = state.model.present(quantity, state.last, state.parameters)
        return number_of(formula, values, where)


def _lasting(parameters: Mapping[str, float]) -> dict[str, float]:
    """What is set and is not among the values of a result: local parameters."""
    return {id: value for id, value in parameters.items() if "." in id}


def _points(simulation: Simulation) -> int:
    where = f"simulation {simulation.id}"
    if simulation.kind != "uniform":
        return 1
    if simulation.steps < 0 or simulation.steps >= MOST_POINTS:
        raise InvalidModel(f"{where}: {simulation.steps:,} steps, expected from 0 to {MOST_POINTS - 1:,}")
    ends = (simulation.initial, simulation.begin, simulation.end)
    if not (np.all(np.isfinite(ends)) and simulation.initial <= simulation.begin <= simulation.end):
        found = ", ".join(f"{one:g}" for one in ends)
        raise InvalidModel(f"{where}: found the times {found}, expected initial <= output start <= output end")
    return simulation.steps + 1


def _times(simulation: Simulation) -> Floats:
    return np.linspace(simulation.begin, simulation.end, simulation.steps + 1)


def _clock(data: xarray.Dataset) -> str:
    return next(str(dim) for dim in data.dims if str(dim).rstrip("_") == "time")


def _at(last: xarray.Dataset, time: float) -> xarray.Dataset:
    """A state as of another time: a time course begins at its initial time, whatever came before."""
    clock = _clock(last)
    return last.assign_coords({clock: ((clock,), [time], last[clock].attrs)})
