"""Doses of oligos into a body: amounts per weight or surface, and tables of records, as records in mg.

Records stay doses here. An experiment that has a body makes copies per cell of them, with the pharmacokinetics of each
sample (`senexo.lab.mouse.oligo`); the central value of the copies is a label, and what limits and cautions look at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from senexo.base.dose_records import DOSE, Event
from senexo.base.errors import Fault, InvalidInput
from senexo.base.units import shown
from senexo.study import agents, doses
from senexo.study.actions import changeable, grouped, number, when
from senexo.study.agents import BODIES, BodyName, milligrams
from senexo.study.cursor import Cursor
from senexo.study.event_table import read_events
from senexo.study.form import arms as form
from senexo.study.names import ModelNames
from senexo.study.regimen import NO_BODY, Regimen
from senexo.study.schema import BodyDose

AGENT: agents.Agent = "mimic"  # whose numbers every oligo of a circuit has
COMPARTMENTS = {"iv": 1, "ip": 2}


@dataclass(frozen=True, slots=True)
class Given:
    """What one entry of `dose` gives to a body: its records, and in words."""

    records: tuple[BodyDose, ...]
    words: str
    copies: float


def is_per_body(dose: form.Dose, amount: object) -> bool:
    """Whether a dose is one for a body; amount: as written, of a ladder the rung's."""
    written = isinstance(amount, str) and agents.BODY_DOSE.fullmatch(amount) is not None
    return written or dose.events is not None or dose.route is not None or dose.unit is not None


def of_amount(
    amount: str, given_at: Regimen, dose: form.Dose, targets: Sequence[str], body: BodyName, place: Cursor
) -> Given | None:
    """The records of a regimen whose every dose is an amount per weight or surface."""
    try:
        mg = milligrams(amount, BODIES[body], place.where)
    except InvalidInput as error:
        place.faults.extend(error.faults)
        return None
    if mg <= 0.0:
        place.fault('an amount above 0, e.g. "2 mg/kg"')
        return None
    more = {"ii": given_at.every_h, "addl": given_at.count - 1} if given_at.count > 1 else {}
    rate = mg / given_at.over_h if given_at.over_h else 0.0
    event = Event(given_at.at_h, amt=mg, rate=rate, **more)  # type: ignore[arg-type]
    return _given([event], dose, targets, given_at.words(" ".join(amount.split())), place)


def of_table(
    dose: form.Dose, targets: Sequence[str], body: BodyName, end_h: float | None, folder: Path, place: Cursor
) -> Given | None:
    """The records of a table of doses; a column that is none of NONMEM's is a fault."""
    assert dose.events is not None
    for key in ("at", "every", "count", "over"):
        if key in place:
            place.at(key).fault("either it or events: the table has times and amounts", found="both")
    unit = dose.unit or "mg"
    route = dose.route or "iv"
    entry = place.at("events")
    path = folder / dose.events
    if not path.is_file():
        entry.fault(f"a table of doses (CSV); there is none at {path}")
        return None
    try:
        subjects = read_events(path, n=COMPARTMENTS[route])
    except InvalidInput as error:
        place.faults.extend(Fault(f"{entry.where}: {one.where}", one.found, one.expected) for one in error.faults)
        return None
    if len(subjects) != 1:
        entry.fault("doses of one subject", found=f"{len(subjects)} subjects in column ID")
        return None
    events = next(iter(subjects.values()))
    late = max((event.time + event.addl * event.ii for event in events), default=0.0)
    if not events or min(event.time for event in events) < 0.0 or (end_h is not None and late >= end_h):
        found = "no record" if not events else f"records from {number(events[0].time)} h to {number(late)} h"
        entry.fault(f"doses from 0 h on and before the end of the culture ({when(end_h or 0.0)})", found=found)
        return None
    factor = 1.0 if unit == "mg" else milligrams(f"1 {unit}", BODIES[body])
    in_mg = [Event(e.time, e.evid, e.amt * factor, e.rate * factor, e.cmt, e.ii, e.addl, e.ss) for e in events]
    return _given(in_mg, dose, targets, f"{dose.what} as in {Path(dose.events).name} ({unit})", entry)


def _given(events: Sequence[Event], dose: form.Dose, targets: Sequence[str], words: str, place: Cursor) -> Given | None:
    route, what = dose.route or "iv", dose.what or ""
    records = tuple(
        BodyDose(
            of=what, targets=tuple(targets), route=route, time_h=e.time, evid=e.evid, amt_mg=e.amt,  # type: ignore[arg-type]
            rate_mg_h=e.rate, cmt=e.cmt, ii_h=e.ii, addl=e.addl, ss=e.ss,
        )
        for e in events
    )  # fmt: skip
    value, low, high = copies(records)
    largest = max((one.amt_mg for one in records), default=0.0)
    most = largest / total_mg(records) * value if largest else 0.0
    if most > doses.MAX_DOSE:
        place.fault(doses.EXPECTED, found=f"a dose of {most:,.0f} copies per cell")
        return None
    said = f"{words}, {route} (in all about {grouped(value)} active copies per cell; range {low:.1g} to {high:.1g})"
    return Given(records, said, value)


def total_mg(records: Iterable[BodyDose]) -> float:
    """All that is given, further doses (ADDL) counted."""
    return sum(one.amt_mg * (one.addl + 1) for one in records if one.evid in (DOSE, 4))


def copies(records: Sequence[BodyDose], body: BodyName = "mouse") -> tuple[float, float, float]:
    """Active copies per cell of all records once all of it has left the plasma: central value, and range.

    The value is whole. The range has all factors at one end of theirs.
    """
    known = agents.of(AGENT, body)
    absorbed = known["bioavailability"] if any(one.route == "ip" for one in records) else None
    found = []
    for end in ("value", "low", "high"):
        other = {"low": "high", "high": "low"}.get(end, end)
        numbers = {
            name: getattr(one, other if name in ("molar_mass", "marrow_cells") else end) for name, one in known.items()
        }
        share = 1.0 if absorbed is None else getattr(absorbed, end)
        found.append(total_mg(records) * agents.copies_per_mg(numbers) * share)
    return float(round(found[0])), found[1], found[2]


def read_resolved(
    written: Sequence[form.BodyDose | None], place: Cursor, names: ModelNames | None, body: BodyName | None
) -> tuple[BodyDose, ...]:
    """Records of a resolved study."""
    found = []
    for entry, one in zip(place.elements() if written else (), written, strict=True):
        if one is None or entry.has_fault():
            continue
        known = [changeable(entry.at("targets"), target, names) for target in one.targets or ()]
        if body is None:
            entry.fault(NO_BODY, found=f"a dose of {number(one.amt_mg or 0.0)} mg")
        elif all(known):
            found.append(BodyDose(**{name: value for name, value in one.model_dump().items() if value is not None}))
    return tuple(found)


def refuse_no_body(dose: form.Dose, amount: Cursor, place: Cursor) -> None:
    """The fault of a dose per body where there is none."""
    for key in ("events", "route", "unit"):
        if key in place:
            place.at(key).fault(NO_BODY, found=shown(getattr(dose, key)))
            return
    amount.fault(NO_BODY, found=shown(amount.value))


def check_keys(dose: form.Dose, amount: Cursor, place: Cursor) -> None:
    """Faults of keys that do not go together in a dose for a body."""
    if dose.events is not None:
        return
    if dose.unit is not None:
        place.at("unit").fault('it with events; an amount has its own unit, e.g. "2 mg/kg"')
    if not isinstance(amount.value, str) or agents.BODY_DOSE.fullmatch(amount.value) is None:
        amount.fault('an amount per weight or surface, e.g. "2 mg/kg" or "6 mg/m2", with a route')
