"""What a study says of wells whose cells share a medium: who is in them, whose medium they get, where they branch off.

cells       = { LSC = 200, MSC = 100 }                 # instead of the numbers of [cells]
insert      = { cells = { LSC = 200 }, dose = ... }    # upper half of a Transwell: cells, and any verb done there
medium_from = { arm = "mimic", taken = "2 d", share = "50 %", at = "0 h" }    # conditioned medium
branch      = { arm = "mimic", at = "3 d" }            # as that arm until then
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from senexo.base.units import SHARE, TIME, shown
from senexo.model.cell_types import INSERT
from senexo.study.actions import HOURS, hour_below, hour_of, in_order, number, refuse_contradictions, when
from senexo.study.known import Known
from senexo.study.place import Place, named
from senexo.study.schema import Action, Arm, Conditioned, Insert
from senexo.study.verbs import UNTREATED

WELL = ("cells", "insert", "medium_from", "branch")
MEDIUM_FROM = ("arm", "taken", "taken_h", "share", "at", "time_h")
BRANCH = ("arm", "at", "time_h")
MOST_CELLS = 100_000
ALONE = "a circuit whose cells share a medium (one with pools, e.g. mir34c-rab27b-cells)"


def coupled(place: Place, known: Known | None) -> bool:
    """Whether cells share a medium; a fault at `place` when they do not."""
    if known is not None and not (known.circuit and known.circuit.pools):
        place.fault(ALONE, found="cells that are each alone")
        return False
    return True


def read_numbers(place: Place | None, known: Known | None, types: Collection[str]) -> dict[str, int]:
    """Cells of each type: types of [cells] alone, since their variation is told there."""
    found: dict[str, int] = {}
    if place is None or not coupled(place, known) or not place.table(expected="a table, e.g. { LSC = 200 }"):
        return found
    if not place.value:
        place.fault("at least one type with its number, e.g. { LSC = 200 }", found="no cells")
    for name, entry in place.items():
        if types and name not in types:
            entry.fault(named(name, types, "types in [cells]"), found=f"the cell type {shown(name)}")
        n = entry.whole(0, MOST_CELLS, 100)
        if n is not None:
            found[name] = n
    return dict(sorted(found.items()))


def types_in(arms: Mapping[str, Arm], types: Iterable[str]) -> list[str]:
    """The types that a study's wells begin with, those in inserts under names of their own."""
    above = {INSERT + name for arm in arms.values() if arm.insert for name in arm.insert.cells}
    return [*types, *sorted(above)]


def read_insert(place: Place, known: Known | None, types: Collection[str], above: Arm) -> Insert | None:
    """The upper half of a Transwell; `above` is what its verbs say."""
    if not coupled(place, known):
        return None
    if known is not None and known.circuit is not None and not known.circuit.transwell:
        place.fault("a circuit that knows a second half (transwell in circuit.toml)", found=known.circuit.name)
    if place.get("cells") is None:
        place.fault("the key cells, e.g. { LSC = 200 }", found="no cells")
    numbers = read_numbers(place.get("cells"), known, types)
    return Insert(cells=numbers, genotype=above.genotype, schedule=above.schedule)


def read_medium_from(place: Place | None, known: Known | None, end_h: float | None) -> tuple[Conditioned, ...]:
    """Conditioned medium, in the order it is poured; its arms are checked when all are known."""
    found: list[Conditioned] = []
    expected = 'a table, e.g. { arm = "mimic", taken = "2 d", at = "0 h" }'
    for entry in place.elements() if place is not None and coupled(place, known) else ():
        if not entry.table(MEDIUM_FROM, expected=expected):
            continue
        arm, taken, taken_h, share = (entry.get(key) for key in ("arm", "taken", "taken_h", "share"))
        if arm is None or (taken is None) == (taken_h is None):
            entry.fault("the keys arm and taken", found="no arm" if arm is None else "not one time")
            continue
        name = arm.text("the name of an arm")
        hour = taken.quantity(TIME) if taken else taken_h.quantity(HOURS) if taken_h else None
        if hour is not None and end_h is not None and hour > end_h:
            (taken or taken_h or entry).fault(f"a time within the culture ({when(end_h)})")
        part = 1.0 if share is None else share.quantity(SHARE)
        given = hour_below(entry, end_h)
        if name is not None and hour is not None and part is not None:
            found.append(Conditioned(arm=name, taken_h=hour, share=part, time_h=given or 0.0))
    return tuple(sorted(found, key=lambda c: (c.time_h, c.arm, c.taken_h, c.share)))


def with_well(arm: Arm, place: Place, known: Known | None, end_h: float | None, types: Collection[str],
              upper: Arm | None) -> Arm:  # fmt: skip
    """An arm with who is in its well, what is above it, and whose medium it gets."""
    cells, insert = place.get("cells"), place.get("insert")
    numbers = read_numbers(cells, known, types)
    above = read_insert(insert, known, types, upper) if insert is not None and upper is not None else None
    media = read_medium_from(place.get("medium_from"), known, end_h)
    words = [] if arm.summary == UNTREATED else [arm.summary]
    if numbers:
        words.insert(0, _crowd(numbers))
    words += [
        f"{number(100 * m.share)} % of the medium of {m.arm} at {when(m.taken_h)} poured in at {when(m.time_h)}"
        for m in media
    ]
    if above is not None and upper is not None:
        done = "" if upper.summary == UNTREATED else f" ({upper.summary})"
        words.append(f"in the insert {_crowd(above.cells)}{done}")
    labels = {} if upper is None or arm.agent else {key: getattr(upper, key) for key in ("agent", "dose_copies")}
    if upper is not None and not arm.dose_label:
        labels["dose_label"] = upper.dose_label
    return arm.model_copy(
        update={
            "cells": numbers, "insert": above, "medium_from": media, "summary": "; ".join(words) or UNTREATED, **labels
        }
    )  # fmt: skip


def branched(arms: Mapping[str, Arm], places: Mapping[str, Place], end_h: float | None) -> dict[str, Arm]:
    """Every arm that branches off another one with that one's past put before its own deeds."""
    asked = {name: below for name, place in places.items() if (below := place.get("branch")) is not None}
    made = {name: arm for name, arm in arms.items() if name not in asked}
    waiting = dict(asked)
    while waiting:
        ready = [name for name, place in waiting.items() if _named(place) in made or _named(place) not in arms]
        for name in ready or waiting:
            place = waiting[name]
            if not ready:
                place.fault("an arm that does not branch off this one in turn", found="a circle of branches")
            made[name] = _branch(arms[name], place, made, list(arms), end_h)
        waiting = {name: place for name, place in waiting.items() if name not in made}
    return {name: made[name] for name in arms}


def check_media(arms: Mapping[str, Arm], places: Mapping[str, Place]) -> None:
    """Every arm that gives medium must be there, and no well may wait for its own."""
    for name, arm in arms.items():
        place = places[name]
        entry = place.get("medium_from") or place
        for medium in arm.medium_from:
            if medium.arm not in arms:
                entry.fault(named(medium.arm, arms, "arms"), found=f"medium of the arm {shown(medium.arm)}")
        before, ahead = set[str](), [m.arm for m in arm.medium_from]
        while ahead:
            giver = ahead.pop()
            if giver not in before and giver in arms:
                before.add(giver)
                ahead += [m.arm for m in arms[giver].medium_from]
        if name in before:
            entry.fault("medium of an arm that does not wait for this one", found="a circle of media")


def _named(place: Place) -> str:
    below = place.get("arm")
    return below.value if below is not None and isinstance(below.value, str) else ""


def _branch(arm: Arm, place: Place, made: Mapping[str, Arm], names: list[str], end_h: float | None) -> Arm:
    if not place.table(BRANCH, expected='a table, e.g. { arm = "mimic", at = "3 d" }'):
        return arm
    source, at = place.get("arm"), place.get("at")
    time_h = place.get("time_h")
    if source is None or (at is None) == (time_h is None):
        place.fault("the keys arm and at", found="no arm" if source is None else "not one time")
        return arm
    hour = hour_of(at, end_h) if at is not None else hour_of(time_h, end_h, HOURS) if time_h is not None else None
    if source.value not in made:
        if source.value not in names:
            source.fault(named(source.value, names, "arms"))
        return arm
    if hour is None:
        return arm
    past = made[source.value]
    upper = arm.insert
    early = [a for a in (*arm.genotype, *arm.schedule) if a.time_h is None or a.time_h < hour]
    if early or arm.cells or upper is not None or any(m.time_h < hour for m in arm.medium_from):
        found = f"{early[0].verb} {early[0].of} before {when(hour)}" if early else "what is older than the branch"
        place.fault(f"deeds from {when(hour)} on: until then this arm is {source.value}", found=found)
        return arm
    actions = [*_until(past.schedule, hour), *arm.schedule]
    refuse_contradictions(place, actions)
    above = past.insert
    return arm.model_copy(
        update={
            "cells": past.cells,
            "genotype": past.genotype,
            "schedule": in_order(actions)[1],
            "insert": above and above.model_copy(update={"schedule": tuple(_until(above.schedule, hour))}),
            "medium_from": (*(m for m in past.medium_from if m.time_h < hour), *arm.medium_from),
            "agent": arm.agent or past.agent,
            "dose_copies": past.dose_copies if arm.dose_copies is None else arm.dose_copies,
            "dose_label": arm.dose_label or past.dose_label,
            "summary": f"as {source.value} until {when(hour)}, then {arm.summary}",
        }
    )


def _until(actions: Collection[Action], hour: float) -> list[Action]:
    return [a for a in actions if a.time_h is not None and a.time_h < hour]


def _crowd(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in numbers.items())
