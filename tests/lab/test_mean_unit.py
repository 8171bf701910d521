"""A study by `mean_field`: fractions of cells, no single cells, and agreement with the mean of single cells."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from senexo.lab import protocol
from senexo.lab.coupled import tables
from senexo.lab.coupled.experiment import CoupledCells
from senexo.lab.experiment import Unit
from senexo.lab.registry import experiment_of
from senexo.study.resolve import resolve

STUDY = """
title = "means of coupled cells"
seed = 3
[model]
circuit = "mir34c-rab27b-cells"
[cells.LSC]
n = 12
variation = {}
[donors]
n = 1
[culture]
duration = "24 h"
serum = "20 %"
preequilibration = "6 h"
method = "mean_field"
[arms.mimic]
dose = { what = "miR-34c-5p", amount = 3000, at = "0 h" }
[arms.fed]
medium_from = { arm = "mimic", taken = "12 h", at = "0 h", share = "50 %" }
[arms.mock]
[readouts]
times = ["0 h", "12 h", "24 h"]
[replicates]
n = 2
"""


def experiment(*, arms: dict[str, Any] | None = None, **culture: Any) -> CoupledCells:
    raw = tomllib.loads(STUDY)
    raw["culture"] |= culture
    raw["arms"] = arms or raw["arms"]
    made = experiment_of(resolve(raw))
    assert isinstance(made, CoupledCells)
    return made


def filled(made: CoupledCells, arm: int) -> dict[str, np.ndarray]:
    digest, occurrence = protocol.occurrences(made.study.arms)[arm]
    return made.simulate_unit(Unit(arm, 1, digest, occurrence))


def test_a_unit_has_the_arrays_of_single_cells() -> None:
    """The same names and shapes as by `hybrid`; a dosed cell has its 3,000 copies within what 12 cells may show."""
    mean, cells = filled(experiment(), 0), filled(experiment(method="hybrid"), 0)
    assert mean.keys() == cells.keys()
    per_well = (
        "numbers",
        "of_types",
        "course",
        "shares",
        "pools",
        "followed",
        "spread",
        "arrest",
        "arrest_of",
        "senescence",
        "ct",
    )
    assert all(mean[name].shape == cells[name].shape for name in (*per_well, "at", "well_pools"))
    assert mean["numbers"][0].sum() == pytest.approx(12.0)
    assert np.any(mean["numbers"][1:] % 1.0 != 0.0)
    assert not mean["rows"].any()
    assert not len(mean["values"])
    assert not len(mean["log_time"])
    q = experiment().study.readouts.names.index("miR-34c-5p")
    # 12 cells of nearly one dose: 5 % apart; sizes of 12 cells, which the twin has all alike, are the rest
    assert mean["course"][-1, q] == pytest.approx(cells["course"][-1, q], rel=0.1)


def test_medium_of_another_arm_comes_as_it_was_read() -> None:
    made = experiment()
    taken, given, mock = (filled(made, arm)["pools"] for arm in (0, 1, 2))
    assert given[0].max() == 0.0  # read before it is poured in
    at = int(np.searchsorted(made.design.curve_times, 12.0))
    early = int(np.searchsorted(made.design.curve_times, 0.0, side="right"))
    poured, more = 0.5 * taken[at], given[early] - mock[early]
    # within the hours to the next look some of it is lost or taken up, and less than half of it
    assert poured.max() > 100.0
    assert np.all(more <= 1.000001 * poured)
    assert np.all(more >= 0.5 * poured)


def test_a_condition_ends_the_well() -> None:
    stopped = filled(experiment(stop_when="cells(LSC) > 12.2"), 2)
    assert b"stop_when became true at" in stopped["ended"].tobytes()
    assert np.isnan(stopped["numbers"][-1]).all()


def test_tables_of_single_cells_are_empty_and_the_reader_is_told(tmp_path: Path) -> None:
    made = experiment()
    digest, occurrence = protocol.occurrences(made.study.arms)[2]
    unit, arrays = Unit(2, 1, digest, occurrence), filled(made, 2)
    found = dict(made.tables([unit], lambda chunk: arrays))
    assert not {"lineage", "fates", "balance"} & found.keys()
    assert {"counts", "timecourse", "senescence", "arrest"} <= found.keys()
    tables.keep_snapshot(tmp_path / "cells.h5ad", made.design, [unit], lambda chunk: arrays)
    assert any("mean_field" in caution for caution in made.cautions({}))


def test_wells_without_a_cell_are_said() -> None:
    """Of two arms one has no cell; where all have cells, nothing is said."""
    made = experiment(arms={"mock": {}, "empty": {"cells": {"LSC": 0}}})
    stored = {}
    for place, arm in enumerate(made.study.arms):
        digest, occurrence = protocol.occurrences(made.study.arms)[place]
        unit = Unit(place, 1, digest, occurrence)
        stored[unit.chunk] = (arm, unit, filled(made, place))
    found = dict(made.tables([unit for _, unit, _ in stored.values()], lambda chunk: stored[chunk][2]))
    said = [caution for caution in made.cautions(found) if "hold no cell" in caution]
    assert said == ["1 of 2 wells hold no cell at their first read-out: empty (1). Nothing is seen in them."]
    found["counts"] = found["counts"][found["counts"]["arm"] == "mock"]
    assert not any("hold no cell" in caution for caution in made.cautions(found))
