"""Narrow pulses in time: no integration steps over them. Areas and moments are closed forms."""

from __future__ import annotations

from math import erf, log, pi, sqrt
from pathlib import Path

import numpy as np
import pytest
from shorthand import event, system

from senexo.base.errors import InvalidInput
from senexo.engine.formula.evaluate import evaluate, initial_values
from senexo.engine.formula.forcing import SHARE, Forcing, evenly
from senexo.engine.formula.graph import Graph
from senexo.engine.formula.intervals import ranges
from senexo.engine.formula.network import Lowered
from senexo.engine.ode.single import integrate
from senexo.lab.simulation import simulate
from senexo.model.loading import load

END = 10.0


def final(lowered: Lowered, end: float = END, **options: object) -> dict[str, float]:
    values = integrate(lowered, initial_values(lowered), np.array([0.0, end]), **options)[-1]  # type: ignore[arg-type]
    return {info.id: float(values[slot]) for slot, info in enumerate(lowered.slots)}


@pytest.mark.parametrize("width", [0.3, 0.01, 1e-4, 1e-7])
@pytest.mark.parametrize("solver", ["LSODA", "BDF", "Radau"])
def test_the_area_of_a_pulse(width: float, solver: str) -> None:
    found = final(system({"x": 0.0, "y": 1.0}, {"x": f"exp(-((time - 3.21)/{width})**2)", "y": "-y"}), solver=solver)
    whole = width * sqrt(pi) / 2.0 * (erf((END - 3.21) / width) + erf(3.21 / width))
    assert found["x"] == pytest.approx(whole, rel=1e-5)


def test_a_small_pulse_on_a_large_wave() -> None:
    lowered = system({"x": 0.0}, {"x": "5*sin(time) + 0.01*exp(-((time - 3.21)/0.001)**2)"})
    assert final(lowered)["x"] - 5.0 * (1.0 - np.cos(END)) == pytest.approx(1e-5 * sqrt(pi), rel=1e-2)


def test_a_pulse_that_multiplies_a_state_and_stands_in_a_rule() -> None:
    """x' = -p(t) x with p a pulse of area 2: x falls by e^-2."""
    lowered = system({"x": 1.0, "p": 0.0}, {"x": "-p*x"}, {"p": "exp(-((time - 3.21)/0.001)**2)*2000/pi**0.5"})
    assert final(lowered)["x"] == pytest.approx(np.exp(-2.0), rel=1e-5)


@pytest.mark.parametrize("level", [0.5, 0.999, 1e-6])
def test_an_event_on_a_pulse(level: float) -> None:
    """exp(-s^2) > level from s = -sqrt(-ln level) on."""
    lowered = system({"n": 0.0, "at": 0.0}, events=[
        event(f"exp(-((time - 3.21)/0.01)**2) > {level}", n="n + 1", at="time")])  # fmt: skip
    found = final(lowered)
    assert found["n"] == 1.0
    assert found["at"] == pytest.approx(3.21 - 0.01 * sqrt(-log(level)), abs=1e-9)


def test_a_pulse_that_an_event_moves() -> None:
    """Its middle is set to 7 at time 2, before which it would have been at 20, after the end."""
    lowered = system({"x": 0.0, "c": 20.0}, {"x": "exp(-((time - c)/0.001)**2)"}, events=[event("time >= 2", c="7")])
    assert final(lowered)["x"] == pytest.approx(1e-3 * sqrt(pi), rel=1e-5)


def test_a_pulse_in_a_state_needs_max_step() -> None:
    """The state z is a clock, which is not seen; with a step shorter than the pulse it is integrated."""
    lowered = system({"x": 0.0, "z": 0.0}, {"x": "exp(-((z - 3.21)/0.01)**2)", "z": "1"})
    assert final(lowered, max_step=0.01)["x"] == pytest.approx(0.01 * sqrt(pi), rel=1e-5)


def test_terms_too_fast_to_examine_are_said() -> None:
    cautions: list[str] = []
    final(system({"x": 0.0}, {"x": "sin(1e6*time)*1e-6"}), 0.001, cautions=cautions)
    assert cautions == []
    lowered = system({"x": 0.0}, {"x": "tanh(sin(1e6*time))*1e-9"})
    integrate(lowered, initial_values(lowered), np.array([0.0, 10.0]), rtol=1e-3, atol=1.0, cautions=cautions)
    assert len(cautions) == 1
    assert "set max_step" in cautions[0]


# ---- whole molecules


def molecules(text: str, folder: Path, **options: object) -> object:
    path = folder / "model.ant"
    path.write_text(f"model m()\n{text}\nend\n")
    return simulate(load(path), [0.0, END], method="ssa", seed=3, **options)  # type: ignore[arg-type]


def test_molecules_made_in_a_pulse(tmp_path: Path) -> None:
    """Poisson with mean 1e5 x 0.001 sqrt(pi) = 177.2 in 400 runs: the mean within 4.5 of its sd, but for 7e-6."""
    text = "substanceOnly species X = 0; => X; 1e5*exp(-((time - 3.21)/0.001)^2);"
    found = molecules(text, tmp_path, runs=400)["X"].isel(time=-1).values  # type: ignore[index]
    mean = 100.0 * sqrt(pi)
    assert abs(found.mean() - mean) <= 4.5 * sqrt(mean / 400)


@pytest.mark.parametrize("level", [0.5, 0.999])
def test_an_event_on_a_pulse_among_molecules(level: float, tmp_path: Path) -> None:
    text = f"""substanceOnly species X = 0; n = 0; at_ = 0; => X; 2 + sin(time);
        at exp(-((time - 3.21)/0.001)^2) > {level}: n = n + 1, at_ = time;"""
    found = molecules(text, tmp_path, runs=3).isel(time=-1)  # type: ignore[attr-defined]
    assert found["n"].values.tolist() == [1.0, 1.0, 1.0]
    assert found["at_"].values == pytest.approx(3.21 - 0.001 * sqrt(-log(level)), abs=1e-9)


def test_max_step_among_molecules(tmp_path: Path) -> None:
    """z is a clock by a rate rule: not seen beforehand, integrated with short steps."""
    text = "substanceOnly species X = 0; z = 0; z' = 1; => X; 1e5*exp(-((z - 3.21)/0.001)^2);"
    found = molecules(text, tmp_path, runs=100, max_step=0.002)["X"].isel(time=-1).values  # type: ignore[index]
    mean = 100.0 * sqrt(pi)
    assert abs(found.mean() - mean) <= 4.5 * sqrt(mean / 100)


# ---- requests


@pytest.mark.parametrize("max_step", [0.0, -1.0, float("nan"), "short", True, 1e-9])
def test_a_step_that_is_none_is_refused(max_step: object) -> None:
    from senexo.model.network import Network

    with pytest.raises(InvalidInput, match="max_step"):
        simulate(Network("m"), [0.0, 10.0], max_step=max_step)  # type: ignore[arg-type]


def test_even_steps() -> None:
    assert evenly(0.0, 1.0, 0.3).tolist() == [0.25, 0.5, 0.75, 1.0]
    assert evenly(0.0, 1.0, 5.0).tolist() == [1.0]


# ---- bounds


FORMULAS = [
    "exp(-((time - 3)/2)**2)", "sin(3*time)", "cos(time)**2", "tan(time/8)", "time**3 - 2*time", "ln(1 + time)",
    "abs(time - 4)", "1/(1 + time**2)", "min(time, 5)", "max(sin(time), cos(2*time))", "rem(time, 3)",
    "quotient(time, 3)", "floor(time)", "ceiling(2*time)", "tanh(time - 4)", "sinh(time/4)", "cosh(time - 3)",
    "arctan(time)", "arcsin(sin(time)/2)", "arccos(sin(time)/2)", "arctanh(tanh(time/4))", "arccosh(1 + time)",
    "arcsinh(-time)", "root(2, time)", "(1 + time)**1.5", "(time - 4)**18", "piecewise(time, time < 4, 2*time)",
    "piecewise(1, not_(time < 2) and time <= 6, 0)", "piecewise(1, time == 3, 2)", "piecewise(3, time != 3, 4)",
    "piecewise(1, xor_(time < 2, time < 6), 0)", "piecewise(1, time < 2 or time > 6, 0)", "p*time - p/(1 + time)",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_bounds_hold_all_values(text: str) -> None:
    lowered = system({"x": 0.0, "p": -1.5}, {"x": text})
    graph = Graph()
    root = graph.add(lowered.rates[0].math)
    edges = np.linspace(0.0, 8.0, 41)
    low, high = ranges(graph, graph.reachable([root]), (edges[:-1], edges[1:]), dict(enumerate(lowered.values)))[root]
    low, high = np.broadcast_to(low, 40), np.broadcast_to(high, 40)
    inside = np.linspace(edges[:-1], edges[1:], 21)
    values = evaluate(lowered.rates[0].math, np.broadcast_to(lowered.values, (*inside.shape, 2)), inside)
    slack = 1e-12 * (1.0 + np.abs(values))
    assert np.all(values >= low - slack)
    assert np.all(values <= high + slack)
    if "rem" not in text and "quotient" not in text and "floor" not in text and "ceiling" not in text:
        assert np.all(np.isfinite(low)), "no bound was found at all"


@pytest.mark.parametrize("text", ["exp(-((time - 3.21)/0.01)**2)", "sin(9*time)", "tanh(1000*(time - 2))"])
def test_terms_change_little_between_marks(text: str) -> None:
    lowered = system({"x": 0.0}, {"x": text})
    forcing = Forcing(lowered)
    marks, complete = forcing.marks(0.0, END, forcing.read(lowered.values))
    assert complete
    inside = np.linspace(np.array([0.0, *marks[:-1]]), marks, 101)
    values = evaluate(formula_of(lowered), np.zeros((*inside.shape, 1)), inside)
    assert np.all(np.ptp(values, axis=0) <= SHARE * np.ptp(values) * (1.0 + 1e-9))
    assert len(marks) < 400


def formula_of(lowered: Lowered) -> object:
    return lowered.rates[0].math


def test_a_network_without_the_time_has_no_marks() -> None:
    forcing = Forcing(system({"x": 1.0}, {"x": "-exp(x)"}))
    assert forcing.terms == []
    assert forcing.marks(0.0, 1.0, {})[0].tolist() == [1.0]
