"""A circuit in copies as a population that the engine runs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from senexo.base.errors import Fault, InvalidInput
from senexo.engine.cells import Become, CellType, Divide, Fate, Leave, Partition, Population, Set
from senexo.engine.lower import lower
from senexo.engine.lowered import Lowered
from senexo.model.cell_types import CellTypeRule, FateRule
from senexo.model.circuit import Circuit
from senexo.model.network import Network


def population_of(circuit: Circuit, network: Network | None = None, *, types: Collection[str] = ()) -> Population:
    """The circuit's types of cells, all on its network (or another one of the same ids), and its pools.

    types: only these and what becomes of them; all of them if empty. Each has the network's values and its own over
    them. Raises InvalidInput for a circuit without pools, or for types that it lacks.
    """
    if not circuit.pools:
        raise InvalidInput([Fault("circuit", f"{circuit.name} has no pools", "a circuit in copies")])
    known = {rule.name: rule for rule in circuit.cell_types}
    faults = [Fault("cell type", repr(name), f"one of {', '.join(known)}") for name in types if name not in known]
    if faults:
        raise InvalidInput(faults)
    wanted, ahead = set(), list(types or known)
    while ahead:
        name = ahead.pop()
        if name not in wanted:
            wanted.add(name)
            ahead += [to for fate in known[name].fates for to in fate.into]
    partition = {rule.species: Partition(rule.rule, rule.p, rule.k) for rule in circuit.partitions}
    lowered = lower(circuit.network if network is None else network)
    return Population(
        types=tuple(_type(lowered, rule, partition) for rule in circuit.cell_types if rule.name in wanted),
        pools=circuit.pools,
        per_cell=circuit.per_cell,
    )


def _type(lowered: Lowered, rule: CellTypeRule, partition: dict[str, Partition]) -> CellType:
    values = lowered.values.copy()
    for parameter in rule.parameters:
        values[lowered.slot(parameter.name)] = parameter.value
    fates = tuple(_fate(fate, partition) for fate in rule.fates)
    return CellType(rule.name, replace(lowered, values=values), fates, rule.age)


def _fate(rule: FateRule, partition: dict[str, Partition]) -> Fate:
    sets = tuple(Set(item.target, item.operation, item.value) for item in rule.sets)
    effect: Divide | Become | Leave
    if rule.effect == "divide":
        effect = Divide(rule.into[0], rule.into[1], partition, sets=sets)
    elif rule.effect == "become":
        effect = Become(rule.into[0], sets)
    else:
        effect = Leave("dies" if rule.effect == "die" else "is cleared")
    return Fate(rule.name, rule.hazard, effect, rule.bound)
