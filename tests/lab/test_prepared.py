"""Models made ready once: what is kept, for how long, and that no answer is stale."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

import senexo
from senexo.lab import prepared as kept
from senexo.lab.prepared import Prepared, prepared
from senexo.model.expression import Call, Number, Symbol
from senexo.model.network import Network, Parameter, Rule
from verify._problems import model

BIRTHS = "model b()\nsubstanceOnly species X = 0; k = 10; => X; k; X => ; X\nend\n"


def _decay(rate: float, name: str = "m") -> Network:
    rule = Rule("rate", "x", Call("times", (Number(-rate), Symbol("x"))))
    return Network(name, parameters=(Parameter("x", 1.0, constant=False),), rules=(rule,))


def test_one_model_is_made_ready_once() -> None:
    network = _decay(1.0)
    one = prepared(network)
    assert prepared(network) is one
    assert prepared(_decay(1.0)) is one  # loaded again
    assert prepared(_decay(2.0)) is not one


def test_another_model_under_the_same_name_has_its_own_answer() -> None:
    for rate in (1.0, 2.0, 1.0):
        found = senexo.simulate(_decay(rate), [0.0, 1.0])["x"].values[0, 1]
        assert found == pytest.approx(np.exp(-rate), rel=1e-6)


def test_zeros_of_both_signs_are_two_models() -> None:
    """They are equal in Python, and 1 / k is not."""
    rule = Rule("assignment", "x", Call("divide", (Number(1.0), Symbol("k"))))
    for zero in (0.0, -0.0):
        network = Network("m", parameters=(Parameter("x", constant=False), Parameter("k", zero)), rules=(rule,))
        assert senexo.simulate(network, [0.0])["x"].values[0, 0] == np.copysign(np.inf, zero)


def test_a_network_that_can_change_is_read_at_every_call() -> None:
    parameters = [Parameter("k", 2.0, constant=False)]
    network = Network("m", parameters=parameters)  # type: ignore[arg-type]
    assert senexo.simulate(network, [0.0])["k"].values[0, 0] == 2.0
    parameters[0] = Parameter("k", 3.0, constant=False)
    assert senexo.simulate(network, [0.0])["k"].values[0, 0] == 3.0


def test_values_of_one_call_do_not_reach_the_next() -> None:
    births = model(BIRTHS)
    plain = senexo.simulate(births, [0.0, 5.0], method="ssa", runs=4, seed=1)
    fast = senexo.simulate(births, [0.0, 5.0], method="ssa", runs=4, seed=1, parameters={"k": 1000.0})
    assert float(fast["X"][:, 1].min()) > 500.0
    again = senexo.simulate(births, [0.0, 5.0], method="ssa", runs=4, seed=1)
    assert again.identical(plain)


def test_only_the_last_models_and_starts_are_kept() -> None:
    first = _decay(0.5, "first")
    one = prepared(first)
    for k in range(kept.MOST_MODELS):
        prepared(_decay(1.0 + k))
    assert len(kept._prepared) == kept.MOST_MODELS
    assert prepared(first) is not one
    births = prepared(model(BIRTHS).network)
    for k in range(20):
        births.sampler(births.lowered.values + k)
    assert len(births._samplers) == kept._MOST_SAMPLERS


def test_threads_share_a_model() -> None:
    births = replace(model(BIRTHS).network, id="shared")
    expected = senexo.simulate(births, [0.0, 5.0], method="ssa", runs=3, seed=7)["X"].values
    found: list[np.ndarray] = []

    def work() -> None:
        for _ in range(20):
            found.append(senexo.simulate(births, [0.0, 5.0], method="ssa", runs=3, seed=7)["X"].values)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 80
    assert all(np.array_equal(one, expected) for one in found)
    assert isinstance(prepared(births), Prepared)
