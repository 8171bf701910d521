"""qPCR of different donors, with dilution series, several references and replicates that do not agree."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from senexo.assays._qpcr.assay import QpcrResult, qpcr
from senexo.assays._qpcr.example import example
from senexo.assays._qpcr.spec import SPEC
from senexo.assays._qpcr.standard_curve import efficiency
from senexo.base.errors import InvalidInput


def wells(groups: dict[str, float], *, n: int = 10, seed: int = 1, cutoff: float = 37.0) -> pd.DataFrame:
    """log2 of the level of each group above 5 cycles below the cut-off; every arm has its own donors."""
    rng = np.random.default_rng(seed)
    rows = []
    for arm, level in groups.items():
        for donor in range(n):
            rna, sample = rng.normal(0.0, 0.5), level + rng.normal(0.0, 0.6)
            for replicate in (1, 2):
                cts = {"miR-34c-5p": 32.0 - sample + rna, "U6": 20.0 + rna, "RNU48": 24.0 + rna}
                for name, ct in cts.items():
                    ct += rng.normal(0.0, 0.15)
                    rows.append((arm, f"{arm} {donor}", replicate, name, ct if ct <= cutoff else math.nan))
    return pd.DataFrame(rows, columns=["arm", "donor", "replicate", "target", "ct"])


def unpaired(table: pd.DataFrame, **options: object) -> QpcrResult:
    asked: dict[str, object] = {
        "target": "miR-34c-5p", "reference": ["U6", "RNU48"], "control": "HSC", "cutoff": 37.0, "design": "unpaired",
        "undetected": "empty",  # the plates of this file leave the Ct of an undetected well empty
    }  # fmt: skip
    return qpcr(table, **{**asked, **options})  # type: ignore[arg-type]


def test_different_donors_are_compared_unpaired() -> None:
    table = wells({"HSC": 0.0, "LSC": -2.0, "blast": 0.1})
    assert unpaired(table, design="paired").findings[1].verdict == "not testable"
    result = unpaired(table)
    folds = result.tables["fold_changes"].set_index("arm")
    assert folds.loc["LSC", "low"] < 0.25 < folds.loc["LSC", "high"]
    assert folds.loc["LSC", "verdict"] in ("large", "moderate")
    assert folds.loc["blast", "low"] < 2.0**0.1 < folds.loc["blast", "high"]
    assert "10 and 10 donors, unpaired" in result.findings[1].sentence
    assert len(result.figure().axes[0].lines) > 4


def test_undetected_donors_of_a_group_are_censored() -> None:
    table = wells({"HSC": -3.0, "LSC": -4.5}, n=20)
    found = unpaired(table, min_detected=0.3).tables["fold_changes"].iloc[0]
    assert found["n_censored"] > 3
    assert found["ddct_low"] < 1.5 < found["ddct_high"]


def test_below_detection_in_one_group_is_a_detection_answer() -> None:
    result = unpaired(wells({"HSC": 0.0, "LSC": -12.0}))
    found = result.findings[1]
    assert found.verdict == "below detection: not testable"
    assert found.p_value is None
    assert "detected in 0 of 10 and 10 of 10 donors (Fisher's exact p = 1.1e-05" in found.sentence


def test_too_few_donors_are_told() -> None:
    found = unpaired(wells({"HSC": 0.0, "LSC": 1.0}, n=1)).findings[1]
    assert found.verdict == "not testable"
    assert "1 and 1 donors; two in each arm and three detected values are needed" in found.sentence


def series(slopes: dict[str, float]) -> pd.DataFrame:
    rows = [
        (name, quantity, replicate, 22.0 + slope * math.log10(quantity) + 0.02 * replicate)
        for name, slope in slopes.items()
        for quantity in (1.0, 0.1, 0.01, 0.001)
        for replicate in (1, 2)
    ]
    return pd.DataFrame(rows, columns=["target", "quantity", "replicate", "ct"])


def test_the_plates_dilution_series_gives_the_efficiency() -> None:
    """Slope -3.6 cycles per tenfold is an efficiency of 0.896: the fold changes are as if it had been given."""
    table = wells({"HSC": 0.0, "LSC": -2.0})
    plate = pd.concat([table, series({"miR-34c-5p": -3.6, "U6": -3.4})], ignore_index=True)
    measured, given = (
        unpaired(plate),
        unpaired(table, efficiency={"miR-34c-5p": 10 ** (1 / 3.6) - 1, "U6": 10 ** (1 / 3.4) - 1}),
    )
    first, second = (result.tables["fold_changes"]["fold"].iloc[0] for result in (measured, given))
    assert first == pytest.approx(second, rel=1e-9)
    told = measured.tables["efficiency"].set_index("target")
    assert told["source"].to_dict() == {"miR-34c-5p": "dilution series", "U6": "dilution series", "RNU48": "assumed"}
    assert told.loc["miR-34c-5p", "n_dilutions"] == 4
    # a number given wins over what the plate says
    assert set(unpaired(plate, efficiency=1.0).tables["efficiency"]["source"]) == {"given"}


def test_no_template_controls_that_amplify_are_told() -> None:
    table = wells({"HSC": 0.0, "LSC": -2.0})
    blank = pd.DataFrame({"target": ["miR-34c-5p", "U6"], "quantity": 0.0, "replicate": 1, "ct": [36.1, math.nan]})
    notes = unpaired(pd.concat([table, blank], ignore_index=True)).notes
    assert notes == ("a no-template control of miR-34c-5p gave a signal at Ct 36.1; later wells may hold nothing else",)


def test_a_diluted_well_that_failed_is_left_out_of_the_line() -> None:
    table = series({"U6": -3.4})
    late = pd.DataFrame({"target": "U6", "quantity": 0.0001, "replicate": [1, 2], "ct": [35.0, math.nan]})
    assert efficiency(pd.concat([table, late]))["n_dilutions"].iloc[0] == 4


def test_an_outlying_replicate_is_told_not_dropped() -> None:
    table = wells({"HSC": 0.0, "LSC": -2.0})
    table.loc[3, "ct"] += 2.5
    result = unpaired(table)
    outlying = result.tables["replicates"].query("outlying")
    assert list(zip(outlying["target"], outlying["donor"], strict=True)) == [("miR-34c-5p", "HSC 0")]
    assert any("miR-34c-5p lie 2." in note and "HSC 0" in note for note in result.notes)
    assert result.tables["fold_changes"]["n_donors_control"].iloc[0] == 10


def test_an_unstable_reference_and_a_single_one_are_told() -> None:
    table = wells({"HSC": 0.0, "LSC": -2.0})
    assert set(unpaired(table).tables["stability"]["target"]) == {"U6", "RNU48"}
    moved = table.copy()
    lsc = (moved["arm"] == "LSC") & (moved["target"] == "RNU48")
    moved.loc[lsc, "ct"] += 3.0
    assert any("RNU48 varies between samples (geNorm M = 1." in note for note in unpaired(moved).notes)
    assert "one reference RNA (U6)" in unpaired(table, reference="U6").notes[0]


def test_a_third_reference_shows_which_one_moves() -> None:
    table = wells({"HSC": 0.0, "LSC": -2.0})
    third = table[table["target"] == "U6"].assign(target="miR-16", ct=lambda t: t["ct"] + 2.0)
    moved = pd.concat([table, third], ignore_index=True)
    moved.loc[(moved["arm"] == "LSC") & (moved["target"] == "RNU48"), "ct"] += 3.0
    found = unpaired(moved, reference=["U6", "RNU48", "miR-16"]).tables["stability"].set_index("target")["m"]
    assert found["RNU48"] > 1.5 * found["U6"]


def test_the_example_uses_all_of_it() -> None:
    result = qpcr(example(), **SPEC.example)  # type: ignore[arg-type]
    assert set(result.tables["efficiency"]["source"]) == {"dilution series"}
    assert result.tables["stability"]["m"].max() < 0.5


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (series({"U6": 3.4}), "found a Ct of U6 that does not fall with quantity"),
        (series({"U6": -3.4}).query("quantity > 0.05"), "found 2 dilutions of U6 in which every well was detected"),
        (series({"U6": -3.4}).drop(columns="quantity"), "column quantity: found no such column"),
        (series({"U6": -3.4}).assign(quantity="much"), "row 2, column quantity: found 'much', expected a number >= 0"),
        (series({"U6": -3.4}).assign(quantity=-1.0), "row 2, column quantity: found '-1'"),
        (series({"U6": -3.4}).drop(columns="replicate"), "row 3: found the target, quantity of row 2 again"),
        (series({"U6": -3.4}).assign(ct="high"), "column ct: found 'high'"),
        (series({"U6": -3.4}).head(1).assign(quantity=0.0), "found no well of a dilution series"),
    ],
)
def test_wrong_dilution_series(table: pd.DataFrame, expected: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        efficiency(table)
    assert expected in str(caught.value)
