"""Fates, colonies and mass balance against R's survival, cmprsk and MASS, and against closed forms."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from senexo.assays import balance, colonies, fates
from senexo.assays._balance.example import example as wells
from senexo.assays._colonies.tables import negative_binomial
from senexo.assays.stats.competing_risks import incidence, log_rank_score, pooled_incidence
from senexo.assays.stats.fieller import ratio_of_means
from senexo.assays.stats.paired_counts import exact_ratio, ratio_of_counts

REFERENCES = json.loads((Path(__file__).parent / "references" / "culture.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["untied", "tied", "entries"])
def test_incidences_are_those_of_survfit_and_cuminc(name: str) -> None:
    case = REFERENCES[name]
    entry, time, cause = (np.array(case[key], dtype=float) for key in ("entry", "time", "cause"))
    found = incidence(entry, time, cause.astype(int) - 1, 2)
    np.testing.assert_allclose(found.time, case["times"])
    np.testing.assert_array_equal(found.at_risk, case["at_risk"])
    for k, fate in enumerate(("division", "death")):
        np.testing.assert_allclose(found.incidence[k], case[fate], rtol=1e-6)
        np.testing.assert_allclose(found.error[k], case[f"{fate}_error"], rtol=1e-6, atol=1e-12)
    low, high = found.interval()
    told = [end is not None and end != "NA" for end in case["low"]]
    for mine, theirs in ((low, "low"), (high, "high")):
        np.testing.assert_allclose(mine[0][told], [x for x, t in zip(case[theirs], told, strict=True) if t], rtol=1e-6)
    if name != "entries":
        gray = np.array(case["cuminc"], dtype=float).reshape(2, 2)  # cmprsk: [time, cause], by column
        np.testing.assert_allclose(np.array([found.at(t)[0] for t in case["at"]]), gray, rtol=1e-6)


def tracks() -> pd.DataFrame:
    case = REFERENCES["arms"]
    names = {0: "censored", 1: "division", 2: "death"}
    arm = ["mimic" if a else "mock" for a in case["arm"]]
    cells = pd.DataFrame({"arm": arm, "donor": case["donor"], "cell": range(len(arm)), "time_h": case["time"]})
    return cells.assign(fate=[names[c] for c in case["cause"]])


def test_arms_are_compared_by_rs_t_tests_over_donors() -> None:
    case = REFERENCES["arms"]
    row = fates(tracks(), compare=("mimic", "mock"), cause="division", time_h=24).table.iloc[0]
    assert row["difference"] == pytest.approx(case["difference"][0], rel=1e-6)
    np.testing.assert_allclose([row["low"], row["high"]], case["ci"], rtol=1e-6)
    assert row["p_value"] == pytest.approx(case["p"][0], rel=1e-6)
    assert row["p_log_rank"] == pytest.approx(case["p_score"][0], rel=1e-6)
    for donor, mine in tracks().groupby("donor"):
        time, first = mine["time_h"].to_numpy(), (mine["arm"] == "mimic").to_numpy()
        score = log_rank_score(np.zeros(len(mine)), time, (mine["fate"] == "division").to_numpy(), first)
        assert score == pytest.approx(case["score"][int(str(donor)) - 1], rel=1e-6)


def test_without_open_ends_an_incidence_is_a_share() -> None:
    rows = [("a", d, c, 1.0 + c, "division" if c < 3 else "death") for d in "xyz" for c in range(10)]
    found = fates(pd.DataFrame(rows, columns=["arm", "donor", "cell", "time_h", "fate"]))
    table = found.tables["fractions"].set_index("fate")
    assert table["incidence"].to_dict() == pytest.approx({"division": 0.3, "death": 0.7})
    assert (table["low"] < table["incidence"]).all()


def test_a_donor_not_followed_so_long_is_part_as_far_as_it_was() -> None:
    cells = tracks()
    cells.loc[(cells["donor"] == 4) & (cells["time_h"] > 12), ["time_h", "fate"]] = [12.0, "censored"]
    found = fates(cells, compare=("mimic", "mock"), time_h=24)
    assert set(found.table["n_donors"]) == {4}
    assert any("mimic: 1 of 4 donors (4) was not followed to 24 h" in note for note in found.notes)
    assert fates(cells, compare=("mimic", "mock")).settings["time_h"] == 12.0
    apart = fates(cells.assign(donor=cells["arm"] + cells["donor"].astype(str)), compare=("mimic", "mock"))
    assert set(apart.table["verdict"]) == {"not testable"}


def counted(name: str) -> pd.DataFrame:
    case = REFERENCES[name]
    arm = ["mimic" if a else "mock" for a in case["arm"]]
    columns = {"arm": arm, "donor": case["donor"], "replicate": range(len(arm)), "colonies": case["colonies"]}
    return pd.DataFrame({**columns, "cells_plated": case["plated"]})


@pytest.mark.parametrize("name", ["scattered", "few"])
def test_surviving_fractions_are_rs_glm_and_glm_nb(name: str) -> None:
    case = REFERENCES[name]
    row = colonies(counted(name), compare=("mimic", "mock")).table.iloc[0]
    assert row["ratio"] == pytest.approx(case["ratio"][0], rel=1e-6)
    np.testing.assert_allclose([row["low"], row["high"]], case["ci"], rtol=1e-6)
    assert row["p_value"] == pytest.approx(case["p"][0], rel=1e-6)
    assert row["dispersion"] == pytest.approx(case["dispersion"][0], rel=1e-6)
    assert row["ratio_nb"] == pytest.approx(case["ratio_nb"][0], rel=1e-4)  # glm.nb stops early
    assert row["theta_nb"] == pytest.approx(case["theta"][0], rel=1e-3)
    assert row["p_nb"] == pytest.approx(case["p_nb"][0], rel=2e-3)


def test_the_exact_test_is_poisson_test() -> None:
    """One donor: the conditional binomial test; its interval is poisson.test's, its p twice the smaller tail."""
    case = REFERENCES["exact"]
    (y, other), (x, x_other) = case["colonies"], case["plated"]
    found = exact_ratio(np.array([float(y)]), np.array([float(y + other)]), np.log(np.array([x / x_other])))
    np.testing.assert_allclose(np.exp([found.value, found.low, found.high]), [case["ratio"][0], *case["ci"]], rtol=1e-6)
    assert found.p_value == pytest.approx(2.0 * case["p_one_sided"][0], rel=1e-6)


def test_donors_add_up_in_the_exact_test() -> None:
    """With one and the same ratio plated, donors' sums are one binomial."""
    y, m = np.array([2.0, 0.0, 5.0]), np.array([9.0, 3.0, 11.0])
    apart, together = (exact_ratio(a, b, np.zeros(len(a))) for a, b in ((y, m), (y[:1] * 3.5, m[:1] * 23 / 9)))
    np.testing.assert_allclose((apart.low, apart.high, apart.p_value), (together.low, together.high, together.p_value))


def test_no_colony_at_all_is_legal() -> None:
    table = counted("few")
    table.loc[table["arm"] == "mimic", "colonies"] = 0
    row = colonies(table, compare=("mimic", "mock")).table.iloc[0]
    assert (row["ratio"], row["low"]) == (0.0, 0.0)
    assert 0.0 < row["high"] < 0.5
    assert row["p_value"] < 0.01
    assert math.isnan(row["dispersion"])
    nobody = colonies(table.assign(colonies=0), compare=("mimic", "mock"))
    assert nobody.table["verdict"].to_list() == ["not testable"]
    assert "no colony in either arm" in nobody.sentence
    one = colonies(counted("few").query("donor == 'a'"), compare=("mimic", "mock"))
    assert one.table["verdict"].to_list() == ["not testable"]
    assert 0.0 <= one.table["p_exact"][0] <= 1.0


def test_dishes_that_scatter_are_told() -> None:
    found = colonies(counted("scattered"))
    assert (found.tables["dishes"]["dispersion"] > 1.5).all()
    assert any("times as much as counting alone" in note for note in found.notes)
    alike = counted("scattered").assign(colonies=20, cells_plated=1000)
    assert math.isnan(negative_binomial(alike, "mimic")["p_nb"])
    assert ratio_of_counts(*(np.full(3, 10.0) for _ in range(4))).log_ratio.value == pytest.approx(0.0)


def test_fieller_is_where_the_t_test_turns() -> None:
    case = REFERENCES["fieller"]
    loss, gain = np.array(case["loss"]), np.array(case["gain"])
    found = ratio_of_means(gain, loss)
    np.testing.assert_allclose([found.value, found.low, found.high], [case["ratio"][0], *case["ci"]], rtol=1e-6)
    table = pd.DataFrame({
        "arm": ["together"] * 5 + ["apart"] * 5, "donor": [*"abcde"] * 2,
        "donor_cells": [*(20 - loss), *[20.0] * 5], "recipient_cells": [*(1 + gain), *[1.0] * 5],
    })  # fmt: skip
    row = balance(table, compare=("together", "apart")).table.iloc[0]
    assert row["p_loss"] == pytest.approx(case["p_loss"][0], rel=1e-6)
    assert row["p_gain"] == pytest.approx(case["p_gain"][0], rel=1e-6)
    np.testing.assert_allclose([row["loss_low"], row["loss_high"]], case["loss_ci"], rtol=1e-6)
    np.testing.assert_allclose([row["index_low"], row["index_high"]], case["ci"], rtol=1e-6)


def test_a_loss_not_told_from_nothing_leaves_the_ratio_open() -> None:
    found = ratio_of_means(np.array([1.0, 2.0, 3.0]), np.array([-5.0, 6.0, 0.5]))
    assert (found.low, found.high) == (-math.inf, math.inf)


def made(loss: list[float], gain: list[float], **columns: object) -> pd.DataFrame:
    n = len(loss)
    return pd.DataFrame({
        "arm": ["a"] * n + ["b"] * n, "donor": [*range(n)] * 2, "donor_cells": [*(100 - np.array(loss)), *[100.0] * n],
        "recipient_cells": [*(10 + np.array(gain)), *[10.0] * n], **columns,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("loss", "gain", "verdict", "words"),
    [
        ([30, 34, 28, 31], [20, 24, 19, 20], "transfer", "transfer; index"),
        ([30, 34, 28, 31], [0.2, -0.3, 0.1, 0.0], "loss without transfer", "0.1 is excluded"),
        ([30, 34, 28, 31], [9, -8, 2, 4], "not decided", "neither a gain nor its absence"),
        ([10, 11, 9, 10], [40, 45, 38, 41], "not decided", "another source"),
        ([3, -4, 1, 0], [20, 24, 19, 20], "not decided", "no loss of donor cells is shown"),
        ([3, -4, 1, 0], [1, -2, 3, -1], "not decided", "neither a loss nor a gain"),
        ([30], [20], "not testable", "two are needed"),
        ([30, 30], [0, 0], "loss without transfer", "excluded"),
    ],
)
def test_the_words_of_the_balance(loss: list[float], gain: list[float], verdict: str, words: str) -> None:
    found = balance(made(loss, gain), compare=("a", "b"))
    assert [finding.verdict for finding in found.findings] == [verdict]
    assert words in found.sentence


def test_errors_of_measuring_widen_the_interval() -> None:
    exact = balance(made([30, 34, 28], [20, 24, 19]), compare=("a", "b")).table.iloc[0]
    rough = balance(
        made([30, 34, 28], [20, 24, 19], recipient_cells_sd=40.0, donor_cells_sd=0.0), compare=("a", "b")
    ).table.iloc[0]
    assert rough["gain_high"] > exact["gain_high"] + 50.0
    assert rough["loss_high"] == exact["loss_high"]
    assert exact["verdict"] == "transfer" != rough["verdict"]


def test_a_simulated_balance_closes_or_is_told() -> None:
    table = made([30, 34, 28], [20, 24, 19], vesicular=5.0, degraded=40.0)
    whole = table["donor_cells"] + table["recipient_cells"] + 45.0
    assert balance(table.assign(made=whole), compare=("a", "b")).notes == ()
    open_one = balance(table.assign(made=whole + np.array([7.0, 0, 0, 0, 0, 0])), compare=("a", "b"))
    assert "in 1 of 6 wells copies made are not those found" in open_one.notes[0]
    assert open_one.tables["wells"]["unaccounted"].to_list() == [7.0, 0, 0, 0, 0, 0]
    assert wells().shape == (20, 8)


FOLLOWED: dict[str, Any] = json.loads((Path(__file__).parent / "references" / "fates_followed.json").read_text())


@pytest.mark.parametrize("name", list(FOLLOWED))
def test_what_was_followed_of_every_donor_is_used(name: str) -> None:
    """Made-up case fates4.csv, of which 4 of 12 donor-arms were dropped, and one with three fates, against survfit."""
    reference = FOLLOWED[name]
    cells = pd.DataFrame(reference["input"]).astype({"time_h": float})
    found = fates(cells, compare=("mimic", "mock" if name == "three" else "scrambled"), time_h=reference["at"][0])
    rows = found.tables["fractions"].set_index(["arm", "fate"])
    for arm in cells["arm"].unique():
        for fate, share in zip(reference[arm]["fate"], reference[arm]["incidence"], strict=True):
            assert rows.loc[(arm, fate), "incidence"] == pytest.approx(share, rel=1e-6)
            assert rows.loc[(arm, fate), "n_donors"] == cells.loc[cells["arm"] == arm, "donor"].nunique()
    assert any("what was followed is used" in note for note in found.notes)
    place = {donor: k for k, donor in enumerate(dict.fromkeys(cells["donor"]))}
    for arm, own in cells.groupby("arm"):
        names = reference[arm]["fate"]
        cause = np.array([names.index(fate) if fate in names else -1 for fate in own["fate"]])
        pooled = pooled_incidence(
            np.zeros(len(own)), own["time_h"].to_numpy(float), cause, len(names),
            own["donor"].map(place).to_numpy(np.int64), reference["at"][0],
        )  # fmt: skip
        errors = np.sqrt((pooled.influence**2).sum(axis=1))
        assert errors.tolist() == pytest.approx(reference[arm]["error"], rel=1e-6)


def test_pooled_donors_that_were_all_followed_are_their_mean() -> None:
    """The estimate over donors together, where nothing was cut off, is the mean of the donors' shares and its error."""
    rng = np.random.default_rng(4)
    cells = pd.DataFrame(
        {"donor": rng.integers(0, 5, 80), "time_h": rng.uniform(1, 40, 80), "cause": rng.integers(0, 2, 80)}
    )
    found = pooled_incidence(
        np.zeros(80), cells["time_h"].to_numpy(), cells["cause"].to_numpy(), 2, cells["donor"].to_numpy(), 50.0
    )
    shares = cells.groupby("donor")["cause"].mean()
    assert found.incidence[1] == pytest.approx(shares.mean(), rel=1e-9)
    error = shares.std(ddof=0) / np.sqrt(5)
    assert float(np.sqrt((found.influence[1] ** 2).sum())) == pytest.approx(error, rel=1e-9)


def test_intervals_of_donors_followed_in_part_cover() -> None:
    """300 sets of 8 donors of 12 cells, half of them followed to 30 of 48 h: 95 % intervals cover in 90 % or more."""
    rng, covered, sets = np.random.default_rng(20261130), 0, 300
    truth = 1.0 - float(np.mean(np.exp(-48.0 / 30.0 * np.exp(0.4 * np.random.default_rng(1).normal(size=200_000)))))
    for _ in range(sets):
        rate = np.repeat(np.exp(0.4 * rng.normal(size=8)) / 30.0, 12)
        time, end = rng.exponential(1.0 / rate), np.repeat([48.5, 30.0] * 4, 12)
        cells = pd.DataFrame({
            "arm": "a", "donor": np.repeat([f"d{k}" for k in range(8)], 12), "cell": range(96),
            "time_h": np.minimum(time, end).clip(0.01), "fate": np.where(time <= end, "division", "censored"),
        })  # fmt: skip
        row = fates(cells, time_h=48.0).tables["fractions"].iloc[0]
        covered += row["low"] <= truth <= row["high"]
    assert covered >= 0.9 * sets
