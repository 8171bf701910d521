"""`split` and `hybrid` against `exact`, on dishes of 50 cells that divide, die and share a medium.

The bar was written down beforehand: mean and deviation over cells of every species, the pool, and the numbers of
divisions and deaths within 1 % of the exact ones, beyond 4 standard errors of the comparison (a false alarm of a right
method over all 30 has a chance below 0.002). The share of divisions among all fates is judged by the two-sample z as
well.
Bias: cells that take up the faster the more they have empty the pool within hours, so that a window which holds still
what they have shows. What is wrong with the pool at windows from 2 h to 1/4 h: half the window has at most half of it,
beyond 4 errors, and so wide a window as the first is wrong by more than 10 errors, or nothing is compared.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from senexo.engine.population.initial import start
from senexo.engine.population.model import Cells, Population
from senexo.engine.population.tables import compile_population
from verify import Check
from verify._population import ENGINES, Engine, run, sharing
from verify.populations_hybrid import ERRORS, TOLERANCE, beyond

DISHES, CELLS, UNTIL, WINDOW = 2000, 50, 6.0, 0.125
CONTINUOUS = ("P", "D", "F")  # hundreds and tens of copies; M, I and the pool go event by event
SEED = 21
GREEDY, HOURS, FEWER, COARSE = {"taking": 0.002, "more": 0.3}, 4.0, 300, (2.0, 1.0, 0.5, 0.25)
Floats = NDArray[np.float64]


def counts(here: Population, cells: Cells) -> list[float]:
    """Counts of one dish: fates, pool, sums over cells of every species and of its square, cells."""
    fates = [int(cells.fired[at]) for at, channel in enumerate(compile_population(here).channels) if channel.fate]
    values = cells.values[:, list(here.countable[0])]
    return [*fates, int(cells.pools[0]), *values.sum(axis=0), *(values**2).sum(axis=0), len(cells)]


def dishes(
    engine: Engine, here: Population, window: float, number: int, until: float, own: Mapping[str, float]
) -> Floats:
    """[dishes, counts of each]; streams of the engines do not overlap, so their dishes are independent."""
    rows = []
    for dish in range(number):
        seed = SEED + ENGINES.index(engine)
        begin = start(here, {"A": CELLS}, seed=seed, replicate=dish, overrides={"A": own})
        after = run(engine, here, begin, until, window=window, continuous=CONTINUOUS)
        rows.append(counts(here, after))
    return np.array(rows, dtype=np.float64)


def estimates(rows: Floats, species: int) -> Floats:
    """Mean number of divisions, deaths, copies in the pool; mean and deviation over cells of every species."""
    total = rows.sum(axis=0)
    mean = total[3 : 3 + species] / total[-1]
    square = total[3 + species : 3 + 2 * species] / total[-1]
    return np.concatenate([total[:3] / len(rows), mean, np.sqrt(square - mean**2)])


def with_error(rows: Floats, species: int) -> tuple[Floats, Floats]:
    """Estimates and standard errors, by the jackknife over 50 groups of dishes: cells of a dish are not independent."""
    groups = np.array_split(np.arange(len(rows)), 50)
    left_out = np.array([estimates(np.delete(rows, group, axis=0), species) for group in groups])
    g = len(groups)
    return estimates(rows, species), np.sqrt((g - 1) / g * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))


def close(name: Engine, names: list[str], exact: tuple[Floats, Floats], found: tuple[Floats, Floats]) -> list[Check]:
    ratio = found[0] / exact[0]
    error = np.hypot(found[1] / found[0], exact[1] / exact[0])
    return [
        Check(f"{name}: {what}", off, TOLERANCE, off <= TOLERANCE, f"ratio {r:.4f} +- {se:.4f}")
        for what, r, se in zip(names, ratio, error, strict=True)
        for off in [beyond(float(r), float(se))]
    ]


def fates(name: Engine, exact: Floats, found: Floats) -> list[Check]:
    """Share of divisions among all fates, of all dishes together."""
    (a, b), (c, d) = exact[:, :2].sum(axis=0), found[:, :2].sum(axis=0)
    one, other, both = a / (a + b), c / (c + d), (a + c) / (a + b + c + d)
    z = abs(one - other) / np.sqrt(both * (1.0 - both) * (1.0 / (a + b) + 1.0 / (c + d)))
    return [Check(f"{name}: share of divisions, |z|", z, ERRORS, z <= ERRORS, f"{other:.4f}, exact {one:.4f}")]


def halves(here: Population) -> list[Check]:
    """The bias of the copies in the pool, window by window."""
    rows = dishes("exact", here, COARSE[0], FEWER, HOURS, GREEDY)[:, 2]
    exact, error = rows.mean(), rows.var(ddof=1) / FEWER
    checks = []
    for engine in ENGINES[1:]:
        found = [dishes(engine, here, window, FEWER, HOURS, GREEDY)[:, 2] for window in COARSE]
        bias = [pool.mean() - exact for pool in found]
        errors = [float(np.sqrt(pool.var(ddof=1) / FEWER + error)) for pool in found]
        detail = ", ".join(f"{w:g} h: {b:.1f} +- {e:.1f}" for w, b, e in zip(COARSE, bias, errors, strict=True))
        seen = abs(bias[0]) / errors[0]
        checks.append(Check(f"{engine}: bias at {COARSE[0]:g} h, in errors", seen, 10.0, seen > 10.0, detail, ">"))
        for k in range(1, len(COARSE)):
            left, bar = abs(bias[k]) - 0.5 * abs(bias[k - 1]), ERRORS * float(np.hypot(errors[k], 0.5 * errors[k - 1]))
            checks.append(Check(f"{engine}: bias at {COARSE[k]:g} h", left, bar, left <= bar, detail))
    return checks


def main() -> list[Check]:
    here = sharing()
    ids = [here.types[0].network.slots[slot].id for slot in here.countable[0]]
    names = ["divisions", "deaths", "copies in the pool", *ids, *(f"deviation of {id}" for id in ids)]
    rows = {engine: dishes(engine, here, WINDOW, DISHES, UNTIL, {}) for engine in ENGINES}
    exact = with_error(rows["exact"], len(ids))
    checks: list[Check] = []
    for engine in ENGINES[1:]:
        checks += close(engine, names, exact, with_error(rows[engine], len(ids)))
        checks += fates(engine, rows["exact"], rows[engine])
    return checks + halves(here)
