"""What depends on what in lowered networks: a graph over the ids of quantities.

A quantity acts on another one when the other's assignment rule, rate rule or event, or a reaction that changes it,
reads the first. What is 0 passes nothing on: a product with an edge that is cut does not depend on its other factors.
Initial assignments are no edges: they are computed before anything is done to the cells.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from senexo.engine.formula.network import Assigned, Lowered
from senexo.model.expression import Call, Expression, Number, Slot, children

Slots = frozenset[int]


@dataclass(frozen=True, eq=False)
class Dependencies:
    """The networks of all types of cells as one graph over ids.

    Attributes
    ----------
    networks
        The lowered network of each type.
    copied
        (from, to): quantities that a fate sets to the value of another one.
    feedback
        Quantities that act on all others: the hazards of cells that divide or share a medium.
    """

    networks: Sequence[Lowered]
    copied: Sequence[tuple[str, str]] = ()
    feedback: Collection[str] = ()

    def stay_zero(self, candidates: Iterable[str]) -> frozenset[str]:
        """The quantities that stay 0: candidates, 0 at the start, that nothing moves, and rules of them that give 0.

        Found by taking away every candidate whose rate is not 0 while the others are, until none is left to take.
        """
        zero = set(candidates)
        while True:
            every = frozenset(zero) | self._zero_by_rule(zero)
            moved = {
                network.slots[item.slot].id
                for network in self.networks
                for item in network.rates
                if network.slots[item.slot].id in zero and _reads(network, item.math, every) is not None
            }
            if not moved:
                return every
            zero -= moved

    def _zero_by_rule(self, zero: Collection[str]) -> set[str]:
        """The quantities whose assignment rules give 0 in every network."""
        found: set[str] = set()
        not_zero: set[str] = set()
        for network in self.networks:
            for item in network.assignments:  # in an order in which each finds its inputs done
                here = _reads(network, item.math, {*zero, *(found - not_zero)}) is None
                (found if here else not_zero).add(network.slots[item.slot].id)
        return found - not_zero

    def reached(self, seeds: Iterable[str], zero: Collection[str]) -> frozenset[str]:
        """Everything that the seeds act on, directly or not, and the seeds, where `zero` stays 0."""
        acts_on: dict[str, set[str]] = {}
        for source, target in self._edges(zero):
            acts_on.setdefault(source, set()).add(target)
        every = {info.id for network in self.networks for info in network.slots}
        found = set(seeds)
        ahead = list(found)
        while ahead:
            id = ahead.pop()
            further = (every if id in self.feedback else acts_on.get(id, set())) - found
            found |= further
            ahead += further
        return frozenset(found)

    def _edges(self, zero: Collection[str]) -> Iterator[tuple[str, str]]:
        """(what acts, on what)."""
        yield from self.copied
        for network in self.networks:
            for sources, target in _dependent(network, zero):
                yield from ((network.slots[slot].id, network.slots[target].id) for slot in sources)


def _dependent(network: Lowered, zero: Collection[str]) -> Iterator[tuple[Slots, int]]:
    """(slots that are read, slot that depends on them) of every rule, reaction and event."""

    def read(formulas: Iterable[Expression | None]) -> Slots:
        found = (_reads(network, formula, zero) for formula in formulas if formula is not None)
        return frozenset[int]().union(*(slots for slots in found if slots is not None))

    rules: tuple[Assigned, ...] = (*network.assignments, *network.rate_rules)
    for item in rules:
        yield read([item.math]), item.slot
    for reaction in network.reactions:
        if _reads(network, reaction.rate, zero) is None:
            continue
        needed = frozenset(slot for slot, _ in reaction.reactants)  # whole molecules: none reacts where there is none
        sources = needed | read([reaction.rate, *(amount for _, amount in reaction.reactants)])
        for change in reaction.changes:
            yield sources | read([change.coefficient]), change.slot
    for event in network.events:
        when = (event.trigger, event.delay, event.priority)
        for item in event.assignments:
            yield read([*when, item.math]), item.slot


def _reads(network: Lowered, formula: Expression, zero: Collection[str]) -> Slots | None:
    """The slots that a formula depends on; None for a formula that is 0."""
    return read_slots(formula, lambda slot: network.slots[slot].id in zero)


def read_slots(
    formula: Expression, is_zero: Callable[[int], bool], done: dict[int, Slots | None] | None = None
) -> Slots | None:
    """The slots on which a lowered formula depends where some slots are 0; None for a formula that is 0 then.

    x * 0 and 0 / x are 0, x^0 is 1: what else such a part holds is not read.

    >>> a, b, zero = Slot(0), Slot(1), Slot(2)
    >>> read_slots(Call("plus", (a, Call("times", (b, zero)))), lambda slot: slot == 2)
    frozenset({0})
    """
    done = {} if done is None else done  # by identity: what a tree holds twice is visited once
    if id(formula) in done:
        return done[id(formula)]
    parts = [read_slots(part, is_zero, done) for part in children(formula)]
    found: Slots | None = frozenset[int]().union(*(part for part in parts if part is not None))
    match formula:
        case Number(value):
            found = None if value == 0 else frozenset()
        case Slot(index):
            found = None if is_zero(index) else frozenset({index})
        case Call("times") if None in parts:
            found = None
        case Call("divide") if parts[0] is None:
            found = None
        case Call("plus" | "minus") if all(part is None for part in parts):
            found = None
        case Call("power", (_, Number(exponent))) if parts[0] is None and exponent > 0:
            found = None
        case Call("power") if parts[1] is None:
            found = frozenset()
        case _:
            pass
    done[id(formula)] = found
    return found
