"""Findings belong to their request: one RNA requested twice, one stain requested twice, an unknown assay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from senexo import workflow
from senexo.lab import judging
from senexo.report.page import grouped
from senexo.study.read import read_study
from senexo.study.schema import AssayRequest, Study

TWICE = """
title = "two requests of one target"
seed = 3
[model]
circuit = "mir34c-rab27b"
[cells.LSC]
n = 2
[donors]
n = 3
[culture]
duration = "2 d"
serum = "20 %"
preequilibration = "24 h"
[arms.mock]
[arms.mimic]
dose = { what = "miR-34c-5p", copies = 3000, at = "0 h" }
[arms.low]
dose = { what = "miR-34c-5p", copies = 30, at = "0 h" }
[readouts]
times = ["0 d", "1 d", "2 d"]
[[assays]]
name = "senescence"
compare = ["mimic", "mock"]
[[assays]]
name = "senescence"
compare = ["low", "mock"]
[[assays]]
name = "qpcr"
target = "RAB27B mRNA"
reference = "GAPDH"
control = "mock"
[[assays]]
name = "qpcr"
target = "RAB27B mRNA"
reference = "U6"
control = "low"
"""


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("twice")
    (folder / "twice.toml").write_text(TWICE)
    return workflow.run(folder / "twice.toml", out=folder / "out", workers=1).folder


def found(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "findings.json").read_text())
    return content


def test_every_finding_is_known_by_its_id_and_carries_its_request(twice: Path) -> None:
    findings = found(twice)["findings"]
    assert len({finding["id"] for finding in findings}) == len(findings) == 10
    by_request = {number: {f["assay"] for f in findings if f["request"] == number} for number in (1, 2, 3, 4)}
    assert by_request == {1: {"senescence"}, 2: {"senescence"}, 3: {"qpcr"}, 4: {"qpcr"}}
    # detection, and each other arm against the request's own control
    assert [sum(f["request"] == number for f in findings) for number in (1, 2, 3, 4)] == [2, 2, 3, 3]


def test_the_page_shows_every_finding_once_under_its_own_request(twice: Path) -> None:
    content = found(twice)
    groups = grouped(content)
    shown = [finding["id"] for group in groups for finding in (*group["told"], *group["quiet"])]
    assert sorted(shown) == sorted(finding["id"] for finding in content["findings"])
    titles = [group["title"] for group in groups]
    assert len(set(titles)) == len(titles) == 6  # stained and arrested cells of two requests, and two of qPCR
    folds = [group for group in groups if "qPCR" in group["title"]]
    for group, control in zip(folds, ("mock", "low"), strict=True):
        own = [f for f in (*group["told"], *group["quiet"]) if f["unit"] == "fold"]
        assert len(own) == 2
        assert all(f"against {control}:" in finding["sentence"] for finding in own)
    text = (twice / "report.html").read_text(encoding="utf-8")
    for finding in content["findings"]:
        same = sum(other["sentence"] == finding["sentence"] for other in content["findings"])
        assert text.count(escaped(finding["sentence"])) == same


def escaped(sentence: str) -> str:
    from markupsafe import escape

    return str(escape(sentence))


def test_tables_are_named_by_the_request(twice: Path) -> None:
    names = {path.stem for path in (twice / "tables").glob("assay_*.parquet")}
    assert {f"assay_{read}_differences_{k}" for read in ("senescent", "arrested") for k in (1, 2)} <= names
    assert {f"assay_qpcr_fold_changes_{k}" for k in (3, 4)} <= names


def test_an_assay_that_nothing_reads_is_an_error_and_no_other_assay() -> None:
    study = read_study("mir34c-lone")
    unknown: Study = study.model_copy(
        update={"assays": (AssayRequest.model_construct(name="weighing", options={"what": ["X"]}),)}
    )
    with pytest.raises(AssertionError, match="weighing"):
        judging.judge(unknown, {})
