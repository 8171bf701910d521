"""Independent wells: cells of their own in every arm, keyed by what is done there, so that a null varies by chance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from senexo import read_study
from senexo.base.errors import InvalidInput
from senexo.lab import donors
from senexo.lab.claim import null
from senexo.lab.claim.judge import margin
from senexo.lab.experiment import World
from senexo.lab.lone.experiment import INDEPENDENT, TWINS, IndependentCells
from senexo.lab.registry import experiment_of
from senexo.study.claims import comparisons

TINY = Path(__file__).parents[1] / "circuits" / "tiny.toml"
SMALL = ["donors.n=3", "cells.cell.n=6", 'cells.cell.variation={K="40 %"}']


def made(*changes: str, study: str | Path = TINY, small: list[str] = SMALL) -> IndependentCells:
    found = experiment_of(read_study(study, set=[*small, *changes]))
    assert isinstance(found, IndependentCells)
    found.compile()
    return found


def unit_of(here: IndependentCells, arm: str, donor: int = 1) -> Any:
    place = list(here.study.arms).index(arm)
    return next(unit for unit in here.units() if unit.arm == place and unit.donor == donor)


def test_twins_are_the_same_cells_in_every_arm_and_independent_wells_are_not() -> None:
    twins, apart = made(), made("culture.wells=independent")
    for here, same in ((twins, True), (apart, False)):
        arms = [here._numbers(unit_of(here, name)) for name in ("mock", "kd", "null")]
        assert (len({tuple(numbers) for numbers in arms}) == 1) is same
        assert all(len(numbers) == 6 for numbers in arms)
        assert (here.cautions({})[1] == TWINS) is same
    assert apart.cautions({})[1] == INDEPENDENT
    assert twins._numbers(unit_of(twins, "mock")) == range(1, 7)


def test_the_cells_of_a_well_do_not_depend_on_the_name_or_place_of_its_arm() -> None:
    here = made("culture.wells=independent")
    tables = here.study.to_dict()
    tables["arms"] = {"other": tables["arms"]["kd"], "mock": tables["arms"]["mock"]}
    tables["assays"] = []
    from senexo.study.resolve import resolve

    there = here.of_study(resolve(tables))
    assert here._numbers(unit_of(here, "kd")) == there._numbers(unit_of(there, "other"))


def test_a_cell_of_an_independent_well_can_be_simulated_again() -> None:
    here = made("culture.wells=independent")
    arrays = {unit.chunk: here.simulate_unit(unit) for unit in here.units() if unit.donor == 2}
    again = here.replay(arrays.__getitem__, arm="kd", donor=2, cell=3)
    assert again.same_bits


def test_cells_vary_alike_in_every_arm() -> None:
    """Mean and spread of the cells of two wells are those of the law; 6,000 cells each, 4 standard errors."""
    here = made("culture.wells=independent", "cells.cell.n=3000", "donors.n=1", "donors.draws.K=200")
    for name in ("mock", "kd"):
        cells = list(here._numbers(unit_of(here, name)))
        drawn = donors.cell_values(
            {"K": 0.4}, {"K": 200.0}, here.study.donors.draws, seed=7, number=1, cells=cells
        )["K"]  # fmt: skip
        assert drawn.mean() == pytest.approx(200.0, abs=4 * 80.0 / np.sqrt(len(cells)))
        assert drawn.std() == pytest.approx(80.0, rel=0.1)


def margins(name: str, number: int, *changes: str) -> tuple[np.ndarray, np.ndarray]:
    """Margins of a comparison of a shipped claim, in its world and its null."""
    here = made(*changes, study=name, small=["donors.n=12", "cells.LSC.n=4"])
    assert here.study.claim is not None
    arrays = {}
    for unit in null.units(here):
        for own in (unit, replace(unit, world=World.STUDY)):
            arrays[own.chunk] = here.simulate_unit(own)
    part = comparisons(null.trees(here.study.claim).holds)[number]
    seen, cut = (
        margin(part, null.read(here, null.compared(here.study.claim), arrays.__getitem__, world=world))
        for world in (World.STUDY, World.NULL)
    )
    return seen, cut


def test_the_null_of_c8_takes_the_mediated_effect_away_and_varies_by_chance_alone() -> None:
    """Where miR-34c-5p does not touch SIRT1, both arms are treated alike: twins show nothing, wells a scatter."""
    _, twins = margins("c08", 1, "culture.wells=twins", "model.reading=tight")
    np.testing.assert_allclose(twins[np.isfinite(twins)], -0.05, atol=1e-12)
    _, wells = margins("c08", 1, "model.reading=tight")
    assert np.nanstd(wells) > 0.01
    assert abs(np.nanmean(wells) + 0.05) < 4 * np.nanstd(wells) / np.sqrt(np.isfinite(wells).sum())


def test_the_null_of_c2_takes_both_causes_away() -> None:
    """With export and p53's drive cut neither genotype changes the level by more than wells vary (log2 0).

    Export: 4 standard errors. Without p53 cells also lack basal p21 and divide as often: the same bound.
    """
    for number in (0, 1):
        seen, cut = margins("c02", number)
        living = np.isfinite(cut)
        assert living.sum() >= 6
        assert np.nanstd(cut) > 0.01
        assert abs(np.nanmean(cut) + 1.0) < 4 * np.nanstd(cut) / np.sqrt(living.sum())
        assert np.nanmean(seen) > np.nanmean(cut) + 0.05


def test_the_positive_control_of_c10_is_a_ceiling() -> None:
    """Of twins: with loading at the top of its range export takes at least the share that it takes as it stands."""
    here = made("culture.wells=twins", study="c10", small=["donors.n=6", "cells.LSC.n=2"])
    levels = {}
    for arm in ("mock", "no-export", "selective", "selective-no-export"):
        units = [unit_of(here, arm, donor) for donor in range(1, 7)]
        claim = here.study.claim
        assert claim is not None
        read = next(one for one in null.read_by(claim) if one.arm == arm and one.readout == "miR-34c-5p")
        levels[arm] = np.array([here.value(read, unit, here.simulate_unit(unit)) for unit in units])
    share = 1 - levels["mock"] / levels["no-export"]
    most = 1 - levels["selective"] / levels["selective-no-export"]
    living = np.isfinite(share) & np.isfinite(most)
    share, most = share[living], most[living]
    assert living.sum() >= 4
    assert (share >= -1e-9).all()
    assert (most >= share - 1e-9).all()
    assert most.mean() > share.mean() + 0.05


def test_coupled_cells_know_no_such_wells() -> None:
    with pytest.raises(InvalidInput, match=r"culture.wells: found \"independent\", expected no such key"):
        read_study("c05-coupled", set=["culture.wells=independent"])
