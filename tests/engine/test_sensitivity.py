"""Forward sensitivities against closed forms, and against central differences of runs of twelve networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from shorthand import system

from senexo.base.errors import UnsupportedFeature
from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.forcing import Forcing
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.engine.ode.sensitivity import Sensitivities
from senexo.engine.ode.single import Translated, integrate
from senexo.model.loading import load

COURSES = Path(__file__).parents[1] / "oracles" / "courses"
NETWORKS = (
    "brusselator", "chain", "conversion", "dimers", "functions", "growing", "logistic", "lotka", "michaelis",
    "repressors", "robertson", "tide",
)  # fmt: skip
ENDS = {"robertson": 40.0}


def constants(lowered: Lowered) -> list[int]:
    """Parameters that stay the same and have a value."""
    moving = {item.slot for item in (*lowered.rates, *lowered.assignments)}
    return [
        slot
        for slot, info in enumerate(lowered.slots)
        if slot not in moving and info.kind in ("parameter", "local parameter") and np.isfinite(lowered.values[slot])
    ]


def test_a_decay_has_the_derivatives_of_its_closed_form() -> None:
    lowered = lower(load(COURSES / "chain.xml").network)
    states = [item.slot for item in lowered.rates]
    exact = Sensitivities(lowered, constants(lowered))
    v0, times = initial_values(lowered), np.array([0.0, 0.5, 3.0])
    found = exact.solve(v0, np.eye(len(lowered.slots))[states], times, rtol=1e-10)
    first = found.slopes[:, 0, 0]  # of the first of a chain by its own start: its own decay
    course = found.values[:, states[0]]
    np.testing.assert_allclose(first, course / course[0], rtol=1e-7)


@pytest.mark.parametrize("name", NETWORKS)
def test_sensitivities_equal_central_differences(name: str) -> None:
    lowered = lower(load(COURSES / f"{name}.xml").network)
    by, states = constants(lowered), [item.slot for item in lowered.rates]
    wanted = [*by, *(slot for slot in states if lowered.values[slot] > 0.0)]
    v0 = initial_values(lowered)
    v0 = np.where(np.isfinite(v0), v0, 0.0)
    times = np.linspace(0.0, ENDS.get(name, 5.0), 6)
    unit = np.eye(len(lowered.slots))[wanted]
    course = Sensitivities(lowered, by).solve(v0, unit, times, rtol=1e-9, scale=np.abs(v0[wanted]))
    found, sizes = course.slopes, np.max(np.abs(course.values[:, states]), axis=0)
    translated = Translated(lowered)
    for k, slot in enumerate(wanted):
        step = 1e-4 * abs(v0[slot])
        if step == 0.0:
            continue
        known = np.zeros((len(times), len(states)))
        for factor, weight in ((1.0, 8.0), (2.0, -1.0)):  # of fourth order
            for sign in (1.0, -1.0):
                v = v0.copy()
                v[slot] += sign * factor * step
                known += sign * weight * integrate(translated, v, times, rtol=1e-12)[:, states] / (12.0 * step)
        scale = np.max(np.abs(known), axis=0) + 1e-2 * sizes / abs(v0[slot])  # a state that does not depend on it has 0
        difference = np.max(np.abs(found[:, k] - known) / np.where(scale > 0.0, scale, 1.0))
        assert difference < 1e-6, f"{name}: by {lowered.slots[slot].id}: {difference:.2g}"


@pytest.mark.parametrize("name", ["doses", "pieces", "delays"])
def test_what_has_no_sensitivities_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnsupportedFeature, match="sensitivities"):
        Sensitivities(lower(load(COURSES / f"{name}.xml").network), [])


def test_a_state_at_rest_whose_sensitivity_is_not() -> None:
    """x' = k (1 - x) from x = 1 stays at 1, while dx/dx0 = exp(-k t): steps must follow the sensitivity."""
    lowered = system({"x": 1.0, "k": 2.0}, {"x": "k*(1-x)"})
    states = [item.slot for item in lowered.rates]
    times = np.array([0.0, 0.7, 2.0, 5.0])
    found = Sensitivities(lowered, []).solve(initial_values(lowered), np.eye(len(lowered.slots))[states], times)
    np.testing.assert_allclose(found.slopes[:, 0, 0], np.exp(-2.0 * times), rtol=1e-5, atol=1e-7)


def test_a_narrow_pulse_in_time_is_not_stepped_over() -> None:
    """x' = k exp(-((t - 3.21)/0.01)^2): dx/dk is the integral of the pulse."""
    lowered = system({"x": 0.0, "k": 2.0}, {"x": "k*exp(-((time-3.21)/0.01)*((time-3.21)/0.01))"})
    k = lowered.slot("k")
    found = Sensitivities(lowered, [k]).solve(
        initial_values(lowered), np.eye(len(lowered.slots))[[k]], np.array([3.0, 10.0])
    )
    np.testing.assert_allclose(found.slopes[:, 0, 0], [0.0, 0.01 * np.sqrt(np.pi)], atol=1e-9)


@pytest.mark.parametrize(
    ("rate", "n"), [("exp(-k*time)", 0), ("k*exp(3-time*2)", 0), ("exp(-(time-1)*(time-1))", 1), ("sin(time)", 1)]
)
def test_terms_that_only_rise_or_fall_need_no_marks(rate: str, n: int) -> None:
    forcing = Forcing(system({"x": 0.0, "k": 2.0}, {"x": rate}))
    assert len(forcing.terms) >= n
    assert len(forcing.without_monotone().terms) == n
