"""How cells are cultured: how long, in what medium, and, where they share it, how they are simulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from senexo.base.errors import InvalidInput
from senexo.study import methods
from senexo.study.actions import either
from senexo.study.claims import Vocabulary, parse_claim
from senexo.study.cursor import Cursor
from senexo.study.form import culture as form
from senexo.study.form.kinds import DEFAULT_RARE_CELLS, DEFAULT_WELL_CAPACITY, DEFAULT_WINDOW_H
from senexo.study.names import ModelNames
from senexo.study.requests import Reads
from senexo.study.schema import Action, Arm, CultureSettings
from senexo.study.wells import coupled

NO_RULE = "none: this model has no fates"
# keys of cells that share their medium
OF_COUPLED = ("method", "window", "window_h", "most_cells", "rare_cells", "window_check_wells")
MAX_CHECKED, CHECKED_SHARE = 8, 4  # wells of the window check where nothing is said: at most 8, and one in 4 of all
MIN_CHECKED = 3  # wells that an interval needs


def read_culture(culture: form.Culture, place: Cursor, names: ModelNames | None) -> CultureSettings | None:
    """Duration, medium and settling time, with the circuit's own settling time and medium by default."""
    circuit = names.circuit if names else None
    end = culture.duration if culture.duration is not None else culture.duration_h
    settled, _ = either(culture, place, "preequilibration", "preequilibration_h")
    if settled is None:
        settled = circuit.preequilibration_h if circuit else 0.0
    medium: list[Action] = []
    serum, below = either(culture, place, "serum", "serum_percent")
    serum = _medium("serum", serum, below, names, medium)
    factors = _medium("growth_factors", culture.growth_factors, place.at("growth_factors"), names, medium)
    rule = culture.commitment_rule or (circuit.growth_rule if circuit else NO_RULE)
    followed = _followed(culture, place, names)
    wells: Any = culture.wells
    if culture.wells is not None and names is not None and names.shares_a_medium:
        place.at("wells").fault("no such key: coupled cells are plated anew in every well", found=f'"{culture.wells}"')
    if end is None:
        return None
    return CultureSettings(
        duration_h=end, serum_percent=serum, growth_factors=factors, preequilibration_h=settled, commitment_rule=rule,
        medium=tuple(medium), wells=wells, **followed,
    )  # fmt: skip


def check_stop(text: str | None, place: Cursor, reads: Reads, types: Sequence[str], names: ModelNames | None) -> None:
    """Every name in the condition that ends a well must be there."""
    if text is None or not coupled(place, names):
        return
    vocabulary = Vocabulary(readouts=reads.names, cell_types=types or None, now=True)
    try:
        parse_claim(text, vocabulary, where=place.where)
    except InvalidInput as error:
        place.faults.extend(error.faults)


def window_check_wells(wanted: int | None, place: Cursor, culture: CultureSettings, wells: int | None) -> int | None:
    """How many of a study's wells are simulated again with half the window; None where no well has a window."""
    windowed = culture.method is not None and methods.METHODS[culture.method].windowed
    if wells is None:
        return None
    if wanted is None:
        some = min(MAX_CHECKED, wells // CHECKED_SHARE)
        return (some if some >= MIN_CHECKED else 0) if windowed else None
    if not windowed:
        place.fault(f"no such key: the method {culture.method} has no window")
    elif not (wanted == 0 or MIN_CHECKED <= wanted <= wells):
        place.fault(f"0, or {MIN_CHECKED} and more of the {wells} wells (arms x donors)")
    return wanted


def refuse_lost(top: Cursor, arms: Mapping[str, Arm], culture: CultureSettings) -> None:
    """The medium is made after the genotype, so a genotype cannot set what the medium sets."""
    medium = {action.target: action.of for action in culture.medium}
    for name, arm in arms.items():
        for action in (*arm.genotype, *(arm.insert.genotype if arm.insert else ())):
            if action.target in medium:
                expected = f"{medium[action.target]} (culture.{medium[action.target]}, or with a time)"
                top.at("arms").at(name).fault(expected, found=f"{action.target} set from the start")


def _followed(culture: form.Culture, place: Cursor, names: ModelNames | None) -> dict[str, Any]:
    """Method, window and size of a well, with their defaults; nothing of it where every cell is alone."""
    for key in OF_COUPLED:
        if key in place:
            coupled(place.at(key), names)
    window, _ = either(culture, place, "window", "window_h")
    if names is None or not names.shares_a_medium:
        return {}
    return {
        "method": culture.method or methods.DEFAULT,
        "window_h": DEFAULT_WINDOW_H if window is None else window,
        "most_cells": culture.most_cells or DEFAULT_WELL_CAPACITY,
        "rare_cells": culture.rare_cells or DEFAULT_RARE_CELLS,
    }


def _medium(
    what: str, wanted: float | None, place: Cursor, names: ModelNames | None, made: list[Action]
) -> float | None:
    """What the medium holds of one thing, by default what the circuit itself starts with; its actions go to `made`."""
    handles = names.handles("change", what) if names else []
    if wanted is not None and names is not None and not handles:
        place.fault(f"no {what.replace('_', ' ')}: this model has no handle for it (set its quantity in the arms)")
    value = wanted if wanted is not None or names is None or not handles else names.changeable[handles[0].target]
    if value is not None:
        made += [
            Action(target=h.target, operation=h.operation, value=h.number(value), verb=h.verb, of=h.name)  # type: ignore[arg-type]
            for h in handles
        ]
    return value
