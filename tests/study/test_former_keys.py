"""Keys and words of the last version: accepted with a warning that names the new one (docs/why/compatibility.md)."""

from __future__ import annotations

import contextlib
import sys
import tomllib
import warnings
from pathlib import Path
from typing import Any

import pytest

from senexo.app import cli
from senexo.base.errors import InvalidInput
from senexo.lab.provenance import general_cautions
from senexo.study import migrations
from senexo.study.read import read_study
from senexo.study.resolve import resolve

NEW = """
title = "t"
[model]
circuit = "mir34c-rab27b-cells"
[cells.LSC]
n = 3
[cells.MSC]
n = 3
[donors]
n = 3
[donors.draws]
th_mir = { law = "fixed", value = 17, status = "unverified" }
[culture]
duration = "6 h"
window_check_wells = 3
[arms.mock]
[arms.mimic]
dose = { what = "miR-34c-5p", amount = 300 }
[replicates.about]
ct_sd = { status = "unverified" }
[[assays]]
name = "colonies"
compare = ["mimic", "mock"]
min_colony_size = 20
"""
FORMER = {
    "window_check_wells": "halving", "amount = 300": "copies = 300", "unverified": "memory",
    "min_colony_size": "least",
}  # fmt: skip
OLD = NEW
for new_name, former in FORMER.items():
    OLD = OLD.replace(new_name, former)
PLACES = [
    'donors.draws.th_mir.status: "memory" is called "unverified" now',
    "culture.halving: halving is called window_check_wells now",
    "arms.mimic.dose.copies: copies is called amount now",
    'replicates.about.ct_sd.status: "memory" is called "unverified" now',
    "assays[0].least: least is called min_colony_size now",
]


def test_a_file_with_former_names_is_the_same_study_and_says_so() -> None:
    old, new = resolve(tomllib.loads(OLD)), resolve(tomllib.loads(NEW))
    assert [notice.split("; ")[0] for notice in old.notices] == [f"study: {place}" for place in PLACES]
    assert new.notices == ()
    assert old.model_copy(update={"notices": ()}) == new
    assert old.digest == new.digest
    assert "halving" not in old.to_toml()
    assert 'status = "memory"' not in old.to_toml()


def test_reading_warns_once_for_each_and_the_run_s_record_holds_them(tmp_path: Path) -> None:
    path = tmp_path / "old.toml"
    path.write_text(OLD, encoding="utf-8")
    with pytest.warns(FutureWarning) as caught:
        study = read_study(path)
    assert [str(one.message) for one in caught] == list(study.notices)
    assert list(general_cautions(study))[: len(PLACES)] == list(study.notices)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_study("mir34c-exvivo")


def test_the_command_line_says_it_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["senexo", "--version"])
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # put back afterwards
    with contextlib.suppress(SystemExit):
        cli.main()
    capsys.readouterr()
    warnings.showwarning("halving is called window_check_wells now", FutureWarning, "read.py", 7)
    warnings.showwarning("overflow", RuntimeWarning, "read.py", 7)
    said = capsys.readouterr().err
    assert said == "senexo: halving is called window_check_wells now\nread.py:7: RuntimeWarning: overflow\n"


def test_an_old_name_beside_its_new_one_is_a_fault() -> None:
    raw: dict[str, Any] = tomllib.loads(NEW)
    raw["culture"]["halving"] = 4
    with pytest.raises(InvalidInput, match=r"culture.halving: found both, expected window_check_wells alone"):
        resolve(raw)


def test_a_former_name_in_a_change_of_the_command_line_stands_for_the_key_of_this_version() -> None:
    with pytest.warns(FutureWarning, match="copies is called amount now"):
        study = read_study("c05", set=["arms.mimic.dose.copies=7"])
    assert study.arms["mimic"].dose_copies == 7


def test_a_fault_of_an_old_name_is_reported_under_its_new_one() -> None:
    with pytest.raises(InvalidInput, match=r"culture.window_check_wells: found .lots., expected a whole number"):
        resolve(tomllib.loads(OLD.replace("halving = 3", 'halving = "lots"')))


def test_a_file_of_an_earlier_schema_version_is_brought_to_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A made-up history: in version -1 the culture's duration stood at the top, in version 0 in minutes."""

    def in_culture(tables: dict[str, Any]) -> dict[str, Any]:
        minutes = tables.pop("minutes")
        return {**tables, "culture": {**tables["culture"], "minutes": minutes}}

    def in_hours(tables: dict[str, Any]) -> dict[str, Any]:
        culture = dict(tables["culture"])
        return {**tables, "culture": {"duration_h": culture.pop("minutes") / 60, **culture}}

    monkeypatch.setattr(migrations, "MIGRATIONS", {-1: in_culture, 0: in_hours})
    raw = tomllib.loads(NEW)
    now = resolve(raw)
    del raw["culture"]["duration"]
    then = resolve({**raw, "schema_version": -1, "minutes": 360})
    assert then.digest == now.digest
    assert [notice.split(":")[2] for notice in then.notices] == [
        " the file is of version -1 and is read as one of version 0",
        " the file is of version 0 and is read as one of version 1",
    ]


@pytest.mark.parametrize("version", [0, 2, "1", 1.0, True])
def test_a_file_of_an_unknown_schema_version_is_refused(version: object) -> None:
    with pytest.raises(InvalidInput, match=r"schema_version: found .*, expected 1, the form this senexo reads"):
        resolve({**tomllib.loads(NEW), "schema_version": version})
