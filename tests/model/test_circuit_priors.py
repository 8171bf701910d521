"""Priors of a circuit: rows beside `parameters.csv`, each with its source, and every fault named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from senexo.base.errors import InvalidInput
from senexo.model.circuit import FOLDER, load_circuit

NAME = "mir34c-rab27b"
HEAD = "name,value,low,high,law,unit,source,status,note\n"
# value, low, high as proposed by a referee of the circuit, each from the source in its row
PROPOSED = {
    "m0": (0.65, 0.05, 10), "m34a": (17, 2, 85), "K8": (4.7, 1.8, 18), "Tbg": (15_000, 3000, 150_000),
    "th_mimic": (72, 24, 500), "E": (2, 0.5, 10), "rel0": (100, 60, 3000), "fR": (0.3, 0.05, 0.6),
    "fdel": (0.01, 0.0003, 0.1), "u0": (0.3, 0.05, 1), "ago": (100_000, 50_000, 500_000),
}  # fmt: skip
DAILY = {"esc": (0.03, 0.01, 0.1)}  # per day
YAO = [
    "kM", "KS", "kkCDS", "kkCD", "kkEF", "kkb", "KEF", "KMC", "kkCE", "kkRB", "kkRE", "kkRBP", "kkRBP2", "kkRBPP",
    "KDE", "kkRBUP", "Kp", "dMC", "dEF", "dCD", "dCE", "dRB", "dRP", "dRE",
]  # fmt: skip


def test_the_prior_evidence_has_the_proposed_numbers() -> None:
    rows = load_circuit(NAME).priors["evidence"]
    for name, numbers in PROPOSED.items():
        assert (rows[name].value, rows[name].low, rows[name].high) == numbers, name
    for name, numbers in DAILY.items():
        assert [24 * x for x in (rows[name].value, rows[name].low, rows[name].high)] == pytest.approx(numbers), name


def test_yaos_constants_vary_by_half_each_way() -> None:
    circuit = load_circuit(NAME)
    table, rows = {p.name: p for p in circuit.parameters}, circuit.priors["evidence"]
    for name in YAO:
        assert table[name].law == "fixed"
        assert rows[name].value == table[name].value
        assert rows[name].high / rows[name].value == pytest.approx(1.5, rel=1e-5)
        assert rows[name].value / rows[name].low == pytest.approx(1.5, rel=1e-5)


def test_a_seen_row_names_where_and_a_judged_range_is_not_called_seen() -> None:
    for row in load_circuit(NAME).priors["evidence"].values():
        assert row.note
        assert row.status != "seen", (
            row.name
        )  # the status of the weakest part, and every range here is judged or derived
        if row.source == "none found":
            assert row.status in ("assumed", "unverified")


@pytest.mark.parametrize(
    ("file", "row", "expected"),
    [
        ("mine", "m00,1,0.1,10,log-uniform,copies,here,assumed,", "m00: found no such parameter in parameters.csv"),
        (
            "mine",
            "m0,1,0.1,10,log-uniform,h,here,assumed,",
            "m0: found in h, expected the unit of parameters.csv, copies",
        ),
        ("mine", "m0,20,0.1,10,log-uniform,copies,here,assumed,", "m0: found value 20, range 0.1 to 10"),
        ("mine", "m0,1,0,10,log-uniform,copies,here,assumed,", "m0: found a log-uniform law from 0"),
        ("mine", "m0,1,1,1,fixed,copies,,assumed,", "m0.source: found nothing"),
        ("mine", "m0,1,1,1,fixed,copies,here,sure,", "m0.status: found 'sure'"),
        ("mine", "m0,1,1,1,fixed,copies,here,assumed,\nm0,1,1,1,fixed,copies,here,assumed,", "m0: found a second row"),
        ("shipped", "m0,1,1,1,fixed,copies,here,assumed,", "another name (shipped is parameters.csv)"),
    ],
)
def test_what_is_wrong_with_a_prior_is_said(tmp_path: Path, file: str, row: str, expected: str) -> None:
    folder = Path(shutil.copytree(FOLDER / NAME, tmp_path / "mine"))
    (folder / "priors" / f"{file}.csv").write_text(f"{HEAD}{row}\n", encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        load_circuit(folder)
    assert expected in str(caught.value)


def test_a_prior_counts_in_the_digest_and_a_folder_may_bring_its_own(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDER / NAME, tmp_path / "mine"))
    assert load_circuit(folder).digest == load_circuit(NAME).digest
    (folder / "priors" / "mine.csv").write_text(f"{HEAD}m0,1,1,1,fixed,copies,here,assumed,\n", encoding="utf-8")
    mine = load_circuit(folder)
    assert set(mine.priors) == {"evidence", "mine"}
    assert mine.digest != load_circuit(NAME).digest
