"""Wrong pilots of power: refused as the assay itself refuses them, with row and column; any other gives numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from senexo import assays
from senexo.assays import power
from senexo.assays._power.simulators import SIMULATORS, read_pilot
from senexo.base.errors import InvalidInput

COUNTS = {"arm": ["mock", "mimic"] * 3, "donor": list("aabbcc"), "n_positive": [4, 52, 6, 61, 3, 47], "n_total": 200}
PATIENTS = {"time": [3.0, 8.0, 12.0, 30.0], "event": [1, 1, 0, 1]}
PLATE = {"dose": [100, 1000], "tested": [10, 10], "response": [2, 9]}
ARMS = {"arm": "mimic", "control": "mock"}
TIMES = {"time": "time", "event": "event"}
UNITS = {"dose": "dose", "tested": "tested", "response": "response"}
CYCLES = {"arm": ["mock", "mimic"] * 2, "donor": list("aabb"), "target": "miR", "ct": 30.0}


@pytest.mark.parametrize(
    ("assay", "table", "roles", "message"),
    [
        ("senescence", dict.fromkeys(COUNTS, ()), ARMS, "no row of data"),
        ("senescence", {"arm": ["mock"], "donor": ["a"]}, ARMS, "column n_positive: found no such column"),
        ("senescence", COUNTS | {"n_total": [200] * 5 + ["many"]}, ARMS, "row 7, column n_total: found 'many'"),
        ("senescence", COUNTS | {"n_positive": [900, *range(5)]}, ARMS, "row 2, column n_positive: found 900 of 200"),
        ("senescence", COUNTS | {"donor": "a"}, ARMS, "row 4: found the arm, donor of row 2 again"),
        ("senescence", COUNTS | {"arm": "mock", "donor": list("abcdef")}, ARMS, "compare: found 'mimic'"),
        (
            "senescence", COUNTS | {"family": ["mock", "ladder"] * 3}, {"arm": "ladder", "control": "mock"},
            "arm: found 'ladder', a family, expected one arm",
        ),
        ("senescence", COUNTS, {"arm": "mimic"}, "control: found nothing, expected a pilot of senescence needs it"),
        ("qpcr", CYCLES, {**ARMS, "target": "miR", "reference": "U6"}, "reference: found 'U6', expected one of miR"),
        ("qpcr", CYCLES | {"ct": -1}, {**ARMS, "target": "miR", "reference": "U6"}, "row 2, column ct: found '-1'"),
        ("survival", PATIENTS | {"time": [3.0, -8.0, 12.0, 30.0]}, TIMES, "row 3, column time: found '-8'"),
        ("survival", PATIENTS | {"event": [1, "dead", 0, 1]}, TIMES, "row 3, column event: found 'dead'"),
        ("survival", PATIENTS | {"event": 0}, TIMES, "column event: found no event"),
        ("survival", PATIENTS, {"time": "days", "event": "event"}, "column days: found no such column"),
        ("dilution", PLATE | {"response": [2, 11]}, UNITS, "row 3, column response: found 11 of 10 units"),
        ("dilution", PLATE | {"response": 0}, UNITS, "found no unit, or every unit, with a response"),
        ("dilution", PLATE | {"response": 10}, UNITS, "found no unit, or every unit, with a response"),
        ("response", {"cr": ["yes", "perhaps"]}, {"response": "cr"}, "row 3, column cr: found 'perhaps'"),
        ("response", {"cr": []}, {"response": "cr"}, "no row of data"),
        ("expression", {"g": ["a", "b"], "x": [1.0, "y"]}, {"group": "g", "control": "a"}, "column x: found 'y'"),
        ("expression", {"g": ["a", "a"], "x": [1.0, 2.0]}, {"group": "g", "control": "a"}, "found only the group a"),
        ("expression", {"g": ["a", "b"], "x": [1.0, 2.0]}, {"group": "g", "control": "a"}, "too few samples"),
        ("particles", COUNTS, ARMS, "column dilution: found no such column"),
    ],
)  # fmt: skip
def test_wrong_pilots(assay: str, table: dict[str, Any], roles: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as told:
        power(
            pd.DataFrame(table), assay=assay, effect=2.0 if assay != "senescence" else 0.1, n=20, sets=20, pilot=roles
        )
    assert message in str(told.value)
    assert all(", expected " in line for line in str(told.value).splitlines())


def test_a_pilot_of_several_times_is_judged_at_the_last() -> None:
    """As the assay does: the cells of an early count neither dilute nor double those of the last."""
    now = pd.DataFrame(COUNTS)
    both = pd.concat([now.assign(n_positive=0, time_h=24), now.assign(time_h=168)], ignore_index=True)
    assert read_pilot("senescence", both, ARMS, "paired", "t") == read_pilot("senescence", now, ARMS, "paired", "t")


def test_a_pilot_without_replicates_says_nothing_of_wells() -> None:
    cells = [
        (arm, donor, rna, cycle + shift)
        for arm, late in (("mock", 30.0), ("mimic", 27.0))
        for donor, shift in (("a", 0.0), ("b", 0.4), ("c", -0.3))
        for rna, cycle in (("miR", late), ("U6", 20.0))
    ]
    roles = {**ARMS, "target": "miR", "reference": "U6"}
    table = pd.DataFrame(cells, columns=["arm", "donor", "target", "ct"])
    found, _ = read_pilot("qpcr", table, roles, "paired", "t")
    assert {"technical_sd", "wells"} & set(found) == set()
    assert found["ct"] == 30.0


MESSY = st.sampled_from(["", "a", "mock ", "mimic", 0, 1, 7, 31.5, "12", "-3", "1e300", "x", None, math.nan, True])
TIDY: dict[str, Any] = {
    "arm": st.sampled_from(["mock", "mimic", "medium"]), "donor": st.sampled_from("abc"),
    "n_positive": st.integers(0, 9), "n_total": st.sampled_from([0, 9, 200]), "target": st.sampled_from(["miR", "U6"]),
    "ct": st.sampled_from([20.5, 31.0, math.nan]), "time": st.sampled_from([0.0, 1.0, 30.0]),
    "event": st.sampled_from([0, 1]), "dose": st.sampled_from([10, 100]), "tested": st.integers(9, 20),
    "response": st.integers(0, 9), "cr": st.sampled_from([0, 1]), "particles_per_ml": st.sampled_from([0.0, 1e8, 3e8]),
    "dilution": st.just(10), "volume_ml": st.just(2.0), "n_cells": st.just(1e6), "hours": st.just(24),
    "x": st.floats(2, 9), "y": st.floats(2, 9),
}  # fmt: skip
ROLES: dict[str, dict[str, Any]] = {
    "senescence": ARMS, "qpcr": {**ARMS, "target": "miR", "reference": "U6"}, "survival": TIMES, "dilution": UNITS,
    "response": {"response": "cr"}, "expression": {"group": "arm", "control": "mock"},
    "particles": {**ARMS, "blank": "medium"},
}  # fmt: skip


@st.composite
def pilots(draw: st.DrawFn) -> pd.DataFrame:
    n, wrong = draw(st.integers(0, 9)), draw(st.sets(st.sampled_from(sorted(TIDY)), max_size=2))
    cells = {name: MESSY if name in wrong else kind for name, kind in TIDY.items()}
    table = pd.DataFrame({name: draw(st.lists(kind, min_size=n, max_size=n)) for name, kind in cells.items()})
    return table.assign(replicate=range(n))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(SIMULATORS)), st.sampled_from(["paired", "unpaired"]), pilots())
def test_any_pilot_gives_numbers_or_its_faults(assay: str, design: str, table: pd.DataFrame) -> None:
    if assay == "expression":
        table, design = table[["arm", "x", "y"]], "unpaired"
    try:
        found, notes = read_pilot(assay, table, ROLES[assay], design, "t")
    except InvalidInput:
        return
    assert np.isfinite(list(found.values())).all()
    assert all(notes)


def test_every_assay_that_power_knows_has_a_wrong_pilot() -> None:
    without = {"balance", "colonies", "fates"}  # how many samples these need is not computed
    assert set(SIMULATORS) == set(ROLES) == set(dir(assays)) - {"power"} - without
