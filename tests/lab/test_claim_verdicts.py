"""Judging a claim, against R's t interval and by hand: every outcome, both worlds, what would decide."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from senexo.lab.claim.judge import HOLDS, NOT, UNDECIDED, mean_interval, world
from senexo.lab.claim.tables import NULL_WORLD
from senexo.lab.claim.verdict import judge
from senexo.study.claims import parse_claim
from senexo.study.observables import Observable, Quantity
from senexo.study.schema import Claim

R = json.loads((Path(__file__).parents[1] / "assays" / "references" / "ranks.json").read_text())
A, B = Observable(Quantity.ALIVE, "a", 24.0), Observable(Quantity.ALIVE, "b", 24.0)
Ranked = tuple[pd.DataFrame, pd.DataFrame, np.ndarray]
NONE = pd.DataFrame({"k": np.zeros(400)})


def claim(text: str = "alive(a, 1 d) > alive(b, 1 d)", **options: Any) -> Claim:
    return Claim(id="C0", holds_when=text, null={"cut": ["x -> y"]}, **options)


def outcome(text: str, a: Any, b: Any = 0.0, **options: Any) -> str:
    asked, a = claim(text, **options), np.asarray(a, dtype=float)
    readings = {A: a, B: np.broadcast_to(b, a.shape).astype(float)}
    return world(asked, parse_claim(asked.holds_when), readings, np.ones(len(a), dtype=bool)).outcome


def around(mean: float, n: int = 100) -> np.ndarray:
    """n numbers with this mean and a standard deviation near 1: an interval of +-0.2 for 100."""
    return np.tile([-1.0, 1.0], n // 2) + mean


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_the_interval_equals_rs_t_test(level: float) -> None:
    reference = R[f"t.{level:g}"]
    found = mean_interval(np.array(reference["y"]), level)
    assert found.mean == pytest.approx(reference["mean"][0], rel=1e-12)
    assert (found.low, found.high) == pytest.approx(tuple(reference["ci"]), rel=1e-10)


@pytest.mark.parametrize(
    ("mean", "expected"), [(0.5, HOLDS), (0.21, HOLDS), (0.19, UNDECIDED), (-0.19, UNDECIDED), (-0.5, NOT)]
)
def test_a_comparison_is_decided_by_the_bounds_of_its_mean(mean: float, expected: str) -> None:
    assert outcome("alive(a, 1 d) > alive(b, 1 d)", around(mean)) == expected
    assert outcome("alive(b, 1 d) < alive(a, 1 d)", around(mean)) == expected
    turned = {HOLDS: NOT, NOT: HOLDS, UNDECIDED: UNDECIDED}[expected]
    assert outcome("alive(a, 1 d) < alive(b, 1 d)", around(mean)) == turned


@pytest.mark.parametrize(
    ("first", "second", "joined_by_and", "joined_by_or"),
    [
        (0.5, 0.5, HOLDS, HOLDS), (0.5, 0.0, UNDECIDED, HOLDS), (0.5, -0.5, NOT, HOLDS), (0.0, -0.5, NOT, UNDECIDED),
        (-0.5, -0.5, NOT, NOT), (0.21, 0.0, UNDECIDED, UNDECIDED), (0.21, 0.21, HOLDS, UNDECIDED),
        (-0.21, 0.0, UNDECIDED, UNDECIDED), (-0.21, -0.21, UNDECIDED, NOT),
    ],
)  # fmt: skip
def test_where_one_part_suffices_each_is_asked_more_strictly(
    first: float, second: float, joined_by_and: str, joined_by_or: str
) -> None:
    """+-0.21 is beyond its 95 % interval (0.20) and not beyond its 97.5 % one (0.23)."""
    for word, expected in (("and", joined_by_and), ("or", joined_by_or)):
        text = f"alive(a, 1 d) > 0 {word} alive(b, 1 d) > 0"
        assert outcome(text, around(first), around(second)) == expected


def test_an_or_of_nothing_holds_wrongly_no_more_often_than_it_may() -> None:
    """Three parts without any effect: said to hold in at most 2.5 % of 2,000 sets, +3 standard errors."""
    rng, wrong = np.random.default_rng(7), 0
    for _ in range(2000):
        values = rng.normal(size=(2, 30))
        text = "alive(a, 1 d) > 0 or alive(b, 1 d) > 0 or alive(a, 1 d) + alive(b, 1 d) < 0"
        wrong += outcome(text, values[0], values[1]) == HOLDS
    assert wrong / 2000 <= 0.025 + 3 * math.sqrt(0.025 * 0.975 / 2000)


def test_donors_that_all_agree_count_only_when_they_are_many() -> None:
    assert outcome("alive(a, 1 d) > 0", np.ones(20)) == UNDECIDED
    assert outcome("alive(a, 1 d) > 0", np.ones(59)) == HOLDS
    assert outcome("alive(a, 1 d) > 1", np.ones(59)) == NOT
    assert outcome("alive(a, 1 d) >= 1", np.ones(59)) == HOLDS
    assert outcome("alive(a, 1 d) > 0", [1.0, 2.0]) == UNDECIDED


def test_a_share_is_asked_besides_the_mean() -> None:
    rare = np.where(np.arange(400) % 10 == 0, 10.0, -0.1)  # true in 10 %, and the mean is well above 0
    assert outcome("alive(a, 1 d) > 0", rare) == HOLDS
    assert outcome("alive(a, 1 d) > 0", rare, share=0.05) == HOLDS
    assert outcome("alive(a, 1 d) > 0", rare, share=0.1) == UNDECIDED
    assert outcome("alive(a, 1 d) > 0", rare, share=0.5) == NOT


def judged(a: np.ndarray, null: np.ndarray, parameters: pd.DataFrame = NONE, **options: Any) -> Any:
    zero = np.zeros(len(a))
    return judge(claim(**options), {A: a, B: zero}, {A: null, B: zero}, parameters.head(len(a)), seed=1)


def test_what_holds_in_its_null_too_is_not_decided() -> None:
    found = judged(around(0.5), around(0.4))
    assert found.verdict == UNDECIDED
    assert "holds in its null too" in found.sentences[0]
    assert any("differ only by what the null cuts" in sentence for sentence in found.sentences)


def test_a_null_that_cannot_act_is_no_test_whatever_the_numbers_are() -> None:
    zero = np.zeros(100)
    found = judge(
        claim(), {A: around(0.5), B: zero}, {A: around(-0.5), B: zero}, NONE.head(100), seed=1, null_acts=False
    )
    assert found.verdict == UNDECIDED
    assert "cannot act on anything it reads" in found.sentences[0]
    assert not any("donors would decide" in sentence for sentence in found.sentences)


@pytest.mark.parametrize(("n", "most"), [(3, "63"), (100, "3")])
def test_draws_without_a_difference_are_told_with_what_they_exclude(n: int, most: str) -> None:
    """1 - 0.05^(1/n), Clopper and Pearson's upper bound of a share with 0 of n: 63 % for 3 draws, 3 % for 100."""
    assert stats.beta.ppf(0.95, 1, n) == pytest.approx(float(most) / 100, abs=0.005)
    found = judged(around(0.5, 100)[:n] + 1, around(0.5, 100)[:n] + 1)
    assert found.verdict == UNDECIDED
    assert f"in these {n} draws its null changed nothing" in found.sentences[0]
    text = " ".join(found.sentences)
    assert "does not test it" not in text
    assert f"may still change up to {most} % of draws" in text


def test_a_claim_that_fails_in_both_worlds_alike_does_not_hold() -> None:
    found = judged(around(-0.5), around(-0.5))
    assert found.verdict == NOT
    assert "No draw differs between the two worlds" in " ".join(found.sentences)


def test_what_does_not_hold_stays_so_whatever_its_null_does() -> None:
    assert judged(around(-0.5), around(0.5)).verdict == NOT


def test_donors_without_a_value_or_outside_given_are_left_out_of_everything() -> None:
    values = np.concatenate([around(0.5), np.full(10, np.nan), np.full(10, -50.0)])
    readings = {A: values, B: np.zeros(120)}
    asked = claim("alive(a, 1 d) / 1 > alive(b, 1 d)", given="alive(a, 1 d) > -10")
    found = judge(asked, readings, {A: np.full(120, -1.0), B: np.zeros(120)}, NONE.head(120), seed=1)
    assert found.verdict == HOLDS
    assert (found.found.n, found.found.n_true) == (100, 50)
    assert "20 of 120 donors were left out" in " ".join(found.sentences)
    whole = found.tables["claim"].query("world == 'claim'")
    assert whole["n_donors"].eq(100).all()
    assert whole["mean"].iloc[0] == pytest.approx(0.5)
    assert whole["share"].iloc[-1] == 0.5
    draws = found.tables["claim_draws"]
    assert draws.groupby("world")["kept"].sum().to_dict() == {"claim": 100, NULL_WORLD: 110 - 10}


def test_too_few_donors_are_not_judged() -> None:
    found = judged(np.array([1.0, 2.0]), np.array([-1.0, -1.0]))
    assert found.verdict == UNDECIDED
    assert "the rule needs 3" in found.sentences[0]


@pytest.fixture(scope="module")
def ranked() -> Ranked:
    """800 draws of 30 parameters, of which p0 raises and p1 lowers the outcome, and the ranks reported for them."""
    rng = np.random.default_rng(20)
    parameters = pd.DataFrame(rng.uniform(size=(800, 30)), columns=[f"p{k}" for k in range(30)])
    parameters["fixed"] = 1.0
    value = 2 * parameters["p0"].to_numpy() - parameters["p1"].to_numpy() + rng.normal(0, 1.0, 800)
    zero = np.zeros(800)
    found = judge(claim(), {A: value, B: zero}, {A: zero - 1, B: zero}, parameters, seed=1)
    few = judge(
        claim(), {A: value[:699], B: zero[:699]}, {A: zero[:699] - 1, B: zero[:699]}, parameters.head(699), seed=1
    )
    assert set(few.tables["claim_ranks"]["reading"]) == {"too few draws to rank"}
    assert any("too few to rank parameters" in sentence for sentence in few.sentences)
    return found.tables["claim_ranks"].set_index("parameter"), parameters, value


def test_ranks_equal_scipys_and_only_what_matters_is_told(
    ranked: tuple[pd.DataFrame, pd.DataFrame, np.ndarray],
) -> None:
    table, parameters, value = ranked
    assert len(table) == 30  # the fixed one has no rank
    for name, row in table.iterrows():
        assert row["rho"] == pytest.approx(stats.spearmanr(parameters[name], value).statistic, rel=1e-10)
    assert set(table.index[table["reading"] == "decides"]) == {"p0", "p1"}
    assert list(table.index[:2]) == ["p0", "p1"]
    assert (table["low"] < table["rho"]).all()
    assert (table["rho"] < table["high"]).all()
    assert set(table["reading"].iloc[2:]) == {"not shown"}


def test_thirds_are_shares_of_the_draws_in_them(ranked: Ranked) -> None:
    table, parameters, value = ranked
    order = np.argsort(parameters["p0"].to_numpy(), kind="stable")
    assert table.loc["p0", "true_in_lowest_third"] == pytest.approx((value[order[:267]] > 0).mean())
    assert table.loc["p0", "true_in_highest_third"] == pytest.approx((value[order[-266:]] > 0).mean())


def test_a_mean_made_of_few_donors_is_not_decided_against() -> None:
    """40 donors of whom 2 respond: t says the mean lies below 0.08, and it may well be 0.1 (1 in 10)."""
    rare = np.where(np.arange(40) < 2, 0.9, 0.0)
    assert mean_interval(rare, 0.95).high < 0.11
    assert outcome("alive(a, 1 d) > 11 %", rare) == UNDECIDED
    assert outcome("alive(a, 1 d) > 11 %", np.tile(rare, 25)) == NOT  # 1,000 such donors know
    assert outcome("alive(a, 1 d) > -1 %", np.tile(rare, 2)) == HOLDS  # a long tail above makes the lower bound low
    assert mean_interval(rare, 0.95).skewness == pytest.approx(stats.skew(rare, bias=True) * (39 / 40) ** 1.5)
