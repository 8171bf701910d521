"""Types of cells that one generated kernel can run together, in the form it is printed from.

Types with the same network differ in their fates alone. The kernel then knows the fates of all of them, and each
lane has a weight, 1 or 0, for every one: to add 0 to a running sum changes no bit of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.graph import Graph, Node
from senexo.engine.formula.laws import never_negative, vanishes
from senexo.engine.population.model import Population
from senexo.engine.population.tables import CHANGES, CHANGES_END, FIRST, REACTIONS, TAKING, CompiledPopulation

LARGEST = 160  # channels; the work of a step grows with all of them, that of the tables with those that change

_Fate = tuple[int, int]  # slot of the hazard, and how many fates of the type have it before


@dataclass(frozen=True, slots=True)
class Lockstep:
    """Reactions of a cell while the pools stand still, and its fates, with the assignment rules written in place.

    `rates` are those of the reactions that take nothing from pools, then those of the fates.
    """

    kinds: tuple[int, ...]  # types of cells, in their order
    graph: Graph
    rates: list[Node]
    n_reactions: int
    counted: list[int]  # slots that reactions change; state number k is counted[k]
    changes: list[list[tuple[int, float]]]  # of each reaction: (state number, copies)
    releases: list[list[tuple[int, int]]]  # of each reaction: (pool, copies)
    uptake: list[Node]  # rates of the reactions that take from pools
    pool_of: dict[int, int]  # slot -> pool
    weights: NDArray[np.float64]  # [kinds, fates]
    channels: NDArray[np.int64]  # [kinds, reactions]: their numbers in the plan
    may_be_negative: list[bool]  # of each rate, where no value of the cell is negative
    may_run_out: list[bool]  # of each state number: can a law fire without enough of it?

    @property
    def weighted(self) -> bool:
        return bool((self.weights != 1.0).any())

    def varying(self, roots: Iterable[Node]) -> set[Node]:
        """The nodes that reactions change."""
        state = {self.graph.slot(slot) for slot in self.counted}
        found: set[Node] = set()
        for node in self.graph.reachable(roots):
            if node in state or any(argument in found for argument in self.graph.arguments(node)):
                found.add(node)
        return found


def locksteps(population: Population, made: CompiledPopulation) -> tuple[Lockstep, ...]:
    """Every type with reactions of its own in one group; types too large are left out, for the tables."""
    groups: list[tuple[list[int], list[_Fate]]] = []
    for kind in range(len(population.types)):
        hazards = _fates(population, kind)
        row = made.tables.kinds[kind]
        if row[REACTIONS] == row[TAKING] or len(made.networks[kind].reactions) + len(hazards) > LARGEST:
            continue
        for place, (kinds, _) in enumerate(groups):
            if _same(made, kinds[0], kind):
                order = _merged([_fates(population, k) for k in [*kinds, kind]])
                if order is not None and len(order) + len(made.networks[kind].reactions) <= LARGEST:
                    groups[place] = ([*kinds, kind], order)
                    break
        else:
            groups.append(([kind], hazards))
    return tuple(_lockstep(population, made, kinds, order) for kinds, order in groups)


def _fates(population: Population, kind: int) -> list[_Fate]:
    type, found = population.types[kind], list[_Fate]()
    for fate in type.fates:
        slot = type.network.slot(fate.bound or fate.hazard)
        found.append((slot, sum(slot == other for other, _ in found)))
    return found


def _same(made: CompiledPopulation, one: int, other: int) -> bool:
    """Have two types the same network but for the values?"""
    a, b, tables = made.networks[one], made.networks[other], made.tables
    return (
        a.slots == b.slots
        and a.assignments == b.assignments
        and a.reactions == b.reactions
        and bool((tables.pool_slot[one] == tables.pool_slot[other]).all())
        and bool(tables.kinds[one, TAKING] == tables.kinds[other, TAKING])
    )


def _merged(orders: list[list[_Fate]]) -> list[_Fate] | None:
    """All fates in an order that is every type's own; None if there is none."""
    before: dict[_Fate, list[_Fate]] = {}
    for order in orders:
        for fate in order:
            before.setdefault(fate, [])
        for one, other in pairwise(order):
            before[other].append(one)
    try:
        return list(TopologicalSorter(before).static_order())
    except CycleError:
        return None


def _lockstep(population: Population, made: CompiledPopulation, kinds: list[int], order: list[_Fate]) -> Lockstep:
    tables, network = made.tables, made.networks[kinds[0]]
    taking = int(tables.kinds[kinds[0], TAKING])
    pool_of = {int(slot): pool for pool, slot in enumerate(tables.pool_slot[kinds[0]]) if slot >= 0}
    graph, inlined = Graph(), dict[int, Node]()
    for item in network.assignments:
        inlined[item.slot] = graph.add(item.math, inlined)
    laws = [graph.add(reaction.rate, inlined) for reaction in network.reactions]
    hazards = [inlined[slot] if slot in inlined else graph.slot(slot) for slot, _ in order]
    moved = [_moved(made, kinds[0], taking + r) for r in range(len(network.reactions) - taking)]
    counted = sorted({slot for group in moved for slot, _ in group if slot not in pool_of})
    number = {slot: k for k, slot in enumerate(counted)}
    rates = [*laws[taking:], *hazards]
    positive = never_negative(graph, rates, np.zeros(len(network.slots)), set(counted))
    runs_out = [False] * len(counted)
    for rate, group in zip(rates, moved, strict=False):
        for slot, copies in group:
            if slot in number and (copies < -1 or (copies == -1 and not vanishes(graph, rate, graph.slot(slot)))):
                runs_out[number[slot]] = True
    weights = np.array([[float(fate in _fates(population, kind)) for fate in order] for kind in kinds])
    return Lockstep(
        kinds=tuple(kinds),
        graph=graph,
        rates=rates,
        n_reactions=len(moved),
        counted=counted,
        changes=[[(number[slot], float(copies)) for slot, copies in group if slot in number] for group in moved],
        releases=[[(pool_of[slot], copies) for slot, copies in group if slot in pool_of] for group in moved],
        uptake=laws[:taking],
        pool_of=pool_of,
        weights=weights.reshape(len(kinds), len(order)),
        channels=np.array([tables.kinds[kind, FIRST] + taking + np.arange(len(moved)) for kind in kinds]),
        may_be_negative=[not positive[rate] for rate in rates],
        may_run_out=runs_out,
    )


def _moved(made: CompiledPopulation, kind: int, reaction: int) -> list[tuple[int, int]]:
    """Slots and copies, as the tables have them."""
    tables = made.tables
    row = tables.channels[tables.kinds[kind, FIRST] + reaction]
    return [(int(slot), int(copies)) for slot, copies, _ in tables.changes[row[CHANGES] : row[CHANGES_END]]]


def constants(lockstep: Lockstep, roots: list[Node]) -> tuple[list[int], list[Node]]:
    """What formulas read that no reaction changes: slots, and the largest subformulas without one that does."""
    graph, varying = lockstep.graph, lockstep.varying(roots)
    used = {a for node in varying for a in graph.arguments(node) if a not in varying} | (set(roots) - varying)
    slots = sorted(int(graph.keys[node][1]) for node in used if graph.operator(node) == "slot")
    formulas = sorted(node for node in used if graph.arguments(node))
    return slots, formulas


def slots_read(lockstep: Lockstep, roots: list[Node]) -> list[int]:
    """All slots of the cell's own that the formulas stand on, those that reactions change left out."""
    graph = lockstep.graph
    found = {int(graph.keys[node][1]) for node in graph.reachable(roots) if graph.operator(node) == "slot"}
    return sorted(found - set(lockstep.counted) - set(lockstep.pool_of))
