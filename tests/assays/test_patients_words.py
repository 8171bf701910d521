"""Words of an outcome's column, and rows of one patient: joined, listed, asked about or refused, never silent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from senexo.assays._response.assay import response
from senexo.assays._survival.assay import survival
from senexo.assays.patients.outcome import same_word
from senexo.assays.result import AssayResult
from senexo.base.errors import InvalidInput
from senexo.base.table import read_table

FOLDER = Path(__file__).parent


def case(name: str) -> pd.DataFrame:
    return read_table(FOLDER / "cases" / f"{name}.csv")


def said(result: AssayResult) -> str:
    return " ".join(result.notes)


def test_words_of_an_event_are_joined_listed_and_counted() -> None:
    """Made-up case ev.csv: 'dead' is 'Dead', 'Unknown' is not known, 'Lost' and 'Relapse' are said to be no event."""
    found = survival(case("ev"), time="months", event="status=Dead", group="arm")
    groups = found.tables["groups"].set_index("group")
    assert groups["n_events"].to_dict() == {"a": 2, "b": 2}
    assert groups["n"].to_dict() == {"a": 4, "b": 3}
    assert "'Dead' 3, 'dead' 1 are the event; taken as no event: 'Alive' 1, 'Lost' 1, 'Relapse' 1" in said(found)
    assert "not known, left out: 'Unknown' 1" in said(found)
    assert "status: 'Dead', 'dead' are taken as one word" in said(found)


def test_words_for_not_known_can_be_named() -> None:
    found = survival(case("ev"), time="months", event="status=Dead", group="arm", unknown="Unknown|Lost")
    assert found.tables["groups"].set_index("group")["n"].to_dict() == {"a": 4, "b": 2}
    assert "not known, left out: 'Lost' 1, 'Unknown' 1" in said(found) or "'Unknown' 1, 'Lost' 1" in said(found)
    several = survival(case("ev"), time="months", event="status=dead|relapse", group="arm")
    assert several.tables["groups"].set_index("group")["n_events"].to_dict() == {"a": 3, "b": 2}


def test_words_of_a_response_are_joined_and_unknown_ones_left_out() -> None:
    """Made-up case resp.csv: a 2 of 4, b 2 of 3 whose response is known."""
    found = response(case("resp"), response="rem=CR", group="grp")
    shares = found.tables["shares"].set_index("group")
    assert shares["n_response"].to_dict() == {"a": 2, "b": 2}
    assert shares["n"].to_dict() == {"a": 4, "b": 3}
    assert "rem: 'CR' 3, 'cr' 1 are the response; taken as no response: 'PD' 3" in said(found)


def test_a_column_of_the_opposite_is_asked_about() -> None:
    """Made-up case cens.csv."""
    with pytest.raises(InvalidInput, match="by its name the opposite, expected censored=0 if that means the event"):
        survival(case("cens"), time="months", event="censored", group="arm")
    events = survival(case("cens"), time="months", event="censored=0", group="arm").tables["groups"]["n_events"]
    assert events.sum() == 4
    assert (
        survival(case("cens"), time="months", event="censored=1", group="arm").tables["groups"]["n_events"].sum() == 2
    )


@pytest.mark.parametrize("name", ["alive", "Survived", "os_censored", "censor", "still_living", "event-free"])
def test_names_of_the_opposite(name: str) -> None:
    table = pd.DataFrame({"months": [1.0, 2, 3, 4], name: ["yes", "no", "yes", "no"], "arm": list("abab")})
    with pytest.raises(InvalidInput, match=f"expected {name}=no if that means the event, or {name}=yes"):
        survival(table, time="months", event=name, group="arm")


@pytest.mark.parametrize("name", ["survival_event", "os", "dead", "relive"])
def test_other_names_are_not_asked_about(name: str) -> None:
    table = pd.DataFrame({"months": [1.0, 2, 3, 4], name: [1, 0, 1, 1], "arm": list("abab")})
    survival(table, time="months", event=name, group="arm")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Dead", "dead ", True), ("CR", "cr.", True), ("non-relapse", "Non relapse", True), ("1", "1.0", True),
        ("N/A", "n.a.", True), ("MRD+", "MRD-", False), ("MRD-", "MRD", False), ("CR", "CRi", False),
        ("1.5", "15", False), ("3-4", "34", False), ("7+3", "73", False),
    ],
)  # fmt: skip
def test_which_words_are_one(one: str, other: str, same: bool) -> None:
    assert (same_word(one) == same_word(other)) == same


PATIENTS = {"id": [1, 2, 3, 4, 5, 6], "months": [3.0, 5, 8, 2, 9, 4], "dead": [1, 0, 1, 1, 0, 1], "arm": list("ababab")}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"id": [1, 2, 2, 3, 4, 5]},
            "column id: found '2' in rows 3 and 4, 1 of 5 names in several rows, expected one",
        ),
        ({"id": [1, 1, 2, 2, 3, 3]}, "3 of 3 names in several rows"),
        ({"Patient ID": list("xxyyzz")}, "column Patient ID: found 'x' in rows 2 and 3"),
        ({"subject_no": [7, 8, 9, 7, 8, 9]}, "column subject_no"),
    ],
)
def test_rows_of_one_patient_are_refused(change: dict[str, Sequence[object]], message: str) -> None:
    table = pd.DataFrame(PATIENTS | change)
    with pytest.raises(InvalidInput) as error:
        survival(table, time="months", event="dead", group="arm")
    assert message in str(error.value)
    with pytest.raises(InvalidInput) as error:
        response(table, response="dead", group="arm")
    assert message in str(error.value)


def test_names_that_repeat_rightly_are_not_refused() -> None:
    """Of centres, of groups that are asked for, and where the call says which column names patients."""
    table = pd.DataFrame(PATIENTS | {"centre_id": list("xxyyzz"), "sample": list("ppqqrr")})
    survival(table, time="months", event="dead", group="arm")
    survival(table.assign(subject=list("xyxyxy")), time="months", event="dead", group="subject")
    survival(table.assign(pat_no=[1, 1, 2, 2, 3, 3]), time="months", event="dead", group="arm", patient="id")


def test_start_stop_intervals_are_refused_without_an_id() -> None:
    table = pd.DataFrame({
        "tstart": [0.0, 3, 5, 0, 2, 0, 4, 0], "tstop": [3.0, 5, 9, 2, 6, 4, 7, 8], "dead": [0, 0, 1, 0, 1, 0, 0, 1],
        "arm": list("aaabbaab"),
    })  # fmt: skip
    with pytest.raises(InvalidInput, match="columns tstart and tstop: found 4 rows begin where the row before ends"):
        survival(table, time="tstop", event="dead", group="arm")
    with pytest.raises(InvalidInput, match="rows begin where the row before ends"):
        survival(table, time="tstop", event="dead", group="arm", entry="tstart")
