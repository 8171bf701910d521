"""Window check: what half the window would change in some wells of a study."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from senexo.base.errors import InvalidInput
from senexo.lab.coupled import window_check
from senexo.lab.experiment import Unit, World
from senexo.study.resolve import resolve
from senexo.workflow import Results, run

STUDY: dict[str, Any] = {
    "title": "halved", "seed": 5, "model": {"circuit": "mir34c-rab27b-cells"}, "cells": {"LSC": {"n": 6}},
    "donors": {"n": 4, "draws": {"rel0": 50, "E": 180, "kup": 0.3, "fdel": 0.5}},
    "culture": {"duration": "6 h", "preequilibration": "4 h", "window": "15 min", "window_check_wells": 3},
    "arms": {"mock": {}, "mimic": {"dose": {"what": "miR-34c-5p", "amount": 3000, "at": "0 h"}}},
    "readouts": {"times": ["0 h", "6 h"], "grid": "3 h", "names": ["miR-34c-5p", "p21"]},
}  # fmt: skip


def asked(**culture: Any) -> dict[str, Any]:
    return {**STUDY, "culture": {**STUDY["culture"], **culture}}


def units(arms: int, donors: int) -> list[Unit]:
    return [Unit(arm, donor, "", 0) for donor in range(1, donors + 1) for arm in range(arms)]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return run(resolve(STUDY), out=tmp_path_factory.mktemp("halved") / "run", workers=2)


def test_wells_are_spread_over_arms_and_donors() -> None:
    wells = units(3, 20)
    chosen = window_check.units(8, wells)
    assert len({unit.chunk for unit in chosen}) == 8
    assert {unit.arm for unit in chosen} == {0, 1, 2}
    assert len({unit.donor for unit in chosen}) == 8
    assert (chosen[0].donor, chosen[-1].donor) == (1, 20)
    assert all(unit.chunk not in {well.chunk for well in wells} for unit in chosen)
    assert window_check.units(0, wells) == window_check.units(None, wells) == []


def test_the_wells_are_those_of_a_study_with_half_the_window(done: Results, tmp_path: Path) -> None:
    """To the copy; their cultures before the plating have half the window too, and all of it half the step."""
    finer = run(resolve(asked(window="7.5 min", window_check_wells=0)), out=tmp_path / "finer", workers=1)
    wells = units(2, 4)
    names = ["mock", "mimic"]
    told = done.table("window_check").set_index("quantity")
    for results, column in ((done, "whole_window"), (finer, "half_window")):
        course = results.table("timecourse").query("cell_type == 'all cells' and time_h == 6 and statistic == 'mean'")
        of = course.set_index(["arm", "donor", "quantity"])["value"]
        for quantity, key in (("cells", "alive"), ("miR-34c-5p", "miR-34c-5p"), ("p21", "p21")):
            values = [of[names[unit.arm], unit.donor, key] for unit in window_check.units(3, wells)]
            assert told.loc[quantity, column] == pytest.approx(np.mean(values), rel=1e-6)
    assert not finer.folder.joinpath("tables", "window_check.parquet").exists()
    assert told.loc["miR-34c-5p", "whole_window"] != told.loc["miR-34c-5p", "half_window"]


def test_it_changes_nothing_else_and_the_report_tells_it(done: Results, tmp_path: Path) -> None:
    without = run(resolve(asked(window_check_wells=0)), out=tmp_path / "without", workers=1)
    for name in ("timecourse", "counts", "senescence", "balance"):
        pd.testing.assert_frame_equal(done.table(name), without.table(name))
    text = "Window check (0.125 h instead of 0.25 h, 3 of 8 wells, 6 h): "
    assert text in (done.folder / "report.html").read_text(encoding="utf-8")
    assert "Window check (" not in (without.folder / "report.html").read_text(encoding="utf-8")


def test_change_interval_and_chance_are_those_of_a_paired_t_test(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    whole = np.column_stack([rng.uniform(1.0, 50.0, 8), np.zeros(8), rng.uniform(0.0, 1.0, 8), rng.uniform(1, 9, 8)])
    half = whole * np.array([1.02, 1.0, 1.0, 1.0]) * rng.uniform(0.999, 1.001, (8, 4))
    whole[3, 3] = np.nan  # a well that ended
    shown = {f"{world}{k}": row for world, rows in (("", whole), ("half-", half)) for k, row in enumerate(rows)}
    monkeypatch.setattr(window_check, "_shown", lambda design, arrays: shown[arrays])
    wells = [Unit(0, k, "", 0, World.WINDOW_CHECK) for k in range(8)]
    asked_of: Any = SimpleNamespace(
        study=SimpleNamespace(readouts=SimpleNamespace(names=("miR",))), population=SimpleNamespace(pooled=()),
        readout_times=(24.0,),
    )  # fmt: skip
    get: Any = lambda chunk: ("half-" if "half" in chunk else "") + str(int(chunk[-4:]))  # noqa: E731
    found = window_check.table(asked_of, wells, get)
    relative = [2 * (half[:, k] - whole[:, k]) / (half[:, k] + whole[:, k]) for k in (0, 3)]
    tests = [stats.ttest_1samp(values[np.isfinite(values)], 0.0) for values in relative]
    for row, test in zip(found.iloc[[0, 3]].itertuples(), tests, strict=True):
        interval = test.confidence_interval()
        assert (row.low, row.high) == pytest.approx((interval.low, interval.high))
    assert found["quantity"].tolist() == ["cells", "switch off", "senescent", "miR"]
    assert found["n_wells"].tolist() == [8, 8, 8, 7]
    assert found["scale"].tolist() == ["relative", "difference", "difference", "relative"]
    assert found.loc[0, "p_corrected"] == pytest.approx(4 * tests[0].pvalue)
    assert (found.loc[1, "change"], found.loc[1, "p_corrected"]) == (0.0, 1.0)
    text = window_check.sentence(0.5, found, 40)
    assert text.startswith("Window check (0.25 h instead of 0.5 h, 8 of 40 wells, 24 h): ")
    assert "significant difference: cells +1.9 % (+1.9 to +2.0) (95 % CI, Holm)" in text
    assert "miR" not in text
    quiet = window_check.sentence(0.5, found.iloc[1:], 40)
    low, high = 100 * found.loc[3, "low"], 100 * found.loc[3, "high"]
    assert quiet == (
        "Window check (0.25 h instead of 0.5 h, 8 of 40 wells, 24 h): no significant difference; "
        f"widest 95 % CI: miR {low:+.0f} to {high:+.0f} %."
    )
    many = pd.concat([found.iloc[1:], *[found.iloc[3:].assign(quantity=f"x{k}", low=-k / 100) for k in range(5)]])
    assert "widest 95 % CI: x4 -4 to" in window_check.sentence(0.5, many, 40)


def test_wells_that_all_ended_before_are_told(tmp_path: Path) -> None:
    ended = run(resolve(asked(stop_when="cells(LSC) > 1")), out=tmp_path / "ended", workers=1)
    assert ended.table("window_check").empty
    assert "the error of the window is not known" in (ended.folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("culture", "says"),
    [
        ({"window_check_wells": 2}, "0, or 3 and more of the 8 wells"),
        ({"window_check_wells": 9}, "0, or 3 and more of the 8 wells"),
        ({"method": "exact"}, "no such key: the method exact has no window"),
    ],
)
def test_what_cannot_be_halved_is_told(culture: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        resolve(asked(**culture))


@pytest.mark.parametrize(("donors", "wells"), [(5, 0), (6, 3), (15, 7), (100, 8)])
def test_a_quarter_of_the_wells_by_default(donors: int, wells: int) -> None:
    culture = {key: value for key, value in STUDY["culture"].items() if key != "window_check_wells"}
    assert resolve({**STUDY, "donors": {"n": donors}, "culture": culture}).culture.window_check_wells == wells
    assert resolve({**STUDY, "culture": {**culture, "method": "exact"}}).culture.window_check_wells is None
