"""Steady states: the state that a deterministic run comes to rest in.

The run is followed over stretches of time that grow tenfold, until what is left to go is small; then implicit Euler
steps of growing length (pseudo-transient continuation, doi 10.1137/S0036142996304796) make it exact. Their limit is
Newton's method, but a step never leaves the span of the reactions, so that conserved totals stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import null_space

from senexo.base.errors import SimulationError, UnsupportedFeature
from senexo.engine.formula.evaluate import evaluate
from senexo.engine.ode.equations import Equations
from senexo.engine.ode.single import Translated, integrate

Floats = NDArray[np.float64]

MOST_STRETCHES = 16  # each ten times as long as the one before
_LOOKS = 201  # times of a stretch at which it is looked at
# of an oscillation: turning points, so many that one stretch shows it, share of its size that is left, stretches
_TURNS, _MANY, _SUSTAINED, _IN_A_ROW = 6, 16, 0.8, 2
_NEAR = 1e-2  # of a quantity's size: what may be left to go when Newton's steps begin
_EXACT = 1e-9
_MOST_STEPS = 60
_FIRST = 1e3  # of the first stretch: the first implicit step


@dataclass
class Rest:
    """A steady state: its values [slots], the time of the run, a sentence for everything a user should know of it."""

    values: Floats
    time: float
    cautions: list[str] = field(default_factory=list)


def steady_state(
    translated: Translated, v0: Floats, *, rtol: float = 1e-8, ties: np.random.Generator | None = None,
    any_root: bool = False,
) -> Rest:  # fmt: skip
    """The steady state that the run from `v0` comes to.

    Parameters
    ----------
    translated
        The network's equations.
    v0
        Values at the start [slots].
    rtol
        Relative tolerance of the run; the state itself is exact to about 1e-9 of each quantity's largest size.
    ties
        Breaks ties between events of equal priority.
    any_root
        Whether a run that oscillates gives the state that Newton's method finds from its mean, with a caution.

    Returns
    -------
    Rest
        A caution is given where the state is unstable: a small disturbance would grow.

    Raises
    ------
    UnsupportedFeature
        The network has delays, or its rates still depend on time where it comes to rest.
    SimulationError
        The run oscillates or grows without bound, so that there is none.
    """
    lowered = translated.lowered
    if lowered.delays:
        raise UnsupportedFeature("steady state of a model with delay()", "simulate it over a long time instead")
    with np.errstate(all="ignore"):
        return _Search(translated, v0, rtol, ties, any_root).rest()


class _Search:
    def __init__(
        self, translated: Translated, v0: Floats, rtol: float, ties: np.random.Generator | None, any_root: bool
    ) -> None:
        self.translated, self.rtol, self.ties, self.any_root = translated, rtol, ties, any_root
        self.equations: Equations = translated.equations.anew()
        self.states = self.equations.states
        self.v = v0.copy()
        self.size = np.abs(v0[self.states])
        self.waves = 0

    def rest(self) -> Rest:
        if not len(self.states):
            return Rest(integrate(self.translated, self.v, np.zeros(1), ties=self.ties)[0], 0.0)
        span = self.first_span()
        for _ in range(MOST_STRETCHES):
            # always from the start: events, and what has been triggered, stay as in one run
            times = np.linspace(0.0, span, _LOOKS)
            course = integrate(self.translated, self.v, times, rtol=self.rtol, ties=self.ties)
            self.size = np.maximum(np.max(np.abs(course[:, self.states]), axis=0), self.size)
            found = self.polished(course[-1], span)
            if found is not None:
                return self.checked(found, span)
            if ids := self.oscillating(course[:, self.states]):
                return self.among_waves(course, span, ids)
            span *= 10.0
        raise SimulationError(f"no steady state is reached by time {span / 10.0:g}: {self.moving(course[-1])}")

    def first_span(self) -> float:
        """Ten times the time in which the fastest quantity would go through its own size."""
        self.take(self.v, 0.0)
        slope = np.abs(self.slope(0.0, self.v[self.states]))
        known = (slope > 0.0) & (self.size > 0.0) & np.isfinite(slope)
        return float(10.0 * np.min(self.size[known] / slope[known])) if known.any() else 1.0

    def take(self, v: Floats, time: float) -> None:
        """Put a whole state into the cells of the equations, with the switches as they are there."""
        self.equations.begin(v)
        self.equations.put(time, v[self.states])
        self.equations.look()
        self.equations.adopt()

    def conserved(self) -> Floats:
        """Directions [states, k] in which no reaction and no rate rule moves the state, orthonormal."""
        lowered, rows = self.translated.lowered, {int(slot): i for i, slot in enumerate(self.states)}
        columns = [np.eye(len(self.states))[rows[item.slot]] for item in lowered.rate_rules if item.slot in rows]
        for reaction in lowered.reactions:
            column = np.zeros(len(self.states))
            for change in reaction.changes:
                if change.slot in rows:
                    column[rows[change.slot]] += float(evaluate(change.coefficient, self.v, 0.0))
            columns.append(column)
        if not columns or not np.all(np.isfinite(columns)):
            return np.empty((len(self.states), 0))
        return np.asarray(null_space(np.array(columns)))

    def slope(self, time: float, y: Floats) -> Floats:
        return self.equations.slope(time, y)

    def jacobian(self, time: float, y: Floats) -> Floats:
        """d slope / d y by central differences."""
        n = len(y)
        found = np.empty((n, n))
        for j in range(n):
            step = 1e-6 * max(abs(y[j]), 1e-3 * self.size[j], 1e-12 * float(np.max(self.size, initial=0.0)), 1e-300)
            up, down = y.copy(), y.copy()
            up[j] += step
            down[j] -= step
            found[:, j] = (self.slope(time, up) - self.slope(time, down)) / (up[j] - down[j])
        return found

    def polished(self, v: Floats, time: float, near: float = _NEAR) -> Floats | None:
        """The state of rest near `v`; None where none is near."""
        self.take(v, time)
        y, kept = self.equations.state().copy(), self.conserved()
        step = _FIRST * time
        allowed = np.maximum(self.size, 1e-12 * float(np.max(self.size, initial=0.0)))
        if not np.any(allowed > 0.0):
            allowed = np.ones(len(y))
        start = y.copy()
        for _ in range(_MOST_STEPS):
            slope, jacobian = self.slope(time, y), self.jacobian(time, y)
            if not (np.all(np.isfinite(slope)) and np.all(np.isfinite(jacobian))):
                return None
            try:
                move = np.linalg.solve(np.eye(len(y)) - step * jacobian, step * slope)
            except np.linalg.LinAlgError:
                return None
            move -= kept @ (kept.T @ move)  # rounding errors of a stiff network, many times magnified
            y = y + move
            if not np.all(np.abs(y - start) <= near * allowed):
                return None
            if np.all(np.abs(move) <= _EXACT * allowed) and step >= _FIRST**2 * time:
                break
            step *= 10.0
        else:
            return None
        self.equations.put(time, y)
        self.equations.look()
        if self.equations.adopt():  # it was found with other outcomes of the switches than it has
            return None
        return self.equations.memory[: self.equations.n_slots].copy()

    def checked(self, v: Floats, time: float) -> Rest:
        y = v[self.states]
        self.refuse_time(time, y)
        found = Rest(v, time)
        real = np.linalg.eigvals(self.jacobian(time, y)).real
        if np.max(real, initial=0.0) > 1e-6 * np.max(np.abs(real), initial=0.0):
            found.cautions.append("the steady state is unstable: a small disturbance would grow")
        self.equations.put(time, y)
        return found

    def refuse_time(self, time: float, y: Floats) -> None:
        now = self.slope(time, y)
        gross = np.abs(self.equations.terms(time, y)).copy() + 1e-300
        for later in (1.37 * time, 10.0 * time, 1e3 * time):
            if np.any(np.abs(self.slope(later, y) - now) > 1e-6 * gross):
                raise UnsupportedFeature(
                    "steady state of rates that depend on time", f"they still change after time {time:g}"
                )

    def oscillating(self, course: Floats) -> str:
        """The quantities that go up and down without losing size: in two stretches, or many times in one."""
        half = len(course) // 2
        first, second = np.ptp(course[:half], axis=0), np.ptp(course[half:], axis=0)
        turns = np.sum(np.diff(np.sign(np.diff(course[half:], axis=0)), axis=0) != 0.0, axis=0)
        lasting = second > 1e-3 * self.size
        waves = (turns >= _TURNS) & (second > _SUSTAINED * first) & lasting
        early, late = np.ptp(course[half : half + half // 2], axis=0), np.ptp(course[half + half // 2 :], axis=0)
        many = waves & (turns >= _MANY) & (late > 0.98 * early)
        self.waves = self.waves + 1 if waves.any() else 0
        if self.waves < _IN_A_ROW and not many.any():
            return ""
        return ", ".join(self.translated.lowered.slots[slot].id for slot in self.states[waves][:5])

    def among_waves(self, course: Floats, span: float, ids: str) -> Rest:
        """The state that an oscillation goes around, where any root is wanted."""
        self.refuse_time(span, course[-1, self.states])
        found = None
        for begin in (course[len(course) // 2 :].mean(axis=0), course[-1], course[0]) if self.any_root else ():
            found = self.polished(begin, span, near=10.0) if found is None else found
        if found is None:
            raise SimulationError(f"no steady state is reached by time {span:g}: {ids} go up and down without end")
        rest = self.checked(found, span)
        rest.cautions.append(f"the run does not come to rest: {ids} go up and down around the steady state")
        return rest

    def moving(self, v: Floats) -> str:
        slope = np.abs(self.slope(0.0, v[self.states]))
        worst = int(np.argmax(slope / np.maximum(self.size, 1e-300)))
        return f"{self.translated.lowered.slots[self.states[worst]].id} still changes at {slope[worst]:g} per time"
