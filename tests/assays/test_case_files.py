"""Files as people keep them, made up for these tests: each is read with the right value, or asked about."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from senexo.assays import dilution, qpcr
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
