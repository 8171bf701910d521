"""Whether a claim's null can act, through the model, on anything that the claim reads.

From what the null cuts, in each arm that the claim compares, along the dependencies of the model (`dependence.py`) to
what the claim reads there. What an arm has cut already, or where the null sets what is there anyhow, is no difference.
The walk errs on one side only: where it finds no way there is none, in the deterministic and in the stochastic reading
of the model; a way that it finds may be of negligible size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from senexo.engine.formula.network import Lowered
from senexo.lab.claim import null
from senexo.lab.claim.dependence import Dependencies, read_slots
from senexo.model.cell_types import own_names
from senexo.study.claims import Vocabulary, observables, parse_claim
from senexo.study.observables import OF_MICE, OF_PATIENTS, Observable, Quantity

if TYPE_CHECKING:
    from senexo.model.circuit import Circuit
    from senexo.study.schema import Action, Arm, Study

Value = float | tuple[object, ...]  # a number, or what has been done to a number that is not the same in all cells
FATES_READ = {  # of cells that neither divide nor share a medium; death says who is alive to be read
    Quantity.ALIVE: ("death",), Quantity.CELLS: ("death",), Quantity.MEAN: ("death",),
    Quantity.SENESCENCE: ("commitment", "escape", "death"), Quantity.ARRESTED: ("commitment", "escape", "death"),
    **dict.fromkeys(OF_MICE | OF_PATIENTS, ("commitment", "escape", "death")),
}  # fmt: skip


def null_acts(study: Study, circuit: Circuit | None, networks: Sequence[Lowered]) -> bool:
    """Whether the null of a study's claim can act on anything that the claim reads in the arms it compares.

    Parameters
    ----------
    study
        The study; one without a claim has no null that acts.
    circuit
        Its circuit; None for a model file.
    networks
        The lowered network of each type of cells, as they are simulated.
    """
    if study.claim is None:
        return False
    reach = Reach(study, circuit, networks, study.claim.cuts)
    return any(reach.reached(one.arm) & reach.read_of(one) for one in null.compared(study.claim))


@dataclass(eq=False)
class Reach:
    """What cuts reach in each arm of a study, by the ids of quantities."""

    study: Study
    circuit: Circuit | None
    networks: Sequence[Lowered]
    cuts: Sequence[Action]
    found: dict[str, frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        circuit = self.circuit
        rules = circuit.cell_types if circuit else ()
        sets = [item for rule in rules for fate in rule.fates for item in fate.sets]
        self.set_by_fates = {item.target for item in sets}
        self.hazards = {id for rule in rules for fate in rule.fates for id in (fate.hazard, fate.bound) if id}
        copied = [(item.value, item.target) for item in sets if isinstance(item.value, str)]
        self.dependencies = Dependencies(self.networks, copied, self.hazards)
        halves = circuit.transwell if circuit else None
        swap = halves.swap if halves else {}
        self.swap = {**swap, **{other: one for one, other in swap.items()}}
        by_laboratory = {id for id in (circuit and circuit.well, halves and halves.share) if id}
        self.by_laboratory = by_laboratory | self._swapped(by_laboratory)
        self.own_names = list(own_names(rules).values())
        self.pools: set[str] = set()
        self.written: dict[str, set[float]] = {}
        for network in self.networks:
            zero_or_nan = {
                item.slot: 0.0 if read_slots(item.math, lambda slot: False) is None else math.nan
                for item in network.initial
            }
            for slot, info in enumerate(network.slots):
                value = zero_or_nan.get(slot, float(network.values[slot]))
                self.written.setdefault(info.id, set()).add(value)
                if circuit and info.kind == "species" and network.slots[info.compartment].id in circuit.pools:
                    self.pools.add(info.id)

    def _swapped(self, ids: Iterable[str]) -> set[str]:
        """The ids that stand for these in the insert of a Transwell."""
        return {self.swap.get(id, id) for id in ids}

    # ---- what is read

    def read_of(self, one: Observable) -> set[str]:
        """The quantities that an observable depends on directly."""
        found = self._fates_of(one) | self._quantity_of(one)
        if self.study.culture.stop_when:  # what ends a well changes all that is read of it
            stops = parse_claim(self.study.culture.stop_when, Vocabulary(now=True))
            found |= {id for now in observables(stops) for id in self._quantity_of(now)}
        return found | self._swapped(found)

    def _fates_of(self, one: Observable) -> set[str]:
        if self.circuit is None:
            return set()
        if self.circuit.pools:
            return self.hazards
        return {fate.hazard for fate in self.circuit.fates if fate.name in FATES_READ[one.quantity]}

    def _quantity_of(self, one: Observable) -> set[str]:
        match one.quantity:
            case Quantity.MEAN:
                named = {readout.name: readout.id for readout in self.circuit.readouts} if self.circuit else {}
                return {named.get(one.readout or "", one.readout or "")}
            case (
                Quantity.ARRESTED | Quantity.ENGRAFTED | Quantity.HUMAN | Quantity.STEM_CELLS | Quantity.NO_STEM_CELLS
                | Quantity.SURVIVING | Quantity.REMISSION | Quantity.RELAPSED | Quantity.HAZARD_RATIO
                | Quantity.ADJUSTED_HAZARD_RATIO | Quantity.ODDS_RATIO
            ):  # fmt: skip
                return {self.circuit.arrest.id} if self.circuit and self.circuit.arrest else set()
            case Quantity.SENESCENCE | Quantity.ALIVE | Quantity.CELLS:
                return set()
            case _:
                assert_never(one.quantity)

    # ---- what is reached

    def reached(self, name: str) -> frozenset[str]:
        """Everything that may differ between an arm and the same arm with the cuts."""
        if name not in self.found:
            arm = self.study.arms[name]
            seeds = self._changed(arm)
            for medium in arm.medium_from:
                seeds |= self.reached(medium.arm) & self.pools
            zero = self.dependencies.stay_zero(self._zero_at_start(arm))
            self.found[name] = self.dependencies.reached(seeds, zero - seeds)
        return self.found[name]

    def _changed(self, arm: Arm) -> set[str]:
        """The quantities that the cuts set to something else than they are in this arm."""
        found = set()
        for genotype, names in self._halves(arm):
            for action in self.cuts:
                uncut, cut = ((*genotype, *more, *self.study.culture.medium) for more in ((), self.cuts))
                if self._after(action.target, cut) != self._after(action.target, uncut):
                    found.add(names.get(action.target, action.target))
        return found

    def _halves(self, arm: Arm) -> Iterator[tuple[Sequence[Action], Mapping[str, str]]]:
        """The genotypes of an arm's cells, and the names that stand for others there."""
        yield arm.genotype, {}
        if arm.insert:
            yield arm.insert.genotype, self.swap

    def _zero_at_start(self, arm: Arm) -> Iterator[str]:
        """The quantities that are 0 in an arm when it begins, and that no action, event or fate raises."""
        schedule = [*arm.schedule, *(arm.insert.schedule if arm.insert else ())]
        raised = {action.target for action in schedule if action.operation != "multiply" and action.value != 0}
        raised |= {action.target for action in self.cuts} | {to for one in arm.body_doses for to in one.targets}
        raised |= self._swapped(raised) | self.set_by_fates | (self.pools if arm.medium_from else set())
        for network in self.networks:
            raised |= {network.slots[item.slot].id for item in network.assignments}
            raised |= {network.slots[item.slot].id for event in network.events for item in event.assignments}
        for id in self.written.keys() - raised:
            genotypes = ([*genotype, *self.study.culture.medium] for genotype, _ in self._halves(arm))
            if all(self._after(id, actions) == 0.0 for actions in genotypes):
                yield id

    def _after(self, id: str, actions: Iterable[Action]) -> Value:
        """A quantity after actions: a number where it is the same in all cells of all donors."""
        value = self._start(id)
        for action in actions:
            if action.target == id:
                value = _acted(value, action)
        return value

    def _start(self, id: str) -> Value:
        """A quantity before any action."""
        names = {id, *(own[id] for own in self.own_names if id in own)}
        draws = [self.study.donors.draws[name] for name in names if name in self.study.donors.draws]
        values = {draw.value for draw in draws} or self.written.get(id, set())
        drawn = any(draw.law != "fixed" for draw in draws) or id in self.by_laboratory or len(values) != 1
        value = math.nan if drawn else next(iter(values))
        varies = any(id in kind.variation for kind in self.study.cells.values()) and value != 0
        return ("drawn", id) if varies or math.isnan(value) else value


def _acted(value: Value, action: Action) -> Value:
    """A quantity after one action; of a number that differs between cells, what has been done to it."""
    match action.operation:
        case "set":
            return action.value
        case "multiply" if action.value == 0:
            return 0.0
        case "multiply":
            more = () if action.value == 1 else ("*", action.value)
            return (*value, *more) if isinstance(value, tuple) else value * action.value
        case "add":
            more = () if action.value == 0 else ("+", action.value)
            return (*value, *more) if isinstance(value, tuple) else value + action.value
        case _:
            assert_never(action.operation)
