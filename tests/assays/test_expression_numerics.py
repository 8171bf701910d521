"""Moderated t against R limma to 1e-6; read counts through PyDESeq2 against R DESeq2 as closely as the two agree.

References and how they were made: references/expression.R, references/expression.json.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from senexo.assays.stats import moderated, negative_binomial
from senexo.assays.stats.multiple_testing import benjamini_hochberg

REFERENCES = json.loads((Path(__file__).parent / "references" / "expression.json").read_text(encoding="utf-8"))
LIMMA = [name for name in REFERENCES if name.startswith("limma")]


def numbers(case: dict[str, Any], name: str) -> np.ndarray:
    return np.array(case[name], dtype=float)


def effects(case: dict[str, Any]) -> moderated.Effects:
    """Samples x RNAs; pairs where donors are given."""
    y, group = numbers(case, "y").T, np.array(case["group"])
    if not case["donor"]:
        return moderated.two_groups(y[group == "case"], y[group == "control"])
    donor = np.array(case["donor"])
    order = [np.flatnonzero(group == name)[np.argsort(donor[group == name])] for name in ("case", "control")]
    return moderated.pairs(y[order[0]], y[order[1]])


@pytest.mark.parametrize("name", LIMMA)
def test_moderated_t_equals_limma(name: str) -> None:
    """Of all RNAs that leave a residual; limma also tests those with one pair, by the variances of the others alone."""
    case = REFERENCES[name]
    found = moderated.moderate(effects(case))
    tested = ~np.isnan(found.t)
    assert tested.sum() >= tested.size - 1
    for ours, theirs in (
        (found.value, "effect"), (found.low, "low"), (found.high, "high"), (found.t, "t"), (found.p_value, "p"),
        (found.df, "df"), (found.s2_post, "s2_post"),
    ):  # fmt: skip
        expected = numbers(case, theirs)[tested]
        np.testing.assert_allclose(ours[tested], expected, rtol=1e-6, atol=1e-12, err_msg=theirs)
    if tested.all():
        np.testing.assert_allclose(benjamini_hochberg(found.p_value), numbers(case, "bh"), rtol=1e-6)
    df_prior = case["df_prior"][0]
    assert found.df_prior == (math.inf if df_prior == "infinite" else pytest.approx(df_prior, rel=1e-6))
    assert found.s2_prior == pytest.approx(case["s2_prior"][0], rel=1e-6)


def test_inverse_trigamma_equals_limma() -> None:
    case = REFERENCES["trigamma_inverse"]
    for x, y in zip(case["x"], case["y"], strict=True):
        assert moderated.inverse_trigamma(x) == pytest.approx(y, rel=1e-8)


def test_benjamini_hochberg_equals_r() -> None:
    case = REFERENCES["p_adjust_bh"]
    np.testing.assert_allclose(benjamini_hochberg(numbers(case, "p")), numbers(case, "bh"), rtol=1e-14)


def test_without_or_with_one_variance_there_is_no_prior() -> None:
    nothing = np.array([])
    assert moderated.prior(nothing, nothing)[1] == 0.0
    assert moderated.prior(np.array([0.3]), np.array([4.0])) == (0.3, 0.0)


def test_size_factors_equal_deseq2() -> None:
    for name, kind in (("deseq_unpaired", "ratio"), ("deseq_paired", "ratio"), ("deseq_poscounts", "poscounts")):
        factors, found = negative_binomial.size_factors(numbers(REFERENCES[name], "counts").T)
        np.testing.assert_allclose(factors, numbers(REFERENCES[name], "size_factors"), rtol=1e-12)
        assert found == kind


@pytest.mark.parametrize(
    ("name", "fold", "error", "log10_p"),
    [
        ("deseq_unpaired", 5e-4, 0.005, 0.1), ("deseq_paired", 5e-4, 0.005, 0.1), ("deseq_outlier", 5e-4, 0.005, 0.1),
        ("deseq_poscounts", 0.05, 0.3, 0.6),
    ],
)  # fmt: skip
def test_counts_agree_with_deseq2(name: str, fold: float, error: float, log10_p: float) -> None:
    """log2 folds within 0.0005, errors within 0.5 %, log10 of DESeq2's p within 0.1, of every RNA.

    Both follow from the dispersions, which the two programs find with different optimisers. Where their trends differ
    (few RNAs, all with a zero: one falls back to a mean, the other to a local fit) errors differ by up to 30 %.
    """
    case = REFERENCES[name]
    counts, is_case = pd.DataFrame(numbers(case, "counts").T), np.array(case["group"]) == "case"
    found = negative_binomial.wald(counts, is_case, numbers(case, "size_factors"), case["donor"] or None)
    np.testing.assert_allclose(found.mean, numbers(case, "mean"), rtol=1e-9)
    np.testing.assert_allclose(found.value, numbers(case, "log2_fold"), rtol=0, atol=fold)
    np.testing.assert_allclose(found.error, numbers(case, "error"), rtol=error)
    np.testing.assert_allclose(np.log10(found.p_wald), np.log10(numbers(case, "p")), rtol=0, atol=log10_p)
    assert found.df_prior == pytest.approx(2.0 * moderated.inverse_trigamma(case["prior_variance"][0]), rel=0.02)


def test_an_rna_that_one_sample_decides_has_no_p_in_either_program() -> None:
    case = REFERENCES["deseq_outlier"]
    counts, is_case = pd.DataFrame(numbers(case, "counts").T), np.array(case["group"]) == "case"
    found = negative_binomial.wald(counts, is_case, numbers(case, "size_factors"))
    assert np.flatnonzero(np.isnan(found.p_value)).tolist() == np.flatnonzero(np.isnan(numbers(case, "p"))).tolist()
