"""What a study resolves to: actions found in any circuit, order that does not count, a form that is its own input."""

from __future__ import annotations

import random
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from senexo.base.errors import InvalidInput
from senexo.study.read import read_study
from senexo.study.resolve import resolve
from senexo.study.schema import Arm, Study

HERE = Path(__file__).parent
DECAY = HERE.parents[1] / "spec" / "valid" / "decay.ant"


def base(**more: Any) -> dict[str, Any]:
    return {
        "title": "a test",
        "model": {"circuit": "mir34c-rab27b"},
        "cells": {"LSC": {"n": 3}},
        "culture": {"duration": "7 d"},
        "arms": {"mock": {}},
        **more,
    }


def arm(verbs: dict[str, Any], **more: Any) -> Arm:
    return resolve(base(arms={"a": verbs}, **more)).arms["a"]


def done(an_arm: Arm) -> list[tuple[float | None, str, str, float]]:
    return [(a.time_h, a.target, a.operation, a.value) for a in (*an_arm.genotype, *an_arm.schedule)]


@pytest.mark.parametrize(
    ("verbs", "expected"),
    [
        ({"dose": {"what": "miR-34c-5p", "amount": 300, "at": "2 d"}}, [(48.0, "L", "add", 300.0)]),
        ({"dose": {"what": "seed-mutant", "amount": 300}}, [(0.0, "LC", "add", 300.0)]),
        ({"knock_down": {"RAB27B": "90 %"}}, [(0.0, "fKD", "multiply", pytest.approx(0.1))]),
        ({"knock_down": {"p53": {"value": 0.25, "at": "1 d"}}}, [(24.0, "p53", "multiply", 0.75)]),
        ({"knock_out": ["p21"]}, [(None, "p21_gene", "set", 0.0)]),
        ({"mutate": {"RAB27B": "site"}}, [(None, "site_RAB27B", "set", 0.0)]),
        ({"cut": ["p53 -> *"]}, [(None, f"e_p53_{x}", "set", 0.0) for x in ("MIR34C", "death", "p21", "release")]),
        ({"inhibit": {"exosome_release": "60 %"}}, [(0.0, "gw", "multiply", 0.4)]),
        ({"express": {"p21": 2}}, [(0.0, "u_ectopic", "set", 2.0)]),
        ({"serum": "1 %"}, [(0.0, "S", "set", 1.0)]),
        ({"medium_change": {"at": "3 d"}}, [(72.0, "X", "set", 0.0)]),
        ({"wash_out": {"what": "miR-34c-5p", "at": "3 d"}}, [(72.0, "L", "set", 0.0), (72.0, "mx", "set", 0.0)]),
        ({"set": {"E": 300}}, [(None, "E", "set", 300.0)]),
        ({"set": {"E": {"value": 300, "at": "1 h"}}}, [(1.0, "E", "set", 300.0)]),
    ],
)
def test_a_verb_is_the_rows_of_the_wiring(verbs: dict[str, Any], expected: list[Any]) -> None:
    assert done(arm(verbs)) == expected


def test_all_miRNA_edges_are_cut_by_one_pattern() -> None:
    assert {a.target for a in arm({"cut": ["miR-34c-5p -| *"]}).genotype} == {
        f"e_34c_{gene}" for gene in ("RAB27B", "SIRT1", "CDK6", "CCND1", "E2F3", "CCNE2", "MYC")
    }


def test_a_ladder_is_one_arm_for_each_rung_and_nothing_else_differs() -> None:
    study = resolve(
        base(arms={"m": {"knock_out": ["p53"], "dose": {"what": "miR-34c-5p", "amount": [30, "100 copies"]}}})
    )
    assert list(study.arms) == ["m[30]", "m[100]"]
    assert [(a.family, a.agent, a.dose_copies, a.dose_label) for a in study.arms.values()] == [
        ("m", "miR-34c-5p", 30.0, "30"),
        ("m", "miR-34c-5p", 100.0, "100"),
    ]
    single = arm({"knock_out": ["p53"], "dose": {"what": "miR-34c-5p", "amount": 100}})
    assert (single.genotype, single.schedule) == (study.arms["m[100]"].genotype, study.arms["m[100]"].schedule)


def test_doses_of_one_agent_add_up_and_of_two_agents_have_no_sum() -> None:
    twice = arm({"dose": [{"what": "scrambled", "amount": 10}, {"what": "scrambled", "amount": 20, "at": "1 d"}]})
    both = arm({"dose": [{"what": "scrambled", "amount": 10}, {"what": "miR-34c-5p", "amount": 20}]})
    assert (twice.agent, twice.dose_copies) == ("scrambled", 30.0)
    assert (both.agent, both.dose_copies) == ("scrambled + miR-34c-5p", None)


def test_a_wash_out_comes_before_the_dose_of_the_same_hour() -> None:
    again = arm(
        {"dose": {"what": "miR-34c-5p", "amount": 5, "at": "1 d"}, "wash_out": {"what": "miR-34c-5p", "at": "24 h"}}
    )
    assert [a.operation for a in again.schedule if a.target == "L"] == ["set", "add"]


def test_any_circuit_brings_its_own_names() -> None:
    """Genes, agents and edges of a circuit written for this test: nothing in the code knows the shipped one's."""
    verbs = {"knock_out": ["GEAR"], "cut": ["gear -> *"], "dose": {"what": "oil", "amount": 7}, "serum": "2 %"}
    study = resolve(base(model={"circuit": "clock"}, arms={"a": verbs}), folder=HERE / "data")
    assert done(study.arms["a"]) == [
        (None, "gear", "set", 0.0),
        (None, "wire", "set", 0.0),
        (0.0, "food", "set", 2.0),
        (0.0, "A", "add", 7.0),
        (0.0, "B", "add", 7.0),
    ]
    assert (study.culture.serum_percent, study.culture.preequilibration_h) == (4.0, 10.0)
    assert study.culture.medium[0].value == 4.0
    assert study.cells["LSC"].variation == {"k": 0.1}
    assert study.readouts.names == ("hand",)
    assert resolve(tomllib.loads(study.to_toml())) == study


def test_defaults_are_the_circuit_s_own() -> None:
    study = resolve(base())
    assert study.donors.n == 20
    assert study.culture.preequilibration_h == 500.0
    assert study.culture.serum_percent == 20.0
    assert [(a.target, a.value) for a in study.culture.medium] == [("S", 20.0)]
    assert study.readouts.times_h == (0.0, 168.0)
    assert study.replicates.n == 3
    assert study.replicates.ct_sd == 0.3
    assert set(study.replicates.about) == set(study.replicates.model_dump()) - {"n", "cells_counted", "about"}
    assert study.donors.draws["K8"].model_dump() == {
        "law": "log-uniform", "value": 1250.0, "low": 100.0, "high": 6000.0, "unit": "copies", "status": "assumed",
        "source": "github kslin/miRNA_models (hdl 1721.1/136496)",
    }  # fmt: skip


def test_what_departs_from_the_table_is_marked_as_the_study_s() -> None:
    draws = resolve(base(donors={"draws": {"K8": 4.7, "E": {"low": 300, "high": 1000}, "th_mir": 24}})).donors.draws
    assert (draws["K8"].law, draws["K8"].low, draws["K8"].high) == ("fixed", 4.7, 4.7)
    assert (draws["K8"].source, draws["K8"].status) == ("this study", "assumed")
    assert draws["E"].law == "log-uniform"
    assert draws["E"].value == pytest.approx((300 * 1000) ** 0.5)
    assert draws["th_mir"].status == "seen"  # held at the table's own value


# ---- the resolved form is its own input, and the order of a file does not count --------------------------------

shares = st.one_of(st.floats(0, 1).map(lambda x: round(x, 6)), st.integers(0, 100).map(lambda n: f"{n} %"))
copies = st.integers(0, 10**6)
hours = st.one_of(st.integers(0, 167).map(lambda n: f"{n} h"), st.integers(0, 6).map(lambda n: f"{n} d"))
agents = st.sampled_from(["miR-34c-5p", "scrambled", "seed-mutant", "miR-34c-5p-inhibitor"])
verbs = st.fixed_dictionaries(
    {},
    optional={
        "dose": st.one_of(
            st.fixed_dictionaries({"what": agents, "amount": st.lists(copies, min_size=1, max_size=4, unique=True)}),
            st.lists(st.fixed_dictionaries({"what": agents, "amount": copies, "at": hours}), min_size=1, max_size=3),
        ),
        "knock_down": st.fixed_dictionaries(
            {"RAB27B": st.one_of(shares, st.fixed_dictionaries({"value": shares, "at": hours}))}
        ),
        "knock_out": st.lists(st.sampled_from(["p53", "p21"]), min_size=1, unique=True),
        "mutate": st.dictionaries(st.sampled_from(["SIRT1", "CDK6", "E2F3"]), st.just("site"), min_size=1),
        "cut": st.lists(st.sampled_from(["p53 -> *", "p21 -| CDK", "exosome *"]), min_size=1, unique=True),
        "inhibit": st.fixed_dictionaries({"exosome_release": shares}),
        "express": st.fixed_dictionaries({"p21": st.floats(0, 100)}),
        "serum": st.integers(0, 100).map(lambda n: f"{n} %"),
        "medium_change": st.fixed_dictionaries({"at": hours}),
        "set": st.dictionaries(st.sampled_from(["E", "fR", "kup"]), st.floats(-1e6, 1e6, allow_nan=False), min_size=1),
    },
)
names = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9 _.+-]{0,10}(?<! )\Z")
numbers = st.floats(1e-3, 1e3)
draws = st.dictionaries(
    st.sampled_from(["E", "kup", "fdel", "kM"]),
    st.one_of(
        numbers,
        st.tuples(numbers, numbers).map(lambda p: {"law": "uniform", "low": min(p), "high": max(p)}),
        numbers.map(lambda v: {"law": "fixed", "value": v, "status": "seen", "source": "here"}),
    ),
)
studies = st.builds(
    lambda arms, seed, n, picked, cv: base(
        arms=arms, seed=seed, donors={"n": n, "draws": picked}, cells={"LSC": {"n": n, "variation": {"Td": cv}}}
    ),
    st.dictionaries(names, verbs, min_size=1, max_size=4),
    st.integers(0, 2**63 - 1),
    st.integers(1, 100),
    draws,
    st.floats(0, 3),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(studies)
def test_the_resolved_form_resolves_to_an_equal_study(raw: dict[str, Any]) -> None:
    study = resolve(raw)
    again = resolve(tomllib.loads(study.to_toml()))
    assert again == study
    assert again.digest == study.digest
    assert again.culture.medium == study.culture.medium


@settings(max_examples=60, deadline=None, derandomize=True)
@given(studies, st.randoms(use_true_random=False))
def test_the_order_in_which_a_file_is_written_changes_nothing(raw: dict[str, Any], dice: random.Random) -> None:
    assert resolve(shuffled(raw, dice)).digest == resolve(raw).digest


def shuffled(tables: Any, dice: random.Random, path: str = "") -> Any:
    """The same tables with their keys in another order; arms keep theirs, which is the order of the results."""
    if not isinstance(tables, dict):
        return tables
    keys = list(tables)
    if path != "arms":
        dice.shuffle(keys)
    return {key: shuffled(tables[key], dice, key) for key in keys}


def test_renaming_an_arm_changes_labels_only() -> None:
    dose = {"dose": {"what": "miR-34c-5p", "amount": [30, 100]}}
    one, two = (resolve(base(arms={name: dose})) for name in ("mimic", "zzz"))
    for first, second in zip(one.arms.values(), two.arms.values(), strict=True):
        assert (first.genotype, first.schedule) == (second.genotype, second.schedule)


def test_every_change_of_content_changes_the_digest() -> None:
    changes: list[dict[str, Any]] = [
        {}, {"seed": 2}, {"title": "another"}, {"cells": {"LSC": {"n": 4}}}, {"donors": {"n": 19}},
        {"donors": {"draws": {"E": 31}}}, {"culture": {"duration": "8 d"}},
        {"culture": {"duration": "7 d", "serum": "19 %"}},
        {"arms": {"mock": {}, "x": {}}}, {"arms": {"x": {}, "mock": {}}}, {"arms": {"mock": {"set": {"E": 1}}}},
        {"readouts": {"grid": "2 h"}}, {"replicates": {"ct_sd": 0.2}}, {"assays": [{"name": "senescence"}]},
    ]  # fmt: skip
    assert len({resolve(base(**change)).digest for change in changes}) == len(changes)


def test_a_model_file_counts_by_its_content_not_by_its_place(tmp_path: Path) -> None:
    def written(folder: str, text: str) -> Study:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "m.ant").write_text(text)
        return resolve(base(model={"file": "m.ant"}), folder=tmp_path / folder)

    text = DECAY.read_text()
    assert written("a", text).digest == written("b", text).digest
    assert written("c", text.replace("0.1", "0.2")).digest != written("d", text).digest


def test_a_model_file_reads_its_species_by_default(tmp_path: Path) -> None:
    shutil.copy(DECAY, tmp_path / "m.ant")
    study = resolve(base(model={"file": "m.ant"}), folder=tmp_path)
    assert study.readouts.names == ("A", "B")
    assert study.culture.serum_percent is None
    assert study.donors.draws == {}


def test_faults_carry_the_file_and_the_place() -> None:
    with pytest.raises(InvalidInput) as caught:
        resolve(base(arms={"mimic": {"dose": {"what": "miR-34c-5p", "amount": [30, 100, "lots"]}}}), where="study.toml")
    assert str(caught.value) == (
        'study.toml: arms.mimic.dose.amount[2]: found "lots", expected a whole number of copies, e.g. 300, a fold '
        'over the cell\'s own level ("10-fold") or nM in the medium ("20 nM")'
    )


def test_too_many_arms_are_refused_before_they_are_made() -> None:
    with pytest.raises(InvalidInput, match="at most 500"):
        resolve(base(arms={"m": {"dose": {"what": "scrambled", "amount": list(range(100_000))}}}))


def test_the_shipped_study_is_of_cells_that_share_a_medium() -> None:
    study = read_study("mir34c-exvivo-full")
    assert study.model.circuit == "mir34c-rab27b-cells"
    assert {arm.family for arm in study.arms.values()} >= {
        "mock",
        "scrambled",
        "mimic",
        "rab27b-kd",
        "gw4869",
        "across",
    }
    across, past = study.arms["across"], study.arms["washed-out"]
    assert across.cells == {"MSC": 16}
    assert across.insert is not None
    assert across.insert.cells == {"LSC": 16}
    assert past.schedule[0] == study.arms["mimic[10000]"].schedule[0]
    assert {a.time_h for a in past.schedule} == {0.0, 48.0}
    assert [request.name for request in study.assays] == ["senescence", "fates", "qpcr", "particles", "balance"]


def test_the_shipped_study_of_lone_cells_holds_the_arms_of_the_experiment() -> None:
    study = read_study("mir34c-lone")
    ladder = [30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0]
    doses: dict[str, list[float | None]] = {}
    for an_arm in study.arms.values():
        doses.setdefault(an_arm.family, []).append(an_arm.dose_copies)
    for family in ("scrambled", "mimic", "rab27b-kd-mimic", "site-mutant-mimic", "p53-null-mimic"):
        assert doses[family] == ladder
    assert {"mock", "seed-mutant", "inhibitor", "mimic-and-inhibitor", "rab27b-kd", "site-mutant", "p53-null", "gw4869",
            "washed-out", "low-serum-mimic", "serum-boost", "p21-arrest"} <= doses.keys()  # fmt: skip
    assert study.donors.n == 20
    assert study.readouts.times_h == (0.0, 24.0, 72.0, 120.0, 168.0)
    assert done(study.arms["serum-boost"])[-1] == (72.0, "S", "set", 20.0)
    assert [request.name for request in study.assays] == ["senescence", "qpcr", "qpcr"]
