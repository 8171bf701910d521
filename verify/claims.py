"""How a claim is judged, on 1,000 simulated sets each: intervals cover, and a claim at its limit is seldom decided.

The bar is the simulation error of 1,000 sets: 0.9293 for coverage, 0.0707 for errors at 5 %.
"""

from __future__ import annotations

import numpy as np

from senexo.assays.stats.estimate import Estimate
from senexo.assays.stats.ranks import permutation_p, rank_correlations, rank_interval, wilson
from senexo.lab.claim.judge import UNDECIDED, mean_interval, world
from senexo.study.claims import observables, parse_claim
from senexo.study.schema import Claim
from verify import Check
from verify._calibration import covers, keeps_level

DRAWS = 745
LATENT = 0.5  # Pearson's correlation of the two normal numbers whose ranks are taken
RHO = 6.0 / np.pi * np.arcsin(LATENT / 2.0)
# of x against whether y is among the highest fifth: (E[Phi(x) Phi((r x - c)/sqrt(1 - r^2))] - 0.1) / (sqrt(1/12) 0.4),
# c the 80 % point, by quadrature over x
RHO_YES_NO = 0.3439314
# draws, and the share of them that respond
LIMITS = ((10, 0.7), (20, 0.3), (20, 0.5), (40, 0.05), (40, 0.14), (200, 0.05), (745, 0.05), (745, 0.3))


def main() -> list[Check]:
    return [
        covers("rank correlation, 745 draws", RHO, lambda rng: _ranks(rng, DRAWS, np.inf)),
        covers("rank correlation, 40 draws", RHO, lambda rng: _ranks(rng, 40, np.inf)),
        covers("rank correlation with yes or no, 745 draws", RHO_YES_NO, lambda rng: _ranks(rng, DRAWS, 0.8)),
        covers("rank correlation of nothing with yes or no", 0.0, lambda rng: _nothing(rng)),
        covers("share of draws, 13 % of 745", 0.13, lambda rng: _share(rng, 0.13, DRAWS)),
        covers("share of draws, 1 % of 745", 0.01, lambda rng: _share(rng, 0.01, DRAWS)),
        covers("mean of shares, 14 % respond, 745 draws", 0.07, lambda rng: _mean(rng, 0.14, DRAWS)),
        keeps_level("one of 45 parameters that do nothing", lambda rng: _smallest_p(rng)),
        *(
            keeps_level(
                f"claim at its limit, {n} draws, {100 * share:g} % respond",
                lambda rng, n=n, share=share: _decided(rng, share, n),
            )
            for n, share in LIMITS
        ),
    ]  # fmt: skip


def _ranks(rng: np.random.Generator, n: int, cut: float) -> Estimate:
    """Two normal numbers; the second as it is, or whether it lies in the part above `cut`."""
    x = rng.normal(size=n)
    y = LATENT * x + np.sqrt(1.0 - LATENT * LATENT) * rng.normal(size=n)
    outcome = y if np.isinf(cut) else (y > _normal_quantile(cut)).astype(float)
    rho = float(rank_correlations(x[:, None], outcome)[0])
    return Estimate(rho, *rank_interval(rho, n))


def _normal_quantile(share: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(share))


def _nothing(rng: np.random.Generator) -> Estimate:
    rho = float(rank_correlations(rng.uniform(size=(DRAWS, 1)), (rng.random(DRAWS) < 0.1).astype(float))[0])
    return Estimate(rho, *rank_interval(rho, DRAWS))


def _share(rng: np.random.Generator, share: float, n: int) -> Estimate:
    k = int(rng.binomial(n, share))
    return Estimate(k / n, *wilson(k, n))


def _mean(rng: np.random.Generator, respond: float, n: int) -> Estimate:
    """Shares of 8 cells: most donors show none, some half of them on average."""
    values = np.where(rng.random(n) < respond, rng.binomial(8, rng.beta(1.0, 1.0, n)) / 8.0, 0.0)
    found = mean_interval(values, 0.95)
    return Estimate(found.mean, found.low, found.high)


def _decided(rng: np.random.Generator, respond: float, n: int) -> float:
    """0 where a claim whose mean margin is exactly 0 is said to hold or not to, else 1."""
    tree = parse_claim(f"alive(a, 1 d) > {respond / 2.0}")
    values = np.where(rng.random(n) < respond, rng.binomial(8, rng.beta(1.0, 1.0, n)) / 8.0, 0.0)
    claim = Claim(id="C0", holds_when="", null={})
    found = world(claim, tree, {observables(tree)[0]: values}, np.ones(n, dtype=bool))
    return float(found.outcome == UNDECIDED)


def _smallest_p(rng: np.random.Generator) -> float:
    outcome = np.where(rng.random(DRAWS) < 0.14, rng.random(DRAWS), 0.0)
    return float(np.nanmin(permutation_p(rng.uniform(size=(DRAWS, 45)), outcome, rng, permutations=99)))
