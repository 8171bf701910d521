"""A problem of estimation, whatever file it was read from: parameters, conditions, observables, data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, isinf, nan
from pathlib import Path
from typing import Literal

import numpy as np

from senexo.model.expression import Expression
from senexo.model.loading import Model

Scale = Literal["lin", "log", "log10"]
Distribution = Literal["normal", "laplace", "poisson", "negative-binomial", "binomial", "beta-binomial"]
Censoring = Literal["", "left", "right", "interval"]
PriorKind = Literal[
    "uniform", "normal", "laplace", "log-normal", "log-laplace", "log-uniform", "cauchy", "chisquare", "exponential",
    "gamma", "rayleigh",
]  # fmt: skip

SCALES: tuple[Scale, ...] = ("lin", "log", "log10")
DISTRIBUTIONS: tuple[Distribution, ...] = ("normal", "laplace")
COUNTS: tuple[Distribution, ...] = ("poisson", "negative-binomial", "binomial", "beta-binomial")
OF_TRIALS: tuple[Distribution, ...] = ("binomial", "beta-binomial")
CENSORINGS: tuple[Censoring, ...] = ("", "left", "right", "interval")
Value = float | str | Expression  # a number, the id of a parameter, or a formula


def to_scale(value: float, scale: Scale) -> float:
    """A value on the scale on which it is searched; -inf for a logarithm of 0."""
    if scale == "lin":
        return value
    with np.errstate(divide="ignore"):
        return float(np.log(value) if scale == "log" else np.log10(value))


def from_scale(value: float, scale: Scale) -> float:
    """The value of a parameter from the scale on which it is searched."""
    if scale == "lin":
        return value
    with np.errstate(over="ignore"):
        return float(np.exp(value) if scale == "log" else np.power(10.0, value))


@dataclass(frozen=True, slots=True)
class Prior:
    """A distribution of a parameter: location and width, or two bounds; `on_scale`: of the value as it is searched.

    Of chisquare `first` are the degrees of freedom, of exponential and rayleigh the scale, of gamma the shape and
    `second` the scale. `log_mass`: logarithm of the share of it that lies within the bounds, to which it is cut.
    """

    kind: PriorKind
    first: float
    second: float = 1.0
    on_scale: bool = False
    log_mass: float = 0.0


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the table; `nominal` is its value where it is not estimated, and a start where it is."""

    id: str
    scale: Scale
    lower: float
    upper: float
    nominal: float | None
    estimated: bool
    prior: Prior | None = None
    start: Prior | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Observable:
    """What is measured: `formula` of the model's quantities, with the standard deviation (or scale) `noise`.

    On the scales log and log10 the error is that of the logarithm (natural, decimal). `own` and `own_noise` are the
    names that a measurement gives values to, in order.
    """

    id: str
    formula: Expression
    noise: Expression
    scale: Scale = "lin"
    distribution: Distribution = "normal"
    own: tuple[str, ...] = ()
    own_noise: tuple[str, ...] = ()
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """Values that hold in one experiment: id of the model -> number or parameter."""

    id: str
    values: dict[str, Value]
    kept: frozenset[str] = frozenset()  # ids whose cell is NaN: after pre-equilibration they stay as they are
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """From `time` on (-inf: until the steady state, before the start) the values of some conditions have been set."""

    time: float
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """An experiment of several periods, in the order of time; "" is the model as it is, from time 0."""

    id: str
    periods: tuple[Period, ...]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row of the measurements; `time` inf: at the steady state. `row` as a spreadsheet numbers it.

    `condition` is the experiment where the problem has schedules. `censoring`: the true value is at most `value`, at
    least it, or between it and `upper`. `trials`: of which a binomial `value` are hits. `model`: that which
    predicts it, where there are several.
    """

    observable: str
    condition: str
    time: float
    value: float
    before: str | None = None  # condition of the pre-equilibration
    own: tuple[float | str, ...] = ()
    own_noise: tuple[float | str, ...] = ()
    row: int = 0
    censoring: Censoring = ""
    upper: float = nan
    trials: float = nan
    model: str = ""

    @property
    def at_rest(self) -> bool:
        """Whether it is of the steady state."""
        return isinf(self.time)


@dataclass(frozen=True)
class Problem:
    """A model, data of it, and what is to be estimated."""

    name: str
    model: Model
    parameters: tuple[Parameter, ...]
    observables: tuple[Observable, ...]
    conditions: tuple[Condition, ...]
    measurements: tuple[Measurement, ...]
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)  # name in the tables -> id of the model
    models: Mapping[str, Model] = field(default_factory=dict)  # where there are several; `model` is the first

    @property
    def estimated(self) -> tuple[Parameter, ...]:
        """The parameters that are searched."""
        return tuple(one for one in self.parameters if one.estimated)

    def __repr__(self) -> str:
        n = len(self.estimated)
        return (
            f"Problem {self.name}: {n} of {len(self.parameters)} parameters estimated from "
            f"{len(self.measurements)} measurements of {len(self.observables)} observables in "
            f"{len({(m.before, m.condition) for m in self.measurements})} experiments"
        )


def bounds_on_scale(parameter: Parameter) -> tuple[float, float]:
    """Both bounds as they are searched; infinite where there is none."""
    low = parameter.lower
    if parameter.scale != "lin" and low <= 0.0:
        return -inf, to_scale(parameter.upper, parameter.scale)
    return to_scale(low, parameter.scale), to_scale(parameter.upper, parameter.scale)
