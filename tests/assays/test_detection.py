"""Detection of low-copy RNAs, against the measured table of TCGA-LAML and Poisson's law."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from senexo.assays.detection import LEAST_READS, detect, reads_of
from senexo.base.errors import InvalidInput
from senexo.base.table import read_table


def laml(shared_data: Path, name: str) -> pd.DataFrame:
    return read_table(shared_data / "tcga-laml" / f"tidy_mirna_{name}.csv.gz").set_index("patient").astype(float)


def test_mir_34c_is_below_detection_in_laml(shared_data: Path) -> None:
    counts = laml(shared_data, "counts")
    found = detect(counts["hsa-mir-34c"], depth=counts.sum(axis=1), name="hsa-mir-34c")
    assert (found.n, found.n_zero, found.n_detected) == (188, 93, 46)
    assert found.verdict == "below detection"
    assert not found.testable
    assert "none in 93, at most 2 in 142" in found.sentence
    assert found.depth == counts.sum(axis=1).median()
    assert detect(counts["hsa-mir-34a"]).verdict == "detected"


def test_normalised_values_give_the_same_reads(shared_data: Path) -> None:
    counts, rpm = laml(shared_data, "counts"), laml(shared_data, "rpm")
    for name in ("hsa-mir-34a", "hsa-mir-34b", "hsa-mir-34c"):
        pd.testing.assert_series_equal(reads_of(rpm[name], rpm), counts[name])
    pd.testing.assert_series_equal(reads_of(counts["hsa-mir-34c"], counts), counts["hsa-mir-34c"])


def test_three_reads_is_where_poisson_sees_none_in_five_per_cent() -> None:
    assert poisson.pmf(0, LEAST_READS) == pytest.approx(0.05, abs=5e-4)


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [(9, "below detection"), (10, "partly below detection"), (18, "partly below detection"), (19, "detected")],
)
def test_verdicts_at_their_bounds(measured: int, verdict: str) -> None:
    found = detect([3.0] * measured + [2.0] * (20 - measured))
    assert (found.n_detected, found.n_zero, found.verdict) == (measured, 0, verdict)


def test_samples_that_do_not_exist_are_not_counted() -> None:
    assert detect([math.nan, 0.0, 5.0]).n == 2


@pytest.mark.parametrize("wrong", [[], [math.nan], [-0.5, 2.0], [math.inf]])
def test_what_are_no_reads(wrong: list[float]) -> None:
    with pytest.raises(InvalidInput, match="reads of The RNA"):
        detect(wrong)


@pytest.mark.parametrize(
    ("panel", "message"),
    [
        (np.log2(np.arange(1, 41) / 4), "row 2: found the negative value"),
        (np.arange(1, 10), "row 2: found 9 positive values"),
        (np.linspace(1, 5, 40), "row 2: found values that are no multiples"),
        (np.zeros(40), "row 2: found 0 positive values"),
    ],
)
def test_what_cannot_be_turned_into_reads(panel: np.ndarray, message: str) -> None:
    frame = pd.DataFrame([panel], columns=[f"miR-{i}" for i in range(len(panel))])
    with pytest.raises(InvalidInput, match=message):
        reads_of(frame["miR-1"], frame)


@given(st.lists(st.integers(0, 30), min_size=1), st.floats(1.0, 10.0))
def test_a_deeper_run_never_loses_an_rna(reads: list[int], factor: float) -> None:
    order = ["below detection", "partly below detection", "detected"]
    shallow, deep = detect(reads), detect(np.array(reads) * factor)
    assert order.index(deep.verdict) >= order.index(shallow.verdict)
    assert shallow.n_zero == deep.n_zero
