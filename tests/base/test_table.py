"""Reading tables strictly: every fault named by row and column, in the numbering of a spreadsheet."""

from __future__ import annotations

import contextlib
import gzip
import math
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from senexo.base.errors import Fault, InvalidInput, StoreError
from senexo.base.table import Column, at, check, read_table, write_table

COLUMNS = (
    Column("arm", "text"), Column("n", "whole", low=0), Column("ct", "number", may_be_empty=True, empty_words=("nd",)),
    Column("ok", "flag", required=False),
)  # fmt: skip


def text(tmp_path: Path, content: str | bytes, name: str = "wells.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz", "t.parquet"])
def test_every_format_gives_the_same_table(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"arm": ["mock", "µ"], "n": [3, 4], "ct": [31.25, math.nan], "ok": [True, False]})
    path = tmp_path / name
    if name.endswith("parquet"):
        frame.to_parquet(path)
    else:
        separator = "\t" if "tsv" in name else ","
        data = frame.to_csv(index=False, sep=separator).encode()
        path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    found = check(read_table(path), COLUMNS)
    assert found["arm"].to_list() == ["mock", "µ"]
    assert found["n"].dtype == np.int64
    assert found["ct"].iloc[0] == 31.25
    assert math.isnan(found["ct"].iloc[1])
    assert found["ok"].to_list() == [True, False]


def test_semicolons_bom_blank_lines_and_words_for_empty(tmp_path: Path) -> None:
    path = text(tmp_path, "\ufeffarm;n;ct\r\nmock;1;ND\r\n;;\r\n\r\nmimic;2; 30.5 \r\n")
    found = check(read_table(path), COLUMNS)
    assert found["arm"].to_list() == ["mock", "mimic"]
    assert math.isnan(found["ct"].iloc[0])
    assert found["ct"].iloc[1] == 30.5


def test_numbers_as_donor_names_stay_names() -> None:
    for donors in ([3, 12], [3.0, 12.0], ["3", "12"]):
        assert check(pd.DataFrame({"donor": donors}), [Column("donor", "text")])["donor"].to_list() == ["3", "12"]


def test_all_faults_at_once_with_their_places(tmp_path: Path) -> None:
    path = text(tmp_path, 'arm,n,ct\nmock,1,30\n,x,30\nmimic,-2,"31,5"\n\nmimic,1.5,inf\nmimic,1,31.5\n')
    with pytest.raises(InvalidInput) as caught:
        check(read_table(path), COLUMNS, where="wells.csv")
    assert str(caught.value).splitlines() == [
        "wells.csv: row 3, column arm: found an empty cell, expected a name",
        "wells.csv: row 3, column n: found 'x', expected a whole number >= 0",
        "wells.csv: row 4, column n: found '-2', expected a whole number >= 0",
        "wells.csv: row 6, column n: found '1.5', expected a whole number >= 0",
        "wells.csv: row 4, column ct: found '31,5', expected a number with a decimal point",
        "wells.csv: row 6, column ct: found 'inf', expected a number",
    ]


def test_a_long_list_of_faults_is_capped_and_counted() -> None:
    with pytest.raises(InvalidInput) as caught:
        check(pd.DataFrame({"n": ["x"] * 500}), [Column("n", "whole")])
    assert len(caught.value.faults) == 500
    assert "480 more faults" in str(caught.value)


def test_missing_columns_name_those_that_are_there() -> None:
    with pytest.raises(InvalidInput, match=r"column n: found no such column \(there are: arm, count\)"):
        check(pd.DataFrame({"arm": ["a"], "count": [1], "ct": [1]}).drop(columns="ct"), COLUMNS[:2])


def test_faults_of_cells_and_of_rows_come_at_once() -> None:
    """A rule and the key see the rows whose cells are all valid; one bad cell does not hide the other faults."""
    frame = pd.DataFrame({"arm": ["a", "b", "b", "c"], "n": ["5", "x", "3", "9"], "of": ["4", "9", "8", "y"]})
    again = pd.concat([frame, pd.DataFrame({"arm": ["b"], "n": ["1"], "of": ["2"]})], ignore_index=True)

    def no_more_than_all(rows: pd.DataFrame) -> list[Fault]:
        return [Fault(at("t", row, "n"), "too many", "at most `of`") for row in rows.index[rows["n"] > rows["of"]]]

    columns = [Column("arm", "text"), Column("n", "whole"), Column("of", "whole")]
    with pytest.raises(InvalidInput) as caught:
        check(again, columns, where="t", key=["arm"], rules=[no_more_than_all])
    assert [fault.where for fault in caught.value.faults] == [
        "t: row 3, column n", "t: row 5, column of", "t: row 6", "t: row 2, column n",
    ]  # fmt: skip


def test_rules_are_not_asked_about_a_column_that_is_absent() -> None:
    def fails(rows: pd.DataFrame) -> list[Fault]:
        raise AssertionError(rows)

    with pytest.raises(InvalidInput, match="no such column"):
        check(pd.DataFrame({"arm": ["a"]}), [Column("arm", "text"), Column("n", "whole")], rules=[fails])


def test_rows_of_a_frame_glued_together_are_counted_anew() -> None:
    frame = pd.concat([pd.DataFrame({"n": [1, 2]}), pd.DataFrame({"n": [3, -4]})])
    with pytest.raises(InvalidInput, match="row 5, column n"):
        check(frame, [Column("n", "whole", low=0)])


def test_repeated_rows_name_both() -> None:
    frame = pd.DataFrame({"arm": ["a", "b", "a"], "n": [1, 2, 3], "ct": 1.0})
    with pytest.raises(InvalidInput, match="row 4: found the arm of row 2 again"):
        check(frame, COLUMNS, key=["arm", "replicate"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xyz", b"", "a file of type '.xyz'"),
        ("a", b"", "a file of type ''"),
        ("a.csv", b"", "an empty file"),
        ("a.csv", b"arm,arm\n1,2\n", "row 1, column 2: found the column name 'arm'"),
        ("a.csv", b"arm,\nmock,2\n", "row 1, column 2: found the column name ''"),
        ("a.csv", b"1e4,6,6\n1e3,6,3\n", "row 1: found numbers ('1e4', '6', '6') and no header"),
        ("a.csv", b"arm,n\nmock,1,7\nmimic\n", "row 2: found 3 cells, expected 2"),
        ("a.csv", b"arm,n\nm\x81,1\n", "a byte that is not UTF-8 at position 7"),
        ("a.csv", b'arm,n\n"mock,1\n', "text that is no table"),
        ("a.csv.gz", b"no gzip", "cannot be read"),
        ("a.csv.gz", gzip.compress(b"arm,n\n" * 100, mtime=0)[:-9], "cannot be read"),
        ("a.parquet", b"no parquet", "no readable Parquet"),
    ],
)
def test_unreadable_files_get_one_message(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_table(text(tmp_path, content, name))
    assert message in str(caught.value)


def test_a_gzip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("senexo.base.table_file.MAX_BYTES", 2**20)
    with pytest.raises(InvalidInput, match="more than 1 MiB"):
        read_table(text(tmp_path, gzip.compress(b"0" * 2**21), "a.csv.gz"))


def test_no_such_file_and_no_rows(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InvalidInput, match="no row of data"):
        check(read_table(text(tmp_path, "arm,n,ct\n")), COLUMNS)


def test_written_tables_read_back_equal(tmp_path: Path) -> None:
    frame = pd.DataFrame({"arm": ["a", "b,\n"], "n": [1, 2], "ct": [0.1 + 0.2, math.nan]})
    for path in write_table(frame, tmp_path / "out"):
        found = check(read_table(path), COLUMNS)
        assert found["arm"].to_list() == ["a", "b,"]  # cells are stripped
        assert found["ct"].iloc[0] == 0.1 + 0.2  # all digits
    with pytest.raises(StoreError, match="cannot write"):
        write_table(frame, tmp_path / "out.csv" / "folder")


cell = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6), st.binary(max_size=3))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(cell, cell, cell, cell), min_size=1, max_size=6))
def test_any_cells_give_a_typed_table_or_named_faults(rows: list[tuple[object, ...]]) -> None:
    frame = pd.DataFrame({name: pd.Series(list(values), dtype=object) for name, values in zip(
        ("arm", "n", "ct", "ok"), zip(*rows, strict=True), strict=True)})  # fmt: skip
    try:
        found = check(frame, COLUMNS)
    except InvalidInput as error:
        places = [fault.where for fault in error.faults]
        assert all("column" in place for place in places)
    else:
        assert (found["n"] >= 0).all()
        assert not np.isinf(found["ct"]).any()
        assert (found["arm"] != "").all()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_one_message(data: bytes) -> None:
    for name in ("t.csv", "t.parquet", "t.tsv.gz"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(data)
            with contextlib.suppress(InvalidInput):  # anything else would be a traceback
                read_table(path)
