"""Batches of real models against scipy, and the order of the method measured through the kernel itself."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from senexo.engine.formula import lanes
from senexo.engine.formula.codegen import compile_function
from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Assigned, Lowered, SlotInfo
from senexo.engine.ode.ensemble import BatchODE
from senexo.engine.ode.single import integrate
from senexo.model.expression import Call, Slot
from senexo.model.loading import load
from verify._problems import lowered

ROOT = Path(__file__).resolve().parents[2]
Varied = dict[str, np.ndarray]


def worst(network: Lowered, varied: Varied, times: np.ndarray, atol: float) -> float:
    """Largest distance from scipy over the rows, as a share of each quantity's largest value."""
    rows = initial_values(
        network, {network.slot(name): x for name, x in varied.items()}, len(next(iter(varied.values())))
    )
    result = BatchODE(network).solve(rows, times, rtol=1e-9, atol=atol)
    assert not result.status.any()
    expected = np.array([integrate(network, row, times, rtol=1e-10, atol=1e-3 * atol) for row in rows])
    sizes = np.abs(expected).max(axis=1, keepdims=True)
    return float((np.abs(result.values - expected) / np.where(sizes > 0, sizes, 1.0)).max())


def test_reference_network_agrees_with_scipy():
    varied = {"dm": np.array([0.1, 0.2, 0.4]), "K21": np.array([300.0, 200.0, 120.0])}
    network = lower(load(ROOT / "bench" / "reference.ant").network)
    assert worst(network, varied, np.linspace(0.0, 72.0, 73), 1e-7) < 1e-6


def test_switch_agrees_with_scipy_on_both_of_its_branches(shared_data):
    """Its one event sets the serum S; here the rows do."""
    whole = load(shared_data / "biomodels" / "BIOMD0000000318.xml")
    network = lower(replace(whole.network, events=()))
    assert worst(network, {"S": np.array([0.1, 1.0, 20.0])}, np.linspace(0.0, 100.0, 51), 1e-12) < 1e-5


def test_circuit_agrees_with_scipy():
    varied = {"L": np.array([0.0, 300.0, 3000.0]), "Td": np.array([24.0, 48.0, 72.0])}
    network = lower(load("mir34c-rab27b").network)
    assert worst(network, varied, np.linspace(0.0, 168.0, 43), 1e-8) < 1e-6


def test_the_method_is_of_order_five_at_its_steps_and_between_them():
    """x = e^sin(6t) feels the time, (p, q) = (cos, sin)(6t) is nonlinear: a wrong coefficient lowers the order.

    With no tolerance to speak of every step is as long as allowed, the longest gap between two times: the last.
    An interpolation of order 4 has a local error of h^5, so both errors fall 32-fold when the step is halved.
    """
    network = lowered(
        "model o()\nx = 1; p = 1; q = 0; w = 6\n"
        "x' = w*cos(w*time)*x\np' = -w*q*(p^2 + q^2)\nq' = w*p*(p^2 + q^2)\nend\n"
    )
    batch, rows = BatchODE(network), initial_values(network, {}, 1)
    errors = []
    for steps in (50, 100, 200):
        times = np.r_[np.linspace(0.0, 1.0, 997), 1.0 + 1.0 / steps]
        result = batch.solve(rows, times, rtol=1e9, atol=1e9, slots=[network.slot(name) for name in "xpq"])
        assert steps <= result.n_steps[0] <= steps + 15  # the first ones grow
        exact = np.array([np.exp(np.sin(6 * times)), np.cos(6 * times), np.sin(6 * times)]).T
        away = np.abs(result.values[0] - exact)
        errors.append([away[-1].max(), away[:-1].max(), away[:-1, 0].max()])
    order = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    np.testing.assert_allclose(order, 5.0, atol=0.25)


def test_nothing_of_the_models_reaches_the_generated_source(monkeypatch):
    hostile = ("__import__('os').system('x')", "w[lane]\n    raise SystemExit", 'a"""; exec("1")')
    slots = tuple(SlotInfo(name, "parameter", changes=k < 2) for k, name in enumerate(hostile))
    rate = Call("times", (Slot(2), Call("exp", (Call("minus", (Slot(0),)),))))
    network = Lowered(slots, np.array([1.0, 0.0, 0.5]), (), (Assigned(1, rate),), (Assigned(0, rate),), (), (), ())
    seen = []

    def record(source, names, **options):
        seen.append(source)
        return compile_function(source, names, **options)

    monkeypatch.setattr(lanes, "compile_function", record)
    assert BatchODE(network).solve(network.values[None], np.array([0.0, 1.0])).status == [0]
    words = {word for source in seen for word in re.findall(r"\b[A-Za-z_]\w*", source)}
    own = {"def", "kernel", "w", "lanes", "lane", "for", "in", "range", "pass", "abs", "if", "else", "lane_exp"}
    own |= {"error", "a", "r", "s"}
    assert {word for word in words if not re.fullmatch(r"(row|[mxv])\d+", word)} <= own
    assert not any(quote in source for source in seen for quote in "'\"")
