"""Workbooks: stored values are read, formulas are not computed, hostile files give one message."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from senexo.base import workbook
from senexo.base.errors import InvalidInput
from senexo.base.table import Column, check, read_table

WELLS: list[list[Any]] = [["arm", "ct", "donor"], ["mock", 31.25, 3], ["mimic", None, 12], [], ["mimic", 30, 3]]


def book(path: Path, **sheets: list[list[Any]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(path)
    return path


def swapped(path: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    """The workbook with one of its parts changed."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, change(data) if name == part else data)
    return path


def refused(path: Path, *words: str, sheet: str | None = None) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_table(path, sheet=sheet)
    for word in words:
        assert word in str(caught.value)


def test_a_sheet_is_read_as_it_stands(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", wells=WELLS, empty=[])
    for there in (path, tmp_path / "t.xlsx.gz"):
        there.write_bytes(path.read_bytes() if there == path else gzip.compress(path.read_bytes()))
        frame = read_table(there)
        columns = [Column("arm", "text"), Column("ct", "number", may_be_empty=True), Column("donor", "text")]
        found = check(frame, columns)
        assert list(found.index) == [0, 1, 3]  # the row numbers of the spreadsheet, minus 2
        assert found["ct"].tolist() == pytest.approx([31.25, float("nan"), 30.0], nan_ok=True)
        assert found["donor"].tolist() == ["3", "12", "3"]


def test_faults_have_the_row_numbers_of_the_sheet(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", wells=[*WELLS[:3], [], ["mimic", "x", 3]])
    with pytest.raises(InvalidInput, match="row 5, column ct: found 'x', expected a number"):
        check(read_table(path), [Column("ct", "number", may_be_empty=True)])


def test_several_sheets_ask_for_a_name(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", wells=WELLS, notes=[["n"], [5]])
    refused(path, "found 2 sheets (wells, notes)", "--sheet")
    refused(path, "sheet: found 'wels', expected one of wells, notes", sheet="wels")
    assert read_table(path, sheet="notes")["n"].tolist() == [5]
    (tmp_path / "t.csv").write_text("a\n1\n")
    refused(tmp_path / "t.csv", "found the sheet 'x' of a file of type '.csv'", sheet="x")


def test_formulas_are_their_stored_values_and_errors_are_told(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", s=[["a", "b"], [1, "=A2*2"], [2, "#N/A"], [3, "=1+"]])
    refused(path, "row 2, column 2: found a formula without a stored value", "row 3, column 2: found the error '#N/A'")
    part = "xl/worksheets/sheet1.xml"
    fixed = book(tmp_path / "u.xlsx", s=[["a", "b"], [1, "=A2*2"]])
    swapped(fixed, part, lambda data: data.replace(b"<v />", b"<v>7</v>").replace(b"<v></v>", b"<v>7</v>"))
    assert read_table(fixed)["b"].tolist() == [7]  # 7 was stored, 2 would be computed


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], "an empty file"),
        ([["a", "a"], [1, 2]], "row 1, column 2: found the column name 'a'"),
        ([["a", None, "b"], [1, 2, 3]], "row 1, column 2: found the column name ''"),
        ([["a", "b"], [1, 2, 3, 4]], "row 2: found 4 cells, expected 2"),
    ],
)
def test_headers_are_judged_as_those_of_text_files(tmp_path: Path, rows: list[list[Any]], expected: str) -> None:
    refused(book(tmp_path / "t.xlsx", s=rows), expected)


def test_what_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    for data in (b"", b"arm,ct\n", b"PK\x03\x04 and then nothing", b"\xd0\xcf\x11\xe0 an old or a locked file"):
        path.write_bytes(data)
        refused(path, "t.xlsx: found no readable workbook")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "no parts")
    refused(path, "no readable workbook")
    refused(swapped(book(path, s=WELLS), "xl/workbook.xml", lambda data: data[:100]), "no readable workbook")
    (tmp_path / "t.xls").write_bytes(b"")
    refused(tmp_path / "t.xls", "type '.xls'", ".xlsx")


def test_bombs_are_refused_before_they_unpack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = "xl/worksheets/sheet1.xml"
    entities = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    path = book(tmp_path / "t.xlsx", s=WELLS)
    refused(swapped(path, part, lambda data: entities + data), "found declarations in xl/worksheets/sheet1.xml")
    refused(swapped(path, part, lambda data: data.decode().encode("utf-16")), "found declarations")
    path = book(tmp_path / "t.xlsx", s=WELLS)
    refused(swapped(path, "xl/styles.xml", lambda data: data + b" " * (workbook.MAX_BYTES + 1)), "more than 256 MiB")
    monkeypatch.setattr(workbook, "MAX_CELLS", 1000)
    wide = openpyxl.Workbook()
    wide.active["A1"], wide.active["XFD2"] = "a", 1
    wide.save(path)
    refused(path, "more than 1,000 cells")
    high = openpyxl.Workbook()
    high.active["A1"], high.active["A3000"] = "a", 1
    high.save(path)
    refused(path, "more than 1,000 cells")


def test_a_size_that_lies_is_found(tmp_path: Path) -> None:
    """The directory of the zip says 10 bytes; no more than that is ever unpacked, and the checksum then fails."""
    path, packed = tmp_path / "t.xlsx", io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 1_000_000)
    data = packed.getvalue().replace((1_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(data)
    refused(path, "no readable workbook")


def test_a_frame_goes_out_and_comes_back(tmp_path: Path) -> None:
    frame = pd.DataFrame({"name": ["µ", "b"], "x": [0.1, 2.0], "n": [1, 2]})
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    columns = [Column("name", "text"), Column("x", "number"), Column("n", "whole")]
    pd.testing.assert_frame_equal(check(read_table(tmp_path / "t.xlsx"), columns), frame)
