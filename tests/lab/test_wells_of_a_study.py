"""Wells of a study from the file to the tables: their cells, Transwells, conditioned medium, branches."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from changed_study import changed

import senexo
from senexo.engine.population.exact import run_exact
from senexo.engine.population.initial import start
from senexo.engine.population.splitting import run_split
from senexo.lab.coupled.population import population_of
from senexo.lab.experiment import World, arms_in
from senexo.model.circuit import load_circuit
from senexo.workflow import Results, run

STUDY = """
title = "wells"
seed = 3
[model]
circuit = "mir34c-rab27b-cells"
[cells.LSC]
n = 6
[cells.MSC]
n = 0
[donors]
n = 2
draws = { per_uM = 40, n_SI = 100, n_C6 = 100, n_P21 = 100, rel0 = 50, E = 180, Td = 30, K8 = 300, ks = 0.08, \
"MSC.rel0" = 50, "MSC.kup" = 0.1, kup = 0.05, fdel = 0.5, th_tw = 3 }
[culture]
duration = "18 h"
serum = "20 %"
preequilibration = "6 h"
method = "split"
window = "30 min"
[arms.mock]
[arms.alone]
cells = { MSC = 6 }
[arms.across]
cells = { MSC = 6 }
insert = { cells = { LSC = 6 }, dose = { what = "miR-34c-5p", amount = 3000, at = "0 h" } }
[arms.unloaded]
cells = { MSC = 6 }
insert = { cells = { LSC = 6 }, cut = ["exosome -| miR-34c-5p"] }
[arms.mimic]
dose = { what = "miR-34c-5p", amount = 3000, at = "0 h" }
[arms.late]
branch = { arm = "mimic", at = "12 h" }
wash_out = { what = "miR-34c-5p", at = "12 h" }
[arms.conditioned]
medium_from = { arm = "mimic", taken = "18 h", share = "50 %", at = "6 h" }
[readouts]
times = ["0 h", "6 h", "12 h", "18 h"]
[replicates]
n = 1
"""


def study(**changes: Any) -> senexo.Study:
    return changed(tomllib.loads(STUDY), changes)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return run(study(), out=tmp_path_factory.mktemp("wells") / "one", workers=2)


def arm(table: pd.DataFrame, name: str) -> pd.DataFrame:
    return table[table["arm"] == name].drop(columns="arm").reset_index(drop=True)


def test_each_well_begins_with_its_own_cells(done: Results) -> None:
    counts = done.table("counts")
    first = counts[(counts["time_h"] == 0) & (counts["quantity"] == "cells") & (counts["value"] > 0)]
    found = {name: dict(zip(rows["cell_type"], rows["value"], strict=True)) for name, rows in first.groupby("arm")}
    assert found["mock"] == found["mimic"] == {"LSC": 6}
    assert found["alone"] == {"MSC": 6}
    assert found["across"] == found["unloaded"] == {"MSC": 6, "insert LSC": 6}


def test_pools_of_both_halves_are_kept_to_the_molecule(done: Results) -> None:
    balance = done.table("balance")
    keys = ["arm", "donor", "time_start_h", "time_h", "species"]
    flows = balance.groupby([*keys, "flow"])["value"].sum().unstack("flow")
    left = flows["before"] + flows["released"] - flows["taken up"] + flows["made"] - flows["lost"]
    left += flows["interventions"]
    assert (left == flows["after"]).all()
    assert {"X", "X_insert"} <= set(balance["species"])


def test_cells_of_the_insert_release_into_it_and_cells_below_take_up_what_passed(done: Results) -> None:
    balance = done.table("balance")
    rows = balance[(balance["flow"] == "released") & (balance["value"] > 0)]
    made = rows.groupby(["arm", "cell_type"])["species"].agg(set)
    assert "X" not in made["across", "insert LSC"]
    assert {"X_insert", "vesicles_insert"} <= made["across", "insert LSC"]
    assert "X_insert" not in made["unloaded", "insert LSC"]  # nothing is loaded once export is cut there
    assert "X" in made["unloaded", "MSC"]  # but in the cells below it is not
    counts = done.table("counts")
    passed = counts[(counts["quantity"] == "X_insert") & (counts["time_h"] == 18)].groupby("arm")["value"].min()
    assert passed["across"] > 0
    assert passed["unloaded"] > 0  # from below
    assert passed[["alone", "mock", "mimic"]].eq(0).all()


def test_the_membrane_keeps_the_law_of_its_half_time() -> None:
    """Copies in the insert are binomial: p = w (1 - 2^(-t/12)) 2^(-t/72). |z| < 4.5 three times: false alarm 2e-5."""
    population = population_of(load_circuit("mir34c-rab27b-cells"), types=["LSC"], insert=["LSC"])
    n, hours, share = 20_000, 8.0, 0.25
    for seed, go in enumerate((run_exact, lambda p, c, t: run_split(p, c, t, window=4.0), run_split_short)):
        cells = start(population, {}, seed=seed, overrides={"LSC": {"insert_share": share, "X": float(n)}})
        cells.pools[list(population.pooled).index("X")] = n
        after, _ = go(population, cells, hours)
        pools = dict(zip(population.pooled, after.pools.tolist(), strict=True))
        p = share * (1 - 2 ** (-hours / 12)) * 2 ** (-hours / 72)
        bias = 0.02 * n * p if go is not run_exact else 0.0  # a window does not see what comes back within it
        assert abs(pools["X_insert"] - n * p) < 4.5 * np.sqrt(n * p * (1 - p)) + bias


def run_split_short(population: Any, cells: Any, until: float) -> Any:
    return run_split(population, cells, until, window=0.25)


def test_a_branch_is_its_other_arm_until_then(done: Results) -> None:
    counts, course = done.table("counts"), done.table("timecourse")
    for table in (counts, course):
        mimic, late = (arm(table[table["time_h"] <= 12], name) for name in ("mimic", "late"))
        pd.testing.assert_frame_equal(mimic, late)
    mimic = course[(course["quantity"] == "mimic") & (course["time_h"] == 18) & (course["cell_type"] == "LSC")]
    means = mimic[mimic["statistic"] == "mean"].groupby("arm")["value"].mean()
    assert means["late"] < 0.1 * means["mimic"]
    assert study().arms["late"].summary.startswith("as mimic until 12 h, then ")


def test_conditioned_medium_holds_what_a_sister_well_held(done: Results) -> None:
    """Half of it: |z| < 4.5 for each donor and species, false alarm 3e-5."""
    counts, balance = done.table("counts"), done.table("balance")
    for donor in (1, 2):
        for species in ("X", "vesicles"):
            there = counts[(counts["arm"] == "mimic") & (counts["quantity"] == species) & (counts["time_h"] == 18)]
            held = float(there.loc[there["donor"] == donor, "value"].iloc[0])
            rows = balance[(balance["arm"] == "conditioned") & (balance["donor"] == donor)]
            poured = rows.loc[(rows["species"] == species) & (rows["flow"] == "after"), ["time_h", "value"]]
            later = rows.loc[(rows["species"] == species) & (rows["flow"] == "before"), ["time_start_h", "value"]]
            at_end = float(poured.loc[poured["time_h"] == 6, "value"].iloc[0])
            got = float(later.loc[later["time_start_h"] == 6, "value"].iloc[0]) - at_end
            assert abs(got - held / 2) < 4.5 * np.sqrt(held) / 2
    before = counts[counts["time_h"] <= 6]
    pd.testing.assert_frame_equal(arm(before, "conditioned"), arm(before, "mock"))


def test_a_well_ends_when_its_condition_holds(tmp_path: Path) -> None:
    ends = study(culture__stop_when="cells(LSC) >= 6 or mean(miR-34c-5p, LSC) < 0", donors__n=1)
    kept = ends.model_copy(update={"arms": {name: ends.arms[name] for name in ("mock", "alone")}})
    done = run(kept, out=tmp_path / "out", workers=1)
    counts = done.table("counts")
    assert counts[counts["arm"] == "mock"]["time_h"].max() == 1  # it holds at the first look, after an hour
    assert counts[counts["arm"] == "alone"]["time_h"].max() == 18
    (ended,) = done.table("ended_early").itertuples(index=False)
    assert (ended.arm, ended.donor, ended.time_h, ended.reason) == ("mock", 1, 1.0, "stop_when became true at 1 h")
    lineage = done.table("lineage")
    alive = lineage[(lineage["arm"] == "mock") & lineage["end"].eq("alive")]
    assert alive["weight"].sum() >= 6  # the last state is kept, so that no cell of it counts as taken away
    says = "1 of 2 wells ended before their time (table ended_early): stop_when became true (1)."
    assert says in json.loads((done.folder / "run.json").read_text(encoding="utf-8"))["cautions"]


def test_numbers_of_a_type_are_drawn_under_its_name(done: Results) -> None:
    parameters = done.table("parameters").set_index("name")
    assert parameters.loc["MSC.kup", "value"] == 0.1
    assert parameters.loc["LSC.self_renewal", "source"] == "10.1186/s12918-019-0684-0"
    assert not [name for name in parameters.index if name.startswith("HSC.")]


def test_a_null_cuts_both_halves() -> None:
    claim = {"id": "x", "holds_when": "cells(across, MSC, 18 h) > 0", "null": {"cut": ["exosome -| miR-34c-5p"]}}
    cut = arms_in(study(claim=claim), World.NULL)["across"]
    assert [a.target for a in cut.genotype] == ["e_export"]
    assert cut.insert is not None
    assert [a.target for a in cut.insert.genotype] == ["e_export"]


def test_two_workers_or_one_more_arm_change_nothing(done: Results, tmp_path: Path) -> None:
    whole = study()
    kept = ("unloaded", "mimic", "conditioned")  # one with an insert: its types are part of the population
    again = run(
        whole.model_copy(update={"arms": {name: whole.arms[name] for name in kept}}), out=tmp_path / "out", workers=1
    )
    for name in kept:
        pd.testing.assert_frame_equal(arm(again.table("counts"), name), arm(done.table("counts"), name))


def test_a_run_that_was_cut_goes_on_to_the_same_digest(done: Results, tmp_path: Path) -> None:
    shutil.copytree(done.folder, tmp_path / "cut")
    chunks = sorted((tmp_path / "cut" / "chunks").glob("arm*.npz"))
    for chunk in chunks[1::3]:
        chunk.unlink()
    assert run(study(), out=tmp_path / "cut", workers=1, resume=True).digest == done.digest
