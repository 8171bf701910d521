"""The methods of coupled cells: what a study can name, and what simulates it, are the same table twice."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from senexo.base.errors import InvalidInput
from senexo.lab.coupled.experiment import CoupledCells
from senexo.lab.coupled.methods import CELL_METHODS, Hybrid, cell_method
from senexo.lab.coupled.wells import SingleCellWells
from senexo.lab.mean_field.wells import MeanFieldWells
from senexo.lab.registry import experiment_of
from senexo.study.json_schema import schema
from senexo.study.methods import DEFAULT, METHODS, NAMES, MethodName
from senexo.study.resolve import resolve

CIRCUIT = str(Path(__file__).parent.parent / "circuits" / "switch")


def made(**culture: str) -> CoupledCells:
    found = experiment_of(resolve({
        "title": "t", "model": {"circuit": CIRCUIT}, "cells": {"A": {"n": 3}}, "donors": {"n": 8}, "arms": {"a": {}},
        "culture": {"duration": "5 h", **culture}, "readouts": {"times": ["0 h", "5 h"]},
    }))  # fmt: skip
    assert isinstance(found, CoupledCells)
    return found


def test_both_tables_have_the_same_methods() -> None:
    assert set(METHODS) == set(NAMES) == set(get_args(MethodName))
    assert set(CELL_METHODS) == {name for name in NAMES if METHODS[name].follows == "cells"}
    assert DEFAULT in METHODS
    assert list(NAMES) == [part for part in text_of_method().split('"') if part in NAMES][: len(NAMES)]


def text_of_method() -> str:
    """The JSON Schema, in which the names of methods stand once."""
    return str(schema()).replace("'", '"')


@pytest.mark.parametrize("name", NAMES)
def test_a_named_method_simulates_the_wells(name: MethodName) -> None:
    wells = made(method=name).wells
    if METHODS[name].follows == "means":
        assert isinstance(wells, MeanFieldWells)
    else:
        assert isinstance(wells, SingleCellWells)
        assert type(wells.method) is CELL_METHODS[name]
    assert all(sentence.endswith(".") for sentence in wells.sentences())
    assert "Cells share their medium." in wells.sentences()[0]


@pytest.mark.parametrize("name", CELL_METHODS)
def test_a_window_is_what_half_of_it_changes(name: MethodName) -> None:
    """A method has a window in a study's table if and only if half of it is another method."""
    wells = made(method=name).wells
    assert isinstance(wells, SingleCellWells)
    assert (wells.halved.method != wells.method) == METHODS[name].windowed
    assert bool(made(method=name).study.culture.window_check_wells is not None) == METHODS[name].windowed


def test_the_window_and_the_step_within_it_are_halved() -> None:
    method = cell_method(made(method="hybrid", window="10 min").design)
    assert isinstance(method, Hybrid)
    half = method.halved
    assert (method.window, half.window, half.step) == pytest.approx((1 / 6, 1 / 12, 1 / 12))
    assert half.halved.step == pytest.approx(1 / 24)
    assert half.partition is method.partition


def test_what_is_no_method_is_refused_with_the_names() -> None:
    with pytest.raises(InvalidInput, match="hybrid, split, exact, mean_field"):
        made(method="ode")
