"""Draws from the posterior distribution of the parameters by adaptive Metropolis chains.

Proposals are normal; in the warm-up their covariance is learnt from all chains (Haario, Saksman & Tamminen 2001, doi
10.2307/3318737) and their scale from the share that is accepted, then both stay as they are, so that the draws that are
kept are of the posterior itself. Parameters without a prior have one that is uniform between the bounds on the scale on
which they are searched; a prior of a value on another scale has its Jacobian.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, log
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from senexo.base.streams import generator
from senexo.fitting.diagnostics import ess_bulk, ess_tail, r_hat
from senexo.fitting.multistart import Waterfall
from senexo.fitting.objective import Objective
from senexo.fitting.problem import from_scale

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

CHAINS = 4
CONVERGED, ENOUGH = 1.01, 400.0  # of R-hat at most, of effective draws at least (as recommended there)
_LOOSE = 1e-6  # relative tolerance of the ODE solver
_WANTED, _ROUNDS = 0.25, 20  # share of proposals that is accepted; parts of the warm-up, after each of which one learns


@dataclass(frozen=True)
class Posterior:
    """Draws of the posterior.

    Attributes
    ----------
    ids
        The parameters.
    draws
        As they are searched [chains, draws, parameters].
    log_density
        Log density of the posterior, not normalized, on the scales of the search [chains, draws].
    accepted
        Share of the proposals after the warm-up.
    values
        The same draws as values of the parameters.
    """

    ids: tuple[str, ...]
    draws: Floats
    log_density: Floats
    accepted: float
    values: Floats

    def summary(self) -> pd.DataFrame:
        """A row for each parameter: median, 95 % interval, R-hat, effective draws of bulk and tails."""
        import pandas as pd

        rows = []
        for k, id in enumerate(self.ids):
            low, middle, high = np.quantile(self.values[:, :, k], (0.025, 0.5, 0.975))
            of_one = self.draws[:, :, k]
            rows.append((id, middle, low, high, r_hat(of_one), ess_bulk(of_one), ess_tail(of_one)))
        return pd.DataFrame(rows, columns=["parameter", "median", "low", "high", "r_hat", "ess_bulk", "ess_tail"])

    def table(self) -> pd.DataFrame:
        """A row for each draw: chain, draw, log density, the values of the parameters."""
        import pandas as pd

        chains, n, _ = self.values.shape
        found = pd.DataFrame(self.values.reshape(chains * n, -1), columns=list(self.ids))
        found.insert(0, "log_density", self.log_density.ravel())
        found.insert(0, "draw", np.tile(np.arange(1, n + 1), chains))
        found.insert(0, "chain", np.repeat(np.arange(1, chains + 1), n))
        return found


def log_posterior(objective: Objective, x: Floats) -> float:
    """Log density at a point of the search, not normalized; -inf outside the bounds and without a likelihood."""
    if np.any(x < objective.lower) or np.any(x > objective.upper):
        return -np.inf
    found = -objective(x, gradient=False).value
    for parameter, value in zip(objective.parameters, x, strict=True):
        if parameter.prior is not None and not parameter.prior.on_scale and parameter.scale != "lin":
            found += float(value) * (1.0 if parameter.scale == "log" else log(10.0))
    return found


def sample(
    objective: Objective, waterfall: Waterfall, draws: int, *, seed: int = 0, max_seconds: float | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Posterior | None:  # fmt: skip
    """Chains of `draws` kept draws each, after a warm-up as long; None where time was up before any was kept.

    They begin at the optima that were found, the best first, as far as these are not much worse than it.
    """
    until = None if max_seconds is None else time.monotonic() + max_seconds
    with objective.loosely(_LOOSE):
        chains = _Chains(objective, waterfall, seed)
        total = 2 * draws
        for step in range(draws):
            chains.step()
            chains.seen.append(chains.x.copy())
            if (step + 1) % max(draws // _ROUNDS, 1) == 0:
                chains.learn()
                progress(step + 1, total)
            if until is not None and time.monotonic() > until:
                return None
        chains.accepted[:] = 0
        kept, density = np.empty((CHAINS, draws, len(objective.ids))), np.empty((CHAINS, draws))
        for step in range(draws):
            chains.step()
            kept[:, step], density[:, step] = chains.x, chains.density
            if (step + 1) % max(draws // _ROUNDS, 1) == 0:
                progress(draws + step + 1, total)
            if until is not None and time.monotonic() > until:
                kept, density = kept[:, : step + 1], density[:, : step + 1]
                break
    values = np.array([[[from_scale(float(v), one.scale) for v, one in zip(x, objective.parameters, strict=True)]
                        for x in chain] for chain in kept])  # fmt: skip
    share = float(chains.accepted.sum()) / (CHAINS * kept.shape[1])
    return Posterior(tuple(objective.ids), kept, density, share, values)


class _Chains:
    """All chains at one step, and the proposals that they share."""

    def __init__(self, objective: Objective, waterfall: Waterfall, seed: int) -> None:
        self.objective = objective
        self.rng = [generator(seed, "chains of a posterior", chain) for chain in range(CHAINS)]
        best = waterfall.best
        p = len(objective.ids)
        width = objective.upper - objective.lower
        flat = np.where(np.isfinite(width) & (width > 0.0), 12.0 / np.maximum(width, 1e-300) ** 2, 1e-6)
        fisher = np.zeros((p, p)) if best.at.fisher is None else best.at.fisher
        self.root: Floats = np.asarray(np.linalg.cholesky(np.linalg.inv(fisher + np.diag(flat))))
        self.scale = 2.38 / p**0.5
        self.accepted = np.zeros(CHAINS)
        self.seen: list[Floats] = []
        self._learnt_at = 0
        near = [one.x for one in waterfall.found if one.value < best.value + 5.0] or [best.x]
        self.x = np.array([self._begin(near[k * len(near) // CHAINS], k) for k in range(CHAINS)])
        self.density = np.array([log_posterior(objective, x) for x in self.x])

    def _begin(self, x: Floats, chain: int) -> Floats:
        """A point near an optimum that has a density."""
        for shrink in range(20):
            step = 0.5**shrink * self.root @ self.rng[chain].standard_normal(len(x))
            begin = np.clip(x + step, self.objective.lower, self.objective.upper)
            if isfinite(log_posterior(self.objective, begin)):
                return np.asarray(begin)
        return x

    def step(self) -> None:
        """One proposal of every chain."""
        for chain, rng in enumerate(self.rng):
            factor = self.scale * (1.0 if rng.random() < 0.8 else 0.1)  # now and then a small step, out of a corner
            new = self.x[chain] + factor * self.root @ rng.standard_normal(self.x.shape[1])
            density = log_posterior(self.objective, new)
            if log(max(rng.random(), 1e-300)) < density - self.density[chain]:
                self.x[chain], self.density[chain] = new, density
                self.accepted[chain] += 1

    def learn(self) -> None:
        """Covariance of the draws of the later half so far, and a scale at which enough is accepted."""
        share = float(self.accepted.mean()) / max(len(self.seen) - self._learnt_at, 1)
        self.scale *= float(np.exp(np.clip(2.0 * (share - _WANTED), -0.7, 0.7)))
        self.accepted[:] = 0
        self._learnt_at = len(self.seen)
        late = np.concatenate(self.seen[len(self.seen) // 2 :])
        if len(late) > 20 * late.shape[1]:
            covariance = np.atleast_2d(np.cov(late.T))
            covariance = covariance + 1e-9 * np.diag(np.maximum(np.diag(covariance), 1e-12))
            self.root = np.asarray(np.linalg.cholesky(covariance))
