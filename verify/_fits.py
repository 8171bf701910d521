"""Simulated sets of measurements of one constant, and how often profile intervals hold its true value."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from senexo.fitting.formulas import read_formula
from senexo.fitting.multistart import search
from senexo.fitting.objective import Objective
from senexo.fitting.problem import Condition, Distribution, Measurement, Observable, Parameter, Problem
from senexo.fitting.profile import profile
from senexo.model.loading import Model, parse

Law = Literal["normal", "limits", "negative-binomial"]
MEAN, SD, DISPERSION, N, LIMIT = 8.0, 2.0, 0.3, 20, 7.0


def constant(law: Distribution, values: list[dict[str, Any]]) -> Problem:
    """Measurements of one constant, whose mean and width are estimated."""
    model = Model(parse(b"model m; nothing = 0; end", source="m.ant"), "m.ant", "")
    observable = Observable("y", read_formula("mu"), read_formula("w"), "lin", law)
    rows = tuple(Measurement("y", "c", 0.0, row=k, **given) for k, given in enumerate(values))
    parameters = (
        Parameter("mu", "log10", 0.1, 1000.0, 10.0, True),
        Parameter("w", "log10", 1e-3, 100.0, 1.0, True),
    )
    return Problem("constant", model, parameters, (observable,), (Condition("c", {}),), rows)


def covered(law: Law, sets: int) -> float:
    """The share of sets of 20 measurements whose 95 % profile interval of the mean holds it.

    limits: normal errors, with what is below a limit (a third) known to be so only.
    """
    rng = np.random.default_rng(20)
    inside = 0
    for _ in range(sets):
        if law == "negative-binomial":
            drawn = rng.poisson(MEAN * rng.gamma(1.0 / DISPERSION, DISPERSION, N))
        else:
            drawn = MEAN + SD * rng.standard_normal(N)
        low = LIMIT if law == "limits" else -np.inf
        values = [{"value": float(m)} if m > low else {"value": low, "censoring": "left"} for m in drawn]
        objective = Objective(constant("negative-binomial" if law == "negative-binomial" else "normal", values))
        best = search(objective, 1, seed=1).best
        found = profile(objective, best.x, best.value, 0)
        ends = (-np.inf if np.isnan(found.low) else found.low, np.inf if np.isnan(found.high) else found.high)
        inside += ends[0] <= np.log10(MEAN) <= ends[1]
    return inside / sets
