"""Every fault of a study file comes in one report, whatever its kind; and what is wrong elsewhere hides none."""

from __future__ import annotations

import copy
import random
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from senexo.base.errors import Fault, InvalidInput
from senexo.study.resolve import resolve
from senexo.study.schema import Study

VALID = Path(__file__).resolve().parents[2] / "spec" / "valid"

TEN = """
title = "Ten faults of all kinds"
sed = 7                                                     # 1 an unknown key

[model]
circuit = "mir34c-rab27b"

[cells.LSC]
n = "many"                                                  # 2 a type

[culture]
duration = "7 d"
serum = "20 g"                                              # 3 a unit

[donors.draws]
K_8 = 4.7                                                   # 4 a parameter of the model

[arms.mock]
[arms.mimic]
dose = { what = "miR-34c", amount = [30, "lots"] }          # 5 an agent of the model, 6 an amount of a ladder
[arms.ko]
knock_out = ["TP53"]                                        # 7 a gene of the model
dose = { what = "scrambled", amount = 3, at = "8 d" }       # 8 a time after the end

[[assays]]
name = "senescence"
compare = ["mimic", "mok"]                                  # 9 an arm of the file

[claim]
id = "C"
holds_when = "senescence(mimic[30], 3 d) > alive(mock)"     # 10 a time that is not read, 11 an argument
null = { cut = ["p53 -> p22"] }                             # 12 an edge of the model
"""
WHERE = [
    "sed", "cells.LSC.n", "culture.serum", "donors.draws.K_8", "arms.mimic.dose.what", "arms.mimic.dose.amount[1]",
    "arms.ko.knock_out[0]", "arms.ko.dose.at", "assays[0].compare[1]", "claim.holds_when", "claim.holds_when",
    "claim.null.cut[0]",
]  # fmt: skip


def faults(raw: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        resolve(raw)
    return [fault.where.removeprefix("study: ") for fault in caught.value.faults]


def test_faults_of_all_kinds_come_in_one_report_in_the_order_of_the_file() -> None:
    assert faults(tomllib.loads(TEN)) == WHERE


@pytest.mark.parametrize("number", range(12))
def test_a_mended_fault_takes_away_its_own_message_alone(number: int) -> None:
    """Each of the faults is independent: none hides another, and none brings messages of its consequences."""
    mends = [
        ("sed = 7", "seed = 7"), ('n = "many"', "n = 3"), ('"20 g"', '"20 %"'), ("K_8", "K8"),
        ('"miR-34c"', '"miR-34c-5p"'), ('"lots"', "60"), ('"TP53"', '"p53"'), ('"8 d"', '"6 d"'), ('"mok"', '"mock"'),
        ("3 d)", "7 d)"), ("alive(mock)", "alive(mock, 7 d)"), ("p22", "p21"),
    ]  # fmt: skip
    assert TEN.count(mends[number][0]) == 1
    left = [where for index, where in enumerate(WHERE) if index != number]
    assert faults(tomllib.loads(TEN.replace(*mends[number]))) == left


def test_a_rung_with_a_fault_is_no_arm_that_messages_propose() -> None:
    raw = tomllib.loads(TEN)
    with pytest.raises(InvalidInput) as caught:
        resolve(raw)
    [unknown] = [fault for fault in caught.value.faults if "compare" in fault.where]
    assert unknown.expected == '"mock"? (arms: mock, mimic, ko, mimic[30])'
    raw["arms"]["mimic"]["dose"]["amount"] = ["lots", "many"]
    assert {*WHERE, "arms.mimic.dose.amount[0]"} <= set(faults(raw))


def test_a_missing_table_hides_no_fault_of_another() -> None:
    raw = tomllib.loads(TEN)
    for key in ("title", "culture"):
        del raw[key]
    assert faults(raw) == [
        "title", "culture", *[where for where in WHERE if where not in ("culture.serum", "arms.ko.dose.at")][:-3],
        "claim.holds_when", "claim.null.cut[0]",
    ]  # fmt: skip


# ---- any damage to a file is answered with faults that have places, never with another exception ----------------

WRONG = st.one_of(
    st.sampled_from([None, True, -1, 0, 2.5, "", "lots", "7 d", "90 %", "a\nb", [], {}, [[]], [1, "x"], {"value": 1}]),
    st.floats(allow_nan=True),
    st.integers(),
    st.text(max_size=5),
    st.lists(st.integers() | st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=3), max_size=3),
)
FILES = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(VALID.glob("*.toml"))}


def damaged(value: Any, wrong: Any, dice: random.Random) -> Any:
    """The same nested tables with one place, chosen at random, replaced, removed or added."""
    places: list[tuple[Any, Any]] = []
    pending = [value]
    while pending:
        one = pending.pop()
        keys = list(one) if isinstance(one, dict) else list(range(len(one)))
        places += [(one, key) for key in keys]
        pending += [one[key] for key in keys if isinstance(one[key], dict | list)]
    table, key = dice.choice(places)
    if isinstance(table, dict) and dice.random() < 0.2:
        del table[key]
    elif isinstance(table, dict) and dice.random() < 0.2:
        table[str(wrong)[:8] or "x"] = copy.deepcopy(wrong)
    else:
        table[key] = copy.deepcopy(wrong)
    return value


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(FILES)), st.lists(WRONG, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_any_damage_is_answered_with_places(name: str, wrong: list[Any], dice: random.Random) -> None:
    raw = copy.deepcopy(FILES[name])
    for one in wrong:
        raw = damaged(raw, one, dice)
    found, study = outcome(raw)
    assert all(fault.where.startswith("s: ") for fault in found), found
    assert len(set(found)) == len(found)
    assert bool(found) != isinstance(study, Study)
    if isinstance(study, Study):
        assert resolve(tomllib.loads(study.to_toml()), folder="/").digest == study.digest


def outcome(raw: dict[str, Any]) -> tuple[tuple[Fault, ...], Study | None]:
    try:
        return (), resolve(raw, where="s", folder=VALID)
    except InvalidInput as error:
        return error.faults, None
