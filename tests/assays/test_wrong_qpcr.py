"""Wrong plates and requests of qPCR that concern dilution series and designs; any Ct gives an answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from senexo.assays._qpcr.assay import qpcr
from senexo.base.errors import InvalidInput


def plate() -> pd.DataFrame:
    rows: list[tuple[object, ...]] = [
        (arm, donor, target, math.nan, ct)
        for arm in ("mock", "mimic")
        for donor in ("a", "b", "c")
        for target, ct in (("miR", 30.0), ("U6", 20.0))
    ]
    rows += [("", "", "miR", 10.0**-step, 24.0 + 3.4 * step) for step in range(4)]
    return pd.DataFrame(rows, columns=["arm", "donor", "target", "quantity", "ct"])


def put(column: str, value: object, row: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table[column] = table[column].astype(object)
        table.loc[row, column] = value
        return table

    return change


def judged(table: pd.DataFrame, **options: Any) -> Any:
    return qpcr(table, **{"target": "miR", "reference": "U6", "control": "mock", "undetected": "empty", **options})


@pytest.mark.parametrize(
    ("wrong", "options", "expected"),
    [
        (put("quantity", "ten", 12), {}, "row 14, column quantity: found 'ten', expected a number >= 0"),
        (put("quantity", -1.0, 13), {}, "row 15, column quantity: found '-1'"),
        (put("quantity", 1.0, 13), {}, "row 15: found the target, quantity of row 14 again"),
        (put("quantity", math.nan, 12), {}, "row 14, column arm: found an empty cell"),
        (put("ct", "late", 15), {}, "row 17, column ct: found 'late'"),
        (put("target", "", 12), {}, "row 14, column target: found an empty cell"),
        (lambda table: table.iloc[:14], {}, "found 2 dilutions of miR in which every well was detected"),
        (put("ct", 50.0, 13), {"cutoff": 31.0}, "found 2 dilutions of miR"),
        (lambda table: table.assign(quantity=[i + 1.0 for i in table.index]), {}, "no row of data"),
        (put("ct", 59.0, 12), {"cutoff": 60.0}, "a Ct of miR that does not fall"),
        (lambda table: table.assign(ct=table["ct"].where(table["quantity"].isna(), 24.0 - table["quantity"])), {},
         "efficiency of miR (dilution series): found"),
        (lambda table: table, {"efficiency": 2.0}, "efficiency of miR: found 2, expected a number from 0.5 to 1.1"),
        (lambda table: table, {"design": "pair"}, "design: found 'pair', expected one of paired, unpaired"),
    ],
)  # fmt: skip
def test_wrong_plates(wrong: Callable[[pd.DataFrame], pd.DataFrame], options: dict[str, Any], expected: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        judged(wrong(plate()), **options)
    assert expected in str(caught.value)


cycles = st.one_of(st.floats(10.0, 45.0), st.just(math.nan))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(cycles, cycles), min_size=1, max_size=6), st.sampled_from(["paired", "unpaired"]))
def test_any_cycles_give_consistent_answers(donors: list[tuple[float, float]], design: str) -> None:
    """Intervals hold their estimates, p-values are probabilities, and swapping the arms inverts the fold."""
    rows = [
        (arm, str(i), target, ct)
        for i, (a, b) in enumerate(donors)
        for arm, value in (("x", a), ("y", b))
        for target, ct in (("miR", value), ("U6", 20.0))
    ]
    table = pd.DataFrame(rows, columns=["arm", "donor", "target", "ct"])
    found, back = (judged(table, control=control, design=design, min_detected=0.2) for control in ("y", "x"))
    row, mirror = found.tables["fold_changes"].iloc[0], back.tables["fold_changes"].iloc[0]
    assert row["verdict"].startswith(("below", "not testable")) == math.isnan(row["p_value"])
    if not math.isnan(row["p_value"]):
        assert 0.0 <= row["p_value"] <= 1.0
        assert row["low"] * 0.999 <= row["fold"] <= row["high"] * 1.001
        assert mirror["p_value"] == pytest.approx(row["p_value"], rel=1e-2, abs=1e-5)
    found.to_json()
