"""Quantities to which a model gives no value: named before a run, never carried through it as not-a-number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import InvalidModel
from senexo.engine.formula.network import Lowered, SlotKind
from senexo.model.expression import Expression, Slot, walk

_WHAT: Mapping[SlotKind, str] = {
    "compartment": "size", "species": "initial amount or concentration", "parameter": "value",
    "local parameter": "value", "species reference": "stoichiometry", "reaction": "rate", "delay": "value",
    "unknown": "value",
}  # fmt: skip
_MOST_NAMED = 10


def check_values(lowered: Lowered, v0: NDArray[np.float64]) -> list[str]:
    """Raise `InvalidModel` for quantities that the model reads and that have no value at the start.

    v0: values at time 0 [n_slots]. Returns a caution for each that nothing reads, or that an event sets first.
    """
    if not np.isnan(v0).any():
        return []
    ruled = {item.slot for item in (*lowered.initial, *lowered.assignments)}
    ruled |= {item.slot for item in lowered.delays} | set(lowered.algebra.unknowns if lowered.algebra else ())
    by_events = {item.slot for event in lowered.events for item in event.assignments}
    unset = [
        slot
        for slot, info in enumerate(lowered.slots)
        if np.isnan(v0[slot]) and np.isnan(lowered.values[slot]) and slot not in ruled and info.kind != "reaction"
    ]
    read = (
        {node.index for math in _formulas(lowered) for node in walk(math) if isinstance(node, Slot)} if unset else set()
    )
    read |= {item.slot for item in lowered.rates}
    faults, cautions = [], []
    for slot in unset:
        info = lowered.slots[slot]
        kind, what = info.kind, _WHAT[info.kind]
        if slot in read and slot not in by_events:
            faults.append(
                f"{kind} {info.id} has no {what}: give it one in the model, by an initial assignment or a rule"
                + ("" if kind == "species reference" else f', or by parameters={{"{info.id}": ...}}')
            )
        else:
            why = "an event sets it" if slot in by_events else "nothing reads it"
            cautions.append(f"{kind} {info.id} has no {what} and is nan ({why})")
    if faults:
        more = len(faults) - _MOST_NAMED
        raise InvalidModel("\n".join([*faults[:_MOST_NAMED], *([f"... and {more} more"] if more > 0 else [])]))
    return cautions


def _formulas(lowered: Lowered) -> Iterator[Expression]:
    for item in (*lowered.initial, *lowered.assignments, *lowered.rates):
        yield item.math
    for reaction in lowered.reactions:
        yield reaction.rate
        for change in reaction.changes:
            yield change.coefficient
    for event in lowered.events:
        yield event.trigger
        yield from (math for math in (event.delay, event.priority) if math is not None)
        for item in event.assignments:
            yield item.math
            if item.size >= 0:
                yield Slot(item.size)
