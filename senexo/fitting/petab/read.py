"""A PEtab problem read and checked as a whole: every fault of every file in one message."""

from __future__ import annotations

import os
from pathlib import Path

from senexo.base.errors import Fault, InvalidInput
from senexo.fitting.petab.conditions import read_conditions
from senexo.fitting.petab.measurements import read_measurements
from senexo.fitting.petab.observables import read_observables
from senexo.fitting.petab.parameters import read_parameters
from senexo.fitting.petab.sheet import Row, near
from senexo.fitting.petab.yaml_file import read_yaml
from senexo.fitting.problem import Condition, Measurement, Observable, Parameter, Problem
from senexo.model.expression import Expression, Symbol, walk
from senexo.model.loading import Model, load


def read_problem(path: str | os.PathLike[str]) -> Problem:
    """Read a PEtab problem (version 1).

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
        PEtab version 2; several problems or models in one file; extensions that the problem requires.

    References
    ----------
    Schmiester et al. 2021, doi 10.1371/journal.pcbi.1008646; https://petab.readthedocs.io/en/latest/v1.
    """
    if not isinstance(path, str | os.PathLike):
        raise InvalidInput([Fault("problem", repr(path)[:80], "the path of a PEtab problem (.yaml)")])
    path = Path(path)
    faults: list[Fault] = []
    files = read_yaml(path, faults)
    model = load(files.models[0]) if files.models else None
    tables = _Tables(model, faults)
    for file in files.parameters:
        tables.add_parameters(file)
    for file in files.observables:
        tables.add_observables(file)
    for file in files.conditions:
        tables.add_conditions(file)
    for file in files.measurements:
        tables.add_measurements(file)
    tables.check()
    if faults or model is None:
        raise InvalidInput(faults)
    every = (path, *files.parameters, *files.models, *files.conditions, *files.measurements, *files.observables)
    return Problem(
        path.stem.strip("_") or path.stem, model, tuple(tables.parameters.values()),
        tuple(tables.observables.values()), tuple(tables.conditions.values()), tuple(tables.measurements), every,
        tuple(tables.notes),
    )  # fmt: skip


class _Tables:
    """What has been read of the tables, and the checks across them."""

    def __init__(self, model: Model | None, faults: list[Fault]) -> None:
        self.model, self.faults = model, faults
        self.parameters: dict[str, Parameter] = {}
        self.observables: dict[str, Observable] = {}
        self.conditions: dict[str, Condition] = {}
        self.measurements: list[Measurement] = []
        self.places: dict[str, str] = {}
        self.observable_rows: dict[str, Row] = {}
        self.condition_rows: dict[str, Row] = {}
        self.measurement_rows: list[tuple[Measurement, Row]] = []
        self.notes: list[str] = []
        self.entities, self.computed = _entities(model)

    def add_parameters(self, file: Path) -> None:
        parameters, places = read_parameters(file, self.faults)
        self._once(self.parameters, {one.id: one for one in parameters}, places)
        self.places |= places

    def add_observables(self, file: Path) -> None:
        observables, rows = read_observables(file, self.faults)
        self._once(self.observables, {one.id: one for one in observables},
                   {id: row.at("observableId") for id, row in rows.items()})  # fmt: skip
        self.observable_rows |= rows

    def add_conditions(self, file: Path) -> None:
        conditions, rows = read_conditions(file, self.faults)
        self._once(self.conditions, {one.id: one for one in conditions},
                   {id: row.at("conditionId") for id, row in rows.items()})  # fmt: skip
        self.condition_rows |= rows

    def add_measurements(self, file: Path) -> None:
        measurements, rows = read_measurements(file, self.observables, self.conditions, self.faults)
        self.measurements += measurements
        self.measurement_rows += [(one, rows[one.row]) for one in measurements]

    def _once(self, known: dict[str, object] | dict[str, Parameter] | dict[str, Observable] | dict[str, Condition],
              new: dict[str, object] | dict[str, Parameter] | dict[str, Observable] | dict[str, Condition],
              places: dict[str, str]) -> None:  # fmt: skip
        for id in known.keys() & new.keys():
            self.faults.append(Fault(places[id], f"{id} again", "an id in one table only"))
        known.update(new)  # type: ignore[arg-type]

    # ---- across tables

    def check(self) -> None:
        """Names that nothing defines, values of what the model computes, parameters that nothing reads."""
        if self.model is None:
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
                self._target(self.condition_rows[id], target)
                if isinstance(value, str):
                    read.add(value)
                    self._parameter(self.condition_rows[id], target, value)
        for target in sorted(extra - read - self._in_formulas()):
            row = next(iter(self.condition_rows.values()))
            expected = near(target, self.entities, "an id of the model, or a name that an observable reads")
            self.faults.append(Fault(f"{row.sheet.path}: row 1, column {target}", f"the column {target}", expected))
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

    def _in_formulas(self) -> set[str]:
        return {node.id for one in self.observables.values() for math in (one.formula, one.noise)
                for node in walk(math) if isinstance(node, Symbol)}  # fmt: skip

    def _names(self, row: Row, column: str, formula: Expression, known: set[str], shown: set[str]) -> set[str]:
        names = {node.id for node in walk(formula) if isinstance(node, Symbol)}
        for name in sorted(names - known):
            expected = near(name, shown, "an id of the model or of the parameter table")
            row.sheet.fault(row, column, expected, f"the unknown name {name}")
        return names

    def _target(self, row: Row, target: str) -> None:
        if target in self.computed:
            row.sheet.fault(row, target, "an id that no assignment rule of the model computes")
        if target in self.parameters:
            row.sheet.fault(
                row, target, f"no row for {target} in the parameter table, or no column here",
                f"a value for {target}, which the parameter table gives another",
            )  # fmt: skip

    def _parameter(self, row: Row, column: str, id: str) -> None:
        if id in self.parameters:
            return
        constants = () if self.model is None else self.model.network.parameters
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


def _entities(model: Model | None) -> tuple[set[str], set[str]]:
    """Ids of the model that tables may name, and those that its rules compute."""
    if model is None:
        return set(), set()
    network = model.network
    ids = {one.id for one in network.compartments} | {one.id for one in network.species}
    ids |= {one.id for one in network.parameters}
    return ids, {rule.variable for rule in network.rules if rule.kind == "assignment"}
