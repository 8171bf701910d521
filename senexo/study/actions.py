"""Actions in their resolved form: checked against the model, and put in the one order that counts."""

from __future__ import annotations

from typing import Any

from senexo.base.units import shown
from senexo.study.cursor import Cursor, named
from senexo.study.form import arms as form
from senexo.study.form.table import Table
from senexo.study.names import ModelNames
from senexo.study.schema import Action


def read_action(action: form.Action, place: Cursor, names: ModelNames | None, end_h: float | None) -> Action | None:
    """One action; without a time it acts from the start. None after a fault."""
    known = action.target is not None and changeable(place.at("target"), action.target, names)
    hour = hour_below(action, place, end_h)
    if not known or action.target is None or action.operation is None or action.value is None or place.has_fault():
        return None
    return Action(
        time_h=hour, target=action.target, operation=action.operation, value=action.value,  # type: ignore[arg-type]
        verb=action.verb or action.operation, of=action.of or action.target,
    )  # fmt: skip


def either(table: Table, place: Cursor, short: str, resolved: str) -> tuple[Any, Cursor]:
    """The value and place of what may be written with its unit (short) or as a number in ours (resolved)."""
    if short in place and resolved in place:
        place.fault(f"either {short} or {resolved}", found="both")
    chosen = short if short in place or resolved not in place else resolved
    return table.get(chosen), place.at(chosen)


def hour_below(table: Table, place: Cursor, end_h: float | None) -> float | None:
    """The hour of a table that has `at` (with a unit) or `time_h` (a number), or neither."""
    hour, below = either(table, place, "at", "time_h")
    return before_end(hour, below, end_h)


def before_end(hour: float | None, place: Cursor, end_h: float | None) -> float | None:
    """A time that lies before the end of the culture."""
    if hour is not None and end_h is not None and hour >= end_h:
        place.fault(f"a time before the end of the culture ({when(end_h)})")
        return None
    return hour


def rising_times(table: Table, place: Cursor, what: str, end_h: float | None, end: str) -> tuple[float, ...]:
    """Hours of a key (with units) or of its twin that ends in _h, which increase, up to an end (in words: `end`)."""
    given, there = either(table, place, what, f"{what}_h")
    found: list[float] = []
    for entry, hour in zip(there.elements() if given else (), given or (), strict=True):
        if hour is None:
            continue
        if end_h is not None and hour > end_h:
            entry.fault(f"a time up to {end} ({when(end_h)})")
        elif found and hour <= found[-1]:
            entry.fault("times that increase")
        found.append(hour)
    return tuple(found)


def changeable(place: Cursor, target: object, names: ModelNames | None) -> bool:
    """Whether an action may change `target`; a fault with the allowed ids when not."""
    if names is None or (isinstance(target, str) and target in names.changeable):
        return isinstance(target, str)
    place.fault(named(target, names.changeable, "quantities that no rule sets"), found=shown(target))
    return False


def refuse_contradictions(place: Cursor, actions: list[Action]) -> None:
    """Two different numbers for one quantity at one time have no order to go by."""
    numbers: dict[tuple[float | None, str], float] = {}
    for action in actions:
        key = (action.time_h, action.target)
        if action.operation == "set" and numbers.setdefault(key, action.value) != action.value:
            at = "from the start" if action.time_h is None else f"at {when(action.time_h)}"
            found = f"{action.target} set to {number(numbers[key])} and to {number(action.value)} {at}"
            place.fault("one number at one time", found=found)


def in_order(actions: list[Action]) -> tuple[tuple[Action, ...], tuple[Action, ...]]:
    """Genotype and schedule in the one order that does not depend on how a file is arranged.

    At one time settings come before factors and factors before additions (a wash-out before the next dose); the
    same setting twice is done once.
    """
    rank = {operation: index for index, operation in enumerate(form.OPERATIONS)}
    kept: list[Action] = []
    for a in sorted(
        actions,
        key=lambda a: (a.time_h is not None, a.time_h or 0.0, rank[a.operation], a.target, a.value, a.verb, a.of),
    ):
        before = kept[-1] if kept else None
        if before and a.operation == "set" and (before.time_h, before.target, before.operation) == (
            a.time_h, a.target, a.operation,
        ):  # fmt: skip
            continue
        kept.append(a)
    return tuple(a for a in kept if a.time_h is None), tuple(a for a in kept if a.time_h is not None)


def when(hour: float) -> str:
    """A time as a person writes it.

    >>> when(0.0), when(36.0), when(96.0)
    ('0 h', '36 h', '4 d')
    """
    return f"{number(hour / 24)} d" if hour and hour % 24 == 0 else f"{number(hour)} h"


def since(hour: float) -> str:
    return f" from {when(hour)}" if hour else ""


def number(value: float) -> str:
    """As it is typed in a study file: no separators, no trailing zeros."""
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:.12g}"


def grouped(value: float) -> str:
    """As it is read in a sentence: thousands separated by commas."""
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:.12g}"
