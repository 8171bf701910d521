"""A balance asks what one kind of cells gives to another: never to itself."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from senexo.base.errors import InvalidInput
from senexo.study.resolve import resolve


def study(giving: str, taking: str) -> dict[str, Any]:
    return {
        "title": "balance", "model": {"circuit": "mir34c-rab27b-cells"},
        "cells": {"LSC": {"n": 2}, "MSC": {"n": 2}, "LSC_G0": {"n": 2}}, "donors": {"n": 2},
        "culture": {"duration": "1 d"}, "arms": {"mock": {}, "blocked": {"cut": ["exosome -| miR-34c-5p"]}},
        "assays": [{
            "name": "balance", "what": "miR-34c-5p", "from": giving, "to": taking, "compare": ["blocked", "mock"],
        }],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("giving", "taking", "found"),
    [("LSC", "LSC", '"LSC"'), ("MSC", "MSC", '"MSC"'), ("LSC", "LSC_G0", "LSC_G0 in common with from")],
)
def test_from_a_type_to_itself_is_refused(giving: str, taking: str, found: str) -> None:
    """LSC at rest are LSC too: they are counted with them, so that what one of them has is counted twice."""
    with pytest.raises(InvalidInput) as error:
        resolve(study(giving, taking), where="study.toml")
    (fault,) = error.value.faults
    assert fault.where.endswith("assays[0].to")
    assert found in fault.found
    assert fault.expected == f"other cells than those of from ({giving})"


def test_from_one_type_to_another_is_answered() -> None:
    resolve(study("LSC", "MSC"), where="study.toml")
    resolve(study("MSC", "LSC"), where="study.toml")


def test_the_resolved_form_without_media_resolves_again() -> None:
    """What a run keeps of a study (study.resolved.toml) can be run; before, its `medium = []` was refused."""
    first = resolve(study("LSC", "MSC"), where="study.toml")
    assert resolve(tomllib.loads(first.to_toml())).digest == first.digest
