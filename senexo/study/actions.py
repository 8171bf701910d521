"""Actions in their resolved form: read, checked against the model, and put in the one order that counts."""

from __future__ import annotations

from senexo.base.errors import Fault
from senexo.base.units import NUMBER_KIND, TIME, Kind, shown
from senexo.study.known import Known
from senexo.study.place import Place, named
from senexo.study.schema import Action

KEYS = ("at", "time_h", "target", "operation", "value", "verb", "of")
OPERATIONS = ("set", "multiply", "add")
HOURS = Kind("hour", "hours, 0 or more, e.g. 48.0", high=TIME.high, bare=True)


def read_action(place: Place, known: Known | None, end_h: float | None) -> Action | None:
    """One action in its resolved form; without a time it acts from the start."""
    if not place.table(KEYS):
        return None
    target, operation, value = place.get("target"), place.get("operation"), place.get("value")
    for key, below in (("target", target), ("operation", operation), ("value", value)):
        if below is None:
            place.fault(f"the key {key}", found=f"no {key}")
    if target is None or operation is None or value is None:
        return None
    known_target = changeable(target, target.value, known)
    done, number = operation.one_of(OPERATIONS, "operations"), value.quantity(NUMBER_KIND)
    hour = hour_below(place, end_h)
    verb, of = place.get("verb"), place.get("of")
    labels = [done if verb is None else verb.text(), target.value if of is None else of.text()]
    if not known_target or done is None or number is None or None in labels:
        return None
    return Action(time_h=hour, target=target.value, operation=done, value=number, verb=labels[0], of=labels[1])  # type: ignore[arg-type]


def hour_below(place: Place, end_h: float | None) -> float | None:
    """The time of a table that has `at` (with a unit) or `time_h` (a number), or neither."""
    at, time_h = place.get("at"), place.get("time_h")
    if at is not None and time_h is not None:
        place.fault("either at or time_h", found="both")
    return hour_of(at, end_h) if at is not None else None if time_h is None else hour_of(time_h, end_h, HOURS)


def hour_of(place: Place, end_h: float | None, kind: Kind = TIME) -> float | None:
    """A time that lies before the end of the culture."""
    if isinstance(place.value, list):
        place.fault('one time; for several, a list of tables, e.g. [{ ..., at = "0 h" }, { ..., at = "2 d" }]')
        return None
    hour = place.quantity(kind)
    if hour is not None and end_h is not None and hour >= end_h:
        place.fault(f"a time before the end of the culture ({when(end_h)})")
        return None
    return hour


def changeable(place: Place, target: object, known: Known | None) -> bool:
    """Whether an action may change `target`; a fault with the allowed ids when not."""
    if known is None or (isinstance(target, str) and target in known.changeable):
        return isinstance(target, str)
    place.fault(named(target, known.changeable, "quantities that no rule sets"), found=shown(target))
    return False


def refuse_contradictions(place: Place, actions: list[Action]) -> None:
    """Two different numbers for one quantity at one time have no order to go by."""
    numbers: dict[tuple[float | None, str], float] = {}
    for action in actions:
        key = (action.time_h, action.target)
        if action.operation == "set" and numbers.setdefault(key, action.value) != action.value:
            at = "from the start" if action.time_h is None else f"at {when(action.time_h)}"
            found = f"{action.target} set to {number(numbers[key])} and to {number(action.value)} {at}"
            place.faults.append(Fault(f"{place.file}: {place.path}", found, "one number at one time"))


def in_order(actions: list[Action]) -> tuple[tuple[Action, ...], tuple[Action, ...]]:
    """Genotype and schedule in the one order that does not depend on how a file is arranged.

    At one time settings come before factors and factors before additions (a wash-out before the next dose); the
    same setting twice is done once.
    """
    rank = {operation: index for index, operation in enumerate(OPERATIONS)}
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
    """A time as a person says it.

    >>> when(0.0), when(36.0), when(96.0)
    ('0 h', '36 h', '4 d')
    """
    return f"{number(hour / 24)} d" if hour and hour % 24 == 0 else f"{number(hour)} h"


def since(hour: float) -> str:
    return f" from {when(hour)}" if hour else ""


def number(value: float) -> str:
    """As it is typed in a study file: no separators, no trailing zeros."""
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:.12g}"


def told(value: float) -> str:
    """As it is read in a sentence: thousands marked."""
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:.12g}"
