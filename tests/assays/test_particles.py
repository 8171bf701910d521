"""Particles per cell and hour: against arithmetic by hand, R's t-tests, lme4, and the laws of a blank."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from senexo.assays import particles
from senexo.assays._particles import rates
from senexo.assays._particles.example import example
from senexo.assays._particles.read import blanks, readings
from senexo.assays._particles.spec import SPEC
from senexo.assays.stats.estimate import Estimate

REFERENCES = json.loads((Path(__file__).parent / "references" / "particles.json").read_text(encoding="utf-8"))


def table(per_ml: dict[str, list[float]], donors: str = "abcdefgh", **columns: object) -> pd.DataFrame:
    rows = [(arm, donors[i], value) for arm, values in per_ml.items() for i, value in enumerate(values)]
    frame = pd.DataFrame(rows, columns=["arm", "donor", "particles_per_ml"])
    return frame.assign(**{"dilution": 10, "volume_ml": 4.0, "n_cells": 1e6, "hours": 20.0, **columns})


def test_a_rate_by_hand() -> None:
    """(6e7 x 10 - 1e8) x 4 mL / (1e6 cells x 20 h) = 100 per cell and hour; two frames' worth of counts alike."""
    medium = table({"medium": [2e7, 2e7]}, dilution=5).assign(donor="", replicate=["1", "2"])
    read = table({"a": [6e7]}).assign(replicate="1")
    found = particles(pd.concat([read, medium]), blank="medium")
    assert found.tables["rates"]["rate"].to_list() == [pytest.approx(100.0)]
    # 12 particles in a view of 0.2 nL are 6e7 per mL
    frames = pd.concat([read, medium]).drop(columns="particles_per_ml")
    frames = frames.assign(particles_per_frame=[12.0, 4.0, 4.0], frame_volume_nl=0.2)
    assert particles(frames, blank="medium").tables["rates"]["rate"].to_list() == [pytest.approx(100.0)]


def test_cells_that_grow_count_with_their_mean() -> None:
    """From 1e6 to 2e6 the mean of an exponential is 1e6 / ln 2; a start equal to the end changes nothing."""
    read = table({"a": [6e7]}, n_cells=2e6)
    plain = particles(read).tables["rates"]["rate"][0]
    grown = particles(read.assign(n_cells_start=1e6)).tables["rates"]["rate"][0]
    assert grown / plain == pytest.approx(2.0 * math.log(2.0))
    assert particles(read.assign(n_cells_start=2e6)).tables["rates"]["rate"][0] == pytest.approx(plain)


def test_ratio_of_paired_arms_is_rs_t_test() -> None:
    case = REFERENCES["paired_t"]
    found = particles(table({"control": case["control"], "kd": case["kd"]}), compare=("kd", "control"))
    row = found.table.iloc[0]
    assert row["ratio"] == pytest.approx(case["ratio"][0], rel=1e-12)
    np.testing.assert_allclose([row["low"], row["high"]], case["ci"], rtol=1e-10)
    assert row["p_value"] == pytest.approx(case["p"][0], rel=1e-10)


def test_ratio_of_other_donors_is_rs_welch_test() -> None:
    case = REFERENCES["welch_t"]
    both = pd.concat([table({"control": case["control"]}), table({"kd": case["kd"]}, donors="stuvw")])
    row = particles(both, compare=("kd", "control"), design="unpaired").table.iloc[0]
    assert row["ratio"] == pytest.approx(case["ratio"][0], rel=1e-12)
    np.testing.assert_allclose([row["low"], row["high"]], case["ci"], rtol=1e-10)
    assert row["p_value"] == pytest.approx(case["p"][0], rel=1e-10)


@pytest.mark.parametrize("name", ["two_arms", "four_arms", "incomplete"])
def test_the_second_opinion_is_lme4s(name: str) -> None:
    """Log rates of the reference through the public call: ratios of the mixed model and its two variances."""
    case = REFERENCES[name]
    read = pd.DataFrame({"arm": case["arm"], "donor": case["donor"], "particles_per_ml": np.exp(case["y"])})
    read = read.assign(dilution=1, volume_ml=1.0, n_cells=1.0, hours=1.0)
    arms = [arm for arm in sorted(set(case["arm"])) if arm != "control"]
    found = particles(read, compare=[(arm, "control") for arm in arms])
    np.testing.assert_allclose(np.log(found.table["ratio_mixed"]), case["effects"][1:], rtol=1e-6)
    np.testing.assert_allclose(found.table["p_mixed"], case["p"][1:], rtol=1e-5)
    assert found.settings["donor_sd"] == pytest.approx(math.sqrt(case["donor_variance"][0]), rel=1e-6)
    assert found.settings["residual_sd"] == pytest.approx(math.sqrt(case["residual_variance"][0]), rel=1e-6)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_limit_of_the_blank_is_rs_prediction_limit(place: int) -> None:
    case = REFERENCES["limit_of_blank"]
    runs, limit = case["runs"][place], case["limit"][place]
    medium = table({"medium": case["blank"]}, dilution=1).assign(donor="", replicate=list("1234"))
    read = pd.concat([table({"a": [9e8]}, dilution=1).assign(replicate=str(i)) for i in range(runs)])
    found = particles(pd.concat([read, medium]), blank="medium")
    assert found.tables["samples"]["limit"][0] == pytest.approx(limit, rel=1e-12)
    for factor, below in ((0.999, True), (1.001, False)):
        edge = read.assign(particles_per_ml=limit * factor)
        again = particles(pd.concat([edge, medium]), blank="medium")
        assert again.tables["samples"]["below"].to_list() == [below]


def test_most_donors_below_the_blank_is_not_testable() -> None:
    medium = table({"medium": [2e7, 2.2e7, 1.9e7]}, dilution=10).assign(donor="", replicate=list("123"))
    read = table({"mock": [9e7, 8e7, 7e7, 9e7], "kd": [2e7, 2.1e7, 2.0e7, 5e7]}).assign(replicate="1")
    found = particles(pd.concat([read, medium]), compare=("kd", "mock"), blank="medium")
    assert found.findings[-1].verdict == "below blank: not testable"
    assert found.findings[-1].p_value is None
    assert "3 of 4 and 0 of 4 donors lie below the blank" in found.sentence
    assert found.figure() is not None
    json.loads(found.to_json())


def test_a_donor_below_the_blank_counts_as_less_not_as_the_limit() -> None:
    """One of five knock-downs is below blank: the censored ratio lies under the one that takes the limit for it."""
    medium = table({"medium": [2e7, 2.2e7, 1.9e7]}, dilution=10).assign(donor="", replicate=list("123"))
    control, kd = [9e7, 8e7, 7e7, 9e7, 8.5e7], [5e7, 4.6e7, 4.2e7, 4.9e7, 1e7]
    read = table({"mock": control, "kd": kd}).assign(replicate="1")
    found = particles(pd.concat([read, medium]), compare=("kd", "mock"), blank="medium")
    by = found.tables["samples"].pivot(index="donor", columns="arm", values="rate")
    assert found.table["ratio"][0] < np.exp(np.log(by["kd"] / by["mock"]).mean())
    assert found.table["n_below"].to_list() == [1]
    assert math.isnan(found.table["ratio_mixed"][0])


def test_a_shared_blank_widens_and_an_own_blank_does_not() -> None:
    """Three readings of one blank for all donors leave more doubt than none; where each donor has its own, the scatter
    of donors holds it."""
    read = table({"mock": [9e7, 8e7, 7e7, 9e7], "kd": [6e7, 5.1e7, 4.8e7, 5.5e7]}).assign(replicate="1")
    shared = table({"medium": [3e7, 3.6e7, 3.3e7]}, dilution=10).assign(donor="", replicate=list("123"))
    own = pd.concat([shared.assign(batch=name) for name in "abcd"])
    one = particles(pd.concat([read, shared]), compare=("kd", "mock"), blank="medium").table.iloc[0]
    each = particles(pd.concat([read.assign(batch=read["donor"]), own]), compare=("kd", "mock"), blank="medium")
    log = [np.log(row["high"] / row["low"]) for row in (one, each.table.iloc[0])]
    assert one["ratio"] == pytest.approx(each.table["ratio"][0])
    assert log[0] > 1.1 * log[1]


def test_error_of_the_blank_by_simulation() -> None:
    """A small error of the blank moves the mean log ratio as far as simulated (1 %, 20,000 draws), scatter apart."""
    rng = np.random.default_rng(3)
    mock, kd, error = np.array([90.0, 80.0, 70.0]), np.array([60.0, 50.0, 48.0]), 1.5
    shifts = rng.normal(0.0, error, 20_000)[:, None]
    true = (np.log(kd - shifts) - np.log(mock - shifts)).mean(axis=1).var()
    rows = [pd.DataFrame({"batch": "", "by_blank": error / x, "rate": x, "below": False}) for x in (kd, mock)]
    fall, rise = rates.blank_shift([(rows[0], 1.0), (rows[1], -1.0)], pairs=True)(1.0)
    scatter = np.var(error / kd - error / mock, ddof=1) / 3
    assert (fall**2 + rise**2) / 2 + scatter == pytest.approx(true, rel=0.03)


def test_close_to_the_blank_a_rate_may_be_nothing() -> None:
    """A blank that may be off by a third of the rate: 1.96 of its errors leave a third of it, 3.1 nothing."""
    rows = pd.DataFrame({"batch": "", "by_blank": [1 / 3, 1 / 3], "rate": 1.0, "below": False})
    shift = rates.blank_shift([(rows, 1.0)])
    assert shift(1.96) == pytest.approx((-math.log(1 - 1.96 / 3), math.log(1 + 1.96 / 3)))
    assert shift(3.1)[0] == math.inf
    mean = Estimate(0.0, -0.1, 0.1)
    assert rates.with_blank(mean, 4.0, shift, 3.0).low == -math.inf
    assert rates.with_blank(mean, 4.0, shift, math.inf).low == pytest.approx(
        -math.hypot(0.1, shift(1.959964)[0]), rel=1e-6
    )


def test_adding_nothing_changes_nothing() -> None:
    mean = Estimate(0.3, 0.1, 0.5, 0.02)
    assert rates.with_blank(mean, 4.0, lambda q: (0.0, 0.0), 3.0) == mean
    wider = rates.with_blank(mean, 4.0, lambda q: (0.1 * q, 0.1 * q), math.inf)
    assert wider.low < mean.low
    assert wider.high > mean.high
    assert wider.p_value > mean.p_value


@pytest.mark.parametrize("value", [0.2, -0.4, 0.9])
def test_p_is_below_five_per_cent_where_the_interval_leaves_out_one(value: float) -> None:
    half = 2.7764451051977987 * 0.1  # Student's quantile for 4 degrees of freedom
    for error in np.linspace(0.01, 0.6, 12):
        found = rates.with_blank(
            Estimate(value, value - half, value + half, 1e-9), 4.0, lambda q, e=error: (e * q, 1.3 * e * q), 3.0
        )  # fmt: skip
        assert (found.p_value < 0.05) == (not found.low < 0.0 < found.high)


def test_one_reading_of_the_blank_is_said() -> None:
    medium = table({"medium": [2e7]}, dilution=10).assign(donor="")
    found = particles(pd.concat([table({"mock": [9e7, 8e7]}), medium]), blank="medium")
    assert any("a CV of 25 % of one reading is assumed" in note for note in found.notes)
    assert found.tables["blanks"]["sd"].to_list() == [pytest.approx(0.25 * 2e8)]


def test_one_run_of_one_donor_is_estimated_not_tested() -> None:
    found = particles(table({"mock": [9e7], "kd": [4e7]}), compare=("kd", "mock"))
    assert found.findings[0].verdict == "not testable"
    assert "one donor says nothing about others" in found.sentence
    assert particles(table({"mock": [9e7]})).findings[0].verdict == "estimated"


def test_readings_outside_the_range_are_told() -> None:
    found = particles(table({"mock": [9e7, 3e9, 2e6]}))
    assert any("2 of 3 readings lie outside" in note for note in found.notes)


def test_pooled_spread_of_blanks_of_batches() -> None:
    """SD as a share of the mean, pooled over batches by hand: deviations of 10 % and of 20 % on one df each."""
    rows = [("medium", "", "1", 0.9e8), ("medium", "", "2", 1.1e8)]
    rows += [("medium", "", "3", 1.6e8), ("medium", "", "4", 2.4e8), ("mock", "a", "1", 9e8)]
    read = pd.DataFrame(rows, columns=["arm", "donor", "replicate", "particles_per_ml"])
    read = read.assign(batch=["x", "x", "y", "y", "x"], dilution=1, volume_ml=1, n_cells=1, hours=1)
    found, _ = blanks(readings(read, "medium", "table")[0])
    cv = math.sqrt((2 * 0.1**2 + 2 * 0.2**2) / 2)
    np.testing.assert_allclose(found["sd"], [cv * 1e8, cv * 2e8])
    assert set(found["df"]) == {2.0}


def test_changing_the_units_of_volume_scales_every_rate() -> None:
    one = particles(example(), **SPEC.example)
    ten = particles(example().assign(volume_ml=50.0), **SPEC.example)
    np.testing.assert_allclose(ten.tables["rates"]["rate"], 10.0 * one.tables["rates"]["rate"])
    np.testing.assert_allclose(ten.table["p_value"], one.table["p_value"])
