"""A population as tables for the kernels: what each type can do, and what that does to the cell and to the pools.

Every type of cell, and for every type the pools as its network sees them (a "medium": the reactions that happen
once), is one kind. A kind's memory holds its slots, the time, its propensities, constants and temporaries.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput, UnsupportedFeature
from senexo.engine.formula.bytecode import Assembler, Span
from senexo.engine.formula.network import Lowered, LoweredReaction
from senexo.engine.population.model import Become, CellType, Divide, Fate, Leave, Partition, Population, SlotUpdate
from senexo.model.expression import Call, Expression, Number, Slot, Time, walk

Ints = NDArray[np.int64]
DIVIDE, BECOME, DIE, CLEAR = 0, 1, 2, 3
SET, MULTIPLY, ADD = 0, 1, 2
COPY, BINOMIAL, CLUSTERED, ORDERED = 0, 1, 2, 3
# Columns of `kinds`
SLOTS, CHANNELS, FIRST, RATE, ALL, ALL_END, TIME, AGE, HAZARD, POOLED, REACTIONS, TAKING, UPTAKE, UPTAKE_END = range(14)
# Columns of `channels`
(AFTER, AFTER_END, CHANGES, CHANGES_END, POOL, THIN, THIN_END, EFFECT, TAKES) = range(9)
# Columns of `effects`: what, type of the cell or first daughter, of the second, rows of `sets` for the one and for the
# other (from a column to the next), first row of `shares`
WHAT, TO, ALSO, SETS, SETS_END, ALSO_SETS, ALSO_SETS_END, SHARES = range(8)


class Tables(NamedTuple):
    """What the kernels read."""

    code: NDArray[np.int32]
    template: NDArray[np.float64]  # [kinds, cells of memory]
    kinds: Ints
    channels: Ints  # [channels, 9]; of every kind what takes from pools, other reactions, fates
    changes: Ints  # [n, 3]: slot, copies, pool or -1
    pool_slot: Ints  # [kinds, pools]: slot of a pool, or -1
    effects: Ints
    sets: Ints  # [n, 3]: slot, operation, slot of the value or -1
    set_value: NDArray[np.float64]
    shares: Ints  # [n, 2]: rule and k, for each slot of the mother
    share_p: NDArray[np.float64]
    source: Ints  # [types, types, slots]: slot in the old type of each slot of the new, or -1
    counted: NDArray[np.bool_]  # [types, slots]: copies that a division shares out and a death takes away


@dataclass(frozen=True)
class Channel:
    """Something that can happen: a reaction or fate of a type, or (`once`) a reaction among pools."""

    type: str
    name: str
    once: bool
    fate: bool
    changes: tuple[tuple[str, int], ...]  # species, copies

    def moved(self, species: str) -> int:
        return sum(copies for name, copies in self.changes if name == species)


@dataclass(frozen=True)
class CompiledPopulation:
    """A population for the kernels: its tables, and what their numbers stand for."""

    tables: Tables
    channels: tuple[Channel, ...]
    networks: tuple[Lowered, ...]  # of every kind, with the reactions that are its channels before the fates
    fates: tuple[tuple[Fate, ...], ...]

    def label(self, channel: int) -> str:
        """What a channel is, for messages."""
        return f"{self.channels[channel].name} of {self.channels[channel].type}" if self.channels else ""


def compile_population(population: Population) -> CompiledPopulation:
    """The tables of a population; made once. Raises `UnsupportedFeature` or `InvalidInput` for what cannot be run."""
    return population.kept.get("tables", lambda: _Compiler(population).finish())


class _Compiler:
    def __init__(self, population: Population) -> None:
        self.population = population
        self.pools = population.pooled
        self.types = population.types
        self.width = population.width
        self.code: list[NDArray[np.int32]] = []
        self.rows = 0
        self.memories: list[NDArray[np.float64]] = []
        self.kinds: list[list[int]] = []
        self.channel_rows: list[list[int]] = []
        self.channels: list[Channel] = []
        self.changes: list[tuple[int, int, int]] = []
        self.effects: list[list[int]] = []
        self.sets: list[tuple[int, int, int]] = []
        self.set_values: list[float] = []
        self.shares: list[tuple[int, int]] = []
        self.share_p: list[float] = []
        self.networks: list[Lowered] = []
        names = [type.name for type in self.types]
        if len(set(names)) < len(names):
            raise InvalidInput([Fault("cell types", ", ".join(names), "different names")])

    def finish(self) -> CompiledPopulation:
        once: list[list[LoweredReaction]] = []
        seen: set[str] = set()
        known: set[frozenset[tuple[str, int]]] = set()
        for type in self.types:
            self.check(type)
            shared = [r for r in type.network.reactions if self.is_shared(type, r)]
            self.kind(
                type, [r for r in type.network.reactions if r.id not in {s.id for s in shared}], type.fates, False
            )
            once.append([r for r in shared if r.id not in seen])
            known |= {_moved(type.network, r) for r in once[-1]}
            # Twice the same name is once the same reaction: one that does what no other does would be lost.
            lost = [r.id for r in shared if _moved(type.network, r) not in known]
            if lost:
                where = f"reactions among pools of {type.name}"
                raise InvalidInput([Fault(where, f"{', '.join(lost)}: ids of others", "ids of their own")])
            seen |= {r.id for r in shared}
        for type, reactions in zip(self.types, once, strict=True):
            self.kind(type, reactions, (), True)
        width = max(len(memory) for memory in self.memories)
        template = np.zeros((len(self.memories), width))
        for row, memory in zip(template, self.memories, strict=True):
            row[: len(memory)] = memory
        counted = np.zeros((len(self.types), self.width), dtype=np.bool_)
        for place, slots in enumerate(self.population.countable):
            counted[place, list(slots)] = True
        tables = Tables(
            code=np.concatenate(self.code),
            template=template,
            kinds=np.array(self.kinds, dtype=np.int64),
            channels=np.array(self.channel_rows, dtype=np.int64).reshape(-1, TAKES + 1),
            changes=np.array(self.changes, dtype=np.int64).reshape(-1, 3),
            pool_slot=np.array([self.pool_slots(type) for type in (*self.types, *self.types)], dtype=np.int64).reshape(
                2 * len(self.types), len(self.pools)
            ),
            effects=np.array(self.effects, dtype=np.int64).reshape(-1, SHARES + 1),
            sets=np.array(self.sets, dtype=np.int64).reshape(-1, 3),
            set_value=np.array(self.set_values),
            shares=np.array(self.shares, dtype=np.int64).reshape(-1, 2),
            share_p=np.array(self.share_p),
            source=self.source(),
            counted=counted,
        )
        fates = tuple(type.fates for type in self.types)
        return CompiledPopulation(tables, tuple(self.channels), tuple(self.networks), fates)

    # ---- what a network may be

    def check(self, type: CellType) -> None:
        network = type.network
        self.check_names(type)
        for what, found in (("rate rules", network.rate_rules), ("events", network.events)):
            if found:
                raise UnsupportedFeature(f"{what} in a population", f"in the network of {type.name}")
        for reaction in network.reactions:
            for change in reaction.changes:
                _copies(change.coefficient, network.slots[change.slot].id)
            reads, timed = self.reads(network, reaction.rate)
            if timed or (type.age is not None and network.slot(type.age) in reads):
                raise UnsupportedFeature("a rate that moves in time, in a population", f"{reaction.id} of {type.name}")
        for fate in type.fates:
            free = Slot(network.slot(fate.bound or fate.hazard))
            reads, timed = self.reads(network, free)
            if timed or (type.age is not None and network.slot(type.age) in reads):
                raise InvalidInput(
                    [Fault(f"fate {fate.name} of {type.name}", f"{fate.hazard} reads the age or time", "a bound")]
                )

    def check_names(self, type: CellType) -> None:
        """Everything that fates name must be there."""
        here = {info.id for info in type.network.slots}
        named = [(f"age of {type.name}", type.age, here)]
        for fate in type.fates:
            where, effect = f"fate {fate.name} of {type.name}", fate.effect
            named += [(where, fate.hazard, here), (where, fate.bound, here)]
            if isinstance(effect, Divide):
                named += [(where, id, here) for id in effect.partition]
            for new, sets in _ends(effect):
                there = {info.id for info in self.types[self.population.number(new)].network.slots}
                named += [(where, item.target, there) for item in sets]
                named += [(where, item.value, here) for item in sets if isinstance(item.value, str)]
        faults = [
            Fault(where, repr(id), "an id of the network")
            for where, id, ids in named
            if id is not None and id not in ids
        ]
        if faults:
            raise InvalidInput(faults)

    def reads(self, network: Lowered, math: Expression) -> tuple[set[int], bool]:
        """The slots a formula stands on, through assignment rules too, and whether it reads the clock."""
        rules = {rule.slot: rule.math for rule in network.assignments}
        found: set[int] = set()
        timed, ahead = False, [math]
        while ahead:
            nodes = list(walk(ahead.pop()))
            timed |= any(isinstance(node, Time) for node in nodes)
            new = {node.index for node in nodes if isinstance(node, Slot)} - found
            found |= new
            ahead.extend(rules[slot] for slot in new if slot in rules)
        return found, timed

    def is_shared(self, type: CellType, reaction: LoweredReaction) -> bool:
        """Does it happen once: changing pools only, and reading nothing that a cell has of its own?"""
        network = type.network
        pooled = set(self.population.in_pool(network))
        changed = {change.slot for change in reaction.changes}
        own = {slot for slot, info in enumerate(network.slots) if info.kind == "species"} - pooled
        sets = [item for fate in type.fates for _, items in _ends(fate.effect) for item in items]
        own |= {network.slot(item.target) for item in sets if item.target in {info.id for info in network.slots}}
        return (
            reaction.id not in self.population.per_cell
            and bool(changed)
            and changed <= pooled
            and not self.reads(network, reaction.rate)[0] & own
        )

    def pool_slots(self, type: CellType) -> list[int]:
        places = {type.network.slots[slot].id: slot for slot in self.population.in_pool(type.network)}
        return [places.get(id, -1) for id in self.pools]

    # ---- one kind

    def kind(self, type: CellType, reactions: list[LoweredReaction], fates: tuple[Fate, ...], once: bool) -> None:
        network = type.network
        pool_of = {slot: pool for pool, slot in enumerate(self.pool_slots(type)) if slot >= 0}
        # What takes from pools comes first, so that windows with frozen pools can leave it out.
        reactions = sorted(reactions, key=lambda reaction: _taken(reaction, pool_of) == -1)
        assembler = Assembler(len(network.slots))
        rate = assembler.cells(len(reactions) + len(fates))
        hazard = assembler.cells(1)
        maths = [r.rate for r in reactions] + [Slot(network.slot(fate.bound or fate.hazard)) for fate in fates]
        rules = [(rule.slot, rule.math) for rule in network.assignments]
        targets = [(rate + k, math) for k, math in enumerate(maths)]
        reads = [self.reads(network, math)[0] for math in maths]
        first = len(self.channel_rows)
        everything = self.span(assembler.program([*rules, *targets]))
        takes = [_taken(r, pool_of) for r in reactions]
        n_taking = sum(pool != -1 for pool in takes)
        taking = self.span(assembler.program([*rules, *targets[:n_taking]]))
        for reaction, pool in zip(reactions, takes, strict=True):
            changed = {change.slot for change in reaction.changes}
            stale = [target for target, read in zip(targets, reads, strict=True) if read & changed]
            after = self.span(assembler.program([*_stale_rules(network, changed), *stale]))
            place = len(self.changes)
            rows = [
                (c.slot, _copies(c.coefficient, network.slots[c.slot].id), pool_of.get(c.slot, -1))
                for c in reaction.changes
            ]
            self.changes += rows
            touches = int(any(pool >= 0 for *_, pool in rows))
            self.channel_rows.append([*after, place, place + len(rows), touches, 0, 0, -1, pool])
            moved = tuple((network.slots[slot].id, copies) for slot, copies, _ in rows)
            self.channels.append(Channel(type.name, reaction.id, once, False, moved))
        for fate in fates:
            thin = Span(0, 0)
            if fate.bound is not None:
                thin = self.span(assembler.program([*rules, (hazard, Slot(network.slot(fate.hazard)))]))
            self.channel_rows.append([0, 0, 0, 0, 0, *thin, self.effect(type, fate), -1])
            self.channels.append(Channel(type.name, fate.name, once, True, ()))
        built = assembler.finish()
        self.code.append(built.code)
        self.rows += len(built.code)
        self.memories.append(built.memory)
        pooled = any(read & set(pool_of) for read in reads)
        age = -1 if type.age is None or once else network.slot(type.age)
        self.kinds.append([
            len(network.slots), len(maths), first, rate, *everything, built.time, age, hazard, int(pooled),
            len(reactions), n_taking, *taking,
        ])  # fmt: skip
        self.networks.append(replace(network, reactions=tuple(reactions)))

    def span(self, span: Span) -> Span:
        return Span(span.first + self.rows, span.last + self.rows)

    # ---- fates

    def effect(self, type: CellType, fate: Fate) -> int:
        effect, shares = fate.effect, len(self.shares)
        where = f"fate {fate.name} of {type.name}"
        if isinstance(effect, Divide):
            what = DIVIDE
        else:
            what = BECOME if isinstance(effect, Become) else DIE if effect.how == "dies" else CLEAR
        to, spans = [-1, -1], [len(self.sets)] * 4
        for place, (name, sets) in enumerate(_ends(effect)):
            to[place] = self.to(type, name, where)
            spans[2 * place] = len(self.sets)
            for item in sets:
                self.set(type, self.types[to[place]], item)
            spans[2 * place + 1] = len(self.sets)
        if isinstance(effect, Divide):
            self.share(type, effect)
        self.effects.append([what, *to, *spans, shares])
        return len(self.effects) - 1

    def set(self, old: CellType, new: CellType, item: SlotUpdate) -> None:
        slot = new.network.slot(item.target)
        read = old.network.slot(item.value) if isinstance(item.value, str) else -1
        self.sets.append((slot, {"set": SET, "multiply": MULTIPLY, "add": ADD}[item.operation], read))
        self.set_values.append(0.0 if isinstance(item.value, str) else float(item.value))

    def to(self, old: CellType, name: str, where: str) -> int:
        """The number of the type that a cell becomes; every species of whole molecules must have a place there."""
        place = self.population.number(name)
        new = {info.id for info in self.types[place].network.slots}
        lost = [old.network.slots[s].id for s in self.population.countable[self.types.index(old)]]
        lost = [id for id in lost if id not in new]
        if lost:
            raise InvalidInput([Fault(where, f"{name} has no {', '.join(lost)}", "a place for every species")])
        return place

    def share(self, type: CellType, effect: Divide) -> None:
        countable = set(self.population.countable[self.types.index(type)])
        for slot, info in enumerate(type.network.slots):
            rule = effect.partition.get(info.id, effect.otherwise) if slot in countable else Partition("copied")
            if not (0.0 <= rule.p <= 1.0 and rule.k >= 1):
                raise InvalidInput([Fault(f"partition of {info.id}", f"p {rule.p}, k {rule.k}", "0 <= p <= 1, k >= 1")])
            number = {"copied": COPY, "binomial": BINOMIAL, "clustered": CLUSTERED, "ordered": ORDERED}[rule.rule]
            self.shares.append((number, rule.k))
            self.share_p.append(rule.p)

    def source(self) -> Ints:
        found = np.full((len(self.types), len(self.types), self.width), -1, dtype=np.int64)
        for a, old in enumerate(self.types):
            places = {info.id: slot for slot, info in enumerate(old.network.slots)}
            for b, new in enumerate(self.types):
                for slot, info in enumerate(new.network.slots):
                    found[a, b, slot] = places.get(info.id, -1)
        return found


def _ends(effect: Divide | Become | Leave) -> tuple[tuple[str, tuple[SlotUpdate, ...]], ...]:
    """The types that a cell or its daughters are afterwards, and what is set in each."""
    if isinstance(effect, Leave):
        return ()
    if isinstance(effect, Become):
        return ((effect.type, effect.sets),)
    one, two = effect.each
    return (effect.first, (*effect.sets, *one)), (effect.second, (*effect.sets, *two))


def _copies(coefficient: Expression, id: str) -> int:
    match coefficient:
        case Number(value) if value == round(value):
            return int(value)
        case Call("minus", (Number(value),)) if value == round(value):
            return -int(value)
    raise UnsupportedFeature("a stoichiometry that is not a whole number, in a population", f"of species {id}")


def _moved(network: Lowered, reaction: LoweredReaction) -> frozenset[tuple[str, int]]:
    """What a reaction changes, and by how many copies."""
    return frozenset((network.slots[c.slot].id, _copies(c.coefficient, "")) for c in reaction.changes)


def _taken(reaction: LoweredReaction, pool_of: dict[int, int]) -> int:
    """The pool that a reaction takes one copy of; -1 for none, -2 for what takes more."""
    taken = [(pool_of[c.slot], _copies(c.coefficient, "")) for c in reaction.changes if c.slot in pool_of]
    taken = [(pool, copies) for pool, copies in taken if copies < 0]
    if not taken:
        return -1
    return taken[0][0] if len(taken) == 1 and taken[0][1] == -1 else -2


def _stale_rules(network: Lowered, changed: set[int]) -> list[tuple[int, Expression]]:
    items, stale = [], set(changed)
    for rule in network.assignments:
        if any(isinstance(node, Slot) and node.index in stale for node in walk(rule.math)):
            items.append((rule.slot, rule.math))
            stale.add(rule.slot)
    return items
