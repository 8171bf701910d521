"""A few damaged files for every reader; `python -m verify fuzz` has a thousand for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from verify._fuzz import Reader, attempt, failures, readers, results_failures, run

SEED, TRIES = 1, 6


def test_damaged_files_get_a_result_or_one_message(tmp_path: Path) -> None:
    found = readers(tmp_path)
    assert len(found) >= 21
    assert [failure for reader in found for failure in failures(reader, TRIES, SEED, tmp_path)] == []


def test_right_files_are_read(tmp_path: Path) -> None:
    """Each command does what it is for: a fault in its words would refuse every file, and no damage would be seen."""
    for reader in readers(tmp_path):
        for name, content in reader.files:
            (tmp_path / name).write_bytes(content)
            status, said = run([word.replace("{}", name) for word in reader.command], tmp_path)
            assert status == 0, f"{reader.name}, {name}: {said}"


def test_damaged_results_are_seen(tmp_path: Path) -> None:
    assert results_failures(3, SEED, tmp_path) == []


def test_a_fault_of_senexo_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that no message was written for is counted, and so is a refusal where none is expected."""
    reader = Reader("Antimony", (("m.ant", b"A = 1; B = 2\n" * 20),), ("simulate", "{}", "--end", "1"))
    never = Reader("Antimony", reader.files, reader.command, expected=(7,))
    assert "exit status" in attempt(never, 0, SEED, tmp_path)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("senexo.model.loading.load", broken)
    monkeypatch.setattr("senexo.app.simulating.load", broken, raising=False)
    assert any("exit status 70" in attempt(reader, number, SEED, tmp_path) for number in range(5))
