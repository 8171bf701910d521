"""How much a candidate experiment would tell about a claim: its expected information, from draws simulated once.

For every draw an outcome of the experiment is made by its observation model, and its likelihood is computed in all
draws. The expected information about whether a claim is true is the mutual information of claim and outcome, E log p(y
| claim) / p(y), where both are means of likelihoods over draws (nested Monte Carlo with reused draws; Rainforth et al.
2018, arXiv 1709.06181). Its bias falls as 1/draws, so it is computed with all draws and with half of them in the inner
mean, and extrapolated; all three are given. In bits: 1 is a claim of which nothing was known, decided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from senexo.base.streams import generator
from senexo.lab.evidence.likelihood import log_likelihood, outcome

if TYPE_CHECKING:
    from senexo.lab.evidence.weighting import Truths
    from senexo.study.schema import Candidate, Replicates, Study

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
BITS = 1.0 / np.log(2.0)
FEWEST = 40  # draws in which a candidate has a value


@dataclass(frozen=True, slots=True)
class Information:
    """Expected information in bits, extrapolated, and its standard error; with all draws and half of them."""

    value: float
    se: float
    all_draws: float
    half_of_them: float


def likelihoods(
    candidate: Candidate, truth: Floats, noise: Replicates, rng: np.random.Generator, *, cells: int = 0
) -> Floats:
    """log p(outcome i | draw j) [outcomes, draws], one outcome made in every draw.

    truth: the true value [draws] of what the experiment measures, finite.
    """
    rows = []
    for own in truth:
        made = outcome(candidate, float(own), noise, rng, cells=cells)
        rows.append(log_likelihood(made, truth, noise, cells=cells))
    return np.array(rows)


def about_claim(log: Floats, true: Bools, rng: np.random.Generator) -> Information:
    """Expected information about whether a claim is true, from log p(outcome i | draw j) [n, n]."""
    same = true[:, None] == true[None, :]
    return _extrapolated(
        log, lambda inner: _mean(np.where(same[:, inner], log[:, inner], -np.inf), same[:, inner]), rng
    )


def about_draws(log: Floats, rng: np.random.Generator) -> Information:
    """Expected information about the draw itself: all that the outcome depends on."""
    return _extrapolated(log, lambda inner: np.diagonal(log), rng)


def open_bits(true: Bools) -> float:
    """The entropy of a claim that is true in these draws: what could be learned of it at most."""
    share = true.mean()
    return float(-sum(p * np.log2(p) for p in (share, 1.0 - share) if p > 0))


def _extrapolated(log: Floats, given: Callable[[Ints], Floats], rng: np.random.Generator) -> Information:
    """given: log p(outcome | what is asked about) [outcomes], from the draws of the inner mean."""
    n = len(log)
    order = rng.permutation(n)
    every = np.arange(n)
    terms = given(every) - _mean(log)
    halves = [given(half) - _mean(log[:, half]) for half in (np.sort(order[: n // 2]), np.sort(order[n // 2 :]))]
    half = np.mean(halves, axis=0)
    half = np.where(np.isfinite(half), half, terms)  # a half without a draw of the same kind
    both = 2.0 * terms - half
    return Information(
        float(both.mean() * BITS), float(both.std(ddof=1) / np.sqrt(n) * BITS), float(terms.mean() * BITS),
        float(half.mean() * BITS),
    )  # fmt: skip


def _mean(log: Floats, among: Bools | None = None) -> Floats:
    """log of the mean likelihood of every outcome, over the draws `among`."""
    from scipy.special import logsumexp

    count = np.full(len(log), log.shape[1]) if among is None else among.sum(axis=1)
    with np.errstate(divide="ignore"):
        return np.asarray(logsumexp(log, axis=1) - np.log(count))


def ranked(study: Study, truths: Truths, true: Bools, kept: Bools) -> list[tuple[Candidate, Information]]:
    """The candidate experiments of a study by what they would tell about its claim, the most telling first.

    true, kept: [draws], as the claim was judged. A candidate is asked in the draws in which it has a value.
    """
    found = []
    for number, one in enumerate(study.candidates):
        truth = truths.value(one)
        with np.errstate(invalid="ignore", divide="ignore"):
            usable = kept & np.isfinite(np.log(truth) if one.kind == "figure" and one.law == "log-normal" else truth)
        if usable.sum() < FEWEST:
            continue
        rng = generator(study.seed, "outcomes of candidates", number)
        log = likelihoods(one, truth[usable], study.replicates, rng, cells=truths.cells(one))
        found.append((one, about_claim(log, true[usable], rng)))
    return sorted(found, key=lambda pair: -pair[1].value)
