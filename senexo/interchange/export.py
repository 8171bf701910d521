"""Models and studies as COMBINE archives: the network as SBML, what is done with it as SED-ML, and what is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from senexo import __version__
from senexo.base.atomic import output_file
from senexo.base.errors import Fault, InvalidInput
from senexo.interchange.document import (
    Algorithm,
    Change,
    Curve,
    DataGenerator,
    DataSet,
    Document,
    Formula,
    Model,
    Output,
    Range,
    SetValue,
    Simulation,
    SubTask,
    Task,
    Variable,
    constant,
)
from senexo.interchange.omex import archive_bytes
from senexo.interchange.sedml_write import to_sedml
from senexo.model.expression import Call, Number, Symbol
from senexo.model.network import Network
from senexo.model.sbml_write import to_sbml

if TYPE_CHECKING:
    from senexo.model.loading import Model as LoadedModel
    from senexo.study.schema import Action, Study

SBML_FILE, SEDML_FILE, NOTES_FILE = "model.xml", "experiment.sedml", "README.md"
MOST_CELLS = 100  # of one arm and type, each a simulation
_SBML = "urn:sedml:language:sbml.level-3.version-2"
_TIME = "urn:sedml:symbol:time"
_ODE, _SSA, _SEED = "KISAO:0000288", "KISAO:0000029", "KISAO:0000488"


@dataclass(frozen=True)
class Exported:
    """The files of an archive, and a sentence for everything that they do not say."""

    network: Network
    document: Document
    left_out: tuple[str, ...]
    title: str

    def to_bytes(self) -> bytes:
        """The archive; the same content gives the same bytes."""
        sbml = to_sbml(self.network).encode()
        files = {
            SEDML_FILE: (to_sedml(self.document), "sed-ml"),
            SBML_FILE: (sbml, "sbml"),
            NOTES_FILE: (self.notes().encode(), "md"),
        }
        return archive_bytes(files, master=SEDML_FILE)

    def notes(self) -> str:
        lines = [f"# {self.title}", "", f"Written by senexo {__version__}: `{SBML_FILE}` and `{SEDML_FILE}`.", ""]
        if self.left_out:
            lines += ["## What these files do not say", "", *(f"- {one}" for one in self.left_out), ""]
        return "\n".join(lines)

    def write(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the archive, completely or not at all; StoreError where something is there already."""
        data = self.to_bytes()
        with output_file(Path(path), overwrite=overwrite) as temporary:
            temporary.write_bytes(data)


def export_model(
    model: LoadedModel, *, end: float, points: int = 101, start: float = 0.0, method: str = "ode", seed: int = 0
) -> Exported:
    """A model and one time course of all its species.

    Parameters
    ----------
    model
        What `senexo.load` returns.
    end, points, start
        Of the time course, in the model's time unit.
    method, seed
        "ode" or "ssa", and the seed of "ssa".

    Returns
    -------
    Exported

    Raises
    ------
    InvalidInput
        Times or a method that are none.
    """
    faults = []
    if not start < end < float("inf"):
        faults.append(Fault("end", f"{end:g}", f"a time greater than {start:g}"))
    if points < 2:
        faults.append(Fault("points", str(points), "2 or more"))
    if method not in ("ode", "ssa"):
        faults.append(Fault("method", repr(method), "'ode' or 'ssa'"))
    if faults:
        raise InvalidInput(faults)
    network = model.network
    course = Simulation(
        id="course", kind="uniform", algorithm=_algorithm(method == "ssa", seed), initial=start, begin=start, end=end,
        steps=points - 1,
    )  # fmt: skip
    ids = list(dict.fromkeys([*(one.id for one in network.species), *(rule.variable for rule in network.rules)]))
    generators, output = _report("report", "run", [("time", None), *((id, id) for id in ids)], network)
    plotted = [one.id for one in generators if one.id != "run_time"]
    curves = tuple(Curve(id=f"curve_{id}", axes=("run_time", id)) for id in plotted)
    document = Document(
        level=1, version=4, models=(Model(id="model", source=SBML_FILE, language=_SBML),), simulations=(course,),
        tasks=(Task(id="run", kind="task", model="model", simulation="course"),), data_generators=generators,
        outputs=(output, Output(id="plot", kind="plot2D", curves=curves)),
    )  # fmt: skip
    return Exported(network, document, (), f"{network.name or network.id}")


def export_study(study: Study, model: LoadedModel) -> Exported:
    """A study's network and, for every arm and type of cell, single cells through genotype, culture and schedule.

    Parameters
    ----------
    study
        What `senexo.read_study` returns.
    model
        Its model: ``senexo.load(study.model.circuit or study.model.file)``.

    Returns
    -------
    Exported
        With the limits of what SBML and SED-ML can say in `left_out`.
    """
    return _StudyExport(study, model).exported()


class _StudyExport:
    def __init__(self, study: Study, model: LoadedModel) -> None:
        self.study, self.circuit = study, model.circuit
        nominal = {name: draw.value for name, draw in study.donors.draws.items()}
        self.nominal = nominal
        parameters = tuple(
            replace(p, value=nominal[p.id]) if p.id in nominal and p.value is not None else p
            for p in model.network.parameters
        )
        self.network = replace(model.network, parameters=parameters)
        self.stochastic = bool(self.circuit and self.circuit.pools)
        self.simulations: dict[str, Simulation] = {}
        self.tasks: list[Task] = []
        self.models: list[Model] = []
        self.generators: list[DataGenerator] = []
        self.outputs: list[Output] = []
        self.capped: list[str] = []
        self.taken: set[str] = set()

    def exported(self) -> Exported:
        for name, arm in self.study.arms.items():
            numbers = arm.cells or {type: cells.n for type, cells in self.study.cells.items()}
            for type, n in numbers.items():
                if n > 0:
                    self.cells(name, type, n, arm.genotype, arm.schedule)
            for type, n in arm.insert.cells.items() if arm.insert else ():
                if n > 0 and arm.insert is not None:
                    self.cells(f"{name} insert", type, n, arm.insert.genotype, arm.insert.schedule)
        document = Document(
            level=1, version=4, models=tuple(self.models), simulations=tuple(self.simulations.values()),
            tasks=tuple(self.tasks), data_generators=tuple(self.generators), outputs=tuple(self.outputs),
        )  # fmt: skip
        return Exported(self.network, document, tuple(self.left_out()), self.study.title)

    def cells(self, arm: str, type: str, n: int, genotype: Sequence[Action], schedule: Sequence[Action]) -> None:
        """Single cells of one type in one arm: begun, settled after genotype and medium, then the schedule."""
        id = self.fresh(f"{arm}_{type}")
        changes = [
            Change(kind="attribute", target=f"{_target(self.network, name)}/@value", value=repr(value))
            for name, value in self.own(type).items()
        ]
        self.models.append(Model(id=f"model_{id}", source=SBML_FILE, language=_SBML, changes=tuple(changes)))
        before = -self.study.culture.preequilibration_h
        end = self.study.culture.duration_h
        cuts = sorted({0.0} | {a.time_h for a in schedule if a.time_h is not None and a.time_h < end})
        subs = [self.sub(id, 0, before, before, [])]
        settled = [*genotype, *self.study.culture.medium]
        if before < 0.0:
            subs.append(self.sub(id, 1, before, 0.0, settled))
            settled = []
        counters = list(self.circuit.zero_at_start) if self.circuit else []
        for k, (begin, until) in enumerate(zip(cuts, [*cuts[1:], end], strict=True)):
            done = [*settled, *(a for a in schedule if a.time_h == begin)] if k == 0 else None
            done = [a for a in schedule if a.time_h == begin] if done is None else done
            subs.append(self.sub(id, len(subs), begin, until, done, zero=counters if k == 0 else ()))
        shown = min(n, MOST_CELLS) if self.stochastic else 1
        if shown < n and self.stochastic:
            self.capped.append(f"{arm}, {type}: {shown} of {n} cells")
        one = Range(id="cell", kind="uniform", begin=1.0, end=float(shown), steps=shown - 1)
        if shown == 1:
            one = Range(id="cell", kind="vector", values=(1.0,))
        self.tasks.append(Task(id=id, kind="repeated", range="cell", ranges=(one,), reset=True, subtasks=tuple(subs)))
        named = {r.name: r.id for r in self.circuit.readouts} if self.circuit else {}
        rows = [("time", None), *((name, named.get(name, name)) for name in self.study.readouts.names)]
        generators, output = _report(f"report_{id}", id, rows, self.network, name=f"{arm}, {type}")
        self.generators += generators
        self.outputs.append(output)

    def sub(
        self, id: str, order: int, begin: float, end: float, actions: Sequence[Action], zero: Sequence[str] = ()
    ) -> SubTask:
        """A stretch of undisturbed time, after actions."""
        grid = self.study.readouts.grid_h
        steps = max(1, round((end - begin) / grid)) if end > begin else 0
        key = f"from_{_word(f'{begin:g}')}_to_{_word(f'{end:g}')}"
        self.simulations.setdefault(
            key,
            Simulation(
                id=key, kind="uniform", algorithm=_algorithm(self.stochastic, self.study.seed), initial=begin,
                begin=begin, end=end, steps=steps,
            ),
        )  # fmt: skip
        task = f"{id}_{order}"
        self.tasks.append(Task(id=task, kind="task", model=f"model_{id}", simulation=key))
        model = f"model_{id}"
        changes = [self.set(model, action) for action in _combined(actions)]
        changes += [SetValue(model=model, target=_target(self.network, name), formula=constant(0.0)) for name in zero]
        return SubTask(task=task, order=float(order), changes=tuple(changes))

    def set(self, model: str, action: tuple[str, Sequence[Action]]) -> SetValue:
        """All actions on one quantity at one time, in their order, as one formula."""
        target, actions = action
        path = _target(self.network, target)
        math: object = Symbol("now")
        for one in actions:
            number = Number(one.value)
            if one.operation == "set":
                math = number
            else:
                math = Call("times" if one.operation == "multiply" else "plus", (math, number))  # type: ignore[arg-type]
        reads = (Variable(id="now", target=path, model=model),) if actions[0].operation != "set" else ()
        if isinstance(math, Number):
            reads = ()
        return SetValue(model=model, target=path, formula=Formula(math=math, variables=reads))

    def own(self, type: str) -> dict[str, float]:
        """The numbers that a type of cell has of its own."""
        if self.circuit is None:
            return {}
        from senexo.model.cell_types import own_names

        names = own_names(self.circuit.cell_types).get(type, {})
        rule = next((rule for rule in self.circuit.cell_types if rule.name == type), None)
        values = {p.name: p.value for p in rule.parameters} if rule else {}
        return {id: self.nominal.get(names.get(id, id), value) for id, value in values.items()}

    def fresh(self, name: str) -> str:
        id = base = _word(name)
        k = 2
        while id in self.taken:
            id, k = f"{base}_{k}", k + 1
        self.taken.add(id)
        return id

    def left_out(self) -> Iterator[str]:
        study, culture = self.study, self.study.culture
        fates = {fate.name for rule in self.circuit.cell_types for fate in rule.fates} if self.circuit else set()
        if fates:
            yield (
                f"What becomes of cells ({', '.join(sorted(fates))}): divisions, deaths and changes of type. Every cell"
                " is followed as it is for the whole time."
            )
        if self.circuit and self.circuit.partitions:
            yield "How a division shares out molecules between two cells."
        if self.circuit and self.circuit.pools:
            pools = ", ".join(self.circuit.pools)
            yield (
                f"The shared medium ({pools}): here every cell has a medium of its own, so that nothing passes from one"
                " cell to another."
            )
        if any(arm.insert for arm in study.arms.values()):
            yield "The membrane of a Transwell: cells of an insert are an experiment of their own."
        if media := sorted(name for name, arm in study.arms.items() if arm.medium_from):
            yield f"Medium of another arm's wells, poured in ({', '.join(media)})."
        if self.stochastic:
            yield (
                f"The method: the study simulates its cells by '{culture.method or 'hybrid'}'; here each is an exact"
                " trajectory of the same reactions."
            )
        if any(draw.varies for draw in study.donors.draws.values()):
            yield f"Donors ({study.donors.n}) and the laws of what they draw: here all have the nominal values."
        if any(cells.variation for cells in study.cells.values()):
            yield "Variation of parameters between the cells of a donor."
        if study.culture.stop_when:
            yield f"The condition that ends a well: {study.culture.stop_when}."
        if study.mouse is not None:
            yield "Mice, and secondary ones: here arms end with their culture."
        if study.cohort is not None:
            yield "Patients: here arms end with their culture."
        if study.assays:
            yield f"Measuring and assays ({', '.join(sorted({one.name for one in study.assays}))}) with their noise."
        if study.claim or study.worlds:
            yield "The claim, its null and its worlds."
        if self.capped:
            yield f"More than {MOST_CELLS} cells of a type in an arm ({'; '.join(self.capped)})."


def _combined(actions: Sequence[Action]) -> list[tuple[str, list[Action]]]:
    found: dict[str, list[Action]] = {}
    for action in actions:
        found.setdefault(action.target, []).append(action)
    return list(found.items())


def _algorithm(stochastic: bool, seed: int) -> Algorithm:
    if not stochastic:
        return Algorithm(kisao=_ODE)
    return Algorithm(kisao=_SSA, parameters={_SEED: str(seed)})


def _report(
    id: str, task: str, rows: Sequence[tuple[str, str | None]], network: Network, name: str = ""
) -> tuple[tuple[DataGenerator, ...], Output]:
    """Data generators of quantities (None: the time) of a task, and the report of them."""
    generators, sets = [], []
    for label, quantity in rows:
        key = f"{task}_{_word(label)}"
        variable = Variable(id="value", symbol=_TIME, task=task)
        if quantity is not None:
            variable = Variable(id="value", target=_target(network, quantity), task=task)
        generators.append(
            DataGenerator(id=key, name=label, formula=Formula(math=Symbol("value"), variables=(variable,)))
        )
        sets.append(DataSet(id=f"{id}_{_word(label)}", label=label, data=key))
    return tuple(generators), Output(id=id, name=name, kind="report", data_sets=tuple(sets))


def _target(network: Network, id: str) -> str:
    """The XPath of a quantity."""
    places = {
        **{one.id: "listOfParameters/sbml:parameter" for one in network.parameters},
        **{one.id: "listOfCompartments/sbml:compartment" for one in network.compartments},
        **{one.id: "listOfSpecies/sbml:species" for one in network.species},
        **{one.id: "listOfReactions/sbml:reaction" for one in network.reactions},
    }
    if id not in places:
        raise InvalidInput([Fault("study", f"an action on or a read-out of {id!r}", "a quantity of the model")])
    return f"/sbml:sbml/sbml:model/sbml:{places[id]}[@id='{id}']"


def _word(text: str) -> str:
    """A text as an id."""
    word = re.sub(r"\W", "_", text.replace("-", "m") if re.fullmatch(r"-?[\d.]+", text) else text, flags=re.ASCII)
    return word if word and not word[0].isdigit() else f"t{word}"
