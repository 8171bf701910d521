"""The expression assay on measured and simulated tables, against R and against laws."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from senexo.assays import expression
from senexo.assays._expression.example import example
from senexo.assays._expression.spec import SPEC
from senexo.base.table import read_table

REFERENCES = json.loads((Path(__file__).parent / "references" / "expression.json").read_text(encoding="utf-8"))


def limma_table(name: str) -> tuple[pd.DataFrame, dict[str, list[float]]]:
    case = REFERENCES[name]
    frame = pd.DataFrame(np.array(case["y"], dtype=float).T, columns=[f"r{i}" for i in range(len(case["y"]))])
    frame.insert(0, "group", case["group"])
    if case["donor"]:
        frame.insert(0, "donor", case["donor"])
    return frame, case


@pytest.mark.parametrize(("name", "design"), [("limma_unpaired", "unpaired"), ("limma_paired", "paired")])
def test_intensities_give_limmas_table(name: str, design: str) -> None:
    table, case = limma_table(name)
    donor = "donor" if design == "paired" else None
    found = expression(table, group="group", control="control", kind="intensities", donor=donor, design=design)
    rows = found.table.set_index("feature").loc[[f"r{i}" for i in range(len(case["y"]))]]
    for column, theirs in (("log2_fold", "effect"), ("log2_low", "low"), ("p_value", "p"), ("p_bh", "bh")):
        np.testing.assert_allclose(rows[column], case[theirs], rtol=1e-6)
    assert found.settings["df_prior"] == pytest.approx(case["df_prior"][0], rel=1e-6)
    assert found.settings["s2_prior"] == pytest.approx(case["s2_prior"][0], rel=1e-6)
    linear = table.assign(**{name: 2.0 ** table[name] for name in table.columns if name.startswith("r")})
    again = expression(
        linear, group="group", control="control", kind="intensities", scale="linear", donor=donor, design=design
    )
    np.testing.assert_allclose(again.table["p_value"], found.table["p_value"], rtol=1e-9)


def test_mir_34c_is_not_tested_in_laml(shared_data: Path) -> None:
    """Risk groups of TCGA-LAML: miR-34c is below detection; what is known of them is found (miR-196b, miR-10a)."""
    folder = shared_data / "tcga-laml"
    clinical = read_table(folder / "tidy_clinical.csv")[["patient", "cyto_risk"]]
    counts = read_table(folder / "tidy_mirna_counts.csv.gz").merge(clinical, on="patient")
    kept = [
        "patient",
        "cyto_risk",
        *counts.columns[1:-1:4],
        "hsa-mir-34c",
        "hsa-mir-34a",
        "hsa-mir-196b",
        "hsa-mir-10a",
    ]
    found = expression(
        counts[list(dict.fromkeys(kept))], group="cyto_risk", control="favorable", case="poor", sample="patient",
        features="hsa-*", target=["hsa-mir-34c", "hsa-mir-34a"],
    )  # fmt: skip
    verdicts = {finding.id: (finding.verdict, finding.p_value) for finding in found.findings}
    assert verdicts["fold:hsa-mir-34c:poor:favorable"] == ("below detection: not testable", None)
    assert verdicts["fold:hsa-mir-34a:poor:favorable"][0] == "not shown"
    rows = found.table.set_index("feature")
    assert (rows.loc[["hsa-mir-196b", "hsa-mir-10a"], "verdict"] == "large").all()
    assert math.isnan(rows.at["hsa-mir-34c", "p_value"])
    assert math.isnan(rows.at["hsa-mir-34c", "fold"])
    tested = rows["p_value"].notna()
    assert tested.sum() == found.settings["n_tested"] == (rows["detection"] != "below detection").sum()
    assert any("intermediate/normal" in note for note in found.notes)


def test_an_rna_of_one_group_only_is_tested() -> None:
    """Present in all of 3 cases and in none of 12 controls: measured in 20 % of samples, and yet the best finding."""
    rng = np.random.default_rng(5)
    counts = pd.DataFrame(rng.negative_binomial(10, 10 / 310, (15, 25)), columns=[f"r{i}" for i in range(25)])
    counts["only"] = [40, 55, 61] + [0] * 12
    counts["group"] = ["LSC"] * 3 + ["HSC"] * 12
    row = expression(counts, group="group", control="HSC", target="only").table.set_index("feature").loc["only"]
    assert row["detection"] == "partly below detection"
    assert row["p_value"] < 1e-4


def test_reads_per_million_give_the_answers_of_reads() -> None:
    reads = example()
    names = [name for name in reads.columns if name.startswith("miR")]
    reads["miR-rare"] = 1
    names.append("miR-rare")
    rpm = reads.copy()
    rpm[names] = reads[names].div(reads[names].sum(axis=1) / 1e6, axis=0).round(4)
    options = {**SPEC.example, "target": None}
    ours, theirs = (expression(t, kind=kind, **options) for t, kind in ((reads, "counts"), (rpm, "rpm")))
    np.testing.assert_allclose(ours.table["p_value"], theirs.table["p_value"], rtol=1e-9)
    assert any("recovered" in note for note in theirs.notes)


def test_replicates_of_a_donor_count_once() -> None:
    """Reads split over two runs of a library are summed: the same answer, and a note."""
    whole = example()
    names = [name for name in whole.columns if name.startswith("miR")]
    rng = np.random.default_rng(2)
    first, second = whole.copy(), whole.copy()
    first[names] = rng.binomial(whole[names], 0.5)
    second[names] = whole[names] - first[names]
    split = pd.concat([first, second], ignore_index=True)
    one, two = (expression(t, **SPEC.example) for t in (whole, split))
    np.testing.assert_allclose(one.table["p_value"], two.table["p_value"], rtol=1e-9)
    assert one.settings["n_case"] == two.settings["n_case"] == 6
    assert any("summed" in note for note in two.notes)


def test_swapping_the_groups_mirrors_the_answer() -> None:
    there, back = (
        expression(example(), **{**SPEC.example, "control": name, "target": None}) for name in ("HSC", "LSC")
    )
    one, other = (found.table.set_index("feature").sort_index() for found in (there, back))
    np.testing.assert_allclose(one["log2_fold"], -other["log2_fold"], atol=1e-5)
    np.testing.assert_allclose(one["p_value"], other["p_value"], rtol=1e-3)
    np.testing.assert_allclose(one["log2_low"], -other["log2_high"], atol=1e-3)


def test_a_few_rnas_need_the_depth() -> None:
    reads = example()
    few = reads[["donor", "cell", "miR-34a-5p", "miR-21-5p"]].assign(
        total=reads.drop(columns=["donor", "cell"]).sum(axis=1)
    )
    options = {"group": "cell", "control": "HSC", "donor": "donor", "design": "paired", "target": "miR-34a-5p"}
    without = expression(few.drop(columns="total"), **options)
    assert without.findings[-1].verdict == "not testable"
    assert "too few to tell the depth" in without.sentence
    assert without.figure() is not None
    found = expression(few, depth="total", **options)
    assert found.settings["df_prior"] == 0.0
    assert found.findings[-1].verdict == "moderate"
    assert found.findings[-1].low < 0.35 < found.findings[-1].high


def test_background_of_intensities() -> None:
    """log2 intensities around the background in every sample: below detection; without a background nothing is."""
    rng = np.random.default_rng(4)
    table = pd.DataFrame(rng.normal(9.0, 0.5, (8, 12)), columns=[f"r{i}" for i in range(12)])
    table["r0"] = rng.normal(4.0, 0.3, 8)
    table["group"] = ["a"] * 4 + ["b"] * 4
    options = {"group": "group", "control": "a", "kind": "intensities", "target": "r0"}
    assert expression(table, background=6.0, **options).findings[-1].verdict == "below detection: not testable"
    free = expression(table, **options)
    assert free.findings[-1].p_value is not None
    assert any("no background" in note for note in free.notes)


def test_one_donor_in_a_group_is_not_testable() -> None:
    table = example()
    table = table[(table["cell"] == "HSC") | (table["donor"] == "donor 1")]
    found = expression(table.drop(columns="donor"), group="cell", control="HSC", target="miR-34a-5p")
    assert [finding.verdict for finding in found.findings[-2:]] == ["not testable", "not testable"]
    assert "LSC has 1 and HSC 6 donors; two in each are needed" in found.sentence
    json.loads(found.to_json())


def test_a_null_table_has_few_findings() -> None:
    """40 RNAs that do nothing, 5 against 5: with probability 0.95 no RNA passes a false discovery rate of 5 %."""
    rng = np.random.default_rng(9)
    hits = 0
    for _ in range(10):  # P(more than 3 of 10) = 0.001
        counts = pd.DataFrame(rng.negative_binomial(8, 8 / 208, (10, 40)), columns=[f"r{i}" for i in range(40)])
        found = expression(counts.assign(group=["a"] * 5 + ["b"] * 5), group="group", control="a")
        hits += bool((found.table["p_bh"] < 0.05).any())
    assert hits <= 3
