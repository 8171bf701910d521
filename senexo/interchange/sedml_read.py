"""SED-ML into plain data, by way of libSEDML; runs only in the parser's process (see `senexo.base.sandbox`).

Level 1, Versions 1 to 4. Source: doi 10.1515/jib-2021-0021.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import libsedml

from senexo.base.errors import InvalidModel
from senexo.base.sandbox import scan_xml
from senexo.interchange.mathml import read_mathml
from senexo.model.plain import postfix

MOST_SHOWN = 10
MOST = {"Model": 500, "Simulation": 10_000, "Task": 10_000, "DataGenerator": 10_000, "Output": 1_000}
_KINDS = {
    libsedml.SEDML_SIMULATION_UNIFORMTIMECOURSE: "uniform", libsedml.SEDML_SIMULATION_ONESTEP: "one step",
    libsedml.SEDML_SIMULATION_STEADYSTATE: "steady",
}  # fmt: skip
_CHANGES = {
    libsedml.SEDML_CHANGE_ATTRIBUTE: "attribute", libsedml.SEDML_CHANGE_COMPUTECHANGE: "compute",
    libsedml.SEDML_CHANGE_ADDXML: "add", libsedml.SEDML_CHANGE_CHANGEXML: "change",
    libsedml.SEDML_CHANGE_REMOVEXML: "remove",
}  # fmt: skip
_RANGES = {
    libsedml.SEDML_RANGE_UNIFORMRANGE: "uniform", libsedml.SEDML_RANGE_VECTORRANGE: "vector",
    libsedml.SEDML_RANGE_FUNCTIONALRANGE: "functional",
}  # fmt: skip
_OUTPUTS = {
    libsedml.SEDML_OUTPUT_REPORT: "report", libsedml.SEDML_OUTPUT_PLOT2D: "plot2D",
    libsedml.SEDML_OUTPUT_PLOT3D: "plot3D",
}  # fmt: skip


def read_plain(data: bytes) -> dict[str, Any]:
    """The document as `senexo.interchange.document.Document` takes it."""
    if not scan_xml(data).root.lower().endswith("|sedml"):
        raise InvalidModel("this is not SED-ML: its first element is not sedML")
    document = libsedml.readSedMLFromString(data.decode())
    _raise_errors(document)
    _refuse_twins(document)
    steps = "Steps" if (document.getLevel(), document.getVersion()) >= (1, 4) else "Points"
    return {
        "level": document.getLevel(),
        "version": document.getVersion(),
        "models": [_model(one) for one in _each(document, "Model")],
        "simulations": [_simulation(one, steps) for one in _each(document, "Simulation")],
        "tasks": [_task(one, steps) for one in _each(document, "Task")],
        "data_generators": [_generator(one) for one in _each(document, "DataGenerator")],
        "outputs": [_output(one) for one in _each(document, "Output")],
    }


def _raise_errors(document: Any) -> None:
    found = [document.getError(k) for k in range(document.getNumErrors())]
    bad = [one for one in found if one.getSeverity() >= libsedml.LIBSEDML_SEV_ERROR]
    if bad:
        lines = [f"line {one.getLine()}: {' '.join(one.getMessage().split())}" for one in bad[:MOST_SHOWN]]
        more = [f"... and {len(bad) - MOST_SHOWN} more"] if len(bad) > MOST_SHOWN else []
        raise InvalidModel("\n".join([*lines, *more]))


def _refuse_twins(document: Any) -> None:
    """Raise `InvalidModel` for too many elements, and for ids that two have; libSEDML does not look."""
    seen: set[str] = set()
    for what, most in MOST.items():
        if (n := getattr(document, f"getNum{what}s")()) > most:
            raise InvalidModel(f"{n:,} elements of the kind {what}, at most {most:,}")
        for element in _each(document, what):
            if (id := element.getId()) in seen:
                raise InvalidModel(f"the id {id} is given twice")
            seen.add(id)


def _each(parent: Any, what: str, plural: str | None = None) -> Iterator[Any]:
    count = getattr(parent, f"getNum{plural or what + 's'}")()
    get: Callable[[int], Any] = getattr(parent, f"get{what}")
    return (get(k) for k in range(count))


def _other(kind: str, element: Any) -> str:
    """The name of an element that has no kind here, for messages."""
    return element.getElementName() if kind == "other" else ""


def _text(value: str) -> str | None:
    return value or None


def _model(model: Any) -> dict[str, Any]:
    return {
        "id": model.getId(), "source": model.getSource(), "language": model.getLanguage(),
        "changes": [_change(one) for one in _each(model, "Change")],
    }  # fmt: skip


def _change(change: Any) -> dict[str, Any]:
    kind = _CHANGES.get(change.getTypeCode())
    if kind is None:
        raise InvalidModel(f"a change of the kind {change.getElementName()} is not known")
    found: dict[str, Any] = {"kind": kind, "target": change.getTarget()}
    if kind == "attribute":
        found["value"] = change.getNewValue()
    elif kind == "compute":
        found["formula"] = _formula(change, f"computeChange of {change.getTarget()}")
    elif kind in ("add", "change"):
        xml = change.getNewXML()
        found["xml"] = "" if xml is None else xml.toXMLString()
    return found


def _formula(element: Any, where: str) -> dict[str, Any]:
    if not element.isSetMath():
        raise InvalidModel(f"{where}: it has no math")
    return {
        "math": postfix(read_mathml(libsedml.writeMathMLToString(element.getMath()), where)),
        "variables": [_variable(one) for one in _each(element, "Variable")],
        "constants": {one.getId(): one.getValue() for one in _each(element, "Parameter")},
    }


def _variable(variable: Any) -> dict[str, Any]:
    term = variable.getTerm() or variable.getDimensionTerm()
    return {
        "id": variable.getId(), "target": _text(variable.getTarget()), "symbol": _text(variable.getSymbol()),
        "task": _text(variable.getTaskReference()), "model": _text(variable.getModelReference()), "term": _text(term),
        "over": [
            one.getTarget() or one.getDimensionTarget()
            for one in _each(variable, "AppliedDimension")
        ],
    }  # fmt: skip


def _algorithm(simulation: Any) -> dict[str, Any]:
    algorithm = simulation.getAlgorithm()
    if algorithm is None:
        return {"kisao": "KISAO:0000000"}
    return {
        "kisao": algorithm.getKisaoID(),
        "parameters": {one.getKisaoID(): one.getValue() for one in _each(algorithm, "AlgorithmParameter")},
    }


def _simulation(simulation: Any, steps: str) -> dict[str, Any]:
    kind = _KINDS.get(simulation.getTypeCode(), "other")
    found: dict[str, Any] = {"id": simulation.getId(), "kind": kind, "element": _other(kind, simulation)}
    found["algorithm"] = _algorithm(simulation)
    if kind == "uniform":
        found |= {
            "initial": simulation.getInitialTime(), "begin": simulation.getOutputStartTime(),
            "end": simulation.getOutputEndTime(), "steps": getattr(simulation, f"getNumberOf{steps}")(),
        }  # fmt: skip
    elif kind == "one step":
        found["step"] = simulation.getStep()
    return found


def _range(one: Any, steps: str) -> dict[str, Any]:
    kind = _RANGES.get(one.getTypeCode(), "other")
    found: dict[str, Any] = {"id": one.getId(), "kind": kind, "element": _other(kind, one)}
    if kind == "uniform":
        found |= {
            "begin": one.getStart(), "end": one.getEnd(), "steps": getattr(one, f"getNumberOf{steps}")(),
            "logarithmic": one.getType() == "log",
        }  # fmt: skip
    elif kind == "vector":
        found["values"] = [float(value) for value in one.getValues()]
    elif kind == "functional":
        found |= {"of": _text(one.getRange()), "formula": _formula(one, f"functionalRange {one.getId()}")}
    return found


def _set_value(one: Any, where: str) -> dict[str, Any]:
    return {
        "model": one.getModelReference(), "target": _text(one.getTarget()), "symbol": _text(one.getSymbol()),
        "range": _text(one.getRange()), "formula": _formula(one, f"setValue of {where}"),
    }  # fmt: skip


def _task(task: Any, steps: str) -> dict[str, Any]:
    found: dict[str, Any] = {"id": task.getId()}
    match task.getTypeCode():
        case libsedml.SEDML_TASK:
            model, simulation = task.getModelReference(), task.getSimulationReference()
            return found | {"kind": "task", "model": model, "simulation": simulation}
        case libsedml.SEDML_TASK_REPEATEDTASK:
            changes = [_set_value(one, task.getId()) for one in _each(task, "TaskChange")]
            return found | {
                "kind": "repeated", "range": _text(task.getRangeId()), "reset": task.getResetModel(),
                "changes": changes,
                "ranges": [_range(one, steps) for one in _each(task, "Range")],
                "subtasks": [
                    {
                        "task": one.getTask(), "order": float(one.getOrder()) if one.isSetOrder() else 0.0,
                        "changes": [_set_value(change, one.getTask()) for change in _each(one, "TaskChange")],
                    }
                    for one in _each(task, "SubTask")
                ],
            }  # fmt: skip
    return found | {"kind": "other", "element": task.getElementName()}


def _generator(generator: Any) -> dict[str, Any]:
    formula = _formula(generator, f"dataGenerator {generator.getId()}")
    return {"id": generator.getId(), "name": generator.getName(), "formula": formula}


def _output(output: Any) -> dict[str, Any]:
    kind = _OUTPUTS.get(output.getTypeCode(), "other")
    found = {"id": output.getId(), "name": output.getName(), "kind": kind, "element": _other(kind, output)}
    if kind == "report":
        found["data_sets"] = [
            {"id": one.getId(), "label": one.getLabel(), "name": one.getName(), "data": one.getDataReference()}
            for one in _each(output, "DataSet")
        ]
    elif kind in ("plot2D", "plot3D"):
        axes = "XY" if kind == "plot2D" else "XYZ"
        parts = list(_each(output, "Curve" if kind == "plot2D" else "Surface"))
        found["curves"] = [
            {
                "id": one.getId() or f"{output.getId()}_{k + 1}", "name": one.getName(),
                "axes": [getattr(one, f"get{axis}DataReference")() for axis in axes],
            }
            for k, one in enumerate(parts)
        ]  # fmt: skip
    return found
