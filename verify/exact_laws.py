"""Stochastic runs against laws that are known exactly.

Each law gives the distribution of a count (or two) at one time; `n` runs are binned against it and a chi-square test
gives a p-value. Closed forms where there are any, else finite state projection (Munsky & Khammash 2006,
doi 10.1063/1.2145882): the master equation on a box that all but 1e-9 of the probability never leaves.
With Holm's correction over all laws, a right simulator is refused with probability `ALPHA` per fresh seed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import integrate, special, stats

from senexo.assays.stats.multiple_testing import holm
from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.ssa.sampler import Backend, sample
from senexo.model.loading import load
from verify import Check
from verify._laws import fits, projection

RUNS, SEED, ALPHA = 100_000, 1_977, 1e-3
Probabilities = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Law:
    """A model in Antimony, a time, and the probabilities of the counts of one or two species then."""

    name: str
    antimony: str
    time: float
    species: tuple[str, ...]
    probabilities: Callable[[], Probabilities]  # [counts of the first, counts of the second ...]


def poisson(mean: float) -> Probabilities:
    return stats.poisson.pmf(np.arange(int(mean + 12 * np.sqrt(mean) + 30)), mean)


def telegraph(on: float, off: float, make: float, decay: float) -> Probabilities:
    """Stationary mRNA of a gene that switches: Poisson with a Beta-distributed mean (doi 10.1006/tpbi.1995.1027)."""
    nodes, weights = special.roots_jacobi(400, off / decay - 1.0, on / decay - 1.0)
    means, weights = make / decay * (nodes + 1.0) / 2.0, weights / weights.sum()
    return stats.poisson.pmf(np.arange(400)[:, np.newaxis], means).dot(weights)


def _birth_under_sine() -> Probabilities:
    """Poisson at all times: dm/dt = 20 (1 + 0.9 sin 2 t) - 0.5 m."""
    mean = integrate.quad(lambda u: 20 * (1 + 0.9 * np.sin(2 * u)) * np.exp(-0.5 * (4.2 - u)), 0, 4.2)[0]
    return poisson(mean)


def _dose() -> Probabilities:
    """30 at the start and 40 more at 3.7 die at rate 0.2 each; births at rate 2 make a Poisson part; time 5."""
    first = stats.binom.pmf(np.arange(31), 30, np.exp(-0.2 * 5.0))
    second = stats.binom.pmf(np.arange(41), 40, np.exp(-0.2 * 1.3))
    return np.convolve(np.convolve(first, second), poisson(2 / 0.2 * (1 - np.exp(-0.2 * 5.0))))


def _square_wave() -> Probabilities:
    """Births at rate 30 in the first 6 of every 24 hours, else 1, over 60 hours: three pulses and 42 hours."""
    return poisson(30 * 18 + 1 * 42)


def _titration() -> Probabilities:
    return projection(
        (70, 90),
        (0, 0),
        [
            ((1, 0), lambda m, s: 12.0 + 0 * m),
            ((0, 1), lambda m, s: 20.0 + 0 * m),
            ((-1, 0), lambda m, s: 0.5 * m),
            ((0, -1), lambda m, s: 0.4 * s),
            ((-1, -1), lambda m, s: 0.05 * m * s),
        ],
        4.0,
    )


def _telegraph_early() -> Probabilities:
    both = projection(
        (2, 140),
        (0, 0),
        [
            ((1, 0), lambda g, m: 0.7 * (1 - g)),
            ((-1, 0), lambda g, m: 0.4 * g),
            ((0, 1), lambda g, m: 30.0 * g),
            ((0, -1), lambda g, m: 1.0 * m),
        ],
        1.5,
    )
    return both.sum(axis=0)


def _dimerisation() -> Probabilities:
    return projection(
        (61,), (60,), [((-2,), lambda a: 0.01 * a * (a - 1) / 2), ((2,), lambda a: 0.3 * (60 - a) / 2)], 3.0
    )


LAWS = (
    Law(
        "immigration-death",
        "species X = 0; => X; 10; X => ; 0.1*X;",
        7.0,
        ("X",),
        lambda: poisson(100 * (1 - np.exp(-0.7))),
    ),
    Law(
        "Yule growth",
        "species X = 3; X => 2 X; 0.4*X;",
        5.0,
        ("X",),
        lambda: np.concatenate([np.zeros(3), stats.nbinom.pmf(np.arange(600), 3, np.exp(-2.0))]),
    ),
    Law(
        "telegraph mRNA, stationary",
        "species G = 0, M = 0; => G; 0.7*(1-G); G => ; 0.4*G; => M; 30*G; M => ; M;",
        40.0,
        ("M",),
        lambda: telegraph(0.7, 0.4, 30.0, 1.0),
    ),
    Law(
        "telegraph mRNA, early",
        "species G = 0, M = 0; => G; 0.7*(1-G); G => ; 0.4*G; => M; 30*G; M => ; M;",
        1.5,
        ("M",),
        _telegraph_early,
    ),
    Law(
        "miRNA-mRNA titration",
        "species M = 0, S = 0; => M; 12; => S; 20; M => ; 0.5*M; S => ; 0.4*S; M + S => ; 0.05*M*S;",
        4.0,
        ("M", "S"),
        _titration,
    ),
    Law(
        "dimerisation",
        "species A = 60, D = 0; 2 A => D; 0.01*A*(A-1)/2; D => 2 A; 0.3*D;",
        3.0,
        ("A",),
        _dimerisation,
    ),
    Law(
        "rate that swings with time",
        "species X = 0; => X; 20*(1 + 0.9*sin(2*time)); X => ; 0.5*X;",
        4.2,
        ("X",),
        _birth_under_sine,
    ),
    Law(
        "square wave",
        "species X = 0; => X; piecewise(30, time - 24*floor(time/24) < 6, 1);",
        60.0,
        ("X",),
        _square_wave,
    ),
    Law(
        "dose in the middle",
        "species X = 30; => X; 2; X => ; 0.2*X; at time >= 3.7: X = X + 40;",
        5.0,
        ("X",),
        _dose,
    ),
    Law(
        "delayed dose",
        "species X = 30; => X; 2; X => ; 0.2*X; at 1.2 after time >= 2.5, fromTrigger=false: X = X + 40;",
        5.0,
        ("X",),
        _dose,
    ),
    Law(
        "death in a growing volume",
        "species X = 50; V = 1; V' = 0.3*V; X => ; 0.8*X/V;",
        2.0,
        ("X",),
        lambda: stats.binom.pmf(np.arange(51), 50, np.exp(-0.8 / 0.3 * (1 - np.exp(-0.6)))),
    ),
    Law(
        "switch on a count",  # births at rate 5 until 20 are reached, from then on no more
        "species X = 0; on = 1; => X; 5*on; at X >= 20: on = 0;",
        3.0,
        ("X",),
        lambda: np.concatenate([stats.poisson.pmf(np.arange(20), 15.0), [stats.poisson.sf(19, 15.0)]]),
    ),
)  # fmt: skip


def p_value(law: Law, folder: Path, *, runs: int = RUNS, seed: int = SEED, backend: Backend | None = None) -> float:
    """Chi-square of `runs` trajectories against the law."""
    path = folder / "law.ant"
    path.write_text(f"model law()\n{law.antimony.replace('species', 'substanceOnly species')}\nend\n")
    lowered = lower(load(path).network)
    found = sample(lowered, initial_values(lowered), np.array([law.time]), runs=runs, seed=seed, backend=backend)
    counts = [found[:, 0, lowered.slot(id)].astype(np.int64) for id in law.species]
    return fits(counts, law.probabilities())


def main() -> list[Check]:
    """Every law at full size."""
    with tempfile.TemporaryDirectory() as folder:
        p_values = [p_value(law, Path(folder)) for law in LAWS]
    return [
        Check(law.name, adjusted, ALPHA, adjusted > ALPHA, f"p {p:.3g}, after Holm {adjusted:.3g}, {RUNS} runs", ">")
        for law, p, adjusted in zip(LAWS, p_values, holm(p_values).tolist(), strict=True)
    ]
