"""Expected information of candidate experiments, against closed forms of a normal number measured with an error."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import integrate, stats

from senexo.lab.evidence.information import Information, about_claim, about_draws, likelihoods
from senexo.study.read import read_study
from senexo.study.schema import Candidate
from verify import Check

ERRORS = tuple(0.25 * 1.5**k for k in range(10))  # standard deviations of ten designs; the prior has 1


def main() -> Iterator[Check]:
    for sd in (0.3, 1.0):
        yield _check(f"about the draw, error {sd:g}", draws(sd, 3000, 1), 0.5 * np.log2(1 + 1 / sd**2))
        yield _check(f"about a claim, error {sd:g}", claim(sd, 3000, 2), exact_claim(sd))
    right = sum(ranking_is_right(seed) for seed in range(100))
    yield Check("ten designs in the right order", right, 95, right >= 95, "of 100 seeds", ">=")


def _check(name: str, found: Information, exact: float) -> Check:
    off, bar = abs(found.value - exact), max(0.01 * exact, 2 * found.se)
    return Check(name, off, bar, off <= bar, f"{found.value:.4f}, exact {exact:.4f} bits")


def _likelihoods(sd: float, n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    theta = rng.standard_normal(n)
    candidate = Candidate(name="x", kind="figure", parameter="x", sd=sd, law="normal")
    return likelihoods(candidate, theta, read_study("c10").replicates, rng), theta, rng


def draws(sd: float, n: int, seed: int) -> Information:
    """About theta ~ N(0, 1) itself, by x ~ N(theta, sd^2)."""
    log, _, rng = _likelihoods(sd, n, seed)
    return about_draws(log, rng)


def claim(sd: float, n: int, seed: int) -> Information:
    """About theta > 0.5."""
    log, theta, rng = _likelihoods(sd, n, seed)
    return about_claim(log, theta > 0.5, rng)


def exact_claim(sd: float) -> float:
    """Mutual information of theta > 0.5 and x, by quadrature over x: H(claim) - E H(claim | x), in bits."""

    def entropy(p: float) -> float:
        return float(-sum(q * np.log2(q) for q in (p, 1 - p) if q > 0))

    shrink, left, spread = 1 / (1 + sd**2), sd / np.sqrt(1 + sd**2), np.sqrt(1 + sd**2)

    def rest(x: float) -> float:
        return stats.norm.pdf(x, scale=spread) * entropy(float(stats.norm.sf((0.5 - shrink * x) / left)))

    return entropy(float(stats.norm.sf(0.5))) - float(integrate.quad(rest, -8 * spread, 8 * spread, limit=200)[0])


def ranking_is_right(seed: int, n: int = 1000) -> bool:
    """Whether ten designs of falling precision are ranked so, on the same draws and errors."""
    found = [claim(sd, n, seed).value for sd in ERRORS]
    return found == sorted(found, reverse=True)
