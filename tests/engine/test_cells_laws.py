"""Populations against laws that are known exactly.

Every p-value comes from a fixed seed; per fresh seed a right engine fails one of the 16 with probability 16 * ALPHA.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.engine.population.exact import run_exact
from senexo.engine.population.initial import start
from senexo.engine.population.model import Become, Cells, CellType, Divide, Fate, Leave, Partition, Population
from senexo.engine.population.splitting import run_split
from senexo.engine.population.stepper import Execution
from senexo.engine.ssa.sampler import sample
from senexo.model.loading import load
from verify._laws import projection

ALPHA = 1e-4
Network = Callable[[str], Lowered]
Probabilities = NDArray[np.float64]


@pytest.fixture
def network(tmp_path: Path) -> Network:
    def make(text: str) -> Lowered:
        path = tmp_path / "model.ant"
        path.write_text(f"model m()\n{text}\nend\n")
        return lower(load(path).network)

    return make


def p_value(counts: NDArray[np.int64], probabilities: Probabilities) -> float:
    """Chi-square of counts 0, 1, 2 ... against their law; places with fewer than 8 expected are put together."""
    n = len(counts)
    observed = np.bincount(counts, minlength=len(probabilities))[: len(probabilities)].astype(float)
    expected = n * probabilities
    rare = expected < 8.0
    observed, expected = (np.append(a[~rare], total - a[~rare].sum()) for a, total in ((observed, n), (expected, n)))
    if expected[-1] < 8.0:
        observed, expected = (np.append(a[:-2], a[-2:].sum()) for a in (observed, expected))
    return float(stats.chisquare(observed, expected).pvalue)


def descendants(population: Population, cells: Cells, name: str, roots: int) -> NDArray[np.int64]:
    """How many cells each of the first cells has left: its number is a parameter, which daughters inherit."""
    founder = cells.of(population, name)[:, population.types[0].network.slot("founder")]
    return np.bincount(founder.astype(np.int64), minlength=roots)


def test_yule_growth_is_geometric(network: Network) -> None:
    """P(n) = e^-bt (1 - e^-bt)^(n-1) (Yule 1925)."""
    net = network("compartment cell = 1; substanceOnly species X in cell = 1; X => X; 0*X; founder = 0; b = 0.5;")
    population = Population((CellType("A", net, (Fate("division", "b", Divide("A", "A")),)),))
    n, time = 40_000, 3.0
    begin = start(population, {"A": n}, seed=11, overrides={"A": {"founder": np.arange(n)}})
    after, _ = run_split(population, begin, time, window=1.0)
    size = descendants(population, after, "A", n)
    stay = np.exp(-0.5 * time)
    assert p_value(size, np.append(0.0, stay * (1 - stay) ** np.arange(150))) > ALPHA
    assert after.values[:, net.slot("X")].sum() == n


def test_extinction(network: Network) -> None:
    """P(extinct) = d (g - 1) / (b g - d), g = e^(b-d)t (Kendall 1948, doi 10.1214/aoms/1177730285)."""
    net = network(
        "compartment cell = 1; substanceOnly species X in cell = 1; X => X; 0*X; founder = 0; b = 0.6; d = 0.4;"
    )
    fates = (Fate("division", "b", Divide("A", "A")), Fate("death", "d", Leave()))
    population = Population((CellType("A", net, fates),))
    n, time, b, d = 40_000, 4.0, 0.6, 0.4
    begin = start(population, {"A": n}, seed=12, overrides={"A": {"founder": np.arange(n)}})
    after, _ = run_split(population, begin, time, window=1.0)
    size = descendants(population, after, "A", n)
    g = np.exp((b - d) * time)
    extinct, rest = d * (g - 1) / (b * g - d), b * (g - 1) / (b * g - d)
    law = np.append(extinct, (1 - extinct) * (1 - rest) * rest ** np.arange(200))
    assert p_value(size, law) > ALPHA


PARTITIONS = {
    "binomial": (Partition(), stats.binom.pmf(np.arange(24), 23, 0.5)),
    "own ratio": (Partition(p=0.3), stats.binom.pmf(np.arange(24), 23, 0.3)),
    "ordered": (Partition("ordered"), np.isin(np.arange(24), (11, 12)) / 2),
    "clusters of 5": (
        Partition("clustered", k=5),
        np.array([stats.binom.pmf((m - 3 * r) / 5, 4, 0.5) / 2 for m in range(24) for r in (0, 1)])
        .reshape(24, 2)
        .sum(1),
    ),
}


@pytest.mark.parametrize("name", PARTITIONS)
def test_partition(network: Network, name: str) -> None:
    rule, law = PARTITIONS[name]
    net = network("compartment cell = 1; substanceOnly species X in cell = 23; X => ; 0*X; b = 1; no = 0;")
    divided = CellType("A", net, (Fate("division", "b", Divide("first", "second", {"X": rule})),))
    population = Population((divided, CellType("first", net), CellType("second", net)))
    n = 30_000
    after, _ = run_split(population, start(population, {"A": n}, seed=13), 60.0, window=60.0)
    x = [after.of(population, name)[:, net.slot("X")].astype(np.int64) for name in ("first", "second")]
    assert len(x[0]) == len(x[1]) == n
    mothers = [np.lexsort(after.parent[after.type == place].T) for place in (1, 2)]
    assert (x[0][mothers[0]] + x[1][mothers[1]] == 23).all()
    assert p_value(x[0], law) > ALPHA


def test_dilution_by_growth(network: Network) -> None:
    """Made at rate k in every cell, halved by divisions at rate b: k / b (1 - e^-bt) in a cell, on average."""
    net = network("compartment cell = 1; substanceOnly species X in cell = 0; => X; 20*one; one = 1; b = 0.5;")
    population = Population((CellType("A", net, (Fate("division", "b", Divide("A", "A")),)),))
    ratios = []
    for replicate in range(60):
        begin = start(population, {"A": 100}, seed=14, replicate=replicate)
        after, _ = run_split(population, begin, 3.0, window=3.0, threads=1, execution=Execution(chunks=1))
        ratios.append((after.values[:, net.slot("X")].sum(), len(after)))
    total, cells = np.array(ratios).T
    expected = 20 / 0.5 * (1 - np.exp(-0.5 * 3.0))
    z = (total - expected * cells).mean() / ((total - expected * cells).std(ddof=1) / np.sqrt(len(total)))
    assert 2 * stats.norm.sf(abs(z)) > ALPHA


def test_a_hazard_that_grows_with_age(network: Network) -> None:
    """Weibull by thinning: with hazard 0.5 age the time to the fate has survival exp(-0.25 t^2)."""
    net = network(
        "compartment cell = 1; substanceOnly species X in cell = 1; X => ; 0*X; age = 0; h := 0.5*age; most := 3;"
    )
    fate = Fate("commitment", "h", Become("B"), bound="most")
    population = Population((CellType("A", net, (fate,), age="age"), CellType("B", net, age="age")))
    _, log = run_split(population, start(population, {"A": 20_000}, seed=15), 5.0, window=1.0)
    survival = stats.weibull_min(2.0, scale=2.0)
    found = stats.kstest(log.time, lambda t: survival.cdf(t) / survival.cdf(5.0))
    assert found.pvalue > ALPHA


def shared(n: int) -> str:
    """One network of n cells and their pool, written out."""
    species = "".join(f"X{i} = 3, " for i in range(n))
    rules = "".join(f"X{i} => E; 0.3*X{i}; E => X{i}; 0.1*E*(1 + X{i}); " for i in range(n))
    return f"substanceOnly species {species} E = 5; {rules} E => ; 0.05*E;"


@pytest.mark.parametrize("cells", [2, 3])
def test_cells_that_share_a_pool(network: Network, cells: int) -> None:
    """Copies left and copies in the pool at time 2: against finite state projection (2 cells) and one joint network.

    The joint network's law is itself 200,000 runs, which makes the chi-square 2 % too large.
    """
    net = network(
        "compartment cell = 1; compartment medium = 1; substanceOnly species X in cell = 3, E in medium = 5;"
        "X => E; 0.3*X; E => X; 0.1*E*(1 + X); E => ; 0.05*E;"
    )
    population = Population((CellType("A", net),), pools=("medium",))
    n, runs, slot = 3 * cells + 5, 4000, net.slot("X")
    found = np.array([
        [after.pools[0], after.values[0, slot], after.values[:, slot].sum()]
        for after in (
            run_exact(population, start(population, {"A": cells}, seed=16, replicate=k), 2.0)[0] for k in range(runs)
        )
    ]).astype(np.int64)  # fmt: skip
    joint = network(shared(cells))
    places = [joint.slot(id) for id in ("E", *(f"X{i}" for i in range(cells)))]
    many = sample(joint, initial_values(joint), np.array([2.0]), runs=200_000, seed=17)[:, 0][:, places]
    reference = np.column_stack((many[:, 0], many[:, 1], many[:, 1:].sum(axis=1))).astype(np.int64)
    for column in range(3):
        law = np.bincount(reference[:, column], minlength=n + 1) / len(reference)
        assert p_value(found[:, column], law) > ALPHA
    if cells == 2:
        law = projection(
            (n + 1,) * 3,
            (5, 3, 3),
            [
                ((1, -1, 0), lambda e, x, y: 0.3 * x),
                ((1, 0, -1), lambda e, x, y: 0.3 * y),
                ((-1, 1, 0), lambda e, x, y: 0.1 * e * (1 + x)),
                ((-1, 0, 1), lambda e, x, y: 0.1 * e * (1 + y)),
                ((-1, 0, 0), lambda e, x, y: 0.05 * e),
            ],
            2.0,
        )
        assert p_value(found[:, 0], law.sum(axis=(1, 2))) > ALPHA
        assert p_value(found[:, 0] * (n + 1) + found[:, 1], law.sum(axis=2).ravel()) > ALPHA
