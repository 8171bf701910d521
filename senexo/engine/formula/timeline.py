"""A lowered network on another timeline: begun at a time other than 0, changed at known times, or continued.

Each is a rewritten network, so that every solver and sampler has it without knowing: runs still begin at their own time
0, and outputs are given at times since the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.evaluate import apply_assignments, evaluate
from senexo.engine.formula.network import Assigned, Lowered, LoweredEvent, SlotInfo
from senexo.model.expression import Call, Expression, Number, Slot, Time, rewrite, walk

Floats = NDArray[np.float64]
START = "start time"  # name of the slot that holds it; no SBML id has a blank


@dataclass(frozen=True, slots=True)
class ChangeAt:
    """At `time` since the start, the slots of `assignments` are set, all from the state before; species in amounts."""

    time: float
    assignments: tuple[Assigned, ...]


def begun_later(lowered: Lowered) -> Lowered:
    """The network with one more slot, the last: the time at which the run begins, which its formulas add to theirs.

    >>> from senexo.model.network import Network, Parameter, Rule
    >>> from senexo.engine.formula.lower import lower
    >>> clock = Rule("assignment", "x", Time())
    >>> later = begun_later(lower(Network("m", parameters=(Parameter("x", constant=False),), rules=(clock,))))
    >>> later.assignments[0].math
    Call(operator='plus', arguments=(Time(), Slot(index=1)))
    """
    start = Slot(len(lowered.slots))
    shifted = Call("plus", (Time(), start))

    def moved(node: Expression) -> Expression:
        return shifted if isinstance(node, Time) else node

    later = _mapped(lowered, lambda math: rewrite(math, moved))
    return replace(
        later,
        slots=(*lowered.slots, SlotInfo(START, "unknown")),
        values=np.append(lowered.values, 0.0),
    )


def reads_time(lowered: Lowered) -> bool:
    """Whether a formula of the network reads the time."""
    found = False

    def look(math: Expression) -> Expression:
        nonlocal found
        found = found or any(isinstance(node, Time) for node in walk(math))
        return math

    _mapped(lowered, look)
    return found


def changed(lowered: Lowered, changes: Sequence[ChangeAt]) -> Lowered:
    """The network with an event for each change, which executes after the model's own events of the same time."""
    events = tuple(
        LoweredEvent(
            id=f"change {number + 1}", trigger=Call("geq", (Time(), Number(change.time))), initial_value=False,
            persistent=True, delay=None, priority=None, use_values_from_trigger_time=False,
            assignments=change.assignments,
        )
        for number, change in enumerate(changes)
    )  # fmt: skip
    moved = {item.slot for change in changes for item in change.assignments}
    moved |= _dependent(lowered, moved)
    slots = tuple(replace(info, changes=info.changes or k in moved) for k, info in enumerate(lowered.slots))
    return replace(lowered, slots=slots, events=(*lowered.events, *events))


def _dependent(lowered: Lowered, slots: set[int]) -> set[int]:
    """Slots whose assignment rules read one of `slots`, directly or not."""
    known = set(slots)
    for item in lowered.assignments:  # in the order in which each finds its inputs ready
        if any(isinstance(node, Slot) and node.index in known for node in walk(item.math)):
            known.add(item.slot)
    return known - slots


def continued(lowered: Lowered, were: Sequence[bool]) -> Lowered:
    """The network with triggers that begin as they were left: one that was true already does not trigger again."""
    events = tuple(replace(event, initial_value=was) for event, was in zip(lowered.events, were, strict=True))
    return replace(lowered, events=events)


def triggers(lowered: Lowered, v: Floats) -> NDArray[np.bool_]:
    """Whether each event's trigger is true at the start [..., events], from values [..., slots]."""
    found = [np.asarray(evaluate(event.trigger, v, 0.0)) != 0.0 for event in lowered.events]
    return np.stack(found, axis=-1) if found else np.zeros((*v.shape[:-1], 0), dtype=bool)


def apply_change(lowered: Lowered, v: Floats, change: ChangeAt) -> None:
    """Make a change in values [rows, slots], in place."""
    new = [evaluate(item.math, v, change.time) for item in change.assignments]
    for item, value in zip(change.assignments, new, strict=True):
        v[..., item.slot] = value
    apply_assignments(lowered, v, change.time)


def _mapped(value: Any, change: Any) -> Any:
    """A copy of a tree of dataclasses and tuples with every formula in it rewritten."""
    if isinstance(value, Expression):
        return change(value)
    if isinstance(value, tuple):
        return tuple(_mapped(item, change) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        new = {item.name: _mapped(getattr(value, item.name), change) for item in fields(value)}
        return type(value)(**new)
    return value
