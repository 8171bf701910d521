"""A SED-ML document as senexo holds it: checked, frozen, and with nothing that it cannot carry out.

Source: SED-ML Level 1 Version 4, doi 10.1515/jib-2021-0021.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator

from senexo.model.expression import Expression
from senexo.model.plain import from_postfix, postfix

Math = Annotated[
    Any, PlainValidator(lambda value: value if not isinstance(value, list) else from_postfix(value)),
    PlainSerializer(postfix),
]  # fmt: skip


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class Variable(_Part):
    """A quantity by `target` (an XPath into the model) or `symbol`, of a task's result or a model's present state.

    term: how it is reduced along dimensions; over: ids of the tasks whose dimensions these are (none: all).
    """

    id: str
    target: str | None = None
    symbol: str | None = None
    task: str | None = None
    model: str | None = None
    term: str | None = None
    over: tuple[str, ...] = ()


class Formula(_Part):
    """`math` of variables and of constants."""

    math: Math
    variables: tuple[Variable, ...] = ()
    constants: dict[str, float] = Field(default_factory=dict)


class Change(_Part):
    """One change of a model's XML."""

    kind: Literal["attribute", "compute", "add", "change", "remove"]
    target: str
    value: str | None = None
    xml: str | None = None
    formula: Formula | None = None


class Model(_Part):
    """source: a file, or the id of another model ("#id"); language: its urn."""

    id: str
    source: str
    language: str
    changes: tuple[Change, ...] = ()


class Algorithm(_Part):
    """kisao: "KISAO:0000019"; parameters: KiSAO id -> text."""

    kisao: str
    parameters: dict[str, str] = Field(default_factory=dict)


class Simulation(_Part):
    """A time course from `initial` with `steps` equal steps from `begin` to `end`, one step, or a steady state."""

    id: str
    kind: Literal["uniform", "one step", "steady", "other"]
    algorithm: Algorithm
    initial: float = 0.0
    begin: float = 0.0
    end: float = 0.0
    steps: int = 0
    step: float = 0.0
    element: str = ""


class Range(_Part):
    """Values that a repeated task goes through; functional: `formula` at each value of the range `of`."""

    id: str
    kind: Literal["uniform", "vector", "functional", "other"]
    values: tuple[float, ...] = ()
    begin: float = 0.0
    end: float = 0.0
    steps: int = 0
    logarithmic: bool = False
    of: str | None = None
    formula: Formula | None = None
    element: str = ""


class SetValue(_Part):
    """`target` of `model` is set to `formula`, which may name the range `range`."""

    model: str
    target: str | None = None
    symbol: str | None = None
    range: str | None = None
    formula: Formula


class SubTask(_Part):
    task: str
    order: float = 0.0
    changes: tuple[SetValue, ...] = ()


class Task(_Part):
    """A simulation of a model; or, where `range` is set, tasks that are repeated along a range."""

    id: str
    kind: Literal["task", "repeated", "other"]
    model: str | None = None
    simulation: str | None = None
    range: str | None = None
    ranges: tuple[Range, ...] = ()
    reset: bool = False
    changes: tuple[SetValue, ...] = ()
    subtasks: tuple[SubTask, ...] = ()
    element: str = ""


class DataGenerator(_Part):
    id: str
    name: str = ""
    formula: Formula


class DataSet(_Part):
    """One row of a report, one axis of a curve or a surface: the values of the data generator `data`."""

    id: str
    label: str
    name: str = ""
    data: str


class Curve(_Part):
    """A curve (axes x, y) or a surface (x, y, z) of a plot."""

    id: str
    name: str = ""
    axes: tuple[str, ...]


class Output(_Part):
    id: str
    name: str = ""
    kind: Literal["report", "plot2D", "plot3D", "other"]
    data_sets: tuple[DataSet, ...] = ()
    curves: tuple[Curve, ...] = ()
    element: str = ""


class Document(_Part):
    """A whole experiment."""

    level: int
    version: int
    models: tuple[Model, ...] = ()
    simulations: tuple[Simulation, ...] = ()
    tasks: tuple[Task, ...] = ()
    data_generators: tuple[DataGenerator, ...] = ()
    outputs: tuple[Output, ...] = ()


def constant(value: float) -> Formula:
    """The formula that is a number."""
    from senexo.model.expression import Number

    return Formula(math=Number(value))


def math_of(formula: Formula) -> Expression:
    """The tree of a formula."""
    tree: Expression = formula.math
    return tree
