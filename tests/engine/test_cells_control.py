"""Population control: what it keeps exactly, what it keeps in the mean, and laws of wells with and without it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from senexo.engine.formula.lower import lower
from senexo.engine.population.binomial import binomial_of_many
from senexo.engine.population.control import Resampled, control, uniforms
from senexo.engine.population.initial import start
from senexo.engine.population.model import ROWS, UNDRAWN, Cells, CellType, Fate, Leave, Population
from senexo.engine.population.splitting import run_split
from senexo.engine.population.stepper import Execution
from senexo.engine.population.weights import weighted_mean, weighted_quantiles
from senexo.model.loading import load

WELLS = 10_000
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def made(type: Ints, *, weight: Ints | None = None, born: Floats | None = None, seed: int = 0) -> Cells:
    """Cells of no network: their rows alone, with a random key each and one value."""
    rng, n = np.random.default_rng(seed), len(type)
    nothing = np.zeros(0, dtype=np.int64)
    return Cells(
        seed, 0, 3.0, type=np.asarray(type, dtype=np.int64), key=rng.integers(0, 2**63, (n, 2)).astype(np.uint64),
        parent=np.zeros((n, 2), dtype=np.uint64), born=rng.uniform(-2.0, 3.0, n) if born is None else born,
        draws=np.zeros(n, dtype=np.int64), wait=np.tile(UNDRAWN, (n, 1)), values=rng.normal(size=(n, 1)),
        weight=np.ones(n, dtype=np.int64) if weight is None else weight, base=np.zeros((1, 1)), pools=nothing,
        pool_draws=nothing, pool_wait=np.zeros((1, 3)), fired=nothing, gone=nothing, copied=nothing,
    )  # fmt: skip


def totals(cells: Cells, types: int) -> list[list[float]]:
    """The weight of every type, of cells there since time 0 and of all others."""
    old = cells.born <= 0.0
    return [np.bincount(cells.type[part], cells.weight[part], types).tolist() for part in (old, ~old)]


@pytest.mark.parametrize("seed", range(8))
def test_control_keeps_the_weight_of_every_type(seed: int) -> None:
    rng = np.random.default_rng(seed)
    type = np.repeat(np.arange(4), [3, 40, 90, 600])
    before = made(type, weight=2 ** rng.integers(0, 4, len(type)), seed=seed)
    for most, rare in ((500, 50), (200, 50), (200, 8), (20, 10), (5000, 100)):
        after, done = control(before, most=most, rare=rare)
        assert totals(after, 4) == totals(before, 4)
        n, start_n = np.bincount(after.type, minlength=4), np.bincount(type, minlength=4)
        assert (n >= np.minimum(start_n, rare)).all()
        light = np.array([after.weight[after.type == t].max() == 1 for t in range(4)])
        assert (light | (n >= rare)).all()
        assert n.sum() <= max(most, np.maximum(n, rare).sum())
        assert n.sum() <= max(most, 4 * rare + 8)
        assert (np.bitwise_count(after.weight) == 1).all()
        assert len({tuple(key) for key in after.key.tolist()}) == len(after)
        clones, gone = int(done.split.sum()), int((~done.split).sum())
        assert len(after) == len(before) + clones - gone
        assert {tuple(key) for key in done.key[done.split].tolist()} >= {tuple(key) for key in after.key.tolist()} - {
            tuple(key) for key in before.key.tolist()
        }
    assert totals(before, 4) == totals(made(type, weight=before.weight, seed=seed), 4)  # it was left as it was


def test_nothing_is_done_where_nothing_has_to_be() -> None:
    before = made(np.zeros(60, dtype=np.int64))
    after, done = control(before, most=60, rare=10)
    assert after is before
    assert len(done.time) == 0


def test_the_order_of_cells_does_not_matter() -> None:
    weight = 2 ** (np.arange(300) % 3)
    before = made(np.arange(300) % 3 // 2, weight=weight, seed=4)
    turned = before.copy()
    for name in ROWS:
        setattr(turned, name, getattr(before, name)[::-1].copy())
    one, other = (control(cells, most=150, rare=110)[0] for cells in (before, turned))
    assert sorted(zip(one.key.tolist(), one.weight.tolist(), strict=True)) == sorted(
        zip(other.key.tolist(), other.weight.tolist(), strict=True)
    )


def test_a_merge_is_a_fair_coin() -> None:
    """10,000 pairs: how often the earlier one stays, and the weighted sum of a value: 4.5 deviations, false alarm 1e-5.

    Neighbours by birth are paired, so a pair (2 k, 2 k + 1) in that order has one survivor of weight 2.
    """
    before = made(np.zeros(20_000, dtype=np.int64), born=np.arange(1.0, 20_001.0), seed=5)
    after, done = control(before, most=10_000, rare=10)
    assert (after.weight == 2).all()
    place = after.born.astype(int) - 1
    assert (np.bincount(place // 2) == 1).all()
    assert abs(np.count_nonzero(place % 2 == 0) - 5000) < 4.5 * 50
    gap = np.diff(before.values.reshape(-1, 2), axis=1)
    assert abs(after.weight @ after.values - before.values.sum()) < 4.5 * np.sqrt((gap**2).sum())
    assert len(done.time) == 10_000
    assert not done.split.any()


def test_the_lightest_are_merged_and_the_heaviest_split() -> None:
    weight = np.repeat([1, 2, 16], [30, 30, 4])
    fewer, _ = control(made(np.zeros(64, dtype=np.int64), weight=weight, seed=6), most=54, rare=5)
    assert np.count_nonzero(fewer.weight == 1) == 10
    more, done = control(made(np.zeros(64, dtype=np.int64), weight=weight, seed=6), most=100, rare=68)
    assert sorted(more.weight.tolist()) == sorted([*[1] * 30, *[2] * 30, *[8] * 8])
    assert done.split.all()
    assert more.parent[64:].tolist() == done.origin.tolist()


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Population:
    path = tmp_path_factory.mktemp("model") / "model.ant"
    text = "compartment cell = 1; substanceOnly species X in cell = 1; X => X; 0*X; d = 0.1; founder = 0;"
    path.write_text(f"model m()\n{text}\nend\n")
    network = lower(load(path).network)
    return Population((CellType("A", network, (Fate("death", "d", Leave()),)),))


def test_clones_go_their_own_ways(mortal: Population) -> None:
    """400 cells of weight 64 become 64 of weight 1 each: survivors of one after 7 h are Binomial(64, e^-0.7).

    They have waited for their death for an hour before. Chi-square of all counts, false alarm 1e-4.
    """
    slot = mortal.types[0].network.slot("founder")
    heavy = start(mortal, {"A": 400}, seed=7, overrides={"A": {"founder": np.arange(400.0)}})
    heavy.weight[:] = 64
    heavy, _ = run_split(mortal, heavy, 1.0, window=1.0, execution=Execution("tables"))
    cells, done = control(heavy, most=10**6, rare=10**6)
    assert len(cells) == 64 * len(heavy)
    assert len({tuple(key) for key in cells.key.tolist()}) == len(cells)
    assert len(done.time) == 63 * len(heavy)
    after, _ = run_split(mortal, cells, 8.0, window=1.0, execution=Execution("tables"))
    founders = heavy.values[:, slot].astype(int)
    found = np.bincount(after.values[:, slot].astype(int), minlength=400)[founders]
    edges = [0, 27, 29, 31, 33, 35, 37, 65]
    seen = np.histogram(found, edges)[0]
    due = np.diff(stats.binom.cdf(np.array(edges) - 1, 64, np.exp(-0.7))) * len(founders)
    assert len(founders) > 300
    assert stats.chisquare(seen, due).pvalue > 1e-4


def generation(cells: Cells, rng: np.random.Generator, births: Floats, deaths: Floats, hours: float) -> Cells:
    """Birth and death of every cell for some hours by the law of their descendants (Kendall 1948).

    None with probability a, else a geometric number with ratio c, where g = e^((b - d) t), a = d (g - 1) / (b g - d)
    and c = b (g - 1) / (b g - d); for b = d, a = c = b t / (1 + b t).
    """
    b, d = births[cells.type], deaths[cells.type]
    with np.errstate(divide="ignore", invalid="ignore"):
        g = np.exp((b - d) * hours)
        gone, ratio = d * (g - 1.0) / (b * g - d), b * (g - 1.0) / (b * g - d)
    same = b == d
    gone[same] = ratio[same] = (b * hours / (1.0 + b * hours))[same]
    n = np.where(rng.random(len(cells)) < gone, 0, rng.geometric(1.0 - ratio))
    after = cells.copy()
    for name in ROWS:
        setattr(after, name, np.repeat(getattr(cells, name), n, axis=0))
    rest = np.repeat(n, n) > 1
    after.key[rest] = rng.integers(0, 2**63, (int(rest.sum()), 2)).astype(np.uint64)
    after.time = cells.time + hours
    after.born[rest] = after.time
    return after


def well(numbers: Ints, seed: int) -> Cells:
    cells = made(np.repeat(np.arange(len(numbers)), numbers), seed=seed)
    cells.time, cells.born[:] = 0.0, 0.0
    return cells


def test_a_resting_type_beside_a_growing_one_stays_whole() -> None:
    """10,000 wells: 20 cells that double each hour, 4 that are born and die alike, 10 that do neither; 24 are followed.

    Those at rest are 10 in every well. Growth has its exact mean (4.5 standard errors, false alarm 7e-6), and the hour
    of extinction of the four its exact law (chi-square, false alarm 1e-4): P(extinct by t) = (b t / (1 + b t))^4.
    """
    births, deaths, hours = np.array([np.log(2.0), 0.5, 0.0]), np.array([0.0, 0.5, 0.0]), 5
    grown, gone = np.zeros(WELLS), np.full(WELLS, hours + 1)
    rng = np.random.default_rng(8)
    for k in range(WELLS):
        cells = well(np.array([20, 4, 10]), k)
        for hour in range(1, hours + 1):
            cells, _ = control(generation(cells, rng, births, deaths, 1.0), most=24, rare=12)
            if gone[k] > hour and not (cells.type == 1).any():
                gone[k] = hour
        number = np.bincount(cells.type, cells.weight, 3)
        assert number[2] == 10
        assert (cells.weight[cells.type == 2] == 1).all()
        grown[k] = number[0]
    error = grown.std(ddof=1) / np.sqrt(WELLS)
    assert abs(grown.mean() - 20 * 2**hours) < 4.5 * error
    t = np.arange(hours + 1)
    by = (0.5 * t / (1.0 + 0.5 * t)) ** 4
    due = np.append(np.diff(by), 1.0 - by[-1]) * WELLS
    assert stats.chisquare(np.bincount(gone, minlength=hours + 2)[1:], due).pvalue > 1e-4


def test_a_clone_of_one_founder_has_the_law_of_one_that_is_followed_whole() -> None:
    """Yule growth from one cell, of which 64 are followed, in 10,000 wells: its size is geometric with mean e^(b t).

    Kolmogorov and Smirnov's test against that law, in the middle of its steps; false alarm 1e-3.
    """
    births, deaths, rng = np.array([1.0]), np.array([0.0]), np.random.default_rng(9)
    sizes = np.zeros(WELLS)
    for k in range(WELLS):
        cells = well(np.array([1]), k)
        for _ in range(6):
            cells, _ = control(generation(cells, rng, births, deaths, 1.0), most=64, rare=20)
        sizes[k] = cells.weight.sum()
    assert sizes.max() > 2000
    assert abs(sizes.mean() - np.exp(6.0)) < 4.5 * sizes.std(ddof=1) / np.sqrt(WELLS)
    law = stats.geom(np.exp(-6.0))
    uniform = law.cdf(sizes - 1) + rng.random(WELLS) * law.pmf(sizes)
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3


def test_a_dying_type_is_extinct_when_it_would_be() -> None:
    """2,000 cells that die at 1 per hour, of which 100 are followed, in 2,000 wells: the hour of the last death.

    P(extinct by t) = (1 - e^-t)^2000. Chi-square against it, false alarm 1e-3.
    """
    births, deaths, rng = np.array([0.0]), np.array([1.0]), np.random.default_rng(10)
    wells, hours = 2000, 16
    gone = np.full(wells, hours)
    for k in range(wells):
        cells = well(np.array([2000]), k)
        for hour in range(1, hours):
            cells, _ = control(generation(cells, rng, births, deaths, 1.0), most=100, rare=100)
            if not len(cells):
                gone[k] = hour
                break
    by = (1.0 - np.exp(-np.arange(hours).astype(float))) ** 2000
    due = np.append(np.diff(by), 1.0 - by[-1]) * wells
    seen = np.bincount(gone, minlength=hours + 1)[1:]
    enough = np.flatnonzero(due >= 5)
    seen, due = (np.array([a[: enough[0] + 1].sum(), *a[enough[1:-1]], a[enough[-1] :].sum()]) for a in (seen, due))
    assert stats.chisquare(seen, due).pvalue > 1e-3


def test_uniforms_are_those_of_a_lineage_and_a_purpose() -> None:
    """The values of `base.streams` in plain Python, whatever the order."""
    from senexo.base.streams import DRAW, derive, threefry

    keys = made(np.zeros(5, dtype=np.int64), seed=11).key
    purpose = derive(0, "treat", 3, "0.0")
    for key, found in zip(keys.tolist(), uniforms(keys, "treat", 3, "0.0").tolist(), strict=True):
        mine = threefry(tuple(key), purpose)
        assert found == (threefry(mine, (0, DRAW))[0] >> 11) * 2.0**-53


@pytest.mark.parametrize("n", [1, 7, 400])
def test_weighted_statistics_are_those_of_the_cells_written_out(n: int) -> None:
    rng = np.random.default_rng(n)
    values, weight = rng.normal(size=(n, 3)), 2 ** rng.integers(0, 5, n)
    written, at = np.repeat(values, weight, axis=0), [0.0, 0.1, 0.5, 0.9, 1.0]
    np.testing.assert_allclose(weighted_mean(values, weight), written.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(
        weighted_quantiles(values, weight, at), np.quantile(written, at, axis=0), rtol=1e-12, atol=1e-15
    )
    ones = np.ones(n, dtype=np.int64)
    assert weighted_mean(values, ones).tolist() == values.mean(axis=0).tolist()
    assert weighted_quantiles(values, ones, at).tolist() == np.quantile(values, at, axis=0).tolist()


def test_records_of_control_are_joined_in_order() -> None:
    assert len(Resampled.joined([]).time) == 0
    parts = [control(made(np.zeros(40, dtype=np.int64), seed=seed), most=30, rare=5)[1] for seed in (1, 2)]
    assert Resampled.joined(parts).key.tolist() == [*parts[0].key.tolist(), *parts[1].key.tolist()]


@pytest.mark.parametrize(
    ("n", "p"), [(1000, 0.3), (1025, 0.5), (5000, 0.001), (10**5, 3e-5), (10**5, 0.01), (10**6, 0.4), (3000, 0.997)]
)
def test_binomial_numbers_of_many_trials(n: int, p: float) -> None:
    """20,000 numbers by inversion, rejection and bits, in groups of equal probability: chi-square, false alarm 1e-4."""
    used = np.zeros(1, dtype=np.uint64)
    k0, k1 = np.uint64(n), np.uint64(7)
    found = np.array([binomial_of_many(k0, k1, used, n, p) for _ in range(20_000)])
    law = stats.binom(n, p)
    edges = np.unique(law.ppf(np.linspace(0.0, 1.0, 31)[1:-1]))
    due = np.diff(np.concatenate(([0.0], law.cdf(edges), [1.0]))) * len(found)
    seen = np.bincount(np.searchsorted(edges, found), minlength=len(due))
    assert stats.chisquare(seen, due).pvalue > 1e-4
