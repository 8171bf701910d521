"""What event records in NONMEM's words do to compartments: boluses, infusions, resets, steady states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from senexo.base.dose_records import Event, check_events
from senexo.base.errors import Fault, InvalidInput

__all__ = ["Act", "Event", "acts", "check_events"]


@dataclass(frozen=True, slots=True)
class Act:
    """What happens at a time (h): `kind`, the compartment (from 1), an amount (mg) or a rate (mg/h).

    reset: of all compartments. bolus: an amount. start, stop: of an infusion, by its key. steady: the state of a
    periodic dose takes the place of what there is, or (joins) is added to it.
    """

    time: float
    kind: Literal["reset", "steady", "stop", "bolus", "start"]
    compartment: int = 0
    amount: float = 0.0
    rate: float = 0.0
    key: int = -1
    ii: float = 0.0
    lag: float = 0.0
    joins: bool = False


_ORDER = {"stop": 0, "reset": 1, "steady": 2, "bolus": 3, "start": 4}


def acts(events: Sequence[Event], arrives: Sequence[tuple[float, float]], default: int) -> list[Act]:
    """What the records do, in time; `arrives`: of each compartment the share of a dose that does, and its lag."""
    found: list[Act] = []
    key = 0
    for event in events:
        if event.resets:
            found = [*_up_to(found, event.time), Act(event.time, "reset")]
        if not event.doses:
            continue
        compartment = event.cmt or default
        share, lag = arrives[compartment - 1]
        amount = share * event.amt
        if event.ss:
            if event.ss == 1:  # as a reset
                found = _up_to(found, event.time)
            if event.ii and lag >= event.ii:
                raise InvalidInput([Fault("SS", f"a lag of {lag:g} h", f"a lag below II ({event.ii:g} h)")])
            found.append(Act(event.time, "steady", compartment, amount, event.rate, ii=event.ii, lag=lag,
                             joins=event.ss == 2))  # fmt: skip
            if event.rate and event.amt:  # earlier infusions of the series that still run
                for end in _still_running(event, amount / event.rate, lag):
                    found += [
                        Act(event.time, "start", compartment, rate=event.rate, key=key),
                        Act(end, "stop", key=key),
                    ]
                    key += 1
        if event.amt == 0.0:
            continue
        for number in range(event.addl + 1):
            begin = event.time + lag + number * event.ii
            if event.rate:
                found += [Act(begin, "start", compartment, rate=event.rate, key=key),
                          Act(begin + amount / event.rate, "stop", key=key)]  # fmt: skip
                key += 1
            else:
                found.append(Act(begin, "bolus", compartment, amount))
    return sorted(found, key=lambda act: (act.time, _ORDER[act.kind]))


def _up_to(found: Sequence[Act], time: float) -> list[Act]:
    """What happened before a reset: what is to come is cancelled, and what happened at its time is undone by it."""
    return [act for act in found if act.time < time]


def _still_running(event: Event, duration: float, lag: float) -> Iterator[float]:
    """Ends of the infusions of a steady series that began before the record and end after it."""
    end = event.time + lag + duration - event.ii
    while end > event.time:
        yield end
        end -= event.ii
