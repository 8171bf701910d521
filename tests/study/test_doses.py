"""Doses of an oligo: beyond a limit refused, above the number of Argonaute proteins a caution."""

from __future__ import annotations

from typing import Any

import pytest

from senexo.base.errors import InvalidInput
from senexo.lab import provenance
from senexo.lab.registry import experiment_of
from senexo.model.circuit import load_circuit
from senexo.study import doses
from senexo.study.resolve import resolve
from senexo.study.schema import Study


def study(circuit: str, *given: dict[str, Any]) -> Study:
    return resolve({
        "title": "dose", "model": {"circuit": circuit}, "cells": {"LSC": {"n": 1}}, "donors": {"n": 1},
        "culture": {"duration": "1 d"}, "arms": {"mock": {}, "mimic": {"dose": list(given)}},
    }, where="study.toml")  # fmt: skip


@pytest.mark.parametrize("copies", [1e10, [300, 1e10], 300_000_001])
@pytest.mark.parametrize("circuit", ["mir34c-rab27b", "mir34c-rab27b-cells"])
def test_a_dose_that_no_cell_can_hold_is_refused(circuit: str, copies: Any) -> None:
    with pytest.raises(InvalidInput) as error:
        study(circuit, {"what": "miR-34c-5p", "amount": copies})
    (fault,) = error.value.faults
    assert "arms.mimic.dose" in fault.where
    assert ("amount[1]" in fault.where) == isinstance(copies, list)
    assert "at most 300,000,000 copies per cell" in fault.expected


def test_more_copies_than_argonaute_proteins_are_a_caution() -> None:
    circuit = load_circuit("mir34c-rab27b")
    assert list(doses.cautions(study(circuit.name, {"what": "miR-34c-5p", "amount": 150_000}), circuit)) == []
    twice = study(
        circuit.name, {"what": "miR-34c-5p", "amount": 100_000}, {"what": "miR-34c-5p", "amount": 60_000, "at": "6 h"},
        {"what": "scrambled", "amount": 10},
    )  # fmt: skip
    (caution,) = doses.cautions(twice, circuit)
    assert caution.startswith("160,000 copies of miR-34c-5p are given, and a cell has about 150,000 Argonaute proteins")
    assert "unverified" in caution
    assert list(doses.cautions(twice, None)) == []


def test_the_caution_reaches_the_record_of_a_run() -> None:
    big = study("mir34c-rab27b", {"what": "miR-34c-5p", "amount": 1_000_000})
    record = provenance.record(experiment_of(big), "", seconds=0.0, workers=1, cautions=())
    assert any("1,000,000 copies of miR-34c-5p are given" in caution for caution in record["cautions"])
