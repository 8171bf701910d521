"""Survival on measured tables of ../shared/data: TCGA-LAML, rossi, larynx, aml, lung, equal to R to 1e-6 relative.

Answers and how they were made: references/survival_shared.R, references/survival_shared.json. Where a stored answer of
../shared/data has all digits that are compared, it is read too.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cox_checks import check_model, level
from scipy.stats import t

from senexo.assays import survival
from senexo.assays.result import AssayResult
from senexo.base.join import join
from senexo.base.table import read_table

REFERENCES: dict[str, Any] = json.loads((Path(__file__).parent / "references" / "survival_shared.json").read_text())
RNAS = ("hsa-mir-34a", "hsa-mir-34b", "hsa-mir-34c")
SUBSETS = {"all": [], "non_apl": ["FAB_classification=M3"]}


@pytest.fixture(scope="module")
def patients(shared_data: Path) -> pd.DataFrame:
    folder = shared_data / "tcga-laml"
    clinical, rpm = (read_table(folder / name) for name in ("tidy_clinical.csv", "tidy_mirna_rpm.csv.gz"))
    return join(clinical, rpm, "patient")[0]


def ask(table: pd.DataFrame, subset: str, **options: Any) -> AssayResult:
    return survival(table, time="os_days", event="os_event", exclude=SUBSETS[subset], **options)


@pytest.mark.parametrize("subset", list(SUBSETS))
@pytest.mark.parametrize("rna", RNAS)
def test_levels_of_mir_34_in_tcga_laml(patients: pd.DataFrame, rna: str, subset: str) -> None:
    theirs, measured = REFERENCES[subset][rna], rna == "hsa-mir-34a"
    adjust = {"adjust": ["age", "cyto_risk"]}
    by_level = ask(patients, subset, value=level(rna), patient="patient", **adjust)
    assert by_level.settings["n"] == REFERENCES[subset]["n"][0]
    check_model(by_level, "alone", theirs["alone"], measured=measured)
    check_model(by_level, "adjusted", theirs["adjusted"], measured=measured)
    split = ask(patients, subset, value=level(rna), cut="median", **adjust)
    check_model(split, "alone", theirs["split_alone"], measured=measured)
    check_model(split, "adjusted", theirs["split_adjusted"], measured=measured)
    row = split.tables["logrank"].iloc[0]
    assert row["chi_square"] == pytest.approx(theirs["chisq"][0], rel=1e-6)
    if measured:
        assert row["p_value"] == pytest.approx(theirs["p"][0], rel=1e-6)
    assert split.tables["cuts"]["cut"].to_list() == pytest.approx(theirs["median_level"], rel=1e-6, abs=1e-12)
    groups = split.tables["groups"]
    for column, key in (
        ("n_expected", "expected"),
        ("median", "median"),
        ("mean", "mean"),
        ("median_low", "median_low"),
    ):
        assert groups[column].to_list() == pytest.approx(theirs[key], rel=1e-6), column
    ends = np.nan_to_num(np.array(theirs["median_high"], dtype=float), nan=math.inf)
    assert groups["median_high"].to_list() == pytest.approx(ends.tolist(), rel=1e-6)
    half = t.ppf(0.975, groups["n"] - 1) * np.sqrt(groups["n"] / (groups["n"] - 1)) * np.array(theirs["mean_se"])
    assert (groups["mean_high"] - groups["mean"]).to_list() == pytest.approx(half.to_list(), rel=1e-6)


@pytest.mark.parametrize(("rna", "verdict", "n_zero", "few"), [
    ("hsa-mir-34a", "detected", 0, 1), ("hsa-mir-34b", "below detection", 120, 156),
    ("hsa-mir-34c", "below detection", 93, 142),
])  # fmt: skip
@pytest.mark.parametrize("table", ["rpm", "counts"])
def test_was_it_measured(
    patients: pd.DataFrame, shared_data: Path, rna: str, verdict: str, n_zero: int, few: int, table: str
) -> None:
    """From RPM the reads are recovered: the same report as from the counts themselves, depth of the sample included."""
    if table == "counts":
        folder = shared_data / "tcga-laml"
        patients = join(
            read_table(folder / "tidy_clinical.csv"), read_table(folder / "tidy_mirna_counts.csv.gz"), "patient"
        )[0]
    result = ask(patients, "all", value=level(rna))
    report = result.tables["detection"].iloc[0]
    assert [report["n"], report["n_zero"], report["verdict"]] == [188, n_zero, verdict]
    assert result.findings[0].id == f"detection:{level(rna)}"
    if verdict == "detected":
        return
    assert f"none in {n_zero}, at most 2 in {few}" in result.findings[0].sentence
    asked = [finding for finding in result.findings if finding.id.startswith("hazard_ratio")]
    assert asked
    assert {finding.verdict for finding in asked} == {"below detection: not testable"}
    assert all(finding.p_value is None and finding.estimate is None for finding in asked)


@pytest.mark.parametrize("subset", list(SUBSETS))
def test_controls_that_must_work(patients: pd.DataFrame, subset: str) -> None:
    """Age and cytogenetic risk go with survival: as numbers, as groups, in strata."""
    theirs = REFERENCES[subset]
    age = ask(patients, subset, value="age", adjust="cyto_risk")
    check_model(age, "alone", theirs["age"])
    check_model(age, "adjusted", theirs["control"])
    check_model(ask(patients, subset, value="age", strata="cyto_risk"), "stratified", theirs["age_strata"])
    risk = ask(patients, subset, group="cyto_risk")
    assert risk.tables["logrank"]["chi_square"].iloc[0] == pytest.approx(theirs["cyto_risk"]["chisq"][0], rel=1e-6)
    check_model(risk, "alone", theirs["cyto_risk"]["model"])
    found = {finding.id: finding for finding in age.findings}
    assert found["hazard_ratio:adjusted:age"].verdict == "moderate"


@pytest.mark.parametrize("subset", list(SUBSETS))
def test_several_rnas_at_once(patients: pd.DataFrame, subset: str) -> None:
    theirs = REFERENCES[subset]["screen"]
    rows = ask(patients, subset, value=[level(rna) for rna in theirs["rna"]]).tables["cox"]
    for column, key in (("p_value", "p"), ("p_holm", "holm"), ("p_bh", "bh")):
        assert rows[column].to_list() == pytest.approx(theirs[key], rel=1e-6), column


def test_stored_answers_of_r(patients: pd.DataFrame, shared_data: Path) -> None:
    """The file beside the data, to as many digits as it has."""
    text = (shared_data / "tcga-laml" / "reference_from_R.txt").read_text()
    pattern = (
        r"^(all|nonAPL) (hsa-mir-34[abc]) n (\d+) events (\d+) median-split chisq (\S+) .*uni HR (\S+) .*\) HR (\S+) "
    )
    lines = re.findall(pattern, text, re.MULTILINE)
    assert len(lines) == 6
    for subset, rna, n, events, chi, alone, adjusted in lines:
        key = {"all": "all", "nonAPL": "non_apl"}[subset]
        result = ask(patients, key, value=level(rna), adjust=["age", "cyto_risk"])
        ratios = result.tables["cox"].query("role == 'asked'")["hazard_ratio"].to_list()
        assert ratios == pytest.approx([float(alone), float(adjusted)], rel=1e-6)
        split = ask(patients, key, value=level(rna), cut="median")
        assert split.tables["logrank"]["chi_square"].iloc[0] == pytest.approx(float(chi), rel=1e-9)
        assert [split.settings["n"], split.settings["n_events"]] == [int(n), int(events)]


def test_rossi_larynx_aml_and_lung(shared_data: Path) -> None:
    rossi, larynx, aml, lung = (
        read_table(shared_data / "statistics" / f"{name}.csv") for name in ("rossi", "larynx", "aml", "lung")
    )
    theirs = REFERENCES["rossi"]
    week = {"time": "week", "event": "arrest"}
    found = survival(rossi, **week, value="fin", cut=0, adjust=["age", "race", "wexp", "mar", "paro", "prio"])
    assert found.tables["logrank"]["chi_square"].iloc[0] == pytest.approx(theirs["chisq"][0], rel=1e-6)
    check_model(found, "alone", theirs["alone"])
    check_model(found, "adjusted", theirs["adjusted"])
    strata = survival(rossi, **week, group="fin", strata="wexp").tables["logrank"]
    assert strata["chi_square"].iloc[0] == pytest.approx(theirs["stratified"][0], rel=1e-6)
    theirs = REFERENCES["larynx"]
    numbers = larynx[["Stage_II", "Stage_III", "Stage_IV"]].astype(int) * [1, 2, 3]
    staged = larynx.assign(stage=(1 + numbers.sum(axis=1)).map({1: "I", 2: "II", 3: "III", 4: "IV"}))
    found = survival(staged, time="time", event="death", group="stage", adjust="age")
    assert found.tables["logrank"]["chi_square"].iloc[0] == pytest.approx(theirs["chisq"][0], rel=1e-6)
    check_model(found, "adjusted", theirs["adjusted"])
    check_model(survival(larynx, time="time", event="death", value="age"), "alone", theirs["age"])
    theirs = REFERENCES["aml"]
    found = survival(aml, time="time", event="status", group="x")
    assert found.tables["logrank"]["chi_square"].iloc[0] == pytest.approx(theirs["chisq"][0], rel=1e-6)
    check_model(found, "alone", theirs["alone"])
    theirs = REFERENCES["lung"]
    found = survival(lung, time="time", event="status=2", value="sex", cut=1)
    assert found.tables["logrank"]["chi_square"].to_list() == pytest.approx(
        [theirs["chisq"][0], theirs["peto"][0]], rel=1e-6
    )
    adjusted = survival(lung, time="time", event="status=2", value="age", adjust=["sex", "ph.ecog"])
    check_model(adjusted, "adjusted", theirs["adjusted"])
    stratified = survival(lung, time="time", event="status=2", value="age", adjust="sex", strata="ph.ecog")
    check_model(stratified, "adjusted", theirs["stratified"])
