"""Joining and leaving out rows: one to one, everything counted, one message where it is not clear."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from senexo.base.errors import InvalidInput
from senexo.base.join import exclude, join
from senexo.base.table import read_table

CLINIC = pd.DataFrame({"patient": ["a", "b", "c", "4"], "age": [61, 48, 55, 70], "sex": ["f", "m", "m", ""]})
READS = pd.DataFrame({"patient": ["c", 4.0, "a", "z", "y"], "miR": [0, 7, 9, 1, 1], "sex": ["m", None, "f", "f", "m"]})


def test_partners_find_each_other_and_the_rest_is_counted() -> None:
    both, notes = join(CLINIC, READS, "patient", where="clinic.csv", where_other="reads.csv")
    assert both.to_dict("list") == {
        "patient": ["a", "c", "4"], "age": [61, 55, 70], "sex": ["f", "m", ""], "miR": [9, 0, 7],
    }  # fmt: skip
    assert list(both.index) == [0, 2, 3]  # so that later faults name the rows of the first table
    assert notes == [
        "1 of 4 rows of clinic.csv has no partner in reads.csv by patient and is left out",
        "2 of 5 rows of reads.csv have no partner in clinic.csv by patient and are left out",
    ]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (READS.drop(columns="patient"), "reads: column patient: found no such column (there are: miR, sex)"),
        (READS.assign(patient=["c", "c", "a", "z", "y"]), "reads: row 3: found the patient of row 2 again"),
        (READS.assign(patient=["c", "", "a", "z", "y"]), "reads: row 3, column patient: found an empty cell"),
        (READS.assign(patient=list("vwxyz")), "found no common name ('a', 'b'; 'v', 'w')"),
        (READS.assign(sex="f"), "column sex: found different values for the same row, expected a name of its own"),
        (READS[:0], "reads: found no row of data"),
    ],
)
def test_what_cannot_be_joined(other: pd.DataFrame, expected: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        join(CLINIC, other, "patient", where="clinic", where_other="reads")
    assert expected in str(caught.value)


@given(st.permutations(range(8)), st.integers(0, 8))
def test_joining_is_looking_up(order: list[int], n: int) -> None:
    left = pd.DataFrame({"k": [f"p{i}" for i in range(8)], "x": range(8)})
    right = pd.DataFrame({"k": [f"p{i}" for i in order[:n]], "y": [10 * i for i in order[:n]]})
    if n == 0:
        with pytest.raises(InvalidInput):
            join(left, right, "k")
        return
    both, notes = join(left, right, "k")
    assert (both["y"] == 10 * both["x"]).all()
    assert sorted(both["x"]) == sorted(order[:n]) == both["x"].to_list()
    assert bool(notes) == (n < 8)


def test_rows_are_left_out_by_value() -> None:
    table = pd.DataFrame({"FAB": ["M3", "M1", "", "M3"], "n=1": [1, 2.0, math.nan, "3"]})
    kept, notes = exclude(table, ["FAB=M3", "n=1=2"], where="t")
    assert list(kept.index) == [2]
    assert notes == ["2 of 4 rows of t are left out: FAB = M3", "1 of 4 rows of t is left out: n=1 = 2"]
    kept, notes = exclude(table, ["FAB="])
    assert list(kept.index) == [0, 1, 3]
    assert notes == ["1 of 4 rows of table is left out: FAB = empty"]


def test_several_values_are_left_out_at_once() -> None:
    table = pd.DataFrame({"FAB": ["M3", "M1", "", "M4", "M2|M5"], "n": [1, 2, 3, 4, 5]})
    kept, notes = exclude(table, ["FAB=M3|M4"])
    assert list(kept.index) == [1, 2, 4]
    assert notes == ["2 of 5 rows of table are left out: FAB = M3 or M4"]
    assert list(exclude(table, ["FAB=M2|M5"])[0].index) == [0, 1, 2, 3]  # a value that holds the bar itself
    assert list(exclude(table, ["n=1.0|2", "FAB=|M4"])[0].index) == [4]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("FAB=M3|M7", "exclude, column FAB: found no row with 'M7', expected one of 'M3', 'M1'"),
        ("FAB", "exclude: found 'FAB', expected COLUMN=VALUE of a column (FAB, n)"),
        ("fab=M3", "exclude: found 'fab=M3', expected COLUMN=VALUE"),
        ("FAB=M4", "exclude, column FAB: found no row with 'M4', expected one of 'M3', 'M1'"),
        ("n=1", "exclude: found no row left, expected at least one"),
    ],
)
def test_what_cannot_be_left_out(condition: str, expected: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        exclude(pd.DataFrame({"FAB": ["M3", "M1"], "n": [1, 1]}), [condition])
    assert expected in str(caught.value)


def test_the_patients_of_two_real_tables_meet(shared_data: Path) -> None:
    folder = shared_data / "tcga-laml"
    clinic, reads = read_table(folder / "tidy_clinical.csv"), read_table(folder / "tidy_mirna_rpm.csv.gz")
    both, notes = join(clinic, reads, "patient", where="clinical", where_other="RPM")
    assert len(both) == len(reads) == 188
    assert notes == ["12 of 200 rows of clinical have no partner in RPM by patient and are left out"]
    assert len(exclude(both, ["FAB_classification=M3"])[0]) == 188 - (both["FAB_classification"] == "M3").sum()
