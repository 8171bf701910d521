"""The language of claims: its meaning, and refusal of everything else."""

from __future__ import annotations

import contextlib

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from senexo.base.errors import InvalidInput
from senexo.lab.claim.judge import holds_in
from senexo.study.claims import (
    MAX_DEPTH,
    MAX_LENGTH,
    Comparison,
    Joined,
    Number,
    Operation,
    Vocabulary,
    comparisons,
    observables,
    parse_claim,
)
from senexo.study.observables import Observable, Quantity

ARMS = ("mock", "mimic[3000]", "kd[90 %]", "p53-null mimic")
KNOWS = Vocabulary(arms=ARMS, times_h=(0.0, 84.0, 168.0), readouts=("miR-34c-5p in medium", "p21"), cell_types=("LSC",))


def value(text: str) -> bool:
    """Whether a claim is true when every reading is 2; written so that it reads one."""
    tree = parse_claim(f"0 * arrested(a, 7 d) < 1 and ({text})")
    return bool(holds_in(tree, dict.fromkeys(observables(tree), np.array([2.0])))[0])


def faults(text: str, vocabulary: Vocabulary = KNOWS) -> list[str]:
    with pytest.raises(InvalidInput) as refusal:
        parse_claim(text, vocabulary, where="c")
    return [str(fault) for fault in refusal.value.faults]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("1 + 2 * 3 > 6.9", True), ("(1 + 2) * 3 > 8.9", True), ("8 - 2 - 1 > 4.9", True), ("8 - (2 - 1) > 6.9", True),
        ("8 / 4 / 2 >= 1", True), ("8 / 4 / 2 > 1", False), ("-2 * -3 >= 6", True), ("2 - -2 >= 4", True),
        ("- - 2 > 1", True), ("log2(8) >= 3", True), ("log2(4) * 2 > log2(15)", True), ("5 % >= 0.05", True),
        ("50 % * 2 <= 1", True), ("1e-1 < 0.11", True), ("1 > 2 or 2 > 1 and 1 > 2", False),
        ("(1 > 2 or 2 > 1) and 2 > 1", True), ("2 > 1 or 1 > 2 and 1 > 2", True), ("((2)) > ((1))", True),
        ("((2 > 1))", True), ("(1) + 1 > 1 and (2 > 1)", True), ("alive(a, 7 d) * 2 >= 4", True), ("1 >= 1", True),
        ("1 > 1", False), ("1 <= 1", True), ("1 < 1", False), ("2>1and 3>2", True),
    ],
)  # fmt: skip
def test_meaning(text: str, meaning: bool) -> None:
    assert value(text) is meaning


def test_a_reading_holds_its_names_as_they_are_written() -> None:
    tree = parse_claim('mean("miR-34c-5p in medium", kd[90 %], LSC, 3.5 d) > senescence(p53-null mimic, 168 h)', KNOWS)
    assert isinstance(tree, Comparison)
    assert observables(tree) == [
        Observable(Quantity.MEAN, "kd[90 %]", 84.0, "miR-34c-5p in medium", "LSC"),
        Observable(Quantity.SENESCENCE, "p53-null mimic", 168.0),
    ]


def test_a_time_is_the_read_out_time_to_the_last_bit() -> None:
    third = parse_claim("alive(mock, 20 min) > 0", Vocabulary(times_h=(1 / 3,)))
    assert observables(third)[0].time_h == 1 / 3


def test_every_part_is_found_and_named_as_written() -> None:
    tree = parse_claim("alive(a, 1 d)  >  1 and (cells(b, 1 d) < 2 or alive(a, 1 d) >= 3)")
    assert isinstance(tree, Joined)
    assert [part.text for part in comparisons(tree)] == ["alive(a, 1 d) > 1", "cells(b, 1 d) < 2", "alive(a, 1 d) >= 3"]
    assert len(observables(tree)) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the end of the text"), ("1 > 2", "reads something of an arm"), ("alive(mock, 7 d)", "one of > >= < <="),
        ("alive(mock, 7 d) > 1 > 0", '"and", "or"'), ("alive(mock, 7 d) > 1 or", "the end of the text"),
        ("(alive(mock, 7 d) > 1", '")"'), ("alive(mock, 7 d) > 1)", '"and", "or"'), ("alive > 1", "alive"),
        ("alive(mock) > 1", "alive(arm, [cell type,] time)"), ("alive(mock, , 7 d) > 1", "alive(arm, [cell"),
        ("mean(p21, 7 d) > 1", "mean(read-out, arm, [cell type,] time)"),
        ("alive(mock, 7 d) = 1", '"=" (at character 18), expected an operator'),
        ("alive(mock, 1 d) > 1", "a time of the read-outs (0 d, 84 h, 7 d)"), ("alive(mock, soon) > 1", "a time with"),
        ("alive(mock, 7 d) > 1e999", "a finite number"), ("not alive(mock, 7 d) > 1", '"not"'),
        ("log2 alive(mock, 7 d) > 1", '"("'), ("alive(mok, 7 d) > 1", '"mock"?'), ("open('x') > 1", "the functions"),
        ("alive(mock, 7 d) > lambda: 1", '"lambda:" (at character 20), expected a number, or'),
        ("alive(mock, 7 d)[0] > 1", '"[0]" (at character 17), expected an operator'),
        ("(" * (MAX_DEPTH + 1) + "alive(mock, 7 d) > 1", f"at most {MAX_DEPTH}"),
        ("-" * (MAX_DEPTH + 1) + "alive(mock, 7 d) > 1", f"at most {MAX_DEPTH}"),
        ("1 + " * 150 + "alive(mock, 7 d) > 1", "at most 200 names"),
    ],
)  # fmt: skip
def test_wrong_texts_say_where_and_what(text: str, says: str) -> None:
    assert any(says in fault for fault in faults(text)), faults(text)


def test_all_unknown_names_come_at_once_with_the_first_of_grammar() -> None:
    found = faults("alive(x, 9 d) + mean(y, mock, T, 7 d) > foo(mock, 7 d) and")
    assert len(found) == 6


NAMES = st.sampled_from(["alive(mock, 7 d)", "mean(p21, kd[90 %], 84 h)", "arrested(mimic[3000], LSC, 0 d)"])
NUMBERS = st.floats(0.01, 100).map(lambda x: Number(float(f"{x:.3g}")))


def written(value: Number | Observable | Operation | str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Number):
        return f"{value.value:.3g}" if value.value >= 0.01 else "1"
    assert isinstance(value, Operation)
    if value.operator == "log2":
        return f"log2({written(value.parts[0])})"  # type: ignore[arg-type]
    return f"({written(value.parts[0])} {value.operator} {written(value.parts[1])})"  # type: ignore[arg-type]


TERMS = st.recursive(
    NUMBERS | NAMES,
    lambda below: (
        st.builds(lambda o, a, b: Operation(o, (a, b)), st.sampled_from("+-*/"), below, below)
        | st.builds(lambda a: Operation("log2", (a,)), below)
    ),
    max_leaves=12,
)


@settings(max_examples=150)
@given(TERMS, NAMES)
def test_what_is_written_is_what_is_read(term: Number | Operation | str, name: str) -> None:
    """A random tree, written with all its brackets and read again, is the same tree."""

    def same(made: object, read: object) -> bool:
        if isinstance(made, str):
            return isinstance(read, Observable)
        if isinstance(made, Number):
            return isinstance(read, Number) and read.value == float(written(made))
        assert isinstance(made, Operation)
        return (
            isinstance(read, Operation)
            and made.operator == read.operator
            and all(map(same, made.parts, read.parts))
        )  # fmt: skip

    tree = parse_claim(f"{written(term)} > {name}", KNOWS)
    assert isinstance(tree, Comparison)
    assert same(term, tree.left)


@settings(max_examples=300)
@given(st.text(alphabet="alive(mock, 7d)0.5<>=+-*/ andorlog2%[]\"'_\\é\n\0", max_size=MAX_LENGTH // 20))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        assert observables(parse_claim(text, KNOWS))
