"""Types of cells in a circuit's folder: read, and every fault named at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from senexo.base.errors import InvalidInput
from senexo.model.cell_types import PartitionRule
from senexo.model.circuit import FOLDER, load_circuit

NAME = "mir34c-rab27b-cells"
GENES = ("RAB27B", "SIRT1", "CDK6", "CCND1", "E2F3", "CCNE2", "MYC")
PRIORS_ONLY = {"th_mimic", "m34a", "ago", "kapo"}  # of mir34c-rab27b: without effect in its shipped prior


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER / NAME, tmp_path / "mine"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def faults_of(folder: Path) -> str:
    with pytest.raises(InvalidInput) as caught:
        load_circuit(folder)
    return str(caught.value)


def test_the_shipped_types_are_read() -> None:
    circuit = load_circuit(NAME)
    assert circuit.pools == ("medium", "insert")
    assert circuit.partitions == (PartitionRule("size", "ordered", 0.5),)
    types = {type.name: type for type in circuit.cell_types}
    assert {"LSC", "LSC_G0", "LSC_senescent", "blast", "HSC", "MSC", "progenitor"} <= types.keys()
    assert {f.name: f.into for f in types["LSC"].fates}["asymmetric division"] == ("LSC", "blast")
    assert {f.name: f.effect for f in types["LSC_senescent"].fates} == {
        "escape": "become", "death": "die", "clearance": "clear",
    }  # fmt: skip


def test_a_type_like_another_has_its_numbers_too() -> None:
    types = {type.name: {p.name: p.value for p in type.parameters} for type in load_circuit(NAME).cell_types}
    assert types["HSC_senescent"] == {**types["HSC"], "Q": 1.0}
    assert types["HSC_G0"] == {**types["HSC"], "G0": 1.0}


def test_a_circuit_of_single_cells_has_neither_pools_nor_types() -> None:
    circuit = load_circuit("mir34c-rab27b")
    assert (circuit.pools, circuit.cell_types, circuit.partitions, circuit.per_cell) == ((), (), (), ())


def test_every_shared_handle_means_the_same_in_both_circuits() -> None:
    """All verbs of the circuit per standard volume are there and act alike, but what the priors of that one need."""
    copies = {(h.kind, h.name, h.verb, h.target, h.operation, h.value) for h in load_circuit(NAME).handles}
    volume = {(h.kind, h.name, h.verb, h.target, h.operation, h.value) for h in load_circuit("mir34c-rab27b").handles}
    own = {(h[1], h[2]) for h in volume - copies}
    edges = {(f"miR-34c-5p -| {gene}", "cut") for gene in GENES}  # there the site goes, here miR-34c-5p's share of it
    assert own == edges | {("p53 -> death", "cut"), ("miR-34c-5p", "express")}


def test_shared_parameters_have_the_same_numbers() -> None:
    copies = {p.name: p for p in load_circuit(NAME).parameters}
    for p in load_circuit("mir34c-rab27b").parameters:
        if p.name in PRIORS_ONLY:
            assert p.name not in copies
            assert p.law == "fixed"
        else:
            assert copies[p.name] == p


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("types.csv", "LSC,self_renewal,0.9,", "LSC,self_renewal,0.5,", "LSC self_renewal: found value 0.5"),
        ("types.csv", "LSC,self_renewal", "LSK,self_renewal", "cell_type: found 'LSK'"),
        ("types.csv", "LSC,self_renewal", "LSC,renewal", "LSC renewal: found no such constant"),
        ("types.csv", "MSC,Td,40", "MSC,Td,x", "Td.value: found 'x'"),
        ("types.csv", "MSC,Td,40,24,96", "MSC,m0,40,24,96", "types.csv: MSC m0: found a second row"),
        ("types.csv", "cell_type,name", "type,name", "types.csv: header"),
        ("circuit.toml", 'hazard = "h_rest"', 'hazard = "h_sleep"', "LSC: rest: found 'h_sleep'"),
        ("circuit.toml", 'into = ["LSC", "LSC"]', 'into = ["LSC"]', "found 1 types, expected into = 2 types"),
        ("circuit.toml", 'into = ["LSC_G0"]', 'into = ["G0"]', "rest: into: found 'G0'"),
        ("circuit.toml", 'effect = "die"', 'effect = "vanish"', "death: found 'vanish'"),
        ("circuit.toml", 'name = "rest"', 'name = "death"', "LSC: death: found twice"),
        ("circuit.toml", 'target = "stemness"', 'target = "p_self"', "escape: sets: found 'p_self'"),
        ("circuit.toml", 'value = "sen_stem"', 'value = "more"', "sets: stemness: found 'more'"),
        ("circuit.toml", 'operation = "multiply"', 'operation = "power"', "sets: stemness: found 'power'"),
        ("circuit.toml", 'like = "LSC"', 'like = "LSK"', "like: found 'LSK'"),
        ("circuit.toml", 'rule = "ordered"', 'rule = "halves"', "partitions: size: found halves"),
        ("circuit.toml", 'species = "size"', 'species = "bulk"', "partitions: found 'bulk'"),
        ("circuit.toml", 'pools = ["medium", "insert"]', 'pools = ["blood", "insert"]', "pools: found 'blood'"),
        ("circuit.toml", 'pools = ["medium", "insert"]', "pools = []", "found 0 pools and 12 cell types"),
        ("circuit.toml", '"take_lost"', '"take_away"', "per_cell: found 'take_away'"),
        ("circuit.toml", 'name = "LSC_G0"\n', 'name = "LSC_G0"\nage = "years"\n', "age: found 'years'"),
        ("circuit.toml", 'name = "LSC_G0"\n', 'name = "LSC_G0"\ncolour = "red"\n', "found 'colour'"),
    ],
)
def test_a_fault_is_named(folder: Path, file: str, old: str, new: str, expected: str) -> None:
    edit(folder / file, old, new)
    assert expected in faults_of(folder)


def test_all_faults_at_once(folder: Path) -> None:
    edit(folder / "types.csv", "LSC,self_renewal,0.9,", "LSC,self_renewal,0.5,")
    edit(folder / "circuit.toml", 'hazard = "h_rest"', 'hazard = "h_sleep"')
    edit(folder / "circuit.toml", '"take_lost"', '"take_away"')
    text = faults_of(folder)
    assert all(word in text for word in ("self_renewal", "h_sleep", "take_away"))
