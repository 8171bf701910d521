"""Values computed from columns: the grammar against Python's own arithmetic, and one message for what is outside it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from senexo.assays.transform import column
from senexo.base.errors import InvalidInput

TABLE = pd.DataFrame(
    {"a": [1.0, 2.0, 4.0], "b": ["3", "0.5", "8"], "a-b": [7, 8, 9], "hsa-mir-34": [0, 0, 1], "hsa-mir-34c": [0, 3, 1],
     "2": [5, 5, 5], "log2": [1, 1, 2], "β gal (%)": [10, 20, 20], "hole": ["1", "NA", ""]}
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", [1, 2, 4]),
        ("b", [3, 0.5, 8]),
        ("a + b * 2", [7, 3, 20]),
        ("(a + b) * 2", [8, 5, 24]),
        ("a-b", [7, 8, 9]),  # the column of that name
        ("a - b", [-2, 1.5, -4]),
        ("a -b", [-2, 1.5, -4]),
        ("`a`-`b`", [-2, 1.5, -4]),
        ("a - a - a", [-1, -2, -4]),
        ("a / a / 2", [0.5, 0.5, 0.5]),
        ("-a * -2", [2, 4, 8]),
        ("a--1", [2, 3, 5]),
        ("a + 2", [3, 4, 6]),
        ("a + `2`", [6, 7, 9]),
        ("1.5e+1*a", [15, 30, 60]),
        (".5*a", [0.5, 1, 2]),
        ("log2(a)", [0, 1, 2]),
        ("log2 ( a )", [0, 1, 2]),
        ("log2", [1, 1, 2]),  # a column may be called as a function is
        ("log2 + 1", [2, 2, 3]),
        ("log2(hsa-mir-34c+1)", [0, 2, 1]),
        ("log10(a * 10)", [1, math.log10(20), math.log10(40)]),
        ("ln(a)", [0, math.log(2), math.log(4)]),
        ("sqrt(a)", [1, math.sqrt(2), 2]),
        ("rank(β gal (%))", [1, 2.5, 2.5]),
        ("rank(-a)", [3, 2, 1]),
        ("hole * 2", [2, math.nan, math.nan]),
        ("log2(hole)", [0, math.nan, math.nan]),
        ("rank(hole)", [1, math.nan, math.nan]),
    ],
)
def test_what_a_text_asks_for(text: str, expected: list[float]) -> None:
    found = column(TABLE, text)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert found.index.equals(TABLE.index)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "'', character 1: found the end, expected a column (a, b, a-b, "),
        ("c + 1", "'c + 1', character 1: found 'c', expected a column"),
        ("log2(hsa-mir-34b + 1)", "character 6: found 'hsa-mir-34b', expected a column"),
        ("hsa-mir-34c-5", "character 12: found '-', expected a blank before the minus, or `hsa-mir-34c`"),
        ("2 + 3", "'2 + 3': found no column, expected a column"),
        ("a b", "character 3: found 'b', expected an operator (+ - * /) or the end"),
        ("a ** 2", "character 4: found '*', expected a column"),
        ("a ^ 2", "character 3: found '^'"),
        ("2a", "character 1: found '2a', expected a column"),
        ("log2(a", 'character 7: found the end, expected an operator (+ - * /) or ")"'),
        ("a)", "character 2: found ')'"),
        ("log(a)", "character 1: found 'log', expected a column"),
        ("exp(a)", "character 1: found 'exp'"),
        ("a,b", "character 2: found ','"),
        ("`a", "character 1: found '`', expected a column between backticks"),
        ("`q`", "character 1: found '`', expected a column between backticks"),
        ("__import__('os').system('true')", "character 1: found '__import__', expected a column"),
        ("a.__class__", "character 2: found '.__class__', expected an operator"),
        ("(" * 60 + "a" + ")" * 60, "at most 50 brackets and signs within each other"),
        ("a+" * 600 + "a", "value: found 1201 characters, expected no more than 1000"),
        ("log2(hsa-mir-34c)", "table: row 2, log2(hsa-mir-34c): found 0, expected a number > 0 (add 1 to counts"),
        ("sqrt(a - 3)", "table: row 3, sqrt(a - 3): found -1, expected a number >= 0"),
        ("1 / (a - 2)", "table: row 3, divisor (a - 2): found 0, expected a number other than 0"),
        ("a * 1e308 * 10", "table: row 2, a * 1e308 * 10: found inf, expected a finite number"),
    ],
)
def test_what_cannot_be_read_has_its_place(text: str, expected: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        column(TABLE, text)
    assert expected in str(caught.value)


def test_every_wrong_row_is_told_in_the_numbers_of_the_spreadsheet() -> None:
    table = pd.DataFrame({"x": ["0", "3", "-1", "4"], "y": ["1", "2", "many", ""]}, index=[0, 2, 5, 6])
    with pytest.raises(InvalidInput) as caught:
        column(table, "log2(x) + y", where="t.csv")
    assert [fault.where for fault in caught.value.faults] == [
        "t.csv: row 2, log2(x)", "t.csv: row 7, log2(x)", "t.csv: row 7, column y",
    ]  # fmt: skip


def test_among_many_columns_the_most_alike_are_offered() -> None:
    table = pd.DataFrame({f"hsa-mir-{i}": [1] for i in range(100, 200)})
    with pytest.raises(InvalidInput, match=r"\(hsa-mir-1\d\d, .*, \.\.\. 100 in all\)"):
        column(table, "hsa-mir-10x")


def test_duplicate_columns_are_told() -> None:
    with pytest.raises(InvalidInput, match="column a: found several of that name"):
        column(pd.DataFrame([[1, 2]], columns=["a", "a"]), "a")


formulas = st.recursive(
    st.sampled_from(["a", "b", "1", "2.5", "`a-b`"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", " - ", "*", " / "]), inner).map("".join),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"-{text}"),
        inner.map(lambda text: f"sqrt({text})"),
        inner.map(lambda text: f"ln({text})"),
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(formulas)
@example("-a - -b")
@example("a - b*2.5 / (a - 1)")
def test_precedence_is_that_of_arithmetic(text: str) -> None:
    """Python's own arithmetic is the oracle, on texts made here."""
    source = text.replace("`a-b`", "ab")
    try:
        expected = [
            eval(source, {"sqrt": math.sqrt, "ln": math.log, "a": a, "b": b, "ab": ab})  # noqa: S307
            for a, b, ab in ((1.0, 3.0, 7.0), (2.0, 0.5, 8.0), (4.0, 8.0, 9.0))
        ]
    except (ValueError, ZeroDivisionError, OverflowError):
        expected = None
    try:
        found: list[float] | None = column(TABLE, text).to_list()
    except InvalidInput as error:
        if "no column" in str(error):
            return
        found = None
    assert found == (None if expected is None else pytest.approx(expected, rel=1e-12))


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab2.e-+*/()`, loghsamir34c_β\\'\"\n\0"), max_size=30) | st.text(max_size=30))
def test_any_text_gives_numbers_or_one_message(text: str) -> None:
    try:
        found = column(TABLE, text)
    except InvalidInput:
        return
    assert len(found) == len(TABLE)
    assert not np.isinf(found).any()
