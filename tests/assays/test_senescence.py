"""The senescence assay end to end, on tables whose truth is known."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

from senexo.assays._senescence.assay import SenescenceResult, senescence

DOSES = (30, 100, 300, 1000, 3000, 10000)


def bench(n: int = 12, seed: int = 1) -> pd.DataFrame:
    """mock, scrambled, a mimic ladder (EC50 2,000), p53-null (6,000 in the same donors) and an inert seed mutant."""
    rng = np.random.default_rng(seed)
    ec50 = 10.0 ** rng.normal(3.3, 0.4, n)
    rows = []

    def well(arm: str, family: str, dose: float, share: np.ndarray) -> None:
        for donor in range(n):
            for replicate in (1, 2, 3):
                for time_h, scale in ((24.0, 0.0), (168.0, 1.0)):
                    p = 0.02 + scale * (share[donor] - 0.02)
                    rows.append((arm, family, dose, f"D{donor}", replicate, time_h, rng.binomial(150, p), 150))

    well("mock", "mock", math.nan, np.full(n, 0.02))
    well("scrambled", "scrambled", 1000.0, np.full(n, 0.02))
    for family, shift in (("mimic", 1.0), ("p53-null", 3.0), ("seed mutant", math.inf)):
        for dose in DOSES:
            well(f"{family}[{dose}]", family, dose, 0.02 + 0.98 / (1.0 + (ec50 * shift / dose) ** 3))
    names = ["arm", "family", "dose_copies", "donor", "replicate", "time_h", "n_positive", "n_total"]
    return pd.DataFrame(rows, columns=names)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return bench()


@pytest.fixture(scope="module")
def result(table: pd.DataFrame) -> SenescenceResult:
    compare = [("mimic", "scrambled"), ("seed mutant[3000]", "mock"), ("p53-null", "mimic")]
    return senescence(table, compare=compare, reference="mimic")


def finding(result: SenescenceResult, name: str) -> object:
    return next(found for found in result.findings if found.id == f"senescent:{name}")


def test_comparisons_of_families_go_dose_by_dose(result: SenescenceResult) -> None:
    pairs = [(row.arm, row.control) for row in result.tables["differences"].itertuples()]
    assert pairs[:6] == [(f"mimic[{dose}]", "scrambled") for dose in DOSES]
    assert pairs[6] == ("seed mutant[3000]", "mock")
    assert pairs[7:] == [(f"p53-null[{dose}]", f"mimic[{dose}]") for dose in DOSES]


def test_large_small_and_absent_effects_are_called_so(result: SenescenceResult) -> None:
    large = finding(result, "difference:mimic[10000]:scrambled")
    assert large.verdict == "large"
    assert large.estimate > 0.8
    assert large.p_value < 1e-4
    assert "a large effect" in large.sentence
    absent = finding(result, "difference:seed mutant[3000]:mock")
    assert absent.verdict == "absent"
    assert "no effect shown; 5 points or more are excluded" in absent.sentence
    falls = finding(result, "difference:p53-null[3000]:mimic[3000]")
    assert falls.high < 0.0


def test_ec50_ratio_and_flat_family(result: SenescenceResult) -> None:
    mimic, null = finding(result, "ec50:mimic"), finding(result, "ec50:p53-null")
    assert mimic.low < 2000.0 < mimic.high
    assert null.low < 6000.0 < null.high
    ratio = finding(result, "ec50_ratio:p53-null:mimic")
    assert ratio.low < 3.0 < ratio.high
    assert ratio.verdict == "moderate"
    flat = finding(result, "ec50:seed mutant")
    assert flat.verdict == "no dose response shown"
    assert flat.estimate is None
    row = result.tables["ec50"].set_index("family").loc["p53-null"]
    assert row["n_reached"] + row["n_above"] == 12
    assert f"(> 10,000 copies) in {row['n_above']} of 12 donors" in row["sentence"]
    assert set(result.tables["curves"]["family"]) == {"mimic", "p53-null"}


def test_nothing_hangs_on_names_or_order(table: pd.DataFrame, result: SenescenceResult) -> None:
    renamed = table.sample(frac=1.0, random_state=3).reset_index(drop=True)
    for column in ("arm", "family"):
        renamed[column] = renamed[column].str.replace("mimic", "zebra").str.replace("scrambled", "apple")
    compare = [("zebra", "apple"), ("seed mutant[3000]", "mock"), ("p53-null", "zebra")]
    again = senescence(renamed, compare=compare, reference="zebra")
    numbers = {f.id: (f.estimate, f.low, f.high, f.p_value, f.verdict) for f in again.findings}
    for found in result.findings:
        other = numbers[found.id.replace("mimic", "zebra").replace("scrambled", "apple")]
        assert other[4] == found.verdict
        for number, expected in zip(other, (found.estimate, found.low, found.high, found.p_value), strict=False):
            assert number == (expected if expected is None else pytest.approx(expected, rel=1e-6, abs=1e-12))


def test_replicates_are_not_donors(table: pd.DataFrame) -> None:
    """Splitting the same cells into more wells must not change anything: they are summed per donor."""
    once = table.groupby(["arm", "family", "dose_copies", "donor", "time_h"], dropna=False, sort=False)
    merged = once[["n_positive", "n_total"]].sum().reset_index()
    columns = ["difference", "low", "high", "p_value", "n_donors"]
    first, second = (senescence(t, compare=("mimic[1000]", "mock")).tables["differences"] for t in (table, merged))
    pd.testing.assert_frame_equal(first[columns], second[columns])


def test_holm_over_all_comparisons(result: SenescenceResult) -> None:
    table = result.tables["differences"].sort_values("p_value")
    m = len(table)
    assert table["p_holm"].iloc[0] == pytest.approx(min(1.0, m * table["p_value"].iloc[0]))
    assert (table["p_holm"].to_numpy() >= table["p_value"].to_numpy()).all()


def test_time_is_the_last_unless_asked(table: pd.DataFrame) -> None:
    early = senescence(table, compare=("mimic[10000]", "mock"), time_h=24.0)
    assert early.findings[0].verdict == "absent"
    assert "day 1" in early.findings[0].sentence


def test_json_is_strict_and_has_the_documented_fields(result: SenescenceResult) -> None:
    found = json.loads(result.to_json(), parse_constant=lambda word: pytest.fail(word))
    assert list(found)[:5] == ["assay", "method", "settings", "notes", "cautions"]
    assert {"shares", "differences", "ec50", "ec50_ratios", "donor_ec50", "curves"} <= set(found)
    assert set(found["findings"][0]) == {
        "assay", "id", "sentence", "estimate", "low", "high", "unit", "p_value", "verdict", "request",
    }  # fmt: skip
    assert found["ec50"][2]["estimate"] is None


def test_text_and_figure(result: SenescenceResult) -> None:
    lines = str(result).splitlines()
    assert len(lines) == 1 + len(result.findings)
    assert max(map(len, lines)) < 130
    figure = result.figure()
    assert [axes.get_xlabel() for axes in figure.axes] == ["dose (active copies per cell)",
                                                           "SA-β-gal positive cells, day 7 (%)"]  # fmt: skip


def test_measured_table_without_ladder_or_time() -> None:
    counts = pd.DataFrame({"arm": ["a", "b"] * 3, "donor": [1, 1, 2, 2, 3, 3], "n_positive": [5, 60, 4, 48, 9, 70],
                           "n_total": [100] * 6})  # fmt: skip
    found = senescence(counts)
    assert [f.id for f in found.findings] == ["senescent:share:a", "senescent:share:b"]
    assert "day" not in found.sentence
    assert len(found.figure().axes) == 1


def test_one_donor_is_told_not_tested() -> None:
    counts = pd.DataFrame({"arm": ["a", "b"], "donor": ["x", "x"], "n_positive": [5, 60], "n_total": [100, 100]})
    found = senescence(counts, compare=("b", "a")).findings[0]
    assert found.verdict == "not testable"
    assert found.p_value is None
    assert found.estimate == pytest.approx(0.55)
    assert "one donor says nothing about others" in found.sentence


def test_no_common_donor_is_told() -> None:
    counts = pd.DataFrame({"arm": list("aabb"), "donor": list("wxyz"), "n_positive": [5, 6, 60, 61], "n_total": 100})
    found = senescence(counts, compare=("b", "a")).findings[0]
    assert found.verdict == "not testable"
    assert "no donor was counted in both arms" in found.sentence


def test_one_donor_on_a_ladder_is_told(table: pd.DataFrame) -> None:
    found = senescence(table[table["donor"] == "D1"]).findings
    assert {f.verdict for f in found} == {"not testable"}
    assert "dose-response not testable with 1 donor." in found[0].sentence


def test_wells_without_cells_are_left_out_and_said(table: pd.DataFrame) -> None:
    dead = table.copy()
    dead.loc[dead.index[:2], ["n_positive", "n_total"]] = 0
    assert senescence(dead, compare=("mimic[30]", "mock")).notes == ("2 wells without a counted cell left out",)


def test_nobody_reaches_half(table: pd.DataFrame) -> None:
    """A response that is there but stays low: rising, not half, no EC50."""
    low = table.copy()
    ladder = low["family"] == "mimic"
    share = 0.02 + 0.05 * np.log10(low.loc[ladder, "dose_copies"] / 30)
    low.loc[ladder, "n_positive"] = (share * 150).round().astype(int)
    found = finding(senescence(low[ladder & (low["time_h"] == 168)]), "ec50:mimic")
    assert found.verdict == "not reached"
    assert found.estimate is None
    assert found.low == pytest.approx(10000.0)
    assert "not reached within the ladder (> 10,000 copies) in 12 of 12 donors: no EC50" in found.sentence


def test_intervals_stay_within_a_hundred_points_and_the_correction_is_named() -> None:
    rows = [("mock", d, 0, 100) for d in range(5)] + [("a", d, p, 100) for d, p in enumerate((0, 100, 100, 100, 90))]
    rows += [(arm, d, 0, 100) for arm in "bcdefgh" for d in range(5)]
    table = pd.DataFrame(rows, columns=["arm", "donor", "n_positive", "n_total"])
    found = senescence(table, compare=[(arm, "mock") for arm in "abcdefgh"])
    assert found.findings[0].high == 1.0
    assert found.table is found.tables["shares"]
    assert found.tables["differences"]["p_value"].iloc[0] < 0.05 < found.findings[0].p_value
    assert "no effect shown after correction for all comparisons" in found.findings[0].sentence
