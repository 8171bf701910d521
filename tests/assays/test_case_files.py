"""Files as people keep them, made up for these tests: each is read with the right value, or asked about."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from senexo.assays import dilution
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
