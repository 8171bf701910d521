"""Algebraic rules and fast reactions, against closed forms and a pendulum in its angle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.integrate
from shorthand import event, formula, reaction, rules

from senexo.base.errors import InvalidModel, UnsupportedFeature
from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.ode.ensemble import BatchODE
from senexo.engine.ode.single import integrate
from senexo.engine.ssa.sampler import sample
from senexo.model.network import AlgebraicRule, Compartment, Event, InitialAssignment, Network, Parameter, Species

TIMES = np.linspace(0.0, 4.0, 33)


def bound(
    start: dict[str, float | None], rates: dict[str, str], zero: list[str], fixed: dict[str, float] | None = None,
    events: tuple[Event, ...] = (),
) -> Network:  # fmt: skip
    """Parameters, of which some have rates and the others follow from what is 0."""
    return Network(
        "m",
        parameters=(
            *(Parameter(id, value, constant=False) for id, value in start.items()),
            *(Parameter(id, value) for id, value in (fixed or {}).items()),
        ),
        rules=rules("rate", **rates),
        algebraic_rules=tuple(AlgebraicRule(formula(text)) for text in zero),
        events=events,
    )


def course(network: Network, cautions: list[str] | None = None, times: np.ndarray = TIMES) -> dict[str, np.ndarray]:
    lowered = lower(network)
    values = integrate(lowered, initial_values(lowered), times, cautions=cautions)
    return {info.id: values[:, slot] for slot, info in enumerate(lowered.slots)}


PENDULUM = bound(
    {"x": 0.6, "y": -0.8, "u": 0.0, "v": 0.0, "tension": None},
    {"x": "u", "y": "v", "u": "-tension*x", "v": "-tension*y - g"},
    ["x**2 + y**2 - 1"],
    {"g": 9.81},
)


def test_pendulum() -> None:
    """Index 3: the rule is differentiated twice before the tension appears in it."""
    found = course(PENDULUM)
    solution = scipy.integrate.solve_ivp(
        lambda _, s: (s[1], -9.81 * np.sin(s[0])), (0.0, 4.0), (np.arcsin(0.6), 0.0), "DOP853", TIMES,
        rtol=1e-12, atol=1e-13,
    )  # fmt: skip
    np.testing.assert_allclose(found["x"], np.sin(solution.y[0]), atol=2e-5)
    np.testing.assert_allclose(found["y"], -np.cos(solution.y[0]), atol=2e-5)
    np.testing.assert_allclose(found["x"] ** 2 + found["y"] ** 2, 1.0, rtol=1e-12)
    speed = found["u"] ** 2 + found["v"] ** 2
    np.testing.assert_allclose(found["tension"], speed - 9.81 * found["y"], rtol=1e-9)
    np.testing.assert_allclose(speed / 2 + 9.81 * found["y"], 9.81 * -0.8, rtol=1e-5)


def test_inconsistent_initial_values_are_moved_and_said() -> None:
    cautions: list[str] = []
    network = replace(PENDULUM, parameters=(Parameter("x", 0.7, constant=False), *PENDULUM.parameters[1:]))
    found = course(network, cautions)
    assert found["x"][0] ** 2 + found["y"][0] ** 2 == pytest.approx(1.0, rel=1e-12)
    assert any("the initial values of x, y do not satisfy the algebraic rules" in caution for caution in cautions)
    consistent: list[str] = []
    course(PENDULUM, consistent)
    assert not consistent


def test_binding_equilibrium_while_one_partner_is_fed() -> None:
    """a + c = A(t), b + c = B, a b = K c: c is the smaller root of a quadratic equation."""
    network = bound(
        {"A": 1.0, "a": 0.5, "b": 0.5, "c": None}, {"A": "0.5"}, ["a + c - A", "b + c - B", "a*b - K*c"],
        {"B": 2.0, "K": 0.1},
    )  # fmt: skip
    found = course(network)
    total = 1.0 + 0.5 * TIMES
    middle = total + 2.0 + 0.1
    np.testing.assert_allclose(found["c"], (middle - np.sqrt(middle**2 - 8.0 * total)) / 2.0, rtol=1e-9)


def test_an_unknown_without_a_value_in_a_law_and_its_rate_of_change() -> None:
    """0 = z^3 - x with x = e^t: z = e^(t/3)."""
    network = bound({"x": 1.0, "z": None, "r": 1.0}, {"x": "z**3", "r": "rateOf(z)"}, ["z**3 - x"])
    found = course(network)
    np.testing.assert_allclose(found["z"], np.exp(TIMES / 3.0), rtol=1e-6)
    np.testing.assert_allclose(found["r"], found["z"], rtol=1e-6)


def test_rules_that_share_an_unknown_bind_the_states() -> None:
    """z = x and z = y with x' = 1 and y' = f: f follows from the derivative of both rules."""
    found = course(bound({"x": 1.0, "y": 1.0, "z": None, "f": None}, {"x": "2*x", "y": "f"}, ["z - x", "z - y"]))
    np.testing.assert_allclose(found["f"], 2.0 * np.exp(2.0 * TIMES), rtol=1e-5)
    np.testing.assert_allclose(found["y"], found["x"], rtol=1e-12)


def test_an_initial_assignment_that_reads_an_unknown() -> None:
    network = bound({"x": 3.0, "z": None, "p": None}, {"x": "1"}, ["z - 2*x"])
    network = replace(
        network, initial_assignments=(InitialAssignment("p", formula("z + 1")),), rules=rules("rate", x="1")
    )
    assert course(replace(network, parameters=(*network.parameters[:2], Parameter("p"))))["p"][0] == 7.0


def test_an_event_moves_what_follows_from_it() -> None:
    jump = event("time >= 1.03", x="5")
    found = course(bound({"x": 1.0, "z": None}, {"x": "0"}, ["z - x**2"], events=(jump,)))
    np.testing.assert_allclose(found["z"], np.where(TIMES >= 1.03, 25.0, 1.0), rtol=1e-12)


def test_a_rule_with_nothing_free_is_named() -> None:
    with pytest.raises(InvalidModel, match="do not determine the model"):
        lower(bound({"x": 1.0}, {"x": "1"}, ["x - k"], {"k": 1.0}))


# ---- fast reactions


def fast_network(law: str, sides: tuple[str, str], *slow: object, events: tuple[Event, ...] = ()) -> Network:
    amounts = {"A": 4.0, "B": 0.0}
    return Network(
        "m",
        compartments=(Compartment("c", 1.0),),
        species=tuple(Species(id, "c", amount, has_only_substance_units=True) for id, amount in amounts.items()),
        reactions=(replace(reaction("quick", law, *sides), fast=True), *slow),  # type: ignore[arg-type]
        events=events,
    )


def test_fast_exchange_beside_a_slow_loss() -> None:
    """B = 3/4 of the total T, and T' = -B / 2."""
    found = course(fast_network("3*A - B", ("A", "B"), reaction("loss", "0.5*B", "B")))
    total = 4.0 * np.exp(-0.375 * TIMES)
    np.testing.assert_allclose(found["B"], 0.75 * total, rtol=1e-6)
    np.testing.assert_allclose(found["A"], 0.25 * total, rtol=1e-6)


def test_fast_dimerisation_after_an_event() -> None:
    """2 A <-> B with A^2 = B; A + 2 B is kept by the reaction and raised by the event."""
    found = course(fast_network("A**2 - B", ("2*A", "B"), events=(event("time >= 2", A="A + 10"),)))
    total = np.where(TIMES >= 2.0, 14.0, 4.0)
    monomer = (np.sqrt(1.0 + 8.0 * total) - 1.0) / 4.0
    np.testing.assert_allclose(found["A"], monomer, rtol=1e-9)
    np.testing.assert_allclose(found["A"] + 2.0 * found["B"], total, rtol=1e-12)


def test_refused_by_name_elsewhere() -> None:
    for network, feature in ((PENDULUM, "algebraic rule"), (fast_network("A - B", ("A", "B")), "fast reaction")):
        lowered = lower(network)
        v0 = initial_values(lowered)
        for start in (lambda n=lowered: BatchODE(n), lambda n=lowered, v=v0: sample(n, v, TIMES, runs=1, seed=1)):
            with pytest.raises(UnsupportedFeature) as caught:
                start()
            assert caught.value.feature == feature
