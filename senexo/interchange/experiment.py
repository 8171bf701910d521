"""A SED-ML document carried out: models made, tasks simulated, data generators computed, outputs filled.

A failure of a task or a data generator is that of the outputs that need it; the others are filled.
"""

from __future__ import annotations

import posixpath
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import InvalidModel, SenexoError, UnsupportedFeature
from senexo.base.sandbox import as_utf8, call, scan_xml
from senexo.interchange.document import DataGenerator, Document, Model, Output, Variable
from senexo.interchange.kisao import Method
from senexo.interchange.model_changes import changed, text_of
from senexo.interchange.quantities import Loaded
from senexo.interchange.tasks import Runner
from senexo.interchange.values import MOST_VALUES, array_of, reduced
from senexo.model.loading import parse

Floats = NDArray[np.float64]
Files = Callable[[str], bytes]
Status = Literal["SUCCEEDED", "SKIPPED", "FAILED"]
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(frozen=True)
class Column:
    """One data set of a report, or one axis of a curve: its values, or the error that there is instead."""

    id: str
    label: str
    name: str
    values: Floats | None
    error: SenexoError | None = None


@dataclass(frozen=True)
class Filled:
    """An output of the document with its data."""

    output: Output
    columns: tuple[Column, ...]
    error: SenexoError | None = None

    @property
    def status(self) -> Status:
        failed = self.error is not None or any(column.error is not None for column in self.columns)
        return "FAILED" if failed else "SUCCEEDED"


@dataclass(frozen=True)
class Done:
    """A task of the document: how long it took, how it was carried out, and its error."""

    id: str
    seconds: float
    method: Method | None
    error: SenexoError | None = None


@dataclass(frozen=True)
class Results:
    """What a document gave.

    Attributes
    ----------
    outputs
        Reports and plots, in the order of the document.
    tasks
        Those that outputs need, in the order in which they were carried out.
    notes
        Algorithms that stand for others, parameters that are not used, cautions of simulations.
    """

    document: Document
    outputs: tuple[Filled, ...]
    tasks: tuple[Done, ...]
    notes: tuple[str, ...]

    def __getitem__(self, id: str) -> dict[str, Floats]:
        """The data of an output: label -> values."""
        filled = next(one for one in self.outputs if one.output.id == id)
        return {column.label: column.values for column in filled.columns if column.values is not None}


def read_sedml(data: bytes, *, source: str = "SED-ML") -> Document:
    """The document in the bytes of a SED-ML file (Level 1, Versions 1 to 4); parsed in a limited child process.

    Raises
    ------
    InvalidModel
        What is not SED-ML, with the lines of all faults.
    UnsupportedFeature
        The package python-libsedml is missing.
    """
    require_libsedml()
    try:
        text = as_utf8(data, scan_xml(data).encoding)
        return Document.model_validate(call("senexo.interchange.sedml_read:read_plain", text, hosted=False))
    except InvalidModel as error:
        raise InvalidModel("\n".join(f"{source}: {line}" for line in str(error).splitlines())) from None
    except UnsupportedFeature as error:
        raise UnsupportedFeature(error.feature, f"{source}: {error.detail}" if error.detail else source) from None
    except ValueError as error:  # pydantic's: the child's answer is not a document
        raise InvalidModel(f"{source}: cannot be read: {' '.join(str(error).split())[:300]}") from None


def require_libsedml() -> None:
    """Raise `UnsupportedFeature` with what to install where libSEDML is missing."""
    from importlib.util import find_spec

    if find_spec("libsedml") is None:
        raise UnsupportedFeature("SED-ML without python-libsedml", "install it: pip install 'senexo[interchange]'")


def run_experiment(
    document: Document, files: Files, *, location: str = "", max_seconds: float | None = None
) -> Results:
    """Carry out a document.

    Parameters
    ----------
    document
        As `read_sedml` gives it.
    files
        The bytes of a file by its place in the archive; raises `InvalidModel` where there is none.
    location
        Where the document lies in the archive; sources of models are relative to it.
    max_seconds
        Wall time (s) after which simulations end; what needs those is failed.

    Returns
    -------
    Results
    """
    models = _Models(document, files, posixpath.dirname(location))
    until = None if max_seconds is None else time.monotonic() + max_seconds
    runner = Runner(document, models.loaded, until=until)
    needed = {data for output in document.outputs for data in _references(output)}
    generators = {one.id: one for one in document.data_generators if one.id in needed}
    wanted = _wanted(generators)
    found: dict[str, dict[str, Floats]] = {}
    done: list[Done] = []
    failed: dict[str, SenexoError] = {}
    for task, variables in wanted.items():
        begun = time.perf_counter()
        error: SenexoError | None = None
        try:
            if task not in runner.tasks:
                raise InvalidModel(f"task {task or '(none)'} is not in the document")
            found[task] = runner.results(task, tuple(variables.values()))
        except SenexoError as reason:
            error = failed[task] = reason
        method = runner.used.get(task) or next(iter(runner.used.values()), None)
        done.append(Done(task, time.perf_counter() - begun, method, error))
    made: dict[str, Floats | SenexoError] = {}
    total = 0
    for id, generator in generators.items():
        try:
            if total > MOST_VALUES:
                raise InvalidModel(
                    f"dataGenerator {id}: those before it have {total:,} values, at most {MOST_VALUES:,}"
                )
            values = _generated(generator, found, failed, document)
            total += values.size
            made[id] = values
        except SenexoError as reason:
            made[id] = reason
    outputs = tuple(_filled(output, made) for output in document.outputs)
    return Results(document, outputs, tuple(done), tuple(runner.notes))


# ---- models


class _Models:
    """The models of a document, made when they are asked for."""

    def __init__(self, document: Document, files: Files, folder: str) -> None:
        self.models = {model.id: model for model in document.models}
        self.files, self.folder = files, folder
        self.made: dict[str, Loaded] = {}

    def loaded(self, id: str) -> Loaded:
        if id not in self.made:
            if id not in self.models:
                raise InvalidModel(f"model {id or '(none)'} is not in the document")
            model = self.models[id]
            if model.language and not model.language.startswith("urn:sedml:language:sbml"):
                raise UnsupportedFeature(f"the language {model.language}", f"model {id}; SBML is supported")
            tree = self.tree(model, ())
            unchanged = not model.changes and not self.base_of(model)
            data = self.files(self.place(model)) if unchanged else text_of(tree)
            network = parse(data, source=f"{id}.xml")
            self.made[id] = Loaded(id, network, tree)
        return self.made[id]

    def tree(self, model: Model, inside: tuple[str, ...]) -> ElementTree.Element:
        """The XML of a model, those that it is made from first."""
        if model.id in inside:
            raise InvalidModel(f"model {model.id} is made from itself: {' > '.join((*inside, model.id))}")
        if base := self.base_of(model):
            if base not in self.models:
                raise InvalidModel(f"model {model.id}: its source, the model {base}, is not in the document")
            root = self.tree(self.models[base], (*inside, model.id))
        else:
            data = self.files(self.place(model))
            try:
                root = ElementTree.fromstring(as_utf8(data, scan_xml(data).encoding))
            except InvalidModel as error:
                raise InvalidModel(f"{model.source}: {error}") from None
        changed(root, model.changes, model.id)
        return root

    def base_of(self, model: Model) -> str:
        """The id of the model that a model is made from; empty where that is a file."""
        base = model.source.removeprefix("#")
        return base if model.source.startswith("#") or (base in self.models and "." not in base) else ""

    def place(self, model: Model) -> str:
        """The place of a model's file in the archive."""
        if _SCHEME.match(model.source):
            raise UnsupportedFeature("a model that is not a file of the archive", f"model {model.id}: {model.source}")
        return posixpath.normpath(posixpath.join(self.folder, unquote(model.source)))


# ---- data


def _wanted(generators: dict[str, DataGenerator]) -> dict[str, dict[str, Variable]]:
    """The variables of every task that outputs need: task -> what they are -> variable, with ids of their own."""
    found: dict[str, dict[str, Variable]] = {}
    for generator in generators.values():
        for variable in generator.formula.variables:
            key = _key(variable)
            found.setdefault(variable.task or "", {})[key] = variable.model_copy(update={"id": key})
    return found


def _key(variable: Variable) -> str:
    return variable.symbol or variable.target or variable.id


def _references(output: Output) -> Iterator[str]:
    yield from (one.data for one in output.data_sets)
    yield from (axis for curve in output.curves for axis in curve.axes)


def _generated(
    generator: DataGenerator, found: dict[str, dict[str, Floats]], failed: dict[str, SenexoError], document: Document
) -> Floats:
    where = f"dataGenerator {generator.id}"
    values = {}
    for variable in generator.formula.variables:
        task = variable.task or ""
        if task in failed:
            raise failed[task]
        if task not in found:
            raise InvalidModel(f"{where}, variable {variable.id}: the task {task or '(none)'} was not carried out")
        value = found[task][_key(variable)]
        if variable.term is not None:
            value = reduced(value, variable.term, _axes(variable, task, value, document, where), where)
        values[variable.id] = value
    return np.atleast_1d(array_of(generator.formula, values, where))


def _axes(variable: Variable, task: str, value: Floats, document: Document, where: str) -> list[int] | None:
    """The dimensions that a variable is reduced along: those of repeated tasks, and the last for a simulation."""
    if not variable.over:
        return None
    tasks = {one.id: one for one in document.tasks}
    names: list[str | None] = []
    here = tasks[task]
    while here.kind == "repeated":
        names += [here.id, None]  # iterations, and subtasks
        here = tasks[here.subtasks[0].task]
    names = [*names[: value.ndim - 1], here.id]
    unknown = [one for one in variable.over if one not in names]
    if unknown:
        raise UnsupportedFeature(f"a reduction along {unknown[0]}", f"{where}, variable {variable.id}")
    return [names.index(one) for one in variable.over]


def _filled(output: Output, made: dict[str, Floats | SenexoError]) -> Filled:
    if output.kind == "other":
        return Filled(output, (), UnsupportedFeature(f"{output.element} in SED-ML", f"output {output.id}"))
    if output.kind == "report":
        parts = [(one.id, one.label, one.name, one.data) for one in output.data_sets]
    else:
        references = dict.fromkeys(_references(output))
        parts = [(one, one, "", one) for one in references]
    columns = []
    for id, label, name, data in parts:
        value = made.get(data, InvalidModel(f"output {output.id}: dataGenerator {data} is not in the document"))
        error = value if isinstance(value, SenexoError) else None
        columns.append(Column(id, label, name, None if isinstance(value, SenexoError) else value, error))
    return Filled(output, tuple(columns))
