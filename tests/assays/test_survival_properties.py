"""Properties of survival of any cohort: an answer or its faults, and invariance to order, names and units."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from senexo.assays._survival.assay import SurvivalResult, survival
from senexo.assays.stats.cox import cox
from senexo.assays.stats.cox_likelihood import Partial
from senexo.base.errors import InvalidInput

COHORT: dict[str, list[Any]] = {
    "days": [5, 8, 8, 12, 20, 33, 41, 60], "dead": [1, 1, 0, 1, 1, 0, 1, 0], "arm": ["a", "b"] * 4,
    "age": [61, 48, 55, 70, 39, 66, 58, 52], "site": ["x"] * 4 + ["y"] * 4, "mir": [3, 8, 1, 9, 12, 4, 7, 30],
}  # fmt: skip
HUGE = [3, 8, 1, 1e99, 12, 4, 7, 30]


@pytest.mark.parametrize(
    ("change", "options", "reason"),
    [
        ({"age": [50] * 8}, {"group": "arm", "adjust": "age"}, "age is the same in all patients"),
        ({"site": ["x"] * 8}, {"group": "arm", "adjust": "site"}, "site is the same in all patients"),
        ({"age": [None] * 8}, {"group": "arm", "adjust": "age"}, "no patient with all of its columns"),
        ({"age": [1, 0] * 4}, {"group": "arm", "adjust": "age"}, "covariates that say the same, or too few events"),
        (
            {"mir": HUGE},
            {"value": "mir * mir * mir", "adjust": "age"},
            "numbers too large or too small to compute with",
        ),
        ({}, {"value": "mir", "cut": 0, "adjust": "age"}, "no patient has a value up to 0"),
    ],
)
def test_a_model_that_cannot_be_fitted_names_the_reason(
    change: dict[str, list[Any]], options: dict[str, Any], reason: str
) -> None:
    result = survival(pd.DataFrame({**COHORT, **change}), time="days", event="dead", **options)
    [row] = result.tables["cox"].query("role == 'asked' and model == 'adjusted'").to_dict("records")
    assert row["verdict"] == "not testable"
    assert reason in row["problem"]
    assert reason in result.sentence
    assert math.isnan(row["p_value"])


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"site": [""] * 8}, {"group": "arm", "strata": "site"}, "column site: found no patient with a stratum"),
        ({"mir": HUGE}, {"value": "mir * mir * mir * mir"}, "row 5, .*: found inf, expected a finite number"),
        ({}, {"value": "mir", "adjust": "mir"}, "column mir in two roles"),
        ({}, {"event": "dead=1", "group": "dead"}, "column dead in two roles"),
        ({}, {"value": "age / (mir - 7)"}, "row 8, divisor"),
    ],
)
def test_wrong_questions_are_told(change: dict[str, list[Any]], options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        survival(pd.DataFrame({**COHORT, **change}), **{"time": "days", "event": "dead", **options})


def test_too_many_groups_are_told() -> None:
    table = pd.DataFrame(COHORT).loc[list(range(8)) * 2].assign(arm=[f"arm {i}" for i in range(16)])
    with pytest.raises(InvalidInput, match=r"column arm: found 16 different names .*, expected at most 12 groups"):
        survival(table, time="days", event="dead", group="arm")


ROWS = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3, 5.5, 8, 13, 400]), st.booleans(), st.sampled_from(["a", "b", "c", ""]),
        st.sampled_from([0, 1, 2, 2.5, 7, 1e3, None]), st.sampled_from([1, 2, 3, 50, None]),
        st.sampled_from(["x", "y"]),
    ),
    min_size=1, max_size=14,
)  # fmt: skip
QUESTIONS = st.sampled_from([
    {}, {"group": "arm"}, {"group": "arm", "adjust": ["age", "site"]}, {"group": "arm", "strata": "site"},
    {"value": "mir"}, {"value": "mir", "adjust": ["age", "site"]}, {"value": "log2(mir + 1)", "strata": "site"},
    {"value": "mir", "cut": "median", "adjust": "age"}, {"value": "mir", "cut": 2}, {"value": "mir", "cut": "optimal"},
    {"value": ["mir", "age"], "cut": "median"}, {"value": ["mir", "age", "mir - age"], "adjust": "site"},
])  # fmt: skip


@settings(max_examples=60, deadline=None, derandomize=True)
@given(ROWS, QUESTIONS)
@example([(1, True, "a", 1, 1, "x")], {"value": "mir", "cut": "optimal"})  # one patient
@example([(1, True, "a", 1, 1, "x"), (2, True, "b", 2, 1, "x")], {"group": "arm", "adjust": ["age", "site"]})
def test_a_sound_cohort_is_refused_only_where_nothing_is_to_be_compared(
    rows: list[tuple[Any, ...]], question: dict[str, Any]
) -> None:
    table = pd.DataFrame(rows, columns=["days", "dead", "arm", "mir", "age", "site"])
    try:
        result = survival(table, time="days", event="dead", **question)
    except InvalidInput:
        assert not table["dead"].any() or table["arm"].replace("", None).nunique() < 2
        return
    for name in ("cox", "logrank", "means", "models", "proportional", "cuts"):
        p = result.tables[name]["p_value"].to_numpy(dtype=float)
        assert (np.isnan(p) | ((p >= 0) & (p <= 1))).all(), name
    for name, columns in (
        ("cox", ["low", "hazard_ratio", "high"]), ("groups", ["mean_low", "mean", "mean_high"]),
        ("groups", ["median_low", "median", "median_high"]), ("means", ["low", "difference", "high"]),
    ):  # fmt: skip
        ends = result.tables[name][columns].to_numpy(dtype=float)
        wrong = ends[:, :-1] > ends[:, 1:] + 1e-9  # nan is neither
        assert not wrong.any(), columns
    assert len({finding.id for finding in result.findings}) == len(result.findings)


CELLS = st.sampled_from([0, 1, 7, "3", "1e300", "inf", "x", "yes", "", None, -2, 1e-9, 2.5, True])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(*[CELLS] * 4), max_size=8),
    st.sampled_from([["days", "dead", "arm", "mir"], ["days", "dead", "arm", "arm"], ["days", "dead", "mir", "all"]]),
    QUESTIONS | st.just({"exclude": "arm=x", "group": "arm"}) | st.just({"group": "all", "until": 1.0}),
)
def test_messy_tables_give_an_answer_or_their_faults(
    rows: list[tuple[object, ...]], columns: list[str], question: dict[str, Any]
) -> None:
    with suppress(InvalidInput):
        result = survival(pd.DataFrame(rows, columns=columns, dtype=object), time="days", event="dead", **question)
        json.loads(result.to_json())


ASKED = st.sampled_from([
    {"group": "arm", "control": "b"}, {"group": "arm", "control": "b", "adjust": ["age"]},
    {"group": "arm", "control": "b", "strata": "site"}, {"value": "mir", "adjust": ["age"]},
    {"value": "mir", "cut": "median"}, {"value": "mir", "cut": "optimal"},
])  # fmt: skip


@settings(max_examples=36, deadline=None, derandomize=True)
@given(
    st.integers(0, 10**6), ASKED, st.permutations(range(24)), st.permutations(["lo", "10", "9"]),
    st.sampled_from([1.0, 1 / 30.4375, 7.0, 86400.0]),
)  # fmt: skip
def test_order_of_rows_names_of_groups_and_unit_of_time_do_not_matter(
    seed: int, question: dict[str, Any], order: list[int], names: list[str], unit: float
) -> None:
    """P-values and ratios stay, of a searched cut too; times follow their unit."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({
        "days": rng.integers(1, 15, 24).astype(float), "dead": rng.random(24) < 0.7,
        "arm": rng.permutation(list("abc") * 8), "mir": rng.integers(0, 20, 24), "age": rng.integers(30, 80, 24),
        "site": rng.choice(["x", "y"], 24),
    })  # fmt: skip
    first = survival(table, time="days", event="dead", **question)
    new = dict(zip("abc", names, strict=True))
    other = table.assign(days=table["days"] * unit, arm=table["arm"].map(new)).iloc[list(order)]
    renamed = {**question, "control": new["b"]} if "control" in question else question
    again = survival(other.reset_index(drop=True), time="days", event="dead", **renamed)

    def told(result: SurvivalResult, name: str, columns: list[str], names: dict[str, str]) -> pd.DataFrame:
        found = result.tables[name]
        for column in ("group", "control", "term"):
            if column in found:
                words = found[column].map(lambda text: " ".join(names.get(word, word) for word in text.split()))
                found = found.assign(**{column: words})
        keys = [column for column in ("value", "model", "test", "term", "group") if column in found]
        return found.set_index(keys)[columns].astype(float).sort_index()

    for name, columns, factor in (
        ("cox", ["hazard_ratio", "low", "high", "p_value", "p_holm"], 1.0), ("logrank", ["chi_square", "p_value"], 1.0),
        ("models", ["concordance", "log_likelihood", "p_value"], 1.0), ("proportional", ["chi_square", "p_value"], 1.0),
        ("means", ["p_value", "p_holm"], 1.0), ("cuts", ["cut", "statistic", "p_value"], 1.0),
        ("means", ["difference", "low", "high"], unit), ("groups", ["median", "median_low", "median_high"], unit),
        ("groups", ["mean", "mean_low", "mean_high", "follow_up"], unit),
    ):  # fmt: skip
        expected = told(first, name, columns, new) * factor
        pd.testing.assert_frame_equal(told(again, name, columns, {}), expected, rtol=1e-6, atol=1e-9 * factor)


def test_firth_reaches_the_top_where_separation_is_near() -> None:
    """A cohort on which Fisher's steps alone end short of it; against scipy's minimiser."""
    from scipy.optimize import minimize

    days = np.array([5.5, 3, 3, 1, 8, 3, 13, 8, 8, 5.5, 1, 1, 1])
    dead = np.isin(np.arange(13), [2, 6])
    level, site = [1000, 1, 2, 7, 2, 1000, 1, 2, 2, 1000, 7, 7, 7], [1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 1]
    x = np.column_stack([level, site]).astype(float)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    none = np.zeros(13, np.int64)
    model = Partial(days, dead, x, none)
    fit = cox(days, dead, x, none, [[0], [1]])
    assert not isinstance(fit, str)
    assert fit.method == "Firth"

    def loss(b: np.ndarray) -> float:
        return -model.log_likelihood(b) - 0.5 * float(np.linalg.slogdet(model.score(b)[1])[1])

    theirs = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-14})
    assert [one.value for one in fit.coefficients] == pytest.approx(theirs.x.tolist(), rel=1e-5)
