"""Read counts of two groups: negative binomial generalised linear models with shared dispersions (DESeq2).

Dispersions, size factors and log2 fold changes (maximum likelihood, not shrunken) are those of PyDESeq2. The reference
distribution of the Wald statistic is not: with few donors the normal is too narrow in its tails (see `MIN_SHARED`).
Love MI, Huber W, Anders S, Genome Biol 2014;15:550, doi 10.1186/s13059-014-0550-8; PyDESeq2: Muzellec B et al.,
Bioinformatics 2023;39:btad547, doi 10.1093/bioinformatics/btad547.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.estimate import LEVEL, not_converged
from senexo.assays.stats.moderated import inverse_trigamma

if TYPE_CHECKING:
    import pandas as pd
    from pydeseq2.dds import DeseqDataSet
    from pydeseq2.ds import DeseqStats

Floats = NDArray[np.float64]

# So many RNAs are needed before the scatter of their dispersions says how much one can lean on the others.
MIN_SHARED = 20
OWN_ONLY = 1e6  # variance of a prior of log dispersions that says nothing


@dataclass(frozen=True, slots=True)
class Wald:
    """Per RNA: log2 fold change with error, interval and p on `df` degrees of freedom; `p_wald` is DESeq2's own.

    p is nan where one sample alone decides (Cook's distance).
    """

    mean: Floats
    value: Floats
    error: Floats
    low: Floats
    high: Floats
    statistic: Floats
    p_value: Floats
    p_wald: Floats
    dispersion: Floats
    df: float
    df_prior: float


def size_factors(counts: Floats) -> tuple[Floats, str]:
    """How deeply each sample was sequenced relative to the others, and which RNAs said so ("ratio" or "poscounts").

    ratio: the median over RNAs of count / geometric mean of that RNA over samples, of RNAs without a zero. Where every
    RNA has a zero, poscounts: the geometric mean takes zeros as 1, the median is over the sample's positive counts, and
    the factors are scaled to a geometric mean of 1. Both as DESeq2's `estimateSizeFactors`.

    counts: samples x RNAs, at least one read in each sample and of each RNA.

    >>> size_factors(np.array([[10.0, 20.0, 30.0], [20.0, 40.0, 60.0]]))[0].round(4).tolist()
    [0.7071, 1.4142]
    """
    with np.errstate(divide="ignore"):
        logs = np.log(counts)
    whole = (counts > 0.0).all(axis=0)
    if whole.any():
        return np.exp(np.median(logs[:, whole] - logs[:, whole].mean(axis=0), axis=1)), "ratio"
    means = np.where(counts > 0.0, logs, 0.0).mean(axis=0)
    medians = np.array([np.median((row - means)[row > -np.inf]) for row in logs])
    return np.exp(medians - medians.mean()), "poscounts"


def wald(counts: pd.DataFrame, is_case: NDArray[np.bool_], factors: Floats, donor: Sequence[str] | None = None) -> Wald:
    """Fold change of cases over controls of every RNA, by ~ group or, with donors, by ~ donor + group.

    p is of Student's t with n - p + d0 degrees of freedom: n samples, p coefficients, and d0 those that the prior of
    the dispersions is worth (trigamma(d0/2) = its variance, as for variances in `moderated`). Below 20 RNAs nothing is
    borrowed: each has its own dispersion and d0 = 0. DESeq2's own normal reference is given as p_wald. Per RNA the two
    differ little; over 100 RNAs without any effect, 3 to 10 samples a group, the smallest normal p passes Bonferroni's
    bound in 12 to 30 % of sets instead of 5 %.

    counts: samples x RNAs, no RNA without any read; is_case, factors (see `size_factors`), donor: one per sample. At
    least one residual degree of freedom.
    """
    from scipy.special import stdtr, stdtrit

    _, stats = _pydeseq2()
    with np.errstate(all="ignore"):
        data = _fitted(counts.to_numpy(), is_case, factors, donor)
        tested = stats(
            data, contrast=["group", "b", "a"], independent_filter=False, inference=data.inference, quiet=True
        )
        tested.summary()
    lost = int((~data.var["_LFC_converged"].fillna(True).astype(bool)).sum())
    if lost:
        not_converged(f"the model of {lost} of {counts.shape[1]} RNAs")
    found = tested.results_df
    df_prior = 2.0 * inverse_trigamma(float(data.uns["prior_disp_var"])) if counts.shape[1] >= MIN_SHARED else 0.0
    df = len(counts) - data.obsm["design_matrix"].shape[1] + df_prior
    value, error, statistic, p_wald = (
        found[name].to_numpy(float) for name in ("log2FoldChange", "lfcSE", "stat", "pvalue")
    )
    half = float(stdtrit(df, (1.0 + LEVEL) / 2.0)) * error
    p_value = np.where(np.isnan(p_wald), np.nan, 2.0 * stdtr(df, -np.abs(statistic)))
    return Wald(
        found["baseMean"].to_numpy(float), value, error, value - half, value + half, statistic, p_value, p_wald,
        data.var["dispersions"].to_numpy(float), float(df), df_prior,
    )  # fmt: skip


@functools.cache
def _pydeseq2() -> tuple[type[DeseqDataSet], type[DeseqStats]]:
    """PyDESeq2's two classes; its import makes the whole process ignore FutureWarnings, which is taken back."""
    with warnings.catch_warnings():
        from pydeseq2.dds import DeseqDataSet
        from pydeseq2.ds import DeseqStats
    return DeseqDataSet, DeseqStats


def _fitted(counts: Floats, is_case: NDArray[np.bool_], factors: Floats, donor: Sequence[str] | None) -> DeseqDataSet:
    """The steps of `DeseqDataSet.deseq2`, with size factors of our own."""
    import pandas as pd
    from pydeseq2.default_inference import DefaultInference

    # names that a formula can read, whatever the table calls its samples, groups and donors
    samples = [f"s{i}" for i in range(len(counts))]
    metadata = pd.DataFrame({"group": np.where(is_case, "b", "a")}, index=samples)
    if donor is not None:
        metadata["donor"] = [f"d{code}" for code in pd.factorize(np.asarray(donor, dtype=object))[0]]
    shared = counts.shape[1] >= MIN_SHARED
    data = _pydeseq2()[0](
        counts=pd.DataFrame(
            counts.astype(np.int64), index=samples, columns=[f"f{i}" for i in range(counts.shape[1])]
        ),
        metadata=metadata, design="~group" if donor is None else "~donor + group",
        fit_type="parametric" if shared else "mean", inference=DefaultInference(n_cpus=1), quiet=True,
    )  # fmt: skip
    data.obs["size_factors"] = factors
    data.layers["normed_counts"] = counts / factors[:, None]
    data.var["_normed_means"] = data.layers["normed_counts"].mean(axis=0)
    data.fit_genewise_dispersions()
    data.fit_dispersion_trend()
    data.fit_dispersion_prior()
    if not shared:
        data.uns["prior_disp_var"] = np.float64(OWN_ONLY)
    data.fit_MAP_dispersions()
    data.fit_LFC()
    data.calculate_cooks()
    if data.refit_cooks:
        data.refit()
    data.cooks_outlier()
    return data
