"""`[worlds]` of a study: what differs in each, on the same donors, and faults with their places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from senexo import read_study
from senexo.base.errors import InvalidInput
from senexo.study.read import read_worlds
from senexo.study.resolve import resolve, resolve_worlds

TINY = Path(__file__).parents[1] / "circuits" / "tiny.toml"
CLAIM = {
    "id": "T1", "holds_when": "mean(x, dose[3000], 1 d) > mean(x, mock, 1 d)", "null": {"set": {"K": 1e9}},
}  # fmt: skip


def raw(worlds: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**read_study(TINY).to_dict(), "claim": CLAIM, "worlds": worlds, **more}


def test_a_world_differs_by_what_it_says_and_by_nothing_else() -> None:
    found = resolve_worlds(
        raw({
            "fast": {"draws": {"K": 50}, "says": "a low K"}, "without x": {"knock_out": ["x"]},
            "small dose": {"arms": {"dose[3000]": {"dose": {"what": "x", "amount": 10, "at": "0 h"}}}},
        })
    )  # fmt: skip
    base, fast, without, small = found.values()
    assert list(found) == ["as it stands", "fast", "without x", "small dose"]
    assert {study.seed for study in found.values()} == {base.seed}
    assert (fast.donors.draws["K"].value, fast.donors.draws["K"].law) == (50, "fixed")
    same = {name: draw for name, draw in base.donors.draws.items() if name != "K"}
    assert {name: draw for name, draw in fast.donors.draws.items() if name != "K"} == same
    assert fast.arms == base.arms
    for name, arm in without.arms.items():
        assert [(a.target, a.value) for a in arm.genotype[len(base.arms[name].genotype) :]] == [("f", 0.0)]
    assert [a.value for a in small.arms["dose[3000]"].schedule] == [10.0]
    assert {name: arm for name, arm in small.arms.items() if name != "dose[3000]"} == {
        name: arm for name, arm in base.arms.items() if name != "dose[3000]"
    }


def test_the_resolved_form_keeps_the_worlds_and_no_digest_knows_them() -> None:
    study = resolve(raw({"fast": {"draws": {"K": 50}}}))
    assert resolve(study.to_dict()) == study
    assert study.digest == resolve(raw({})).digest
    assert list(read_worlds(study)) == ["as it stands", "fast"]


def test_the_prior_of_a_world_replaces_what_the_study_did_not_choose_itself() -> None:
    worlds = read_worlds("c05", set=["donors.draws.m0=7"])
    base, evidence, mixed = worlds["as it stands"], worlds["evidence"], worlds["tight, many targets, rare"]
    assert base.donors.draws["Tbg"].value == 1000
    assert evidence.donors.draws["Tbg"].value == 15_000
    assert evidence.donors.draws["m0"].value == 7  # what the study writes goes over every prior
    assert (mixed.donors.draws["K8"].value, mixed.donors.draws["m0"].value) == (4.7, 0.65)
    again = read_worlds(read_study("c05", set=["donors.draws.m0=7"]))  # from the resolved form
    assert {name: study.donors for name, study in again.items()} == {name: s.donors for name, s in worlds.items()}
    assert {name: study.arms for name, study in again.items()} == {name: s.arms for name, s in worlds.items()}


@pytest.mark.parametrize(
    ("worlds", "more", "expected"),
    [
        ({"a": {"arms": {"dosis": {}}}}, {}, 'worlds.a.arms.dosis: found the unknown arm "dosis"'),
        ({"a": {"prior": "evidence"}}, {}, "in worlds.a: model.prior"),
        ({"a": {"cut": ["x -> y"]}}, {}, "worlds.a.cut"),
        ({"a": {}}, {}, "found nothing that differs"),
        ({"as it stands": {"draws": {"K": 50}}}, {}, "expected another name"),
        ({"a": {"draws": {"K": 50}}}, {"claim": None}, "expected a [claim], which is what worlds are compared by"),
        ({"a": {"draws": {"Q": 50}}}, {}, "in worlds.a: donors.draws.Q"),
        ({"a/b": {"draws": {"K": 50}}}, {}, "expected a name of letters"),
    ],
)
def test_a_fault_in_a_world_names_its_place(worlds: dict[str, Any], more: dict[str, Any], expected: str) -> None:
    tables = {name: table for name, table in raw(worlds, **more).items() if table is not None}
    with pytest.raises(InvalidInput) as caught:
        resolve(tables)
    assert expected in str(caught.value)


def test_faults_of_several_worlds_come_together() -> None:
    with pytest.raises(InvalidInput) as caught:
        resolve(raw({"a": {"draws": {"Q": 1}}, "b": {"reading": "tight"}}))
    assert len(caught.value.faults) == 2
