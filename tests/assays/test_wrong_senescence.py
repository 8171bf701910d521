"""Wrong requests about wash-out and designs: one clear message each."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from senexo.assays._senescence.assay import senescence
from senexo.base.errors import InvalidInput


def counts() -> pd.DataFrame:
    rows = [
        (arm, donor, time, 20 if arm == "mimic" else 5, 100)
        for arm in ("mock", "mimic", "washed")
        for donor in ("a", "b", "c")
        for time in (72.0, 168.0)
        if not (arm == "washed" and time == 72.0)
    ]
    return pd.DataFrame(rows, columns=["arm", "donor", "time_h", "n_positive", "n_total"])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"design": "crossed"}, "design: found 'crossed', expected one of paired, unpaired"),
        ({"design": ""}, "design: found ''"),
        (
            {"washout": ("washed", "mimik")},
            "washout: found 'mimik' at 168 h, expected an arm counted then: mimic, mock",
        ),
        ({"washout": ("washed",)}, "washout: found 1 names, expected two: the arm washed out and the arm kept"),
        ({"washout": ("washed", "mimic", "mock")}, "washout: found 3 names"),
        ({"washout": ("mimic", "washed"), "washout_h": 72.0}, "found 'washed' at 72 h, expected an arm counted then"),
        ({"washout": ("mimic", "mimic")}, "found 'mimic' twice, at one time, expected two arms, or washout_h"),
        (
            {"washout": ("washed", "mimic"), "washout_h": 48},
            "washout_h: found no count at 48 h, expected one of 72, 168",
        ),
        ({"washout": ("washed", "mimic"), "control": "mok"}, "control: found 'mok' at 168 h, expected an arm counted"),
        ({"control": "mock"}, "control: found 'mock', expected nothing, as no washout was asked for"),
    ],
)
def test_wrong_requests(options: dict[str, Any], expected: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        senescence(counts(), **options)
    assert expected in str(caught.value)


cells = st.integers(0, 60)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(cells, cells, cells, cells), min_size=1, max_size=5), st.sampled_from(["paired", "unpaired"]))
def test_any_counts_give_consistent_answers(donors: list[tuple[int, int, int, int]], design: str) -> None:
    """Intervals hold their estimates, p-values are probabilities, and swapping the arms mirrors the answer."""
    rows = [
        (arm, f"{i}", min(positive, total), max(positive, total))
        for i, (a, b, c, d) in enumerate(donors)
        for arm, positive, total in (("x", a, b), ("y", c, d))
    ]
    table = pd.DataFrame(rows, columns=["arm", "donor", "n_positive", "n_total"])
    try:
        found = senescence(table, compare=("x", "y"), washout=("x", "y"), design=design)
        back = senescence(table, compare=("y", "x"), design=design)
    except InvalidInput:
        assert {"x", "y"} - set(table.loc[table["n_total"] > 0, "arm"])
        return
    row, mirror = found.tables["differences"].iloc[0], back.tables["differences"].iloc[0]
    if row["verdict"] != "not testable":
        assert row["low"] - 1e-9 <= row["difference"] <= row["high"] + 1e-9
        assert 0.0 <= row["p_value"] <= 1.0
        assert mirror["p_value"] == pytest.approx(row["p_value"], rel=1e-3, abs=1e-6)
        assert mirror["low"] == pytest.approx(-row["high"], abs=1e-4)
        if row["odds_ratio"] == row["odds_ratio"]:
            assert row["odds_ratio_low"] * 0.999 <= row["odds_ratio"] <= row["odds_ratio_high"] * 1.001
    rest = found.tables["washouts"].iloc[0]
    if rest["verdict"] != "not testable":
        assert rest["low"] <= rest["remaining"] <= rest["high"]
    found.to_json()
