"""Dose-response against R's nls, known curves, and the truth of simulated donors."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from senexo.assays.stats import dose_response as dr

R = json.loads((Path(__file__).parent / "references" / "references.json").read_text())
DOSES = np.array([30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0])


def simulated(
    rng: np.random.Generator, median: float, *, sd: float = 0.4, n: int = 12, top: float = 0.95, hill: float = 2.5,
    family: str = "mimic", logs: np.ndarray | None = None,
) -> tuple[dr.Ladder, np.ndarray]:  # fmt: skip
    """Counts of 400 cells per donor and dose from lognormal EC50s (sd in decades), and the true EC50s."""
    z = rng.normal(size=n) if logs is None else logs
    ec50 = median * 10.0 ** (sd * z)
    share = 0.02 + (top - 0.02) / (1.0 + (ec50[:, None] / DOSES) ** hill)
    counts = rng.binomial(400, share).astype(float)
    return dr.Ladder(family, tuple(map(str, range(n))), DOSES, counts, np.full_like(counts, 400.0)), ec50


def test_a_donor_counted_at_one_dose_has_no_ec50_and_changes_no_other() -> None:
    ladder, _ = simulated(np.random.default_rng(5), 500.0, n=6)
    others = dr.crossings(dr.Ladder("mimic", ladder.donors[1:], DOSES, ladder.n_positive[1:], ladder.n_total[1:]), 0.5)
    ladder.n_positive[0, 1:] = ladder.n_total[0, 1:] = 0.0
    with pytest.warns(UserWarning, match="mimic: no EC50 of 0, counted at a single dose"):
        found = dr.crossings(ladder, 0.5)
    assert list(found.rows()) == list(others.rows())


def test_curve_crosses_half_at_ec50() -> None:
    curve = dr.Curve(0.1, 0.9, 700.0, 2.0)
    assert curve.at(np.array([700.0]))[0] == pytest.approx(0.5)
    assert curve.reaches(0.5) == pytest.approx(700.0)
    assert curve.at(np.array([curve.reaches(0.3)]))[0] == pytest.approx(0.3)
    assert curve.reaches(0.9) == math.inf
    assert curve.reaches(0.05) == 0.0


def test_curve_through_means_equals_nls_of_r() -> None:
    reference = R["nls.4pl"]
    found = dr.curve_through(*(np.array(reference[key], float) for key in ("dose", "mean", "se")))
    bottom, top, ec50, hill = reference["coef"]
    assert (found.bottom, found.top) == pytest.approx((bottom, top), rel=1e-6)
    assert (found.ec50, found.hill) == pytest.approx((ec50, hill), rel=1e-6)


@pytest.mark.parametrize("hill", [1.0, 2.5, 8.0])
def test_each_donors_ec50_is_recovered(hill: float) -> None:
    ladder, ec50 = simulated(np.random.default_rng(1), 1000.0, sd=0.25, top=1.0, hill=hill)
    found = dr.crossings(ladder, 0.5)
    expected = ec50 * (0.48 / 0.5) ** (1.0 / hill)  # where 0.02 + 0.98 / (1 + (ec50/d)^hill) is one half
    assert np.all(found.side == 0)
    # eight-fold steep curves between two doses of a half-decade ladder are known to a tenth of a decade
    assert np.abs(found.log_dose - np.log10(expected)).max() < 0.1


def test_a_step_between_two_doses_gets_their_middle() -> None:
    curve = dr.donor_curve(DOSES, np.array([0.0, 0, 0, 0, 400, 400]), np.full(6, 400.0))
    assert curve.reaches(0.5) == pytest.approx(math.sqrt(1000 * 3000), rel=0.05)


def test_donors_outside_the_ladder_are_censored_on_their_side() -> None:
    counts = np.array([[2.0, 3, 1, 4, 2, 3], [380, 390, 395, 396, 399, 400], [3, 2, 5, 60, 300, 390]])
    found = dr.crossings(dr.Ladder("f", ("a", "b", "c"), DOSES, counts, np.full_like(counts, 400.0)), 0.5)
    assert found.side.tolist() == [1, -1, 0]
    assert 10.0 ** found.log_dose[:2] == pytest.approx([10000.0, 30.0])


def test_population_ec50_with_a_third_beyond_the_ladder() -> None:
    """The geometric median of all donors, not of those that were seen: dropping the censored would give half of it."""
    rng = np.random.default_rng(2)
    ladder, ec50 = simulated(rng, 6000.0, sd=0.5, n=60, top=1.0)
    found = dr.crossings(ladder, 0.51)
    assert 15 <= found.count(1) <= 30
    estimate = dr.population_ec50(found)
    assert estimate.low < 6000.0 < estimate.high
    assert estimate.value == pytest.approx(10 ** np.log10(ec50).mean(), rel=0.2)
    dropped = 10 ** found.log_dose[found.side == 0].mean()
    assert dropped < 0.75 * estimate.value


def test_nobody_reaches_half_effect() -> None:
    found = dr.Crossings(tuple("abcdefgh"), np.full(8, 4.0), np.ones(8, np.int8))
    estimate = dr.population_ec50(found)
    assert math.isnan(estimate.value)
    assert (estimate.low, estimate.high) == (pytest.approx(10000.0), math.inf)
    few = dr.population_ec50(dr.Crossings(tuple("abc"), np.full(3, 4.0), np.ones(3, np.int8)))
    assert math.isnan(few.low)  # three of three do not show that the median lies beyond


def test_ratio_of_families_is_paired_by_donor() -> None:
    """Donors differ tenfold, the shift is threefold in each: pairing finds it, censored donors included."""
    rng = np.random.default_rng(3)
    z = rng.normal(size=16)
    wild, _ = simulated(rng, 2000.0, sd=0.5, top=1.0, logs=z, n=16)
    null, _ = simulated(rng, 6000.0, sd=0.5, top=1.0, logs=z, n=16, family="null")
    over, under = dr.crossings(null, 0.51), dr.crossings(wild, 0.51)
    assert over.count(1) >= 2
    ratio, n = dr.ec50_ratio(over, under)
    assert n == 16
    assert ratio.low < 3.0 < ratio.high
    assert ratio.high / ratio.low < 1.6
    assert ratio.p_value < 1e-6


def test_plateau_counts_only_when_two_doses_lie_beyond_the_bend() -> None:
    early, late = dr.Curve(0.02, 0.4, 300.0, 2.0), dr.Curve(0.02, 0.8, 5000.0, 2.0)
    assert dr.effect_range([(early, DOSES)]) == (0.02, 0.4, True)
    assert dr.effect_range([(late, DOSES)]) == (0.02, 1.0, False)
    assert dr.effect_range([(late, DOSES), (early, DOSES)]) == (0.02, 0.4, True)


def test_a_family_needs_three_doses() -> None:
    frame = pd.DataFrame({
        "family": ["a"] * 3 + ["b"] * 2 + ["mock"], "dose_copies": [1.0, 10.0, 100.0, 1.0, 10.0, math.nan],
        "donor": "d", "n_positive": 1, "n_total": 10,
    })  # fmt: skip
    assert [ladder.family for ladder in dr.ladders(frame)] == ["a"]


def ladder_of(shares: np.ndarray) -> dr.Ladder:
    counts = np.round(shares * 1000.0)
    donors = tuple(str(i) for i in range(len(counts)))
    return dr.Ladder("f", donors, DOSES[: counts.shape[1]], counts, np.full_like(counts, 1000.0))


def test_trend_equals_full_enumeration() -> None:
    """Ties included; at the points of the distribution itself, where rounding of the grid matters most."""
    shares = np.array([[0.0, 0.0, 0.1, 0.4], [0.01, 0.0, 0.03, 0.2], [0.1, 0.05, 0.0, 0.02]])
    x = np.log10(DOSES[:4]) - np.log10(DOSES[:4]).mean()
    every = [[np.dot(p, x) for p in itertools.permutations(row)] for row in shares]
    sums = np.array([sum(choice) for choice in itertools.product(*every)])
    for data in (shares, shares[:, ::-1], shares[:, [1, 0, 3, 2]]):
        expected = np.mean(np.abs(sums) >= abs(float((data @ x).sum())) - 1e-12)
        assert dr.trend(ladder_of(data)) == pytest.approx(expected, rel=0.01)


def test_trend_of_many_doses_agrees_with_scipys_permutation_test() -> None:
    doses, share = np.geomspace(1.0, 1000.0, 9), np.array([5.0, 2, 9, 4, 8, 7, 12, 9, 11])
    found = dr.trend(dr.Ladder("f", ("a", "b"), doses, np.array([share, share * 0]), np.full((2, 9), 100.0)))
    x = np.log10(doses)
    expected = stats.permutation_test(
        (share,), lambda y: stats.pearsonr(x, y).statistic, permutation_type="pairings", n_resamples=5000, rng=1
    ).pvalue
    assert found == pytest.approx(expected, abs=0.006)


def test_two_responders_of_eight_make_a_dose_response() -> None:
    """A t-test over donors would not see them; and nobody's absence of response is no trend."""
    shares = np.full((8, 6), 0.0)
    assert dr.trend(ladder_of(shares)) == 1.0
    shares += 0.02 + 0.004 * np.random.default_rng(1).integers(-3, 4, (8, 6))
    shares[:2] = [0.02, 0.03, 0.02, 0.1, 0.5, 0.9]
    found = dr.slope(ladder_of(shares))
    assert found.low < 0.0 < found.high
    assert found.p_value < 0.001


def test_slope_of_no_response_keeps_its_level() -> None:
    """200 flat ladders; at 5 % 19 rejections or more happen once in 170 runs."""
    rng, rejected = np.random.default_rng(4), 0
    for _ in range(200):
        counts = rng.binomial(200, rng.beta(1.0, 20.0, 8)[:, None], (8, 6)).astype(float)
        ladder = dr.Ladder("f", tuple("abcdefgh"), DOSES, counts, np.full_like(counts, 200.0))
        rejected += dr.slope(ladder).p_value < 0.05
    assert rejected < 19


def test_population_ec50_covers_the_truth() -> None:
    """60 sets of 8 donors, a fifth beyond; a method that covers 95 % misses 9 times or more once in 350 runs."""
    rng, misses = np.random.default_rng(5), 0
    for _ in range(60):
        ladder, _ = simulated(rng, 4000.0, sd=0.5, n=8, top=1.0)
        estimate = dr.population_ec50(dr.crossings(ladder, 0.51))
        misses += not estimate.low <= 4000.0 <= estimate.high
    assert misses < 9
