"""Hostile and broken input on the command line: one message that says where and what, exit status 2, no traceback.

`main` turns anything that no message was written for into exit status 70; a test that meets it has found a fault.
"""

from __future__ import annotations

import io
import os
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import senexo as package
from senexo.app import cli
from senexo.assays.specs import SPECS

Command = Callable[..., tuple[int, str, str]]
CORE = 'xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"'
MATH = 'xmlns="http://www.w3.org/1998/Math/MathML"'


def reaction(stoichiometry: str) -> str:
    return (
        f'<sbml {CORE}><model id="m">'
        '<listOfCompartments><compartment id="c" size="1" constant="true"/></listOfCompartments>'
        '<listOfSpecies><species id="s" compartment="c" initialAmount="10" hasOnlySubstanceUnits="true"'
        ' boundaryCondition="false" constant="false"/></listOfSpecies>'
        '<listOfReactions><reaction id="r" reversible="false"><listOfReactants>'
        f'<speciesReference species="s" stoichiometry="{stoichiometry}" constant="true"/></listOfReactants>'
        f"<kineticLaw><math {MATH}><ci>s</ci></math></kineticLaw></reaction></listOfReactions></model></sbml>"
    )


def function(id: str, uses: str) -> str:
    body = f"<apply><ci>{uses}</ci><ci>x</ci></apply>"
    return (
        f'<functionDefinition id="{id}"><math {MATH}><lambda><bvar><ci>x</ci></bvar>{body}</lambda></math>'
        "</functionDefinition>"
    )


FUNCTIONS = "".join(map(function, "fgh", "ghf"))
FILES = {
    "deep.toml": "[" + ".".join("a" * 600) + "]\nx = 1\n",
    "brackets.toml": "title = " + "[" * 600 + "]" * 600 + "\n",
    "keys.toml": "".join(f"k{number} = 1\n" for number in range(90_000)),
    "unknown.toml": "".join(f"k{number} = 1\n" for number in range(15_000)),
    "dotted.toml": ".".join("a" * 40_000) + " = 1\n",
    "digits.toml": "seed = " + "9" * 5_000 + "\n",
    "inf.xml": reaction("INF"),
    "nan.xml": reaction("NaN"),
    "large.xml": reaction("1e18"),
    "circle.xml": f'<sbml {CORE}><model id="m"><listOfFunctionDefinitions>{FUNCTIONS}</listOfFunctionDefinitions>'
    "</model></sbml>",
    "accent.ant": "model m\n  kapp\u00e9 = 1;\nend\n",
    "mature.fa": ">hsa-miR-1 MIMAT0000416\nUGGAAUGUAAAGAAGUAUGUAU\n>\nACGU\n",
    "utr.fa": ">gene\nACGUACGUACGU\n",
}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "deep.toml"), "deep.toml: found a key of more than 32 parts (line 1), expected at most 32 levels"),
        (("check", "brackets.toml"), "brackets nested more than 32 deep (line 1)"),
        (("check", "keys.toml"), "keys.toml: found 90,000 keys, expected at most 20,000"),
        (("check", "dotted.toml"), "a key of more than 32 parts"),
        (("check", "digits.toml"), "more than 400 digits in a row"),
        (("check", "deep.toml", "--set", "x" + ".x" * 40 + "=1"), "deep.toml"),
        (("simulate", "inf.xml", "--end", 1), "reaction r: the stoichiometry of s is inf, expected a finite number"),
        (("simulate", "nan.xml", "--end", 1, "--method", "ssa"), "the stoichiometry of s is nan"),
        (("simulate", "large.xml", "--end", 100, "--method", "ssa"), "s"),
        (("simulate", "circle.xml", "--end", 1), "circle.xml: circular function definition: "),
        (("simulate", "accent.ant", "--end", 1), "accent.ant: line 2: kapp\u00e9: the sign '\u00e9' is not allowed"),
        (("targets", "utr.fa", "--mirna", "hsa-miR-9", "--mirbase", "mature.fa"), "mature.fa, record 2: found no name"),
    ],
)
def test_a_hostile_file_gets_one_message(senexo: Command, words: tuple[object, ...], said: str) -> None:
    for name, text in FILES.items():
        Path(name).write_text(text, encoding="utf-8")
    status, _, error = senexo(*words)
    assert status == 2, error
    assert said in error
    assert error.count("\n") == 1


def test_many_faults_are_20_lines_and_a_count(senexo: Command) -> None:
    Path("unknown.toml").write_text(FILES["unknown.toml"])
    status, _, error = senexo("check", "unknown.toml")
    assert status == 2
    assert error.count("\n") == 21
    assert error.splitlines()[-1].startswith("... and 14,9")


@pytest.mark.parametrize(
    ("cells", "kind"), [([[1]] * 40, "list"), ([{"a": 1}] * 40, "struct"), ([b"x"] * 40, "binary")]
)
def test_parquet_of_lists_tables_or_bytes(senexo: Command, cells: list[object], kind: str) -> None:
    frame = SPECS["survival"].example_table()
    frame["odd"] = (cells * 10)[: len(frame)]
    frame.to_parquet("t.parquet")
    status, _, error = senexo("assay", "survival", "t.parquet", "--time", "os_months", "--event", "dead")
    assert status == 2
    assert f"t.parquet: column odd: found cells of the type {kind}" in error


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("1e300", "row 2, column vesicular: found '1e300', expected a number >= 0 of at most 1e+100 in size"),
        ("12\0", r"row 2, column vesicular: found '12\x00', expected a number >= 0 without control characters"),
        ("9" * 100_000, "found '99999"),
        ("9" * 200_000, "field larger than field limit"),
    ],
)
def test_a_cell_beyond_all_bounds(senexo: Command, cell: str, said: str) -> None:
    frame = SPECS["balance"].example_table().astype({"vesicular": object})
    frame.loc[0, "vesicular"] = cell
    frame.to_csv("t.csv", index=False)
    status, _, error = senexo("assay", "balance", "t.csv", "--compare", "together,apart")
    assert status == 2, error
    assert said in error
    assert len(error) < 500


def test_a_name_with_a_control_character(senexo: Command) -> None:
    frame = SPECS["balance"].example_table()
    frame.loc[0, "arm"] = "together\x1b[31m"
    frame.to_csv("t.csv", index=False)
    status, _, error = senexo("assay", "balance", "t.csv", "--compare", "together,apart")
    assert status == 2
    assert r"found 'together\x1b[31m', expected a name without control characters" in error


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
@pytest.mark.parametrize(
    "words",
    [
        ("check", "x.toml"), ("run", "x.toml"), ("assay", "survival", "x.csv", "--time", "t", "--event", "e"),
        ("assay", "survival", "x.parquet", "--time", "t", "--event", "e"), ("simulate", "x.xml", "--end", 1),
        ("simulate", "x.ant", "--end", 1), ("targets", "x.fa", "--mirna", "hsa-miR-34a-5p"),
        ("screen", "--network", "x.csv"),
    ],
)  # fmt: skip
def test_what_is_no_plain_file_is_refused(senexo: Command, words: tuple[object, ...], kind: str) -> None:
    """A pipe without a writer would wait for ever, /dev/zero never ends."""
    name = next(str(word) for word in words if str(word).startswith("x."))
    with socket.socket(socket.AF_UNIX) as listener:
        if kind == "pipe":
            os.mkfifo(name)
        elif kind == "socket":
            listener.bind(name)
        else:
            Path(name).symlink_to("/dev/zero")
    status, _, error = senexo(*words)
    assert status == 2
    assert name in error
    assert kind in error or "not a file" in error


@pytest.mark.parametrize("points", [10_000_001, 10**9])
def test_too_many_points_are_refused_before_anything_is_allocated(senexo: Command, points: int) -> None:
    status, _, error = senexo("simulate", "no-such-model", "--end", 1, "--points", points)
    assert status == 2
    assert f"--points: found {points:,}, expected at most 10,000,000" in error


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ""])
def test_tables_written_part_by_part_are_those_written_at_once(
    senexo: Command, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    Path("m.ant").write_text("model m\n  compartment c = 1; species x in c; x = 9; J: x => ; 0.3*x;\nend\n")
    read = pd.read_parquet if suffix == ".parquet" else pd.read_csv
    tables = []
    for rows in (1_000_000, 7):  # all of the 5 runs of 3 times at once, or 2 runs at a time
        monkeypatch.setattr("senexo.app.simulating.ROWS_AT_ONCE", rows)
        out = ("--out", f"{rows}{suffix}") if suffix else ()
        status, printed, error = senexo(
            "simulate", "m.ant", "--end", 4, "--points", 3, "--method", "ssa", "--runs", 5, *out
        )
        assert status == 0, error
        tables.append(read(f"{rows}{suffix}") if suffix else pd.read_csv(io.StringIO(printed)))
    pd.testing.assert_frame_equal(*tables)
    assert list(tables[0]["run"]) == [run for run in range(5) for _ in range(3)]


def test_a_circuit_folder_with_a_pipe_or_a_large_file(senexo: Command) -> None:
    for name in ("piped", "large"):
        shutil.copytree(Path(__file__).parents[1] / "circuits" / "tiny", name)
        (Path(name) / "wiring.csv").unlink()
    os.mkfifo("piped/wiring.csv")
    with open("large/wiring.csv", "wb") as sparse:
        sparse.truncate(2**31)
    assert "wiring.csv: found a named pipe" in senexo("simulate", "piped", "--end", 1)[2]
    assert "wiring.csv: found 2,147,483,648 bytes" in senexo("simulate", "large", "--end", 1)[2]


@pytest.mark.parametrize(
    ("column", "rows", "said"),
    [
        ("x" * 2_000, 1_000_000, "unpacks to more than 512 MiB"),
        ("", 2_000_001, "more than 2,000,000 rows"),
        ("x" * 200_000, 1, "column a: found a cell of 200,000 characters, expected at most 131,072"),
    ],
)
def test_a_parquet_file_is_measured_before_it_is_unpacked(senexo: Command, column: str, rows: int, said: str) -> None:
    """Some kB that stand for gigabytes: one text, repeated by a dictionary."""
    indices = pa.array(np.zeros(rows, dtype=np.int32))
    pq.write_table(pa.table({"a": pa.DictionaryArray.from_arrays(indices, pa.array([column]))}), "bomb.parquet")
    assert Path("bomb.parquet").stat().st_size < 300_000
    begun = time.monotonic()
    status, _, error = senexo("assay", "survival", "bomb.parquet", "--time", "a", "--event", "a")
    assert status == 2
    assert said in error
    assert time.monotonic() - begun < 20


def test_a_table_of_too_many_rows(senexo: Command) -> None:
    Path("t.csv").write_bytes(b"a\n" + b"1\n" * 2_000_010)
    status, _, error = senexo("assay", "survival", "t.csv", "--time", "a", "--event", "a")
    assert status == 2
    assert "t.csv: found more than 2,000,000 rows, expected a smaller table" in error


def test_a_backend_that_does_not_exist_here(senexo: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command draws with its own backend, whatever a notebook has left in the environment."""
    monkeypatch.setenv("MPLBACKEND", "module://no_such_backend")
    SPECS["balance"].example_table().to_csv("t.csv", index=False)
    status, _, error = senexo("assay", "balance", "t.csv", "--compare", "together,apart", "--out", "answer")
    assert status == 0, error
    assert os.environ["MPLBACKEND"] == "agg"


@pytest.mark.parametrize("function", [package.load, package.read_study, package.open_results, package.run])
@pytest.mark.parametrize("x", [None, 3, b"x", ["a"]])
def test_what_is_neither_a_path_nor_a_name(function: Callable[[object], object], x: object) -> None:
    with pytest.raises(package.InvalidInput, match=r"found .*, expected .*(path|study)"):
        function(x)


def test_the_outermost_guard(senexo: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything unforeseen is one line, with status 70 and a way to report it; --debug lets it through."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a fault\nof ours")

    monkeypatch.setattr("senexo.app.simulating.simulate_to", broken)
    status, _, error = senexo("simulate", "my model.xml", "--end", 1)
    assert status == cli.UNFORESEEN == 70
    assert error.count("\n") == 1
    assert "ZeroDivisionError: a fault of ours" in error
    assert "senexo --debug simulate 'my model.xml' --end 1" in error
    with pytest.raises(ZeroDivisionError):
        senexo("--debug", "simulate", "my model.xml", "--end", 1)


def test_formulas_in_exported_csv_are_inert(senexo: Command) -> None:
    frame = SPECS["balance"].example_table().replace({"arm": {"together": "=cmd|'/c calc'!A0", "apart": "-2.5"}})
    frame.to_csv("t.csv", index=False)
    status, _, error = senexo("assay", "balance", "t.csv", "--compare", "\"=cmd|'/c calc'!A0\",-2.5", "--out", "answer")
    assert status == 0, error
    assert "would run as formulas in a spreadsheet" in error
    wells = pd.read_csv("answer/wells.csv", dtype=str)
    assert set(wells["arm"]) == {"'=cmd|'/c calc'!A0", "-2.5"}
    assert set(pd.read_parquet("answer/wells.parquet")["arm"]) == {"=cmd|'/c calc'!A0", "-2.5"}
    assert not any(cell.startswith(("=", "+", "@")) for column in wells for cell in wells[column].dropna())


def test_a_table_of_parameters_without_a_row(senexo: Command, tmp_path: Path) -> None:
    (tmp_path / "m.ant").write_text("A = 1; k = 1; A -> ; k*A\n")
    (tmp_path / "rows.csv").write_text("k\n")
    status, _, said = senexo("simulate", "m.ant", "--end", 1, "--table", "rows.csv")
    assert (status, "column k: no row, expected numbers" in said) == (2, True)


@pytest.mark.parametrize("place", ["directory", "content"])
def test_a_workbook_whose_archive_is_broken(senexo: Command, tmp_path: Path, place: str) -> None:
    pd.DataFrame({"cells": [1, 10, 100], "wells": 8, "positive": [0, 3, 8]}).to_excel(tmp_path / "t.xlsx", index=False)
    data = bytearray((tmp_path / "t.xlsx").read_bytes())
    at = data.rindex(b"PK\x05\x06") + 16 if place == "directory" else data.index(b"PK\x03\x04", 10) + 60
    data[at : at + 3] = b"\xff\xff\x00" if place == "directory" else b"\x07\x07\x07"
    (tmp_path / "t.xlsx").write_bytes(data)
    status, _, said = senexo(
        "assay", "dilution", "t.xlsx", "--dose", "cells", "--tested", "wells", "--response", "positive"
    )
    assert (status, "no readable workbook" in said) == (2, True)
