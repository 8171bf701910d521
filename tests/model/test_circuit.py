"""The circuit folder and its loader: the four files agree, and every fault is named at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from senexo.base.errors import InvalidInput, InvalidModel
from senexo.model.circuit import FOLDER, Handle, load_circuit, shipped_circuits

NAME = "mir34c-rab27b"


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


def test_the_shipped_circuit_is_whole() -> None:
    circuit = load_circuit(NAME)
    assert NAME in shipped_circuits()
    assert {h.kind for h in circuit.handles} == {"edge", "gene", "site", "process", "agent", "medium"}
    assert [f.name for f in circuit.fates] == ["commitment", "escape", "death"]
    assert len({p.name for p in circuit.parameters}) == len(circuit.parameters)
    assert all(0 < cv < 1 for cv in circuit.varying.values())


def test_every_wire_has_a_handle_that_cuts_it() -> None:
    circuit = load_circuit(NAME)
    wires = {p.id for p in circuit.network.parameters if p.id.startswith(("e_", "site_"))}
    assert wires == {h.target for h in circuit.handles if h.verb in ("cut", "mutate")}


def test_no_normalisation_depends_on_a_wire_or_a_treatment() -> None:
    """Initial assignments may use table parameters and other initial assignments only."""
    from senexo.model.expression import Symbol, walk

    circuit = load_circuit(NAME)
    assigned = {a.symbol for a in circuit.network.initial_assignments}
    allowed = {p.name for p in circuit.parameters} | assigned
    for assignment in circuit.network.initial_assignments:
        assert assignment.math is not None
        names = {node.id for node in walk(assignment.math) if isinstance(node, Symbol)}
        assert names <= allowed, assignment.symbol


def test_what_is_assumed_says_so() -> None:
    for parameter in load_circuit(NAME).parameters:
        if parameter.source == "none found":
            assert parameter.status in ("assumed", "unverified", "derived"), parameter.name
        if parameter.status == "seen":
            assert any(mark in parameter.source for mark in ("10.", "PMID", "BIOMD", "github")), parameter.name


def test_a_copied_folder_loads_equal(folder: Path) -> None:
    mine, shipped = load_circuit(folder), load_circuit(NAME)
    assert (mine.network, mine.parameters, mine.handles) == (shipped.network, shipped.parameters, shipped.handles)
    assert mine.digest == shipped.digest
    edit(folder / "circuit.toml", "0.1", "0.2")
    assert load_circuit(folder).digest != shipped.digest


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("parameters.csv", "th_mir,24,11,34", "th_mir,24,30,34", "parameters.csv: th_mir: found value 24"),
        ("parameters.csv", "th_mir,24,11,34", "th_mir,24,0,34", "a range above 0"),
        ("parameters.csv", "th_mir,24,11,34", "th_mir,25,11,34", "th_mir: found 25, but 24.0 in circuit.ant"),
        ("parameters.csv", "th_mir,24,11,34", "th_mir,lots,11,34", "th_mir.value: found 'lots'"),
        ("parameters.csv", "th_mir,24,11,34", "th_mir,nan,11,34", "th_mir.value: found 'nan'"),
        ("parameters.csv", "log-uniform", "normal", "law: found 'normal', expected one of fixed"),
        ("parameters.csv", ",seen,", ",sure,", "status: found 'sure', expected one of seen"),
        ("parameters.csv", "none found", "", "source: found nothing"),
        ("parameters.csv", "th_mir,", "th_mirr,", "th_mirr: found no such constant in circuit.ant"),
        ("parameters.csv", "th_mir,", "th_mirr,", "circuit.ant: th_mir: found a constant of unknown origin"),
        ("parameters.csv", "Td,48,24,96", "th_mir,24,11,34", "th_mir: found a second row"),
        ("parameters.csv", "name,value", "name,central", "parameters.csv: header"),
        ("parameters.csv", "esc,0.0002083,", "esc,", "8 fields, expected 9 fields"),
        ("wiring.csv", "e_34c_RAB27B,set", "e_34c_RAB27A,set", "cut miR-34c-5p -| RAB27B: found 'e_34c_RAB27A'"),
        ("wiring.csv", "L,add", "theta,add", "dose miR-34c-5p: found 'theta', expected a species or parameter that no"),
        ("wiring.csv", "fKD,multiply,1-x", "fKD,multiply,2-x", "RAB27B.value: found '2-x'"),
        ("wiring.csv", "p53 -> p21,cut", "p53 p21,cut", "expected source -| target"),
        ("wiring.csv", "L,add", "L,append", "operation: found 'append'"),
        ("circuit.toml", 'id = "rel"', 'id = "relax"', "readouts: release: found 'relax'"),
        ("circuit.toml", 'after = "commitment"', 'after = "bored"', "fates: escape: found after 'bored'"),
        ("circuit.toml", "Td = 0.2", "Tdd = 0.2", "varying: Tdd"),
        ("circuit.toml", "preequilibration_h = 500.0", "preequilibration_h = -1.0", "hours, 0 or more"),
        ("circuit.toml", 'title = "', 'headline = "', "found no title"),
        ("circuit.toml", "[arrest]", "[arrest", "expected TOML with"),
        ("circuit.toml", 'label = "free E2F"', 'lable = "free E2F"', "circuit.toml: found"),
    ],
)
def test_each_fault_is_named(folder: Path, file: str, old: str, new: str, expected: str) -> None:
    edit(folder / file, old, new)
    assert expected in faults_of(folder)


def test_all_faults_are_listed_at_once(folder: Path) -> None:
    edit(folder / "parameters.csv", "th_mir,24,11,34", "th_mir,24,30,34")
    edit(folder / "parameters.csv", "nR27,1,", "nR27,1.5,")
    edit(folder / "wiring.csv", "L,add", "nowhere,add")
    edit(folder / "circuit.toml", 'id = "X"', 'id = "XX"')
    text = faults_of(folder)
    assert all(place in text for place in ("th_mir", "nR27", "dose miR-34c-5p", "readouts: miR-34c-5p in medium"))


def test_a_missing_file_or_circuit_is_said(folder: Path) -> None:
    (folder / "wiring.csv").unlink()
    assert "wiring.csv" in faults_of(folder)
    with pytest.raises(InvalidInput, match="mir34c-rab27b"):
        load_circuit("no-such-circuit")


def test_a_broken_network_is_said(folder: Path) -> None:
    (folder / "circuit.ant").write_text("model broken(\n", encoding="utf-8")
    with pytest.raises((InvalidModel, InvalidInput)):
        load_circuit(folder)


def test_a_handle_turns_the_users_quantity_into_a_number() -> None:
    handle = Handle("gene", "RAB27B", "knock_down", "fKD", "multiply", "1-x", "1", "by construction")
    assert handle.number(0.9) == pytest.approx(0.1)
    assert Handle("edge", "a -| b", "cut", "e", "set", "0", "", "none").number() == 0.0
    with pytest.raises(InvalidInput, match="knock_down RAB27B"):
        handle.number()
