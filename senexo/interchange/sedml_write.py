"""A document as SED-ML Level 1 Version 4; `read_sedml` of this text gives an equal document.

Written with the standard library alone: libSEDML writes numbers with 15 digits, which would not read back equal.
Source: doi 10.1515/jib-2021-0021.
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, SubElement, fromstring, indent, tostring

from senexo.base.errors import UnsupportedFeature
from senexo.interchange.document import (
    Change,
    Document,
    Formula,
    Model,
    Output,
    Range,
    SetValue,
    Simulation,
    Task,
    Variable,
    math_of,
)
from senexo.interchange.mathml import AGGREGATES
from senexo.model.mathml_write import math_element

NAMESPACE = "http://sed-ml.org/sed-ml/level1/version4"
SBML = "http://www.sbml.org/sbml/level3/version2/core"
_CHANGES = {
    "attribute": "changeAttribute", "compute": "computeChange", "add": "addXML", "change": "changeXML",
    "remove": "removeXML",
}  # fmt: skip


def to_sedml(document: Document) -> bytes:
    """The document as XML, with the prefix sbml of Level 3 Version 2 for targets."""
    root = Element("sedML", {"xmlns": NAMESPACE, "xmlns:sbml": SBML, "level": "1", "version": "4"})
    _list(root, "Models", document.models, _model)
    _list(root, "Simulations", document.simulations, _simulation)
    _list(root, "Tasks", document.tasks, _task)
    generators = _listed(root, "DataGenerators", document.data_generators)
    for one in document.data_generators:
        element = _element(generators, "dataGenerator", id=one.id, name=one.name)
        _formula(element, one.formula)
    _list(root, "Outputs", document.outputs, _output)
    indent(root)
    return tostring(root, encoding="utf-8", xml_declaration=True)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, float) else str(value)


def _element(parent: Element, tag: str, **attributes: Any) -> Element:
    """A new child; an attribute that is None or empty is left out."""
    given = {name: _text(value) for name, value in attributes.items() if value is not None and value != ""}
    return SubElement(parent, tag, given)


def _listed(parent: Element, plural: str, items: Any) -> Element:
    return SubElement(parent, f"listOf{plural}") if items else Element("none")


def _list(parent: Element, plural: str, items: Any, write: Any) -> None:
    inside = _listed(parent, plural, items)
    for item in items:
        write(inside, item)


def _model(parent: Element, model: Model) -> None:
    element = _element(parent, "model", id=model.id, source=model.source, language=model.language)
    _list(element, "Changes", model.changes, _change)


def _change(parent: Element, change: Change) -> None:
    element = _element(parent, _CHANGES[change.kind], target=change.target, newValue=change.value)
    if change.formula is not None:
        _formula(element, change.formula)
    if change.kind in ("add", "change"):
        new = fromstring(change.xml or "")
        if new.tag.rpartition("}")[2] == "newXML":
            new.tag = "newXML"
            element.append(new)
        else:
            SubElement(element, "newXML").append(new)


def _formula(parent: Element, formula: Formula) -> None:
    _list(parent, "Variables", formula.variables, _variable)
    inside = _listed(parent, "Parameters", formula.constants)
    for id, value in formula.constants.items():
        _element(inside, "parameter", id=id, value=value)
    math = math_element(math_of(formula))
    for apply in math.iter("apply"):
        if len(apply) and apply[0].tag == "ci" and apply[0].text in AGGREGATES:
            apply[0].tag = "csymbol"
            apply[0].attrib.update(encoding="text", definitionURL=f"http://sed-ml.org/#{apply[0].text}")
    parent.append(math)


def _variable(parent: Element, one: Variable) -> None:
    element = _element(
        parent, "variable", id=one.id, target=one.target, symbol=one.symbol, taskReference=one.task,
        modelReference=one.model, term=one.term,
    )  # fmt: skip
    inside = _listed(element, "AppliedDimensions", one.over)
    for target in one.over:
        _element(inside, "appliedDimension", target=target)


def _simulation(parent: Element, one: Simulation) -> None:
    match one.kind:
        case "uniform":
            element = _element(
                parent, "uniformTimeCourse", id=one.id, initialTime=one.initial, outputStartTime=one.begin,
                outputEndTime=one.end, numberOfSteps=one.steps,
            )  # fmt: skip
        case "one step":
            element = _element(parent, "oneStep", id=one.id, step=one.step)
        case "steady":
            element = _element(parent, "steadyState", id=one.id)
        case "other":
            raise UnsupportedFeature(f"writing {one.element} of SED-ML", one.id)
    algorithm = _element(element, "algorithm", kisaoID=one.algorithm.kisao)
    inside = _listed(algorithm, "AlgorithmParameters", one.algorithm.parameters)
    for id, value in one.algorithm.parameters.items():
        _element(inside, "algorithmParameter", kisaoID=id, value=value)


def _task(parent: Element, task: Task) -> None:
    match task.kind:
        case "task":
            _element(parent, "task", id=task.id, modelReference=task.model, simulationReference=task.simulation)
        case "repeated":
            element = _element(parent, "repeatedTask", id=task.id, range=task.range, resetModel=task.reset)
            _list(element, "Ranges", task.ranges, _range)
            _list(element, "Changes", task.changes, _set_value)
            inside = _listed(element, "SubTasks", task.subtasks)
            for sub in task.subtasks:
                part = _element(inside, "subTask", order=int(sub.order), task=sub.task)
                _list(part, "Changes", sub.changes, _set_value)
        case "other":
            raise UnsupportedFeature(f"writing {task.element} of SED-ML", task.id)


def _range(parent: Element, one: Range) -> None:
    match one.kind:
        case "uniform":
            kind = "log" if one.logarithmic else "linear"
            _element(
                parent, "uniformRange", id=one.id, start=one.begin, end=one.end, numberOfSteps=one.steps, type=kind
            )
        case "vector":
            element = _element(parent, "vectorRange", id=one.id)
            for value in one.values:
                SubElement(element, "value").text = repr(value)
        case "functional":
            element = _element(parent, "functionalRange", id=one.id, range=one.of)
            if one.formula is not None:
                _formula(element, one.formula)
        case "other":
            raise UnsupportedFeature(f"writing {one.element} of SED-ML", one.id)


def _set_value(parent: Element, one: SetValue) -> None:
    element = _element(
        parent, "setValue", modelReference=one.model, target=one.target, symbol=one.symbol, range=one.range
    )
    _formula(element, one.formula)


def _output(parent: Element, output: Output) -> None:
    if output.kind == "report":
        element = _element(parent, "report", id=output.id, name=output.name)
        inside = _listed(element, "DataSets", output.data_sets)
        for one in output.data_sets:
            _element(inside, "dataSet", id=one.id, label=one.label, name=one.name, dataReference=one.data)
    elif output.kind in ("plot2D", "plot3D"):
        element = _element(parent, output.kind, id=output.id, name=output.name)
        plural, tag = ("Curves", "curve") if output.kind == "plot2D" else ("Surfaces", "surface")
        inside = _listed(element, plural, output.curves)
        for k, curve in enumerate(output.curves):
            axes = {f"{axis}DataReference": id for axis, id in zip("xyz", curve.axes, strict=False)}
            logs = {f"log{axis}": False for axis in "XYZ"[: len(curve.axes)]} if output.kind == "plot3D" else {}
            kind = {} if output.kind == "plot3D" else {"type": "points"}
            _element(inside, tag, id=curve.id, name=curve.name, order=k, **kind, **logs, **axes)
    else:
        raise UnsupportedFeature(f"writing {output.element} of SED-ML", output.id)
