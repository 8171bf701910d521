"""Donors needed: the values of R's power.t.test(type = "paired", sig.level = 0.05, power = 0.8)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from senexo.lab.next_steps import MOST_DONORS, donors_needed, power_of, spread
from senexo.lab.tables import wiring
from senexo.model.circuit import load_circuit

# delta, sd, ceiling(power.t.test(delta = delta, sd = sd, power = 0.8, type = "paired")$n); R 4.2
R_DONORS = [(1.0, 1.0, 10), (0.3, 1.0, 90), (0.1, 1.0, 787), (0.0467, 0.0756, 23), (-0.064, 1.0, 1919)]
# n, delta / sd, power.t.test(n = n, delta = delta, sd = 1, type = "paired", strict = TRUE)$power
R_POWER = [(5, 1.2, 0.5302213), (3, 5.0, 0.9754623)]


@pytest.mark.parametrize(("estimate", "sd", "n"), R_DONORS)
def test_donors_are_those_of_r(estimate: float, sd: float, n: int) -> None:
    assert donors_needed(estimate, sd) == n


def test_spread_comes_back_from_p_and_from_the_interval() -> None:
    """R: t.test(c(0.1, 0.3, 0.2, 0.45, 0.05)), and its sd."""
    assert spread(0.22, 0.0207525804, 0.4192474196, 0.0374523633, 5) == pytest.approx(0.160468065, rel=1e-5)
    assert spread(0.22, 0.0207525804, 0.4192474196, math.nan, 5) == pytest.approx(0.160468065, rel=1e-5)
    assert spread(0.22, -1.0, 1.0, 0.0374523633, 5) == pytest.approx(0.160468065, rel=1e-5)
    assert math.isnan(spread(0.22, math.nan, math.nan, math.nan, 1))


@pytest.mark.parametrize(("n", "effect", "power"), R_POWER)
def test_power_is_that_of_r(n: int, effect: float, power: float) -> None:
    assert power_of(n, effect) == pytest.approx(power, abs=2e-7)


def test_power_is_a_number_and_rises_everywhere() -> None:
    """The noncentral t of SciPy is not a number far out in its tails; power must be one at every size."""
    for n in (3, 4, 10, 100, MOST_DONORS):
        powers = np.array([power_of(n, effect) for effect in np.geomspace(1e-3, 1e3, 120)])
        assert np.isfinite(powers).all()
        assert (np.diff(powers) > -1e-9).all()


@pytest.mark.parametrize(("estimate", "sd"), [(0.0, 1.0), (math.nan, 1.0), (1.0, math.nan), (0.001, 1.0)])
def test_what_no_number_of_donors_shows_has_none(estimate: float, sd: float) -> None:
    assert math.isnan(donors_needed(estimate, sd))


def test_donors_without_spread_need_the_fewest() -> None:
    assert donors_needed(0.2, 0.0) == 3


def test_the_wiring_holds_every_edge_with_its_sign() -> None:
    circuit = load_circuit("mir34c-rab27b-cells")
    table = wiring(circuit).set_index("edge")
    assert len(table) == sum(handle.kind == "edge" for handle in circuit.handles)
    assert table.loc["p53 -> p21", "sign"] == "activates"
    assert table.loc["miR-34c-5p -| RAB27B", ["sign", "quantity", "present"]].tolist() == [
        "inhibits",
        "site_RAB27B",
        True,
    ]
    assert not table.loc["other-miRNA -| MYC", "present"]
