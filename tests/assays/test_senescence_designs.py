"""Wash-out, arms of different donors, one donor and its fields, on tables whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from senexo.assays._senescence.assay import SenescenceResult, senescence
from senexo.assays._senescence.example import example


def counted(shares: dict[str, float], *, n: int = 8, seed: int = 1, cells: int = 300, spread: float = 0.05,
            arms_share_donors: bool = True) -> pd.DataFrame:  # fmt: skip
    """Every arm in n donors; a donor moves all its arms."""
    rng = np.random.default_rng(seed)
    donors = rng.normal(0.0, spread, n)
    rows = []
    for arm, share in shares.items():
        if not arms_share_donors:
            donors = rng.normal(0.0, spread, n)
        for donor in range(n):
            p = min(max(share * (1.0 + donors[donor]), 0.0), 1.0)
            name = f"D{donor}" if arms_share_donors else f"D{donor} {arm}"
            rows.append((arm, name, int(rng.binomial(cells, p)), cells))
    return pd.DataFrame(rows, columns=["arm", "donor", "n_positive", "n_total"])


def washed(share: float, **how: object) -> SenescenceResult:
    table = counted({"mock": 0.03, "mimic": 0.55, "washed": share}, **how)  # type: ignore[arg-type]
    return senescence(table, washout=("washed", "mimic"), control="mock")


@pytest.mark.parametrize(
    ("share", "verdict", "remaining"),
    [(0.55, "held", 1.0), (0.03, "reversible", 0.0), (0.29, "partly reversible", 0.5)],
)
def test_what_remains_is_found_and_named(share: float, verdict: str, remaining: float) -> None:
    result = washed(share)
    found, row = result.findings[0], result.tables["washouts"].iloc[0]
    assert found.id == "senescent:washout:washed:mimic"
    assert found.verdict == verdict
    assert found.low < remaining < found.high
    assert row["share_control"] == row["share_control_kept"]
    assert found.unit == "share of the effect that remains"
    assert {"held": "is held", "reversible": "is reversible", "partly reversible": "partly"}[verdict] in found.sentence


def test_too_little_said_about_a_washout_is_not_shown() -> None:
    found = washed(0.47, n=3, spread=0.35, cells=60).findings[0]
    assert found.verdict == "not shown"
    assert "no reversal shown" in found.sentence
    assert found.low < 0.8


def test_without_an_effect_there_is_nothing_to_reverse() -> None:
    table = counted({"mock": 0.03, "mimic": 0.03, "washed": 0.03})
    found = senescence(table, washout=("washed", "mimic"), control="mock").findings[0]
    assert found.verdict == "not testable"
    assert found.p_value is None
    assert "no effect that could be reversed" in found.sentence


def test_one_donor_and_no_donor_are_told() -> None:
    one = washed(0.3, n=1).findings[0]
    assert one.verdict == "not testable"
    assert "one donor says nothing about others" in one.sentence
    none = washed(0.3, arms_share_donors=False).findings[0]
    assert none.verdict == "not testable"
    assert "no donor was counted in all of these" in none.sentence


def test_the_same_wells_before_and_after() -> None:
    """One arm, counted at wash-out and four days later; each time has its own background."""
    before = counted({"mock": 0.03, "mimic": 0.5}).assign(time_h=72.0)
    after = counted({"mock": 0.08, "mimic": 0.3}, seed=2).assign(time_h=168.0)
    result = senescence(pd.concat([before, after]), washout=("mimic", "mimic"), washout_h=72.0, control="mock")
    row, found = result.tables["washouts"].iloc[0], result.findings[0]
    assert (row["time_h"], row["kept_time_h"]) == (168.0, 72.0)
    assert found.low < 0.22 / 0.47 < found.high
    assert "(mimic, day 7, against mimic, day 3)" in found.sentence
    names = [label.get_text() for label in result.figure().axes[-1].get_yticklabels()]
    assert names == ["mock, day 3", "mimic, day 3", "mock", "mimic"]


def test_several_washouts_are_corrected_together() -> None:
    table = counted({"mock": 0.03, "mimic": 0.5, "a": 0.25, "b": 0.48, "c": 0.03})
    pairs = [("a", "mimic"), ("b", "mimic"), ("c", "mimic")]
    found = senescence(table, washout=pairs, control="mock").tables["washouts"]
    assert found["p_holm"].min() == pytest.approx(3 * found["p_value"].min())
    assert list(found["washed"]) == ["a", "b", "c"]


def test_different_donors_are_compared_unpaired() -> None:
    table = counted({"HSC": 0.1, "LSC": 0.4}, arms_share_donors=False, spread=0.2)
    assert senescence(table, compare=("LSC", "HSC")).findings[0].verdict == "not testable"
    result = senescence(table, compare=("LSC", "HSC"), design="unpaired")
    found, row = result.findings[0], result.tables["differences"].iloc[0]
    assert found.low < 0.3 < found.high
    assert found.verdict == "large"
    assert "8 and 8 donors, unpaired" in found.sentence
    assert row["odds_ratio_low"] < (0.4 / 0.6) / (0.1 / 0.9) < row["odds_ratio_high"]
    assert math.isnan(row["p_sign_flip"])
    assert "Welch" in result.method


def test_one_donor_in_a_group_is_told() -> None:
    table = counted({"HSC": 0.1, "LSC": 0.4}, arms_share_donors=False)
    few = table[(table["arm"] == "HSC") | (table["donor"] == "D0 LSC")]
    found = senescence(few, compare=("LSC", "HSC"), design="unpaired").findings[0]
    assert found.verdict == "not testable"
    assert "1 and 8 donors were counted; two in each arm are needed" in found.sentence


def test_one_donor_is_told_exactly_for_itself() -> None:
    counts = pd.DataFrame({"arm": ["a", "b"], "donor": "x", "n_positive": [5, 60], "n_total": 100})
    found = senescence(counts, compare=("b", "a")).findings[0]
    assert found.verdict == "not testable"
    assert found.p_value is None
    assert "odds ratio of its cells 28.0, exact 95 % CI" in found.sentence


def test_fields_that_differ_too_much_are_told_where_they_matter() -> None:
    rng = np.random.default_rng(5)
    share = rng.beta(1.0, 3.0, 12)
    rows = [("a", "x", i, int(rng.binomial(80, share[i])), 80) for i in range(12)]
    table = pd.DataFrame(rows, columns=["arm", "donor", "field", "n_positive", "n_total"])
    alone = senescence(table)
    assert alone.tables["fields"]["dispersion"].iloc[0] > 4.0
    assert any("12 wells or fields of its only donor differ more than counting allows" in note for note in alone.notes)
    even = table.assign(n_positive=20)
    assert senescence(even).notes == ()
    several = pd.concat([table, table.assign(donor="y"), table.assign(donor="z")])
    assert senescence(several).notes == ()  # over donors, fields cost nothing


def test_the_example_says_it_all() -> None:
    table = example()
    result = senescence(table, compare=("mimic 3000", "scrambled"), washout=("mimic 3000 washed out", "mimic 3000"))
    assert [finding.verdict for finding in result.findings[:2]] == ["large", "partly reversible"]
    assert result.figure().axes[-1].get_xlabel() == "SA-β-gal positive cells (%)"
