"""Wrong tables of patients: one clear message each, naming row and column; any other table gives an answer."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from senexo.assays._survival.assay import survival
from senexo.base.errors import InvalidInput, UnsupportedFeature

TABLE = {
    "months": [3.0, 12.5, 7.0, 20.0, 1.5, 9.0, 14.0, 5.0], "dead": [1, 0, 1, 0, 1, 1, 0, 1], "arm": list("aabbabab"),
    "level": [1.0, 2.5, 3.0, 1.5, 4.0, 2.0, 0.5, 3.5], "age": [60, 55, 71, 48, 66, 59, 62, 70],
    "id": list("stuvwxyz"),
}  # fmt: skip
THERE = "found no such column (there are: months, dead, arm, level, age, id)"


def put(column: str, value: Any, row: int = 1) -> dict[str, list[Any]]:
    """One cell of a column changed, by default that of row 3 of the spreadsheet."""
    return {column: [value if i == row else cell for i, cell in enumerate(TABLE[column])]}


def begin(value: Any) -> dict[str, list[Any]]:
    """A column of entries, 0 but for row 3 of the spreadsheet."""
    return {"begin": [0.0, value, *[0.0] * 6]}


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        # columns that are missing, twice, or asked for two things
        ({}, {"time": "weeks", "group": "arm"}, f"column weeks: {THERE}"),
        ({}, {"event": "died", "group": "arm"}, f"column died: {THERE}"),
        ({}, {"group": "amr"}, f"column amr: {THERE}"),
        ({}, {"value": "level", "adjust": "sex"}, f"column sex: {THERE}"),
        ({}, {"value": "level", "strata": "centre"}, f"column centre: {THERE}"),
        ({}, {"value": "levle"}, "found 'levle', expected a column (months, dead, arm, level, age, id)"),
        ({}, {"group": "dead"}, "column dead in two roles"),
        ({}, {"group": "arm", "adjust": "arm"}, "column arm in two roles"),
        ({}, {"value": "log2(months)"}, "column months in two roles"),
        # times
        (put("months", -2.0), {"group": "arm"}, "row 3, column months: found '-2', expected a number >= 0"),
        (put("months", "two years"), {"group": "arm"}, "row 3, column months: found 'two years', expected a number"),
        (put("months", "12,5"), {"group": "arm"}, "row 3, column months: found '12,5', expected a number >= 0 with a"),
        (put("months", math.inf), {"group": "arm"}, "row 3, column months: found 'inf'"),
        ({"months": [0] * 8}, {"group": "arm"}, "no row with a time in column months"),
        ({"months": [""] * 8}, {"group": "arm"}, "no row with a time in column months"),
        # events
        (put("dead", 2), {"group": "arm"}, "row 3, column dead: found '2', expected true or false"),
        (put("dead", "lost"), {"group": "arm"}, "row 3, column dead: found 'lost'"),
        ({"dead": ["gone", "alive"] * 4}, {}, "yes and no, or a value that means yes, as dead=gone"),
        ({"dead": [0] * 8}, {"group": "arm"}, "column dead: found no event, expected at least one"),
        ({"dead": [""] * 8}, {"group": "arm"}, "no row with a time in column months and yes or no in column dead"),
        ({}, {"event": "arm=c"}, "event: found no row with 'c' in column arm, expected one of a, b"),
        # groups
        ({"arm": ["a"] * 8}, {"group": "arm"}, "column arm: found only the group a, expected two groups"),
        ({"arm": [""] * 8}, {"group": "arm"}, "column arm: found no group, expected two groups"),
        ({}, {"group": "arm", "control": "c"}, "control: found 'c', expected a group: a, b"),
        ({}, {"value": "level", "control": "a"}, "control: found 'a' without a group"),
        ({}, {"group": "arm", "value": "level"}, "value: found a value besides a group"),
        # levels and covariates
        (put("level", "high"), {"value": "level"}, "row 3, column level: found 'high', expected a number"),
        (put("level", math.inf), {"value": "level"}, "row 3, column level: found 'inf'"),
        (put("level", -1), {"value": "log2(level)"}, "row 3, log2(level): found -1, expected a number > 0"),
        ({}, {"value": "log2(level"}, "'log2(level', character 11: found the end"),
        (put("age", "old"), {"value": "level", "adjust": "age"}, "row 3, column age: found 'old', expected a number"),
        (put("level", 2.5), {"value": "level", "kind": "counts"}, "row 3, column level: found '2.5', expected a whole"),
        ({}, {"value": "level", "kind": "reads"}, "kind: found 'reads', expected one of counts, rpm, other"),
        ({}, {"value": "level", "min_reads": -1}, "min_reads: found -1"),
        # cuts and times to judge
        ({}, {"value": "level", "cut": "best"}, "cut: found 'best', expected median, optimal or a number"),
        ({}, {"value": "level", "cut": math.nan}, "cut: found 'nan'"),
        ({}, {"group": "arm", "cut": "median"}, "cut: found 'median' without a value"),
        ({}, {"value": "level", "cut": "optimal", "strata": "arm"}, "a search within strata is not done"),
        ({}, {"group": "arm", "until": -3.0}, "until: found -3, expected a time > 0"),
        ({}, {"group": "arm", "until": 50.0}, "until: found 50, expected at most 14: no patient of arm a was followed"),
        # late entry, competing events, words for not known
        ({}, {"group": "arm", "entry": "begin"}, f"column begin: {THERE}"),
        ({}, {"group": "arm", "entry": "months"}, "column months in two roles"),
        (begin(12.5), {"group": "arm", "entry": "begin"}, "row 3, column begin: found 12.5, expected less than"),
        (begin("soon"), {"group": "arm", "entry": "begin"}, "row 3, column begin: found 'soon'"),
        (begin(-1), {"group": "arm", "entry": "begin"}, "row 3, column begin: found '-1', expected a number >= 0"),
        (begin(1), {"value": "log2(begin + 1)", "entry": "begin"}, "column begin in two roles"),
        ({}, {"value": "level", "cut": "optimal", "entry": "age"}, "a search of late entrants is not done"),
        ({}, {"value": "level", "cut": "optimal", "competing": "id=s"}, "a search by Gray's test is not done"),
        ({}, {"group": "arm", "competing": "relapse"}, f"column relapse: {THERE}"),
        ({}, {"group": "arm", "competing": "dead"}, "competing: found 'dead' beside the event 'dead'"),
        ({}, {"event": "id=s", "competing": "id=s|t"}, "competing: found 'id=s|t' beside the event 'id=s'"),
        ({}, {"group": "arm", "competing": "id=q"}, "competing: found no row with 'q' in column id, expected one of s"),
        ({}, {"group": "arm", "competing": "arm=a"}, "column arm in two roles"),
        ({}, {"event": "id=s", "unknown": "lost"}, "unknown: found no row with 'lost' in column id, expected one of s"),
        ({}, {"event": "id=s|t", "unknown": "t"}, "event: found 't', which is a word for not known"),
        ({}, {"event": "id=s|q"}, "event: found no row with 'q' in column id, expected one of s"),
        # rows: twice, nameless, left out, none
        (put("id", "s", 7), {"group": "arm", "patient": "id"}, "row 9: found the id of row 2 again"),
        (put("id", ""), {"group": "arm", "patient": "id"}, "row 3, column id: found an empty cell"),
        ({}, {"group": "arm", "exclude": "arm=c"}, "exclude, column arm: found no row with 'c', expected one of 'a'"),
        ({}, {"group": "arm", "exclude": "amr=a"}, "exclude: found 'amr=a', expected COLUMN=VALUE of a column"),
        ({}, {"group": "arm", "exclude": ["arm=a", "arm=b"]}, "exclude: found no row left"),
        ({name: [] for name in TABLE}, {"value": "level"}, "no row of data"),
    ],
)  # fmt: skip
def test_wrong_tables_are_told(change: dict[str, list[Any]], options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as told:
        survival(pd.DataFrame({**TABLE, **change}), **{"time": "months", "event": "dead", **options})
    assert message in str(told.value)
    assert len({*told.value.faults}) == len(told.value.faults) == 1 or message == "no row of data" or "kind" in options


def test_a_column_that_is_there_twice_is_told() -> None:
    table = pd.DataFrame(TABLE)
    with pytest.raises(InvalidInput, match="column age: found several of that name"):
        survival(pd.concat([table, table[["age"]]], axis=1), time="months", event="dead", group="arm", adjust="age")


def test_all_faults_come_at_once() -> None:
    table = pd.DataFrame({**TABLE, **put("months", "soon"), **put("dead", "so", 2), **put("level", "low", 3)})
    with pytest.raises(InvalidInput) as told:
        survival(table, time="months", event="dead", value="level")
    assert [fault.where for fault in told.value.faults] == [
        "table: row 3, column months", "table: row 4, column dead", "table: row 5, column level",
    ]  # fmt: skip


@pytest.mark.parametrize("ties", ["exact", "breslow"])
def test_ties_that_are_not_computed_are_refused_by_name(ties: str) -> None:
    with pytest.raises(UnsupportedFeature, match=f"ties = '{ties}'"):
        survival(pd.DataFrame(TABLE), time="months", event="dead", group="arm", ties=ties)


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({"level": [2.0] * 8}, {"value": "level"}, "level (unadjusted): not testable, it is the same in all patients"),
        ({"level": [""] * 8}, {"value": "level"}, "level (unadjusted): not testable, it is empty"),
        ({}, {"value": "level", "cut": 9}, "not testable, no patient has a value above 9"),
        ({}, {"value": "level", "strata": "id"}, "not testable, patients at risk together do not differ"),
        ({}, {"value": "level", "adjust": "id"}, "(adjusted for id): not testable, covariates that say the same"),
        ({}, {"group": "arm", "exclude": [f"id={name}" for name in "tuwxz"]}, "no two groups were at risk together"),
    ],
)
def test_what_cannot_be_tested_is_said(change: dict[str, list[Any]], options: dict[str, Any], words: str) -> None:
    table = pd.DataFrame({**TABLE, **change})
    if "exclude" in options:  # of arm b only v is left, and lost before s of arm a dies
        table.loc[table["id"].isin(["v", "y"]), "months"] = [2.0, 1.0]
    found = survival(table, time="months", event="dead", **options)
    assert "not testable" in {finding.verdict for finding in found.findings}
    assert words in found.sentence


def test_what_is_left_out_is_counted() -> None:
    table = pd.DataFrame({**TABLE, **put("months", 0.0), **put("dead", "", 2), **put("arm", "", 3)})
    table["months"] = table["months"].astype(object)
    table.loc[4, "months"] = ""
    notes = survival(table, time="months", event="dead", group="arm").notes
    assert "2 of 8 rows are left out: no time or no event" in notes
    assert any(note.startswith("1 of 8 rows is left out: time 0, 0 of them with the event") for note in notes)
    assert "1 of 5 patients has no arm and is no part" in notes


def test_one_death_and_one_patient_have_no_interval() -> None:
    """Where the bounds of a curve tell nothing the interval is missing, never one that leaves out its own median."""
    table = pd.DataFrame(TABLE).head(3).assign(arm=["a", "b", "c"])
    groups = survival(table, time="months", event="dead", group="arm").tables["groups"].set_index("group")
    assert groups["median"].to_list() == [3.0, math.inf, 7.0]
    assert groups[["median_low", "median_high"]].isna().all(axis=None)


cells = st.one_of(st.sampled_from(["", "x", "NA", "inf", "1e400", "-1", "0", "1", "yes", "no"]), st.floats(-5, 5))
TIMES = st.one_of(st.integers(0, 9), st.floats(0.01, 1e3), st.sampled_from(["", 1e-300, 1e300]))
EVENTS = st.one_of(st.sampled_from([0, 1]), st.sampled_from([0, 1, "yes", "no", ""]))


@settings(max_examples=150)
@given(
    st.lists(st.tuples(TIMES, EVENTS, st.sampled_from(["a", "b", "c", ""]), st.integers(-3, 3), st.one_of(
        st.integers(-3, 3), cells)), max_size=14),
    st.sampled_from(["level", "level", "arm", "level / other", None]),
    st.sampled_from([None, "median", "optimal", 0.5]), st.sampled_from([(), ("other",), ("arm",)]),
    st.sampled_from([(), ("arm",)]), st.sampled_from([None, 2.0]),
)  # fmt: skip
def test_any_table_gives_an_answer_or_a_message(
    rows: list[Any], asked: str | None, cut: Any, adjust: tuple[str, ...], strata: tuple[str, ...], until: float | None
) -> None:
    table = pd.DataFrame(rows, columns=["days", "dead", "arm", "level", "other"])
    question: dict[str, Any] = {"value": asked, "cut": cut if asked else None, "adjust": adjust, "strata": strata}
    if asked == "arm":
        question = {"group": "arm", "adjust": [name for name in adjust if name != "arm"]}
    with suppress(InvalidInput):
        found = survival(table, time="days", event="dead", until=until, **question)
        json.loads(found.to_json())
        assert found.sentence
        found.figure()
        for finding in found.findings:
            assert finding.p_value is None or 0.0 <= finding.p_value <= 1.0
            if finding.estimate is not None and finding.low is not None and finding.high is not None:
                assert finding.low <= finding.estimate * (1 + 1e-9) + 1e-12
                assert finding.estimate <= finding.high * (1 + 1e-9) + 1e-12
