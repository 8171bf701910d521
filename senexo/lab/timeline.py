"""`start=` and `changes=` of `senexo.simulate`: when a run begins, from what state, and what is changed on the way."""

from __future__ import annotations

import contextlib
import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.base import infix
from senexo.base.errors import Fault, SimulationError, UnsupportedFeature
from senexo.engine.formula.network import Assigned, Lowered
from senexo.engine.formula.timeline import START, ChangeAt, begun_later, changed, continued, reads_time, triggers
from senexo.model.expression import Call, Expression, Number, Slot, Time

if TYPE_CHECKING:
    import xarray

    from senexo.lab.prepared import Prepared

Floats = NDArray[np.float64]
Changes = Mapping[float, Mapping[str, float | str]] | Sequence[tuple[float, Mapping[str, float | str]]]

MOST_CHANGES = 1_000  # times
_STATE = ("species", "parameter", "compartment", "species reference")
_FUNCTIONS = ("exp", "ln", "sqrt", "abs")
_ID = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?")
_DIGITS = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class Start:
    """When a run begins; of a continued one, `state` by id [runs] and the dataset's run dimension's length."""

    time: float = 0.0
    state: Mapping[str, Floats] | None = None


def read_start(start: Any, lowered: Lowered, faults: list[Fault]) -> Start:
    """`start=`: a time, or a former result, whose last state is continued."""
    if hasattr(start, "data_vars"):
        return _former(start, lowered, faults)
    if isinstance(start, bool) or not isinstance(start, int | float | np.number) or not isfinite(start):
        faults.append(Fault("start", repr(start)[:80], "a finite number, or a result of senexo.simulate"))
        return Start()
    return Start(float(start))


def _former(data: xarray.Dataset, lowered: Lowered, faults: list[Fault]) -> Start:
    if lowered.delays or any(event.delay is not None for event in lowered.events):
        what = "delay()" if lowered.delays else "events with a delay"
        raise UnsupportedFeature(
            f"continuation of a model with {what}",
            "what is still to come is not in a result; simulate in one call, with changes=",
        )
    taken = {info.id for info in lowered.slots}
    clock = _free("time", taken)
    if "senexo_version" not in data.attrs or clock not in data.coords or not data.sizes.get(clock):
        faults.append(Fault("start", "another dataset", "a result of senexo.simulate, of the same model"))
        return Start()
    ruled = {item.slot for item in lowered.assignments}
    state: dict[str, Floats] = {}
    missing: list[str] = []
    for slot, info in enumerate(lowered.slots):
        if slot in ruled or info.kind not in _STATE:
            continue
        if info.id not in data.variables:
            missing.append(info.id)
            continue
        values = _last(data, info.id, clock)
        if info.kind == "species" and data[info.id].attrs.get("quantity") == "concentration":
            values = values * _last(data, lowered.slots[info.compartment].id, clock)
        if not np.all(np.isnan(values)) or not np.isnan(lowered.values[slot]):
            state[info.id] = values
    if missing:
        found = f"a result without {', '.join(missing[:5])}"
        faults.append(Fault("start", found, "a result of the same model"))
    state |= _locals(data, lowered, clock)
    runs = data.sizes[_free("run", taken)]
    lost = [k for k in range(runs) if not all(np.all(np.isfinite(v if v.ndim == 0 else v[k])) for v in state.values())]
    if lost and runs > 1:
        faults.append(Fault("start", f"a result whose run {lost[0]} ended without a state", "runs that were completed"))
    elif lost:
        faults.append(Fault("start", "a result that ended without a state", "a run that was completed"))
    if runs == 1:
        state = {id: values.reshape(()) for id, values in state.items()}
    return Start(float(data[clock].values[-1]), state)


def _last(data: xarray.Dataset, id: str, clock: str) -> Floats:
    variable = data[id]
    if clock in variable.dims:
        variable = variable.isel({clock: -1})
    return np.asarray(variable.values, dtype=np.float64)


def _locals(data: xarray.Dataset, lowered: Lowered, clock: str) -> dict[str, Floats]:
    """Local parameters that were set: they are not among the variables."""
    given = given_before(data)
    known = {info.id for info in lowered.slots if info.kind == "local parameter"}
    found = {id: np.asarray(value) for id, value in given.items() if id in known}
    return found | {id: _last(data, id, clock) for id in known if id in data.variables}


def given_before(start: Any) -> dict[str, float]:
    """The numbers that a former result was given as `parameters`, such as stoichiometries; {} for a time."""
    try:
        found = json.loads(start.attrs.get("parameters", "{}"))
        return {str(id): float(value) for id, value in found.items()}
    except (AttributeError, TypeError, ValueError):
        return {}


def kept_settings(start: Any, lowered: Lowered) -> dict[str, float]:
    """What was given to a former result, and is not among its variables: local parameters and stoichiometries."""
    kept = {info.id for info in lowered.slots if info.kind in ("local parameter", "species reference")}
    return {id: value for id, value in given_before(start).items() if id in kept}


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


# ---- changes


def read_changes(changes: Any, lowered: Lowered, start: float, end: float, faults: list[Fault]) -> list[ChangeAt]:
    """`changes=` in the order of time; times count from `start`."""
    if changes is None:
        return []
    try:
        items = list(changes.items() if isinstance(changes, Mapping) else changes)
        pairs = [(time, dict(values)) for time, values in items]
    except (TypeError, ValueError):
        expected = 'times and what is set at them: {24.0: {"k": 0.1, "drug": "drug + 10"}}'
        faults.append(Fault("changes", repr(changes)[:80], expected))
        return []
    if len(pairs) > MOST_CHANGES:
        faults.append(Fault("changes", f"{len(pairs):,} times", f"at most {MOST_CHANGES:,}"))
        return []
    found = [ChangeAt(*one) for time, values in pairs for one in _change(time, values, lowered, start, end, faults)]
    found.sort(key=lambda one: one.time)
    twice = {a.time for a, b in pairwise(found) if a.time == b.time}
    faults += [Fault("changes", f"time {start + time:g} twice", "each time once") for time in sorted(twice)]
    return found


def _change(
    time: Any, values: dict[Any, Any], lowered: Lowered, start: float, end: float, faults: list[Fault]
) -> Iterator[tuple[float, tuple[Assigned, ...]]]:
    number = isinstance(time, int | float | np.number) and not isinstance(time, bool)
    if not number or not start <= time <= end:
        faults.append(Fault("changes", f"time {time!r}"[:80], f"a time from {start:g} to {end:g}, the run's own"))
        return
    if not values:
        faults.append(Fault(f"changes, time {time:g}", "nothing that is set", "at least one id"))
    assignments = []
    for id, value in values.items():
        where = f"changes, time {time:g}, {id}"
        slot = _settable(lowered, id, where, faults)
        math = _value(value, lowered, where, faults)
        if slot is not None and isinstance(math, Number):
            faults += _size_faults(lowered.slots[slot].kind, math.value, where)
        if slot is not None and math is not None:
            assignments.append(Assigned(slot, math))
    yield float(time) - start, tuple(assignments)


def _size_faults(kind: str, value: float, where: str) -> Iterator[Fault]:
    if kind == "species" and value < 0.0:
        yield Fault(where, f"{value:g}", "an amount of 0 or more")
    if kind == "compartment" and value <= 0.0:
        yield Fault(where, f"{value:g}", "a size above 0")


def _settable(lowered: Lowered, id: Any, where: str, faults: list[Fault]) -> int | None:
    ruled = {item.slot for item in lowered.assignments}
    moving = {item.slot for item in lowered.rates} | {a.slot for e in lowered.events for a in e.assignments}
    fixed = {
        slot for slot, info in enumerate(lowered.slots)
        if info.kind == "species reference" and not info.changes and slot not in moving
    }  # fmt: skip
    known = {info.id: slot for slot, info in enumerate(lowered.slots) if info.kind in (*_STATE, "local parameter")}
    slot = known.get(id)
    if slot is None:
        near = difflib.get_close_matches(str(id), [str(name) for name in known], n=3, cutoff=0.5)
        expected = f"one of {', '.join(near)}" if near else "an id of the model"
        faults.append(Fault(where, "no such parameter, compartment, species or stoichiometry", expected))
    elif slot in ruled:
        faults.append(Fault(where, "an id that a rule computes", "an id that is not"))
    elif slot in fixed:
        faults.append(Fault(where, "a stoichiometry that is constant", "a parameter, compartment or species"))
    else:
        return slot
    return None


def _value(value: Any, lowered: Lowered, where: str, faults: list[Fault]) -> Expression | None:
    if isinstance(value, str):
        try:
            return formula(value, lowered)
        except infix.ExpressionError as error:
            found = f"{error.found!r}" if error.found else "the end"
            faults.append(Fault(f"{where}, {value!r}, character {error.at + 1}", found, error.expected))
            return None
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not isfinite(value):
        faults.append(Fault(where, repr(value)[:80], "a finite number, or a formula of the model's ids"))
        return None
    return Number(float(value))


def formula(text: str, lowered: Lowered) -> Expression:
    """A sum of the model's ids (species in amounts), `time` and numbers; raises `infix.ExpressionError`."""
    known = {info.id: slot for slot, info in enumerate(lowered.slots) if info.kind in (*_STATE, "local parameter")}
    late = [slot for slot, info in enumerate(lowered.slots) if info.id == START]
    now: Expression = Call("plus", (Time(), Slot(late[0]))) if late else Time()

    def read(text: str, at: int) -> tuple[Any, int]:
        if number := _DIGITS.match(text, at):
            return infix.Number(float(number.group())), number.end()
        word = _ID.match(text, at)
        name = word.group() if word else ""
        if word and name in known:
            return Slot(known[name]), word.end()
        if word and name == "time":
            return now, word.end()
        if word and name in _FUNCTIONS and text[word.end() :].lstrip()[:1] == "(":
            return infix.Function(name), word.end()
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        raise infix.ExpressionError(
            text, at, f"one of {', '.join(near)}" if near else "an id of the model, or a number"
        )

    grammar: infix.Grammar[Any] = infix.Grammar(read, "an id of the model, or a number", 200, 20)
    names = {"+": "plus", "-": "minus", "*": "times", "/": "divide", infix.NEGATE: "minus"}

    def leaf(node: Any) -> Expression:
        return Number(node.value) if isinstance(node, infix.Number) else node

    def apply(operation: infix.Operation[Any], parts: Sequence[Expression]) -> Expression:
        if operation.operator == "sqrt":
            return Call("power", (*parts, Number(0.5)))
        return Call(names.get(operation.operator, operation.operator), tuple(parts))

    return infix.evaluate(infix.parse_expression(text, grammar), leaf, apply)


# ---- the network on its timeline


def begun(ready: Prepared, start: Start) -> Prepared:
    """The model begun at its start: as it is, where that is 0 or no formula reads the time."""
    if start.time == 0.0 or not reads_time(ready.lowered):
        return ready
    return ready.rewritten("later", begun_later)


def start_values(lowered: Lowered, start: Start) -> dict[int, Any]:
    """What `senexo.engine.formula.evaluate.initial_values` overrides: the time of the start, and the former state."""
    found: dict[int, Any] = {slot: start.time for slot, info in enumerate(lowered.slots) if info.id == START}
    return found | {lowered.slot(id): values for id, values in (start.state or {}).items()}


def with_changes(ready: Prepared, changes: Sequence[ChangeAt]) -> Prepared:
    """The model with an event for every change."""
    return ready.rewritten(tuple(changes), lambda lowered: changed(lowered, changes)) if changes else ready


def as_left(ready: Prepared, start: Start, v0: Floats) -> list[tuple[Prepared, NDArray[np.int64]]]:
    """The model with its triggers as a former run left them, and the rows of v0 for which that is so."""
    rows = v0 if v0.ndim == 2 else v0[None]
    everyone = np.arange(len(rows))
    if start.state is None or not ready.lowered.events:
        return [(ready, everyone)]
    left = triggers(ready.lowered, rows)
    found = []
    for pattern in np.unique(left, axis=0):
        were = tuple(bool(one) for one in pattern)
        form = ready.rewritten(("left", were), lambda lowered, were=were: continued(lowered, were))  # type: ignore[misc]
        found.append((form, np.flatnonzero(np.all(left == pattern, axis=1))))
    return found


def described(start: Start, changes: Any, steady_state: bool) -> dict[str, Any]:
    """What `attrs` of a result say of it."""
    found: dict[str, Any] = {}
    if start.time != 0.0:
        found["start"] = start.time
    if start.state is not None:
        found["continued"] = "from a former result"
    if changes:
        items = changes.items() if isinstance(changes, Mapping) else changes
        found["changes"] = json.dumps(
            [[float(time), {id: _plain(v) for id, v in dict(w).items()}] for time, w in items]
        )
    if steady_state:
        found["steady_state"] = "the state in which the run comes to rest"
    return found


def _plain(value: float | str) -> float | str:
    return value if isinstance(value, str) else float(value)


def since(times: Floats, start: float) -> Floats:
    """Times counted from the start; the first is exactly 0 where it is the start."""
    return times - start if start != 0.0 else times


def counted_from(start: float, sentences: list[str]) -> list[str]:
    """Sentences of the engine, whose times count from the start, saying so."""
    if start == 0.0:
        return sentences
    return [f"{one} (times here count from the start, {start:g})" if " time " in one else one for one in sentences]


@contextlib.contextmanager
def errors_counted_from(start: float) -> Iterator[None]:
    """The same for the error of a run."""
    try:
        yield
    except SimulationError as error:
        raise SimulationError(counted_from(start, [str(error)])[0]) from None
