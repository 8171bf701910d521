"""Wrong tables of responders: one clear message each, naming row and column; any other table gives an answer."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from senexo.assays._response.assay import response
from senexo.base.errors import InvalidInput

TABLE = {"cr": [1, 0, 1, 0, 1, 0], "arm": list("aabbab"), "level": [1.0, 2.5, 3.0, 1.5, 4.0, 2.0], "id": list("uvwxyz")}


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"response": "remission", "value": "level"}, "column remission"),
        ({"cr": [1, 0, "perhaps", 0, 1, 0]}, {"value": "level"}, "row 4, column cr: found 'perhaps'"),
        ({"cr": [1, 0, 2, 0, 1, 0]}, {"value": "level"}, "row 4, column cr: found '2'"),
        ({"cr": [1] * 6}, {"value": "level"}, "column cr: found every patient responded"),
        ({"cr": [0] * 6}, {"group": "arm"}, "column cr: found no patient responded"),
        ({"cr": [""] * 6}, {"group": "arm"}, "column cr: found no row with a response"),
        ({"level": [1, 2, "high", 4, 5, 6]}, {"value": "level"}, "row 4, column level: found 'high'"),
        ({"level": [1, 2, float("inf"), 4, 5, 6]}, {"value": "level"}, "row 4, column level"),
        ({"arm": ["a"] * 6}, {"group": "arm"}, "column arm: found only the group a"),
        ({"arm": [""] * 6}, {"group": "arm"}, "column arm: found no group"),
        ({}, {"group": "arm", "control": "c"}, "control: found 'c', expected a group: a, b"),
        ({}, {"value": "levle"}, "levle"),
        ({}, {"value": "log2(level"}, "log2(level"),
        ({}, {"value": "level", "cut": "best"}, "cut: found 'best', expected median or a number"),
        ({}, {"value": "level", "cut": "optimal"}, "a cut that is searched for would be fitted to the answer"),
        ({}, {"group": "arm", "cut": "median"}, "cut: found 'median' without a value"),
        ({}, {}, "value: found neither a group nor a value"),
        ({}, {"group": "arm", "value": "level"}, "value: found a value besides a group"),
        ({}, {"value": "level", "control": "a"}, "control: found 'a' without a group"),
        ({}, {"value": "level", "method": "ridge"}, "method: found 'ridge', expected one of auto, firth"),
        ({}, {"response": "cr", "group": "cr"}, "column cr in two roles"),
        ({"id": list("uvwxyu")}, {"value": "level", "patient": "id"}, "row 7"),
        (
            {},
            {"response": "id", "value": "level"},
            "column id: found 'u', 'v', 'w' in 6 rows, expected yes and no, or a value that means yes, as id=u",
        ),
        ({}, {"response": "arm=c", "value": "level"}, "response: found no row with 'c' in column arm"),
        ({}, {"response": "arm=a|d", "value": "level"}, "response: found no row with 'd' in column arm"),
        ({}, {"value": "level", "adjust": "sex"}, "column sex"),
        ({name: [] for name in TABLE}, {"value": "level"}, "no row of data"),
        ({}, {"value": "level", "kind": "reads"}, "kind: found 'reads'"),
        ({}, {"value": "level", "kind": "counts"}, "row 3, column level: found '2.5', expected a whole number"),
    ],
)
def test_wrong_tables_are_told(change: dict[str, list[Any]], options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as told:
        response(pd.DataFrame({**TABLE, **change}), **{"response": "cr", **options})
    assert message in str(told.value)


def test_all_faults_come_at_once() -> None:
    table = pd.DataFrame({**TABLE, "cr": [1, 0, "x", 0, 1, "y"], "level": [1, 2, "z", 4, 5, 6]})
    with pytest.raises(InvalidInput) as told:
        response(table, response="cr", value="level")
    assert all(word in str(told.value) for word in ("'x'", "'y'", "'z'"))


@pytest.mark.parametrize(
    ("change", "options", "verdict", "words"),
    [
        ({"level": [2.0] * 6}, {"value": "level"}, "not testable", "the same in all patients"),
        ({"level": [""] * 6}, {"value": "level"}, "not testable", "it is empty"),
        ({}, {"value": "level", "cut": 9}, "not testable", "no patient has a value above 9"),
        ({"cr": [1, 1, 1, 0, 1, ""]}, {"value": "level", "adjust": "arm"}, "not testable", "3 patients for"),
    ],
)  # fmt: skip
def test_what_cannot_be_tested_is_said(
    change: dict[str, list[Any]], options: dict[str, Any], verdict: str, words: str
) -> None:
    table = pd.DataFrame({**TABLE, **change})
    if words.startswith("3 "):
        table.loc[[0, 1], "arm"] = ""
    found = response(table, response="cr", **options)
    assert verdict in {finding.verdict for finding in found.findings}
    assert words in found.sentence


cells = st.one_of(st.sampled_from(["", "x", "NA", "inf", "1e400", "-1", "0", "1", "yes", "no"]), st.floats(-5, 5))
RESPONSES = st.one_of(st.sampled_from([0, 1]), st.sampled_from([0, 1, "yes", "no", ""]))


@settings(max_examples=60)
@given(
    st.lists(st.tuples(RESPONSES, st.sampled_from(["a", "b", "c", ""]), st.integers(-3, 3), st.one_of(
        st.integers(-3, 3), cells)), max_size=14),
    st.sampled_from(["level", "level", "arm", "level / other", "log2(other)"]), st.sampled_from([None, "median", 0.5]),
    st.sampled_from([(), ("other",), ("arm",)]), st.sampled_from(["auto", "firth"]),
)  # fmt: skip
def test_any_table_gives_an_answer_or_a_message(
    rows: list[Any], asked: str, cut: Any, adjust: tuple[str, ...], method: str
) -> None:
    table = pd.DataFrame(rows, columns=["cr", "arm", "level", "other"])
    with suppress(InvalidInput):
        if asked == "arm":
            found = response(table, response="cr", group="arm", adjust=[x for x in adjust if x != "arm"])
        else:
            found = response(table, response="cr", value=asked, cut=cut, adjust=adjust, method=method)
        json.loads(found.to_json())
        assert found.sentence
        found.figure()
        for finding in found.findings:
            assert finding.p_value is None or 0.0 <= finding.p_value <= 1.0
            if finding.estimate is not None and finding.low is not None and finding.high is not None:
                assert finding.low <= finding.estimate * (1 + 1e-9)
                assert finding.estimate <= finding.high * (1 + 1e-9)
