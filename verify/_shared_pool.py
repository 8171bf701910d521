"""Laws of few cells that share a pool: against finite state projection, and against one network of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import stats

from senexo.engine.formula.evaluate import initial_values
from senexo.engine.population.model import CellType, Divide, Fate
from senexo.engine.ssa.sampler import sample
from verify import Check
from verify._growing import Found
from verify._laws import Floats, Ints, Reaction, alike, chi_square, fits, network, projection
from verify._population import dishes

TIME = 2.0
POOL, COPIES = 5, 3  # at the start: in the pool, in each cell
MAKE, RELEASE, UPTAKE, LOSS, DIVISION = 0.4, 0.8, 0.25, 0.05, 0.6
WINDOWS = (1.0, 0.5, 0.25)
FALLS = {"by what it holds": 2 / 3, "at its own rate": 1 / 3}  # most that half a window leaves of a distance
BOXES = {2: (30, 24, 24), 3: (30, 24, 24, 24)}
LOST = 1e-7


def cell(dish: int, taking: str = "1 + X") -> str:
    """A cell that makes, releases and takes up; as a rule the faster, the more it has."""
    pool = f"E{dish}"
    return (
        f"compartment cell = 1; compartment medium{dish} = 1;"
        f"substanceOnly species X in cell = {COPIES}, {pool} in medium{dish} = {POOL}; h = {DIVISION};"
        f"=> X; {MAKE}; X => {pool}; {RELEASE}*X; {pool} => X; {UPTAKE}*{pool}*({taking});"
        f"lose{dish}: {pool} => ; {LOSS}*{pool};"
    )


def staying(dish: int) -> tuple[CellType, ...]:
    return (CellType(f"A{dish}", network(cell(dish))),)


def steady(dish: int) -> tuple[CellType, ...]:
    return (CellType(f"A{dish}", network(cell(dish, "4"))),)


def one_network(cells: int) -> str:
    """All cells and their pool written out as one network."""
    species = "".join(f"X{i} = {COPIES}, " for i in range(cells))
    rules = "".join(
        f"=> X{i}; {MAKE}; X{i} => E; {RELEASE}*X{i}; E => X{i}; {UPTAKE}*E*(1 + X{i}); " for i in range(cells)
    )
    return f"substanceOnly species {species} E = {POOL}; {rules} E => ; {LOSS}*E;"


def each(place: int, axes: int, there: Callable[..., Floats], grows: float = 1.0) -> list[Reaction]:
    """What the cell on one axis does, where there is such a cell; axis 0 is the pool. `grows` 0: uptake stays at 4."""

    def change(copies: int, pool: int) -> tuple[int, ...]:
        return tuple(pool if axis == 0 else copies if axis == place else 0 for axis in range(axes))

    return [
        (change(1, 0), lambda *n: MAKE * there(*n)),
        (change(-1, 1), lambda *n: RELEASE * n[place] * there(*n)),
        (change(1, -1), lambda *n: UPTAKE * n[0] * (4 - 3 * grows + grows * n[place]) * there(*n)),
    ]


def joint_law(cells: int, grows: float = 1.0) -> Floats:
    axes = cells + 1
    reactions = [r for place in range(1, axes) for r in each(place, axes, lambda *n: 1.0 + 0.0 * n[0], grows)]
    lose: Reaction = ((-1, *[0] * cells), lambda *n: LOSS * n[0])
    return projection(BOXES[cells], (POOL, *[COPIES] * cells), [*reactions, lose], TIME, LOST)


def dividing_law() -> Floats:
    """One cell that becomes two of one pool; axes: pool, first, second, and whether it has divided."""
    size = BOXES[2][1]
    first = each(1, 4, lambda e, x, y, two: 1.0 + 0.0 * e)
    second = each(2, 4, lambda e, x, y, two: 1.0 * two)

    def divide(copies: int) -> Reaction:
        chance = lambda e, x, y, two: DIVISION * (1 - two) * stats.binom.pmf(copies, x, 0.5)  # noqa: E731
        return (0, -copies, copies, 1), chance

    lose: Reaction = ((-1, 0, 0, 0), lambda e, x, y, two: LOSS * e)
    reactions = [*first, *second, lose, *(divide(copies) for copies in range(size))]
    return projection((*BOXES[2], 2), (POOL, COPIES, 0, 0), reactions, TIME, LOST)


def splitting(dish: int) -> tuple[CellType, ...]:
    net = network(cell(dish))
    fate = Fate("division", "h", Divide(f"D{dish}", f"D{dish}"))
    return CellType(f"A{dish}", net, (fate,)), CellType(f"D{dish}", net)


@dataclass(frozen=True)
class Distance:
    """How far windows are from the exact law: the square root of sum (q - p)^2 / p, chance taken out."""

    window: float
    value: float
    error: float

    def __str__(self) -> str:
        return f"{self.window:g}: {self.value:.4f} +- {self.error:.4f}"


def distance(counts: list[Ints], law: Floats, window: float) -> Distance:
    """(chi-square - its mean) / n estimates the square without bias; its own spread by the non-central chi-square."""
    statistic, freedom = chi_square(counts, law)
    n = len(counts[0])
    square = max(0.0, statistic - freedom)
    value = np.sqrt(square / n)
    return Distance(window, value, np.sqrt(2.0 * (freedom + 2.0 * square)) / n / (2.0 * max(value, 1.0 / np.sqrt(n))))


def falls(
    name: str, taking: str, make: Callable[[int], tuple[CellType, ...]], cells: int, law: Floats, n: int, seed: int
) -> Check:
    """Windows are of second order where uptake does not change a cell's rate of uptake, else of first order.

    The joint law of the pool and one cell. Half a window leaves 1/4 or 1/2 of the distance; the bars leave a third
    more to chance and to higher orders.
    """
    pair = law.sum(axis=tuple(range(2, cells + 1)))
    found = [
        distance(dishes("split", make, cells, n, TIME, seed=seed + place, window=h)[:2], pair, h)
        for place, h in enumerate(WINDOWS)
    ]
    most = max(fine.value / coarse.value for coarse, fine in pairwise(found))
    detail = f"windows {'; '.join(str(d) for d in found)}"
    bar = FALLS[taking]
    return Check(f"split: {name}, taken {taking}: distance falls", most, bar, bool(most <= bar), detail)


def laws(n: int, seed: int) -> tuple[list[tuple[str, str, float, str]], list[Check]]:
    """(law, engine, p-value, detail) of exact runs; and that the distance of windows falls."""
    found, checks = [], []
    for cells in BOXES:
        name = f"{cells} cells and a pool"
        law = joint_law(cells)
        truncated = f"truncated {abs(1.0 - law.sum()):.0e}"
        exact = dishes("exact", staying, cells, n, TIME, seed=seed)
        found.append((f"{name}: joint law", "exact", fits(exact, law), truncated))
        pool = law.sum(axis=tuple(range(1, cells + 1)))
        found.append((f"{name}: pool", "exact", fits(exact[:1], pool), truncated))
        joint = network(one_network(cells))
        runs = sample(joint, initial_values(joint), np.array([TIME]), runs=n, seed=seed + 1)[:, 0]
        together = [runs[:, joint.slot(id)].astype(np.int64) for id in ("E", *(f"X{i}" for i in range(cells)))]
        found.append((f"{name}: joint SSA", "exact", alike(exact, together), f"{n} runs of one network"))
        checks.append(falls(name, "by what it holds", staying, cells, law, n, seed + 3))
    checks.append(falls("2 cells and a pool", "at its own rate", steady, 2, joint_law(2, 0.0), n, seed + 6))
    return found, checks


def dividing(n: int, seed: int) -> Found:
    """A cell that divides and shares the pool with its daughter, event by event."""
    law = dividing_law()
    pool, first, second = dishes("exact", splitting, 1, n, TIME, seed=seed, most=2)
    p = fits([pool, first, np.maximum(second, 0), (second >= 0).astype(np.int64)], law)
    yield "a cell, its daughter and a pool: joint law", p, f"truncated {abs(1.0 - law.sum()):.0e}"


def by_hybrid(n: int, seed: int, window: float = 1.0) -> Found:
    """With all species event by event and steps as long as the window, `hybrid` has the law of `split`."""
    one = dishes("hybrid", staying, 2, n, TIME, seed=seed, window=window)
    other = dishes("split", staying, 2, n, TIME, seed=seed + 1, window=window)
    yield f"2 cells and a pool: as split, window {window:g}", alike(one, other), ""
