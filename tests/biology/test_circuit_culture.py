"""Controls, wash-out, arrest, commitment and mass balance: properties that hold for all parameters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from senexo.lab.donors import donor_values
from senexo.model.circuit import load_circuit
from senexo.model.expression import Symbol
from senexo.model.network import Parameter, Rule
from verify._cell import HOURS, Floats, Wish, grow

CIRCUIT = load_circuit("mir34c-rab27b")
TABLE = {p.name: p.value for p in CIRCUIT.parameters}
STATE = ["mir34c_copies", "R", "MR", "rel", "EF", "u", "A", "Z", "K6", "V", "Q", "lost", "X"]
ARREST: Wish = ("express", "p21", 3.0)


def dose(copies: float, agent: str = "miR-34c-5p") -> Wish:
    return ("dose", agent, copies)


@pytest.mark.parametrize("agent", ["scrambled", "seed-mutant"])
def test_a_control_oligo_changes_nothing_but_its_own_level(agent: str) -> None:
    mock = grow(CIRCUIT, STATE)
    control = grow(CIRCUIT, [*STATE, "control_copies"], treatment=[dose(3000, agent)])
    for name in STATE:
        np.testing.assert_allclose(control[name], mock[name], rtol=1e-6, atol=1e-9)
    assert control["control_copies"].max() > 2000


def test_a_control_oligo_comes_and_goes_like_the_mimic() -> None:
    world: list[Wish] = [("cut", "miR-34c-5p -| *"), ("cut", "exosome -> miR-34c-5p")]
    course = grow(
        CIRCUIT, ["mimic_copies", "control_copies"], genotype=world, treatment=[dose(1000), dose(1000, "scrambled")]
    )
    np.testing.assert_allclose(course["mimic_copies"], course["control_copies"], rtol=1e-6, atol=1e-6)


def test_without_its_edges_the_mimic_does_nothing_to_the_switch() -> None:
    null: list[Wish] = [("cut", "miR-34c-5p -| *")]
    mimic = grow(CIRCUIT, ["EF", "R", "Z", "u", "V"], genotype=null, treatment=[dose(10_000)])
    mock = grow(CIRCUIT, ["EF", "R", "Z", "u", "V"], genotype=null)
    for name, course in mock.items():
        np.testing.assert_allclose(mimic[name], course, rtol=1e-6)


def test_the_inhibitor_takes_the_active_copies_away_one_for_one() -> None:
    course = grow(CIRCUIT, ["mt", "I", "R"], treatment=[dose(1000, "miR-34c-5p-inhibitor")])
    assert course["mt"][1:49].max() < 0.01 * TABLE["m0"]
    mutant = grow(CIRCUIT, ["R"], genotype=[("mutate", "RAB27B")])["R"][-1]
    assert course["R"][0] < course["R"].max() < mutant  # derepressed, at most like the site mutant
    excess = grow(CIRCUIT, ["mt", "I"], treatment=[dose(1000), dose(300, "miR-34c-5p-inhibitor")])
    alone = grow(CIRCUIT, ["mt"], treatment=[dose(1000)])
    assert 0 < alone["mt"][6] - excess["mt"][6] < 300


def test_the_wash_out_is_clean() -> None:
    """The mimic is gone at once, the cell's own copies stay, and E2F is back within three days."""
    names = ["m", "mx", "L", "EF"]
    kept = grow(CIRCUIT, names, treatment=[dose(3000)])
    course = grow(CIRCUIT, names, treatment=[dose(3000)], later=(72.0, [("wash_out", "miR-34c-5p")]))
    assert kept["mx"][73] > 100
    assert course["mx"][73:].max() < 3  # only what is taken up again from the medium
    assert course["m"][73] == pytest.approx(kept["m"][73], rel=0.05)
    assert kept["EF"][72 + 60] < 0.1 < 0.5 < course["EF"][72 + 60]


def test_arrest_alone_raises_what_is_diluted_by_growth() -> None:
    """Ectopic p21, no mimic: a stable molecule rises by at most (loss + mu)/loss; RAB27B by its mRNA's rise too."""
    course = grow(CIRCUIT, ["mt", "MR", "R", "EF"], treatment=[ARREST], genotype=[("cut", "miR-34c-5p -| *")])
    most = {name: 1 + TABLE[name] / TABLE["Td"] for name in ("th_mir", "th_mR", "th_R")}
    assert course["EF"][24:].max() < 0.1
    assert 1.1 < course["mt"][-1] / course["mt"][0] < most["th_mir"]
    assert 1.05 < course["MR"][-1] / course["MR"][0] < most["th_mR"]
    assert 1.1 < course["R"][-1] / course["R"][0] < most["th_R"] * most["th_mR"]


def test_off_is_quiescence_and_serum_wakes_it() -> None:
    course = grow(CIRCUIT, ["EF"], serum=1.0, treatment=[dose(300)], later=(96.0, [("change", "serum", 20.0)]))
    assert course["EF"][24:97].max() < 0.1
    assert course["EF"][-1] > 0.5


@pytest.mark.parametrize(("serum", "low", "high"), [(20.0, 0.5, 1.0), (0.2, 0.0, 0.03)])
def test_commitment_needs_arrest_and_growth_drive(serum: float, low: float, high: float) -> None:
    days = np.arange(0.0, 14 * 24 + 1)
    arrested = grow(CIRCUIT, ["Q", "h_commit"], serum=serum, treatment=[ARREST], times=days)
    assert low <= arrested["Q"][-1] <= high
    assert arrested["h_commit"].min() >= 0
    assert grow(CIRCUIT, ["Q"], serum=20.0, times=days)["Q"][-1] < 1e-6  # growth drive without arrest


def test_fresh_medium_is_empty() -> None:
    course = grow(CIRCUIT, ["X"], later=(96.0, [("change", "medium")]))
    assert course["X"][96] > 10 > course["X"][97] > 0


def draws(n: int) -> list[dict[str, float]]:
    """Draws of all uncertain parameters by their laws, with a fixed seed."""
    table = {p.name: p for p in CIRCUIT.parameters if p.law != "fixed"}
    return [donor_values(table, 20240501, number) for number in range(n)]


@pytest.mark.parametrize("parameters", draws(10))
def test_the_untreated_cell_sits_at_its_reference(parameters: dict[str, float]) -> None:
    """Whatever the draw, the growing untreated cell has m0, R0, rel0 (normalisations hold for any parameters).

    Without what returns from the medium, which comes on top. 5 %: the last percent of cells is not cycling. (All ten
    draws of this seed have the switch ON in mock; about one draw in twenty has not.)
    """
    alone = parameters | {"e_uptake": 0.0}
    settled = grow(CIRCUIT, ["EF", "mt", "R", "rel", "Z", "K6"], parameters=alone, times=np.array([0.0, 1e-6]))
    assert settled["EF"][0] > 0.5
    expected = {"mt": parameters["m0"], "R": parameters["R0"], "rel": parameters["rel0"], "Z": 1.0, "K6": 1.0}
    for name, value in expected.items():
        assert settled[name][0] == pytest.approx(value, rel=0.05), name


MADE = ["mir_made"]
GONE = ["mir_decay", "mir_diluted", "queue_diluted", "mimic_decay", "mimic_diluted", "mir_bound", "mimic_bound"]
MEDIUM = ["take_lost", "medium_decay"]
OUT = ["mir_export", "mimic_export"]


@pytest.mark.parametrize("settings", [{}, {"E": 1000.0, "fdel": 0.3, "kup": 0.05}])
def test_every_copy_is_accounted_for(settings: dict[str, float]) -> None:
    """Made + dosed = in the cell + in the medium + degraded + diluted + bound + taken up and lost; lost = exported."""
    from senexo.engine.formula.evaluate import initial_values
    from senexo.engine.formula.lower import lower
    from senexo.engine.ode.single import integrate

    fluxes = [*MADE, *GONE, *MEDIUM, *OUT, "take_up"]
    network = replace(
        CIRCUIT.network,
        parameters=CIRCUIT.network.parameters + tuple(Parameter(f"sum_{f}", 0.0, constant=False) for f in fluxes),
        rules=CIRCUIT.network.rules + tuple(Rule("rate", f"sum_{f}", Symbol(f)) for f in fluxes),
    )
    lowered = lower(network)
    slot = {info.id: index for index, info in enumerate(lowered.slots)}
    v = initial_values(lowered, {slot[name]: value for name, value in settings.items()})
    v[slot["L"]] += 2000.0
    v[slot["I"]] += 500.0
    course = integrate(lowered, v, HOURS, rtol=1e-9)

    def total(names: list[str], prefix: str = "") -> Floats:
        return np.asarray(course[:, [slot[prefix + name] for name in names]].sum(axis=1))

    held = total(["L", "m", "mx", "X"])
    spent = total([*GONE, *MEDIUM], "sum_")
    np.testing.assert_allclose(held + spent - total(MADE, "sum_"), held[0], rtol=1e-6)
    np.testing.assert_allclose(total(["lost"]), total(OUT, "sum_"), rtol=1e-6, atol=1e-6)
    back = total(["X"]) + total([*MEDIUM, "take_up"], "sum_") - total(["X"])[0]
    np.testing.assert_allclose(back, total(["lost"]), rtol=1e-6, atol=1e-5)
    assert (course[:, [slot[name] for name in ("L", "m", "mx", "X", "I", "MR", "R")]] > -1e-6).all()
