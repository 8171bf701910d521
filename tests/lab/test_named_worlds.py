"""Claims in named worlds: each as an ordinary run of that world judges it, and claims joined draw by draw."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from senexo import read_study, workflow
from senexo.base.errors import InvalidInput
from senexo.base.verification import verify
from senexo.lab import batches
from senexo.report.worlds import text
from senexo.study.resolve import resolve
from senexo.study.schema import Study

TINY = Path(__file__).parents[1] / "circuits" / "tiny.toml"
WORLDS = {"high K": {"draws": {"K": 1e6}, "says": "x never turns the switch off"}, "without x": {"knock_out": ["x"]}}
ARREST = "arrested(dose[3000], 5 d) - arrested(mock, 5 d) > 5 %"


def study(id: str = "T1", holds: str = ARREST, worlds: Any = WORLDS, **more: Any) -> Study:
    tables = read_study(TINY, set=["donors.n=6", "cells.cell.n=4"]).to_dict()
    claim = {
        "id": id, "holds_when": holds, "possible_when": "arrested(dose[3000], 5 d) > 5 %", "null": {"set": {"K": 1e9}},
    }  # fmt: skip
    return resolve({**tables, "title": id, "assays": [], "claim": claim, "worlds": worlds, **more})


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> workflow.Results:
    return workflow.worlds(study(), out=tmp_path_factory.mktemp("worlds") / "out", workers=1)


def test_every_world_is_judged_as_a_run_of_it_would_be(done: workflow.Results, tmp_path: Path) -> None:
    table = done.table("worlds").set_index("world")
    assert list(table.index) == ["as it stands", "high K", "without x"]
    whole = workflow.run(study(), out=tmp_path / "run", workers=1).table("claim")
    own = whole[whole["comparison"] == "the whole claim"].set_index("world")
    for name, row in {
        "true": "claim",
        "possible": "possible",
        "null": "null world",
        "beyond_null": "beyond null",
    }.items():
        assert table.loc["as it stands", f"{name}_k"] == own.loc[row, "n_true"]
        assert table.loc["as it stands", name] == pytest.approx(own.loc[row, "share"], rel=1e-12)
    assert table.loc["as it stands", "true"] > 0.5
    assert table.loc["high K", "true"] == 0.0  # nothing turns the switch off, so no arrest is of the dose


def test_the_folder_is_a_result_folder(done: workflow.Results, tmp_path: Path) -> None:
    assert verify(done.folder).faults == ()
    assert [finding["id"] for finding in done.findings] == [
        "claim:T1:as it stands", "claim:T1:high K", "claim:T1:without x",
        "conditions:T1:as it stands", "conditions:T1:high K", "conditions:T1:without x",
    ]  # fmt: skip
    page = (done.folder / "report.html").read_text(encoding="utf-8")
    assert "x never turns the switch off" in page
    assert 'aria-label="Shares of worlds by claim and named world. T1, as it stands: true in' in page
    written = workflow.report(done.folder, out=tmp_path / "again")
    assert written.page.read_text(encoding="utf-8") == page
    assert {path.suffix for path in written.figures} == {".svg", ".pdf", ".png", ".csv"}
    lines = text(done.table("worlds"), None).splitlines()
    assert lines[0].split() == ["claim", "world", "true", "in", "%", "could", "be", "where", "it", "could", "null"]
    assert len(lines) == 4


def test_draws_and_parameters_are_those_of_the_run(done: workflow.Results) -> None:
    draws, parameters = done.table("worlds_draws"), done.table("worlds_parameters")
    assert len(draws) == 3 * 6
    counts = done.table("worlds").set_index("world")["true_k"].to_dict()
    assert draws.groupby("world")["claim_is_true"].sum().to_dict() == counts
    k = parameters[parameters["parameter"] == "K"].groupby("world")["donor"].count().to_dict()
    assert k == {"as it stands": 6, "without x": 6}  # in the world in which K is fixed it is no draw
    d = parameters[parameters["parameter"] == "d"].pivot(index="donor", columns="world", values="value")
    assert (d.nunique(axis=1) == 1).all()


def test_an_unfinished_folder_goes_on(done: workflow.Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of another size hold the same wells; lost ones are simulated again."""
    monkeypatch.setattr(batches, "SIZE", 7)
    out = tmp_path / "out"
    first = workflow.worlds(study(), out=out, workers=1)
    chunks = sorted((out / "chunks").iterdir())
    assert len(chunks) > 3 == len(list((done.folder / "chunks").iterdir()))
    for chunk in chunks[:2]:
        chunk.unlink()
    again = workflow.worlds(study(), out=out, workers=1, resume=True)
    assert again.digest == first.digest
    for name in ("worlds", "worlds_draws"):
        pd.testing.assert_frame_equal(again.table(name), done.table(name))


def test_claims_on_the_same_draws_are_joined(tmp_path: Path) -> None:
    """A claim and its opposite exclude each other; what is counted is what the draws say, by hand."""
    less = study("T2", "arrested(dose[3000], 5 d) - arrested(mock, 5 d) <= 5 %", donors={"n": 12})
    more, low = study(donors={"n": 12}), study("T3", "alive(mock, 5 d) > 0.5", donors={"n": 12})
    found = workflow.worlds([more, less, low], out=tmp_path / "out", workers=1)
    together = found.table("worlds_together").set_index(["world", "claims"])
    draws = found.table("worlds_draws")
    for world in ("as it stands", "high K"):
        wide = draws[draws["world"] == world].pivot(index="donor", columns="claim", values="claim_is_true")
        kept = draws[draws["world"] == world].pivot(index="donor", columns="claim", values="kept").all(axis=1)
        wide = wide[kept]
        assert together.loc[(world, "T1 and T2"), "k"] == 0
        assert together.loc[(world, "T1 and T3"), "k"] == (wide["T1"] & wide["T3"]).sum()
        assert together.loc[(world, "all at once: T1 and T2 and T3"), "k"] == 0
        expected = wide["T1"].mean() * wide["T2"].mean()
        assert together.loc[(world, "T1 and T2"), "expected"] == pytest.approx(expected)
        assert together.loc[(world, "T1 and T2"), "exclude"] == (expected * len(wide) >= 3.0)
    assert any("T1 and T2 are true in 0 of" in finding["sentence"] for finding in found.findings)
    assert "true together" in text(found.table("worlds"), found.table("worlds_together"))


def test_claims_on_other_draws_are_not_joined(tmp_path: Path) -> None:
    found = workflow.worlds([study(), study("T2", seed=8)], out=tmp_path / "out", workers=1)
    assert not (found.folder / "tables" / "worlds_together.parquet").exists()
    assert len(found.table("worlds")) == 6


def test_total_order_indices_come_from_worlds_that_draw_parameters_anew(tmp_path: Path) -> None:
    """The level of x without a treatment: K has no part in it, all drawn parameters together have all of it.

    120 draws; within 4 standard errors of 1.
    """
    drawn = [name for name, draw in study().donors.draws.items() if draw.law != "fixed" and draw.low < draw.high]
    anew = {"K": {"anew": ["K"]}, "all of them": {"anew": drawn}}
    tables = {"donors": {"n": 120}, "worlds": anew}
    found = workflow.worlds(study("T1", "mean(x, mock, 5 d) > 50", **tables), out=tmp_path / "out", workers=1)
    parameters = found.table("worlds_parameters").pivot(index=["parameter", "donor"], columns="world", values="value")
    same = (parameters["K"] == parameters["as it stands"]).groupby("parameter").mean()
    assert same["K"] == 0.0
    assert (same.drop("K") == 1.0).all()
    rows = found.table("worlds_total_order").set_index(["world", "comparison"])
    margin = "mean(x, mock, 5 d) > 50"
    assert rows.loc[("K", margin), "total_order"] == pytest.approx(0.0, abs=1e-12)
    every = rows.loc[("all of them", margin)]
    assert abs(every["total_order"] - 1.0) < 4 * every["se"]
    assert any("depends on K, alone or together with others" in finding["sentence"] for finding in found.findings)


@pytest.mark.parametrize(
    ("studies", "expected"),
    [
        (lambda: [TINY], "a study without a claim"),
        (lambda: [study(donors={"n": 2, "stand_for": "patients"})], "donors that are patients of one world"),
        (lambda: [study(), study().model_copy(update={"title": "other"})], "this claim twice"),
    ],
)
def test_what_cannot_be_judged_in_worlds_is_refused(studies: Any, expected: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=expected):
        workflow.worlds(studies(), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_table_of_shares_without_a_positive_control_says_so() -> None:
    row = {
        "claim": "C", "world": "w", "says": "", "verdict": "share of worlds", "true": 0.5, "true_low": 0.4,
        "true_high": 0.6, "possible": np.nan, "true_where_possible": np.nan, "null": 0.0, "null_low": 0.0,
        "null_high": 0.1, "beyond_null": np.nan,
    }  # fmt: skip
    assert re.split(r"  +", text(pd.DataFrame([row]), None).splitlines()[1])[2:5] == [
        "50.0 (40.0 to 60.0)", "not known", "not known",
    ]  # fmt: skip
