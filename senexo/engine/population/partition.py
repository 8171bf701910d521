"""Which species of a population go event by event, and which as continuous amounts; with the reason of each.

A species is continuous where it is abundant in every type that has it, or where it is not scarce and so many events
change it that one by one they would be all the work. A reaction that changes continuous species only is continuous;
every other one, and every fate, happens event by event.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from senexo.base.errors import Fault, InvalidInput
from senexo.engine.formula.evaluate import evaluate, evaluate_all, initial_values
from senexo.engine.formula.network import Lowered, LoweredReaction
from senexo.engine.ode.single import Translated, integrate
from senexo.engine.population.model import Become, Divide, Floats, Population
from senexo.model.expression import Call, Number, Slot


@dataclass(frozen=True)
class HybridPartition:
    """continuous: ids of species, the same in all types; reasons: for every species of cells, why so."""

    continuous: frozenset[str]
    reasons: Mapping[str, str]

    def is_continuous(self, network: Lowered, reaction: LoweredReaction) -> bool:
        """Does it change continuous species and nothing else?"""
        changed = {network.slots[change.slot].id for change in reaction.changes}
        return bool(changed) and changed <= self.continuous

    def __str__(self) -> str:
        rows = sorted(self.reasons.items(), key=lambda item: (item[0] not in self.continuous, item[0]))
        return "\n".join(f"{id}: {'continuous' if id in self.continuous else 'events'}, {why}" for id, why in rows)


def with_continuous(population: Population, continuous: Collection[str]) -> HybridPartition:
    """A partition that names its continuous species. Raises `InvalidInput` for what cannot be continuous."""
    own, fixed = _own(population), _fixed(population)
    faults = [Fault("partition", repr(id), f"one of {', '.join(own)}") for id in continuous if id not in own]
    faults += [Fault("partition", f"{id}, {fixed[id]}", "event by event") for id in continuous if id in fixed]
    if faults:
        raise InvalidInput(faults)
    return HybridPartition(frozenset(continuous), {id: fixed.get(id, "as given") for id in own})


def divided(
    population: Population,
    *,
    abundant: float = 200.0,
    enough: float = 12.0,
    busy: float = 20.0,
    span: float = 72.0,
    before: HybridPartition | None = None,
    values: Sequence[Floats] | None = None,
) -> HybridPartition:
    """A partition by copy number and time scale.

    Each type runs for `span` time units as an ODE from its own values (`values`: from these, per type as in its
    network), without fates; counted is the least that a species has at the start and in the second half. Continuous
    from `abundant` copies on; from `enough` on where more than `busy` events per time unit change it. A species that
    was continuous in `before` stays so down to half of these. What is set by a fate, or moves between cell and pools,
    goes event by event.
    """
    own, fixed = _own(population), _fixed(population)
    least, events = dict.fromkeys(own, np.inf), dict.fromkeys(own, 0.0)
    for place, type in enumerate(population.types):
        translated = population.kept.get(("translated", place), partial(Translated, type.network))
        course = _course(translated, type.network.values if values is None else values[place], span)
        rates = [np.broadcast_to(rate, len(course)) for rate in _rates(type.network, course)]
        for slot, info in enumerate(type.network.slots):
            if info.id in least:
                least[info.id] = min(least[info.id], float(course[:, slot].min()))
        for reaction, rate in zip(type.network.reactions, rates, strict=True):
            for change in reaction.changes:
                id = type.network.slots[change.slot].id
                if id in events:
                    events[id] = max(events[id], float(rate.mean()))
    continuous, reasons = set(), {}
    for id in own:
        factor = 0.5 if before is not None and id in before.continuous else 1.0
        if id in fixed:
            reasons[id] = fixed[id]
        elif least[id] >= factor * abundant:
            continuous.add(id)
            reasons[id] = f"at least {least[id]:.3g} copies"
        elif least[id] >= factor * enough and events[id] >= busy:
            continuous.add(id)
            reasons[id] = f"at least {least[id]:.3g} copies and {events[id]:.3g} events per time unit"
        else:
            reasons[id] = f"down to {max(least[id], 0.0):.3g} copies, {events[id]:.3g} events per time unit"
    return HybridPartition(frozenset(continuous), reasons)


def _own(population: Population) -> tuple[str, ...]:
    """The species of cells that are counted, of all types."""
    found = (
        type.network.slots[slot].id
        for type, slots in zip(population.types, population.countable, strict=True)
        for slot in slots
    )
    return tuple(dict.fromkeys(found))


def _fixed(population: Population) -> dict[str, str]:
    """What must go event by event, and why."""
    found: dict[str, str] = {}
    for type in population.types:
        pooled = set(population.in_pool(type.network))
        changed: set[int] = set()
        for reaction in type.network.reactions:
            slots = {change.slot for change in reaction.changes}
            changed |= slots
            if slots & pooled:
                found |= {
                    type.network.slots[slot].id: f"changed together with a pool ({reaction.id})" for slot in slots
                }
        for fate in type.fates:
            if isinstance(fate.effect, Become | Divide):
                found |= {item.target: f"set by a fate ({fate.name})" for item in fate.effect.sets}
        for slot, info in enumerate(type.network.slots):
            if info.kind == "species" and slot not in changed:
                found.setdefault(info.id, "changed by no reaction")
    own = set(_own(population))
    return {id: why for id, why in found.items() if id in own}


def _course(translated: Translated, values: Floats, span: float) -> Floats:
    """Values at the start and in the second half of a deterministic run."""
    network = replace(translated.lowered, values=values)
    start = initial_values(network)
    if not network.rates:
        return start[np.newaxis]
    times = np.array([0.0, *np.linspace(0.5, 1.0, 7) * span])
    return integrate(translated, start, times, rtol=1e-5, solver="LSODA")  # one run does not pay for compiled steps


def _rates(network: Lowered, values: Floats) -> list[Floats]:
    return [np.asarray(rate) for rate in evaluate_all([r.rate for r in network.reactions], values, 0.0)]


def limited(network: Lowered, reaction: LoweredReaction, continuous: frozenset[str]) -> LoweredReaction:
    """The reaction, with a rate of 0 where a continuous species has fewer copies left than it takes."""
    rate = reaction.rate
    for change in reaction.changes:
        copies = float(evaluate(change.coefficient, np.zeros(0), 0.0))
        if copies < 0.0 and network.slots[change.slot].id in continuous:
            there = Call("geq", (Slot(change.slot), Number(-copies)))
            rate = Call("piecewise", (rate, there, Number(0.0)))
    return replace(reaction, rate=rate)
