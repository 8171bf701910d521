"""Doses into a body in a study: amounts per weight and surface, tables of records, routes, and what is refused."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from senexo.base.errors import InvalidInput
from senexo.study.agents import of
from senexo.study.resolve import resolve
from senexo.study.schema import Arm, Study

MOUSE = {"strain": "NSG", "cells": 1e5, "mice": 2, "treated_from": "28 d", "end": "12 weeks"}


def a_study(*doses: dict[str, Any], folder: Path = Path(), mouse: dict[str, Any] | None = None, **more: Any) -> Study:
    return resolve(
        {
            "title": "t", "model": {"circuit": "mir34c-rab27b"}, "cells": {"LSC": {"n": 2}}, "donors": {"n": 2},
            "culture": {"duration": "14 d"}, "arms": {"mock": {}, "mimic": {"dose": list(doses)}},
            "mouse": MOUSE if mouse is None else mouse, **more,
        },
        folder=folder,
    )  # fmt: skip


def mimic(*doses: dict[str, Any], folder: Path = Path()) -> Arm:
    return a_study(*doses, folder=folder).arms["mimic"]


def active(mg: float) -> float:
    """By hand: molecules, times the four shares, over the cells of the marrow, at the central values."""
    known = {name: one.value for name, one in of("mimic", "mouse").items()}
    molecules = mg * 1e-3 / known["molar_mass"] * 6.02214076e23
    shares = known["marrow_share"] * known["uptake"] * known["endosomal_escape"] * known["active_share"]
    return molecules * shares / known["marrow_cells"]


def test_an_amount_per_weight_is_mg_of_a_mouse_of_20_g() -> None:
    arm = mimic({"what": "miR-34c-5p", "amount": "5 mg/kg", "at": "1 d", "every": "24 h", "count": 5, "over": "2 h"})
    (record,) = arm.body_doses
    assert (record.of, record.targets, record.route, record.evid) == ("miR-34c-5p", ("L",), "iv", 1)
    assert (record.time_h, record.ii_h, record.addl) == (24.0, 24.0, 4)
    assert record.amt_mg == pytest.approx(0.1)
    assert record.rate_mg_h == pytest.approx(0.05)
    assert arm.schedule == ()
    assert arm.agent == "miR-34c-5p"
    assert arm.dose_copies == round(active(0.5))
    assert arm.summary.startswith("5 mg/kg of miR-34c-5p at 1 d, then every 1 d, 5 in all, over 2 h each, iv (in all")


def test_3_mg_per_m2_are_1_mg_per_kg() -> None:
    surface, weight = (
        mimic({"what": "miR-34c-5p", "amount": amount}).body_doses[0].amt_mg for amount in ("3 mg/m2", "1 mg/kg")
    )
    assert surface == pytest.approx(weight, rel=1e-12)


def test_a_ladder_of_doses_is_one_arm_each() -> None:
    ladder = a_study({"what": "miR-34c-5p", "amount": ["1 mg/kg", "10 mg/kg"]}).arms
    assert list(ladder) == ["mock", "mimic[1 mg/kg]", "mimic[10 mg/kg]"]
    assert [arm.dose_label for arm in ladder.values()] == ["", "1 mg/kg", "10 mg/kg"]
    assert [len(arm.body_doses) for arm in ladder.values()] == [0, 1, 1]


def test_copies_and_a_dose_per_body_stand_side_by_side() -> None:
    arm = mimic({"what": "miR-34c-5p", "amount": 300}, {"what": "scrambled", "amount": "1 mg/kg"})
    assert [action.value for action in arm.schedule] == [300.0]
    assert [one.of for one in arm.body_doses] == ["scrambled"]
    assert arm.agent == "miR-34c-5p + scrambled"


def test_a_table_of_doses_is_read_in_its_unit_and_route(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("TIME,EVID,AMT,RATE,CMT,II,ADDL\n0,1,3,0,1,24,4\n200,3,,,,,\n240,4,6,3,2,,\n")
    arm = mimic(
        {"what": "miR-34c-5p", "events": "d.csv", "unit": "mg/m2", "route": "ip"}, folder=tmp_path
    )  # fmt: skip
    per_m2 = 0.02 / 3.0
    assert [(one.time_h, one.evid, one.cmt, one.addl) for one in arm.body_doses] == [
        (0.0, 1, 1, 4),
        (200.0, 3, 0, 0),
        (240.0, 4, 2, 0),
    ]
    assert [one.amt_mg for one in arm.body_doses] == pytest.approx([3 * per_m2, 0.0, 6 * per_m2])
    assert arm.body_doses[2].rate_mg_h == pytest.approx(3 * per_m2)
    assert {one.route for one in arm.body_doses} == {"ip"}
    assert arm.dose_copies == round(active(21 * per_m2) * of("mimic", "mouse")["bioavailability"].value)


def test_the_resolved_study_has_the_doses_and_needs_no_table(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("TIME,AMT\n0,0.1\n")
    found = a_study({"what": "miR-34c-5p", "events": "d.csv"}, folder=tmp_path)
    assert resolve(tomllib.loads(found.to_toml())) == found
    assert "mimic_uptake" in found.mouse.draws  # type: ignore[union-attr]
    plain = a_study({"what": "miR-34c-5p", "amount": 3})
    assert not any(name.startswith("mimic_") for name in plain.mouse.draws)  # type: ignore[union-attr]
    assert "body_doses" not in plain.to_toml()


@pytest.mark.parametrize(
    ("dose", "table", "says"),
    [
        ({"events": "d.csv"}, "TIME,AMT,DOSE\n0,1,2\n", r"dose\[0\]\.events: .*columns: found DOSE, expected none but"),
        ({"events": "d.csv"}, "TIME,AMT\n0,-1\n", r"AMT: found -1, expected a finite number from 0"),
        ({"events": "d.csv"}, "TIME,AMT,CMT\n0,1,2\n", r"CMT: found 2, expected 1 to 1"),
        ({"events": "d.csv"}, "TIME,AMT,II,ADDL\n0,1,24,20\n", r"records from 0 h to 480 h, expected doses from 0 h"),
        ({"events": "d.csv"}, "ID,TIME,AMT\n1,0,1\n2,0,1\n", r"found 2 subjects in column ID"),
        ({"events": "none.csv"}, "", r"dose\[0\]\.events: found .none.csv., expected a table of doses \(CSV\)"),
        ({"events": "d.csv", "amount": 3}, "TIME,AMT\n0,1\n", r"dose\[0\]: found both amount and events"),
        ({"events": "d.csv", "every": "1 d"}, "TIME,AMT\n0,1\n", r"dose\[0\]\.every: found both"),
        ({"events": "d.csv", "unit": "kg"}, "TIME,AMT\n0,1\n", r"dose\[0\]\.unit: .*mg/kg"),
        ({"amount": "1 mg/kg", "unit": "mg"}, "", r"dose\[0\]\.unit: .*an amount has its own unit"),
        ({"amount": "1 mg/kg", "route": "im"}, "", r"dose\[0\]\.route: .*iv"),
        ({"amount": 300, "route": "iv"}, "", r"dose\[0\]\.amount: found 300, expected an amount per weight or surface"),
        ({"amount": "-1 mg/kg"}, "", r"dose\[0\]\.amount: found .-1 mg/kg., expected an amount above 0"),
        ({"amount": "1e9 mg/kg"}, "", r"copies per cell, expected at most 300,000,000 copies"),
        ({"amount": "1 mg/kg", "at": "14 d"}, "", r"dose\[0\]\.at: .*before the end of the culture"),
        ({}, "", r"dose\[0\]: found no amount or events, expected the key amount or events"),
    ],
)  # fmt: skip
def test_what_no_body_can_get_is_refused(tmp_path: Path, dose: dict[str, Any], table: str, says: str) -> None:
    if table:
        (tmp_path / "d.csv").write_text(table)
    with pytest.raises(InvalidInput, match=says):
        mimic({"what": "miR-34c-5p", **dose}, folder=tmp_path)


@pytest.mark.parametrize("mouse", [{**MOUSE, "treated_from": None, "injected_at": "2 d"}, None])
@pytest.mark.parametrize("dose", [{"amount": "1 mg/kg"}, {"events": "d.csv"}, {"amount": 3, "route": "ip"}])
def test_without_treated_mice_there_is_no_body(mouse: dict[str, Any] | None, dose: dict[str, Any]) -> None:
    own = None if mouse is None else {name: value for name, value in mouse.items() if value is not None}
    raw: dict[str, Any] = {
        "title": "t", "model": {"circuit": "mir34c-rab27b"}, "cells": {"LSC": {"n": 2}},
        "culture": {"duration": "14 d"}, "arms": {"mimic": {"dose": {"what": "miR-34c-5p", **dose}}},
        **({} if own is None else {"mouse": own}),
    }  # fmt: skip
    with pytest.raises(InvalidInput, match="needs a body"):
        resolve(raw)
