"""Wrong tables of fates, colonies and balances: one clear message each, never a traceback."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from senexo import assays
from senexo.assays.specs import example
from senexo.base.errors import InvalidInput

Change = Callable[[pd.DataFrame], pd.DataFrame]
NAMES = ("fates", "colonies", "balance")


def message(name: str, change: Change, **options: Any) -> str:
    table, own = example(name)
    with pytest.raises(InvalidInput) as caught:
        getattr(assays, name)(change(table), **{**own, **options})
    text = str(caught.value)
    assert all(", expected " in line for line in text.splitlines())
    return text


def put(column: str, value: object) -> Change:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table[column] = table[column].astype(object) if column in table else 0.0
        table[column] = table[column].astype(object)
        table.loc[0, column] = value
        return table

    return change


def same(table: pd.DataFrame) -> pd.DataFrame:
    return table


TABLES: list[tuple[str, Change, str]] = [
    *((name, put("arm", ""), "row 2, column arm: found an empty cell") for name in NAMES),
    *((name, put("donor", None), "row 2, column donor: found an empty cell") for name in NAMES),
    *((name, lambda t: t.iloc[:0], "no row of data") for name in NAMES),
    *((name, lambda t: pd.concat([t, t.iloc[[0]]], ignore_index=True), "of row 2 again") for name in NAMES),
    ("fates", lambda t: t.drop(columns="fate"), "column fate: found no such column"),
    ("fates", put("time_h", "soon"), "row 2, column time_h: found 'soon', expected a number >= 0"),
    ("fates", put("time_h", -1.0), "column time_h: found '-1'"),
    ("fates", put("time_h", 0.0), "row 2, column time_h: found '0', expected later than 0"),
    ("fates", put("entry_h", 99.0), "expected later than 99"),
    ("fates", put("fate", ""), "column fate: found an empty cell"),
    ("fates", lambda t: t.assign(fate="censored"), "found nothing but 'censored', expected the fate of some cells"),
    ("colonies", lambda t: t.drop(columns="cells_plated"), "column cells_plated: found no such column"),
    ("colonies", lambda t: t.drop(columns="replicate"), "row 3: found the arm, donor of row 2 again"),
    ("colonies", put("colonies", 3.5), "column colonies: found '3.5', expected a whole number >= 0"),
    ("colonies", put("colonies", -1), "found '-1'"),
    ("colonies", put("colonies", math.nan), "column colonies: found an empty cell"),
    ("colonies", put("cells_plated", 0), "column cells_plated: found '0', expected a number >= 1"),
    ("balance", lambda t: t.drop(columns="recipient_cells"), "column recipient_cells: found no such column"),
    ("balance", put("donor_cells", math.nan), "column donor_cells: found an empty cell"),
    ("balance", put("recipient_cells", -2.0), "column recipient_cells: found '-2'"),
    ("balance", put("vesicular", "lots"), "column vesicular: found 'lots'"),
    ("balance", lambda t: t.assign(recipient_cells=math.nan, recipient_cells_sd=1.0), "copies in recipient_cells"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "expected"), TABLES)
def test_wrong_tables(name: str, change: Change, expected: str) -> None:
    assert expected in message(name, change)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        *((name, {"compare": ("none", "other")}, "compare: found 'none'") for name in NAMES),
        *((name, {"compare": ("mimic",)}, "compare: found '1 names'") for name in NAMES),
        ("fates", {"compare": ("mimic", "mimic")}, "found mimic with itself"),
        ("fates", {"cause": "fusion"}, "cause: found 'fusion', expected a fate: division, death, commitment"),
        ("fates", {"time_h": 0.0}, "time_h: found '0', expected a time > 0"),
        ("fates", {"design": "nested"}, "design: found 'nested', expected one of paired, unpaired"),
        ("balance", {"compare": []}, "compare: found 'nothing'"),
        ("balance", {"time_h": 7.0}, "time_h: found '7', expected a time of the table: 48"),
        ("balance", {"min_recovery": 2.0}, "min_recovery: found '2', expected a share between 0 and 1"),
    ],
)
def test_wrong_requests(name: str, options: dict[str, Any], expected: str) -> None:
    assert expected.replace("'", "") in message(name, same, **options).replace("'", "")


number = st.one_of(st.floats(0, 1e4), st.integers(0, 60), st.just(0.0), st.just("x"), st.just(-1.0), st.just(None))
rows = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), number, number), max_size=12)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows, st.sampled_from(NAMES))
def test_any_table_gives_an_answer_or_its_faults(cells: list[tuple[object, ...]], name: str) -> None:
    names = {
        "fates": ["arm", "donor", "time_h", "entry_h"], "colonies": ["arm", "donor", "colonies", "cells_plated"],
        "balance": ["arm", "donor", "donor_cells", "recipient_cells"],
    }[name]  # fmt: skip
    table = pd.DataFrame(cells, columns=names)
    table = table.assign(replicate=range(len(table)), cell=range(len(table)))
    table["fate"] = (["division", "censored", "death"] * 4)[: len(table)]
    try:
        found = getattr(assays, name)(table, compare=("a", "b"))
    except InvalidInput:
        return
    assert found.to_json()
    assert found.sentence
    for finding in found.findings:
        if None not in (finding.low, finding.high):
            assert finding.low <= finding.high
