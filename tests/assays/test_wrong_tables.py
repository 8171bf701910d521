"""Wrong tables and wrong requests: one clear message each, naming the row and column, never a traceback."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from senexo.assays._qpcr.assay import qpcr
from senexo.assays._senescence.assay import senescence
from senexo.assays.specs import example
from senexo.base.errors import InvalidInput


def counts() -> pd.DataFrame:
    rows = [(arm, donor, r, 10.0, 2, 100) for arm in ("mock", "mimic") for donor in ("a", "b", "c") for r in (1, 2)]
    return pd.DataFrame(rows, columns=["arm", "donor", "replicate", "time_h", "n_positive", "n_total"])


def cycles() -> pd.DataFrame:
    rows = [
        (arm, donor, r, 10.0, target, 30.0)
        for arm in ("mock", "mimic")
        for donor in ("a", "b", "c")
        for r in (1, 2)
        for target in ("miR-34c-5p", "U6")
    ]
    return pd.DataFrame(rows, columns=["arm", "donor", "replicate", "time_h", "target", "ct"])


def put(column: str, value: object, row: int = 0) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table[column] = table[column].astype(object) if column in table else ""
        table.loc[row, column] = value
        return table

    return change


def everywhere(**values: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda table: table.assign(**values)


def without(column: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda table: table.drop(columns=column)


def again(row: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda table: pd.concat([table, table.loc[[row]]], ignore_index=True)


COMMON = [
    (without("arm"), "column arm: found no such column"),
    (without("donor"), "column donor: found no such column"),
    (put("arm", ""), "row 2, column arm: found an empty cell"),
    (put("donor", None, 3), "row 5, column donor: found an empty cell"),
    (put("time_h", -24.0), "row 2, column time_h: found '-24', expected a number >= 0"),
    (put("time_h", "day 3", 2), "row 4, column time_h: found 'day 3', expected a number"),
    (put("time_h", math.nan), "row 2, column time_h: found an empty cell"),
    (again(4), "found the arm, donor, "),
    (lambda table: table.iloc[:0], "no row of data"),
]

SENESCENCE = [
    *COMMON,
    (without("n_total"), "column n_total: found no such column"),
    (without("replicate"), "row 3: found the arm, donor, time_h of row 2 again"),
    (put("n_positive", "many"), "row 2, column n_positive: found 'many', expected a whole number >= 0"),
    (put("n_positive", "12 %"), "found '12 %'"),
    (put("n_positive", 0.4, 1), "row 3, column n_positive: found '0.4', expected a whole number"),
    (put("n_positive", -1), "found '-1', expected a whole number >= 0"),
    (put("n_positive", 101, 5), "row 7, column n_positive: found 101 of 100 cells, expected no more than n_total"),
    (put("n_total", math.inf), "found 'inf'"),
    (put("n_total", "1,5"), "expected a whole number >= 0 with a decimal point"),
    (everywhere(n_total=0, n_positive=0), "column n_total: found no counted cell in any row"),
    (put("family", "other"), "arm mock, column family: found 2 different entries, expected one per arm"),
    (lambda t: put("dose_copies", 30.0)(t.assign(dose_copies=10.0)), "arm mock, column dose_copies: found 2 different"),
    (everywhere(dose_copies=-3), "row 2, column dose_copies: found '-3', expected a number >= 0"),
    (everywhere(dose_copies="3 nM"), "found '3 nM'"),
]

QPCR = [
    *COMMON,
    (without("ct"), "column ct: found no such column"),
    (without("target"), "column target: found no such column"),
    (without("replicate"), "row 4: found the arm, donor, time_h, target of row 2 again"),
    (put("ct", "high"), "row 2, column ct: found 'high', expected a number >= 1 and <= 60"),
    (put("ct", -3.0), "found '-3'"),
    (put("ct", 0.0, 7), "row 9, column ct: found '0', expected a number >= 1"),
    (put("ct", 300.0), "found '300'"),
    (put("ct", "31,5"), "found '31,5', expected a number >= 1 and <= 60 with a decimal point"),
    (put("target", ""), "row 2, column target: found an empty cell"),
    (everywhere(detected="perhaps"), "row 2, column detected: found 'perhaps', expected true or false"),
    (lambda t: put("ct", math.nan, 2)(t.assign(detected=True)), "row 4, column ct: found no Ct in a detected well"),
    (everywhere(target="U6"), "again"),
]


def message(call: Callable[[], object]) -> str:
    with pytest.raises(InvalidInput) as caught:
        call()
    text = str(caught.value)
    assert all(", expected " in line or line.startswith("... and ") for line in text.splitlines())
    return text


@pytest.mark.parametrize(("wrong", "expected"), SENESCENCE)
def test_wrong_counts(wrong: Callable[[pd.DataFrame], pd.DataFrame], expected: str) -> None:
    assert expected in message(lambda: senescence(wrong(counts()), compare=("mimic", "mock")))


@pytest.mark.parametrize(("wrong", "expected"), QPCR)
def test_wrong_cycles(wrong: Callable[[pd.DataFrame], pd.DataFrame], expected: str) -> None:
    assert expected in message(lambda: qpcr(wrong(cycles()), target="miR-34c-5p", reference="U6", control="mock"))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"compare": ("mimic", "mok")}, "compare: found 'mok', expected an arm or family of the table: mock, mimic"),
        ({"compare": ("mimic", "mimic")}, "compare: found no two arms to compare in mimic and mimic"),
        ({"compare": ("mimic",)}, "compare: found '1 names'"),
        ({"compare": [("mimic", "mock"), ("a", "b")]}, "compare: found 'b'"),
        ({"time_h": 99.0}, "time_h: found no count at 99 h, expected one of 10"),
        ({"reference": "mimic"}, "reference: found 'mimic', expected a family of three doses or more: there is none"),
    ],
)
def test_wrong_requests_of_senescence(options: dict[str, Any], expected: str) -> None:
    assert expected in message(lambda: senescence(counts(), **options))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"target": "miR-21"}, "target: found 'miR-21', expected one of U6, miR-34c-5p"),
        ({"reference": "GAPDH"}, "reference: found 'GAPDH'"),
        ({"reference": "miR-34c-5p"}, "reference: found the target 'miR-34c-5p' itself"),
        ({"control": "mok"}, "control: found 'mok', expected one of mimic, mock"),
        ({"arms": ["kd"]}, "arms: found 'kd'"),
        ({"time_h": 5}, "time_h: found '5', expected one of 10"),
        ({"efficiency": 90.0}, "efficiency of miR-34c-5p: found 90, expected a number from 0.5 to 1.1"),
        ({"cutoff": 0.0}, "cutoff: found 0, expected a Ct from 1 to 60"),
        ({"cutoff": math.nan}, "cutoff: found nan"),
        ({"min_detected": 50.0}, "min_detected: found 50, expected a share of wells from 0 to 1"),
    ],
)
def test_wrong_requests_of_qpcr(options: dict[str, Any], expected: str) -> None:
    good: dict[str, Any] = {"target": "miR-34c-5p", "reference": "U6", "control": "mock"}
    assert expected in message(lambda: qpcr(cycles(), **{**good, **options}))


def test_all_faults_of_a_table_come_at_once() -> None:
    table = put("n_positive", "x", 3)(put("time_h", -1.0, 2)(counts()))
    assert len(message(lambda: senescence(table)).splitlines()) == 2


MESSY = st.sampled_from(
    ["", "a", "b", "mock", "mimic", "U6", "miR", "undetected", "0", "1", "3", "30.5", "200", "1e300", "-2", "nan",
     "inf", "1,5", "#N/A", None, math.nan, 0, 7, 31.25, True]
)  # fmt: skip
NAMES = ["arm", "donor", "n_positive", "n_total", "target", "ct", "replicate", "time_h", "family", "dose_copies",
         "detected"]  # fmt: skip
TIDY = {  # mostly right, so that the statistics are reached
    "arm": st.sampled_from(["mock", "mimic"]), "donor": st.sampled_from(["a", "b", "c"]),
    "target": st.sampled_from(["U6", "miR"]), "n_positive": st.integers(0, 9), "n_total": st.sampled_from([0, 9, 200]),
    "ct": st.sampled_from([20.5, 31.0, 39.9, 41.0, math.nan]),
}  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    columns = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=11)) if draw(st.booleans()) else NAMES[:6]
    n, messy = draw(st.integers(0, 10)), draw(st.booleans())
    cells = {name: MESSY if messy or name not in TIDY else TIDY[name] for name in columns}
    table = pd.DataFrame({name: draw(st.lists(kind, min_size=n, max_size=n)) for name, kind in cells.items()})
    return table.assign(replicate=[str(i) for i in range(n)]) if draw(st.booleans()) else table


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables())
def test_any_table_gives_an_answer_or_its_faults(table: pd.DataFrame) -> None:
    for call in (
        lambda: senescence(table),
        lambda: senescence(table, compare=("mimic", "mock")),
        lambda: qpcr(table, target="miR", reference="U6", control="mock"),
    ):
        try:
            result = call()
        except InvalidInput as error:
            given = error.faults
        else:
            given = result.findings
            result.to_json()
        assert len(given) > 0


def test_names_and_the_order_of_rows_do_not_matter() -> None:
    """The same numbers, whatever arms and donors are called and however the spreadsheet was sorted."""
    rng = np.random.default_rng(7)
    for call, tables in ((senescence, ("differences", "ec50", "ec50_ratios")), (qpcr, ("fold_changes",))):
        table, options = example(call.__name__)
        plain = call(table, **options)
        shuffled = table.iloc[rng.permutation(len(table))].assign(donor=lambda t: "Z" + t["donor"].str[::-1])
        again = call(shuffled, **options)
        for name in tables:
            keys = [key for key in ("arm", "family") if key in plain.tables[name]]
            first, second = (result.tables[name].set_index(keys).sort_index() for result in (plain, again))
            assert len(first)
            pd.testing.assert_frame_equal(first, second, rtol=1e-5)
