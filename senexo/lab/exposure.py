"""Exposure to an agent: concentration in plasma, hazard of cells that cycle, copies of a mimic in marrow cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import numpy as np
from numpy.typing import ArrayLike, NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.engine.pk.compartments import Compartments
from senexo.engine.pk.course import course
from senexo.engine.pk.events import Event
from senexo.lab.donors import donor_values
from senexo.study import agents
from senexo.study.agents import AGENTS, BODIES, DOSE_UNITS, Agent, BodyName, DoseUnit, Route, milligrams
from senexo.study.event_table import read_events

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
MOST_DRAWS, MOST_TIMES = 100_000, 1_000_000
BAND = (5.0, 95.0)  # percentiles


@dataclass(frozen=True, slots=True)
class Exposure:
    """What hosts are exposed to.

    Attributes
    ----------
    agent, body
        Whom it is about.
    times
        Hours [times].
    quantities
        Name -> values [hosts, times]; the first host has the central values of all numbers.
    """

    agent: Agent
    body: BodyName
    times: Floats
    quantities: Mapping[str, Floats]

    @property
    def table(self) -> pd.DataFrame:
        """A row for each time: the central values, and, where hosts were drawn, percentiles 5 and 95 over them."""
        import pandas as pd

        found: dict[str, Floats] = {"time_h": self.times}
        for name, values in self.quantities.items():
            found[name] = values[0]
            if len(values) > 1:
                low, high = np.percentile(values[1:], BAND, axis=0)
                found |= {f"{name}_p5": low, f"{name}_p95": high}
        return pd.DataFrame(found)

    def __str__(self) -> str:
        peak = int(np.argmax(self.quantities["concentration_uM"][0]))
        lines = [
            f"{self.agent} in a {self.body}: highest concentration {self._said('concentration_uM', peak)} uM at"
            f" {self.times[peak]:g} h; area under it by {self.times[-1]:g} h {self._said('area_uM_h', -1)} uM h."
        ]
        if "kill_per_d" in self.quantities:
            highest = int(np.argmax(self.quantities["kill_per_d"][0]))
            lines.append(f"Hazard of cycling cells: at most {self._said('kill_per_d', highest)} per day.")
        if "active_copies" in self.quantities:
            lines.append(f"Active copies per marrow cell that were given: {self._said('active_copies', -1)}.")
        if len(self.times) and len(next(iter(self.quantities.values()))) > 1:
            lines.append("In brackets: percentiles 5 and 95 over what is not known of the agent and the body.")
        return "\n".join(lines)

    def _said(self, name: str, place: int) -> str:
        values = self.quantities[name][:, place]
        if len(values) == 1:
            return f"{values[0]:.3g}"
        low, high = np.percentile(values[1:], BAND)
        return f"{values[0]:.3g} ({low:.2g} to {high:.2g})"


def exposure(
    events: Sequence[Event] | pd.DataFrame | str | Path, *, agent: Agent, body: BodyName = "patient",
    times: ArrayLike | None = None, unit: DoseUnit = "mg", draws: int = 0, seed: int = 0,
) -> Exposure:  # fmt: skip
    """The exposure of one subject to an agent.

    Parameters
    ----------
    events
        Records (`senexo.engine.pk.events.Event`), or a table of them, of one subject
        (`senexo.study.event_table.read_events`).
    agent
        "cytarabine", "daunorubicin", "doxorubicin" or "mimic".
    body
        "patient" (70 kg, 1.8 m2) or "mouse" (20 g).
    times
        Hours; by default 200 steps from the first record to five half-lives after the last dose.
    unit
        Of AMT, and with /h of RATE: "mg", "mg/kg" or "mg/m2".
    draws
        Hosts beside the central one, each with the agent's numbers drawn from their ranges by their laws.
    seed
        Of these draws.

    Returns
    -------
    Exposure
        concentration_mg_L, concentration_uM, area_uM_h; for a drug that kills kill_per_d (of cycling cells) and
        kill_resting_per_d; for the mimic active_copies, per marrow cell and summed since the first dose.

    Raises
    ------
    InvalidInput
        An unknown agent, body or unit, several subjects, or faulty records.

    Notes
    -----
    kill = kill_max C / (kill_ec50 + C), C the concentration in plasma. active_copies = (dose - what is in plasma) in
    molecules x marrow_share x uptake x endosomal_escape x active_share / cells of the marrow.

    Examples
    --------
    >>> found = exposure([Event(0.0, amt=360.0, rate=15.0)], agent="cytarabine", times=[24.0])
    >>> float(found.quantities["concentration_uM"][0, 0].round(2))
    0.26
    """
    faults = [
        Fault(name, repr(value), " or ".join(allowed))
        for name, value, allowed in (
            ("agent", agent, AGENTS),
            ("body", body, tuple(BODIES)),
            ("unit", unit, DOSE_UNITS),
        )
        if value not in allowed
    ]
    if not 0 <= draws <= MOST_DRAWS:
        faults.append(Fault("draws", str(draws), f"0 to {MOST_DRAWS:,}"))
    if faults:
        raise InvalidInput(faults)
    known = agents.of(agent, body)
    hosts = [{name: one.value for name, one in known.items()}]
    hosts += [donor_values(known, seed, number) for number in range(1, draws + 1)]
    value = {name: np.array([host[name] for host in hosts]) for name in known}
    compartments = compartments_of(agent, body, value)
    records = [_in_mg(event, unit, body) for event in _records(events)]
    at = usual_times(records, agent, body) if times is None else np.atleast_1d(np.asarray(times, dtype=float))
    if not 0 < at.size <= MOST_TIMES:
        raise InvalidInput([Fault("times", f"{at.size:,} times", f"1 to {MOST_TIMES:,}")])
    found = course(compartments, records, at)
    molar = 1e3 / value["molar_mass"][:, np.newaxis]
    quantities = {
        "concentration_mg_L": found.concentration,
        "concentration_uM": found.concentration * molar,
        "area_uM_h": found.exposure * molar,
    }
    if "kill_max" in known:
        kill = kill_per_day(quantities["concentration_uM"], value)
        quantities |= {"kill_per_d": kill, "kill_resting_per_d": value["kill_resting"][:, np.newaxis] * kill}
    if "marrow_share" in known:
        gone = found.exposure * np.asarray(compartments.clearance)[:, np.newaxis]  # mg that left the plasma
        per_mg = agents.copies_per_mg(value)
        quantities["active_copies"] = gone * per_mg[:, np.newaxis]
    return Exposure(agent, body, at, quantities)


def _records(events: Sequence[Event] | pd.DataFrame | str | Path) -> list[Event]:
    if isinstance(events, Sequence) and not isinstance(events, str):
        return list(events)
    subjects = read_events(events, n=1)
    if len(subjects) > 1:
        raise InvalidInput([Fault("events: column ID", f"{len(subjects)} subjects", "one; take the others out")])
    return next(iter(subjects.values()))


def _in_mg(event: Event, unit: str, body: BodyName) -> Event:
    factor = 1.0 if unit == "mg" else milligrams(f"1 {unit}", BODIES[body])
    return replace(event, amt=event.amt * factor, rate=event.rate * factor) if event.rate >= 0.0 else event


def compartments_of(agent: Agent, body: BodyName, value: Mapping[str, Floats], route: Route = "iv") -> Compartments:
    """The disposition of an agent in a body, of hosts with these numbers [hosts] of `agents.csv`; ip: of one host."""
    clearance = value["clearance"] * BODIES[body].size(agents.of(agent, body)["clearance"].unit)
    volume = clearance * value["half_life"] / log(2.0)
    match route:
        case "iv":
            return Compartments(clearance, volume)
        case "ip":
            share = float(value["bioavailability"][0])
            return Compartments(clearance, volume, absorption=value["absorption"], bioavailability=share)
        case _:
            assert_never(route)


def kill_per_day(concentration_uM: Floats, value: Mapping[str, Floats]) -> Floats:
    """Hazard of cycling cells [hosts, times] at concentrations [hosts, times], of hosts with these numbers [hosts]."""
    top, half = (value[f"kill_{name}"][:, np.newaxis] for name in ("max", "ec50"))
    return np.asarray(top * concentration_uM / (half + concentration_uM))


def usual_times(records: Sequence[Event], agent: Agent, body: BodyName, points: int = 201) -> Floats:
    """So many times from the first record to five half-lives after the last dose."""
    if not records:
        raise InvalidInput([Fault("events", "no record", "at least one, or times")])
    ends = [
        event.time + event.addl * event.ii + (event.amt / event.rate if event.rate > 0.0 else 0.0) for event in records
    ]
    return np.linspace(records[0].time, max(ends) + 5.0 * agents.of(agent, body)["half_life"].value, points)
