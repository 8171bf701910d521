"""Donors that would decide an open claim: the stated number decides, and is never one that has been tried."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from senexo.lab.claim import rule
from senexo.lab.claim.judge import UNDECIDED, World, world
from senexo.lab.claim.planning import MAX_DONORS, donors_needed
from senexo.lab.claim.rule import moments, resampled_moments
from senexo.lab.claim.verdict import judge
from senexo.study.claims import parse_claim
from senexo.study.observables import Observable, Quantity
from senexo.study.schema import Claim

A, B = (Observable(Quantity.ALIVE, arm, 24.0) for arm in "ab")
ONE, OTHER = "alive(a, 1 d) > 0", "alive(b, 1 d) > 0"
RUNS = 400  # of the number of donors that is stated: a share of 0.8 with a standard error of 0.02


def claim(text: str = ONE, **options: Any) -> Claim:
    return Claim(id="C0", holds_when=text, null={"cut": ["x -> y"]}, **options)


def judged(asked: Claim, a: np.ndarray, b: np.ndarray) -> World:
    return world(asked, parse_claim(asked.holds_when), {A: a, B: b}, np.ones(len(a), dtype=bool))


def needed(asked: Claim, a: np.ndarray, b: np.ndarray | None = None) -> int | None:
    """Donors for margins like these, with a null in which nothing holds."""
    b = np.zeros(len(a)) if b is None else b
    below = np.full(len(a), -1e3) - np.arange(len(a))
    return donors_needed(asked, parse_claim(asked.holds_when), judged(asked, a, b), judged(asked, below, below), seed=1)


def grid(law: Any, n: int = 200) -> np.ndarray:
    """n quantiles of a law."""
    return np.asarray(law.ppf((np.arange(n) + 0.5) / n))


NORMAL = grid(stats.norm) + 0.1
SKEWED = grid(stats.expon) - grid(stats.expon).mean() + 0.15
OTHER_WAY = -(grid(stats.expon) - grid(stats.expon).mean()) + 0.15
RARE = np.where(np.arange(200) < 10, 0.9, 0.0) - 0.03
SHUFFLED = np.random.default_rng(3).permutation(NORMAL)


@pytest.mark.parametrize(
    ("text", "options", "a", "b"),
    [
        (ONE, {}, NORMAL, NORMAL), (ONE, {"level": 0.99}, NORMAL, NORMAL), (ONE, {}, SKEWED, SKEWED),
        (ONE, {}, OTHER_WAY, OTHER_WAY), (ONE, {}, -NORMAL, NORMAL), (ONE, {}, RARE, RARE),
        (f"{ONE} and {OTHER}", {}, NORMAL, SHUFFLED), (f"{ONE} or {OTHER}", {}, NORMAL, SHUFFLED),
        (ONE, {"share": 0.5}, NORMAL, NORMAL),
    ],
)  # fmt: skip
def test_the_stated_number_decides_in_four_of_five_runs(
    text: str, options: dict[str, Any], a: np.ndarray, b: np.ndarray
) -> None:
    """Fresh runs of that many donors, each judged by itself: 80 % within 3 standard errors and the rounding up."""
    asked = claim(text, **options)
    n = needed(asked, a, b)
    assert n is not None
    assert n > len(a)
    rng = np.random.default_rng(11)
    drawn = rng.integers(0, len(a), size=(RUNS, n))
    decided = np.mean([judged(asked, a[rows], b[rows]).outcome != UNDECIDED for rows in drawn])
    assert 0.8 - 3 * 0.02 < decided < 0.84 + 3 * 0.02


def test_of_normal_margins_it_is_the_textbook_number() -> None:
    """n with P(noncentral t > t quantile) = 0.8, for a mean of 0.1 standard deviations: 787."""

    def power(n: int) -> float:
        return float(stats.nct.sf(special.stdtrit(n - 1, 0.975), n - 1, 0.1 * math.sqrt(n)))

    textbook = next(n for n in range(500, 1000) if power(n) >= 0.8)
    assert needed(claim(), NORMAL / NORMAL.std() + 0.1 - 0.1 / NORMAL.std()) == pytest.approx(textbook, rel=0.05)


@pytest.mark.parametrize("n", [3, 10, 20, 58])
@pytest.mark.parametrize("value", [0.1, 0.3, -0.7, 1e-12])
def test_donors_all_alike_need_as_many_as_the_rule_wants(n: int, value: float) -> None:
    """0.1 has no exact sum: its standard deviation came out above 0, and 3 donors were planned after 20."""
    assert needed(claim(), np.full(n, value)) == 59


def test_a_number_that_was_run_is_never_stated() -> None:
    rng, told = np.random.default_rng(2), 0
    for n in (3, 4, 5, 8, 13, 20, 40):
        for _ in range(6):
            a = rng.choice([rng.normal(0.3, 1, n), rng.exponential(1, n) - 0.7, rng.integers(0, 2, n) - 0.2])
            asked = claim()
            if judged(asked, a, a).outcome == UNDECIDED:
                number = needed(asked, a)
                assert number is None or n < number <= MAX_DONORS
                told += number is not None
    assert told >= 20


def test_no_number_where_more_donors_do_not_help() -> None:
    assert needed(claim(), np.tile([-1.0, 1.0], 50)) is None
    asked, tree = claim(), parse_claim(ONE)
    one = judged(asked, NORMAL, NORMAL)
    assert donors_needed(asked, tree, one, one, seed=1) is None  # with enough of them it holds in its null too


def test_donors_without_a_value_count_among_those_to_run() -> None:
    """Half of the donors have no living cell: twice as many are to be run."""
    half = np.concatenate([NORMAL, np.full(200, np.nan)])
    whole, with_dead = needed(claim(), NORMAL), needed(claim(), half)
    assert whole is not None
    assert with_dead == pytest.approx(2 * whole, rel=0.06)


def test_the_verdict_tells_the_number() -> None:
    zero, parameters = np.zeros(20), pd.DataFrame({"k": np.zeros(20)})
    found = judge(claim(), {A: np.full(20, 0.1), B: zero}, {A: zero - 1, B: zero}, parameters, seed=1)
    assert found.verdict == UNDECIDED
    text = " ".join(found.sentences)
    assert "About 59 donors would decide it in 80 % of runs, if they vary as these 20 do." in text
    assert "All 20 donors show the same margin, which counts from 59 donors on." in text


def test_resampled_moments_are_those_of_the_repeated_donors() -> None:
    rng = np.random.default_rng(4)
    values = 1e6 + rng.exponential(3.0, 12)
    weights = rng.multinomial(30, np.full(12, 1 / 12), size=50).astype(float)
    weights[0] = 0.0
    weights[0, 5] = 30.0
    found = resampled_moments(values, weights)
    for k, row in enumerate(weights):
        one = moments(np.repeat(values, row.astype(int)))
        for name in ("n", "mean", "sd", "skewness", "alike"):
            assert getattr(found, name)[k] == pytest.approx(getattr(one, name)[()], rel=1e-6, abs=1e-6)
    assert found.alike[0]
    assert not found.alike[1:].any()


def test_one_rule_for_one_run_and_for_a_thousand() -> None:
    """The arrays of the planning decide as the verdict does, sample by sample."""
    rng, asked = np.random.default_rng(6), claim(f"{ONE} or {OTHER}", share=0.55)
    tree = parse_claim(asked.holds_when)
    a, b = rng.normal(0.25, 1, 25), rng.exponential(1, 25) - 0.8
    weights = rng.multinomial(40, np.full(25, 1 / 25), size=200).astype(float)
    made = {part: resampled_moments(a if part.text == ONE else b, weights) for part in tree.parts}  # type: ignore
    true = (a > 0) | (b > 0)
    sample = rule.Sample(made, weights.sum(axis=1).astype(int), (weights @ true).astype(int))
    holds, fails = rule.decided(tree, sample, asked.level, asked.share)
    for k, row in enumerate(weights.astype(int)):
        outcome = judged(asked, np.repeat(a, row), np.repeat(b, row)).outcome
        assert outcome == ("holds" if holds[k] else "does not hold" if fails[k] else UNDECIDED)
    assert 0.1 < np.mean(holds | fails) < 0.95
