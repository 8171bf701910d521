"""How cells are cultured: how long, in what medium, and, where they share it, how they are followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from senexo.base.errors import Fault, InvalidInput
from senexo.base.units import AMOUNT, PERCENT, SPAN, TIME, Kind
from senexo.study import methods
from senexo.study.actions import HOURS
from senexo.study.claims import MAX_LENGTH, Vocabulary, parse_claim
from senexo.study.known import Known
from senexo.study.place import Place
from senexo.study.requests import STEP, STEP_H, either
from senexo.study.schema import Action, Arm, Culture, Readouts
from senexo.study.wells import coupled

CULTURE = (
    "duration", "duration_h", "serum", "serum_percent", "growth_factors", "preequilibration", "preequilibration_h",
    "commitment_rule", "method", "window", "window_h", "most_cells", "rare_cells", "halving", "stop_when",
)  # fmt: skip
SPAN_H = Kind("hour", "hours above 0, e.g. 168.0", low=SPAN.low, high=SPAN.high, bare=True)
PERCENT_H = Kind("percent", "percent from 0 to 100, e.g. 20.0", high=100.0, bare=True)
NO_RULE = "none: this model has no fates"
WINDOW_H = 0.25  # the pools' errors at it: docs/engine.md
MOST_CELLS, RARE_CELLS, LARGEST_WELL = 20_000, 50, 10_000_000
HALVED, HALVED_OF = 8, 4  # wells grown again with half the window where nothing is said; at most one of so many
FEWEST_HALVED = 3  # wells that an interval asks for


def read_culture(place: Place | None, known: Known | None) -> Culture | None:
    """Duration, medium and settling time, with the circuit's own settling time and medium by default."""
    if place is None or not place.table(CULTURE):
        return None
    circuit = known.circuit if known else None
    duration = either(place, ("duration", SPAN), ("duration_h", SPAN_H))
    if duration is None:
        place.fault('the key duration, e.g. "7 d"', found="no duration")
    end = duration[0].quantity(duration[1]) if duration else None
    settle = either(place, ("preequilibration", TIME), ("preequilibration_h", HOURS))
    settled = settle[0].quantity(settle[1]) if settle else circuit.preequilibration_h if circuit else 0.0
    rule = place.get("commitment_rule")
    medium: list[Action] = []
    serum = _medium(place, known, "serum", ("serum", PERCENT), ("serum_percent", PERCENT_H), medium)
    factors = _medium(place, known, "growth_factors", ("growth_factors", AMOUNT), ("", AMOUNT), medium)
    words = rule.text(most=2000) if rule else circuit.growth_rule if circuit else NO_RULE
    followed = _followed(place, known)
    if end is None or settled is None or words is None or followed is None:
        return None
    return Culture(
        duration_h=end, serum_percent=serum, growth_factors=factors, preequilibration_h=settled, commitment_rule=words,
        medium=tuple(medium), **followed,
    )  # fmt: skip


def stopping(place: Place | None, readouts: Readouts | None, types: Sequence[str], known: Known | None) -> str | None:
    """The condition that ends a well; every name in it must be there."""
    below = place.get("stop_when") if place is not None else None
    text = below.text(most=MAX_LENGTH) if below is not None and coupled(below, known) else None
    if below is None or text is None:
        return None
    vocabulary = Vocabulary(readouts=readouts.names if readouts else None, cell_types=types or None, now=True)
    try:
        parse_claim(text, vocabulary, where=f"{below.file}: {below.path}")
    except InvalidInput as error:
        below.faults.extend(error.faults)
    return text


def halved_wells(place: Place | None, culture: Culture, wells: int) -> int | None:
    """How many of a study's wells are grown again with half the window; None where no well has a window."""
    below = place.get("halving") if place is not None else None
    if below is None:
        some = min(HALVED, wells // HALVED_OF)
        return (some if some >= FEWEST_HALVED else 0) if _windowed(culture) else None
    if not _windowed(culture):
        below.fault(f"no halving: by {culture.method} there is no window")
        return None
    number = below.whole(0, max(wells, FEWEST_HALVED), HALVED)
    if number is not None and not (number == 0 or FEWEST_HALVED <= number <= wells):
        below.fault(f"0, or {FEWEST_HALVED} and more of the {wells} wells (arms x donors)")
    return number


def _windowed(culture: Culture) -> bool:
    return culture.method is not None and methods.METHODS[culture.method].windowed


def refuse_lost(top: Place, arms: Mapping[str, Arm], culture: Culture) -> None:
    """The medium is made after the genotype, so a genotype cannot set what the medium sets."""
    medium = {action.target: action.of for action in culture.medium}
    for name, arm in arms.items():
        for action in (*arm.genotype, *(arm.insert.genotype if arm.insert else ())):
            if action.target in medium:
                where = f"{top.file}: arms.{name}"
                expected = f"{medium[action.target]} (culture.{medium[action.target]}, or with a time)"
                top.faults.append(Fault(where, f"{action.target} set from the start", expected))


def _followed(place: Place, known: Known | None) -> dict[str, Any] | None:
    """Method, window and size of a well, with their defaults; nothing of it where every cell is alone."""
    method, most, halving = place.get("method"), place.get("most_cells"), place.get("halving")
    rare = place.get("rare_cells")
    window = either(place, ("window", STEP), ("window_h", STEP_H))
    asked = [below for below in (method, most, rare, halving, window and window[0]) if below is not None]
    alone = [below for below in asked if not coupled(below, known)]
    if alone:
        return None
    if known is None or known.circuit is None or not known.circuit.pools:
        return {}
    found: dict[str, Any] = {
        "method": methods.DEFAULT if method is None else method.one_of(methods.NAMES, "methods"),
        "window_h": WINDOW_H if window is None else window[0].quantity(window[1]),
        "most_cells": MOST_CELLS if most is None else most.whole(2, LARGEST_WELL, MOST_CELLS),
        "rare_cells": RARE_CELLS if rare is None else rare.whole(1, LARGEST_WELL, RARE_CELLS),
    }
    return None if None in found.values() else found


def _medium(
    place: Place, known: Known | None, name: str, short: tuple[str, Kind], full: tuple[str, Kind], made: list[Action]
) -> float | None:
    """What the medium holds of one thing, by default what the circuit itself starts with; its actions go to `made`."""
    asked = either(place, short, full)
    handles = known.handles("change", name) if known else []
    value: float | None
    if asked is not None:
        value = asked[0].quantity(asked[1])
        if known is not None and not handles:
            asked[0].fault(
                f"no {name.replace('_', ' ')}: this model has no handle for it (set its quantity in the arms)"
            )
    else:
        value = known.changeable[handles[0].target] if known and handles else None
    if value is not None:
        made += [
            Action(target=h.target, operation=h.operation, value=h.number(value), verb=h.verb, of=h.name)  # type: ignore[arg-type]
            for h in handles
        ]
    return value
