"""Invariants of populations, counted over 1e8 events of `exact`, `split` and `hybrid`: no violation.

After every stretch of time, from the state before, the state after and the log:

* counts: no species or pool is below 0; whole ones are whole;
* copies: of every species, what is in cells and in pools is what was there, plus made, less degraded, less what left
  with dead cells, to the molecule; no pool has a copy that its ledger does not know;
* cells: the living are those from before and those born, less those that divided or left. Every key is new, every
  mother known, every type and time of birth that of the log.

In `hybrid` the continuous species are no whole copies and their reactions no events; they are only looked at for values
below 0 or without end.
"""

from __future__ import annotations

import sys
import time as clock
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import numpy as np

from senexo.engine.population.exact import run_exact
from senexo.engine.population.hybrid import run_hybrid
from senexo.engine.population.initial import start
from senexo.engine.population.mass_balance import births, pool_balances
from senexo.engine.population.model import Cells, Log, Population
from senexo.engine.population.partition import HybridPartition, divided
from senexo.engine.population.splitting import run_split
from senexo.engine.population.stepper import Backend, Execution
from senexo.engine.population.tables import BECOME, DIVIDE, EFFECT, WHAT, compile_population
from senexo.lab.coupled.population import population_of
from senexo.model.circuit import load_circuit
from verify import Check
from verify._population import sharing

EVENTS = 100_000_000
Run = Callable[[Cells, float], tuple[Cells, Log]]
Key = tuple[int, int]


@dataclass
class Tally:
    """Violations found so far, and what was looked at."""

    counts: int = 0
    copies: int = 0
    cells: int = 0
    events: int = 0
    fates: int = 0
    by_run: dict[str, int] = field(default_factory=dict)


def looked_at(
    population: Population, before: Cells, after: Cells, log: Log, ever: set[Key], continuous: Collection[str]
) -> tuple[int, int, int]:
    """Violations of one stretch: counts, copies, cells. ever: every key there has been, which is added to."""
    return (
        _counts(population, after, continuous),
        _copies(population, before, after, continuous),
        _cells(population, before, after, log, ever),
    )


def _counts(population: Population, after: Cells, continuous: Collection[str]) -> int:
    found = int((after.pools < 0).sum())
    for place, slots in enumerate(population.countable):
        network = population.types[place].network
        for slot in slots:
            values = after.values[after.type == place, slot]
            found += int((~((values >= 0.0) & (values < np.inf))).sum())
            if network.slots[slot].id not in continuous:
                found += int((values != np.floor(values)).sum())
    return found


def _copies(population: Population, before: Cells, after: Cells, continuous: Collection[str]) -> int:
    """Species whose mass balance does not close, over all types, since a cell that changes type takes its copies."""
    made = compile_population(population)
    fired = (after.fired - before.fired).tolist()
    found = sum(book.interventions != 0 for book in pool_balances(population, before, after))
    sums: dict[str, int] = {}
    for place, slots in enumerate(population.countable):
        for slot in slots:
            id = population.types[place].network.slots[slot].id
            there = after.values[after.type == place, slot].sum() - before.values[before.type == place, slot].sum()
            left = after.gone[place, slot] - before.gone[place, slot]
            doubled = after.copied[place, slot] - before.copied[place, slot]
            sums[id] = sums.get(id, 0) + int(there) + int(left) - int(doubled)
    for id, change in sums.items():
        if id not in continuous:
            moved = sum(channel.moved(id) * n for channel, n in zip(made.channels, fired, strict=True))
            found += change != moved
    return found


def _cells(population: Population, before: Cells, after: Cells, log: Log, ever: set[Key]) -> int:
    tables = compile_population(population).tables
    what = tables.effects[tables.channels[log.channel, EFFECT], WHAT]
    born = births(population, log)
    new, whose = (list(map(tuple, rows.tolist())) for rows in (born.key, born.parent))
    found = len(new) - len(set(new) - ever)
    ever |= set(new)
    found += len(set(whose) - ever)
    ended = set(map(tuple, log.key[what != BECOME].tolist()))
    expected = (set(map(tuple, before.key.tolist())) | set(new)) - ended
    living = list(map(tuple, after.key.tolist()))
    found += len(living) - len(set(living)) + len(expected ^ set(living))
    n_divided = int((what == DIVIDE).sum())
    found += len(before) + n_divided - int(((what != DIVIDE) & (what != BECOME)).sum()) != len(after)
    nursery = dict(zip(new, zip(whose, born.time.tolist(), strict=True), strict=True))
    changed = set(map(tuple, log.key[what == BECOME].tolist()))
    types = dict(zip(new, born.type.tolist(), strict=True))
    for key, parent, time, type in zip(living, after.parent.tolist(), after.born, after.type.tolist(), strict=True):
        if key in nursery:
            mother, birth = nursery[key]
            found += tuple(parent) != mother
            found += key not in changed and (float(time) != birth or type != types[key])
    return int(found)


def follow(
    tally: Tally, name: str, population: Population, begin: Cells, run: Run, stretches: int, span: float,
    continuous: Collection[str] = (),
) -> None:  # fmt: skip
    """A run in stretches of `span`, looked at after each."""
    ever, now, began = set(map(tuple, begin.key.tolist())), begin, clock.process_time()
    for stretch in range(1, stretches + 1):
        after, log = run(now, stretch * span)
        assert log.complete
        found = looked_at(population, now, after, log, ever, continuous)
        tally.counts, tally.copies, tally.cells = (
            a + b for a, b in zip((tally.counts, tally.copies, tally.cells), found, strict=True)
        )
        tally.fates += len(log.time)
        now = after
    events = int(now.fired.sum() - begin.fired.sum())
    tally.events += events
    tally.by_run[name] = tally.by_run.get(name, 0) + events
    seconds = clock.process_time() - began
    print(f"{name}: {events} events, {len(begin)} to {len(now)} cells, {seconds:.0f} s", file=sys.stderr, flush=True)


def windows(population: Population, backend: Backend) -> Run:
    return lambda cells, until: run_split(
        population, cells, until, window=0.25, threads=1, execution=Execution(backend)
    )


def steps(population: Population, parts: HybridPartition, backend: Backend) -> Run:
    return lambda cells, until: run_hybrid(
        population, cells, until, window=0.25, partition=parts, threads=1, execution=Execution(backend)
    )


def main() -> list[Check]:
    tally, made, circuit = Tally(), sharing(), population_of(load_circuit("mir34c-rab27b-cells"), types=["LSC"])
    parts, own = divided(made), divided(circuit)
    for replicate in range(8):
        begin = start(made, {"A": 60}, seed=51, replicate=replicate)
        follow(tally, "exact", made, begin, lambda cells, until: run_exact(made, cells, until), 24, 1.0)
    for replicate in range(4):
        begin = start(made, {"A": 4000}, seed=52, replicate=replicate)
        follow(tally, "hybrid", made, begin, steps(made, parts, "lanes"), 24, 1.0, parts.continuous)
    shared = {type.name: {"cells_in_well": 60.0} for type in circuit.types}
    begin = start(circuit, {"LSC": 10}, seed=53, overrides=shared)
    follow(tally, "split, circuit", circuit, begin, windows(circuit, "tables"), 6, 4.0)
    begin = start(circuit, {"LSC": 60}, seed=54, overrides=shared)
    follow(tally, "hybrid, circuit", circuit, begin, steps(circuit, own, "tables"), 6, 4.0, own.continuous)
    for replicate in range(2):
        begin = start(made, {"A": 2000}, seed=55, replicate=replicate)
        follow(tally, "split", made, begin, windows(made, "lanes"), 24, 1.0)
    told = ", ".join(f"{name} {events:.3g}" for name, events in tally.by_run.items())
    enough = tally.events >= EVENTS
    return [
        Check(name, found, 0, found == 0 and enough, detail)
        for name, found, detail in (
            ("counts below 0 or not whole", tally.counts, f"{tally.events:.4g} events: {told}"),
            ("mass balances of species that do not close", tally.copies, ""),
            ("cells and lineages that do not add up", tally.cells, f"{tally.fates} fates"),
        )
    ]
