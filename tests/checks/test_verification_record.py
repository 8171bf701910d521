"""What `make verify` writes: rows as checks yield them, a partial run beside what was there, no pass beyond a bar."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import verify
from verify import Check, _record, not_run, stated
from verify import __main__ as runner
from verify._record import Record, Section

ROWS = (
    Check("level: one | two", 0.0512, 0.0707, True, "1000 sets"),
    Check("gain", np.float64(3.0), 0.0, np.bool_(True), relation=">"),  # type: ignore[arg-type]
    Check("exact rows", 0, 0, False, "too few events", "=="),
    stated("noise changes", 7, "seven levels"),
    not_run("ranking", "ViennaRNA is not installed"),
    Check("worst", math.inf, 1e-6, False, "no solution"),
)


def section(name: str, *rows: Check, date: str = "2026-12-01", commit: str = "abc") -> Section:
    return Section(name, f"About {name}.", rows, 12.3, 10.0, date, commit, "3.11.7")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The record in a folder of its own."""
    monkeypatch.setattr(_record, "FOLDER", tmp_path)
    return tmp_path


def planted(name: str, monkeypatch: pytest.MonkeyPatch, main: object) -> None:
    """A check of this name that `python -m verify` can find."""
    module = ModuleType(f"verify.{name}", "A planted check.\n\nMore of it.")
    module.main = main  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, f"verify.{name}", module)
    monkeypatch.setattr(verify, name, module, raising=False)
    monkeypatch.setattr(runner, "names", lambda: ["first", "second"])


@pytest.mark.parametrize(("figure", "relation"), [(2.0, "<="), (1.0, "<"), (0.5, ">="), (1.0, ">"), (0.0, "==")])
def test_no_pass_beyond_its_bar(figure: float, relation: str) -> None:
    with pytest.raises(ValueError, match="called a pass"):
        Check("x", figure, 1.0, True, "", relation)  # type: ignore[arg-type]
    assert Check("x", figure, 1.0, False, "", relation).verdict == "fail"  # type: ignore[arg-type]


def test_rows_come_back_as_they_were(kept: Path) -> None:
    Record({"first": section("first", *ROWS)}).write()
    [again] = Record.read().sections.values()
    for row, other in zip(ROWS, again.rows, strict=True):
        np.testing.assert_equal([float(row.figure), float(row.bar)], [other.figure, other.bar])
        assert (row.name, row.verdict, row.detail, row.relation) == (
            other.name, other.verdict, other.detail, other.relation,
        )  # fmt: skip
    assert again.wrong == 3
    page = (kept / "verification.md").read_text()
    assert "6 rows of 1 checks: 2 pass, 2 fail, 1 not run, 1 no bar." in page
    assert "| level: one \\| two | 0.0512 | <= 0.0707 | pass | 1000 sets |" in page
    assert "| ranking |  |  | **not run** | ViennaRNA is not installed |" in page
    assert "| noise changes | 7 |  | no bar | seven levels |" in page
    assert "| worst | inf | <= 1e-06 | **fail** | no solution |" in page
    assert "| [first](#first) | 6 | **3 not passed** | 12 s | 10 s | 2026-12-01 | abc | 3.11.7 |" in page


def test_a_partial_run_keeps_the_rows_of_others(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = section("second", ROWS[0], date="2026-01-01", commit="old")
    gone = section("no longer there", ROWS[0])
    Record({"second": old, "no longer there": gone}).write()

    def main() -> Iterator[Check]:
        yield Check("a row", 1.0, 2.0, True)

    planted("first", monkeypatch, main)
    assert runner.main(["first"]) == 0
    found = Record.read().sections
    assert list(found) == ["first", "second"]
    assert found["second"] == old
    assert found["first"].about == "A planted check."
    assert found["first"].rows == (Check("a row", 1.0, 2.0, True),)
    assert found["first"].commit not in ("", "old")


def test_an_error_of_a_check_is_a_row_of_it_and_the_next_still_runs(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks() -> Iterator[Check]:
        yield Check("before", 1.0, 2.0, True)
        raise RuntimeError("it broke")

    planted("first", monkeypatch, breaks)
    planted("second", monkeypatch, list)
    assert runner.main([]) == 1
    first, second = Record.read().sections.values()
    assert [(row.name, row.verdict) for row in first.rows] == [("before", "pass"), ("ran to its end", "fail")]
    assert first.rows[1].detail == "RuntimeError: it broke"
    assert [(row.name, row.verdict) for row in second.rows] == [("rows", "fail")]
    assert "2 rows of 2 checks failed or were not run" in capsys.readouterr().out


def test_a_check_that_wants_undistributed_data_says_so(
    kept: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = tmp_path / "checkout"
    monkeypatch.setattr(runner, "ROOT", root)

    def main() -> list[Check]:
        (root.parent / "shared" / "data" / "suite.xml").read_bytes()
        return []

    planted("first", monkeypatch, main)
    assert runner.main(["first"]) == 1
    [row] = Record.read().sections["first"].rows
    assert (row.verdict, row.detail) == ("not run", "../shared/data is not beside this checkout")


def test_only_what_was_quick(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []
    for name in ("first", "second"):
        planted(name, monkeypatch, lambda name=name: ran.append(name) or [Check("x", 0.0, 0.0, True)])
    Record({"first": section("first", ROWS[0])}).write()  # took 12.3 s; the second never ran
    assert runner.main(["--under", "12"]) == 0
    assert ran == []
    assert runner.main(["--under", "13", "--no-record"]) == 0
    assert ran == ["first"]
    assert Record.read().sections["first"].seconds == 12.3


def test_a_name_that_is_no_check_is_refused(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main(["semantics"]) == 2
    said = capsys.readouterr().err
    assert "found no check semantics, expected some of: " in said
    assert "semantic" in said
    assert not (kept / "verification.json").exists()


def test_the_page_in_the_repository_is_that_of_its_data() -> None:
    record = Record.read()
    assert (_record.FOLDER / _record.PAGE).read_text(encoding="utf-8") == record.page()
    assert record.sections
    assert set(record.sections) <= set(runner.names())
