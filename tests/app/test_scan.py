"""`--set`, `--scan` and `--table` of `senexo simulate`."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from senexo.app.cli import app
from senexo.app.scan import MOST_ROWS, given_values
from senexo.base.errors import InvalidInput


@pytest.fixture
def decay(tmp_path: Path) -> Path:
    path = tmp_path / "decay.ant"
    path.write_text("model decay()\nx = 1; k = 1; s = 1; x' = -k*s*x\nend\n")
    return path


def test_forms_of_values() -> None:
    assert given_values([], [], None) is None
    assert given_values(["k=0.5", " a.b = 1e-3"], [], None) == {"k": 0.5, "a.b": 1e-3}
    found = given_values(["s=2"], ["k=0.1:10:log:3", "d=1,5"], None)
    assert found is not None
    np.testing.assert_allclose(found["k"], [0.1, 0.1, 1, 1, 10, 10])
    assert found["d"].tolist() == [1, 5, 1, 5, 1, 5]
    assert found["s"] == 2.0
    linear = given_values([], ["k=-1:1:lin:5"], None)
    assert linear is not None
    assert linear["k"].tolist() == [-1, -0.5, 0, 0.5, 1]


@pytest.mark.parametrize(
    ("sets", "scans", "said"),
    [
        (["k"], [], "ID=NUMBER"),
        (["k=one"], [], "a finite number"),
        (["k=1", "k=2"], [], "k twice"),
        (["k=1"], ["k=1,2"], "k twice"),
        ([], ["k=1:2:3"], "N 2 or more"),
        ([], ["k=0:2:log:3"], "above 0"),
        ([], ["k=1:2:lin:1"], "N 2 or more"),
        ([], ["k=1,x"], "a finite number"),
        ([], [f"k=1:2:lin:{MOST_ROWS}", "d=1,2"], "combinations"),
    ],
)
def test_refused_values(sets: list[str], scans: list[str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        given_values(sets, scans, None)


def test_tables(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("k,d\n1,2\n3,4\n")
    found = given_values(["s=1"], [], path)
    assert found is not None
    assert {id: np.asarray(value).tolist() for id, value in found.items()} == {"s": 1.0, "k": [1, 3], "d": [2, 4]}
    pd.DataFrame({"k": [1.0, 2.0]}).to_parquet(tmp_path / "rows.parquet")
    again = given_values([], [], tmp_path / "rows.parquet")
    assert again is not None
    assert again["k"].tolist() == [1.0, 2.0]
    path.write_text("k\n1\nlow\n")
    for table, said in ((path, "column k"), (tmp_path / "none.csv", "none.csv"), (tmp_path / "rows.xls", ".parquet")):
        with pytest.raises(InvalidInput, match=re.escape(said)):
            given_values([], [], table)
    path.write_text("k\n1\n")
    with pytest.raises(InvalidInput, match="one of them"):
        given_values([], ["d=1,2"], path)


def test_a_scan_on_the_command_line(decay: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    arguments = ["simulate", str(decay), "--end", "1", "--points", "2", "--set", "s=2", "--scan", "k=0.5:2:log:3"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(out)])
    assert result.exit_code == 0, result.output
    table = pd.read_csv(out)
    assert list(table["k"]) == [0.5, 0.5, 1, 1, 2, 2]
    assert set(table["status"]) == {"complete"}
    assert set(table["s"]) == {2}
    last = table[table["time"] == 1]
    np.testing.assert_allclose(last["x"], np.exp(-2 * last["k"]), rtol=1e-6)


@pytest.mark.parametrize(
    ("id", "columns"),
    [("time", "run,time_,status,time"), ("run", "run_,time,status,run"), ("status", "run,time,status_,status")],
)
def test_quantities_with_the_names_of_columns_keep_them(id: str, columns: str, tmp_path: Path) -> None:
    """x' = 2 from 1 and from 2, in tables of both kinds."""
    math = '<math xmlns="http://www.w3.org/1998/Math/MathML"><cn>2</cn></math>'
    (tmp_path / "m.xml").write_text(
        '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"><model id="m">'
        f'<listOfParameters><parameter id="{id}" value="1" constant="false"/></listOfParameters>'
        f'<listOfRules><rateRule variable="{id}">{math}</rateRule></listOfRules></model></sbml>'
    )
    for suffix in ("csv", "parquet"):
        out = tmp_path / f"out.{suffix}"
        typed = ["simulate", str(tmp_path / "m.xml"), "--end", "1", "--points", "2", "--scan", f"{id}=1,2"]
        done = CliRunner().invoke(app, [*typed, "--out", str(out)])
        assert done.exit_code == 0, done.output
        table = pd.read_csv(out) if suffix == "csv" else pd.read_parquet(out)
        assert ",".join(table.columns) == columns
        np.testing.assert_allclose(table[id], [1.0, 3.0, 2.0, 4.0])


def test_start_changes_and_steady_states_on_the_command_line(decay: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a.zarr", tmp_path / "b.csv"
    runner = CliRunner()
    command = ["simulate", str(decay), "--end", "1", "--points", "2", "--out", str(first)]
    assert runner.invoke(app, command, catch_exceptions=False).exit_code == 0
    more = ["--start", str(first), "--end", "3", "--points", "3", "--change", "2:x=x + 1", "--change", "2:s=0"]
    assert (
        runner.invoke(app, ["simulate", str(decay), *more, "--out", str(second)], catch_exceptions=False).exit_code == 0
    )
    table = pd.read_csv(second)
    assert table["time"].to_list() == [1.0, 2.0, 3.0]
    np.testing.assert_allclose(table["x"], [np.exp(-1), np.exp(-2) + 1, np.exp(-2) + 1], rtol=1e-6)
    rest = runner.invoke(app, ["simulate", str(decay), "--steady-state"], catch_exceptions=False)
    assert rest.stdout.splitlines()[1].split(",")[1] == "0.0"


def test_a_store_with_chunks_that_are_too_large_is_no_start(decay: Path, tmp_path: Path) -> None:
    store = tmp_path / "a.zarr"
    command = ["simulate", str(decay), "--end", "1", "--points", "2", "--out", str(store)]
    assert CliRunner().invoke(app, command, catch_exceptions=False).exit_code == 0
    for name in ("x/.zarray", ".zmetadata"):
        text = (store / name).read_text()
        damaged = re.sub(r'("chunks": \[\s*1,\s*)2', r"\g<1>2000000000", text)
        assert damaged != text
        (store / name).write_text(damaged)
    with pytest.raises(InvalidInput, match="more than fits"):
        CliRunner().invoke(app, ["simulate", str(decay), "--end", "2", "--start", str(store)], catch_exceptions=False)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--end", "1", "--change", "k=1"], "TIME:ID=NUMBER"),
        (["--end", "1", "--change", "0.5:k=1", "--change", "0.5:k=2"], "k twice at time 0.5"),
        (["--end", "1", "--change", "soon:k=1"], "a finite number"),
        (["--end", "1", "--start", "later"], "a time, or a .zarr folder"),
        (["--end", "1", "--start", "none.zarr"], "a time, or a .zarr folder"),
        (["--end", "1", "--start", "2"], "a time greater than 2"),
        (["--end", "1", "--steady-state"], "either --end or --steady-state"),
        ([], "either --end or --steady-state"),
    ],
)
def test_refused_timelines(decay: Path, options: list[str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        CliRunner().invoke(app, ["simulate", str(decay), *options], catch_exceptions=False)
