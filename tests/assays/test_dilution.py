"""Limiting dilution against statmod's elda, edge cases included, and invariance to names."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, chi2, f, t

from senexo.assays._dilution.assay import DilutionResult, dilution
from senexo.assays._dilution.example import example
from senexo.assays._dilution.spec import SPEC
from senexo.assays.stats.single_hit import fit
from senexo.assays.stats.single_hit_fit import goodness_of_fit
from senexo.base.table import read_table
from verify._calibration import covers, keeps_level
from verify.assay_dilution import frequency, group_level, slope_level

REFERENCES: dict[str, Any] = json.loads((Path(__file__).parent / "references" / "dilution.json").read_text())
CASES = sorted(REFERENCES)


def found(case: str) -> tuple[DilutionResult, dict[str, list[Any]]]:
    theirs = REFERENCES[case]
    table = pd.DataFrame({key: theirs[key] for key in ("dose", "tested", "response", "group")})
    return dilution(table, group="group"), theirs


@pytest.mark.parametrize("case", CASES)
def test_frequencies_are_those_of_elda(case: str) -> None:
    ours, theirs = found(case)
    rows = ours.tables["frequencies"].set_index("group")
    for k, name in enumerate(theirs["group_order"]):
        for column, key in (("one_in_high_elda", "lower"), ("one_in", "estimate"), ("one_in_low_elda", "upper")):
            if theirs[key][k] is not None:
                assert rows.loc[name, column] == pytest.approx(theirs[key][k], rel=1e-6), (name, column)


@pytest.mark.parametrize("case", [case for case in CASES if REFERENCES[case]["ratio"][2] is not None])
def test_the_single_hit_tests_are_those_of_elda(case: str) -> None:
    ours, theirs = found(case)
    rows = ours.tables["single_hit"].set_index("test")
    if case == "separated":  # elda prints where its fit stopped on the way to infinity
        assert math.isinf(rows.loc["Wald", "slope"])
        assert math.isnan(rows.loc["Wald", "z"])
    else:
        assert rows.loc["Wald", "slope"] == pytest.approx(theirs["wald_converged"][0], rel=1e-6)
        assert rows.loc["Wald", "z"] == pytest.approx(theirs["wald_converged"][2], rel=1e-6, abs=1e-9)
        assert rows.loc["Wald", "p_value"] == pytest.approx(theirs["wald_converged"][3], rel=1e-6)
        assert rows.loc["Wald", "z"] == pytest.approx(theirs["wald"][2], rel=1e-4)
    for test, key in (
        ("likelihood ratio", "ratio"), ("score, log dose", "score_log"), ("score, dose", "score_dose")
    ):  # fmt: skip
        assert rows.loc[test, "z"] == pytest.approx(theirs[key][2], rel=1e-6, abs=1e-9), test
        assert rows.loc[test, "p_value"] == pytest.approx(theirs[key][3], rel=1e-6), test


@pytest.mark.parametrize("case", [case for case in CASES if REFERENCES[case]["fit"][0] is not None])
def test_the_fit_is_that_of_glm(case: str) -> None:
    ours, theirs = found(case)
    row = ours.tables["fit"].iloc[-1]
    deviance, df, pearson, error, dispersion = theirs["fit"]
    if df == 0:
        assert ours.findings[-1].verdict == "not testable"
        return
    assert [row["deviance"], row["degrees_of_freedom"]] == pytest.approx([deviance, df], rel=1e-6, abs=1e-9)
    assert [row["pearson"], row["dispersion"]] == pytest.approx([pearson, dispersion], rel=1e-5, abs=1e-9)
    if row["against"] == "chi-squared":
        assert row["p_value"] == pytest.approx(chi2.sf(deviance, df), rel=1e-6)
    if (
        ours.tables["frequencies"]["dispersion"].iloc[0] > 1.0 and error is not None
    ):  # quasibinomial's error, Student's t
        first = ours.tables["frequencies"].iloc[0]
        half = math.log(first["frequency"] / first["frequency_low"])  # its upper end may be 1, every cell
        assert half == pytest.approx(t.ppf(0.975, df) * error, rel=1e-5)


def test_units_that_respond_most_at_a_middle_dose_are_no_single_hit() -> None:
    """Made-up case gof.csv: slope 0.852 (p = 0.31), but a deviance of 17.4 on 4 df, p = 0.0016."""
    result = dilution(read_table(Path(__file__).parent / "cases" / "gof.csv"))
    row = result.tables["fit"].iloc[0]
    assert [round(row["deviance"], 1), row["degrees_of_freedom"], round(row["p_value"], 4)] == [17.4, 4, 0.0016]
    verdicts = {finding.id: finding.verdict for finding in result.findings}
    assert verdicts["single_hit:all"] == verdicts["fit:all"] == "contradicts single hit"
    assert "the slope agrees, but units do not respond at every dose" in result.sentence
    assert "4.77-fold overdispersion allowed for" in result.sentence
    assert result.tables["frequencies"]["one_in_high"].iloc[0] > 2 * result.tables["frequencies"]["one_in"].iloc[0]
    assert "quasi-likelihood" in result.method


def test_simulated_plates_keep_the_level_of_the_fit_where_few_units_are_expected() -> None:
    """300 plates of 4 mice at 5 doses: p < 0.05 in 5 % (the bar lets chance pass 1e-4), by chi-squared in fewer."""
    rng, wrong, by_chi, sets = np.random.default_rng(20261130), 0, 0, 300
    dose = np.array([100.0, 300.0, 1000.0, 3000.0, 10000.0])
    for _ in range(sets):
        units = (dose, np.full(5, 4.0), rng.binomial(4, -np.expm1(-dose / 900)).astype(float))
        estimate = fit(*units)
        if not 0.0 < estimate.value < math.inf:
            continue
        _, ours = goodness_of_fit({"all": units}, {"all": estimate})
        assert ours.simulated
        wrong += ours.p_value < 0.05
        by_chi += chi2.sf(ours.deviance, 4) < 0.05
    low, high = binom.ppf([1e-4, 1 - 1e-4], sets, 0.05)
    assert low <= wrong <= high
    assert by_chi < wrong


@pytest.mark.parametrize("case", [case for case in CASES if len(REFERENCES[case]["group_order"]) > 1])
def test_groups_are_compared_as_elda_does(case: str) -> None:
    ours, theirs = found(case)
    [row] = ours.tables["groups"].to_dict("records")
    chi, p, df = theirs["difference"]
    assert [row["chi_square"], row["degrees_of_freedom"]] == pytest.approx([chi, df], rel=1e-6)
    fit = ours.tables["fit"].iloc[-1]
    if ours.tables["frequencies"]["dispersion"].iloc[0] > 1.0:
        p = f.sf(chi / df / fit["dispersion"], df, fit["degrees_of_freedom"])
    assert row["p_value"] == pytest.approx(p, rel=1e-6)


def test_stored_answers_of_statmod(shared_data: Path) -> None:
    """Of the stored file: the manual's plate, its four groups, and plates at the edge (10, 100, 1000 cells, 6 each)."""
    text = (shared_data / "statistics" / "reference_from_R.txt").read_text()
    lines = [line.split() for line in text.splitlines() if line.startswith("Group ")]
    stored = [[float(x) for x in line[2:]] for line in lines if len(line) == 5 and len(line[2].partition(".")[2]) > 4]
    plates = [
        *(found(case)[0].tables["frequencies"] for case in ("manual", "four groups")),
        *(dilution(plate(response)).tables["frequencies"] for response in ([0, 6, 6], [6, 6, 6])),
    ]
    ours = pd.concat(plates)[["one_in_high_elda", "one_in", "one_in_low_elda"]].to_numpy().tolist()
    assert len(stored) == len(ours) == 7
    assert sorted(map(tuple, ours)) == [pytest.approx(row, rel=1e-7) for row in sorted(map(tuple, stored))]
    assert "Inf      Inf 2223.16261663" in text
    assert dilution(plate([0, 0, 0])).table["one_in_low"].iloc[0] == pytest.approx(2223.16261663, rel=1e-9)
    assert "Chisq 41.13922 on 3 DF, p-value: 6.109e-09" in text
    assert found("four groups")[0].tables["groups"]["chi_square"].iloc[0] == pytest.approx(41.13922, abs=5e-6)


def plate(response: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"dose": [10, 100, 1000], "tested": 6, "response": response})


def test_nothing_is_zero_and_everything_is_a_bound() -> None:
    none, every = found("none responded")[0], found("all responded")[0]
    assert "fewer than 1 in" in none.sentence
    assert none.findings[0].verdict == "upper bound only"
    assert none.findings[0].estimate is None
    assert "more than 1 in" in every.sentence
    assert every.findings[0].verdict == "lower bound only"
    assert all(result.findings[1].verdict == "not testable" for result in (none, every))


def test_a_plate_of_two_hits_contradicts_single_hit() -> None:
    result = found("steep")[0]
    assert result.findings[1].verdict == "contradicts single hit"
    assert "more than one cell" in result.sentence


def test_the_example_is_told_right() -> None:
    result = dilution(example(), **SPEC.example)  # type: ignore[arg-type]
    verdicts = {finding.id: finding.verdict for finding in result.findings}
    assert verdicts == {
        "frequency:scrambled": "estimated", "frequency:miR-34c": "estimated",
        "single_hit:all": "agrees with single hit", "fit:all": "agrees with single hit",
        "fold:scrambled:miR-34c": "large",
    }  # fmt: skip
    assert json.loads(result.to_json())["findings"][4]["estimate"] > 4


def test_the_figure_shows_every_group(tmp_path: Path) -> None:
    result = dilution(example(), **SPEC.example)  # type: ignore[arg-type]
    result.figure().savefig(tmp_path / "x.svg")
    text = (tmp_path / "x.svg").read_text()
    assert "scrambled" in text
    assert "miR-34c" in text


def test_order_names_and_split_rows_change_nothing() -> None:
    table = example()
    first = dilution(table, **SPEC.example)  # type: ignore[arg-type]
    halves = table.assign(wells=table["wells"] // 2, positive=table["positive"] // 2)
    rest = table.assign(wells=table["wells"] - halves["wells"], positive=table["positive"] - halves["positive"])
    again = dilution(pd.concat([halves, rest]).iloc[::-1], **SPEC.example)  # type: ignore[arg-type]
    ours = first.tables["frequencies"].set_index("group").sort_index()
    theirs = again.tables["frequencies"].set_index("group").sort_index()
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-9, check_dtype=False)


def test_calibration_in_200_sets() -> None:
    """Bars three standard errors wide (verify.assay_dilution runs 1,000)."""
    for check in (
        covers("dilution frequency, 3 doses", math.log(1 / 400), frequency, sets=200),
        keeps_level("dilution groups", group_level, sets=200),
        keeps_level("dilution slope", slope_level, sets=200),
    ):
        assert check.passed, check
