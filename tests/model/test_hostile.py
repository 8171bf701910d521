"""Hostile files are refused with one message or read like any other; nothing else happens."""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from senexo.base.errors import InvalidModel, SenexoError
from senexo.base.sandbox import call
from senexo.engine.formula.lower import lower
from senexo.model.loading import load
from verify._hostile import Case, cases, parameter, parameters, sbml

QUICK = [case for case in cases() if not case.slow]


def test_the_corpus_is_large() -> None:
    assert sum(case.outcome == "refused" for case in QUICK) >= 100


@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.name)
def test_outcome(case: Case, tmp_path: Path) -> None:
    path = tmp_path / case.file
    path.write_bytes(case.data)
    start = time.perf_counter()
    if case.outcome == "accepted":
        lower(load(path).network)
    else:
        with pytest.raises(SenexoError) as caught:
            lower(load(path).network)
        assert 10 < len(str(caught.value)) < 2_000
    assert time.perf_counter() - start < 30


@pytest.mark.parametrize("x", ["no/such/file.xml", "no-such-circuit", ".", "/dev/zero", "", "x" * 5_000, "a\0b"])
def test_what_is_no_file(x: str) -> None:
    with pytest.raises(InvalidModel):
        load(x)


def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.xml"
    path.write_bytes(b"<sbml/>")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InvalidModel, match="Permission denied"):
        load(path)


def test_errors_name_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "model.xml"
    path.write_text(sbml(parameters("\n", parameter("k"), "\n", parameter("k"))))
    with pytest.raises(InvalidModel, match=r"model\.xml: line 3: Duplicate 'id'"):
        load(path)


def test_damaged_files_never_crash(shared_data: Path, tmp_path: Path) -> None:
    """40 copies of a real file with bytes changed, cut out or doubled (fixed seed)."""
    original = (shared_data / "biomodels" / "BIOMD0000001057.xml").read_bytes()
    chance = random.Random(20260101)
    path = tmp_path / "model.xml"
    for _ in range(40):
        data = bytearray(original)
        for _ in range(chance.choice((1, 3, 30))):
            place, length = chance.randrange(len(data)), chance.choice((1, 5, 200))
            data[place : place + length] = chance.choice((b"", b"<", b'"', b"9", data[place : place + length] * 2))
        path.write_bytes(data)
        try:
            lower(load(path).network)
        except SenexoError as error:
            assert str(error)  # noqa: PT017


def test_hostile_models_run_nothing(tmp_path: Path) -> None:
    """No exec, compile, write, process or socket while hostile models are read, but for the child's own start."""
    command = [sys.executable, "-m", "verify._audit", str(tmp_path), "500"]
    run = subprocess.run(command, capture_output=True, check=False, cwd=Path(__file__).parents[2])
    assert run.returncode == 0, run.stderr.decode()
    result = json.loads(run.stdout)
    assert result["tried"] > 560
    assert result["seen"] == []
    assert result["wrong"] == []


def test_the_watch_in_the_child_sees_what_it_looks_for() -> None:
    compiled, harmless = (["compiles", base64.b64encode(b"1 + 1").decode()], ["sbml", ""])
    found = call("verify._audited:read_all", json.dumps([harmless, compiled]).encode())
    assert [event.split()[0] for event in found["seen"]] == ["compile"]
    assert call("verify._audited:read_all", json.dumps([harmless]).encode()) == {"seen": [], "refused": 1}
