"""delay() in deterministic runs, against the method of steps by hand and a Runge-Kutta integrator of our own."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest
from shorthand import event, system

from senexo.base.errors import SimulationError, UnsupportedFeature
from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.network import Lowered
from senexo.engine.ode.ensemble import BatchODE
from senexo.engine.ode.single import integrate
from senexo.engine.ssa.sampler import sample

TIMES = np.linspace(0.0, 6.0, 49)


def course(lowered: Lowered, times: np.ndarray = TIMES, **options: float) -> dict[str, np.ndarray]:
    values = integrate(lowered, initial_values(lowered), times, **options)  # type: ignore[arg-type]
    return {info.id: values[:, slot] for slot, info in enumerate(lowered.slots)}


def steps(times: np.ndarray, lag: float = 1.0) -> np.ndarray:
    """x' = -x(t - lag), 0 before a jump to 1 at time 0: the sum of (-1)^k (t - k lag)^k / k! where t > k lag."""
    late = [np.maximum(times - k * lag, 0.0) for k in range(12)]
    terms = [np.where(times >= k * lag, (-1.0) ** k * late[k] ** k / factorial(k), 0.0) for k in range(12)]
    return np.sum(terms, axis=0)


def test_method_of_steps() -> None:
    """From 1 at all times before 0: the sum of (-1)^k (t - (k - 1))^k / k! where t > k - 1."""
    found = course(system({"x": 1.0}, {"x": "-delay(x, 1)"}))["x"]
    exact = 1.0 + sum(
        (-1.0) ** k * np.maximum(TIMES - (k - 1.0), 0.0) ** k / factorial(k) for k in range(1, 9)
    )  # fmt: skip
    np.testing.assert_allclose(found, exact, rtol=0.0, atol=2e-7)


def test_a_jump_by_an_event_comes_back_after_the_delay() -> None:
    found = course(system({"x": 0.0}, {"x": "-delay(x, 1)"}, events=[event("time >= 0.5", x="1")]))["x"]
    exact = np.where(TIMES >= 0.5, steps(TIMES - 0.5), 0.0)
    np.testing.assert_allclose(found, exact, rtol=0.0, atol=2e-7)


def test_a_delayed_jump_is_seen_at_its_time_and_triggers() -> None:
    lowered = system(
        {"x": 0.0, "y": 0.0, "seen": 0.0}, None, {"y": "delay(x, 2)"},
        [event("time >= 1", "up", x="5"), event("y > 4", "back", seen="time")],
    )  # fmt: skip
    found = course(lowered)
    np.testing.assert_allclose(found["y"], np.where(TIMES >= 3.0, 5.0, 0.0), rtol=1e-14)
    assert found["seen"][-1] == 3.0


def test_mackey_and_glass_against_runge_and_kutta() -> None:
    """Doi 10.1126/science.267326; fixed steps of the classical method, with Hermite's cubic between them."""
    lag, per_lag, end = 17.0, 1700, 51.0
    h = lag / per_lag

    def slope(x: float, past: float) -> float:
        return float(0.2 * past / (1.0 + past**10) - 0.1 * x)

    xs, slopes = [1.2], [slope(1.2, 1.2)]
    for n in range(round(end / h)):
        old = n - per_lag
        if old < 0:
            first = middle = last = 1.2
        else:
            first, last = xs[old], xs[old + 1]
            middle = 0.5 * (first + last) + h / 8.0 * (slopes[old] - slopes[old + 1])
        x = xs[-1]
        k1 = slope(x, first)
        k2 = slope(x + h / 2 * k1, middle)
        k3 = slope(x + h / 2 * k2, middle)
        k4 = slope(x + h * k3, last)
        xs.append(x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
        slopes.append(slope(xs[-1], last))
    times = np.arange(0.0, end + 0.5, 1.0)
    lowered = system({"x": 1.2}, {"x": "0.2*delay(x, 17)/(1 + delay(x, 17)**10) - 0.1*x"})
    found = course(lowered, times)["x"]
    np.testing.assert_allclose(found, np.array(xs)[:: round(1 / h)], rtol=2e-6)


def test_a_delay_that_grows_from_nothing() -> None:
    """The pantograph equation z' = z(t/2): the sum of t^n / (2^(n (n - 1) / 2) n!)."""
    times = np.linspace(0.0, 3.0, 13)
    found = course(system({"z": 1.0}, {"z": "delay(z, time/2)"}), times)["z"]
    exact = sum(times**n / (2.0 ** (n * (n - 1) / 2) * factorial(n)) for n in range(14))
    np.testing.assert_allclose(found, exact, rtol=1e-6)


def test_delays_of_delays_and_of_the_time() -> None:
    found = course(system({"x": 0.0, "y": 0.0, "z": 0.0}, {"x": "1"}, {"y": "delay(delay(x, 1), 0.5)",
                                                                     "z": "delay(time, 2)"}))  # fmt: skip
    np.testing.assert_allclose(found["y"], np.maximum(TIMES - 1.5, 0.0), atol=1e-9)
    np.testing.assert_allclose(found["z"], TIMES - 2.0, atol=1e-12)  # the time runs before the start too


def test_the_rate_of_change_of_what_is_delayed() -> None:
    lowered = system({"x": 0.0, "y": 0.0, "r": 0.0}, {"x": "cos(time)", "r": "rateOf(y)"}, {"y": "delay(x, 1)"})
    found = course(lowered)
    np.testing.assert_allclose(found["y"], np.where(TIMES > 1.0, np.sin(TIMES - 1.0), 0.0), atol=1e-7)
    np.testing.assert_allclose(found["r"], found["y"], atol=1e-7)


def test_a_delay_below_zero_is_an_error() -> None:
    with pytest.raises(SimulationError, match=r"a delay\(\) reaches -.* back, expected 0 or more"):
        course(system({"x": 1.0, "y": 0.0}, {"x": "1"}, {"y": "delay(x, 2 - x)"}))


def test_one_network_twice_gives_the_same_bits() -> None:
    lowered = system({"x": 1.0}, {"x": "-delay(x, 1)"})
    np.testing.assert_array_equal(course(lowered)["x"], course(lowered)["x"])


def test_refused_by_name_elsewhere() -> None:
    lowered = system({"x": 1.0}, {"x": "-delay(x, 1)"})
    for start in (lambda: BatchODE(lowered), lambda: sample(lowered, initial_values(lowered), TIMES, runs=1, seed=1)):
        with pytest.raises(UnsupportedFeature, match=r"delay\(\) is not supported") as caught:
            start()
        assert caught.value.feature == "delay()"
