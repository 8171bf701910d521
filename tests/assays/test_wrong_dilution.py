"""Wrong plates: one clear message each, naming row and column; any other plate gives an answer."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from senexo.assays._dilution.assay import dilution
from senexo.base.errors import InvalidInput

PLATE = {"dose": [100, 1000], "tested": [10, 10], "response": [2, 9]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"response": [2, 11]}, "row 3, column response: found 11 of 10 units"),
        ({"response": [2, "x"]}, "row 3, column response: found 'x', expected a whole number"),
        ({"response": [2, -1]}, "row 3, column response: found '-1'"),
        ({"tested": [10, 9.5]}, "row 3, column tested"),
        ({"tested": [10, None]}, "row 3, column tested"),
        ({"dose": [100, -5]}, "row 3, column dose"),
        ({"dose": ["many", 1000]}, "row 2, column dose: found 'many'"),
        ({"dose": [0, 1000]}, "row 2, column dose: found 0 cells with a unit that responded"),
        ({"tested": [0, 0], "response": [0, 0]}, "no unit with cells"),
        ({"dose": [], "tested": [], "response": []}, "no row of data"),
        ({"group": ["a", ""]}, "row 3, column group"),
    ],
)
def test_wrong_plates_are_told(change: dict[str, list[Any]], message: str) -> None:
    table = pd.DataFrame({**PLATE, **change})
    with pytest.raises(InvalidInput) as told:
        dilution(table, group="group" if "group" in change else None)
    assert message in str(told.value)


def test_missing_columns_and_doubled_roles_are_told() -> None:
    with pytest.raises(InvalidInput, match="column wells"):
        dilution(pd.DataFrame(PLATE), tested="wells")
    with pytest.raises(InvalidInput, match="column dose in two roles"):
        dilution(pd.DataFrame(PLATE), tested="dose")


def test_what_was_summed_or_left_out_is_noted() -> None:
    table = pd.DataFrame({"dose": [100, 100, 0, 1000], "tested": [1, 1, 4, 8], "response": [0, 1, 0, 7], "arm": "a"})
    assert dilution(table, group="arm").notes == (
        "1 row without units or without cells left out",
        "arm holds one group only: nothing to compare",
        "3 rows were summed to 2, one for each dose and group",
    )


def test_columns_may_have_each_others_names() -> None:
    table = pd.DataFrame({"group": [100, 1000], "dose": [10, 10], "tested": [2, 9], "response": ["a", "b"]})
    found = dilution(table, dose="group", tested="dose", response="tested", group="response")
    assert found.tables["units"].to_numpy().tolist() == [["a", 100.0, 10, 2], ["b", 1000.0, 10, 9]]


@settings(max_examples=150, deadline=None, derandomize=True)
@example([(1, 2, 0.5, "a"), (1e7, 1, 1.0, "a")])  # a dose so large that its information is 0
@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 3, 10, 1e3, 1e7]), st.integers(0, 30), st.floats(0, 1), st.sampled_from(["a", "b", "c"])
        ),
        min_size=1, max_size=8,
    )
)  # fmt: skip
def test_any_plate_gives_an_answer_or_its_faults(rows: list[tuple[float, int, float, str]]) -> None:
    table = pd.DataFrame(
        [(dose, n, int(share * n), group) for dose, n, share, group in rows],
        columns=["dose", "tested", "response", "group"],
    )
    try:
        result = dilution(table, group="group")
    except InvalidInput:
        assert not table["tested"].any()
        return
    for row in result.tables["frequencies"].to_dict("records"):
        assert 1 <= row["one_in_low"] <= row["one_in"] <= row["one_in_high"]
    p = result.tables["pairs"]["p_value"].to_numpy()
    assert ((p >= 0) & (p <= 1)).all()
    shape = result.tables["single_hit"].set_index("test")
    tested_at_all, finite = shape["z"].notna()["likelihood ratio"], np.isfinite(shape["slope"].iloc[0])
    assert shape["z"].notna().to_list() == [tested_at_all, tested_at_all and finite, tested_at_all, tested_at_all]
    json.loads(result.to_json())


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(*[st.sampled_from([0, 1, 7, "3", "1e300", "inf", "x", "", None, -2, 1e-9, 2.5, True])] * 3)),
    st.sampled_from([["dose", "tested", "response"], ["dose", "tested", "other"], ["dose", "dose", "response"]]),
)
def test_messy_tables_give_an_answer_or_their_faults(rows: list[tuple[object, ...]], columns: list[str]) -> None:
    with suppress(InvalidInput):
        json.loads(dilution(pd.DataFrame(rows, columns=columns, dtype=object)).to_json())
