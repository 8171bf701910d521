"""Exact courses: between two events the amounts, the exposure and the rates of infusion are one matrix exponential."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.engine.pk.compartments import Compartments, in_order
from senexo.engine.pk.events import Act, Event, acts, check_events

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Course:
    """Amounts and concentrations at some times.

    Attributes
    ----------
    times
        In hours [times].
    amounts
        In mg [hosts, times, compartments]; at the time of a dose they hold it.
    concentration
        Of the central compartment, in mg/L [hosts, times].
    exposure
        Area under the concentration from the first event or time on, in mg h/L [hosts, times].
    """

    times: Floats
    amounts: Floats
    concentration: Floats
    exposure: Floats


def course(compartments: Compartments, events: Sequence[Event], times: ArrayLike) -> Course:
    """Amounts, concentrations and exposure at some times under event records.

    Parameters
    ----------
    compartments
        Of one host or many.
    events
        Records in time.
    times
        Hours, never going back; from any time, before the first record the compartments are empty.

    Returns
    -------
    Course

    Raises
    ------
    InvalidInput
        For faulty records or times.

    Notes
    -----
    x' = A x + r is solved exactly: amounts x, the area under the concentration and the infusion rates r are one linear
    system, whose exponential is computed by scaling and squaring (doi 10.1137/09074721X). A steady state of doses every
    tau hours solves x = exp(A tau) x + f, f what one interval adds.

    Examples
    --------
    >>> iv = Compartments(clearance=2.0, volume=10.0)
    >>> found = course(iv, [Event(0.0, amt=100.0)], [0.0, 5.0])
    >>> found.concentration.round(4).tolist()
    [[10.0, 3.6788]]
    """
    at = np.atleast_1d(np.asarray(times, dtype=float))
    if at.ndim != 1 or not np.isfinite(at).all() or not in_order(at):
        raise InvalidInput([Fault("times", str(times)[:80], "finite hours that never go back")])
    check_events(events, compartments.n)
    arrives = [compartments.arrives(number) for number in range(1, compartments.n + 1)]
    return _Solution(compartments).run(acts(events, arrives, default=1), at)


class _Solution:
    """The state z = (amounts, exposure, infusion rates) of all hosts, and its exact steps."""

    def __init__(self, compartments: Compartments) -> None:
        self.compartments, n = compartments, compartments.n
        self.n, self.matrix = n, compartments.matrix()
        self.generator = np.zeros((compartments.hosts, 2 * n + 1, 2 * n + 1))
        self.generator[:, :n, :n] = self.matrix
        self.generator[:, n, compartments.central - 1] = 1.0 / np.asarray(compartments.volume)
        self.generator[:, :n, n + 1 :] = np.eye(n)
        self.steps: dict[float, Floats] = {}

    def run(self, todo: Sequence[Act], times: Floats) -> Course:
        state = np.zeros((self.compartments.hosts, 2 * self.n + 1))
        running: dict[int, Act] = {}
        amounts = np.zeros((len(state), len(times), self.n))
        exposure = np.zeros((len(state), len(times)))
        now, waiting = min([act.time for act in todo[:1]] + times[:1].tolist(), default=0.0), list(reversed(todo))
        for place, time in enumerate(times.tolist()):
            while waiting and waiting[-1].time <= time:
                act = waiting.pop()
                state, now = self.after(state, act.time - now), act.time
                self.do(act, state, running)
            state, now = self.after(state, time - now), time
            amounts[:, place], exposure[:, place] = state[:, : self.n], state[:, self.n]
        central = amounts[:, :, self.compartments.central - 1]
        volume = np.broadcast_to(np.asarray(self.compartments.volume, dtype=float), len(state))
        return Course(times, amounts, central / volume[:, np.newaxis], exposure)

    def do(self, act: Act, state: Floats, running: dict[int, Act]) -> None:
        """Change the state, in place."""
        match act.kind:
            case "reset":
                state[:, : self.n] = 0.0
                running.clear()
            case "bolus":
                state[:, act.compartment - 1] += act.amount
            case "start":
                running[act.key] = act
            case "stop":
                running.pop(act.key, None)
            case "steady":
                if not act.joins:
                    state[:, : self.n] = 0.0
                    running.clear()
                state[:, : self.n] += self.steady(act)
        rates = np.zeros(self.n)  # summed anew, so that what is off is exactly 0
        for one in running.values():
            rates[one.compartment - 1] += one.rate
        state[:, self.n + 1 :] = rates

    def after(self, state: Floats, hours: float) -> Floats:
        """The state so much later."""
        if hours <= 0.0:
            return state
        if hours not in self.steps:
            from scipy.linalg import expm

            if len(self.steps) >= 256:  # of steps of many lengths few come back
                self.steps.clear()
            self.steps[hours] = expm(self.generator * hours)
        return np.asarray(np.einsum("hij,hj->hi", self.steps[hours], state))

    def steady(self, act: Act) -> Floats:
        """Amounts [hosts, n] of a series of doses without beginning, just before the dose of the record."""
        unit = np.zeros(self.n)
        unit[act.compartment - 1] = 1.0
        if not act.ii:  # an infusion without beginning
            return np.asarray(np.linalg.solve(self.matrix, (-act.rate * unit)[:, np.newaxis])[..., 0])
        # amounts just after a dose is begun, at the beginning of an interval
        begun: Floats = self._interval(act, np.zeros((len(self.matrix), self.n)), unit, act.ii)
        if not act.rate:
            begun = begun + act.amount * unit
        identity = np.eye(self.n) - self._amounts_step(act.ii)
        begun = np.asarray(np.linalg.solve(identity, begun[..., np.newaxis])[..., 0])
        phase = act.ii - act.lag  # the dose of the record comes a lag after it
        return self._interval(act, begun, unit, phase)

    def _interval(self, act: Act, amounts: Floats, unit: Floats, hours: float) -> Floats:
        """Amounts so many hours after the beginning of an interval, with the infusions of the series."""
        state = np.zeros((len(amounts), 2 * self.n + 1))
        state[:, : self.n] = amounts
        if not act.rate:
            return self.after(state, hours)[:, : self.n]
        whole, rest = divmod(act.amount / act.rate, act.ii)
        state[:, self.n + 1 :] = (whole + 1.0) * act.rate * unit
        state = self.after(state, min(rest, hours))
        state[:, self.n + 1 :] = whole * act.rate * unit
        return self.after(state, hours - min(rest, hours))[:, : self.n]

    def _amounts_step(self, hours: float) -> Floats:
        self.after(np.zeros((len(self.matrix), 2 * self.n + 1)), hours)
        return self.steps[hours][:, : self.n, : self.n]
