"""What the prior `evidence` needs of the circuit, against closed forms; without effect under `shipped`."""

from __future__ import annotations

import math

import numpy as np
import pytest

from senexo.model.circuit import load_circuit
from verify._cell import HOURS, Wish, grow

CIRCUIT = load_circuit("mir34c-rab27b")
TABLE = {p.name: p.value for p in CIRCUIT.parameters}
NO_SITES: list[Wish] = [("cut", "miR-34c-5p -| *")]
ALONE: list[Wish] = [*NO_SITES, ("cut", "exosome -| miR-34c-5p"), ("cut", "exosome -> miR-34c-5p")]


def dose(copies: float, agent: str = "miR-34c-5p") -> Wish:
    return ("dose", agent, copies)


@pytest.mark.parametrize(("fold", "copies"), [(10.0, 0.0), (1.0, 300.0), (0.0, 0.0), (2.5, 40.0)])
def test_a_vector_holds_the_level_it_is_given(fold: float, copies: float) -> None:
    """Without sites nothing answers to the level, so it is fold m0 + copies; 1 %: growth is just below mu0."""
    closed: list[Wish] = [*NO_SITES, ("cut", "exosome -> miR-34c-5p")]  # else copies come back from the medium
    world = {"fold_vector": fold, "copies_vector": copies, "f53": 0.0, "nR27": 0.0, "E": 300.0}
    course = grow(CIRCUIT, ["mir34c_copies"], genotype=closed, parameters=world, times=np.array([0.0, 24.0, 168.0]))
    level = fold * TABLE["m0"] + copies
    np.testing.assert_allclose(course["mir34c_copies"], level, rtol=0.01, atol=1e-3)


def test_a_vectors_copies_stay_where_a_mimic_is_lost() -> None:
    held = grow(CIRCUIT, ["mir34c_copies"], genotype=NO_SITES, parameters={"copies_vector": 1000.0})["mir34c_copies"]
    dosed = grow(CIRCUIT, ["mir34c_copies"], genotype=NO_SITES, treatment=[dose(1000)])["mir34c_copies"]
    assert held[-1] > 0.9 * held[0]
    assert dosed[-1] < 0.1 * dosed.max()


def test_an_oligo_persists_by_its_own_half_life_and_the_cells_own_copies_by_theirs() -> None:
    """log(mimic at th_mimic / mimic at th_mir) grows by ln 2 (1/th_mir - 1/th_mimic) per hour once all is loaded."""
    names = ["mx", "mC", "m"]
    given = [dose(1000), dose(1000, "scrambled")]
    as_own = grow(CIRCUIT, names, genotype=ALONE, treatment=given)
    longer = grow(CIRCUIT, names, genotype=ALONE, treatment=given, parameters={"th_mimic": 72.0})
    rate = math.log(2) * (1 / TABLE["th_mir"] - 1 / 72)
    for name in ("mx", "mC"):
        ratio = np.log(longer[name][24:120] / as_own[name][24:120])
        np.testing.assert_allclose(np.diff(ratio), rate, rtol=1e-3)
    np.testing.assert_allclose(longer["m"], as_own["m"], rtol=1e-6)
    same = grow(CIRCUIT, names, genotype=ALONE, treatment=given, parameters={"th_mimic": TABLE["th_mir"]})
    np.testing.assert_allclose(same["mx"], as_own["mx"], rtol=1e-6)


def bound(copies: float, background: float, k: float) -> float:
    """Share of 8mers occupied, a/(a + k): a is the positive root of a^2 + (background + k - copies) a = k copies."""
    a = float(max(np.roots([1.0, background + k - copies, -k * copies]).real))
    return a / (a + k)


@pytest.mark.parametrize(("m34a", "tbg", "k8"), [(17.0, 15_000.0, 4.7), (85.0, 100.0, 4.7), (400.0, 1000.0, 1250.0)])
def test_the_seed_family_shares_sites_and_background(m34a: float, tbg: float, k8: float) -> None:
    world = {"m34a": m34a, "Tbg": tbg, "K8": k8}
    start = grow(CIRCUIT, ["theta", "theta34a", "mt"], parameters=world, times=np.array([0.0, 1.0]))
    assert start["theta"][0] == pytest.approx(bound(start["mt"][0] + m34a, tbg, k8), rel=1e-8)
    assert start["theta34a"][0] == pytest.approx(bound(m34a, tbg, k8), rel=1e-8)


def test_an_untreated_cell_is_the_reference_whatever_its_seed_family() -> None:
    for world in ({}, {"m34a": 85.0, "Tbg": 3000.0, "K8": 4.7}):
        course = grow(CIRCUIT, ["Z", "K6", "R"], parameters={**world, "f53": 0.0}, times=np.array([0.0, 24.0]))
        assert course["Z"] == pytest.approx(1.0, rel=5e-3)
        assert course["K6"] == pytest.approx(1.0, rel=5e-3)
        assert course["R"] == pytest.approx(TABLE["R0"], rel=5e-3)


def test_a_cut_edge_leaves_the_seed_familys_repression_and_a_mutated_site_none() -> None:
    world = {"m34a": 400.0, "m0": 0.01, "E": 1.0}
    times = np.array([0.0, 24.0])
    rab = {
        word: grow(CIRCUIT, ["MR"], genotype=genotype, parameters=world, times=times)["MR"][-1]
        for word, genotype in {
            "wild type": [], "cut": [("cut", "miR-34c-5p -| RAB27B")], "mutated": [("mutate", "RAB27B")],
        }.items()
    }  # fmt: skip
    assert rab["cut"] == pytest.approx(rab["wild type"], rel=1e-4)  # miR-34c-5p itself is next to nothing here
    dm, mu = math.log(2) / TABLE["th_mR"], math.log(2) / TABLE["Td"]
    theta = bound(400.0, TABLE["Tbg"], TABLE["K8"])
    expected = (dm * (1 + TABLE["b"] * TABLE["nR27"] * theta) + mu) / (dm + mu)
    assert rab["mutated"] / rab["cut"] == pytest.approx(expected, rel=2e-3)


def test_argonaute_fills_as_the_closed_form_says() -> None:
    """Without losses dx/dt = kl (D - x)(1 - x/ago), so (ago - x)/(D - x) = (ago/D) exp((ago - D) kl t/ago)."""
    ago, given = 1000.0, 3000.0
    world = {"ago": ago, "th_mimic": 1e9, "Td": 1e7, "ggro": 1e-9, "kl": 0.3}
    times = np.array([0.0, 1.0, 2.0, 5.0, 10.0])
    x = grow(CIRCUIT, ["mC"], genotype=ALONE, treatment=[dose(given, "scrambled")], parameters=world, times=times)["mC"]
    c = ago / given * np.exp((ago - given) * 0.3 * times / ago)
    np.testing.assert_allclose(x, (c * given - ago) / (c - 1), rtol=1e-4, atol=1e-6)


def test_an_oligo_takes_argonaute_from_the_cells_own_copies_and_never_more_than_there_is() -> None:
    names = ["m", "mC"]
    many = [dose(1e6, "scrambled")]
    limited = grow(CIRCUIT, names, genotype=ALONE, treatment=many, parameters={"ago": 1e5})
    free = grow(CIRCUIT, names, genotype=ALONE, treatment=many)
    assert limited["mC"].max() <= 1e5
    assert free["mC"].max() > 5e5
    assert limited["m"][24] < 0.5 * free["m"][24]


def test_p53_above_rest_kills_at_its_rate() -> None:
    """Without SIRT1's brake acetyl-p53 is 1 + h, so the hazard is kdie + kapo (H(1 + h) - H(1))/(1 - H(1))."""
    unbraked: list[Wish] = [("cut", "SIRT1 -| acetyl-p53")]
    times = HOURS[:3]

    def hazard(genotype: list[Wish], kapo: float) -> float:
        return float(
            grow(CIRCUIT, ["h_death"], genotype=genotype, parameters={"kapo": kapo}, times=times)["h_death"][-1]
        )

    high, rest = (x**2 / (TABLE["KA"] ** 2 + x**2) for x in (1 + TABLE["h"], 1.0))
    expected = TABLE["kdie"] + 0.01 * (high - rest) / (1 - rest)
    assert hazard(unbraked, 0.01) == pytest.approx(expected, rel=1e-9)
    for genotype in ([*unbraked, ("cut", "p53 -> death")], [*unbraked, ("knock_out", "p53")]):
        assert hazard(genotype, 0.01) == TABLE["kdie"]
    assert hazard(unbraked, 0.0) == TABLE["kdie"]
