"""Donors and cells against their laws, and invariance of their random numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from senexo.lab.donors import cell_values, donor_values


@dataclass(frozen=True)
class Draw:
    law: str
    value: float = 1.0
    low: float = 0.0
    high: float = 1.0


DRAWS = {"k": Draw("log-uniform", 10, 1, 100), "w": Draw("uniform", 0.5, 0.2, 0.8), "c": Draw("fixed", 3, 3, 3)}
MANY = 4000
# Kolmogorov's distance exceeds 2.7/sqrt(n) once in a million; the seeds are fixed
FAR = 2.7 / math.sqrt(MANY)


def distance(uniforms: np.ndarray) -> float:
    u = np.sort(uniforms)
    return float(np.max(np.abs(u - (np.arange(u.size) + 0.5) / u.size)))


def test_donors_follow_the_laws() -> None:
    drawn = [donor_values(DRAWS, 5, donor) for donor in range(1, MANY + 1)]
    k, w = (np.array([values[name] for values in drawn]) for name in ("k", "w"))
    assert distance(np.log(k) / math.log(100)) < FAR
    assert distance((w - 0.2) / 0.6) < FAR
    assert abs(np.corrcoef(k, w)[0, 1]) < 4.9 / math.sqrt(MANY)
    assert {values["c"] for values in drawn} == {3}


def test_a_draw_depends_on_its_name_only() -> None:
    again = donor_values({"new": Draw("uniform"), **dict(reversed(DRAWS.items()))}, 5, 7)
    assert {name: again[name] for name in DRAWS} == donor_values(DRAWS, 5, 7)


def test_cells_vary_around_their_donor_as_asked() -> None:
    """Mean 1 and the asked CV; cutting the normal at 3 moves the mean by less than 0.1 % and the CV by 2 %."""
    common = donor_values(DRAWS, 5, 1)
    cells = range(1, MANY + 1)
    factor = cell_values({"k": 0.2}, common, DRAWS, seed=5, number=1, cells=cells)["k"] / common["k"]
    assert np.mean(factor) == pytest.approx(1, abs=4.9 * 0.2 / math.sqrt(MANY) + 0.001)
    assert np.std(factor) == pytest.approx(0.2, rel=4.9 / math.sqrt(2 * MANY) + 0.02)
    spread = math.sqrt(math.log(1.04))
    assert np.log(factor).max() <= 3 * spread


def test_a_cell_is_the_same_alone_and_a_share_stays_a_share() -> None:
    common = donor_values(DRAWS, 5, 1)
    many = cell_values({"w": 1.0, "k": 0.3}, common, DRAWS, seed=5, number=1, cells=range(1, 400))
    alone = cell_values({"k": 0.3, "w": 1.0}, common, DRAWS, seed=5, number=1, cells=[17])
    assert {name: value[0] for name, value in alone.items()} == {name: value[16] for name, value in many.items()}
    assert many["w"].max() == 1.0
