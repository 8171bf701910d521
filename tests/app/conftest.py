"""A fixture that runs the command line within the test process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from senexo.app.cli import main


@pytest.fixture
def senexo(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., tuple[int, str, str]]:
    """Runs the command in an empty folder: exit status, all that it prints, all that it complains of."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["senexo", *map(str, words)])
        capfd.readouterr()
        try:
            main()
            status = 0
        except SystemExit as leaving:
            status = int(leaving.code or 0)
        said = capfd.readouterr()
        assert "Traceback" not in said.err
        return status, said.out, said.err

    return run
