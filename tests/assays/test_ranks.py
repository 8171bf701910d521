"""Rank correlations and shares against R and scipy; the permutation p against its exact law in small samples."""

from __future__ import annotations

import json
import math
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from senexo.assays.stats.ranks import permutation_p, rank_correlations, rank_interval, wilson

R = json.loads((Path(__file__).parent / "references" / "ranks.json").read_text())


@pytest.mark.parametrize("outcome", ["y", "b"])
def test_rho_and_interval_equal_r_with_ties_and_with_a_yes_or_no_outcome(outcome: str) -> None:
    reference = {name: np.array(values) for name, values in R[f"spearman.{outcome}"].items()}
    rho = rank_correlations(np.column_stack([reference["x"], reference["z"]]), reference["outcome"])
    assert rho == pytest.approx(reference["rho"], rel=1e-12)
    assert rank_interval(rho[0], 60) == pytest.approx(tuple(reference["x95"]), rel=1e-9)
    assert rank_interval(rho[0], 60, level=0.99) == pytest.approx(tuple(reference["x99"]), rel=1e-9)
    assert rank_interval(rho[1], 60) == pytest.approx(tuple(reference["z95"]), rel=1e-9)


def test_rho_equals_scipy_and_does_not_see_a_rising_change_of_scale() -> None:
    rng = np.random.default_rng(3)
    numbers, outcome = rng.lognormal(size=(200, 5)), rng.normal(size=200).round(1)
    expected = [stats.spearmanr(column, outcome).statistic for column in numbers.T]
    assert rank_correlations(numbers, outcome) == pytest.approx(expected, rel=1e-12)
    assert rank_correlations(np.log(numbers), outcome**3) == pytest.approx(expected, rel=1e-12)


def test_wilson_equals_r() -> None:
    reference = R["wilson"]
    for k, n, low, high in zip(*(reference[key] for key in ("k", "n", "low", "high")), strict=True):
        assert wilson(k, n) == pytest.approx((low, high), rel=1e-9, abs=1e-14)
    assert wilson(0, 0) == (0.0, 1.0)


def test_one_number_has_the_exact_permutation_p() -> None:
    """All 720 orders of six outcomes; 20,000 drawn ones come within 4 standard errors (1 in 16,000 would not)."""
    numbers, outcome = np.arange(6.0)[:, None], np.array([1.0, 0.0, 3.0, 2.0, 5.0, 4.0])
    rho = rank_correlations(numbers, outcome)[0]
    every = [abs(stats.spearmanr(numbers[:, 0], order).statistic) >= rho - 1e-12 for order in permutations(outcome)]
    exact, draws = float(np.mean(every)), 20_000
    found = permutation_p(numbers, outcome, np.random.default_rng(5), permutations=draws)[0]
    assert abs(found - exact) < 4 * math.sqrt(exact * (1 - exact) / draws) + 1 / draws


def test_the_correction_holds_for_all_numbers_together() -> None:
    """40 numbers that have nothing to do with the outcome: one of them is reported in at most 5 % of sets.

    200 sets; 21 or more would come by chance once in 1,000 correct codes.
    """
    rng = np.random.default_rng(11)
    told = 0
    for _ in range(200):
        numbers, outcome = rng.uniform(size=(50, 40)), (rng.random(50) < 0.2).astype(float)
        told += permutation_p(numbers, outcome, rng, permutations=99).min() <= 0.05
    assert told <= 20


def test_what_does_not_vary_has_no_rank() -> None:
    numbers = np.column_stack([np.ones(8), np.arange(8.0)])
    outcome = np.arange(8.0)
    rho = rank_correlations(numbers, outcome)
    assert np.isnan(rho[0])
    assert rho[1] == pytest.approx(1.0)
    p = permutation_p(numbers, outcome, np.random.default_rng(1), permutations=99)
    assert np.isnan(p[0])
    assert p[1] <= 0.02
    assert all(math.isnan(bound) for bound in rank_interval(1.0, 8))
    assert np.isnan(rank_correlations(numbers, np.zeros(8))).all()
