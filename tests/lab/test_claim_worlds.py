"""Claims over worlds: donors that are draws of a prior are counted; no mean of them decides anything.

Independent values: shares by the law of the draw in closed form, Wilson's interval by scipy.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from senexo import read_study
from senexo.lab import donors, judging
from senexo.lab.claim import null
from senexo.lab.claim.sweep import SHARE, UNTESTED, Share
from senexo.lab.claim.tables import CLAIM_WORLD, WHOLE
from senexo.lab.claim.verdict import Verdict, judge
from senexo.lab.registry import experiment_of
from senexo.study.observables import Observable, Quantity
from senexo.study.read import shipped_studies
from senexo.study.resolve import resolve
from senexo.study.schema import Claim, Draw

TINY = Path(__file__).parents[1] / "circuits" / "tiny.toml"
A, B, TOP = (Observable(Quantity.ALIVE, arm, 24.0) for arm in ("a", "b", "top"))
LAW = {"k": Draw(law="log-uniform", value=10, low=1, high=100, unit="1", source="", status="assumed")}
CUT = 30.0  # k is above it in a share of 1 - ln 30 / ln 100 of the draws


def judged(a: np.ndarray, cut: np.ndarray, top: np.ndarray | None = None, **options: Any) -> Verdict:
    """`alive(a) > alive(b)` over worlds, with alive(b) = 0."""
    zero, n = np.zeros(len(a)), len(a)
    claim = Claim(id="C0", holds_when="alive(a, 1 d) > alive(b, 1 d)", null={"cut": ["x -> y"]}, **options)
    seen = {A: a, B: zero} | ({} if top is None else {TOP: top})
    return judge(claim, seen, {A: cut, B: zero}, pd.DataFrame({"k": np.zeros(n)}), seed=1, worlds=True)


def drawn(seed: int, n: int) -> np.ndarray:
    """k of n worlds less CUT: above 0 where the claim is true."""
    return np.array([donors.donor_values(LAW, seed, number)["k"] for number in range(1, n + 1)]) - CUT


def test_the_share_is_the_laws_and_moves_within_its_interval_as_draws_are_added() -> None:
    """100 seeds, 30 to 240 nested draws. Each interval covers the share in 95 %; below 88 of 100 by chance: 0.3 %."""
    true = 1.0 - math.log(CUT) / math.log(100.0)
    inside = dict.fromkeys((30, 90, 240), 0)
    for seed in range(100):
        margins = drawn(seed, 240)
        for n in inside:
            found = judged(margins[:n], np.full(n, -1.0))
            assert found.verdict == SHARE
            assert found.sweep is not None
            low, high = found.sweep.true.interval
            inside[n] += low <= true <= high
    assert min(inside.values()) >= 88


def test_a_cohorts_rule_would_change_its_verdict_with_the_number_of_draws() -> None:
    """What the share does not do: the same prior, whose mean margin lies just above 0, is open with few draws."""
    rng = np.random.default_rng(3)
    margins = rng.normal(0.1, 1.0, 4000)
    claim = Claim(id="C0", holds_when="alive(a, 1 d) > 0", null={"cut": ["x -> y"]})
    verdicts = {
        n: {
            worlds: judge(
                claim, {A: margins[:n]}, {A: np.full(n, -1.0)}, pd.DataFrame({"k": np.zeros(n)}), seed=1, worlds=worlds
            ).verdict
            for worlds in (False, True)
        }
        for n in (100, 4000)
    }
    assert verdicts == {100: {False: "not decided", True: SHARE}, 4000: {False: "holds", True: SHARE}}


def test_shares_have_wilsons_interval() -> None:
    expected = stats.binomtest(37, 211).proportion_ci(0.9, method="wilson")
    assert Share(37, 211, 0.9).interval == pytest.approx((expected.low, expected.high), rel=1e-9)
    assert Share(0, 0).interval == (0.0, 1.0)
    assert Share(0, 0).to_dict()["share"] is None


def test_true_possible_null_and_beyond_it_are_counted_in_the_same_worlds() -> None:
    #                 true  true  false false true  nan
    a = np.array([1.0, 1.0, -1.0, -1.0, 1.0, np.nan])
    cut = np.array([-1.0, 1.0, -1.0, 1.0, np.nan, -1.0])
    top = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 1.0])
    found = judged(a, cut, top, possible_when="alive(top, 1 d) > 0").sweep
    assert found is not None
    counts = {name: (share["k"], share["n"]) for name, share in found.to_dict().items()}
    assert counts == {
        "true": (3, 5), "possible": (3, 5), "true_where_possible": (2, 3), "null": (2, 5), "beyond_null": (1, 4),
    }  # fmt: skip


def test_the_sentences_and_tables_hold_shares_and_no_verdict_of_a_mean() -> None:
    a, top = np.tile([1.0, 1.0, -1.0, -1.0], 25), np.tile([1.0, 1.0, 1.0, 0.0], 25)
    found = judged(a, np.full(100, -1.0), top, possible_when="alive(top, 1 d) > 0", share=0.3)
    assert found.sentences[0] == (
        "C0 is true in 50 of 100 worlds (50.0 %; 95 % CI 40.4 to 59.6); it could be true in 75.0 % (65.7 to 82.5); "
        "with what it rests on cut, in 0.0 % (0.0 to 3.7)."
    )
    text = " ".join(found.sentences)
    assert "Where it could be true (alive(top, 1 d) > 0), it is in 50 of 75 worlds" in text
    assert "The share is above 30 %." in text
    assert "holds" not in text
    table = found.tables["claim"]
    assert set(table["outcome"]) == {""}
    whole = table[table["comparison"] == WHOLE].set_index("world")["share"]
    assert whole.to_dict() == pytest.approx(
        {CLAIM_WORLD: 0.5, "null world": 0.0, "possible": 0.75, "where possible": 2 / 3, "beyond null": 0.5}
    )
    assert found.finding()["verdict"] == SHARE
    assert found.to_dict()["null_outcome"] is None


def test_without_a_positive_control_the_verdict_says_that_it_is_not_known() -> None:
    found = judged(drawn(1, 50), np.full(50, -1.0))
    assert any("no positive control (claim.possible_when)" in sentence for sentence in found.sentences)


@pytest.mark.parametrize(
    ("a", "cut", "says"),
    [
        (np.full(5, np.nan), np.full(5, -1.0), "no world has a value"),
        (np.ones(5), np.ones(5), "in these 5 draws its null changed nothing"),
    ],
)
def test_what_tests_nothing_is_not_tested(a: np.ndarray, cut: np.ndarray, says: str) -> None:
    found = judged(a, cut)
    assert found.verdict == UNTESTED
    assert says in found.sentences[0]


def test_a_claim_that_is_true_in_no_world_needs_no_difference_to_its_null() -> None:
    found = judged(-np.ones(40), -np.ones(40))
    assert found.verdict == SHARE
    assert found.sentences[0].startswith("C0 is true in 0 of 40 worlds")
    assert any("No draw differs between the two worlds" in sentence for sentence in found.sentences)


@pytest.mark.parametrize(
    ("written", "worlds"),
    [
        ({"n": 3}, True), ({"n": 3, "draws": "central"}, False), ({"n": 3, "stand_for": "patients"}, False),
        ({"n": 3, "draws": "central", "stand_for": "worlds"}, True),
    ],
)  # fmt: skip
def test_donors_are_worlds_where_a_parameter_is_drawn_unless_the_study_says_otherwise(
    written: dict[str, Any], worlds: bool
) -> None:
    study = read_study(TINY)
    raw = study.to_dict()
    del raw["donors"]
    found = resolve({**raw, "donors": written})
    assert found.donors.are_worlds is worlds
    assert resolve(found.to_dict()) == found


def test_the_digests_of_studies_do_not_know_the_new_keys() -> None:
    """Of the version before them: results of a study that says nothing of them keep their digest."""
    assert read_study("c05-senescence").digest == EARLIER["c05-senescence"]
    assert read_study("mir34c-lone").digest == EARLIER["mir34c-lone"]
    for name in shipped_studies():
        study = read_study(name)
        same = study.model_copy(update={"donors": study.donors.model_copy(update={"stand_for": "worlds"})})
        assert same.digest != study.digest


EARLIER = {
    "c05-senescence": "d7dd5b7acfd815e26ad699fc45718ec46be7abfefa1d93142fa849f754b8291b",
    "mir34c-lone": "251951e6ae16f09ccf5723e9259e092b156601b34948683355b231f52fab40fd",
}


@pytest.fixture(scope="module")
def toy() -> Any:
    study = read_study(
        TINY, set=["donors.n=3", "cells.cell.n=1", "culture.duration=2 d", "readouts.times=['0 d', '1 d']"]
    )
    made = experiment_of(study.model_copy(update={"assays": ()}))
    made.compile()
    return made


@pytest.mark.parametrize(("sign", "share"), [(">", 1.0), ("<", 0.0)])
def test_a_planted_claim_is_judged_as_planted_by_100_of_100_seeds(toy: Any, sign: str, share: float) -> None:
    """A dose raises x in every world of the toy circuit (planted true), and never lowers it (planted false)."""
    claim = Claim(
        id="T", holds_when=f"mean(x, dose[3000], 1 d) {sign} mean(x, mock, 1 d)", null={"knock_out": ["x"]},
        possible_when="mean(x, dose[3000], 1 d) > 0", cuts=toy.study.arms["null"].genotype,
    )  # fmt: skip
    for seed in range(100):
        own = toy.of_study(toy.study.model_copy(update={"seed": seed, "claim": claim}))
        arrays = {}
        for unit in null.units(own):
            for one in (replace(unit, world=type(unit.world).STUDY), unit):
                arrays[one.chunk] = own.simulate_unit(one)
        found = judging.claim(own, arrays.__getitem__)
        assert found is not None
        assert found.sweep is not None
        assert found.sweep.true.value == share
        assert found.sweep.possible is not None
        assert found.sweep.possible.value == 1.0
