"""A kind of experiment that senexo does not have: one class and one line in the registry, and all of a run follows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from senexo import workflow
from senexo.base.errors import InvalidInput, UnsupportedFeature
from senexo.base.verification import verify
from senexo.lab import registry, tables
from senexo.lab.experiment import Arrays, Experiment, Get, Size, Unit, World, arms_in, units_of
from senexo.lab.limits import WellLimits
from senexo.lab.observables import WellSummary, evaluate
from senexo.study.observables import Observable, Quantity
from senexo.study.resolve import resolve
from senexo.study.schema import Study

TINY = Path(__file__).parent.parent / "circuits" / "tiny"
STUDY: dict[str, Any] = {
    "title": "mice", "seed": 7, "model": {"circuit": str(TINY)}, "cells": {"cell": {"n": 4}}, "donors": {"n": 12},
    "culture": {"duration": "2 d"}, "arms": {"mock": {}, "treated": {"set": {"K": 3}}},
    "readouts": {"times": ["0 h", "1 d", "2 d"], "names": ["x"]},
    "claim": {
        "id": "M1", "holds_when": "mean(x, treated, 2 d) - mean(x, mock, 2 d) > 1", "null": {"set": {"K": 1e9}},
        "given": "alive(mock, 2 d) > 0",
    },
}  # fmt: skip


class Mice:
    """Tumours of 10 g, of 12 g and a little where treated, each donor's own; in the null as if nothing was done."""

    circuit, networks, replays_cells = None, (), False

    def __init__(self, study: Study) -> None:
        self.study = study
        self.families: Mapping[str, Sequence[str]] = {name: (name,) for name in study.cells}

    def of_study(self, study: Study) -> Mice:
        return Mice(study)

    def size(self) -> Size:
        return Size((1,) * len(self.study.arms), 800.0, 800.0, 100.0)

    def limit(self, limits: WellLimits) -> None:
        limits.refuse(self.study, "a study of mice")

    def units(self) -> list[Unit]:
        return units_of(self.study)

    def preparation(self, unit: Unit) -> object:
        return unit.donor

    def prepare(self, unit: Unit, cancelled: Callable[[], bool]) -> None: ...

    def compile(self) -> None: ...

    def simulate_unit(self, unit: Unit, cancelled: Callable[[], bool]) -> dict[str, Any]:
        arm = list(arms_in(self.study, unit.world).values())[unit.arm]
        last = [action.value for action in arm.genotype if action.target == "K"]
        grown = (2.0 + 0.01 * unit.donor) * bool(last and last[-1] < 1e9)
        return {"weight": np.array([10.0, 10.0 + grown / 2, 10.0 + grown]) + 0.1 * unit.donor}

    def lacks(self, quantity: Quantity) -> str | None:
        return "mice with a stain" if quantity is Quantity.SENESCENCE else None

    def value(self, observable: Observable, unit: Unit, arrays: Arrays) -> float:
        at = list(self.study.readouts.times_h).index(observable.time_h)
        one, kind = np.ones(1), next(iter(self.study.cells))
        well = WellSummary((kind,), one, one, 0 * one, 0 * one, arrays["weight"][at].reshape(1, 1), ("x",))
        return evaluate(observable, well, self.families)

    def tables(self, units: Sequence[Unit], get: Get) -> Iterator[tuple[str, pd.DataFrame]]:
        yield "arms", tables.arms(self.study)
        yield "parameters", tables.parameters(self.study, None)
        yield "donors", tables.drawn(self.study)
        frames = [
            pd.DataFrame({
                "arm": tables.about(self.study, unit)["arm"], "donor": unit.donor, "replicate": 0,
                "time_h": self.study.readouts.times_h, "cell_type": "cell", "quantity": "x", "statistic": "mean",
                "value": get(unit.chunk)["weight"], "unit": "g",
            })
            for unit in units
        ]  # fmt: skip
        yield "timecourse", pd.concat(frames, ignore_index=True)

    def write_files(self, store: Any, units: Sequence[Unit], get: Get) -> None:
        store.write("mice.txt", f"{len(units)} mice".encode())

    def cautions(self, tables: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
        return ("These mice are made up.",)

    def replay(self, get: Get, *, arm: str, donor: int, cell: int) -> Any:
        raise UnsupportedFeature("the replay of a mouse", "it was never alive")


@pytest.fixture
def one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    line = {"mice": (lambda study, model: study.title == "mice", lambda study, model: Mice(study))}
    monkeypatch.setattr(registry, "KINDS", {**line, **registry.KINDS})


@pytest.mark.usefixtures("one_line")
def test_a_new_kind_runs_from_file_to_report(tmp_path: Path) -> None:
    results = workflow.run(
        resolve({**STUDY, "donors": {**STUDY["donors"], "stand_for": "patients"}}), out=tmp_path / "out", workers=2
    )
    about = json.loads((results.folder / "run.json").read_text())
    assert (about["n_cells"], about["cells_per_well"]) == (24, {"mock": 1, "treated": 1})
    assert about["cautions"][0] == "These mice are made up."
    assert (results.folder / "mice.txt").read_text() == "24 mice"
    assert "These mice are made up." in (results.folder / "report.html").read_text(encoding="utf-8")
    chunks = {path.name for path in (results.folder / "chunks").iterdir()}
    assert len(chunks) == 2 * 12 * 2  # both arms are compared, so both have a null
    claim = results.table("claim")
    found = {world: rows.iloc[0] for world, rows in claim.groupby("world", sort=False)}
    assert found["claim"]["mean"] == pytest.approx(1.0 + 0.01 * 6.5)  # 12 donors
    assert found["null world"]["mean"] == pytest.approx(-1.0)
    assert found["claim"]["outcome"] == "holds"
    assert verify(results.folder).faults == ()
    assert workflow.run(resolve(STUDY), out=tmp_path / "one", workers=1).digest == results.digest
    with pytest.raises(UnsupportedFeature, match="a mouse"):
        workflow.replay(results.folder, arm="mock", donor=1, cell=1)


@pytest.mark.usefixtures("one_line")
def test_its_size_and_its_gaps_are_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = str(workflow.check(resolve(STUDY)))
    assert "2 arms x 12 donors x 1 cells = 24 cells" in text
    assert "and 2 of these arms again in the claim's null = 24 cells more" in text
    stained = {**STUDY, "claim": {**STUDY["claim"], "holds_when": "senescence(treated, 2 d) > senescence(mock, 2 d)"}}
    with pytest.raises(InvalidInput, match=r"senescence\(\.\.\.\), expected mice with a stain"):
        workflow.check(resolve(stained))


def test_the_protocol_is_all_that_is_asked_of_it() -> None:
    """mypy checks this line; at run time it is what the registry gives."""
    made: Experiment = Mice(resolve(STUDY))
    assert {unit.world for unit in made.units()} == {World.STUDY}
