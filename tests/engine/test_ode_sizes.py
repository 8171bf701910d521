"""The default absolute tolerance of deterministic runs: quantities far smaller than others, closed forms as oracle."""

from __future__ import annotations

from math import exp, factorial
from pathlib import Path

import numpy as np
import pytest
from shorthand import system

import senexo
from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.engine.ode.single import integrate
from senexo.model.loading import load
from senexo.model.network import Network, Parameter, Rule

TIMES = np.linspace(0.0, 10.0, 21)
TOLERANCES = (1e-6, 1e-8, 1e-10)
Course = dict[str, np.ndarray]


def course(lowered: Lowered, times: np.ndarray = TIMES, **options: object) -> Course:
    values = integrate(lowered, initial_values(lowered), times, **options)  # type: ignore[arg-type]
    return {info.id: values[:, slot] for slot, info in enumerate(lowered.slots)}


def far_off(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest error as a share of the largest value."""
    return float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))


@pytest.mark.parametrize("rtol", TOLERANCES)
def test_a_trace_beside_a_million(rtol: float) -> None:
    """A = 1e6 e^(-t/10) makes B at 1e-15 A, which is lost at 30 per time and makes C: 3e-11 and 3e-8 at the most."""
    found = course(system({"A": 1e6, "B": 0.0, "C": 0.0}, {"A": "-0.1*A", "B": "1e-15*A - 30*B", "C": "1e3*B - C"}),
                   rtol=rtol)  # fmt: skip
    slow, fast, middle = np.exp(-0.1 * TIMES), np.exp(-30.0 * TIMES), np.exp(-TIMES)
    trace = 1e-9 / 29.9 * (slow - fast)
    product = 1e-6 / 29.9 * ((slow - middle) / 0.9 + (fast - middle) / 29.0)
    assert far_off(found["B"], trace) <= 30.0 * rtol
    assert far_off(found["C"], product) <= 30.0 * rtol


@pytest.mark.parametrize("rtol", TOLERANCES)
def test_a_tiny_oscillator_beside_a_million(rtol: float) -> None:
    found = course(system({"A": 1e6, "x": 0.0, "y": 0.0}, {"A": "-0.1*A", "x": "5*y", "y": "-5*x + 1e-12"}), rtol=rtol)
    assert far_off(found["y"], 2e-13 * np.sin(5.0 * TIMES)) <= 300.0 * rtol  # errors add up over eight periods
    assert far_off(found["x"], 2e-13 * (1.0 - np.cos(5.0 * TIMES))) <= 300.0 * rtol


@pytest.mark.parametrize("rtol", TOLERANCES)
def test_a_seed_that_grows_up(rtol: float) -> None:
    """x' = 3 x + 1e-15 from 0: what is wrong while it is tiny is wrong by the same share when it is large."""
    found = course(system({"A": 1e6, "x": 0.0}, {"A": "-0.1*A", "x": "3*x + 1e-15"}), rtol=rtol)
    expected = 1e-15 / 3.0 * np.expm1(3.0 * TIMES)
    np.testing.assert_allclose(found["x"][1:], expected[1:], rtol=300.0 * rtol)


def test_a_chain_of_forty_from_its_first_link() -> None:
    """x_k = t^k/k! e^-t, the last one 3e-12 at the most, though all but the first start at 0."""
    rates = {f"x{k}": f"x{k - 1} - x{k}" if k else "-x0" for k in range(40)}
    found = course(system({f"x{k}": float(k == 0) for k in range(40)}, rates))
    for k in range(40):
        expected = np.array([t**k / factorial(k) * exp(-t) for t in TIMES])
        assert far_off(found[f"x{k}"], expected) <= 1e-6, k


def test_what_an_event_switches_on() -> None:
    """B stays 0 until its rate constant is set at time 3: 1e-12 (t - 3)."""
    from shorthand import event

    events = [event("time >= 3", k="1e-18")]
    found = course(system({"A": 1e6, "B": 0.0, "k": 0.0}, {"A": "0*A", "B": "k*A"}, events=events))
    assert far_off(found["B"], np.where(TIMES > 3.0, 1e-12 * (TIMES - 3.0), 0.0)) <= 1e-7


@pytest.mark.parametrize(
    ("start", "rates"),
    [
        ({"a": 1 / 3, "x": 0.0}, {"a": "-0.3*a", "x": "a*0.1*3 - a*0.3"}),
        ({"a": 1 / 3, "x": 0.0, "y": 0.0}, {"a": "sin(3*a + time)", "x": "a*0.1*3 - a*0.3 - 1e3*x", "y": "1e5*x"}),
        ({"a": 1.0, "b": 1.0, "x": 0.0}, {"a": "cos(7*time)", "b": "-cos(7*time)", "x": "(a + b) - 2"}),
    ],
)
def test_rounding_errors_are_not_followed(start: dict[str, float], rates: dict[str, str]) -> None:
    """x would be 0 without rounding errors; runs that follow these need millions of steps, and here evaluations."""
    lowered = system(start, rates)
    evaluations = 0

    class Counted(Exception):
        pass

    from senexo.engine.ode import equations

    original = equations.Equations.slope

    def slope(self: equations.Equations, time: float, y: np.ndarray) -> np.ndarray:
        nonlocal evaluations
        evaluations += 1
        if evaluations > 100_000:
            raise Counted
        return original(self, time, y)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(equations.Equations, "slope", slope)
        found = course(lowered)
    assert np.max(np.abs(found["x"])) < 1e-11


def test_a_size_that_cannot_be_followed_is_named() -> None:
    rates = {"a": Rule("rate", "a", _formula("sin(3*a + time)")),
             "x": Rule("rate", "x", _formula("a*0.1*3 - a*0.3 - 1e3*x")),
             "y": Rule("rate", "y", _formula("1e5*x"))}  # fmt: skip
    start = {"a": 1 / 3, "x": 0.0, "y": 0.0}
    network = Network("m", parameters=tuple(Parameter(id, v, constant=False) for id, v in start.items()),
                      rules=tuple(rates.values()))  # fmt: skip
    cautions = senexo.simulate(network, TIMES).attrs["cautions"]
    assert cautions.startswith("x, y: too small beside the other quantities to be followed to rtol")
    assert "set atol" in cautions
    assert "cautions" not in senexo.simulate(network, TIMES, atol=1e-9).attrs


def _formula(text: str) -> object:
    from shorthand import formula

    return formula(text)


@pytest.mark.parametrize("number", [53, 318, 660, 720, 799, 860, 1057, 287, 188])
def test_public_models_at_three_tolerances(number: int, shared_data: Path) -> None:
    """Against the same model at rtol 1e-12; errors as shares of the largest value of each quantity, 0 to 100."""
    lowered = lower(load(shared_data / "biomodels" / f"BIOMD{number:010d}.xml").network)
    times = np.linspace(0.0, 100.0, 11)
    exact = course(lowered, times, rtol=1e-12)
    for rtol in TOLERANCES:
        found = course(lowered, times, rtol=rtol)
        worst = max(far_off(found[id], values) for id, values in exact.items() if np.any(values != 0.0))
        assert worst <= 200.0 * rtol, (rtol, worst)
