"""Tables and files of wells of which a part of the cells was followed: every number is of the whole well."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from senexo.engine.formula.lower import lower
from senexo.engine.population.model import Become, CellType, Divide, Fate, Leave, Population
from senexo.lab.coupled import lineages, readings, snapshots
from senexo.lab.coupled.assayed import CENSORED, followed
from senexo.lab.coupled.methods import Split
from senexo.lab.coupled.readings import Place, Snapshot
from senexo.lab.coupled.single_cells import SingleCellSimulator
from senexo.lab.coupled.well import Course, Well
from senexo.model.loading import load
from senexo.study.resolve import resolve
from senexo.workflow import run

DATA = Path(__file__).parent / "data"
CELL = """model m()
    compartment cell = 1; substanceOnly species X in cell = 20;
    k = 4; grows = 0.08; death = 0.01; commit = 0.02; Q = 0;
    make: => X; k;  decay: X => ; 0.2*X;
end
"""
PLATED, HOURS = {"A": 40, "B": 6}, 48.0
PLACE = Place("mock", 1)


@dataclass(frozen=True, eq=False)
class Grown:
    population: Population
    course: Course
    tables: dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Population:
    path = tmp_path_factory.mktemp("cell") / "cell.ant"
    path.write_text(CELL)
    network = lower(load(path).network)
    death = Fate("death", "death", Leave())
    a = (Fate("division", "grows", Divide("A", "A")), Fate("commitment", "commit", Become("S")), death)
    return Population((CellType("A", network, a), CellType("S", network, (death,)), CellType("B", network)))


def grown(population: Population, most: int, replicate: int) -> Grown:
    """A well of 46 cells, with its tables as a study writes them."""
    bench = SingleCellSimulator(population, Split(1.0))
    begin = bench.seeded(PLATED, {}, seed=3, replicate=replicate)
    course = bench.grow(begin, Well(HOURS, (0.0, 24.0, HOURS), most_cells=most, rare_cells=12))
    first, last = Snapshot.of(population, begin), course.snapshots[-1]
    tables = {
        "counts": readings.counts(population, PLACE, course.snapshots),
        "fates": lineages.fates(population, PLACE, course.log),
        "lineage": lineages.lineages(population, PLACE, first, course.log, last, course.resampled),
    }
    return Grown(population, course, tables)


@pytest.fixture(scope="module")
def part(population: Population) -> Grown:
    found = grown(population, 50, 1)
    assert found.course.end.weight.max() >= 8
    assert len(found.course.end) <= 60
    assert found.course.resampled.split.any()
    return found


def test_births_and_deaths_account_for_every_cell(part: Grown) -> None:
    """Cells = plated + divisions - deaths, by their weights: exactly, as control keeps the weight of every type."""
    fates = part.tables["fates"].groupby("fate")["weight"].sum()
    counts = part.tables["counts"]
    living = counts[(counts["time_h"] == HOURS) & (counts["quantity"] == "cells")].set_index("cell_type")
    assert living["value"].sum() == 46 + fates["division"] - fates["death"]
    assert living["followed"].sum() == len(part.course.end) < living["value"].sum()
    assert living.loc["B", ["value", "followed"]].tolist() == [6.0, 6.0]


def test_lineages_stand_for_all_cells(part: Grown) -> None:
    lineage, fates = part.tables["lineage"], part.tables["fates"]
    by = lineage.groupby("end")["weight"].sum()
    assert by["divided"] == fates[fates["fate"] == "division"]["weight"].sum()
    assert by["died"] == fates[fates["fate"] == "death"]["weight"].sum()
    alive = lineage[lineage["end"].str.startswith(("alive", "became"))]
    assert alive["weight"].sum() == part.course.end.weight.sum()
    assert by["resampled"] == 0
    assert lineage["lineage"].is_unique
    assert (lineage["end"] != "removed").all()
    clones = lineage[lineage["origin"] == "clone"]
    assert len(clones) == part.course.resampled.split.sum()
    assert set(clones["parent"]) <= set(lineage["lineage"])
    later = lineage.iloc[46:]
    assert later["born_h"].is_monotonic_increasing
    names = dict(zip(lineage["lineage"], range(len(lineage)), strict=True))
    assert all(names[parent] < place for place, parent in enumerate(lineage["parent"]) if parent in names)


def test_founders_are_as_many_as_were_plated(part: Grown) -> None:
    """Whoever was merged or split before a first fate: rows are those of the 46 plated cells, 40 of them A."""
    found = followed(part.tables)
    assert len(found) == 46
    assert len(followed(part.tables, ["A"])) == 40
    assert (followed(part.tables, ["B"])["fate"] == CENSORED).all()


def test_shares_of_fates_are_those_of_cells_followed_whole(population: Population) -> None:
    """P(division) = 8/11 (1 - e^-0.11 t), and so on. 30 wells, 4.5 deviations of at most twice the variance: 3e-5."""
    found = pd.concat([followed(grown(population, 45, k).tables, ["A"]) for k in range(30)])
    assert len(found) == 1200
    for fate, rate in (("division", 0.08), ("commitment", 0.02), ("death", 0.01)):
        p = rate / 0.11 * -np.expm1(-0.11 * HOURS)
        assert abs((found["fate"] == fate).mean() - p) < 4.5 * np.sqrt(2.0 * p * (1 - p) / 1200), fate


def test_a_snapshot_has_weights(part: Grown) -> None:
    cells = snapshots.snapshot(part.population, [(PLACE, part.course.snapshots[-1])], states={})
    assert cells.obs["weight"].sum() == part.course.end.weight.sum()
    assert cells.obs.groupby("cell_type", observed=True)["weight"].sum()["B"] == 6


def test_resting_cells_are_still_there(tmp_path: Path) -> None:
    """Ten cells that neither divide nor die, beside 20 that become thousands: 10 in each of six donors' wells."""
    raw = tomllib.loads((DATA / "thinning.toml").read_text(encoding="utf-8"))
    raw["model"]["circuit"] = str(DATA / "two")
    del raw["arms"]["blocked"], raw["claim"]
    raw["readouts"]["grid"] = "5 d"
    results = run(resolve(raw), out=tmp_path / "thinning", workers=1)
    counts = results.table("counts").query("quantity == 'cells' and time_h == 240").set_index("cell_type")
    assert counts.loc["R", "value"].tolist() == [10.0] * 6
    assert counts.loc["R", "followed"].tolist() == [10.0] * 6
    assert (counts.loc["T", "value"] > 5_000).all()
    assert (counts.loc["T", "followed"] <= 90).all()
