"""SBML's events inside the compiled kernel: `senexo.engine.ode.sbml_events` is the same in Python, slower.

Source: SBML Level 3 Version 2 Core, section 4.12 (doi 10.1515/jib-2017-0080).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.machine import run as execute
from senexo.engine.rng import TIES, threefry, unit
from senexo.engine.ssa.kernel import whole_counts
from senexo.engine.status import CASCADE, DELAY, OK, WAITING

MOST_AT_ONCE = 10_000  # events at one instant
MOST_WAITING = 4_096  # events triggered and not yet executed

_compile = kernel(internal=True)


class Pending(NamedTuple):
    """The events of one run: their triggers as last seen, and the triggered ones that wait, in that order."""

    was: NDArray[np.bool_]
    event: NDArray[np.int64]
    due: NDArray[np.float64]
    values: NDArray[np.float64]  # [room, most assignments]: of the trigger's time, for events that use these
    n: NDArray[np.int64]  # [1]
    ties: NDArray[np.uint64]  # [1]: draws used between events of equal priority


@_compile
def none_pending(events: Any) -> Any:
    """The events of a run at its start, and room for those that will wait."""
    n_values = 1
    for e in range(len(events.initial)):
        n_values = max(n_values, events.value_first[e + 1] - events.value_first[e])
    room = MOST_WAITING if len(events.initial) else 1
    return Pending(
        events.initial.copy(), np.empty(room, np.int64), np.empty(room), np.empty((room, n_values)),
        np.zeros(1, np.int64), np.zeros(1, np.uint64),
    )  # fmt: skip


@_compile
def _drop(queue: Any, event: int, place: int) -> None:
    """Take out the entry at `place`, or with place -1 all entries of an event; the others keep their order."""
    kept = 0
    for k in range(queue.n[0]):
        if k != place and not (place < 0 and queue.event[k] == event):
            queue.event[kept], queue.due[kept] = queue.event[k], queue.due[k]
            for j in range(queue.values.shape[1]):
                queue.values[kept, j] = queue.values[k, j]
            kept += 1
    queue.n[0] = kept


@_compile
def _evaluate(core: Any, events: Any, memory: Any, e: int, into: Any) -> None:
    """What the assignments of event e give now."""
    execute(core.code, events.assign[e, 0], events.assign[e, 1], memory)
    first = events.value_first[e]
    for k in range(first, events.value_first[e + 1]):
        into[k - first] = memory[events.value_cell + k]


@_compile
def _notice(core: Any, events: Any, memory: Any, time: float, queue: Any) -> Any:
    """Queue events whose trigger became true; drop those that do not persist and whose trigger became false."""
    was = queue.was
    for e in range(len(was)):
        now = memory[core.trigger + e] != 0.0
        if now == was[e]:
            continue
        was[e] = now
        if now:
            delay, k = 0.0, queue.n[0]
            if events.delay[e, 1] > events.delay[e, 0]:
                execute(core.code, events.delay[e, 0], events.delay[e, 1], memory)
                delay = memory[events.scratch + e]
            if not delay >= 0.0:
                return DELAY, e
            if k == len(queue.event):
                return WAITING, e
            queue.event[k], queue.due[k] = e, time + delay
            if events.early[e]:
                _evaluate(core, events, memory, e, queue.values[k])
            queue.n[0] += 1
        elif not events.persistent[e]:
            _drop(queue, e, -1)
    return OK, 0


@_compile
def _next_event(core: Any, events: Any, memory: Any, time: float, queue: Any, key: Any) -> int:
    """The place in the queue of the event to execute now, -1 for none: highest priority, ties broken at random.

    Events without priority go last, in the order of their triggering.
    """
    best, highest, equals = -1, -np.inf, 0
    for k in range(queue.n[0]):
        if queue.due[k] > time:
            continue
        e, priority = queue.event[k], -np.inf
        if events.priority[e, 1] > events.priority[e, 0]:
            execute(core.code, events.priority[e, 0], events.priority[e, 1], memory)
            priority = memory[events.scratch + e]
            if np.isnan(priority):
                priority = -np.inf
        if best < 0 or priority > highest:
            best, highest, equals = k, priority, 1
        elif priority == highest and priority > -np.inf:
            equals += 1
            x, _ = threefry(key[0], key[1], queue.ties[0], TIES)
            queue.ties[0] += np.uint64(1)
            if unit(x) * equals < 1.0:
                best = k
    return best


@_compile
def settle(core: Any, events: Any, memory: Any, time: float, queue: Any, key: Any) -> Any:
    """Let everything happen that happens at this instant, one event after the other; memory is up to date before.

    After each, triggers are evaluated again, so an event may cause or cancel others. Returns (outcome, index).
    """
    e = 0
    value = np.empty(queue.values.shape[1])
    for _ in range(MOST_AT_ONCE):
        outcome, index = _notice(core, events, memory, time, queue)
        if outcome != OK:
            return outcome, index
        k = _next_event(core, events, memory, time, queue, key)
        if k < 0:
            return OK, 0
        e = queue.event[k]
        for j in range(len(value)):
            value[j] = queue.values[k, j]
        if not events.early[e]:
            _evaluate(core, events, memory, e, value)
        _drop(queue, e, k)
        first, last = events.value_first[e], events.value_first[e + 1]
        for j in range(first, last):  # sizes are those before the event: all are read before any is set
            if events.values[j, 1] >= 0:
                value[j - first] *= memory[events.values[j, 1]]
        for j in range(first, last):
            memory[events.values[j, 0]] = value[j - first]
        execute(core.code, core.everything[0], core.everything[1], memory)
        outcome, index = whole_counts(core, memory)
        if outcome != OK:
            return outcome, index
        execute(core.code, core.everything[0], core.everything[1], memory)
    return CASCADE, e
