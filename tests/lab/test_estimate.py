"""What `check` says: true cells, one count of assumed numbers, a refusal before any trial, and a time from a trial."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from senexo.base.errors import InvalidInput
from senexo.lab import estimate, trial
from senexo.lab.experiment import World
from senexo.lab.registry import experiment_of
from senexo.study.read import read_study
from senexo.study.resolve import resolve
from senexo.workflow import check, run

CASES = Path(__file__).parent / "data"
TINY = Path(__file__).parents[1] / "circuits" / "tiny.toml"
COUPLED: dict[str, Any] = {
    "title": "wells of different sizes", "seed": 5, "model": {"circuit": "mir34c-rab27b-cells"},
    "cells": {"LSC": {"n": 1}, "MSC": {"n": 2}}, "donors": {"n": 4},
    "culture": {"duration": "4 h", "preequilibration": "1 h", "window_check_wells": 3},
    "arms": {
        "mock": {}, "many": {"cells": {"LSC": 7}},
        "across": {"cells": {"MSC": 3}, "insert": {"cells": {"LSC": 5}}},
    },
    "readouts": {"times": ["0 h", "4 h"], "grid": "2 h", "names": ["p21"]},
}  # fmt: skip


def test_cells_of_arms_and_inserts_are_counted() -> None:
    """1 + 2 of [cells], 7 of an arm's own, 3 below and 5 in an insert."""
    found = estimate.estimate(experiment_of(resolve(COUPLED)), workers=2)
    assert found.founders == (3, 7, 8)
    assert found.cells == 4 * 18
    assert found.repeated_wells == 3
    assert "3 arms x 4 donors x 3 to 8 cells = 72 cells" in str(found)


def test_a_run_of_millions_of_cells_is_refused_before_any_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its cells stand in an arm: 50 donors x 100,000, of which version 0.1 announced 50."""
    monkeypatch.setattr(trial, "run_time", lambda *args, **options: pytest.fail("a trial was made"))
    with pytest.raises(InvalidInput, match=r"GiB of memory for 5,000,000 cells"):
        check(CASES / "arm-cells.toml")
    with pytest.raises(InvalidInput, match=r"GiB of memory for 5,000,000 cells"):
        run(CASES / "arm-cells.toml")


def test_cells_of_the_null_are_those_of_its_arms() -> None:
    claim = {"id": "x", "holds_when": "alive(many, 4 h) > alive(across, 4 h)", "null": {"set": {"kl": 0}}}
    found = estimate.estimate(experiment_of(resolve({**COUPLED, "claim": claim})), workers=2)
    assert (found.null_arms, found.null_founders) == (2, 4 * (7 + 8))


def test_one_count_of_numbers_in_check_folder_and_report(tmp_path: Path) -> None:
    """Each reference RNA is a number of its own, everywhere."""
    study = resolve({**COUPLED, "donors": {"n": 1}, "culture": {**COUPLED["culture"], "window_check_wells": 0}})
    results = run(study, out=tmp_path / "out", workers=1)
    table = results.table("parameters")
    about = json.loads((results.folder / "run.json").read_text())
    found = estimate.estimate(experiment_of(study), workers=1)
    assert {"U6", "GAPDH"} <= set(table["name"])
    assert len(table) == about["n_parameters"] == found.parameters
    assert (table["status"] == "assumed").sum() == about["n_assumed"] == len(found.assumed)
    assert set(found.assumed) == set(table.loc[table["status"] == "assumed", "name"])
    page = (results.folder / "report.html").read_text(encoding="utf-8")
    assert f"{len(found.assumed)} of {found.parameters} parameters" in page
    assert about["n_cells"] == 18
    assert about["cells_per_well"] == {"mock": 3, "many": 7, "across": 8}
    assert "3 to 8" in page


@pytest.mark.parametrize("kind", ["lone", "coupled"])
def test_a_claim_that_reads_hours_after_the_trial_ends_no_check(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Units that take long, as the first ones do while kernels are compiled, are simulated for their first hours."""
    monkeypatch.setattr(trial, "LONGEST_S", 0.0)
    if kind == "coupled":
        claim = {"id": "x", "holds_when": "alive(many, 4 h) > alive(across, 4 h)", "null": {"set": {"kl": 0}}}
        study = resolve({**COUPLED, "donors": {"n": 1}, "claim": claim})
    else:
        claim = {"id": "x", "holds_when": "alive(mock, 5 d) > alive(kd, 5 d)", "null": {"set": {"K": 1.0}}}
        study = resolve({**read_study(TINY, set=["donors.n=2"]).to_dict(), "claim": claim})
    assert check(study).seconds is not None


def test_time_is_that_of_the_study_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each unit sleeps 0.4 s, each preparation 0.8 s, and the report 1 s: 28 units, 5 preparations, 2 at a time."""
    monkeypatch.chdir(tmp_path)
    made: Any = _Sleeping()
    monkeypatch.setattr(trial, "_results_time", lambda experiment, sample, store: 0.0)
    monkeypatch.setattr(trial, "SIMULATED_S", 2.0)
    monkeypatch.setattr(trial, "LONGEST_S", 100.0)
    begun = time.monotonic()
    found = trial.run_time(made, 2, render=lambda folder: time.sleep(1.0))
    assert time.monotonic() - begun < 12.0  # not the whole run
    assert found == pytest.approx(1.0 + (28 * 0.4 + 5 * 0.8) / 2, abs=1.5)
    assert not list(tmp_path.iterdir())


class _Sleeping:
    """Seven arms of four donors; arms of a donor share their preparation, and one donor has two of them."""

    def __init__(self) -> None:
        study = resolve({**COUPLED, "arms": {f"a{k}": {} for k in range(7)}})
        self.study, self.one = study, experiment_of(study)
        self.done: set[object] = set()

    def units(self) -> list[Any]:
        return [unit for unit in self.one.units() if unit.world is World.STUDY]

    def compile(self) -> None: ...

    def of_study(self, study: Any) -> _Sleeping:
        return self

    def preparation(self, unit: Any) -> object:
        return unit.donor, unit.donor == 1 and unit.arm > 3

    def prepare(self, unit: Any, cancelled: Any) -> None:
        key = self.preparation(unit)
        if key not in self.done:
            self.done.add(key)
            time.sleep(0.8)

    def simulate_unit(self, unit: Any, cancelled: Any) -> dict[str, Any]:
        time.sleep(0.4)
        return {}


def test_printed_times_have_a_unit() -> None:
    found = estimate.estimate(experiment_of(resolve(COUPLED)), workers=2)
    assert re.search(r"with 2 workers: \d\.\d GiB", str(found))
    for seconds, text in ((12.3, "about 12 s"), (300.0, "about 5 min")):
        assert text in str(replace(found, seconds=seconds))
