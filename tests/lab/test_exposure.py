"""Exposure to agents: tables of doses, published concentrations, mass balance of the mimic, and faults of a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from senexo import exposure
from senexo.base.errors import InvalidInput
from senexo.engine.pk.events import Event
from senexo.study.agents import AGENTS, BODIES, milligrams, numbers, of
from senexo.study.event_table import read_events


def table(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_cytarabine_at_steady_state_is_what_was_measured() -> None:
    """200 mg/m2/d for 7 d: 0.30 +- 0.13 uM in 265 patients (10.1007/BF00686192); clearance alone is an input here."""
    rows = table(TIME=[0.0], AMT=[1400.0], RATE=[200.0 / 24.0])
    found = exposure(rows, agent="cytarabine", unit="mg/m2", times=[100.0])
    clearance = of("cytarabine", "patient")["clearance"].value
    reached = 1.0 - 2.0 ** (-100.0 / of("cytarabine", "patient")["half_life"].value)
    expected = 200.0 / 24.0 / clearance / 243.2 * 1e3 * reached
    assert found.quantities["concentration_uM"][0, 0] == pytest.approx(expected, rel=1e-12)
    assert abs(expected - 0.30) < 0.13


def test_the_anchor_of_the_kill_hazard() -> None:
    """At 0.30 uM, the measured concentration, cycling cells die at 0.99 per day (10.1098/rsif.2020.0091)."""
    known = of("cytarabine", "patient")
    assert known["kill_max"].value * 0.30 / (known["kill_ec50"].value + 0.30) == pytest.approx(0.99, abs=0.005)


@pytest.mark.parametrize("agent", ["cytarabine", "daunorubicin", "doxorubicin"])
def test_kill_is_bounded_and_spares_resting_cells(agent: str) -> None:
    found = exposure([Event(0.0, amt=1e6)], agent=agent, times=[0.0, 1.0], draws=50)  # type: ignore[arg-type]
    kill, resting = found.quantities["kill_per_d"], found.quantities["kill_resting_per_d"]
    assert kill[0, 0] == pytest.approx(1.5, rel=0.01)
    assert (kill <= 3.0).all()
    assert (resting <= 0.2 * kill + 1e-15).all()


@pytest.mark.parametrize("body", ["mouse", "patient"])
def test_copies_of_the_mimic_are_the_molecules_that_left_the_plasma(body: str) -> None:
    known = {name: one.value for name, one in of("mimic", body).items()}  # type: ignore[arg-type]
    found = exposure([Event(0.0, amt=2.0)], agent="mimic", body=body, times=[0.0, known["half_life"], 1e5])  # type: ignore[arg-type]
    steps = known["marrow_share"] * known["uptake"] * known["endosomal_escape"] * known["active_share"]
    every = 2e-3 / known["molar_mass"] * 6.02214076e23 * steps / known["marrow_cells"]
    np.testing.assert_allclose(found.quantities["active_copies"][0], [0.0, every / 2, every], rtol=1e-9)


def test_a_dose_per_weight_or_surface_is_that_of_the_body() -> None:
    assert milligrams("1 mg/kg", BODIES["mouse"]) == pytest.approx(milligrams("3 mg/m2", BODIES["mouse"]))
    a = exposure([Event(0.0, amt=2.0)], agent="mimic", body="mouse", unit="mg/kg", times=[5.0])
    b = exposure([Event(0.0, amt=0.04)], agent="mimic", body="mouse", times=[5.0])
    assert a.quantities["area_uM_h"] == pytest.approx(b.quantities["area_uM_h"], rel=1e-12)
    with pytest.raises(InvalidInput, match=r"found '2 mg', expected an amount per weight or surface"):
        milligrams("2 mg", BODIES["mouse"])


def test_draws_are_keyed_and_stay_in_their_ranges() -> None:
    few, many = (
        exposure([Event(0.0, amt=100.0)], agent="daunorubicin", times=[0.0, 9.0], draws=n, seed=4) for n in (5, 300)
    )
    np.testing.assert_array_equal(few.quantities["concentration_uM"], many.quantities["concentration_uM"][:6])
    rows = many.table
    assert (rows["kill_per_d_p5"] <= rows["kill_per_d_p95"]).all()
    assert "in brackets" in str(many).lower()


def test_an_exposure_of_nothing_is_nothing() -> None:
    found = exposure([Event(0.0, evid=0)], agent="cytarabine", times=[0.0, 5.0])
    assert all((values == 0.0).all() for values in found.quantities.values())


def test_numbers_have_sources_and_ranges() -> None:
    assert {agent for agent, _, _ in numbers()} == set(AGENTS)
    for (agent, body, name), one in numbers().items():
        assert one.source, (agent, body, name)
        assert one.low <= one.value <= one.high


def test_a_table_becomes_records(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("ID,TIME,EVID,AMT,RATE,II,ADDL,SS\n7,0,1,100,20,12,2,\n7,3,0,,,,,\n8,1,4,50,,,,\n")
    found = read_events(path)
    assert found["7"] == [Event(0.0, 1, 100.0, 20.0, 0, 12.0, 2, 0), Event(3.0, 0)]
    assert found["8"] == [Event(1.0, 4, 50.0)]


def test_without_evid_a_row_with_an_amount_is_a_dose() -> None:
    found = read_events(table(TIME=[0, 1, 2], AMT=[5, None, None], RATE=[None, None, 3], SS=[None, None, 1]))["1"]
    assert [event.evid for event in found] == [1, 0, 1]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (table(TIME=[0.0], AMT=[1.0], WT=[70.0]), "columns: found WT, expected none but ID, TIME"),
        (table(TIME=[0.0], AMT=[1.0], DV=[70.0]), "found DV, expected .*take measurements out"),
        (table(AMT=[1.0]), "column TIME: found no such column"),
        (table(TIME=[0.0], AMT=["much"]), "row 2, column AMT: found 'much', expected a number"),
        (table(TIME=[0.0], EVID=[9], AMT=[1.0]), "row 2, column EVID: found '9'"),
        (table(TIME=[0.0], AMT=[1.0], RATE=[-2.0]), "RATE: found -2"),
        (table(TIME=[0.0], AMT=[1.0], CMT=[2]), "CMT: found 2, expected 1 to 1"),
        (table(ID=[1, 2], TIME=[0.0, 0.0], AMT=[1.0, 1.0]), "column ID: found 2 subjects"),
        (table(ID=[1, 2], TIME=[0.0, 0.0], AMT=[1.0, -1.0]), "ID 2, record 1: AMT"),
    ],
)  # fmt: skip
def test_faulty_tables_are_refused(rows: pd.DataFrame, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        exposure(rows, agent="cytarabine")


def test_words_that_are_not_known_are_refused_together() -> None:
    with pytest.raises(InvalidInput, match=r"(?s)agent.*body.*unit"):
        exposure([], agent="aspirin", body="rat", unit="g")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="no record"):
        exposure([], agent="mimic")
