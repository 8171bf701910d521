"""Wrong tables of expression: one clear message each, naming the row and column, never a traceback."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from senexo.assays import expression
from senexo.base.errors import InvalidInput

Change = Callable[[pd.DataFrame], pd.DataFrame]


def reads() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.negative_binomial(10, 10 / 210, (8, 12)), columns=[f"miR-{i}" for i in range(12)])
    table.insert(0, "cell", ["LSC", "HSC"] * 4)
    table.insert(0, "donor", list("aabbccdd"))
    return table


def put(column: str, value: object, row: int = 0) -> Change:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table[column] = table[column].astype(object)
        table.loc[row, column] = value
        return table

    return change


def message(table: pd.DataFrame, **options: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        expression(table, **{"group": "cell", "control": "HSC", **options})
    text = str(caught.value)
    faults = [line for line in text.splitlines() if not line.startswith("... and ")]
    assert all(", expected " in line for line in faults)
    return text


TABLES: list[tuple[Change, dict[str, Any], str]] = [
    (lambda t: t.drop(columns="cell"), {}, "column cell: found no such column"),
    (lambda t: t, {"donor": "patient"}, "column patient: found no such column"),
    (put("donor", ""), {"donor": "donor"}, "row 2, column donor: found an empty cell"),
    (put("miR-3", "many", 2), {}, "row 4, column miR-3: found 'many', expected a whole number >= 0"),
    (put("miR-3", -4, 2), {}, "row 4, column miR-3: found '-4', expected a whole number >= 0"),
    (put("miR-3", 4.5, 2), {}, "row 4, column miR-3: found '4.5', expected a whole number"),
    (put("miR-3", "1,5"), {}, "expected a whole number >= 0 with a decimal point"),
    (put("miR-3", math.nan), {}, "row 2, column miR-3: found an empty cell"),
    (put("miR-3", math.inf), {}, "found 'inf'"),
    (lambda t: t.iloc[:0], {}, "no row of data"),
    (lambda t: t[["donor", "cell"]], {}, "found no column of numbers besides group, donor and sample"),
    (lambda t: t.assign(cell="HSC"), {}, "column cell: found only the group HSC, expected two groups"),
    (put("cell", "blast"), {}, "case: found 2 groups besides HSC, expected the one to compare: blast, LSC"),
    (lambda t: t.assign(**{f"miR-{i}": 0 for i in range(12)}), {}, "row 2: found no read of any RNA"),
    (lambda t: pd.concat([t, t.iloc[[3]]], ignore_index=True), {}, "row 10: found the values of row 5 in all 12 RNAs"),
    (lambda t: t.assign(s=1), {"sample": "s", "features": "miR*"}, "row 3: found the s of row 2 again"),
    (lambda t: t.assign(**{f"miR-{i}": t[f"miR-{i}"] / 7 for i in range(12)}), {}, "kind intensities for other values"),
    (lambda t: t, {"donor": "donor"}, "donor a: found samples in both LSC and HSC, expected design paired"),
    (lambda t: t.assign(donor=list("abcdefgh")), {"donor": "donor", "design": "paired"}, "no donor with samples of bo"),
    (lambda t: t.assign(n=0), {"depth": "n", "features": "miR*"}, "row 2, column n: found '0', expected a number > 0"),
    (lambda t: t, {"kind": "intensities"}, "row 2, column miR-0: found '"),
    (lambda t: t, {"kind": "rpm"}, "row 2: found 12 positive values, of which the smallest need not be one read"),
    (put("miR-3", 0.0), {"kind": "intensities", "scale": "linear"}, "row 2, column miR-3: found '0', expected "),
]  # fmt: skip


@pytest.mark.parametrize(("change", "options", "expected"), TABLES)
def test_wrong_tables(change: Change, options: dict[str, Any], expected: str) -> None:
    assert expected in message(change(reads()), **options)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"control": "hsc"}, "control: found 'hsc', expected a group: LSC, HSC"),
        ({"case": "blast"}, "case: found 'blast', expected a group other than the control: LSC"),
        ({"case": "HSC"}, "case: found 'HSC'"),
        ({"kind": "tpm"}, "kind: found 'tpm', expected one of counts, rpm, intensities"),
        ({"scale": "ln"}, "scale: found 'ln', expected one of log2, linear"),
        ({"design": "crossed"}, "design: found 'crossed', expected one of paired, unpaired"),
        ({"design": "paired"}, "donor: found nothing, expected the column that names the donor"),
        ({"target": "miR-99"}, "target: found 'miR-99', expected one of the RNAs: "),
        ({"features": ["miR-1", "let*"]}, "features: found 'let*', expected a column or a pattern: "),
        ({"donor": "cell"}, "found 'cell' twice"),
        ({"kind": "intensities", "depth": "miR-1"}, "depth: found 'miR-1', expected nothing"),
        ({"min_reads": 0.0}, "min_reads: found 0, expected a number of reads >= 1"),
        ({"kind": "intensities", "scale": "linear", "background": -1.0}, "background: found -1, expected a number > 0"),
    ],
)
def test_wrong_requests(options: dict[str, Any], expected: str) -> None:
    assert expected in message(reads(), **options)


cell = st.one_of(st.integers(0, 400), st.just(0), st.just(""), st.just("x"), st.floats(-5, 5), st.just(None))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("stuv"), st.tuples(cell, cell)), max_size=7),
    st.sampled_from(["counts", "intensities"]), st.sampled_from(["paired", "unpaired"]), st.booleans(),
)  # fmt: skip
def test_any_table_gives_an_answer_or_its_faults(
    rows: list[tuple[str, str, tuple[object, object]]], kind: str, design: str, wide: bool
) -> None:
    """Few cells are drawn; where `wide`, ten sound RNAs stand beside them, so that models are fitted."""
    table = pd.DataFrame([(g, d, *cells) for g, d, cells in rows], columns=["group", "donor", "x", "y"])
    if wide:
        rng = np.random.default_rng(len(rows))
        table = table.join(pd.DataFrame(rng.poisson(30, (len(rows), 10)) + 1.0, columns=[f"r{i}" for i in range(10)]))
    try:
        found = expression(table, group="group", control="a", donor="donor", design=design, kind=kind)
    except InvalidInput:
        return
    assert found.to_json()
    p = found.table["p_value"].dropna()
    assert ((p >= 0) & (p <= 1)).all()
    tested = found.table[found.table["p_value"].notna()]
    assert (tested["low"] <= tested["fold"] * (1 + 1e-9)).all()
    assert (found.table.loc[found.table["detection"] == "below detection", "p_value"].isna()).all()
