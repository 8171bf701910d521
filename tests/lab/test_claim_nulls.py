"""The shipped claims with a few donors: cutting what a claim rests on takes its effect away, to the last digit."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from senexo import workflow
from senexo.base.errors import InvalidInput
from senexo.lab.claim import null
from senexo.lab.claim.judge import margin
from senexo.lab.experiment import World, arms_in
from senexo.lab.lone.experiment import IndependentCells
from senexo.lab.registry import experiment_of
from senexo.study.claims import comparisons
from senexo.study.observables import Observable, Quantity
from senexo.study.read import read_study, shipped_studies
from verify._nulls import COUPLED, margins

DONORS, CELLS = 16, 2
# judged in several worlds with fewer draws each: of the first comparison as ASKED
OF_WORLDS = {"c05": 0.05, "c11": 0.2, "c15": 0.05}
OF_SWEEPS = {"c13-hysteresis": np.log2(1.1)}  # of every comparison, as ASKED; its effect may have either sign
OF_GENOTYPES = ("c08-p53",)  # compares genotypes, which differ without the miRNA: true in its null too
OF_WELLS = ("c02", "c08", "c09", "c10")  # independent wells, in which a null varies: test_independent_wells.py
OF_MICE = ("c06-engraftment", "c07-eradication")  # test_mouse.py
OF_PATIENTS = ("c03-prognosis", "c04-response")  # test_cohort.py
# of the first comparison: what it asks for (a nothing has a margin of minus that)
ASKED = {
    "c05-senescence": 0.05, "c09-without-p53": 0.05, "c10-export": np.log2(1.2), "c12-shedding": 0.2,
    "c13-gain": np.log2(1.05), "c13-memory": np.log2(1.05), "c13-switch-memory": 0.1,
}  # fmt: skip
# under another prior, where so few donors may show no effect: of the first comparison as ASKED
EVIDENCE = {"c05-evidence": 0.05}
SHORT = ("c12-coupled", "c13-coupled")  # the others: python -m verify claim_nulls


@cache
def experiment(name: str) -> IndependentCells:
    study = read_study(name, set=[f"donors.n={DONORS}", f"cells.LSC.n={CELLS}"])
    made = experiment_of(study)
    assert isinstance(made, IndependentCells)
    made.compile()
    return made


@cache
def observed(name: str) -> dict[World, dict[Observable, np.ndarray]]:
    """What the claim of a shipped study reads, in its world and in its null."""
    here = experiment(name)
    assert here.study.claim is not None
    arrays = {}
    for unit in null.units(here):
        for world in (World.STUDY, World.NULL):
            own = replace(unit, world=world)
            arrays[own.chunk] = here.simulate_unit(own)
    wanted = null.compared(here.study.claim)
    return {world: null.read(here, wanted, arrays.__getitem__, world=world) for world in (World.STUDY, World.NULL)}


def test_every_claim_that_ships_is_here() -> None:
    assert {*ASKED, *COUPLED, *EVIDENCE, *OF_WORLDS, *OF_SWEEPS, *OF_GENOTYPES, *OF_WELLS, *OF_MICE, *OF_PATIENTS} == {
        name for name in shipped_studies() if read_study(name).claim
    }
    for name in (*ASKED, *COUPLED, *EVIDENCE, *OF_GENOTYPES):
        assert read_study(name).donors.n >= (720 if name in COUPLED else 800)


@pytest.mark.parametrize("name", SHORT)
def test_the_same_of_coupled_cells(name: str, tmp_path: Path) -> None:
    claimed, cut, expected = margins(name, tmp_path / name)
    np.testing.assert_allclose(cut, expected, rtol=0.0, atol=1e-9)
    assert np.abs(claimed - cut).max() > 1e-4


@pytest.mark.parametrize("name", [*ASKED, *OF_WORLDS])
def test_cutting_what_a_claim_rests_on_takes_its_effect_away(name: str) -> None:
    claim = experiment(name).study.claim
    assert claim is not None
    first = comparisons(null.trees(claim)[0])[0]
    seen, cut = (margin(first, readings) for readings in observed(name).values())
    living = np.isfinite(cut)
    assert living.sum() >= 4
    np.testing.assert_allclose(cut[living], -(ASKED | OF_WORLDS)[name], atol=2e-4)
    assert np.nanmean(seen) > np.nanmean(cut) + 2e-4


@pytest.mark.parametrize("name", OF_GENOTYPES)
def test_a_comparison_of_genotypes_is_true_without_the_edge_that_it_is_about(name: str) -> None:
    """Where the miRNA does not act on SIRT1, cells with p53 still arrest more, by basal p21: in some of 16 donors."""
    here = experiment_of(read_study(name, set=[f"donors.n={DONORS}"]))
    here.compile()
    claim = here.study.claim
    assert claim is not None
    arrays = {unit.chunk: here.simulate_unit(unit) for unit in null.units(here)}
    cut = null.read(here, null.compared(claim), arrays.__getitem__, world=World.NULL)
    assert all((margin(part, cut) > 0).any() for part in comparisons(null.trees(claim)[0]))


@pytest.mark.parametrize("name", OF_SWEEPS)
def test_no_level_of_a_sweep_depends_on_the_way_once_the_edge_is_cut(name: str) -> None:
    claim = experiment(name).study.claim
    assert claim is not None
    moved = 0.0
    for part in comparisons(null.trees(claim)[0]):
        seen, cut = (margin(part, readings) for readings in observed(name).values())
        living = np.isfinite(cut)
        assert living.sum() >= 4
        np.testing.assert_allclose(cut[living], -OF_SWEEPS[name], atol=2e-4)
        moved = max(moved, float(np.nanmax(np.abs(seen - cut))))
    assert moved > 0.01


@pytest.mark.parametrize("name", EVIDENCE)
def test_a_null_under_another_prior_has_no_effect(name: str) -> None:
    """The oligos take Argonaute from miR-34a alike, so mimic and control differ by nothing once the edges are cut."""
    claim = experiment(name).study.claim
    assert claim is not None
    cut = margin(comparisons(null.trees(claim)[0])[0], observed(name)[World.NULL])
    living = np.isfinite(cut)
    assert living.sum() >= 4
    np.testing.assert_allclose(cut[living], -EVIDENCE[name], atol=2e-4)


def test_the_null_is_of_the_same_cells() -> None:
    """What no cut edge reaches is the same in both worlds: who has died."""
    here = experiment("c05-senescence")
    alive = [Observable(Quantity.ALIVE, "mimic", 168.0)]
    units = [unit for unit in null.units(here) if unit.arm == list(here.study.arms).index("mimic")]
    assert len(units) == DONORS
    both = [replace(unit, world=world) for unit in units for world in (World.STUDY, World.NULL)]
    arrays = {unit.chunk: here.simulate_unit(unit) for unit in both}
    own, cut = (null.read(here, alive, arrays.__getitem__, world=world) for world in (World.STUDY, World.NULL))
    np.testing.assert_array_equal(own[alive[0]], cut[alive[0]])


def test_a_reading_is_what_the_units_hold() -> None:
    """Against the cells themselves, one by one."""
    here = experiment("c05-senescence")
    for reading, values in observed("c05-senescence")[World.STUDY].items():
        growth = here.simulator.grow(here.study.arms[reading.arm], 3, range(1, CELLS + 1))
        living = growth.alive(reading.time_h)
        last = (growth.times >= reading.time_h - 72.0) & (growth.times <= reading.time_h)
        committed = growth.senescent(reading.time_h)
        expected = {"senescence": committed, "arrested": growth.off()[:, last].all(axis=1) | committed}[
            reading.quantity.value
        ]
        assert values[2] == pytest.approx(expected[living].mean() if living.any() else np.nan, nan_ok=True)


def test_a_model_that_cannot_show_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "decay.ant").write_text("model d()\nx = 10; k = 0.1\nx' = -k*x\nend\n")
    (tmp_path / "s.toml").write_text(
        'title = "t"\n[model]\nfile = "decay.ant"\n[cells.cell]\nn = 1\n[culture]\nduration = "1 d"\n[arms.a]\n'
        '[claim]\nid = "C0"\nholds_when = "senescence(a, 1 d) > 1 or arrested(a, 1 d) > mean(x, a, 1 d)"\n'
        "null = { set = { k = 0 } }\n"
    )
    with pytest.raises(InvalidInput, match=r"senescence\(\.\.\.\), expected a model with the fate commitment") as found:
        workflow.check(tmp_path / "s.toml")
    assert len(found.value.faults) == 2


def test_only_compared_arms_are_simulated_again() -> None:
    made = experiment_of(read_study("c05-senescence"))
    study = made.study
    assert study.claim is not None
    assert null.arms(study) == {"scrambled", "mimic"}  # mock only says who is asked
    units = null.units(made)
    assert len(units) == 2 * study.donors.n
    assert {list(study.arms)[unit.arm] for unit in units} == {"scrambled", "mimic"}
    for name, arm in arms_in(study, World.NULL).items():
        assert arm.genotype[-7:] == study.claim.cuts
        assert arm.schedule == study.arms[name].schedule
    assert arms_in(study, World.STUDY) == study.arms
    assert null.units(experiment_of(read_study("mir34c-exvivo"))) == []
