"""`model.prior` of a study, and expression of the miRNA in fold or copies."""

from __future__ import annotations

from typing import Any

import pytest

from senexo import read_study
from senexo.base.errors import InvalidInput
from senexo.lab import provenance, tables
from senexo.model.circuit import load_circuit
from senexo.study import doses
from senexo.study.resolve import resolve

STUDY = "c05-senescence"


def test_shipped_is_the_table_and_names_itself() -> None:
    plain, named = read_study(STUDY), read_study(STUDY, set=["model.prior=shipped"])
    table = {p.name: p for p in load_circuit("mir34c-rab27b").parameters}
    assert named.donors == plain.donors
    assert {name: (d.law, d.value, d.low, d.high) for name, d in plain.donors.draws.items()} == {
        name: (p.law, p.value, p.low, p.high) for name, p in table.items()
    }
    assert plain.digest == named.digest
    assert (tables.prior(plain), tables.prior(named)) == ("shipped", "shipped")


def test_another_prior_replaces_its_rows_and_no_others() -> None:
    shipped, evidence = read_study(STUDY), read_study(STUDY, set=["model.prior=evidence"])
    rows = load_circuit("mir34c-rab27b").priors["evidence"]
    for name, draw in evidence.donors.draws.items():
        if name in rows:
            assert (draw.law, draw.value, draw.low, draw.high, draw.source) == (
                rows[name].law, rows[name].value, rows[name].low, rows[name].high, rows[name].source,
            )  # fmt: skip
        else:
            assert draw == shipped.donors.draws[name]
    assert tables.prior(evidence) == "evidence"
    assert any("Prior: evidence" in caution for caution in provenance.general_cautions(evidence))
    assert evidence.digest != shipped.digest


def test_the_resolved_form_keeps_the_prior() -> None:
    study = read_study(STUDY, set=["model.prior=evidence", "donors.draws.m0=3"])
    assert resolve(study.to_dict()) == study
    assert study.donors.draws["m0"].value == 3
    assert study.donors.draws["Tbg"].value == 15_000


@pytest.mark.parametrize(("reading", "k8"), [("relative", (1250, 100, 6000)), ("tight", (4.7, 1.8, 18))])
def test_a_reading_named_in_a_study_goes_over_its_prior(reading: str, k8: tuple[float, float, float]) -> None:
    draw = read_study(STUDY, set=["model.prior=evidence", f"model.reading={reading}"]).donors.draws["K8"]
    assert (draw.value, draw.low, draw.high) == k8


@pytest.mark.parametrize(
    ("study", "prior", "expected"),
    [
        (STUDY, "evidense", 'model.prior: found "evidense", expected "evidence"? (priors: shipped, evidence)'),
        ("c05-coupled", "evidence", "expected nothing: there are no priors here"),
    ],
)
def test_a_wrong_name_gets_the_nearest_one(study: str, prior: str, expected: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_study(study, set=[f"model.prior={prior}"])
    assert expected in str(caught.value)


def expressed(written: str) -> list[Any]:
    arms = f'{{ mock = {{}}, scrambled = {{}}, mimic = {{}}, v = {{ express = {{ "miR-34c-5p" = {written} }} }} }}'
    study = read_study(STUDY, set=[f"arms={arms}"])
    return [
        (arm.summary, [(a.target, a.operation, a.value, a.time_h) for a in arm.schedule])
        for arm in study.arms.values()
        if arm.family == "v"
    ]


def test_expression_is_written_in_fold_or_in_copies() -> None:
    ten = ("miR-34c-5p expressed at 10-fold", [("fold_vector", "set", 10.0, 0.0)])
    assert expressed('"10-fold"') == expressed('"10 fold"') == [ten]
    copies = ("miR-34c-5p expressed at 300 copies", [("copies_vector", "set", 300.0, 0.0)])
    assert expressed('"300 copies"') == [copies]
    assert [actions[0][2] for _, actions in expressed('["2-fold", "10-fold"]')] == [2.0, 10.0]
    assert expressed('{ value = "10-fold", at = "1 d" }')[0][1] == [("fold_vector", "set", 10.0, 24.0)]


@pytest.mark.parametrize("written", ["10", '"10"', '"10 h"', '"-3-fold"', '"300 cells"', "true"])
def test_expression_without_its_unit_is_one_fault(written: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        expressed(written)
    assert len(caught.value.faults) == 1
    assert 'expected a quantity with its unit, e.g. "10-fold" or "300 copies"' in str(caught.value)


@pytest.mark.parametrize(
    ("prior", "expected"), [("shipped", "has no such limit"), ("evidence", "waits and is diluted")]
)
def test_the_caution_for_too_many_copies_says_what_the_circuit_does(prior: str, expected: str) -> None:
    study = read_study(STUDY, set=[f"model.prior={prior}", "arms.mimic.dose.amount=1000000"])
    (caution,) = doses.cautions(study, load_circuit("mir34c-rab27b"))
    assert "1,000,000 copies of miR-34c-5p" in caution
    assert expected in caution
