"""KiSAO terms: what is simulated for an algorithm that is asked for, and which of its parameters are used.

Terms and names: the Kinetic Simulation Algorithm Ontology (doi 10.1038/msb.2011.77), release 2.34.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal

from senexo.base.errors import InvalidModel, UnsupportedFeature
from senexo.interchange.document import Algorithm

Way = Literal["ode", "ssa", "steady"]
USED: dict[Way, tuple[str, str]] = {
    "ode": ("KISAO:0000288", "backward differentiation formula"),
    "ssa": ("KISAO:0000029", "Gillespie direct algorithm"),
    "steady": ("KISAO:0000407", "steady state root-finding method"),
}

_STIFF = "both solve the same equations to the same tolerances"
_EXPLICIT = "a stiff solver of adaptive step solves the same equations to the tolerances, not with the step"
_EXACT = "both draw exact trajectories of the same law"
_LEAPS = "exact trajectories in place of approximate ones of the same law"
_ROOTS = "the root in which the run from the initial values comes to rest"
# how terms are carried out, why that is near ("": it is the same), and number -> name
_FAMILIES: tuple[tuple[Way, str, dict[int, str]], ...] = (
    ("ode", "", {288: "backward differentiation formula"}),
    ("ode", "any algorithm was asked for", {0: "modelling and simulation algorithm", 694: "ODE solver"}),
    ("ode", _STIFF, {
        19: "CVODE", 20: "PVODE", 33: "Rosenbrock method", 71: "LSODE", 88: "LSODA", 89: "LSODAR",
        94: "Livermore solver", 280: "Adams-Moulton method", 281: "multistep method", 283: "IDA",
        289: "Adams method", 304: "Radau method", 355: "DASPK", 356: "DASSL", 365: "NDSolve method",
        432: "IDA-like method", 433: "CVODE-like method", 496: "CVODES", 535: "VODE", 544: "IDAS",
        560: "LSODA/LSODAR hybrid method", 612: "implicit 4th order Runge-Kutta method at Gaussian points",
        617: "IDA-CVODE hybrid method", 668: "Rosenbrock method of Numerical Recipes", 699: "DAE Solver",
    }),
    ("ode", _EXPLICIT, {
        30: "Euler forward method", 31: "Euler backward method", 32: "explicit fourth-order Runge-Kutta method",
        64: "Runge-Kutta based method", 86: "Fehlberg method", 87: "Dormand-Prince method", 261: "Euler method",
        301: "Heun method", 302: "embedded Runge-Kutta method", 321: "Cash-Karp method",
        379: "Bulirsch-Stoer algorithm", 381: "midpoint method", 435: "embedded Runge-Kutta 5(4) method",
        436: "Dormand-Prince 8(5,3) method", 537: "explicit Runge-Kutta method of order 3(2)",
    }),
    ("ssa", "", {29: "Gillespie direct algorithm"}),
    ("ssa", _EXACT, {
        15: "Gillespie first reaction algorithm", 27: "Gibson-Bruck next reaction algorithm",
        38: "sorting stochastic simulation algorithm", 241: "Gillespie-like method",
        329: "constant-time kinetic Monte Carlo algorithm", 331: "exact R-leaping algorithm",
        586: "Gibson-Bruck next reaction algorithm with indexed priority queue",
        610: "composite-rejection stochastic simulation algorithm",
    }),
    ("ssa", _LEAPS, {
        39: "tau-leaping method", 40: "Poisson tau-leaping method", 45: "implicit tau-leaping method",
        46: "trapezoidal tau-leaping method", 48: "adaptive explicit-implicit tau-leaping method",
        74: "binomial tau-leaping method", 81: "estimated midpoint tau-leaping method",
        84: "nonnegative Poisson tau-leaping method", 330: "R-leaping algorithm",
        333: "accelerated stochastic simulation algorithm", 351: "multinomial tau-leaping method",
    }),
    ("steady", "", {407: "steady state root-finding method"}),
    ("steady", _ROOTS, {
        282: "KINSOL", 408: "Newton-type method", 409: "ordinary Newton method", 410: "simplified Newton method",
        411: "Newton-like method", 412: "inexact Newton method", 413: "exact Newton method", 568: "NLEQ1",
        569: "NLEQ2", 630: "general steady state method", 675: "Broyden method",
        696: "steady state root-finding problem",
    }),
)  # fmt: skip
_TERMS = {number: (name, way, near) for way, near, names in _FAMILIES for number, name in names.items()}
_REFUSED = {
    231: "Pahle hybrid method", 263: "NFSim", 286: "Euler-Maruyama method", 352: "hybrid method",
    371: "stochastic differential equation problem", 437: "flux balance analysis",
    448: "logical model simulation method", 449: "synchronous logical model simulation method",
    450: "asynchronous logical model simulation method", 526: "flux variability analysis",
    528: "parsimonious flux balance analysis", 561: "Pahle hybrid method", 562: "Pahle hybrid method",
    563: "Pahle hybrid method", 575: "hybrid tau-leaping method",
}  # fmt: skip
_ABSOLUTE, _RELATIVE, _LONGEST, _SEED = 211, 209, 467, 488


@dataclass(frozen=True)
class Method:
    """How a simulation is carried out: `way`, options of `senexo.simulate`, and what is said of it."""

    way: Way
    asked: str
    options: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def used(self) -> str:
        """KiSAO id of what was done."""
        return USED[self.way][0]


def method_of(algorithm: Algorithm, kind: str, where: str) -> Method:
    """How an algorithm is carried out for a simulation of a kind ("uniform", "one step", "steady").

    Raises
    ------
    UnsupportedFeature
        A term for which nothing near is known.
    InvalidModel
        A parameter whose value is no number, or out of range.
    """
    number = _number(algorithm.kisao, where)
    if number not in _TERMS:
        name = _REFUSED.get(number, "no ODE, exact stochastic or steady-state method that is known here")
        raise UnsupportedFeature(f"the algorithm {algorithm.kisao}", f"{where}: {name}")
    name, way, near = _TERMS[number]
    if kind == "steady" and way == "ode":
        way, near = "steady", _ROOTS
    if (kind == "steady") != (way == "steady"):
        raise UnsupportedFeature(f"the algorithm {algorithm.kisao} ({name}) for this simulation", where)
    notes = []
    if near:
        used, label = USED[way]
        notes.append(f"{where}: {algorithm.kisao} ({name}) was asked for, {used} ({label}) is used: {near}")
    options: dict[str, Any] = {}
    for id, text in algorithm.parameters.items():
        notes += _parameter(_number(id, where), id, text, way, options, where)
    return Method(way, algorithm.kisao, options, tuple(notes))


def _parameter(number: int, id: str, text: str, way: Way, options: dict[str, Any], where: str) -> list[str]:
    names = {_ABSOLUTE: "atol", _RELATIVE: "rtol", _LONGEST: "max_step"}
    if number == _SEED and way == "ssa":
        options["seed"] = int(_positive(text, f"{where}: {id} (seed)", least=0.0))
    elif number in names and (way == "ode" or (number == _RELATIVE and way == "steady")):
        value = _positive(text, f"{where}: {id}", least=0.0)
        if value > 0.0:  # 0 says: no limit, no such tolerance
            options[names[number]] = value
    else:
        return [f"{where}: the parameter {id} = {text[:40]} has no meaning for {USED[way][1]} here and is not used"]
    return []


def _positive(text: str, where: str, *, least: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value) or value < least:
        raise InvalidModel(f"{where}: found {text[:40]!r}, expected a number, {least:g} or more")
    return value


def _number(kisao: str, where: str) -> int:
    found = re.fullmatch(r"(?:.*#)?KISAO[:_](\d{7})", kisao)
    if found is None:
        raise InvalidModel(f"{where}: found {kisao[:60]!r}, expected a KiSAO term such as KISAO:0000019")
    return int(found.group(1))
