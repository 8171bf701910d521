"""The arms of a study: verbs resolved to actions, lists spelled out.

A list in place of one quantity is a ladder: one arm for each of its rungs, named ``family[rung]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from senexo.base.units import AMOUNT, shown
from senexo.study.actions import in_order, read_action, refuse_contradictions
from senexo.study.known import Known
from senexo.study.place import Place
from senexo.study.schema import Action, Arm
from senexo.study.verbs import UNTREATED, VERBS, Reader

RESOLVED = ("family", "agent", "dose_copies", "dose_label", "summary", "genotype", "schedule")
LADDERS = ("knock_down", "inhibit", "express", "set")  # besides the copies of a dose
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.+-]{0,59}(\[[^\[\]\"\\]{1,30}\])?", re.ASCII)
MOST_ARMS = 500


def read_arms(place: Place | None, known: Known | None, end_h: float | None) -> dict[str, Arm]:
    """All arms by name, ladders spelled out, in the file's order. `end_h`: the hour by which all must be done."""
    arms: dict[str, Arm] = {}
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
            for rung, made in _read_arm(name, arm, known, end_h):
                if rung in arms:
                    arm.fault("a name of its own", found=f"a second arm called {shown(rung)}")
                arms[rung] = made
        if len(arms) > MOST_ARMS:
            place.fault(f"at most {MOST_ARMS} arms, ladders spelled out", found=f"{len(arms)} or more")
            break
    return arms


def _read_arm(name: str, place: Place, known: Known | None, end_h: float | None) -> Iterator[tuple[str, Arm]]:
    if any(key in place.value for key in RESOLVED):
        yield name, _resolved_arm(name, place, known, end_h)
        return
    place.table(VERBS)
    ladders = [q for q in _quantities(place) if isinstance(q.value, list)]
    for extra in ladders[1:]:
        extra.fault(f"one list in an arm; {ladders[0].path} is one already", found="a second list")
    if not ladders:
        yield name, Reader(known, end_h).arm(name, place)
        return
    ladder = ladders[0]
    if "[" in name:
        ladder.fault("one value, since the arm is named as a rung", found="a list")
    labels: set[str] = set()
    for rung, _ in enumerate(ladder.listed("a list with at least one value")):
        if rung >= MOST_ARMS:
            ladder.fault(f"at most {MOST_ARMS} rungs", found=f"{len(ladder.value)} values")
            return
        reader = Reader(known, end_h, rung)
        arm = reader.arm(name, place)
        label = reader.label or str(rung)
        if label in labels:
            ladder.at(rung).fault("each value once")
        else:
            labels.add(label)
            yield f"{name}[{label}]", arm


def _quantities(place: Place) -> Iterator[Place]:
    """Every place of an arm where a list would be a ladder."""
    dose = place.get("dose")
    for entry in dose.elements() if dose else ():
        copies = entry.get("copies")
        if copies is not None:
            yield copies
    for verb in LADDERS:
        table = place.get(verb)
        for _, entry in table.items() if table else ():
            yield entry.get("value") or entry


def _resolved_arm(name: str, place: Place, known: Known | None, end_h: float | None) -> Arm:
    """An arm that is written as its actions already."""
    place.table(RESOLVED)
    texts = {
        key: below.text() for key in ("family", "agent", "dose_label", "summary") if (below := _filled(place, key))
    }
    copies = place.get("dose_copies")
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
    genotype, schedule = in_order(actions)
    return Arm(
        family=texts.get("family") or name,
        agent=texts.get("agent"),
        dose_copies=None if copies is None else copies.quantity(AMOUNT),
        dose_label=texts.get("dose_label") or "",
        summary=texts.get("summary") or UNTREATED,
        genotype=genotype,
        schedule=schedule,
    )


def _filled(place: Place, key: str) -> Place | None:
    below = place.get(key)
    return None if below is None or below.value == "" else below
