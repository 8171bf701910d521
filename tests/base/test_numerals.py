"""Numbers as people write them: one reading is used, two are asked about, none is guessed."""

from __future__ import annotations

import copy
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from senexo.base.cells import Numeral, as_number, as_text, is_number
from senexo.base.errors import InvalidInput, Notice
from senexo.base.numerals import reading
from senexo.base.table import Column, check, read_table
from senexo.base.table_file import framed, read_grid

NUMBER = [Column("n", "number")]


def column(tmp_path: Path, text: str, name: str = "t.csv", **options: object) -> list[float]:
    path = tmp_path / name
    path.write_text(text)
    return check(read_table(path, **options), NUMBER)["n"].to_list()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cell", "point", "comma"),
    [
        ("10.000", 10.0, 10000.0), ("1,234", 1234.0, 1.234), ("31,5", None, 31.5), ("31.5", 31.5, None),
        ("1.234,5", None, 1234.5), ("1,234.5", 1234.5, None), ("1.234.567", None, 1234567.0), ("0,123", None, 0.123),
        ("0.123", 0.123, None), ("1234,567", None, 1234.567), ("10 000", 10000.0, 10000.0), ("10'000.5", 10000.5, None),
        ("1 234,5", None, 1234.5), ("-1.000", -1.0, -1000.0), ("2,1E+07", None, 2.1e7), (",5", None, 0.5),
        ("1,23,4", None, None), ("10 00", None, None), ("01.02.2020", None, None), ("1_000", None, None),
        ("", None, None),
        ("\u0661\u0662", 12.0, 12.0),
    ],
)  # fmt: skip
def test_readings_of_a_cell(cell: str, point: float | None, comma: float | None) -> None:
    assert (reading(cell, "."), reading(cell, ",")) == (point, comma)


@given(st.floats(-1e12, 1e12).map(lambda x: round(x, 2)))
def test_what_spreadsheets_write_reads_back(number: float) -> None:
    english = f"{number:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert reading(english, ".") == number
    assert reading(german, ",") == number


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("a;n\nx;1000,5\ny;100,5\n", [1000.5, 100.5]),
        ("a;n\nx;10.000,5\ny;1.000\n", [10000.5, 1000.0]),  # the first cell proves the comma
        ("a;n\nx;10.500\ny;1.5\n", [10.5, 1.5]),  # the second proves the point
        ("a;n\n0,5;10.000\n1,5;1.000\n", [10000.0, 1000.0]),  # another column proves the comma
        ('a,n\nx,"10,000"\ny,100\n', [10000.0, 100.0]),
        ('a,n\nx,"1,234"\ny,31.5\n', [1234.0, 31.5]),
        ('a,n\nx,"31,5"\ny,30\n', [31.5, 30.0]),
        ("a,n\nx,10.000\ny,1.234\n", [10.0, 1.234]),  # commas separate the columns: points are decimal
        ("a\tn\nx\t1 234\ny\t10\n", [1234.0, 10.0]),
        ("a;n\nversion 1,5;31.5\nb;1.234\n", [31.5, 1.234]),  # words of a name prove nothing
    ],
)
def test_cells_that_settle_the_mark(tmp_path: Path, text: str, numbers: list[float]) -> None:
    assert column(tmp_path, text) == numbers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a;n\nx;10.000\ny;100\n", "row 2, column n: found '10.000', which is 10 or 10000, expected one reading"),
        ("a;n\nx;5\ny;10.000\nz;1.000\n", "row 3, column n: found '10.000', which is 10 or 10000, as 1 more cell"),
        ('a,n\nx,"1,234"\ny,100\n', "found '1,234', which is 1.234 or 1234"),
        ("a\tn\nx\t1,234\ny\t100\n", "found '1,234', which is 1.234 or 1234"),
    ],
)
def test_two_readings_are_asked_about_and_an_option_settles_them(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        column(tmp_path, text)
    assert found in str(caught.value)
    assert len(caught.value.faults) == 1  # of all cells of the column
    cell = next(cell for cell in text.replace('"', "").split() if "1" in cell)
    small, large = ".,", ",."
    if "," in cell:
        small, large = large, small
    assert max(column(tmp_path, text, decimal=small[0])) < max(column(tmp_path, text, decimal=large[0]))


def test_a_column_that_allows_one_reading_settles_it_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("ct\tn\n31.123\t1,234\n28.456\t2,000\n")
    frame = read_table(path)
    with pytest.warns(Notice, match="'31.123' was read as 31.123: a number >= 1 and <= 60 is expected"):
        assert check(frame, [Column("ct", "number", low=1, high=60)])["ct"].to_list() == [31.123, 28.456]
    with pytest.warns(Notice, match="'1,234' was read as 1234"):
        assert check(frame, [Column("n", "whole")])["n"].to_list() == [1234, 2000]


def test_a_column_of_both_marks_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="row 3, column n: found '31,5', expected a number with a decimal point"):
        column(tmp_path, "a;n\nx;31.5\ny;31,5\n")
    with pytest.raises(
        InvalidInput, match=r"found '31\.5', expected a number with a decimal comma, as the others have"
    ):
        column(tmp_path, "a;n\nx;31.5\ny;31,5\n", decimal=",")
    with pytest.raises(InvalidInput, match="decimal: found ';', expected the decimal mark"):
        column(tmp_path, "n\n1\n", decimal=";")


def test_names_stay_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("dose;n\n10.000;1,5\n0,5;2,5\n")
    frame = check(read_table(path), [Column("dose", "text"), *NUMBER])
    assert frame["dose"].to_list() == ["10.000", "0,5"]
    assert {type(cell) for cell in frame["dose"]} == {str}
    assert frame["n"].to_list() == [1.5, 2.5]


def test_a_numeral_is_its_text() -> None:
    cell = Numeral("10.000", (10.0, 1e4))
    again = copy.deepcopy(cell)
    assert (again, again.readings, as_text(again)) == ("10.000", (10.0, 1e4), "10.000")
    assert is_number(cell)
    assert as_number(cell) != as_number(cell)
    assert as_number(Numeral("1,5", (1.5,))) == 1.5
    assert not is_number("miR-34c")


def said(path: Path) -> str:
    return "; ".join(framed(read_grid(path))[1])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a,n\nx,1\n", ""),
        ("a;n\nü;1,5\n".encode("cp1252"),
         "Windows-1252; columns separated by semicolons; decimal comma ('1,5' is 1.5)"),
        ("a\tn\nü\t1\n".encode("utf-16"), "UTF-16; columns separated by tabs"),
        (b"\xef\xbb\xbfsep=;\r\na;n\r\nx;1\r\n", "columns separated by semicolons"),
        (b"sep=|\na|n\nx|1\n", "columns separated by bars"),
        (b"a,n,\nx,1,\n", ""),
        (b'a,n\nx,"10,000"\n', "grouped digits ('10,000' is 10000)"),
        (b"Plate 3 of May,\n,\na,n\nx,1\n", "the header in row 3, below 1 line of text"),
        (b'"","a","n"\n"1","x",1\n', "the first column, which has no name, as row names"),
        (b'"a" "n"\n"r1" "x y" 1\n"r2" "z" 1\n',
         "columns separated by blanks; the first column, for which the header has no name, as row names"),
    ],
)  # fmt: skip
def test_how_a_file_was_read_is_said(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    assert said(path) == words
    frame = read_table(path)
    assert list(frame.columns)[-2:] == ["a", "n"]
    assert as_number(as_text(frame["n"].iloc[0])) in (1.0, 1.5, 10000.0)


def test_rows_keep_the_numbers_of_the_spreadsheet_below_titles(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("sep=;\nPlate 3;\n\na;n\nx;1\n\ny;oops\n")
    with pytest.raises(InvalidInput, match="row 7, column n: found 'oops'"):
        check(read_table(path), NUMBER)
    path.write_text("Run,7\nBy,me\na,n\nx,oops\n")
    with pytest.raises(InvalidInput, match="row 4, column n: found 'oops'"):
        check(read_table(path, skip=2), NUMBER)
    with pytest.raises(InvalidInput, match="found 4 lines, expected more than the 9 to be skipped"):
        read_table(path, skip=9)


def test_all_faults_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("n\n" + "x\n" * 916)
    with pytest.raises(InvalidInput) as caught:
        check(read_table(path), NUMBER)
    assert str(caught.value).splitlines()[-1] == "... and 896 more faults"
    pd.testing.assert_index_equal(read_table(path).index, pd.RangeIndex(916), check_names=False, exact=False)
