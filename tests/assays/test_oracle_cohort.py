"""A made-up cohort, joined, split and screened, equal to R to 1e-6; these oracles ship with the tests.

tests/oracles/make_cohort.py drew the tables, tests/oracles/cohort.R computed the answers (R 4.2.2, survival 3.5-3).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cox_checks import check_model, level
from scipy.stats import t

from senexo.assays import survival
from senexo.assays.detection import reads_of
from senexo.assays.result import AssayResult
from senexo.base.join import join
from senexo.base.table import read_table

FOLDER = Path(__file__).parents[1] / "oracles" / "cohort"
ANSWERS: dict[str, Any] = json.loads((FOLDER / "answers.json").read_text(encoding="utf-8"))
SUBSETS = {"all": [], "without_M3": ["FAB=M3"]}
ADJUST = ["age", "cyto_risk"]


def patients(form: str = "rpm") -> pd.DataFrame:
    return join(read_table(FOLDER / "clinical.csv"), read_table(FOLDER / f"{form}.csv"), "patient")[0]


def ask(subset: str, **options: Any) -> AssayResult:
    return survival(patients(), time="os_days", event="os_event", exclude=SUBSETS[subset], **options)


def test_patients_of_one_table_only_are_left_out_and_counted() -> None:
    clinic, reads = read_table(FOLDER / "clinical.csv"), read_table(FOLDER / "rpm.csv")
    both, notes = join(clinic, reads, "patient", where="clinical", where_other="reads")
    assert [len(both)] == ANSWERS["joined"]
    assert notes == ["12 of 170 rows of clinical have no partner in reads by patient and are left out"]


@pytest.mark.parametrize("subset", SUBSETS)
@pytest.mark.parametrize("rna", ["hsa-mir-34a", "hsa-mir-20b"])
def test_levels_and_median_splits(rna: str, subset: str) -> None:
    theirs = ANSWERS[subset][rna]
    by_level = ask(subset, value=level(rna), adjust=ADJUST)
    assert [by_level.settings["n"]] == ANSWERS[subset]["n"]
    assert [by_level.settings["n_events"]] == ANSWERS[subset]["events"]
    check_model(by_level, "alone", theirs["alone"])
    check_model(by_level, "adjusted", theirs["adjusted"])
    split = ask(subset, value=level(rna), cut="median", adjust=ADJUST)
    check_model(split, "alone", theirs["split_alone"])
    check_model(split, "adjusted", theirs["split_adjusted"])
    row = split.tables["logrank"].iloc[0]
    assert [row["chi_square"], row["p_value"]] == pytest.approx([theirs["chisq"][0], theirs["p"][0]], rel=1e-6)
    assert split.tables["cuts"]["cut"].to_list() == pytest.approx(theirs["median_level"], rel=1e-6)
    groups = split.tables["groups"]
    for column, key in (
        ("n_expected", "expected"),
        ("median", "median"),
        ("mean", "mean"),
        ("median_low", "median_low"),
    ):
        assert groups[column].to_list() == pytest.approx(theirs[key], rel=1e-6), column
    half = t.ppf(0.975, groups["n"] - 1) * np.sqrt(groups["n"] / (groups["n"] - 1)) * np.array(theirs["mean_se"])
    assert (groups["mean_high"] - groups["mean"]).to_list() == pytest.approx(half.to_list(), rel=1e-6)


@pytest.mark.parametrize("subset", SUBSETS)
def test_age_and_risk_as_numbers_groups_and_strata(subset: str) -> None:
    theirs = ANSWERS[subset]
    check_model(ask(subset, value="age"), "alone", theirs["age"])
    check_model(ask(subset, value="age", strata="cyto_risk"), "stratified", theirs["age_strata"])
    risk = ask(subset, group="cyto_risk")
    assert risk.tables["logrank"]["chi_square"].iloc[0] == pytest.approx(theirs["cyto_risk"]["chisq"][0], rel=1e-6)
    check_model(risk, "alone", theirs["cyto_risk"]["model"])


@pytest.mark.parametrize("subset", SUBSETS)
def test_several_rnas_at_once(subset: str) -> None:
    theirs = ANSWERS[subset]["screen"]
    rows = ask(subset, value=[level(rna) for rna in theirs["rna"]]).tables["cox"]
    for column, key in (("p_value", "p"), ("p_holm", "holm"), ("p_bh", "bh")):
        assert rows[column].to_list() == pytest.approx(theirs[key], rel=1e-6), column


@pytest.mark.parametrize("rna", ["hsa-mir-34b", "hsa-mir-34c"])
def test_an_rna_that_was_hardly_seen_is_not_tested(rna: str) -> None:
    """The reads are recovered from RPM: those of the table of counts, which are known exactly."""
    result = ask("all", value=level(rna))
    report = result.tables["detection"].iloc[0]
    kept = patients("counts")[rna].astype(float)  # of all who have reads, those without follow-up too
    assert [report["n"], report["n_zero"], report["verdict"]] == [len(kept), int((kept == 0).sum()), "below detection"]
    assert f"none in {(kept == 0).sum()}, at most 2 in {(kept <= 2).sum()}" in result.findings[0].sentence
    ratios = [finding for finding in result.findings if finding.id.startswith("hazard_ratio")]
    assert ratios
    assert {finding.verdict for finding in ratios} == {"below detection: not testable"}
    assert all(finding.p_value is None and finding.estimate is None for finding in ratios)


def test_counts_and_rpm_are_the_same_reads() -> None:
    counts, rpm = (read_table(FOLDER / f"{form}.csv").set_index("patient").astype(float) for form in ("counts", "rpm"))
    for name in counts.columns:
        pd.testing.assert_series_equal(reads_of(rpm[name], rpm), counts[name], rtol=1e-9)
