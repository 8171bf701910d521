"""Tables that a simulated study wrote go through the assays unchanged: read as any spreadsheet, judged by one code.

A study stains and counts cells and measures threshold cycles: these are its tables, both also pilots of `power`. What
it does not do (particles, limiting dilution, sequencing, patients) has no simulated table.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
import tomli_w

from senexo import workflow
from senexo.assays import power, qpcr, senescence
from senexo.base.table import read_table

STUDY = Path(workflow.__file__).parent / "studies" / "mir34c-lone.toml"
ARMS = ("mock", "mimic", "washed-out", "rab27b-kd")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped study with four donors and a part of its arms, without the page (it has its own tests)."""
    place = tmp_path_factory.mktemp("study")
    study = tomllib.loads(STUDY.read_text(encoding="utf-8"))
    study["arms"] = {name: study["arms"][name] for name in ARMS}
    senescent, mir, messenger = study["assays"]
    senescent["compare"] = [["rab27b-kd", "mock"], ["washed-out", "mimic[10000]"]]
    mir["arms"], messenger["arms"] = ["mimic[1000]", "rab27b-kd"], ["rab27b-kd"]
    study["assays"] = [senescent, mir, messenger]
    (place / "study.toml").write_text(tomli_w.dumps(study), encoding="utf-8")

    def page(folder: Path) -> Path:
        (folder / "report.html").write_text("drawn")
        return folder / "report.html"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("senexo.report.page.render", page)
        workflow.run(place / "study.toml", donors=4, out=place / "out", workers=1)
    return place / "out"


def test_csv_and_parquet_of_a_study_give_the_same_answers(folder: Path) -> None:
    for name, ask in (
        ("senescence", lambda table: senescence(table, compare=("mimic", "mock"))),
        ("qpcr", lambda table: qpcr(table, target="RAB27B mRNA", reference="GAPDH", control="mock")),
    ):
        first, second = (ask(read_table(folder / "tables" / f"{name}.{kind}")) for kind in ("csv", "parquet"))
        assert first.to_json() == second.to_json()


def test_a_study_is_a_pilot_of_power(folder: Path) -> None:
    """Donors needed to show in a laboratory what virtual donors show, should they vary like real ones."""
    counts, cycles = (read_table(folder / "tables" / f"{name}.csv") for name in ("senescence", "qpcr"))
    arms = {"arm": "rab27b-kd", "control": "mock"}
    rnas = {"target": "RAB27B mRNA", "reference": ["GAPDH"]}
    for result in (
        power(counts, assay="senescence", effect=0.1, n=4, sets=20, pilot=arms),
        power(cycles, assay="qpcr", effect=0.5, n=4, sets=20, pilot={**arms, **rnas}),
    ):
        told = result.tables["assumptions"].set_index("name")["source"]
        assert told["sd"] == told["donor_sd"] == "pilot"
        assert "4 donors of the pilot" in result.notes[0]


def test_counted_cells_of_a_study(folder: Path) -> None:
    table = read_table(folder / "tables" / "senescence.csv")
    result = senescence(
        table, compare=[("rab27b-kd", "mock"), ("washed-out", "mimic[10000]")], reference="mimic",
        washout=("washed-out", "mimic[10000]"), control="mock",
    )  # fmt: skip
    assert result.tables["differences"]["n_donors"].to_list() == [4, 4]
    assert result.tables["washouts"]["n_donors"].to_list() == [4]
    assert set(result.tables["fields"]["arm"]) <= set(table["arm"])
    told = json.loads((folder / "findings.json").read_text(encoding="utf-8"))["findings"]
    bench = ({**finding, "id": f"1:{finding['id']}", "request": 1} for finding in result.to_dict()["findings"])
    own = {finding["id"]: finding for finding in bench}
    same = [finding for finding in told if finding["id"] in own]
    assert len(same) >= 3
    assert all(own[finding["id"]] == finding for finding in same)
    unpaired = senescence(table, compare=("rab27b-kd", "mock"), design="unpaired")
    assert "4 and 4 donors, unpaired" in unpaired.sentence


def test_threshold_cycles_of_a_study(folder: Path) -> None:
    table = read_table(folder / "tables" / "qpcr.csv")
    options = {"target": "miR-34c-5p", "reference": ["U6", "GAPDH"], "control": "mock"}
    result = qpcr(table, arms=["mimic", "rab27b-kd"], time_h=[24, 168], **options)  # type: ignore[arg-type]
    assert len(result.tables["fold_changes"]) == 14
    assert (result.tables["fold_changes"]["n_donors"] == 4).all()
    assert set(result.tables["efficiency"]["source"]) == {"assumed"}
    assert len(result.tables["stability"]) == 2
    assert not result.tables["replicates"].empty
    result.figure()
