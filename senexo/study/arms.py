"""The arms of a study: verbs resolved to actions, lists spelled out.

A list in place of one quantity is a ladder: one arm for each of its rungs, named ``family[rung]``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from senexo.base.units import AMOUNT, shown
from senexo.study.actions import in_order, read_action, refuse_contradictions
from senexo.study.known import Known
from senexo.study.place import Place
from senexo.study.schema import Action, Arm
from senexo.study.verbs import UNTREATED, VERBS, Reader
from senexo.study.wells import WELL, branched, check_media, with_well

RESOLVED = ("family", "agent", "dose_copies", "dose_label", "summary", "genotype", "schedule")  # and WELL
LADDERS = ("knock_down", "inhibit", "express", "set")  # besides the copies of a dose
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.+-]{0,59}(\[[^\[\]\"\\]{1,30}\])?", re.ASCII)
MOST_ARMS = 500


def read_arms(
    place: Place | None, known: Known | None, end_h: float | None, types: Collection[str] = ()
) -> dict[str, Arm]:
    """All arms by name, ladders spelled out, in the file's order.

    end_h: the hour by which all must be done; types: the types of cells that may be in a well.
    """
    arms: dict[str, Arm] = {}
    places: dict[str, Place] = {}
    if place is None or not place.table(expected="a table of arms, e.g. [arms.mock]"):
        return arms
    if not place.value:
        place.fault("at least one arm, e.g. [arms.mock]", found="no arm")
    for name, arm in place.items():
        if not NAME.fullmatch(name):
            arm.fault(
                'a name of letters, digits, spaces and _ . + -, e.g. "mimic"', found=f"the arm name {shown(name)}"
            )
        elif arm.table():
            for rung, made in _read_arm(name, arm, known, end_h, types):
                if rung in arms:
                    arm.fault("a name of its own", found=f"a second arm called {shown(rung)}")
                arms[rung], places[rung] = made, arm
        if len(arms) > MOST_ARMS:
            place.fault(f"at most {MOST_ARMS} arms, ladders spelled out", found=f"{len(arms)} or more")
            break
    arms = branched(arms, places, end_h)
    check_media(arms, places)
    return arms


def _read_arm(
    name: str, place: Place, known: Known | None, end_h: float | None, types: Collection[str]
) -> Iterator[tuple[str, Arm]]:
    if any(key in place.value for key in RESOLVED):
        yield name, _resolved_arm(name, place, known, end_h, types)
        return
    place.table((*VERBS, *WELL))
    insert = place.get("insert")
    if insert is not None and not insert.table(("cells", *VERBS), expected="a table, e.g. { cells = { LSC = 200 } }"):
        return
    ladders = [q for q in _quantities(place) if isinstance(q.value, list)]
    for extra in ladders[1:]:
        extra.fault(f"one list in an arm; {ladders[0].path} is one already", found="a second list")

    def read(rung: int = 0) -> tuple[str, Arm]:
        reader = Reader(known, end_h, rung)
        arm, upper, label = reader.arm(name, place), None, reader.label
        if insert is not None:
            above = Reader(known, end_h, rung)
            upper = above.arm(name, insert)
            label = label or above.label
        return label, with_well(arm, place, known, end_h, types, upper)

    if not ladders:
        yield name, read()[1]
        return
    ladder = ladders[0]
    if "[" in name:
        ladder.fault("one value, since the arm is named as a rung", found="a list")
    labels: set[str] = set()
    for rung, _ in enumerate(ladder.listed("a list with at least one value")):
        if rung >= MOST_ARMS:
            ladder.fault(f"at most {MOST_ARMS} rungs", found=f"{len(ladder.value)} values")
            return
        label, arm = read(rung)
        label = label or str(rung)
        if label in labels:
            ladder.at(rung).fault("each value once")
        else:
            labels.add(label)
            yield f"{name}[{label}]", arm


def _quantities(place: Place) -> Iterator[Place]:
    """Every place of an arm, and of its insert, where a list would be a ladder."""
    insert, dose = place.get("insert"), place.get("dose")
    if insert is not None:
        yield from _quantities(insert)
    for entry in dose.elements() if dose else ():
        copies = entry.get("copies")
        if copies is not None:
            yield copies
    for verb in LADDERS:
        table = place.get(verb)
        for _, entry in table.items() if table else ():
            yield entry.get("value") or entry


def _resolved_arm(
    name: str, place: Place, known: Known | None, end_h: float | None, types: Collection[str]
) -> Arm:  # fmt: skip
    """An arm that is written as its actions already."""
    place.table((*RESOLVED, *(key for key in WELL if key != "branch")))
    texts = {
        key: below.text(most=2000 if key == "summary" else 500)
        for key in ("family", "agent", "dose_label", "summary")
        if (below := _filled(place, key))
    }
    copies = place.get("dose_copies")
    genotype, schedule = _resolved_actions(place, known, end_h)
    arm = Arm(
        family=texts.get("family") or name,
        agent=texts.get("agent"),
        dose_copies=None if copies is None else copies.quantity(AMOUNT),
        dose_label=texts.get("dose_label") or "",
        summary=texts.get("summary") or UNTREATED,
        genotype=genotype,
        schedule=schedule,
    )
    insert = place.get("insert")
    upper = None
    if insert is not None and insert.table(("cells", "genotype", "schedule")):
        above = _resolved_actions(insert, known, end_h)
        upper = arm.model_copy(update={"genotype": above[0], "schedule": above[1]})
    found = with_well(arm, place, known, end_h, types, upper)
    return found.model_copy(update={"summary": arm.summary})


def _resolved_actions(
    place: Place, known: Known | None, end_h: float | None
) -> tuple[tuple[Action, ...], tuple[Action, ...]]:
    """Genotype and schedule of a place that has them as lists of actions."""
    actions: list[Action] = []
    for key, timed in (("genotype", False), ("schedule", True)):
        below = place.get(key)
        for entry in below.elements() if below is not None and below.value != [] else ():
            action = read_action(entry, known, end_h)
            if action is not None and (action.time_h is not None) != timed:
                have, want = (
                    ("no time", "a time (at or time_h)") if timed else ("a time", "none: it acts from the start")
                )
                entry.fault(want, found=have)
            elif action is not None:
                actions.append(action)
    refuse_contradictions(place, actions)
    return in_order(actions)


def _filled(place: Place, key: str) -> Place | None:
    below = place.get(key)
    return None if below is None or below.value == "" else below
