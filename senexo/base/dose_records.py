"""Event records in NONMEM's words: what one says, and which cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from senexo.base.errors import Fault, InvalidInput

MOST_DOSES = 100_000
OBSERVATION, DOSE, OTHER, RESET, RESET_AND_DOSE = range(5)


@dataclass(frozen=True, slots=True)
class Event:
    """One record.

    Attributes
    ----------
    time
        TIME (h).
    evid
        EVID: 0 observation, 1 dose, 2 other (nothing happens), 3 reset, 4 reset and dose. A reset empties all
        compartments, ends infusions, and cancels doses that are still to come of records before it (ADDL, lag).
    amt, rate
        AMT (mg), and RATE of an infusion (mg/h; 0: a bolus). An infusion takes F AMT / RATE hours.
    cmt
        CMT, from 1; 0: the default, which is the depot where there is one, else the central compartment.
    ii, addl
        II (h) and ADDL: so many further doses, one every II hours.
    ss
        SS: 1 the state is that of doses every II hours for ever, 2 that state is added to what there is. Without AMT, a
        steady infusion at RATE up to this time, which then ends.
    """

    time: float
    evid: int = DOSE
    amt: float = 0.0
    rate: float = 0.0
    cmt: int = 0
    ii: float = 0.0
    addl: int = 0
    ss: int = 0

    @property
    def doses(self) -> bool:
        return self.evid in (DOSE, RESET_AND_DOSE)

    @property
    def resets(self) -> bool:
        return self.evid in (RESET, RESET_AND_DOSE)


def check_events(events: Sequence[Event], n: int, where: str = "events") -> None:
    """All faults of records for n compartments.

    Raises
    ------
    InvalidInput
        Each with the number of its record, from 1.
    """
    faults: list[Fault] = []
    before = float("-inf")
    for number, event in enumerate(events, start=1):
        at = f"{where}, record {number}"
        faults += list(_faults(event, n, at))
        if event.time < before:
            faults.append(Fault(f"{at}: TIME", f"{event.time:g} after {before:g}", "times that never go back"))
        before = max(before, event.time)
    if sum(event.addl + 1 for event in events if event.doses) > MOST_DOSES:
        faults.append(Fault(where, "more doses", f"at most {MOST_DOSES:,}, those of ADDL counted"))
    if faults:
        raise InvalidInput(faults)


def _faults(event: Event, n: int, at: str) -> Iterator[Fault]:
    if event.evid not in range(5):
        yield Fault(f"{at}: EVID", f"{event.evid}", "0, 1, 2, 3 or 4")
    numbers = {"AMT": event.amt, "RATE": event.rate, "II": event.ii, "ADDL": event.addl}
    if event.rate in (-1.0, -2.0):
        expected = "a rate (mg/h), or 0: a rate or a duration that a model defines (-1, -2) is not supported"
        yield Fault(f"{at}: RATE", f"{numbers.pop('RATE'):g}", expected)
    if not abs(event.time) < float("inf"):
        yield Fault(f"{at}: TIME", f"{event.time:g}", "a finite number")
    for name, value in numbers.items():
        if not 0.0 <= value < float("inf"):
            yield Fault(f"{at}: {name}", f"{value:g}", "a finite number from 0")
    if event.ss not in (0, 1, 2):
        yield Fault(f"{at}: SS", f"{event.ss}", "0, 1 or 2")
    if not 0 <= event.cmt <= n:
        yield Fault(f"{at}: CMT", f"{event.cmt}", f"1 to {n}, or 0 for the default")
    if not event.doses:
        given = [name for name in ("AMT", "RATE", "ADDL", "SS") if getattr(event, name.lower())]
        if given:
            yield Fault(f"{at}: {given[0]}", f"EVID {event.evid}", "EVID 1 or 4 for a dose")
        return
    constant = event.ss > 0 and event.amt == 0.0 and event.rate > 0.0
    if event.amt == 0.0 and not constant:
        yield Fault(f"{at}: AMT", "0", "an amount above 0 for a dose")
    if constant and (event.ii or event.addl):
        yield Fault(f"{at}: II", f"{event.ii:g}", "0 and no ADDL for a steady infusion (SS without AMT)")
    if (event.addl or (event.ss and not constant)) and not event.ii > 0.0:
        yield Fault(f"{at}: II", f"{event.ii:g}", "a time above 0 with ADDL or SS")
    if event.ii and not (event.addl or event.ss):
        yield Fault(f"{at}: II", f"{event.ii:g}", "ADDL or SS with it: an interval alone does nothing")
