"""Findings belong to their request: one RNA requested twice, one stain requested twice, an unknown assay."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from senexo import workflow
from senexo.lab import judging
from senexo.lab.instruments import INSTRUMENTS, Reading
from senexo.report import figures
from senexo.report.findings import groups as grouped
from senexo.report.folder import ResultFolder
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
dose = { what = "miR-34c-5p", amount = 3000, at = "0 h" }
[arms.low]
dose = { what = "miR-34c-5p", amount = 30, at = "0 h" }
[arms.ladder]
dose = { what = "miR-34c-5p", amount = [100, 1000, 100000], at = "0 h" }
[readouts]
times = ["0 d", "1 d", "2 d"]
[[assays]]
name = "senescence"
compare = ["mimic", "mock"]
time = "2 d"
[[assays]]
name = "senescence"
compare = ["low", "mock"]
time = "1 d"
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
    assert len({finding["id"] for finding in findings}) == len(findings)
    by_request = {number: {f["assay"] for f in findings if f["request"] == number} for number in (1, 2, 3, 4)}
    assert by_request == {1: {"senescence"}, 2: {"senescence"}, 3: {"qpcr"}, 4: {"qpcr"}}
    # detection, and each of the other five arms against the request's own control
    assert [sum(f["request"] == number for f in findings) for number in (3, 4)] == [6, 6]


def test_the_page_shows_every_finding_once_under_its_own_request(twice: Path) -> None:
    content = found(twice)
    groups = grouped(content)
    shown = [row.sentence for group in groups for row in group.rows]
    assert sorted(shown) == sorted(finding["sentence"] for finding in content["findings"])
    titles = [group.title for group in groups]
    assert len(set(titles)) == len(titles) == 6  # stained and arrested cells of two requests, and two of qPCR
    folds = [group for group in groups if "qPCR" in group.title]
    for group, control in zip(folds, ("mock", "low"), strict=True):
        own = [row for row in group.rows if "against" in row.compared]
        assert len(own) == 5
        assert all(f"against {control}," in row.compared for row in own)
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


def test_curves_are_drawn_with_the_counts_they_were_fitted_to(
    twice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request reads day 1 and one day 2: the figure shows day 2, with the curve of day 2."""
    folder = tmp_path / "copy"
    shutil.copytree(twice, folder)
    content = found(twice)
    assert {(row["request"], row["time_h"]) for row in content["ec50"]} == {(1, 48.0), (2, 24.0)}
    curve = {"readout": "senescent", "family": "ladder", "bottom": 0.0, "top": 1.0, "ec50": 300.0, "hill": 2.0}
    content["curves"] = [{**curve, "request": k, "time_h": row} for k, row in ((1, 48.0), (2, 24.0))]
    (folder / "findings.json").write_text(json.dumps(content))
    drawn: list[tuple[float, set[float]]] = []

    def keep(_: Any, counts: Any, curves: Any, *about: str) -> None:
        drawn.append((counts["time_h"].max(), {curve["time_h"] for curve in curves.values()}))

    monkeypatch.setattr("senexo.report.figures._dose_response", keep)
    figures.dose_responses(ResultFolder(folder))
    assert drawn == [(48.0, {48.0}), (48.0, set())]  # stained and arrested cells


def test_an_assay_that_refuses_both_readings_has_two_findings_and_no_curve(
    twice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def empty(options: Any, run: Any) -> list[Reading]:
        return [Reading(pd.DataFrame(), {**options, **more}) for more in ({}, {"readout": "arrested", "label": "off"})]

    study = read_study(twice / "study.resolved.toml")
    run = {path.stem: pd.read_parquet(path) for path in (twice / "tables").glob("*.parquet")}
    monkeypatch.setitem(INSTRUMENTS, "senescence", empty)  # type: ignore[arg-type]
    content = judging.found(judging.judge(study, run), None)
    refused = [finding["id"] for finding in content["findings"] if finding["verdict"] == "not testable"]
    assert set(refused) == {f"{k}:{read}:refused" for k in (1, 2) for read in ("senescent", "arrested")}
    assert len(refused) == 4
    assert content["curves"] == content["ec50"] == []
    grouped(content)
