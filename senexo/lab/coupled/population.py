"""A stochastic (molecule-number) circuit as a population that the engine runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from senexo.base.errors import Fault, InvalidInput
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.engine.population.model import Become, CellType, Divide, Fate, Leave, Partition, Population, SlotUpdate
from senexo.model.cell_types import INSERT, CellTypeRule, FateRule, becoming
from senexo.model.circuit import Circuit
from senexo.model.network import Network


def population_of(
    circuit: Circuit, network: Network | None = None, *, types: Collection[str] = (), insert: Collection[str] = ()
) -> Population:
    """The circuit's types of cells, all on its network (or another one of the same ids), and its pools.

    types: only these and what becomes of them; all of them if empty. Each has the network's values and its own over
    them. insert: types that are in the insert of a Transwell too; they come last, with the names of the medium swapped
    for those of the insert. Raises InvalidInput for a circuit without pools, or for types that it lacks.
    """
    if not circuit.pools:
        raise InvalidInput([Fault("circuit", f"{circuit.name} has no pools", "a stochastic (molecule-number) circuit")])
    known = {rule.name: rule for rule in circuit.cell_types}
    asked = (*types, *insert)
    faults = [Fault("cell type", repr(name), f"one of {', '.join(known)}") for name in asked if name not in known]
    if insert and circuit.transwell is None:
        faults.append(Fault("circuit", f"{circuit.name} has no transwell", "a circuit that knows a second half"))
    if faults:
        raise InvalidInput(faults)
    partition = {rule.species: Partition(rule.rule, rule.p, rule.k) for rule in circuit.partitions}
    lowered = lower(circuit.network if network is None else network)
    rules = circuit.cell_types
    below, above = becoming(rules, asked if types else known), becoming(rules, insert)
    there = [_type(lowered, rule, partition) for rule in rules if rule.name in below]
    if circuit.transwell is not None and insert:
        upper = _swapped(lowered, circuit.transwell.swap)
        there += [_type(upper, named_above(rule), partition) for rule in rules if rule.name in above]
    return Population(types=tuple(there), pools=circuit.pools, per_cell=circuit.per_cell)


def _swapped(lowered: Lowered, swap: Mapping[str, str]) -> Lowered:
    """The same network with names standing for each other: what a cell does to one pool, it does to the other."""
    names = {**swap, **{other: one for one, other in swap.items()}}
    return replace(lowered, slots=tuple(replace(info, id=names.get(info.id, info.id)) for info in lowered.slots))


def named_above(rule: CellTypeRule) -> CellTypeRule:
    """A type as it is called in the insert."""
    fates = tuple(replace(fate, into=tuple(INSERT + name for name in fate.into)) for fate in rule.fates)
    return replace(rule, name=INSERT + rule.name, fates=fates)


def _type(lowered: Lowered, rule: CellTypeRule, partition: dict[str, Partition]) -> CellType:
    values = lowered.values.copy()
    for parameter in rule.parameters:
        values[lowered.slot(parameter.name)] = parameter.value
    fates = tuple(_fate(fate, partition) for fate in rule.fates)
    return CellType(rule.name, replace(lowered, values=values), fates, rule.age)


def _fate(rule: FateRule, partition: dict[str, Partition]) -> Fate:
    sets = tuple(SlotUpdate(item.target, item.operation, item.value) for item in rule.sets)
    effect: Divide | Become | Leave
    if rule.effect == "divide":
        effect = Divide(rule.into[0], rule.into[1], partition, sets=sets)
    elif rule.effect == "become":
        effect = Become(rule.into[0], sets)
    else:
        effect = Leave("dies" if rule.effect == "die" else "is cleared")
    return Fate(rule.name, rule.hazard, effect, rule.bound)
