"""Files that cannot be studies, and changes from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from senexo.base.errors import InvalidInput
from senexo.study.overrides import apply_overrides
from senexo.study.read import read_study, shipped_studies

MINIMAL = """title = "t"
[model]
circuit = "mir34c-rab27b"
[cells.LSC]
n = 3
[culture]
duration = "7 d"
[arms.mock]
"""


def refusal(path: Path | str) -> str:
    with pytest.raises(InvalidInput) as caught:
        read_study(path)
    return str(caught.value)


def test_a_study_is_read_by_path_by_name_and_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(MINIMAL, encoding="utf-8")
    study = read_study(str(path))
    assert read_study(study) is study
    assert read_study(study, set=["seed=9"]).seed == 9
    assert "mir34c-exvivo" in shipped_studies()
    assert read_study("mir34c-exvivo").title


def test_a_file_with_a_byte_order_mark_and_windows_lines_is_read(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert list(read_study(path).arms) == ["mock"]


def test_a_syntax_error_is_told_with_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('title = "t"\nseed = = 3\n', encoding="utf-8")
    assert "line 2, column 8" in refusal(path)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x00\x01\xff\xfe" * 50, "no UTF-8 text at position 2"),
        (b"#" * (2**20 + 1), "more than 1 MiB"),
        (b"a = " + b"[" * 100_000, "brackets nested more than 32 deep"),
        (b"a = " + b"9" * 10_000, "more than 400 digits in a row"),
        (b"a = 1\na = 2\n", "Cannot overwrite a value"),
        (b"", "title: found nothing"),
    ],
)
def test_what_is_no_study_is_refused_in_one_message(tmp_path: Path, data: bytes, expected: str) -> None:
    path = tmp_path / "s.toml"
    path.write_bytes(data)
    with pytest.raises(InvalidInput, match=expected):
        read_study(path)


@pytest.mark.parametrize("name", ["mock ", " mock", "mock [3] "])
def test_a_name_does_not_end_with_a_space(tmp_path: Path, name: str) -> None:
    """Tables strip their cells, so such a name would be another one there, after all cells are computed."""
    path = tmp_path / "s.toml"
    shipped = read_study("mir34c-exvivo").to_toml()
    path.write_text(shipped + f'\n[arms."{name}"]\n', encoding="utf-8")
    with pytest.raises(InvalidInput, match="expected a name of letters, digits"):
        read_study(path)


def test_folders_and_missing_files_are_told_as_such(tmp_path: Path) -> None:
    assert "found a folder" in refusal(tmp_path)
    assert "which does not exist, expected a file, or a shipped study (" in refusal("nowhere.toml")
    loop = tmp_path / "loop.toml"
    loop.symlink_to(loop)
    assert "no readable file" in refusal(loop)


RAW: dict[str, Any] = {"culture": {"duration": "7 d"}, "arms": {"mimic": {"dose": {"amount": [1, 2]}}}, "assays": [{}]}


@pytest.mark.parametrize(
    ("change", "path", "value"),
    [
        ("culture.duration=3 d", ("culture", "duration"), "3 d"),
        ("culture.duration = '3 d'", ("culture", "duration"), "3 d"),
        ("donors.n=5", ("donors", "n"), 5),
        ("arms.mimic.dose.amount=[30, 100]", ("arms", "mimic", "dose", "amount"), [30, 100]),
        ("arms.mimic.dose.amount[1]=7", ("arms", "mimic", "dose", "amount", 1), 7),
        ('arms."mimic[30]".set={E = 3}', ("arms", "mimic[30]", "set"), {"E": 3}),
        ("assays[0].time=1 d", ("assays", 0, "time"), "1 d"),
        ("title=a = b", ("title",), "a = b"),
        ("title=1\nseed = 3", ("title",), "1\nseed = 3"),
        ("title=", ("title",), ""),
    ],
)
def test_a_change_sets_one_value(change: str, path: tuple[str | int, ...], value: object) -> None:
    found: Any = apply_overrides(RAW, [change])
    for step in path:
        found = found[step]
    assert found == value


@pytest.mark.parametrize(
    "change", ["culture", "=3", "a..b=1", "[0]=1", "assays[4].time=1", "culture.duration.x=1", "assays.name=2", "a b=1"]
)
def test_a_change_that_leads_nowhere_is_a_fault(change: str) -> None:
    with pytest.raises(InvalidInput, match="--set"):
        apply_overrides(RAW, [change])


def test_all_wrong_changes_are_told_and_the_tables_stay_as_they_were() -> None:
    before = repr(RAW)
    with pytest.raises(InvalidInput) as caught:
        apply_overrides(RAW, ["donors.n=5", "nonsense", "culture.duration.x=1"])
    assert len(caught.value.faults) == 2
    assert repr(RAW) == before


def test_changes_reach_the_resolved_study() -> None:
    changes = ["culture.duration=8 d", "donors.n=5", "arms.mimic.dose.amount=[30, 300, 1000, 3000, 10000]"]
    study = read_study("mir34c-lone", set=changes)
    assert study.culture.duration_h == 192.0
    assert study.donors.n == 5
    assert "mimic[100]" not in study.arms


EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.toml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_studies(path: Path) -> None:
    assert read_study(path).arms


def test_the_study_in_the_documentation_is_one(tmp_path: Path) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "study-file.md").read_text(encoding="utf-8")
    path = tmp_path / "s.toml"
    path.write_text(text.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    assert list(read_study(path).arms) == ["mock", "mimic[30]", "mimic[300]", "mimic[3000]"]
