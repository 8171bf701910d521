"""Doses of an oligo into a mouse as copies in its stem cells: plasma, marrow, uptake, escape, loading.

What leaves the plasma between two hours, times the share of it that becomes active copies, is added to every cell in
the middle between them, in whole copies. The numbers are those of the sample (`mimic_...`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np

from senexo.base.dose_records import Event
from senexo.engine.pk.course import course
from senexo.lab.exposure import compartments_of
from senexo.study import agents
from senexo.study.actions import in_order
from senexo.study.agents import Route
from senexo.study.body_doses import AGENT
from senexo.study.schema import Action, Arm, BodyDose

STEP_H = 2.0  # between additions of copies


def with_copies(arm: Arm, values: Mapping[str, float], end_h: float) -> Arm:
    """The arm with the copies that its doses become, up to an hour, in a sample with these numbers of the mouse."""
    if not arm.body_doses:
        return arm
    own = {name: np.array([values[f"{AGENT}_{name}"]]) for name in agents.of(AGENT, "mouse")}
    added = list(arm.schedule)
    for (_, route), records in groupby(
        sorted(arm.body_doses, key=lambda one: (one.of, one.route, one.time_h)), key=lambda one: (one.of, one.route)
    ):
        added += _added(list(records), route, own, end_h)
    return arm.model_copy(update={"schedule": in_order(added)[1]})


def _added(records: Sequence[BodyDose], route: Route, own: Mapping[str, np.ndarray], end_h: float) -> Iterator[Action]:
    """The additions of the records of one agent and route."""
    edges = np.append(np.arange(0.0, end_h, STEP_H), end_h)
    compartments = compartments_of(AGENT, "mouse", own, route)
    events = [
        Event(one.time_h, one.evid, one.amt_mg, one.rate_mg_h, one.cmt, one.ii_h, one.addl, one.ss) for one in records
    ]
    left = course(compartments, events, edges).exposure[0] * float(np.asarray(compartments.clearance)[0])  # mg
    whole = np.rint(left * float(agents.copies_per_mg(own)[0]))
    for hour, copies in zip(0.5 * (edges[1:] + edges[:-1]), np.diff(whole), strict=True):
        if copies > 0.0:
            for target in records[0].targets:
                yield Action(
                    time_h=float(hour), target=target, operation="add", value=float(copies), verb="dose",
                    of=records[0].of,
                )  # fmt: skip
