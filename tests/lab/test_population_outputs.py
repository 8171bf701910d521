"""Tables, snapshots, states and checkpoints of a small population: whole, re-readable, refused when damaged."""

from __future__ import annotations

import contextlib
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from senexo.base.errors import StoreError
from senexo.engine.formula.lower import lower
from senexo.engine.population.exact import run_exact
from senexo.engine.population.initial import start
from senexo.engine.population.mass_balance import pool_balances
from senexo.engine.population.model import (
    ROWS,
    Become,
    Cells,
    CellType,
    Divide,
    Fate,
    Leave,
    Log,
    Population,
    SlotUpdate,
)
from senexo.lab.coupled import checkpoint, snapshots, states
from senexo.lab.coupled.lineages import fates, lineage_names, lineages
from senexo.lab.coupled.readings import Place, Snapshot, balance, counts, pools
from senexo.model.loading import load

TEXT = """
    compartment cell = 1; compartment medium = 1;
    substanceOnly species X in cell = 10, R in cell = 0, E in medium = 300; Q = 0; hazard := 0.3*X/(X+5); d := 0.05;
    make: => X; 5;  release: X => E; 0.5*X;  uptake: E => X; 0.004*E;  lose: E => ; 0.1*E;  rare: => R; 0.01;
    """
PLACE = Place("mimic", 1, 2)


@pytest.fixture
def population(tmp_path: Path) -> Population:
    path = tmp_path / "model.ant"
    path.write_text(f"model m()\n{TEXT}\nend\n")
    net = lower(load(path).network)
    commit = Fate("commitment", "d", Become("senescent", (SlotUpdate("Q", "set", 1.0),)))
    first = CellType(
        "LSC", net, (Fate("division", "hazard", Divide("LSC", "LSC")), Fate("death", "d", Leave()), commit)
    )
    return Population((first, CellType("senescent", net, (Fate("clearance", "d", Leave("is cleared")),))), ("medium",))


def whole_run(population: Population) -> tuple[Cells, Log, Cells]:
    begin = start(population, {"LSC": 30}, seed=5)
    end, log = run_exact(population, begin, 6.0)
    return begin, log, end


def test_counts_and_pools(population: Population) -> None:
    begin, _, end = whole_run(population)
    readings = [Snapshot.of(population, cells) for cells in (begin, end)]
    table = counts(population, PLACE, readings, ["X"])
    cells = table[table["quantity"] == "cells"]
    assert cells.groupby("time_h")["value"].sum().to_list() == [30.0, float(len(end))]
    assert cells[(cells["time_h"] == 0) & (cells["cell_type"] == "senescent")]["value"].to_list() == [0.0]
    mean = table[(table["quantity"] == "X") & (table["time_h"] == 6) & (table["cell_type"] == "LSC")]["value"]
    assert mean.to_list() == [pytest.approx(end.of(population, "LSC")[:, population.types[0].network.slot("X")].mean())]
    assert pools(population, PLACE, readings)["value"].to_list() == [300.0, float(end.pools[0])]
    assert set(pools(population, PLACE, readings)["cell_type"]) == {"medium"}


def test_the_balance_closes(population: Population) -> None:
    begin, _, end = whole_run(population)
    table = balance(PLACE, 0.0, 6.0, pool_balances(population, begin, end))
    flow = table.groupby("flow")["value"].sum()
    came = flow["before"] + flow["released"] - flow["taken up"] + flow["made"] - flow["lost"] + flow["interventions"]
    assert came == flow["after"] == end.pools[0]


def test_lineages_count_every_cell(population: Population) -> None:
    begin, log, end = whole_run(population)
    table, events = lineages(population, PLACE, begin, log, end), fates(population, PLACE, log)
    ends, happened = table["end"].value_counts(), events["fate"].value_counts()
    assert ends["divided"] == happened["division"]
    assert ends["died"] == happened["death"]
    assert ends["cleared"] == happened["clearance"]
    assert len(table) == 30 + 2 * happened["division"]
    living = table[table["end"].isin(["alive", "became senescent"])]
    assert sorted(living["lineage"]) == sorted(lineage_names(end.key))
    assert ends["became senescent"] == np.count_nonzero(end.type == 1)
    assert set(table["parent"]) - {""} <= set(table["lineage"])
    assert (table["ended_h"].dropna() >= table["born_h"][table["ended_h"].notna()]).all()
    passaged = end.copy()
    for name in ROWS:
        setattr(passaged, name, getattr(passaged, name)[::2])
    removed = lineages(population, PLACE, begin, log, passaged)["end"].value_counts()["removed"]
    assert removed == len(end) - len(passaged)


def test_a_snapshot_opens_as_anndata(population: Population, tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    begin, _, end = whole_run(population)
    wells = [(PLACE, Snapshot.of(population, cells)) for cells in (begin, end)]
    about = {"title": "a study", "seed": 5, "version": "0", "wiring": "abc"}
    made = snapshots.snapshot(population, wells, states={"senescent": "Q"}, about=about)
    snapshots.write(tmp_path / "a.h5ad", made)
    snapshots.write(tmp_path / "b.h5ad", made)
    assert (tmp_path / "a.h5ad").read_bytes() == (tmp_path / "b.h5ad").read_bytes()
    read = anndata.read_h5ad(tmp_path / "a.h5ad")
    assert read.shape == (30 + len(end), 2)
    assert read.obs_names.is_unique
    assert list(read.var_names) == ["X", "R"]
    later = read[read.obs["time_h"] == 6]
    np.testing.assert_array_equal(np.asarray(later[:, "X"].X).ravel(), end.values[:, 0 + slot(population, "X")])
    assert (later.obs["state"] == "senescent").sum() == np.count_nonzero(end.type == 1)
    assert {str(read.obs[name].dtype) for name in ("cell_type", "state", "lineage", "parent", "arm")} == {"category"}
    assert {str(read.var[name].dtype) for name in ("compartment", "unit")} == {"category"}
    assert (read.uns["title"], int(read.uns["seed"]), read.uns["wiring"]) == ("a study", 5, "abc")
    assert [path.name for path in tmp_path.glob(".part-*")] == []


def test_a_snapshot_of_nobody(population: Population, tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    begin = start(population, {}, seed=5)
    for name, wells in {"no cell": [(PLACE, Snapshot.of(population, begin))], "no well": []}.items():
        snapshots.write(tmp_path / f"{name}.h5ad", snapshots.snapshot(population, wells, states={"senescent": "Q"}))
        assert anndata.read_h5ad(tmp_path / f"{name}.h5ad").shape == (0, 2)


def test_states_go_to_zarr_and_back(population: Population, tmp_path: Path) -> None:
    xr = pytest.importorskip("xarray")
    begin, _, end = whole_run(population)
    readings = [Snapshot.of(population, cells) for cells in (begin, end, start(population, {}, seed=1))]
    assert states.wells(tmp_path / "states") == frozenset()
    states.put(tmp_path / "states", population, PLACE, readings)
    states.put(tmp_path / "states", population, PLACE, readings)  # a second time replaces the first
    assert states.wells(tmp_path / "states") == {"mimic/donor 1 replicate 2"}
    read = xr.open_zarr(tmp_path / "states", group="mimic/donor 1 replicate 2", consolidated=False).load()
    assert read["row_size"].values.tolist() == [30, len(end), 0]
    later = read.isel(row=slice(30, None))
    np.testing.assert_array_equal(later["lineage"].values, end.key)
    np.testing.assert_array_equal(later["value"].sel(slot="X"), end.values[:, slot(population, "X")])
    assert read["pool"].sel(pooled="E").values.tolist() == [300, int(end.pools[0]), 300]
    assert read["weight"].values.tolist() == [1] * (30 + len(end))
    assert (read.attrs["arm"], read.attrs["types"]) == ("mimic", ["LSC", "senescent"])


def test_states_are_one_tree(population: Population, tmp_path: Path) -> None:
    """Every library opens it at the root, and finds arms and wells by their names, whatever characters these have."""
    xr, zarr = pytest.importorskip("xarray"), pytest.importorskip("zarr")
    begin = start(population, {"LSC": 3}, seed=5)
    names = ["mimic[3000]", "kd[1/2]", "LSC + HSC.2", "a%b:c", "kd[90 %]"]
    for arm in names:
        for donor in (1, 12):
            states.put(tmp_path / "s", population, Place(arm, donor), [Snapshot.of(population, begin)])
    encoded = ["mimic[3000]", "kd[1%2F2]", "LSC + HSC.2", "a%25b%3Ac", "kd[90 %25]"]
    wells = {f"{arm}/donor {donor}" for arm in encoded for donor in (1, 12)}
    assert states.wells(tmp_path / "s") == wells
    tree = xr.open_datatree(tmp_path / "s", engine="zarr", consolidated=False)
    assert {path.strip("/") for path in tree.groups} == {"", *encoded, *wells}
    assert [unquote(name) for name in tree.children] == [tree[name].attrs["arm"] for name in tree.children]
    assert {tree[name].attrs["arm"] for name in tree.children} == set(names)
    assert tree["kd[1%2F2]/donor 12"]["weight"].values.tolist() == [1, 1, 1]
    opened = xr.open_groups(tmp_path / "s", engine="zarr", consolidated=False)
    assert {path.strip("/") for path in opened} >= wells
    one = xr.open_dataset(tmp_path / "s", engine="zarr", group="mimic[3000]/donor 1", consolidated=False)
    assert (one.attrs["arm"], one.attrs["donor"]) == ("mimic[3000]", 1)
    root = zarr.open_group(tmp_path / "s", mode="r")
    assert set(root.group_keys()) == set(encoded)
    assert root["mimic[3000]/donor 1/value"].shape == one["value"].shape


def test_a_checkpoint_is_the_state(population: Population, tmp_path: Path) -> None:
    _, _, end = whole_run(population)
    path = tmp_path / "state.npz"
    checkpoint.save(path, end, population)
    back = checkpoint.load(path, population)
    assert back.digest() == end.digest()
    assert (back.n_windows, back.seed) == (end.n_windows, end.seed)
    ahead, again = (run_exact(population, cells, 7.0)[0].digest() for cells in (end, back))
    assert ahead == again
    data = path.read_bytes()
    for place in range(0, len(data), max(len(data) // 60, 1)):  # one flipped byte, anywhere, is reported or harmless
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        with contextlib.suppress(StoreError):
            assert checkpoint.load(path, population).digest() == end.digest()
    for damaged in (b"", data[: len(data) // 2], b"no archive"):
        path.write_bytes(damaged)
        with pytest.raises(StoreError, match="damaged"):
            checkpoint.load(path, population)
    with pytest.raises(StoreError, match="no such checkpoint"):
        checkpoint.load(tmp_path / "none.npz", population)
    path.write_bytes(data)
    with pytest.raises(StoreError, match="another population"):
        checkpoint.load(path, Population(population.types[:1], population.pools))


def slot(population: Population, id: str) -> int:
    return population.types[0].network.slot(id)
