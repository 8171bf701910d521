"""Every case file of spec: the valid resolve, the invalid say what is wrong and where."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from senexo.base.errors import InvalidInput, UnsupportedFeature
from senexo.study.json_schema import schema
from senexo.study.read import read_study
from senexo.study.resolve import resolve

SPEC = Path(__file__).resolve().parents[2] / "spec"
VALID = sorted((SPEC / "valid").glob("*.toml"))
INVALID = sorted((SPEC / "invalid").glob("*.toml"))
WRITTEN: dict[str, Any] = json.loads((SPEC / "study.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(WRITTEN)


def ids(path: Path) -> str:
    return path.stem


def test_there_are_enough_cases() -> None:
    assert len(VALID) >= 15
    assert len(INVALID) >= 30


def test_the_written_schema_is_the_code_s_and_itself_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(WRITTEN)
    assert schema() == WRITTEN, "run: python -m senexo.study.json_schema > spec/study.schema.json"


@pytest.mark.parametrize("path", VALID, ids=ids)
def test_valid_cases_resolve_and_their_resolved_form_resolves_to_the_same(path: Path) -> None:
    study = read_study(path)
    written = tomllib.loads(study.to_toml())
    again = resolve(written, where="resolved", folder="/")
    assert again == study
    assert again.digest == study.digest
    for tables in (tomllib.loads(path.read_text(encoding="utf-8")), written):
        assert [error.message for error in VALIDATOR.iter_errors(tables)] == []


@pytest.mark.parametrize("path", INVALID, ids=ids)
def test_invalid_cases_say_what_is_wrong_and_where(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    with pytest.raises((InvalidInput, UnsupportedFeature)) as caught:
        read_study(path)
    if isinstance(caught.value, InvalidInput):
        faults = [(fault.where, str(fault)) for fault in caught.value.faults]
    else:
        faults = [(f"{path.name}: {expected['faults'][0]['where']}", str(caught.value))]
    assert len(faults) == len(expected["faults"]), faults
    unmatched = [
        case
        for case in expected["faults"]
        if not any(where == f"{path.name}: {case['where']}" and case["says"] in text for where, text in faults)
    ]
    assert not unmatched, faults


@pytest.mark.parametrize("path", INVALID, ids=ids)
def test_the_schema_refuses_what_it_can_see(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    refused = not VALIDATOR.is_valid(tomllib.loads(path.read_text(encoding="utf-8")))
    assert refused == expected["schema_sees_it"]
