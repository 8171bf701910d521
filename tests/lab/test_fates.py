"""Fates against the exact laws of first events, and the off time against runs counted by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from senexo.lab.lone.fates import below_throughout, crossing, draw, longest_below, thresholds, with_quadratures
from senexo.model.expression import Symbol
from senexo.model.network import Network, Parameter

N = 20_000
CELLS = range(1, N + 1)
SURE = 4.9  # |Z| beyond which a check fails: one false alarm in a million, and the seeds are fixed


@dataclass(frozen=True)
class Fate:
    name: str
    hazard: str = "h"
    after: str | None = None


def limits(*names: str) -> dict[str, np.ndarray]:
    return {name: thresholds(11, 1, CELLS, name) for name in names}


def agrees(happened: np.ndarray, probability: float) -> bool:
    sd = math.sqrt(probability * (1 - probability) / N)
    return abs(np.mean(happened) - probability) < SURE * sd


def test_a_hazard_that_grows_gives_its_weibull_law() -> None:
    """h(t) = 2 a^2 t: P(T <= t) = 1 - exp(-(a t)^2), at every time, not only on the grid."""
    times, a = np.linspace(0, 168, 337), 1 / 80
    integral = np.tile((a * times) ** 2, (N, 1))
    when = draw([Fate("death")], times, {"death": integral}, limits("death"))["death"]
    for t in (10.0, 33.3, 80.1, 120.0, 167.9):
        assert agrees(when <= t, 1 - math.exp(-((a * t) ** 2)))


def test_escape_counts_from_commitment_and_competes_with_death() -> None:
    """Constant hazards c, e, d: the probabilities of each history by time t are known in closed form."""
    times = np.linspace(0, 100, 51)
    c, e, d, t = 0.02, 0.05, 0.01, 70.0
    rate = {"commitment": c, "escape": e, "death": d}
    fates = [Fate("commitment"), Fate("escape", after="commitment"), Fate("death")]
    integrals = {name: np.tile(k * times, (N, 1)) for name, k in rate.items()}
    happened = draw(fates, times, integrals, limits(*rate))
    commitment, escape, death = (happened[name] for name in rate)
    alive = ~(death <= t)
    assert agrees(alive, math.exp(-d * t))
    assert agrees((commitment <= t), c / (c + d) * (1 - math.exp(-(c + d) * t)))
    committed_now = (commitment <= t) & ~(escape <= t) & alive
    assert agrees(committed_now, math.exp(-d * t) * c / (e - c) * (math.exp(-c * t) - math.exp(-e * t)))
    assert not np.any(commitment > death)
    assert not np.any(escape > death)
    assert not np.any(escape < commitment)
    assert np.isnan(escape[np.isnan(commitment)]).all()


def test_the_same_cell_has_the_same_clock_whoever_else_is_there() -> None:
    alone = thresholds(3, 2, (17,), "escape")
    assert alone[0] == thresholds(3, 2, range(1, 40), "escape")[16]
    assert alone[0] != thresholds(3, 2, (17,), "death")[0]
    assert alone[0] != thresholds(3, 3, (17,), "escape")[0]


def test_nothing_happens_without_hazard() -> None:
    when = crossing(np.array([0.0, 1.0]), np.zeros((3, 2)), np.array([0.1, 2.0, np.nan]))
    assert np.isnan(when).all()


@pytest.mark.parametrize(
    ("values", "until", "hours"),
    [
        ([1, 1, 1, 1, 1], np.nan, 0),
        ([0, 0, 0, 0, 0], np.nan, 40),
        ([1, 0, 0, 1, 1], np.nan, 20),  # crosses half-way through two steps
        ([0, 1, 0, 0, 0], np.nan, 25),  # two runs: 5 h and 25 h
        ([0, 0, 0, 0, 0], 12.0, 12),  # dead after 12 h
        ([1, 1, 0, 0, 0], 12.0, 0),
        ([0, 0, 1, 0, 0], 33.0, 15),  # the second run is cut to 8 h
    ],
)
def test_the_longest_off_time(values: list[float], until: float, hours: float) -> None:
    times = np.arange(0.0, 50.0, 10.0)
    found = longest_below(times, np.array([values], dtype=float), 0.5, np.array([until]))
    assert found == pytest.approx([hours])


@pytest.mark.parametrize(
    ("values", "begin", "end", "off"),
    [
        ([0, 0, 0, 0, 0], 0, 40, True),
        ([0, 0, 0, 0, 0], -1, 40, False),  # nothing is known of before
        ([0, 0, 0, 0, 0], 0, 41, False),
        ([1, 0, 0, 0, 1], 10, 30, True),
        ([1, 0, 0, 0, 1], 6, 34, True),  # crosses at 5 and at 35
        ([1, 0, 0, 0, 1], 4, 34, False),
        ([1, 0, 0, 0, 1], 6, 36, False),
        ([0, 0, 1, 0, 0], 0, 40, False),  # long off, but not without a break
        ([0, 0, 1, 0, 0], 26, 40, True),
        ([0, 0, 1, 0, 0], 12, 14, True),  # between two times
        ([0, 0, 1, 0, 0], 16, 18, False),
    ],
)
def test_off_all_the_time(values: list[float], begin: float, end: float, off: bool) -> None:
    times = np.arange(0.0, 50.0, 10.0)
    assert below_throughout(times, np.array([values, values], dtype=float), 0.5, begin, end).tolist() == [off, off]


def test_quadratures_never_take_a_name_that_is_there() -> None:
    network = Network("m", parameters=(Parameter("h", 0.1), Parameter("integral_of_h", 1.0)))
    whole, ids = with_quadratures(network, ["h"])
    assert ids == ("integral_of_h_",)
    assert whole.parameters[:2] == network.parameters
    assert (whole.rules[0].kind, whole.rules[0].variable, whole.rules[0].math) == ("rate", ids[0], Symbol("h"))
