"""Doses as regimens: what is added when, against closed forms; amounts as a fold or nM, with their range; refusals."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from senexo.base.errors import InvalidInput
from senexo.model.circuit import load_circuit
from senexo.study import regimen
from senexo.study.regimen import Amount, Level, Regimen
from senexo.study.resolve import resolve
from senexo.study.schema import Arm


def arms(dose: Any, circuit: str = "mir34c-rab27b", **more: Any) -> dict[str, Arm]:
    raw = {
        "title": "dose", "model": {"circuit": circuit}, "cells": {"LSC": {"n": 1}}, "donors": {"n": 1},
        "culture": {"duration": "7 d"}, "arms": {"mimic": {"dose": dose}},
    }  # fmt: skip
    return resolve(raw | more, where="study.toml").arms


def added(arm: Arm) -> list[tuple[float, float]]:
    return [(a.time_h, a.value) for a in arm.schedule if a.time_h is not None]


@pytest.mark.parametrize("circuit", ["mir34c-rab27b", "mir34c-rab27b-cells"])
def test_every_and_count_are_the_same_actions_as_a_list_of_doses(circuit: str) -> None:
    one_by_one = [{"what": "miR-34c-5p", "amount": 1900, "at": f"{24 * day} h"} for day in range(1, 7)]
    by_hand = arms(one_by_one, circuit)["mimic"]
    counted = arms({"what": "miR-34c-5p", "amount": 1900, "at": "24 h", "every": "1 d", "count": 6}, circuit)["mimic"]
    to_the_end = arms({"what": "miR-34c-5p", "amount": 1900, "at": "24 h", "every": "1 d"}, circuit)["mimic"]
    assert counted.schedule == to_the_end.schedule == by_hand.schedule
    assert counted.dose_copies == by_hand.dose_copies == 6 * 1900
    assert counted.summary == "1,900 copies of miR-34c-5p at 1 d, then every 1 d, 6 in all"


@pytest.mark.parametrize("half_life", [11.0, 72.0])
@pytest.mark.parametrize("hours", [6.0, 30.0])
def test_an_infusion_leaves_what_a_steady_rate_leaves(hours: float, half_life: float) -> None:
    """Closed form of a steady rate r with loss k: r/k (1 - exp(-k T)); the parts differ from it by (k step)^2/24."""
    k = math.log(2) / half_life
    parts = np.array(list(Regimen("x", 1000.0, at_h=3.0, over_h=hours).events()))
    step = hours / len(parts)
    assert parts[:, 1].sum() == pytest.approx(1000.0, rel=1e-12)
    left = (parts[:, 1] * np.exp(-k * (3.0 + hours - parts[:, 0]))).sum()
    steady = 1000.0 / hours / k * -math.expm1(-k * hours)
    assert abs(left / steady - 1) < 1.5 * (k * step) ** 2 / 24
    assert abs(left / steady - 1) < 2e-4


def test_copies_of_an_infusion_are_whole_and_none_is_lost() -> None:
    (arm,) = arms({"what": "miR-34c-5p", "amount": 31, "over": "1 d", "every": "2 d", "count": 2}).values()
    assert all(value == int(value) > 0 for _, value in added(arm))
    assert sum(value for hour, value in added(arm) if hour < 48) == 31
    assert sum(value for _, value in added(arm)) == arm.dose_copies == 62


def test_a_fold_is_over_the_level_that_the_donors_draw() -> None:
    """Over 40 copies it adds 360; over 0.65 copies of the prior evidence 6; over another, as stated."""
    dose = {"what": "miR-34c-5p", "amount": "10-fold"}
    assert added(arms(dose)["mimic"]) == [(0.0, 360.0)]
    evidence = arms(dose, model={"circuit": "mir34c-rab27b", "prior": "evidence"})["mimic"]
    assert added(evidence) == [(0.0, 6.0)]
    assert evidence.summary == "6 (10-fold over 0.65 copies, m0; range 0 to 90) copies of miR-34c-5p at 0 h"
    own = arms(dose, donors={"n": 1, "draws": {"m0": {"value": 100, "low": 50, "high": 200}}})["mimic"]
    assert added(own) == [(0.0, 900.0)]


def test_a_concentration_is_converted_with_all_its_factors() -> None:
    """20 nM in 1 nL per cell are 20e-18 mol; a tenth is taken up, of which 2 % are active."""
    offered = 20e-9 * 1e-9 * 6.02214076e23
    found = regimen.in_copies(Amount(20.0, "nM"), None)
    assert found is not None
    assert found.value == round(offered * 0.1 * 0.02) == 24089
    assert (found.low, found.high) == (round(offered * 0.2 * 0.01 * 0.001), round(offered * 10 * 0.5 * 0.1))
    ladder = arms({"what": "scrambled", "amount": [300, "2 nM", "10-fold"]})
    assert list(ladder) == ["mimic[300]", "mimic[2 nM]", "mimic[10-fold]"]
    assert [arm.dose_copies for arm in ladder.values()] == [300, 2409, 360]
    for factor in regimen.conversions().values():
        assert factor.source
        assert factor.status in ("assumed", "unverified")


def test_a_level_that_the_circuit_does_not_state_has_no_fold() -> None:
    assert regimen.in_copies(Amount(10.0, "fold"), None) is None
    assert regimen.in_copies(Amount(3.0, "fold"), Level("m", 5.0, 1.0, 10.0)) == regimen.Copies(
        10.0, 2.0, 20.0, "3-fold over 5 copies, m"
    )
    with pytest.raises(InvalidInput, match="states no level that a fold could be over"):
        arms({"what": "miR-34c-5p-inhibitor", "amount": "10-fold"})


@pytest.mark.parametrize(
    ("dose", "says"),
    [
        ({"amount": "2 mg/kg"}, r'dose.amount: found "2 mg/kg", expected .* needs a body .*senexo exposure'),
        ({"amount": [30, "93 mg/m2"]}, r"dose.amount\[1\]: .* needs a body"),
        ({"amount": "0.5-fold"}, r"a fold of 1 or more"),
        ({"amount": "3 h"}, r"expected a whole number of copies, e.g. 300, a fold"),
        ({"amount": "2e6 nM"}, r'found "2e6 nM", 2,408,856,304 copies, expected at most 300,000,000 copies'),
        ({"amount": 3, "count": 2}, r"dose.count: found 2, expected one dose, or with it `every`"),
        ({"amount": 3, "every": "1 d", "count": 8}, r"dose.count: found the last until 7 d, expected doses"),
        ({"amount": 3, "every": "1 d", "over": "2 d"}, r"dose.over: found \"2 d\", expected a dose that ends before"),
        ({"amount": 3, "at": "6 d", "over": "2 d"}, r"dose.over: found the last until 8 d, expected doses"),
        ({"amount": 3, "every": "1 min"}, r"dose.every: found 10080 doses until the end, expected at most 1000 doses"),
    ],
)  # fmt: skip
def test_what_no_regimen_can_be_is_refused(dose: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        arms({"what": "miR-34c-5p", **dose})


def test_levels_and_measures_of_a_circuit_name_what_it_has_and_leave_its_digest(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    shutil.copytree(Path(__file__).parents[1] / "circuits" / "tiny", folder)
    before = load_circuit(folder)
    (folder / "levels.csv").write_text("agent,parameter\nx,x0\n", encoding="utf-8")
    (folder / "measures.csv").write_text("name,assay\nK,a titration\n", encoding="utf-8")
    found = load_circuit(folder)
    assert (found.levels, found.measures, found.digest) == ({"x": "x0"}, {"K": "a titration"}, before.digest)
    (folder / "levels.csv").write_text("agent,parameter\nx,y0\nz,x0\n", encoding="utf-8")
    (folder / "measures.csv").write_text("name,assay\nQ,a titration\n", encoding="utf-8")
    with pytest.raises(InvalidInput) as error:
        load_circuit(folder)
    assert [fault.where for fault in error.value.faults] == ["levels.csv: x", "levels.csv: z", "measures.csv"]
