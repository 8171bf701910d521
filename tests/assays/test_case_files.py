"""Files as people keep them, made up for these tests: each is read with the right value, or asked about."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from senexo.assays import dilution, particles, qpcr, response, survival
from senexo.base.errors import InvalidInput
from senexo.base.table import read_table

CASES = Path(__file__).parent / "cases"
GERMAN = {"dose": "Zellen", "tested": "Mäuse", "response": "Engraftment"}


def one_in(table: pd.DataFrame, **options: str) -> dict[str, float]:
    found: dict[str, float] = dilution(table, **options).tables["frequencies"].set_index("group")["one_in"].to_dict()
    return found


@pytest.mark.parametrize("name", ["de", "de1252", "de16"])
def test_ten_thousand_or_ten_is_asked(name: str) -> None:
    """Right values by hand and R: 1 in 1,207 with 10,000 cells; with 10 cells it would be 1 in 57."""
    with pytest.raises(InvalidInput, match=r"row 2, column Zellen: found '10\.000', which is 10 or 10000") as caught:
        dilution(read_table(CASES / f"{name}.csv"), **GERMAN)
    assert len(caught.value.faults) == 1
    comma, point = (one_in(read_table(CASES / f"{name}.csv", decimal=mark), **GERMAN, group="Gruppe") for mark in ",.")
    assert comma["Kontrolle"] == pytest.approx(1207, abs=0.5)
    assert point["Kontrolle"] == pytest.approx(57, abs=0.5)


def test_a_decimal_comma_is_read() -> None:
    units = dilution(read_table(CASES / "de2.csv"), **GERMAN, group="Gruppe").tables["units"]
    assert units["dose"].to_list() == [1000.5, 100.5]


@pytest.mark.parametrize(
    ("name", "names"), [("us", ("dose", "tested", "response")), ("tab", ("dose", "tested", "response")),
                        ("trail", ("Dose", "Tested", "Response"))],
)  # fmt: skip
def test_one_table_in_three_spellings(name: str, names: tuple[str, str, str]) -> None:
    plain = pd.DataFrame({"dose": [10000, 1000, 100], "tested": [6, 6, 6], "response": [6, 3, 0]})
    options = dict(zip(("dose", "tested", "response"), names, strict=True))
    assert one_in(read_table(CASES / f"{name}.csv"), **options) == one_in(plain)


def test_a_line_sep_is_followed() -> None:
    plain = pd.DataFrame({"dose": [1000, 100], "tested": [6, 6], "response": [5, 2]})
    assert one_in(read_table(CASES / "sep.csv")) == one_in(plain)


def test_a_table_without_a_header_is_asked_about() -> None:
    with pytest.raises(InvalidInput, match=r"row 1: found numbers \('1e4', '6', '6'\) and no header"):
        read_table(CASES / "nohead.csv")


def folds(table: pd.DataFrame, **options: object) -> pd.DataFrame:
    found = qpcr(table, target="miR-34c", reference="U6", control="mock", **options)  # type: ignore[arg-type]
    return (
        found.tables["detection"]
        .set_index(["target", "arm"])
        .join(found.tables["fold_changes"].set_index("arm")["fold"])
    )


def test_an_empty_ct_of_a_plain_table_is_no_reading() -> None:
    """Mock has 4 wells of miR-34c, 2 with a Ct; of the others nothing is known, so 0 of 2 are undetected."""
    table = read_table(CASES / "undna.csv")
    found = folds(table)
    assert found.loc[("miR-34c", "mock"), ["n_wells", "n_undetected"]].to_list() == [2, 0]
    pd.testing.assert_frame_equal(found, folds(table[~table["ct"].isin(["NA", "N/A"])]))
    notes = qpcr(table, target="miR-34c", reference="U6", control="mock").notes
    assert notes[0].startswith(
        "2 wells without a reading (empty or NA) (miR-34c 2) are left out; if that means undetected"
    )


def test_words_for_undetected_are_undetected() -> None:
    words = folds(read_table(CASES / "und.csv"))
    assert words.loc[("miR-34c", "mock"), ["n_wells", "n_undetected"]].to_list() == [4, 2]
    for name, option in (("undna", "empty"), ("undna", "NA"), ("und0", "0")):
        pd.testing.assert_frame_equal(words, folds(read_table(CASES / f"{name}.csv"), undetected=option))
    numbers = read_table(CASES / "undna.csv").assign(ct=lambda t: pd.to_numeric(t["ct"], errors="coerce"))
    pd.testing.assert_frame_equal(words, folds(numbers, undetected="empty"))
    seen = numbers.assign(detected=numbers["ct"].notna())  # a column that says which wells are detected needs no option
    pd.testing.assert_frame_equal(words, folds(seen))


def test_a_ct_of_zero_is_asked_about() -> None:
    with pytest.raises(
        InvalidInput, match=r"row 9, column ct: found '0', expected a number >= 1 and <= 60, or undetected=0"
    ):
        folds(read_table(CASES / "und0.csv"))


def test_a_plate_without_any_reading_is_refused() -> None:
    table = read_table(CASES / "undna.csv").assign(ct="NA")
    with pytest.raises(
        InvalidInput, match=f"column ct: found {len(table)} empty cells and no reading, expected Ct values"
    ):
        folds(table)


def test_responses_as_fractions_and_percentages() -> None:
    """Cases frac.csv and pct.csv: 4/6 is 4 of 6 tested, 50 % of 6 is 3."""
    units = dilution(read_table(CASES / "frac.csv"), response="result").tables["units"]
    assert units[["dose", "tested", "response"]].to_numpy().tolist() == [[100, 6, 0], [1000, 6, 2], [10000, 6, 4]]
    found = dilution(read_table(CASES / "pct.csv"))
    assert found.tables["units"]["response"].to_list() == [3, 6]
    assert found.notes[0] == "response: '100%' of 6 is 6"


@pytest.mark.parametrize(
    ("tested", "response", "expected"),
    [
        ("6", "40%", "row 2, column response: found '40%', expected a share that is a whole number of the 6 units"),
        ("5", "4/6", "row 2, column response: found '4/6' where tested is 5, expected '/5'"),
        ("", "50%", "found '50%'"), ("6", "7/6", "found 7 of 6 units"), ("6", "120 %", "found '120 %'"),
        ("6", "200%", "found 12 of 6"),
    ],
)  # fmt: skip
def test_shares_that_cannot_be(tested: str, response: str, expected: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        dilution(pd.DataFrame({"dose": [100], "tested": [tested], "response": [response]}))
    assert expected in str(caught.value)


@pytest.mark.parametrize(("share", "count"), [("33%", 2), ("33,3 %", 2), ("67 %", 4), ("16.7%", 1)])
def test_rounded_percentages(share: str, count: int) -> None:
    units = dilution(pd.DataFrame({"dose": [9], "tested": [6], "response": [share]})).tables["units"]
    assert units["response"].to_list() == [count]


def test_a_blank_has_no_cells() -> None:
    """Case nta.csv: rates by hand, (reading x dilution - blank) x volume / (cells x hours)."""
    samples = particles(read_table(CASES / "nta.csv"), blank="medium", compare=("kd", "control")).tables["samples"]
    first = samples.set_index(["arm", "donor"])["rate"]
    by_hand = ((1.61e8 + 1.72e8) / 2 - (2.1e7 + 2.5e7) / 2) * 100 * 10 / (5.0e6 * 48)
    assert first["control", "d1"] == pytest.approx(by_hand)


def test_groups_that_differ_by_case_get_a_hint() -> None:
    """Case case.csv; in nbsp.csv hard spaces are trimmed, and the Greek letter is a group of its own."""
    found = survival(read_table(CASES / "case.csv"), time="months", event="dead", group="arm")
    assert sum("are groups of their own" in note for note in found.notes) == 2
    found = survival(read_table(CASES / "nbsp.csv"), time="months", event="dead", group="arm")
    assert found.tables["groups"]["group"].to_list() == ["a", "b", "\u03b1"]
    shares = response(read_table(CASES / "case.csv"), response="dead", group="arm")
    assert sum("are groups of their own" in note for note in shares.notes) == 2


def test_times_from_two_columns_of_dates() -> None:
    """Case dates.xlsx: P0 from 2019-05-18 to 2022-08-05 is 1175 days."""
    table = read_table(CASES / "dates.xlsx")
    options = {"event": "Dead=Ja", "group": "Arm"}
    found = survival(table, time="Last contact", since="Diagnosis", unit="months", **options)
    days = (pd.to_datetime(table["Last contact"]) - pd.to_datetime(table["Diagnosis"])).dt.days
    assert days.iloc[0] == 1175
    plain = survival(table.assign(t=days * 12 / 365.25), time="t", unit="months", **options)
    pd.testing.assert_frame_equal(found.table, plain.table)
    assert "times are months from Diagnosis to Last contact" in found.notes
    german = table.assign(**{
        name: pd.to_datetime(table[name]).dt.strftime("%d.%m.%Y") for name in ("Diagnosis", "Last contact")
    })  # fmt: skip
    american = table.assign(**{
        name: pd.to_datetime(table[name]).dt.strftime("%m/%d/%Y") for name in ("Diagnosis", "Last contact")
    })  # fmt: skip
    for one in (german, american):
        again = survival(one, time="Last contact", since="Diagnosis", unit="months", **options)
        pd.testing.assert_frame_equal(found.table, again.table)


@pytest.mark.parametrize(
    ("start", "end", "unit", "expected"),
    [
        (
            "2020-01-05",
            "2019-12-31",
            "days",
            "row 2, column end: found 5 days before start, expected a date from that of",
        ),
        ("2020-02-30", "2020-03-01", "days", "row 2, column start: found '2020-02-30', expected a date"),
        (
            "03/04/2020",
            "2021-01-01",
            "days",
            "column start: found '03/04/2020', day or month first, expected dates with",
        ),
        ("soon", "2021-01-01", "days", "found 'soon', expected a date"),
        (
            "2020-01-05",
            "2021-01-01",
            "fortnights",
            "unit: found 'fortnights', expected one of days, weeks, months, years",
        ),
    ],
)
def test_dates_that_cannot_be(start: str, end: str, unit: str, expected: str) -> None:
    table = pd.DataFrame(
        {"start": [start, "2020-01-01"], "end": [end, "2020-06-01"], "dead": [1, 1], "arm": ["a", "b"]}
    )
    with pytest.raises(InvalidInput) as caught:
        survival(table, time="end", since="start", unit=unit, event="dead", group="arm")
    assert expected in str(caught.value)
