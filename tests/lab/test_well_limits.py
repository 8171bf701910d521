"""Wells that are given up at a limit: the others are kept, and a run that goes on ends at the digest without limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from senexo import workflow
from senexo.base.errors import InvalidInput, LimitReached
from senexo.base.verification import verify
from senexo.lab import units
from senexo.lab.limits import WellLimits
from senexo.lab.registry import experiment_of
from senexo.lab.worker import Worker
from senexo.study.resolve import resolve
from senexo.study.schema import Study

CIRCUITS = Path(__file__).parents[1] / "circuits"


@pytest.fixture(autouse=True)
def plain_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("senexo.report.page.render", lambda folder: (folder / "report.html").write_text("drawn"))


def switch(method: str = "split", **changes: Any) -> Study:
    """Two wells of one donor: 6 cells, and 24."""
    culture = {"duration": "6 h", "method": method, "preequilibration": "1 h"}
    return resolve({
        "title": "t", "seed": 3, "model": {"circuit": str(CIRCUITS / "switch")}, "cells": {"A": {"n": 6}},
        "donors": {"n": 1}, "arms": {"few": {}, "many": {"cells": {"A": 24}}}, "culture": culture,
        "readouts": {"times": ["0 h", "6 h"]}, **changes,
    })  # fmt: skip


def test_a_well_at_a_limit_is_left_out_and_made_later(tmp_path: Path) -> None:
    study, out = switch(), tmp_path / "out"
    whole = workflow.run(study, out=tmp_path / "whole", workers=1)
    with pytest.raises(LimitReached, match=r"a limit was reached \(.*arm00.-donor0001 reached .* at .* h.*\)") as said:
        workflow.run(study, out=out, workers=1, max_cells=23)
    kept = len(list((out / "chunks").glob("*.npz")))
    work = len(list((whole.folder / "chunks").glob("*.npz")))
    assert f": {kept} of {work} wells are in {out}" in str(said.value)
    assert 0 < kept < work
    verdict = verify(out)
    assert (verdict.faults, verdict.finished) == ((), False)
    assert workflow.run(study, out=out, workers=1, resume=True).digest == whole.digest


@pytest.mark.parametrize("method", ["exact", "split", "hybrid"])
@pytest.mark.parametrize(("limits", "said"), [(WellLimits(events=50), "50 events"), (WellLimits(cells=6), "6 cells")])
def test_every_method_ends_at_its_limit(method: str, limits: WellLimits, said: str) -> None:
    experiment = experiment_of(switch(method))
    experiment.limit(limits)
    experiment.compile()
    with pytest.raises(LimitReached, match=rf"^{said} at -?[\d.e-]+ h$"):
        experiment.simulate_unit(experiment.units()[0], lambda: False)


def test_a_limit_holds_in_other_processes() -> None:
    study = switch()
    child = Worker(study, WellLimits(cells=6))
    try:
        with pytest.raises(LimitReached, match="6 cells at"):
            child.simulate(experiment_of(study).units()[0])
    finally:
        child.close()


def test_others_go_on_after_a_well_is_given_up() -> None:
    experiment, kept = experiment_of(switch()), []
    experiment.compile()
    experiment.limit(WellLimits(cells=23))
    work = experiment.units()[1::-1]
    with pytest.raises(LimitReached, match=r"arm001-donor0001 reached 23 cells at"):
        units.simulate(experiment, work, lambda unit, _: kept.append(unit.arm), workers=1)
    assert kept == [0]


@pytest.mark.parametrize("kind", ["lone", "means"])
def test_limits_of_what_is_not_counted_are_refused(tmp_path: Path, kind: str) -> None:
    study = switch("mean_field") if kind == "means" else CIRCUITS / "tiny.toml"
    with pytest.raises(InvalidInput, match=r"max_events: found .*: a study of (means|independent cells)") as said:
        workflow.run(study, out=tmp_path / "out", max_events=10, max_cells=10)
    assert len(said.value.faults) == 2
    assert not (tmp_path / "out").exists()
    with pytest.raises(InvalidInput, match="max_cells: found 0, expected a whole number, 1 or more"):
        workflow.run(study, out=tmp_path / "out", max_cells=0)
