"""What holds for every assay on the command line: any kind of file, joins, excluded rows, one object, one message.

Each test starts from the assay's own example table and the command that `--example` prints.
"""

from __future__ import annotations

import gzip
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from senexo.app.options import arguments
from senexo.assays.specs import SPECS
from senexo.base.table import csv_bytes

Run = Callable[..., tuple[int, str, str]]
every = pytest.mark.parametrize("name", sorted(SPECS))


def example(name: str) -> pd.DataFrame:
    return SPECS[name].example_table()


def options(name: str) -> list[str]:
    """The words of the example's command behind the table; power with few simulated tables, to be quick."""
    keywords = dict(SPECS[name].example)
    if name == "power":
        keywords |= {"n": [3], "sets": 20}
    return shlex.split(arguments(SPECS[name], keywords))


def found(run: Run, name: str, *words: object) -> Any:
    """The one object that `--json` prints, and nothing else."""
    status, said, complaint = run("assay", name, *words, *options(name), "--json")
    assert (status, complaint) == (0, "")
    assert said.startswith("{")
    assert said.endswith("}\n")
    return json.loads(said, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))


@every
def test_any_kind_of_file_gives_the_same_answer(senexo: Run, tmp_path: Path, name: str) -> None:
    table, data = example(name), csv_bytes(example(name))
    (tmp_path / "t.csv").write_bytes(data)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(data))
    table.to_csv(tmp_path / "semicolon.csv", sep=";", index=False)
    table.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    mixed = table.select_dtypes(object).columns  # numbers and words in one column, which Parquet does not know
    table.astype(dict.fromkeys(mixed, "string")).to_parquet(tmp_path / "t.parquet")
    table.to_excel(tmp_path / "t.xlsx", index=False)
    answers = {path.name: found(senexo, name, path.name) for path in sorted(tmp_path.iterdir()) if path.is_file()}
    assert len(answers) == 6
    note = "semicolon.csv was read so: columns separated by semicolons"
    assert [one for one in answers["semicolon.csv"]["notes"] if "was read so" in one] == [note]
    answers["semicolon.csv"]["notes"].remove(note)
    assert {file for file, answer in answers.items() if answer != answers["t.csv"]} == set()


@every
def test_joined_and_left_out_rows_change_nothing_but_the_notes(senexo: Run, tmp_path: Path, name: str) -> None:
    """The example cut into two tables and joined again, with spoilt rows that are excluded."""
    table = example(name)
    whole = pd.concat([table, table.iloc[:2]], ignore_index=True)
    whole.insert(0, "entry", [f"entry {i}" for i in range(len(whole))])
    whole["quality"] = ["good"] * len(table) + ["spoilt"] * 2
    (tmp_path / "t.csv").write_bytes(csv_bytes(whole.iloc[: len(table)]))
    half = (len(whole.columns) + 1) // 2
    (tmp_path / "left.csv").write_bytes(csv_bytes(whole.iloc[:, :half]))
    (tmp_path / "right.csv").write_bytes(csv_bytes(whole.iloc[::-1, [0, *range(half, len(whole.columns))]]))
    alone = found(senexo, name, "t.csv")
    joined = found(
        senexo, name, "left.csv", "--join", "right.csv", "--on", "entry", "--exclude", "quality=spoilt"
    )  # fmt: skip
    note = f"2 of {len(whole)} rows of left.csv are left out: quality = spoilt"
    assert note in joined["notes"]
    assert [other for other in joined["notes"] if other != note] == alone["notes"]
    assert {key: value for key, value in joined.items() if key != "notes"} == {
        key: value for key, value in alone.items() if key != "notes"
    }


@every
def test_a_wrong_call_gets_status_2_and_one_message(senexo: Run, tmp_path: Path, name: str) -> None:
    """Also with `--json`: nothing on standard output, and what is wrong where, found and expected on the other."""
    table = example(name)
    (tmp_path / "t.csv").write_bytes(csv_bytes(table))
    (tmp_path / "empty.csv").write_bytes(csv_bytes(table.iloc[:0]))
    (tmp_path / "short.csv").write_bytes(csv_bytes(table.iloc[:, :1]))
    for words, where in (
        (["none.csv", *options(name)], "none.csv: found no such file"),
        (["empty.csv", *options(name)], "empty.csv: "),
        (["short.csv", *options(name)], "short.csv: column "),
        (["t.csv", *options(name), "--sheet", "x"], "t.csv: found the sheet 'x'"),
        (["t.csv", *options(name), "--exclude", "colour=red"], "t.csv: exclude: found 'colour=red'"),
        (["t.csv", *options(name), "--join", "none.csv", "--on", "x"], "none.csv: found no such file"),
    ):
        status, said, complaint = senexo("assay", name, *words, "--json")
        assert (status, said) == (2, ""), words
        assert where in complaint, words
        assert complaint.startswith("senexo: "), words
        assert all(", expected " in line for line in complaint.strip().splitlines()), words
    status, said, complaint = senexo("assay", name, "t.csv", *options(name), "--colour", "red")
    assert (status, said) == (2, "")
    assert "--colour" in complaint
