"""Wrong tables of particles: one clear message each, naming the row and column, never a traceback."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from senexo.assays import particles
from senexo.base.errors import InvalidInput

Change = Callable[[pd.DataFrame], pd.DataFrame]


def runs() -> pd.DataFrame:
    rows = [(arm, d, r, 8e7, 20, 5.0, 2e6, 48.0) for arm in ("mock", "kd") for d in "abc" for r in (1, 2)]
    rows += [("medium", "", r, 1e7, 5, 5.0, math.nan, math.nan) for r in (1, 2, 3)]
    names = ["arm", "donor", "replicate", "particles_per_ml", "dilution", "volume_ml", "n_cells", "hours"]
    return pd.DataFrame(rows, columns=names)


def put(column: str, value: object, row: int = 0) -> Change:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table[column] = table[column].astype(object)
        table.loc[row, column] = value
        return table

    return change


def message(table: pd.DataFrame, **options: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        particles(table, **{"blank": "medium", "compare": ("kd", "mock"), **options})
    text = str(caught.value)
    assert all(", expected " in line for line in text.splitlines())
    return text


TABLES: list[tuple[Change, str]] = [
    (lambda t: t.drop(columns="arm"), "column arm: found no such column"),
    (lambda t: t.drop(columns="donor"), "column donor: found no such column"),
    (lambda t: t.drop(columns="particles_per_ml"), "column particles_per_ml: found no such column"),
    (lambda t: t.drop(columns="dilution"), "column dilution: found no such column"),
    (lambda t: t.drop(columns="n_cells"), "column n_cells: found no such column"),
    (lambda t: t.drop(columns="hours"), "column hours: found no such column"),
    (lambda t: t.drop(columns="replicate"), "row 3: found the arm, donor of row 2 again"),
    (put("arm", ""), "row 2, column arm: found an empty cell"),
    (put("donor", ""), "row 2, column donor: found an empty cell, expected a name"),
    (put("particles_per_ml", "many", 3), "row 5, column particles_per_ml: found 'many', expected a number >= 0"),
    (put("particles_per_ml", -1e7, 3), "row 5, column particles_per_ml: found '-10000000'"),
    (put("particles_per_ml", math.nan), "row 2, column particles_per_ml: found an empty cell"),
    (put("particles_per_ml", math.inf), "found 'inf'"),
    (put("particles_per_ml", "8,5"), "with a decimal point"),
    (put("dilution", 0.05), "row 2, column dilution: found '0.05', expected a number >= 1"),
    (put("dilution", "1:20"), "found '1:20'"),
    (put("volume_ml", 0), "row 2, column volume_ml: found '0', expected a number > 0"),
    (put("n_cells", -5), "row 2, column n_cells: found '-5'"),
    (put("n_cells", 0, 4), "row 6, column n_cells: found '0', expected a number > 0"),
    (put("n_cells", math.nan, 4), "row 6, column n_cells: found an empty cell, expected a number > 0"),
    (put("hours", -48.0, 1), "row 3, column hours: found '-48'"),
    (put("hours", 0.0, 1), "row 3, column hours: found '0', expected a number > 0"),
    (lambda t: t.assign(n_cells_start=0), "column n_cells_start: found '0', expected a number > 0"),
    (lambda t: pd.concat([t, t.iloc[[2]]], ignore_index=True), "row 17: found the arm, donor, replicate of row 4"),
    (lambda t: t.iloc[:0], "no row of data"),
    (lambda t: t[t["arm"] == "medium"], "found only the blank medium, expected samples of cells"),
    (lambda t: t.assign(batch=["x"] * 6 + ["y"] * 6 + ["x"] * 3), "batch y: found no reading of the blank"),
    (lambda t: t.assign(batch=["x", "y"] * 6 + ["x", "y", "y"]), "donor a, arm mock: found readings in several b"),
    (lambda t: t.assign(particles_per_ml=t["particles_per_ml"].where(t["arm"] == "mock", 0.0)), "no particle in any"),
    (lambda t: t.drop(columns="particles_per_ml").assign(particles_per_frame=9.0), "column frame_volume_nl: found no"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), TABLES)
def test_wrong_tables(change: Change, expected: str) -> None:
    assert expected in message(change(runs()))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"blank": "water"}, "blank: found 'water', expected an arm of the table: mock, kd, medium"),
        ({"compare": ("kd", "mok")}, "compare: found 'mok', expected an arm of the table: mock, kd"),
        ({"compare": ("medium", "mock")}, "compare: found 'medium'"),
        ({"compare": ("kd", "kd")}, "compare: found kd with itself, expected two different arms"),
        ({"compare": ("kd",)}, "compare: found '1 names'"),
        ({"design": "nested"}, "design: found 'nested', expected one of paired, unpaired"),
    ],
)
def test_wrong_requests(options: dict[str, Any], expected: str) -> None:
    assert expected in message(runs(), **options)


reading = st.tuples(
    st.sampled_from(["mock", "kd", "medium"]), st.sampled_from("abc"),
    st.one_of(st.floats(0, 1e9), st.just(0.0), st.just(8e7), st.just("x"), st.just(-1.0), st.just(None)),
    st.sampled_from([1, 20, 0, 100.0]), st.sampled_from([2e6, 1e6, 0, None]), st.sampled_from([48.0, 24.0, ""]),
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(reading, max_size=14), st.sampled_from(["paired", "unpaired"]), st.sampled_from(["medium", None]))
def test_any_table_gives_an_answer_or_its_faults(
    rows: list[tuple[object, ...]], design: str, blank: str | None
) -> None:
    names = ["arm", "donor", "particles_per_ml", "dilution", "n_cells", "hours"]
    table = pd.DataFrame(rows, columns=names).assign(volume_ml=5.0, replicate=range(len(rows)))
    try:
        found = particles(table, compare=("kd", "mock"), blank=blank, design=design)
    except InvalidInput:
        return
    assert found.to_json()
    row = found.table.iloc[0]
    if not math.isnan(row["p_value"]):
        assert 0.0 <= row["p_value"] <= 1.0
        assert row["low"] <= row["high"]
        assert (row["p_value"] < 0.05) <= (not row["low"] * (1 + 1e-9) < 1.0 < row["high"] * (1 - 1e-9))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(2e7, 9e8), min_size=6, max_size=6), st.integers(0, 2**31))
def test_names_of_donors_and_the_order_of_rows_do_not_matter(values: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [(arm, donor, values[3 * j + i]) for j, arm in enumerate(("mock", "kd")) for i, donor in enumerate("abc")]
    table = pd.DataFrame(rows, columns=["arm", "donor", "particles_per_ml"])
    table = table.assign(dilution=10, volume_ml=5.0, n_cells=1e6, hours=24.0)
    other = table.sample(frac=1.0, random_state=rng.integers(2**31)).replace({"donor": {"a": "z", "b": "y", "c": "x"}})
    one, two = (particles(t.reset_index(drop=True), compare=("kd", "mock")).table for t in (table, other))
    np.testing.assert_allclose(one[["ratio", "low", "high"]], two[["ratio", "low", "high"]], rtol=1e-9)
