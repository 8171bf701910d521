"""Wells of which a part of the cells is followed, against the same wells followed whole, and against exact laws.

`WELLS` wells by windows, through the laboratory's own bench: cells A that grow, B that are born and die alike, R that
do neither, in a medium into which all release what they make and from which all take up. At most `MOST` cells are
followed, of every type `RARE`; without control every cell is. Compared are the hour of extinction of B, numbers of A,
copies in the pool, in all cells, and in one cell of each well drawn by weight. The p-values are joined by Holm's
correction: right code fails one with probability `ALPHA` or less per fresh seed. What is exact is counted: wells in
which an R is missing, and pool balances that do not close to the molecule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from senexo.assays.stats.multiple_testing import holm
from senexo.base.streams import generator
from senexo.engine.population.model import CellType, Divide, Fate, Leave, Population
from senexo.lab.coupled.methods import Split
from senexo.lab.coupled.single_cells import SingleCellSimulator
from senexo.lab.coupled.well import Well
from verify import Check
from verify._laws import Floats, Ints, alike, chi_square, network

WELLS, SEED, ALPHA = 10_000, 20_263, 0.01
MOST, RARE, HOURS = 40, 15, 9
BIRTH, DEATH, ALIKE = 0.4, 0.05, 0.25
FIRST = {"A": 20, "B": 4, "R": 6}
CELL = (
    "compartment cell = 1; compartment medium = 1; substanceOnly species X in cell = 4, E in medium = 0;"
    f"n_well = 1; b = {BIRTH}; d = {DEATH}; q = {ALIKE};"
    "=> X; 2; X => ; 0.2*X; X => E; 0.3*X; take: E => X; 0.1*E/n_well; lose: E => ; 0.05*E;"
)


@dataclass(frozen=True)
class Found:
    """Of every well: hour of B's extinction (HOURS + 1: none), cells A, X in all cells and in one, E; faults."""

    extinct: Ints
    grown: Ints
    held: Ints
    one: Ints
    pool: Ints
    lost: int
    unbalanced: int
    followed: int


def population() -> Population:
    net = network(CELL)
    death = Fate("death", "d", Leave())
    types = (
        CellType("A", net, (Fate("division", "b", Divide("A", "A")), death)),
        CellType("B", net, (Fate("birth", "q", Divide("B", "B")), Fate("loss", "q", Leave()))),
        CellType("R", net),
    )
    return Population(types, pools=("medium",))


def wells(most: int, seed: int) -> Found:
    made = population()
    bench, slot = SingleCellSimulator(made, Split(0.5), share="n_well"), made.types[0].network.slot("X")
    times = tuple(float(hour) for hour in range(HOURS + 1))
    rows, lost, unbalanced, followed = np.zeros((WELLS, 5), dtype=np.int64), 0, 0, 0
    for k, row in enumerate(rows):
        begin = bench.seeded(FIRST, {}, seed=seed, replicate=k)
        course = bench.grow(begin, Well(float(HOURS), times, most_cells=most, rare_cells=RARE, balance_times=times))
        there = [bool((reading.type == 1).any()) for reading in course.snapshots]
        end = course.end
        row[0] = there.index(False) if False in there else HOURS + 1
        row[1] = end.weight[end.type == 0].sum()
        row[2] = end.weight @ end.values[:, slot]
        row[3] = generator(seed, k, "one").choice(end.values[:, slot], p=end.weight / end.weight.sum())
        row[4] = end.pools[0]
        resting = end.type == 2
        lost += int(end.weight[resting].sum() != FIRST["R"] or np.count_nonzero(resting) != FIRST["R"])
        unbalanced += any(one.interventions != 0 for _, _, found in course.balances for one in found)
        followed = max(followed, len(end))
    return Found(*rows.T, lost, unbalanced, followed)


def equal_means(one: Floats, other: Floats) -> float:
    return float(stats.ttest_ind(one, other, equal_var=False).pvalue)


def extinction_law() -> Floats:
    """P(extinct by t) = (q t / (1 + q t))^n of births and deaths at one rate (Kendall 1948), by the hour seen."""
    t = np.arange(HOURS + 1.0)
    by = (ALIKE * t / (1.0 + ALIKE * t)) ** FIRST["B"]
    return np.concatenate(([0.0], np.diff(by), [1.0 - by[-1]]))


def main() -> list[Check]:
    part, whole = wells(MOST, SEED), wells(10**9, SEED + 1)
    mean = FIRST["A"] * np.exp((BIRTH - DEATH) * HOURS)
    found = [
        ("hour of extinction: as followed whole", alike([part.extinct], [whole.extinct])),
        ("hour of extinction: Kendall's law", float(stats.chi2.sf(*chi_square([part.extinct], extinction_law())))),
        ("cells A: mean as followed whole", equal_means(part.grown, whole.grown)),
        ("cells A: exact mean", float(stats.ttest_1samp(part.grown, mean).pvalue)),
        ("copies in all cells: mean", equal_means(part.held, whole.held)),
        ("copies in the pool: mean", equal_means(part.pool, whole.pool)),
        ("copies in one cell: law", alike([part.one], [whole.one])),
    ]
    adjusted = holm([p for _, p in found]).tolist()
    detail = f"{WELLS} wells, up to {part.followed} cells followed of {int(whole.grown.max())}"
    checks = [
        Check(name, after, ALPHA, after > ALPHA, f"p {p:.3g}; {detail}", ">")
        for (name, p), after in zip(found, adjusted, strict=True)
    ]
    return [
        *checks,
        Check("wells that lost an R", part.lost, 0, part.lost == 0, detail),
        Check("wells whose pool does not balance", part.unbalanced, 0, part.unbalanced == 0, detail),
    ]
