"""A PEtab problem read and checked as a whole: every fault of every file in one message."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from senexo.base.errors import Fault, InvalidInput
from senexo.fitting.petab.conditions import read_conditions
from senexo.fitting.petab.experiments import AS_IT_IS, read_condition_rows, read_mapping, read_schedules
from senexo.fitting.petab.measurements import read_measurements, read_measurements_2
from senexo.fitting.petab.observables import read_observables
from senexo.fitting.petab.parameters import read_parameters, read_parameters_2
from senexo.fitting.petab.sheet import Row, near
from senexo.fitting.petab.yaml_file import EXTENSION, Files, read_yaml
from senexo.fitting.problem import COUNTS, Condition, Measurement, Observable, Parameter, Period, Problem, Schedule
from senexo.model.expression import Expression, Symbol, walk
from senexo.model.loading import Model, load


def read_problem(path: str | os.PathLike[str]) -> Problem:
    """Read a PEtab problem (version 1 or 2).

    The model is parsed in a limited child process, formulas of tables into closed trees; no text of a file is run.

    Parameters
    ----------
    path
        The YAML file.

    Returns
    -------
    Problem

    Raises
    ------
    InvalidInput
        All faults of the YAML file and the tables at once, each with file, row and column.
    InvalidModel
        The model cannot be read.
    UnsupportedFeature
        Several problems in one file, several models of version 1, models that are not SBML, extensions that the problem
        requires.

    References
    ----------
    Schmiester et al. 2021, doi 10.1371/journal.pcbi.1008646; https://petab.readthedocs.io.
    """
    if not isinstance(path, str | os.PathLike):
        raise InvalidInput([Fault("problem", repr(path)[:80], "the path of a PEtab problem (.yaml)")])
    path = Path(path)
    faults: list[Fault] = []
    files = read_yaml(path, faults)
    ids = files.model_ids or ("",) * len(files.models)
    models = {id: load(file) for id, file in zip(ids, files.models, strict=True)}
    tables = _Tables(path, models, faults, files)
    for file in files.mappings:
        tables.add_mapping(file)
    for file in files.parameters:
        tables.add_parameters(file)
    for file in files.observables:
        tables.add_observables(file)
    for file in files.conditions:
        tables.add_conditions(file)
    for file in files.experiments:
        tables.add_schedules(file)
    for file in files.measurements:
        tables.add_measurements(file)
    tables.check()
    if faults or not models:
        raise InvalidInput(faults)
    every = (path, *files.models, *files.parameters, *files.observables, *files.conditions, *files.experiments,
             *files.mappings, *files.measurements)  # fmt: skip
    return Problem(
        path.stem.strip("_") or path.stem, next(iter(models.values())), tuple(tables.parameters.values()),
        tuple(tables.observables.values()), tuple(tables.conditions.values()), tuple(tables.measurements), every,
        tuple(tables.notes), tables.used_schedules(), dict(tables.aliases), models,
    )  # fmt: skip


class _Tables:
    """What has been read of the tables, and the checks across them."""

    def __init__(self, path: Path, models: dict[str, Model], faults: list[Fault], files: Files) -> None:
        self.models, self.faults, self.version = models, faults, files.version
        self.file, self.extended = path, files.extended
        self.schedules: dict[str, Schedule] = {}
        self.aliases: dict[str, str] = {}
        self.target_rows: dict[tuple[str, str], Row] = {}
        self.parameters: dict[str, Parameter] = {}
        self.observables: dict[str, Observable] = {}
        self.conditions: dict[str, Condition] = {}
        self.measurements: list[Measurement] = []
        self.places: dict[str, str] = {}
        self.observable_rows: dict[str, Row] = {}
        self.condition_rows: dict[str, Row] = {}
        self.measurement_rows: list[tuple[Measurement, Row]] = []
        self.notes: list[str] = []
        self.of_model = {id: _entities(model) for id, model in models.items()}
        self.entities = {id for ids, _ in self.of_model.values() for id in ids}
        self.computed = {id for _, ids in self.of_model.values() for id in ids}

    def add_mapping(self, file: Path) -> None:
        names, rows = read_mapping(file, self.faults)
        reactions = [one for model in self.models.values() for one in model.network.reactions if one.kinetic_law]
        known = self.entities | {
            f"{one.id}.{local.id}" for one in reactions if one.kinetic_law for local in one.kinetic_law.local_parameters
        }
        for name, id in names.items():
            if self.models and id not in known:
                rows[name].sheet.fault(rows[name], "modelEntityId", near(id, known, "an id of the model, or nothing"))
            else:
                self.aliases[name] = id
        self.entities |= self.aliases.keys()

    def add_parameters(self, file: Path) -> None:
        read = read_parameters if self.version == 1 else read_parameters_2
        parameters, places = read(file, self.faults)
        self._once(self.parameters, {one.id: one for one in parameters}, places)
        self.places |= places

    def add_observables(self, file: Path) -> None:
        observables, rows = read_observables(file, self.faults, self.version)
        self._once(self.observables, {one.id: one for one in observables},
                   {id: row.at("observableId") for id, row in rows.items()})  # fmt: skip
        self.observable_rows |= rows

    def add_conditions(self, file: Path) -> None:
        if self.version == 1:
            conditions, rows = read_conditions(file, self.faults)
            self.target_rows |= {(one.id, target): rows[one.id] for one in conditions for target in one.values}
            self.condition_rows |= rows
        else:
            conditions, by_target = read_condition_rows(file, self.faults)
            self.target_rows |= by_target
            rows = {id: row for (id, _), row in by_target.items()}
        self._once(self.conditions, {one.id: one for one in conditions},
                   {id: row.at("conditionId") for id, row in rows.items()})  # fmt: skip

    def add_schedules(self, file: Path) -> None:
        schedules, rows = read_schedules(file, self.conditions, self.faults)
        self._once(self.schedules, {one.id: one for one in schedules},
                   {id: row.at("experimentId") for id, row in rows.items()})  # fmt: skip

    def add_measurements(self, file: Path) -> None:
        if self.version == 1:
            measurements, rows = read_measurements(file, self.observables, self.conditions, self.faults)
        else:
            measurements, rows = read_measurements_2(
                file, self.observables, self.schedules, tuple(self.models), self.faults
            )
        self.measurements += measurements
        self.measurement_rows += [(one, rows[one.row]) for one in measurements]

    def used_schedules(self) -> tuple[Schedule, ...]:
        """Of version 2 the experiments, and the model as it is where a measurement names none."""
        if self.version == 1:
            return ()
        return (*self.schedules.values(), Schedule(AS_IT_IS, (Period(0.0, ()),)))

    def _once(self, known: dict[str, Any], new: dict[str, Any], places: dict[str, str]) -> None:
        for id in known.keys() & new.keys():
            self.faults.append(Fault(places[id], f"{id} again", "an id in one table only"))
        known.update(new)

    # ---- across tables

    def check(self) -> None:
        """Names that nothing defines, values of what the model computes, parameters that nothing reads."""
        if not self.models:
            return
        own = {name for one in self.observables.values() for name in (*one.own, *one.own_noise)}
        targets = {id for condition in self.conditions.values() for id in (*condition.values, *condition.kept)}
        extra = targets - self.entities
        known = self.entities | self.parameters.keys() | extra
        read: set[str] = set()
        for observable in self.observables.values():
            row = self.observable_rows[observable.id]
            for column, formula, more in (
                ("observableFormula", observable.formula, own),
                ("noiseFormula", observable.noise, own | self.observables.keys()),
            ):
                read |= self._names(row, column, formula, known | more, known | self.observables.keys())
        for id, condition in self.conditions.items():
            for target, value in condition.values.items():
                row = self.target_rows[id, target]
                column = target if self.version == 1 else "targetId"
                self._target(row, target, column)
                if isinstance(value, str):
                    read.add(value)
                    self._parameter(row, column, value)
                elif not isinstance(value, int | float):
                    read |= self._names(row, "targetValue", value, known, known)
        self._firsts()
        for target in sorted(extra - read - self._in_formulas()):
            expected = near(target, self.entities, "an id of the model, or a name that an observable reads")
            if self.version == 1:
                row = next(iter(self.condition_rows.values()))
                self.faults.append(Fault(f"{row.sheet.path}: row 1, column {target}", f"the column {target}", expected))
            else:
                row = next(one for (_, name), one in self.target_rows.items() if name == target)
                row.sheet.fault(row, "targetId", expected)
        for measurement, row in self.measurement_rows:
            for column, values in (
                ("observableParameters", measurement.own),
                ("noiseParameters", measurement.own_noise),
            ):
                for value in values:
                    if isinstance(value, str):
                        read.add(value)
                        self._parameter(row, column, value)
        self._unread(read | self._in_formulas())
        self._undeclared()
        if len(self.models) > 1:
            self._in_each_model(self.parameters.keys() | extra | own | self.observables.keys())

    def _in_each_model(self, known: set[str]) -> None:
        """Every observable reads what the model of its measurements has."""
        said: set[tuple[str, str]] = set()
        for one, row in self.measurement_rows:
            if (one.observable, one.model) in said:
                continue
            said.add((one.observable, one.model))
            names = {id for id, of in self.aliases.items() if of in self.of_model[one.model][0]}
            observable = self.observables[one.observable]
            read = {node.id for math in (observable.formula, observable.noise) for node in walk(math)
                    if isinstance(node, Symbol)}  # fmt: skip
            if missing := read - known - names - self.of_model[one.model][0]:
                expected = f"a model that has {', '.join(sorted(missing))}, which {one.observable} reads"
                row.sheet.fault(row, "modelId", expected, f"the model {one.model}")

    def _undeclared(self) -> None:
        """Counts and limits change what a problem means: other tools must be told of them by a declared extension."""
        counts = [one.id for one in self.observables.values() if one.distribution in COUNTS]
        limits = [f"row {row.number}" for one, row in self.measurement_rows if one.censoring]
        if (counts or limits) and not self.extended:
            found = f"counts of {', '.join(counts[:3])}" if counts else f"limits of measurements ({limits[0]})"
            expected = f"extensions: {{{EXTENSION}: {{version: 1.0.0, required: true}}}} there, which they belong to"
            self.faults.append(Fault(str(self.file), f"{found} without the extension", expected))

    def _in_formulas(self) -> set[str]:
        return {node.id for one in self.observables.values() for math in (one.formula, one.noise)
                for node in walk(math) if isinstance(node, Symbol)}  # fmt: skip

    def _names(self, row: Row, column: str, formula: Expression, known: set[str], shown: set[str]) -> set[str]:
        names = {node.id for node in walk(formula) if isinstance(node, Symbol)}
        for name in sorted(names - known):
            expected = near(name, shown, "an id of the model or of the parameter table")
            row.sheet.fault(row, column, expected, f"the unknown name {name}")
        return names

    def _firsts(self) -> None:
        """Values of the first period of an experiment are set before the model has any value of its own."""
        known = self.parameters.keys() | ({"time"})
        first = {name for one in self.schedules.values() for name in one.periods[0].conditions}
        for (id, _), row in self.target_rows.items():
            condition = self.conditions.get(id) if self.version == 2 else None
            value = None if condition is None else condition.values.get(row.raw("targetId"))
            if id in first and isinstance(value, Expression):
                unset = {node.id for node in walk(value) if isinstance(node, Symbol)} - known
                if unset:
                    expected = "numbers and ids of the parameter table: the first period begins with it"
                    row.sheet.fault(row, "targetValue", expected, f"{', '.join(sorted(unset))}, of the model")

    def _target(self, row: Row, target: str, column: str) -> None:
        if target in self.computed:
            row.sheet.fault(row, column, "an id that no assignment rule of the model computes")
        if target in self.parameters:
            row.sheet.fault(
                row, column, f"no row for {target} in the parameter table, or no column here",
                f"a value for {target}, which the parameter table gives another",
            )  # fmt: skip

    def _parameter(self, row: Row, column: str, id: str) -> None:
        if id in self.parameters:
            return
        constants = [one for model in self.models.values() for one in model.network.parameters]
        if id not in self.computed and any(one.id == id and one.constant for one in constants):
            return
        row.sheet.fault(row, column, near(id, self.parameters, "an id of the parameter table"), f"the id {id}")

    def _unread(self, read: set[str]) -> None:
        for id in self.parameters:
            if id in self.computed:
                expected = "an id that no assignment rule of the model computes"
                self.faults.append(Fault(self.places[id], f"{id}, which the model computes", expected))
            elif id not in read and id not in self.entities:
                expected = "a parameter of the model, or one that another table reads"
                self.faults.append(Fault(self.places[id], f"{id}, which nothing reads", expected))
        if not any(one.estimated for one in self.parameters.values()):
            self.notes.append("no parameter is estimated: the likelihood at the nominal values is all there is to say")
        for one in self.observables.values():
            if one.id not in {m.observable for m in self.measurements}:
                self.notes.append(f"the observable {one.id} has no measurement")


def _entities(model: Model) -> tuple[set[str], set[str]]:
    """Ids of a model that tables may name, and those that its rules compute."""
    network = model.network
    ids = {one.id for one in network.compartments} | {one.id for one in network.species}
    ids |= {one.id for one in network.parameters}
    return ids, {rule.variable for rule in network.rules if rule.kind == "assignment"}
