"""SED-ML tests: one model file, parsed once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sedml_texts

from senexo.interchange import experiment
from senexo.model.network import Network


@pytest.fixture(autouse=True)
def parsed_once(monkeypatch: pytest.MonkeyPatch, parsed: dict[bytes, Network]) -> None:
    """Models of equal bytes are parsed once in all tests of this folder."""
    parse = experiment.parse

    def kept(data: bytes, *, source: str) -> Network:
        if data not in parsed:
            parsed[data] = parse(data, source=source)
        return parsed[data]

    monkeypatch.setattr(experiment, "parse", kept)


@pytest.fixture(scope="session")
def parsed() -> dict[bytes, Network]:
    return {}


@pytest.fixture
def run() -> Callable[..., experiment.Results]:
    """(document bytes, files) -> results."""

    def _run(data: bytes, files: dict[str, str] | None = None) -> experiment.Results:
        texts = {"model.xml": sedml_texts.SBML} | (files or {})
        return experiment.run_experiment(experiment.read_sedml(data), lambda place: texts[place].encode())

    return _run
