"""Circuits: a reaction network with the sources of its numbers and the interventions that an experimenter has.

A circuit is a folder of data, no code:

- `circuit.ant`: the network (Antimony text), complete in itself;
- `parameters.csv`: every constant with value, range, law, unit, source and status;
- `wiring.csv`: what can be cut, knocked out, mutated, inhibited, dosed or changed, and by which quantity;
- `circuit.toml`: title, settling time, read-outs, fates, arrest rule, cell-to-cell variation;
- `types.csv`, of a circuit that runs as a population: the types of cells' own numbers (`model.cell_types`);
- `priors/NAME.csv`: other numbers for some of the constants (`model.priors`);
- `measures.csv`: the assay that would measure a constant;
- `levels.csv`: the constant that holds an untreated cell's copies of an agent, over which a dose can be a fold.

The last two shape no result by themselves (a dose is in copies once it is read), so the digest does not know them.

The files are checked against each other, and every fault is listed at once.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from senexo.base.errors import Fault, InvalidInput, InvalidModel
from senexo.base.evidence import STATUSES, current_status
from senexo.base.files import no_plain_file
from senexo.base.sandbox import MOST_BYTES
from senexo.base.toml_text import loads
from senexo.model.cell_types import CellTypeRule, PartitionRule, read_partitions, read_types, type_faults
from senexo.model.circuit_table import LAWS, CircuitParameter, finite, parameter, range_faults, rows, unlisted
from senexo.model.network import Network
from senexo.model.priors import Prior, prior_files, read_priors

FOLDER = Path(__file__).parent / "circuits"
FILES = ("circuit.ant", "parameters.csv", "wiring.csv", "circuit.toml")
TYPES, MEASURES, LEVELS = "types.csv", "measures.csv", "levels.csv"
KINDS = ("edge", "gene", "site", "process", "agent", "medium")
VERBS = ("cut", "connect", "knock_out", "knock_down", "mutate", "inhibit", "express", "dose", "wash_out", "change")
OPERATIONS = ("set", "multiply", "add")


@dataclass(frozen=True, slots=True)
class Handle:
    """One row of an intervention: `verb` to `name` means `operation` on the quantity `target`.

    `value` is a number, or `x` or `1-x` of the experimenter's own quantity x (given in `unit`). Several rows
    with the same verb and name act together.
    """

    kind: str
    name: str
    verb: str
    target: str
    operation: str
    value: str
    unit: str
    evidence: str

    @property
    def ends(self) -> tuple[str, str]:
        """(source, target) of an edge, as `wiring.csv` names them; InvalidInput for what is no edge.

        >>> Handle("edge", "p53 -> p21", "cut", "e_p53_p21", "set", "0", "", "").ends
        ('p53', 'p21')
        """
        for sign in (" -| ", " -> "):
            source, found, target = self.name.partition(sign)
            if found:
                return source, target
        raise InvalidInput([Fault(f"{self.verb} {self.name}", "no edge", "source -| target or source -> target")])

    def number(self, x: float | None = None) -> float:
        """The number the operation uses, from the experimenter's quantity x.

        >>> Handle("gene", "RAB27B", "knock_down", "fKD", "multiply", "1-x", "1", "").number(0.75)
        0.25
        """
        if self.value not in ("x", "1-x"):
            return float(self.value)
        if x is None:
            raise InvalidInput([Fault(f"{self.verb} {self.name}", "no quantity", f"a number in {self.unit}")])
        return x if self.value == "x" else 1.0 - x


@dataclass(frozen=True, slots=True)
class Readout:
    """A quantity that is reported: `name` in a study, `id` in the network, `label` with `unit` in figures."""

    name: str
    id: str
    label: str
    unit: str


@dataclass(frozen=True, slots=True)
class Fate:
    """What may become of a cell; `after` names the fate that must have happened before."""

    name: str
    hazard: str
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Arrest:
    """The cell is off while the quantity `id` stays below `below`."""

    id: str
    below: float


@dataclass(frozen=True, slots=True)
class Target:
    """A gene whose repression a 3'UTR's sequence can set: the parameters `sites` (their number) and `affinity` (their
    dissociation constant over the 8mer's), and the genotype's factors on these two."""

    gene: str
    sites: str
    affinity: str
    sites_factor: str
    affinity_factor: str


@dataclass(frozen=True, slots=True)
class AffinityModel:
    """Another reading of the affinity: what its `parameter` then is."""

    parameter: str
    value: float
    low: float
    high: float
    law: str
    unit: str
    source: str
    status: str


@dataclass(frozen=True, slots=True)
class Transwell:
    """Two halves of a well.

    share: the parameter that holds the share of the medium in the insert; swap: names that stand for each other in
    the network of a cell in the insert.
    """

    share: str
    swap: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Circuit:
    """A network, its parameter table and its interventions (see the module).

    Attributes
    ----------
    name, title
        Its folder, and what it is in words.
    network
        The reactions.
    parameters
        Every constant with value, range, law, unit, source and status.
    handles
        The interventions of `wiring.csv`.
    readouts, fates, arrest
        What is read of a cell, what may happen to it, and when its switch is off.
    preequilibration_h
        Hours of culture before time 0; `zero_at_start`: quantities that are set to 0 then.
    varying
        Parameter -> coefficient of variation between the cells of a donor.
    growth_rule
        The rule of commitment in words.
    mirna, targets, readings
        The miRNA whose sites a sequence can set, the genes that have them, and other models of their affinity.
    measures
        Parameter -> the assay that would measure it, in words.
    levels
        Agent -> the parameter that holds the copies of an untreated cell, over which a dose can be a fold.
    priors
        Name -> the rows of a prior that differ from `parameters`.
    digest
        SHA-256 of the folder's files that shape results.
    pools, well, per_cell, partitions, cell_types, transwell
        Of a stochastic (molecule-number) circuit of cells that share a medium: the compartments that they share, the
        parameter that holds the number of cells, the reactions among pools that every cell has for itself, how a
        division partitions species (binomial unless named), the cell types, and the second half of a well.
    """

    name: str
    title: str
    network: Network
    parameters: tuple[CircuitParameter, ...]
    handles: tuple[Handle, ...]
    readouts: tuple[Readout, ...]
    fates: tuple[Fate, ...]
    arrest: Arrest | None
    preequilibration_h: float
    varying: Mapping[str, float]
    zero_at_start: tuple[str, ...]
    growth_rule: str
    mirna: str | None
    targets: tuple[Target, ...]
    readings: Mapping[str, AffinityModel]
    digest: str
    pools: tuple[str, ...] = ()
    well: str | None = None
    per_cell: tuple[str, ...] = ()
    partitions: tuple[PartitionRule, ...] = ()
    cell_types: tuple[CellTypeRule, ...] = ()
    transwell: Transwell | None = None
    priors: Mapping[str, Prior] = field(default_factory=dict)
    levels: Mapping[str, str] = field(default_factory=dict)
    measures: Mapping[str, str] = field(default_factory=dict)


def shipped_circuits() -> tuple[str, ...]:
    """The names `load_circuit` knows.

    >>> shipped_circuits()
    ('mir34c-rab27b', 'mir34c-rab27b-cells')
    """
    return tuple(sorted(p.name for p in FOLDER.iterdir() if (p / "circuit.ant").is_file()))


def load_circuit(name_or_folder: str | Path) -> Circuit:
    """Read a circuit.

    Parameters
    ----------
    name_or_folder
        The name of a shipped circuit, or a circuit folder.

    Raises
    ------
    InvalidInput
        With every fault of the files at once.
    InvalidModel
        When the network itself cannot be read.

    Examples
    --------
    >>> load_circuit("mir34c-rab27b").arrest
    Arrest(id='EF', below=0.1)
    """
    folder = _folder(name_or_folder)
    faults: list[Fault] = []
    texts = dict(_texts(folder, faults))
    if faults:
        raise InvalidInput(faults)
    network = _network(folder, texts["circuit.ant"])
    known = _Known(network)
    parameters = tuple(_parameters(texts["parameters.csv"], faults))
    handles = tuple(_handles(texts["wiring.csv"], faults))
    circuit = None
    try:
        circuit = _assembled(folder.name, network, parameters, handles, texts, faults)
        faults.extend(_plan_faults(circuit, known))
    except KeyError as error:
        faults.append(Fault("circuit.toml", f"no {error.args[0]}", "this key"))
    except (TypeError, ValueError, AttributeError) as error:
        faults.append(Fault("circuit.toml", str(error), "TOML with the keys that docs/circuit.md lists"))
    faults.extend(_parameter_faults(parameters, handles, circuit, known))
    faults.extend(_handle_faults(handles, known))
    if faults or circuit is None:
        raise InvalidInput(faults)
    return circuit


def _folder(name_or_folder: str | Path) -> Path:
    for folder in (Path(name_or_folder), FOLDER / str(name_or_folder)):
        if (folder / "circuit.ant").is_file():
            return folder
    raise InvalidInput(
        [Fault("circuit", repr(str(name_or_folder)), f"a circuit folder or one of {', '.join(shipped_circuits())}")]
    )


def _texts(folder: Path, faults: list[Fault]) -> Iterator[tuple[str, str]]:
    further = [name for name in (TYPES, MEASURES, LEVELS) if (folder / name).is_file()]
    for name in (*FILES, *further, *prior_files(folder)):
        try:
            if kind := no_plain_file(folder / name):
                faults.append(Fault(str(folder / name), kind, "a readable file"))
            elif (size := (folder / name).stat().st_size) > MOST_BYTES:
                faults.append(Fault(str(folder / name), f"{size:,} bytes", f"at most {MOST_BYTES:,}"))
            else:
                yield name, (folder / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            faults.append(Fault(str(folder / name), getattr(error, "strerror", None) or str(error), "a readable file"))


def _network(folder: Path, text: str) -> Network:
    try:
        return _parsed(text)
    except InvalidModel as error:
        raise InvalidModel(f"{folder / 'circuit.ant'}: {error}") from None


@lru_cache(maxsize=8)
def _parsed(text: str) -> Network:
    """The network of an Antimony text; a study asks for that of its circuit several times."""
    from senexo.base.sandbox import call
    from senexo.model.plain import from_plain

    return from_plain(call("senexo.model.antimony_read:read_plain", text.encode()))


def _parameters(text: str, faults: list[Fault]) -> Iterator[CircuitParameter]:
    for place, row in rows("parameters.csv", text, CircuitParameter.__slots__, faults):
        found = parameter(place, row, faults)
        if found is not None:
            yield found


def _digest(texts: Mapping[str, str]) -> str:
    """SHA-256 of everything that shapes a result."""
    counted = [text for name, text in texts.items() if name not in (MEASURES, LEVELS)]
    return hashlib.sha256("\0".join(counted).encode()).hexdigest()


def _pairs(
    file: str, columns: tuple[str, str], texts: Mapping[str, str], faults: list[Fault]
) -> Iterator[tuple[str, str]]:
    """The rows of an optional table of two columns."""
    for _, row in rows(file, texts[file], columns, faults) if file in texts else ():
        yield row[columns[0]], row[columns[1]]


def _handles(text: str, faults: list[Fault]) -> Iterator[Handle]:
    for place, row in rows("wiring.csv", text, Handle.__slots__, faults):
        faults.extend(unlisted(place, row, {"kind": KINDS, "verb": VERBS, "operation": OPERATIONS}))
        if row["value"] not in ("x", "1-x") and finite(row["value"]) is None:
            faults.append(Fault(f"{place} {row['name']}.value", repr(row["value"]), "a number, x or 1-x"))
        if row["kind"] == "edge" and " -| " not in row["name"] and " -> " not in row["name"]:
            faults.append(Fault(f"{place} name", repr(row["name"]), "source -| target or source -> target"))
        if not row["evidence"]:
            faults.append(Fault(f"{place} {row['name']}.evidence", "nothing", "a source, or what is assumed"))
        yield Handle(**row)


def _assembled(
    name: str,
    network: Network,
    parameters: tuple[CircuitParameter, ...],
    handles: tuple[Handle, ...],
    texts: Mapping[str, str],
    faults: list[Fault],
) -> Circuit:
    plan = loads(texts["circuit.toml"])
    return Circuit(
        name=name,
        title=str(plan["title"]),
        network=network,
        parameters=parameters,
        handles=handles,
        readouts=tuple(Readout(**row) for row in plan["readouts"]),
        fates=tuple(Fate(**row) for row in plan.get("fates", [])),
        arrest=Arrest(**plan["arrest"]) if "arrest" in plan else None,
        preequilibration_h=float(plan["preequilibration_h"]),
        varying={key: float(cv) for key, cv in plan.get("varying", {}).items()},
        zero_at_start=tuple(plan.get("zero_at_start", [])),
        growth_rule=str(plan["growth_rule"]),
        mirna=plan.get("mirna"),
        targets=tuple(Target(**row) for row in plan.get("targets", [])),
        readings={name: _affinity_model(row) for name, row in plan.get("readings", {}).items()},
        digest=_digest(texts),
        pools=tuple(plan.get("pools", [])),
        well=plan.get("well"),
        per_cell=tuple(plan.get("per_cell", [])),
        partitions=read_partitions(plan),
        cell_types=read_types(plan, texts.get(TYPES, ""), faults),
        transwell=Transwell(**plan["transwell"]) if "transwell" in plan else None,
        priors=read_priors(texts, parameters, faults),
        levels=dict(_pairs(LEVELS, ("agent", "parameter"), texts, faults)),
        measures=dict(_pairs(MEASURES, ("name", "assay"), texts, faults)),
    )


def _affinity_model(row: dict[str, Any]) -> AffinityModel:
    found = AffinityModel(**row)
    return replace(found, status=current_status(found.status))


class _Known:
    """What the network holds, as the checks need it."""

    def __init__(self, network: Network) -> None:
        ruled = {rule.variable for rule in network.rules if rule.kind == "assignment"}
        assigned = {assignment.symbol for assignment in network.initial_assignments}
        changing = {rule.variable for rule in network.rules}
        self.quantities = {item.id for group in (network.species, network.parameters) for item in group}
        self.free = self.quantities - ruled
        self.constants = {p.id: p.value for p in network.parameters if p.id not in assigned and p.id not in changing}


def _parameter_faults(
    parameters: tuple[CircuitParameter, ...],
    handles: tuple[Handle, ...],
    circuit: Circuit | None,
    known: _Known,
) -> Iterator[Fault]:
    seen: set[str] = set()
    for p in parameters:
        place = f"parameters.csv: {p.name}"
        if p.name in seen:
            yield Fault(place, "a second row", "one row per parameter")
        seen.add(p.name)
        yield from range_faults(place, p)
        if p.name not in known.constants:
            yield Fault(place, "no such constant in circuit.ant", "a constant parameter with a number")
        elif known.constants[p.name] != p.value:
            yield Fault(place, f"{p.value:g}, but {known.constants[p.name]} in circuit.ant", "the same number in both")
    if circuit is None:
        return
    switches = {handle.target for handle in handles}
    switches |= {name for target in circuit.targets for name in (target.sites_factor, target.affinity_factor)}
    switches |= {p.name for type in circuit.cell_types for p in type.parameters}
    for name in sorted(known.constants.keys() - seen - switches):
        yield Fault(f"circuit.ant: {name}", "a constant of unknown origin", "a row in parameters.csv")


def _handle_faults(handles: tuple[Handle, ...], known: _Known) -> Iterator[Fault]:
    seen: set[tuple[str, str, str, str]] = set()
    for handle in handles:
        key = (handle.kind, handle.name, handle.verb, handle.target)
        place = f"wiring.csv: {handle.verb} {handle.name}"
        if key in seen:
            yield Fault(place, f"{handle.target} twice", "one row per verb, name and target")
        seen.add(key)
        if handle.target not in known.free:
            yield Fault(place, repr(handle.target), "a species or parameter that no assignment rule sets")


def _plan_faults(circuit: Circuit, known: _Known) -> Iterator[Fault]:
    named = [(f"readouts: {r.name}", r.id) for r in circuit.readouts]
    named += [(f"fates: {f.name}", f.hazard) for f in circuit.fates]
    named += [("arrest", circuit.arrest.id)] if circuit.arrest else []
    named += [("zero_at_start", name) for name in circuit.zero_at_start]
    for place, quantity in named:
        if quantity not in known.quantities:
            yield Fault(f"circuit.toml: {place}", repr(quantity), "a quantity of circuit.ant")
    earlier: set[str | None] = {None}
    for fate in circuit.fates:
        if fate.after not in earlier:
            yield Fault(f"circuit.toml: fates: {fate.name}", f"after {fate.after!r}", "a fate listed before it")
        earlier.add(fate.name)
    names = {p.name for p in circuit.parameters}
    for name, cv in circuit.varying.items():
        if name not in names or not 0 < cv < math.inf:
            yield Fault(f"circuit.toml: varying: {name}", f"{cv:g}", "a parameter of the table with a CV above 0")
    agents = {handle.name for handle in circuit.handles if handle.verb == "dose"}
    for agent, name in circuit.levels.items():
        if name not in names or agent not in agents:
            yield Fault(f"{LEVELS}: {agent}", repr(name), "an agent that can be dosed, and a parameter of the table")
    for name in circuit.measures.keys() - names:
        yield Fault(MEASURES, repr(name), "a parameter of the table")
    for target in circuit.targets:
        for name in (target.sites, target.affinity):
            if name not in names:
                yield Fault(f"circuit.toml: targets: {target.gene}", repr(name), "a parameter of the table")
        for name in (target.sites_factor, target.affinity_factor):
            if name not in known.constants:
                yield Fault(f"circuit.toml: targets: {target.gene}", repr(name), "a constant of circuit.ant")
    if circuit.targets and circuit.mirna is None:
        yield Fault("circuit.toml: mirna", "nothing", "the miRNA whose sites the targets have")
    for name, reading in circuit.readings.items():
        place = f"circuit.toml: readings: {name}"
        if reading.parameter not in names or not 0 < reading.low <= reading.value <= reading.high:
            yield Fault(place, f"{reading.parameter} {reading.value:g}", "a parameter of the table inside its range")
        if reading.law not in LAWS or reading.status not in STATUSES:
            yield Fault(place, f"{reading.law}, {reading.status}", f"one of {', '.join((*LAWS, *STATUSES))}")
    if circuit.well is not None and circuit.well not in known.constants:
        yield Fault("circuit.toml: well", repr(circuit.well), "a constant of circuit.ant")
    if circuit.transwell is not None:
        halves, there = circuit.transwell, known.quantities | set(circuit.pools)
        if halves.share not in known.constants:
            yield Fault("circuit.toml: transwell: share", repr(halves.share), "a constant of circuit.ant")
        for name in {*halves.swap, *halves.swap.values()} - there:
            yield Fault("circuit.toml: transwell: swap", repr(name), "a species, parameter or pool of circuit.ant")
        if circuit.well is None or circuit.well not in halves.swap:
            yield Fault("circuit.toml: transwell: swap", "not the parameter well", "what stands for it in the insert")
    if not 0 <= circuit.preequilibration_h < math.inf:
        yield Fault("circuit.toml: preequilibration_h", f"{circuit.preequilibration_h:g}", "hours, 0 or more")
    yield from type_faults(
        circuit.network,
        circuit.pools,
        circuit.per_cell,
        circuit.partitions,
        circuit.cell_types,
        known.free,
        known.quantities,
        known.constants.keys(),
    )
