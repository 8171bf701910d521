"""Comparisons of two arms of counted cells against R: beta-binomial, Fisher, the mixed conditional model, Fieller."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from senexo.assays._senescence.reversal import fieller
from senexo.assays.stats.odds import exact_odds_ratio, odds_ratio
from senexo.assays.stats.proportion import fields
from senexo.assays.stats.unpaired import share_difference, welch

R = json.loads((Path(__file__).parent / "references" / "senescence.json").read_text())


def arrays(reference: dict[str, list[float]]) -> list[np.ndarray]:
    return [np.array(reference[name], float) for name in ("y", "n", "y0", "n0")]


def test_groups_of_different_donors_equal_vgams_betabinomial() -> None:
    reference = R["betabinomial.groups"]
    found = share_difference(*arrays(reference))
    assert math.log(found.odds_ratio.value) == pytest.approx(reference["log_odds_ratio"][0], rel=1e-6)
    assert found.correlation == pytest.approx(reference["correlation"][0], rel=2e-6)
    assert (found.odds_ratio.low, found.odds_ratio.high) == pytest.approx(reference["ci"], rel=1e-6)
    assert found.odds_ratio.p_value == pytest.approx(reference["p"][0], rel=1e-6)


def test_their_difference_is_the_hull_with_welchs_interval() -> None:
    reference, beta = R["welch.shares"], R["betabinomial.groups"]
    y, n, y0, n0 = arrays(reference)
    student = welch(y / n, y0 / n0)
    assert student.value == pytest.approx(reference["difference"][0], rel=1e-12)
    assert (student.low, student.high) == pytest.approx(reference["ci"], rel=1e-10)
    assert student.p_value == pytest.approx(reference["p"][0], rel=1e-10)
    found = share_difference(y, n, y0, n0).difference
    assert found.low <= student.low < student.high <= found.high
    assert found.p_value == pytest.approx(max(reference["p"][0], beta["p"][0]), rel=1e-6)


def test_one_donors_odds_ratio_is_fishers() -> None:
    reference = R["fisher.exact"]
    for i, (y, n, y0, n0) in enumerate(zip(*arrays(reference), strict=True)):
        found = exact_odds_ratio(int(y), int(n), int(y0), int(n0))
        expected = [reference[name][i] for name in ("odds_ratio", "low", "high")]
        assert (found.value, found.low, found.high) == pytest.approx(expected, rel=1e-9)
        alone = odds_ratio(*(np.array([x]) for x in (y, n, y0, n0)))
        assert (alone.value, alone.low, alone.high) == (found.value, found.low, found.high)
        assert math.isnan(alone.p_value)


def test_counts_at_the_edge_leave_an_open_interval() -> None:
    none, every = exact_odds_ratio(0, 20, 4, 20), exact_odds_ratio(20, 20, 4, 20)
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high < 2.0
    assert (every.value, every.high) == (math.inf, math.inf)
    assert every.low > 10.0
    empty = np.zeros(3)
    assert math.isnan(odds_ratio(empty, empty + 200.0, empty, empty + 200.0).value)


def test_donors_own_effects_equal_the_model_integrated_in_r() -> None:
    reference = R["mixed.conditional"]
    found = odds_ratio(*arrays(reference))
    assert found.value == pytest.approx(reference["odds_ratio"][0], rel=1e-6)
    assert (found.low, found.high) == pytest.approx(reference["ci"], rel=1e-6)
    assert found.p_value == pytest.approx(reference["p"][0], rel=1e-6)


def test_donors_that_agree_give_nearly_their_common_odds_ratio() -> None:
    """The smallest spread of donors believed, 0.1, moves the exact common estimate by less than a percent."""
    reference = R["mantelhaen.exact"]
    assert odds_ratio(*arrays(reference)).value == pytest.approx(reference["odds_ratio"][0], rel=0.01)


def test_swapping_arms_inverts_the_odds_ratio() -> None:
    y, n, y0, n0 = arrays(R["mixed.conditional"])
    there, back = odds_ratio(y, n, y0, n0), odds_ratio(y0, n0, y, n)
    assert (1.0 / back.value, 1.0 / back.high, 1.0 / back.low) == pytest.approx(
        (there.value, there.low, there.high), rel=1e-6
    )
    groups, other = share_difference(y, n, y0, n0), share_difference(y0, n0, y, n)
    assert (-other.difference.value, -other.difference.high, -other.difference.low) == pytest.approx(
        (groups.difference.value, groups.difference.low, groups.difference.high), abs=1e-6
    )


def test_what_remains_has_fiellers_interval() -> None:
    reference = R["fieller"]
    washed, kept = np.array(reference["washed"]), np.array(reference["kept"])
    assert fieller(washed, kept, np.zeros(3)) == pytest.approx(reference["ci"], rel=1e-9)


def test_fields_equal_pearsons_dispersion() -> None:
    reference = R["pearson.fields"]
    counts = pd.DataFrame({"arm": "a", "donor": reference["donor"], "n_positive": reference["y"],
                           "n_total": reference["n"]})  # fmt: skip
    row = fields(counts).iloc[0]
    assert row["dispersion"] == pytest.approx(reference["dispersion"][0], rel=1e-10)
    assert row["p_value"] == pytest.approx(reference["p"][0], rel=1e-10)
