"""Intervals and tests of shares against R, published values, brute force and simulated donors."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from senexo.assays.stats.multiple_testing import holm
from senexo.assays.stats.proportion import clopper_pearson, mean_contrast, mean_share, share_variance, sign_flip

R = json.loads((Path(__file__).parent / "references" / "references.json").read_text())


def test_exact_interval_equals_r() -> None:
    reference = R["binom.test"]
    for x, n, low, high in zip(*(reference[key] for key in ("x", "total", "low", "high")), strict=True):
        assert clopper_pearson(x, n) == pytest.approx((low, high), rel=1e-12)


def test_exact_interval_equals_the_published_table() -> None:
    # Clopper and Pearson 1934, the worked charts; the figures are those of every textbook table for 4 of 20 at 95 %
    assert clopper_pearson(4, 20) == pytest.approx((0.0573, 0.4366), abs=5e-5)
    # "rule of three": 0 of n has the one-sided 95 % bound 1 - 0.05^(1/n)
    assert clopper_pearson(0, 100, level=0.90)[1] == pytest.approx(1 - 0.05 ** (1 / 100))


def test_exact_interval_covers_whatever_the_share() -> None:
    """Exact sum over all outcomes, no simulation: never below 95 %."""
    n = 23
    intervals = [clopper_pearson(x, n) for x in range(n + 1)]
    for share in np.linspace(0.002, 0.998, 250):
        inside = [low <= share <= high for low, high in intervals]
        assert stats.binom.pmf(np.arange(n + 1), n, share)[inside].sum() >= 0.95


def test_holm_equals_r() -> None:
    assert holm(R["p.adjust.holm"]["p"]) == pytest.approx(R["p.adjust.holm"]["corrected"])
    assert np.isnan(holm([0.01, float("nan")])[1])
    assert holm([0.01, float("nan")])[0] == pytest.approx(0.01)


def test_contrast_is_the_paired_t_test_of_r() -> None:
    reference = R["t.test.paired"]
    a, b = np.array(reference["a"]) / 200, np.array(reference["b"]) / 200
    found = mean_contrast(a - b, np.zeros(len(a)))
    assert found.value == pytest.approx(reference["difference"][0], rel=1e-12)
    assert (found.low, found.high) == pytest.approx(reference["ci"], rel=1e-10)
    assert found.p_value == pytest.approx(reference["p"][0], rel=1e-10)


def test_donors_that_all_agree_do_not_claim_certainty() -> None:
    zero, total = np.zeros(6), np.full(6, 200.0)
    found = mean_contrast(zero, share_variance(zero, total) + share_variance(zero, total))
    assert found.value == 0.0
    assert found.p_value == 1.0
    assert 0.001 < found.high < 0.02


def test_sign_flip_equals_full_enumeration() -> None:
    differences = np.array([0.2, 0.11, 0.0, -0.03, 0.11, 0.4, 0.07])
    sums = [abs(np.dot(signs, differences)) for signs in itertools.product([-1, 1], repeat=7)]
    expected = np.mean([s >= abs(differences.sum()) - 1e-12 for s in sums])
    assert sign_flip(differences) == pytest.approx(expected)
    assert sign_flip(np.array([0.1] * 5)) == pytest.approx(2 / 32)
    assert sign_flip(np.zeros(4)) == 1.0


def test_sign_flip_of_many_donors_agrees_with_the_t_test() -> None:
    differences = np.random.default_rng(7).normal(0.04, 0.1, 60)
    assert sign_flip(differences) == pytest.approx(stats.ttest_1samp(differences, 0.0).pvalue, rel=0.25)


def test_mean_share_of_one_donor_is_exact() -> None:
    found = mean_share(np.array([4]), np.array([20]))
    assert (found.value, found.low, found.high) == (0.2, *clopper_pearson(4, 20))


def test_mean_share_of_nothing_positive_is_an_upper_bound() -> None:
    found = mean_share(np.zeros(20, np.int64), np.full(20, 600))
    assert (found.value, found.low) == (0.0, 0.0)
    # twenty donors cannot exclude a kind of donor that one in fifteen is, however many cells were counted
    assert 0.05 < found.high < 0.2


@pytest.mark.parametrize("n_donors", [3, 20])
def test_interval_of_mean_share_covers_beta_binomial_donors(n_donors: int) -> None:
    """200 sets; a method that covers 95 % misses 19 times or more once in 170 runs."""
    rng, mean, precision = np.random.default_rng(n_donors), 0.15, 4.0
    misses = 0
    for _ in range(200):
        share = rng.beta(mean * precision, (1 - mean) * precision, n_donors)
        found = mean_share(rng.binomial(300, share), np.full(n_donors, 300))
        misses += not found.low <= mean <= found.high
    assert misses < 19


def test_test_of_difference_keeps_its_level() -> None:
    """200 sets without a difference, rare positives; at 5 % 19 rejections or more happen once in 170 runs."""
    rng = np.random.default_rng(11)
    rejected = 0
    for _ in range(200):
        share = rng.beta(0.5, 12.0, 8)
        a, b = rng.binomial(200, share).astype(float), rng.binomial(200, share).astype(float)
        total = np.full(8, 200.0)
        rejected += mean_contrast((a - b) / 200, share_variance(a, total) + share_variance(b, total)).p_value < 0.05
    assert rejected < 19
