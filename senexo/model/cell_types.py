"""Types of cells in a circuit that runs as a population: their own numbers, and what may become of them.

`circuit.toml` lists the types, their fates, and how a division shares out the species; `types.csv` has the numbers in
which a type differs from the circuit's `parameters.csv`. A type written `like` another one has that one's numbers too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from senexo.base.errors import Fault
from senexo.model.circuit_table import CircuitParameter, parameter, range_faults, rows
from senexo.model.network import Network

INTO = {"divide": 2, "become": 1, "die": 0, "clear": 0}  # effect -> how many types it names
OPERATIONS = ("set", "multiply", "add")
PARTITIONS = ("binomial", "clustered", "ordered", "copied")
INSERT = "insert "  # in front of the name of a type, where its cells are in the insert of a Transwell
TYPE_KEYS = frozenset({"name", "title", "like", "age", "fates"})


@dataclass(frozen=True, slots=True)
class SetRule:
    """A quantity after a fate: set, multiplied or increased by a number, or by another quantity's value then."""

    target: str
    operation: Literal["set", "multiply", "add"]
    value: float | str


@dataclass(frozen=True, slots=True)
class FateRule:
    """At the rate `hazard` (1/h, a quantity) a cell divides `into` two types, becomes one, dies or is cleared.

    `bound`: a quantity never below the hazard that does not read the age, where the hazard does.
    """

    name: str
    hazard: str
    effect: Literal["divide", "become", "die", "clear"]
    into: tuple[str, ...] = ()
    bound: str | None = None
    sets: tuple[SetRule, ...] = ()


@dataclass(frozen=True, slots=True)
class CellTypeRule:
    """`parameters`: the numbers that this type has of its own. `age`: the parameter that holds its age, if one does."""

    name: str
    title: str
    parameters: tuple[CircuitParameter, ...]
    fates: tuple[FateRule, ...]
    age: str | None = None


def own_names(types: Iterable[CellTypeRule]) -> dict[str, dict[str, str]]:
    """Per type, its own parameters: id -> the name it is drawn under.

    A type written like another one has that one's rows, so both are drawn as one number: ``LSC.self_renewal``.
    """
    names: dict[CircuitParameter, str] = {}
    listed = list(types)
    for rule in listed:
        for row in rule.parameters:
            names.setdefault(row, f"{rule.name}.{row.name}")
    return {rule.name: {row.name: names[row] for row in rule.parameters} for rule in listed}


def becoming(types: Iterable[CellTypeRule], names: Iterable[str]) -> set[str]:
    """These types and what may become of them; a name that no type has is left out."""
    known = {rule.name: rule for rule in types}
    found, ahead = set[str](), list(names)
    while ahead:
        name = ahead.pop()
        if name in known and name not in found:
            found.add(name)
            ahead += [to for fate in known[name].fates for to in fate.into]
    return found


@dataclass(frozen=True, slots=True)
class PartitionRule:
    """How a division shares out a species (`engine.cells.Partition`)."""

    species: str
    rule: Literal["binomial", "clustered", "ordered", "copied"]
    p: float = 0.5
    k: int = 1


def read_partitions(plan: Mapping[str, Any]) -> tuple[PartitionRule, ...]:
    """The partition rules of `circuit.toml`."""
    return tuple(PartitionRule(**row) for row in plan.get("partitions", []))


def read_types(plan: Mapping[str, Any], table: str, faults: list[Fault]) -> tuple[CellTypeRule, ...]:
    """The types of `circuit.toml` with their numbers of `types.csv`; faults of the table go to `faults`."""
    own: dict[str, list[CircuitParameter]] = {str(row["name"]): [] for row in plan.get("cell_types", [])}
    columns = ("cell_type", *CircuitParameter.__slots__)
    for place, row in rows("types.csv", table, columns, faults) if table or own else ():
        type = row.pop("cell_type")
        found = parameter(place, row, faults)
        if type not in own:
            faults.append(Fault(f"{place} cell_type", repr(type), f"one of {', '.join(own)}"))
        elif found is not None:
            own[type].append(found)
    return tuple(_type(row, own, faults) for row in plan.get("cell_types", []))


def _type(row: Mapping[str, Any], own: Mapping[str, list[CircuitParameter]], faults: list[Fault]) -> CellTypeRule:
    place, like = f"circuit.toml: cell_types: {row['name']}", row.get("like")
    for key in sorted(row.keys() - TYPE_KEYS):
        faults.append(Fault(place, repr(key), f"one of {', '.join(sorted(TYPE_KEYS))}"))
    if like is not None and like not in own:
        faults.append(Fault(f"{place}: like", repr(like), f"one of {', '.join(own)}"))
    numbers = {p.name: p for p in own.get(like, ())} if like else {}
    mine = own[row["name"]]
    for name in sorted({p.name for p in mine if sum(q.name == p.name for q in mine) > 1}):
        faults.append(Fault(f"types.csv: {row['name']} {name}", "a second row", "one row per type and parameter"))
    numbers |= {p.name: p for p in mine}
    fates = tuple(_fate(fate) for fate in row.get("fates", []))
    return CellTypeRule(row["name"], str(row["title"]), tuple(numbers.values()), fates, row.get("age"))


def _fate(row: Mapping[str, Any]) -> FateRule:
    rule = FateRule(**{**row, "into": tuple(row.get("into", ())), "sets": ()})
    return replace(rule, sets=tuple(SetRule(**item) for item in row.get("sets", [])))


def type_faults(
    network: Network,
    pools: Collection[str],
    per_cell: Collection[str],
    partitions: Collection[PartitionRule],
    types: Collection[CellTypeRule],
    free: Collection[str],
    quantities: Collection[str],
    constants: Collection[str],
) -> Iterator[Fault]:
    """What the types name and the network lacks; `free`: quantities that no rule sets."""
    for what, names, there in (
        ("pools", pools, {c.id for c in network.compartments}),
        ("per_cell", per_cell, {r.id for r in network.reactions}),
        ("partitions", [rule.species for rule in partitions], {s.id for s in network.species}),
    ):
        for name in names:
            if name not in there:
                yield Fault(f"circuit.toml: {what}", repr(name), "an id of circuit.ant")
    for rule in partitions:
        if rule.rule not in PARTITIONS or not 0 <= rule.p <= 1 or rule.k < 1:
            yield Fault(
                f"circuit.toml: partitions: {rule.species}",
                f"{rule.rule}, p {rule.p:g}, k {rule.k}",
                f"one of {', '.join(PARTITIONS)}, 0 <= p <= 1, k >= 1",
            )
    if bool(pools) != bool(types):
        yield Fault("circuit.toml", f"{len(pools)} pools and {len(types)} cell types", "both or neither")
    names = [type.name for type in types]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Fault(f"circuit.toml: cell_types: {name}", "a second one", "one type per name")
    for type in types:
        for p in type.parameters:
            place = f"types.csv: {type.name} {p.name}"
            yield from range_faults(place, p)
            if p.name not in constants:
                yield Fault(place, "no such constant in circuit.ant", "a constant parameter with a number")
        if type.age is not None and type.age not in constants:
            yield Fault(f"circuit.toml: cell_types: {type.name}: age", repr(type.age), "a parameter of circuit.ant")
        for fate in type.fates:
            yield from _fate_faults(type, fate, names, free, quantities)


def _fate_faults(
    type: CellTypeRule, fate: FateRule, names: list[str], free: Collection[str], quantities: Collection[str]
) -> Iterator[Fault]:
    place = f"circuit.toml: {type.name}: {fate.name}"
    if sum(other.name == fate.name for other in type.fates) > 1:
        yield Fault(place, "twice", "one fate per name")
    for name in (fate.hazard, *(() if fate.bound is None else (fate.bound,))):
        if name not in quantities:
            yield Fault(place, repr(name), "a quantity of circuit.ant")
    if fate.effect not in INTO:
        yield Fault(place, repr(fate.effect), f"one of {', '.join(INTO)}")
    elif len(fate.into) != INTO[fate.effect]:
        yield Fault(place, f"{len(fate.into)} types", f"into = {INTO[fate.effect]} types, to {fate.effect}")
    for name in fate.into:
        if name not in names:
            yield Fault(f"{place}: into", repr(name), f"one of {', '.join(names)}")
    for item in fate.sets:
        if item.target not in free:
            yield Fault(f"{place}: sets", repr(item.target), "a species or parameter that no assignment rule sets")
        if item.operation not in OPERATIONS:
            yield Fault(f"{place}: sets: {item.target}", repr(item.operation), f"one of {', '.join(OPERATIONS)}")
        if isinstance(item.value, str) and item.value not in quantities:
            yield Fault(f"{place}: sets: {item.target}", repr(item.value), "a number or a quantity of circuit.ant")
