"""Counts of one line of blood cells: proliferating precursors, three transit compartments, circulating cells.

The model is Friberg's (doi 10.1200/JCO.2002.02.140) with a loss of circulating cells of their own rate and an effect of
the drug on proliferation that is linear in ln(1 + exposure), as Jost's (doi 10.1371/journal.pone.0204540):

    P' = k_tr P (f (B / C)^gamma - 1),  T_1' = k_tr (P - T_1),  T_i' = k_tr (T_i-1 - T_i),  C' = k_tr T_3 - k C
    f = (1 - slope ln(1 + exposure)) x normal share of the precursors
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import RK45

from senexo.base.errors import Fault, InvalidInput, SimulationError

Floats = NDArray[np.float64]
STATES = ("proliferating", "transit 1", "transit 2", "transit 3", "circulating")
TOLERANCE = 1e-9  # relative error of one step
MOST_STEPS = 1_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """Constants of one line of blood cells, of one host or of many; each a number or an array [hosts].

    Parameters
    ----------
    baseline
        B: circulating cells in health (G/L).
    transit
        k_tr: rate of proliferation in health and of each transit (1/h); 4 / k_tr is the mean transit time.
    loss
        k: of circulating cells (1/h).
    feedback
        gamma: exponent with which proliferation answers too few circulating cells.

    Raises
    ------
    InvalidInput
        Values that are no finite numbers above 0, or unequal numbers of hosts.

    Examples
    --------
    >>> Line(baseline=2.8, transit=0.01, loss=0.1, feedback=0.65).hosts
    1
    """

    baseline: ArrayLike
    transit: ArrayLike
    loss: ArrayLike
    feedback: ArrayLike

    def __post_init__(self) -> None:
        given = {one.name: np.asarray(getattr(self, one.name), dtype=float) for one in fields(self)}
        faults = [
            Fault(name, str(getattr(self, name))[:80], "a finite number above 0, or one for each host")
            for name, value in given.items()
            if value.ndim > 1 or not (np.isfinite(value).all() and (value > 0.0).all())
        ]
        sizes = {value.size for value in given.values() if value.ndim}
        if len(sizes) > 1:
            faults.append(Fault("hosts", " and ".join(map(str, sorted(sizes))), "one number of hosts"))
        if faults:
            raise InvalidInput(faults)

    @property
    def hosts(self) -> int:
        """Number of hosts; 1 where every value is one number."""
        return max(np.size(getattr(self, one.name)) for one in fields(self))

    def steady(self, normal_share: ArrayLike = 1.0) -> Floats:
        """States [hosts, 5] (G/L) at rest without a drug: C = B f^(1/gamma), the others k C / k_tr."""
        share = np.broadcast_to(np.asarray(normal_share, dtype=float), self.hosts)
        circulating = np.asarray(self.baseline) * share ** (1.0 / np.asarray(self.feedback))
        earlier = np.asarray(self.loss) * circulating / np.asarray(self.transit)
        return np.stack([earlier, earlier, earlier, earlier, circulating], axis=1)


@dataclass(frozen=True, slots=True)
class Counts:
    """A course of blood counts.

    Attributes
    ----------
    times
        In hours [times].
    states
        Proliferating, transit 1 to 3, circulating (G/L) [hosts, times, 5].
    """

    times: Floats
    states: Floats

    @property
    def circulating(self) -> Floats:
        """Circulating cells (G/L) [hosts, times]."""
        return self.states[:, :, -1]


def counts(
    line: Line, times: ArrayLike, *, exposure: ArrayLike = 0.0, slope: ArrayLike = 0.0,
    normal_share: ArrayLike = 1.0, start: ArrayLike | None = None,
) -> Counts:  # fmt: skip
    """The course of a line of blood cells under a drug and beside leukaemic cells.

    Parameters
    ----------
    line
        Constants of one host or many.
    times
        Hours, never going back, at which the counts are returned. Exposure and normal share are given at these times
        and are linear between them; a time that stands twice is a jump.
    exposure
        Of the drug, e.g. a concentration in uM: a number, an array [times] or [hosts, times], from 0.
    slope
        Effect per ln(1 + exposure): a number or an array [hosts], from 0. Above slope ln(1 + exposure) = 1 precursors
        are lost faster than by maturation.
    normal_share
        Normal over all cells in the precursors' compartment, as exposure, above 0, at most 1.
    start
        States [hosts, 5] at the first time (those of an earlier course, to continue it); by default the state of rest
        without a drug at the first normal share.

    Returns
    -------
    Counts

    Raises
    ------
    InvalidInput
        Faulty times, shapes or values.
    SimulationError
        More than 1,000,000 steps.

    Notes
    -----
    Dormand and Prince's pair of orders 5 and 4, all hosts with common steps, of which each has a relative error of at
    most 1e-9 in every state of every host; no step goes beyond a time that is given.

    Examples
    --------
    >>> line = Line(baseline=2.8, transit=0.01, loss=0.1, feedback=0.65)
    >>> counts(line, [0.0, 240.0]).circulating.round(6).tolist()
    [[2.8, 2.8]]
    """
    at = np.atleast_1d(np.asarray(times, dtype=float))
    drug, share, effect = (np.asarray(one, dtype=float) for one in (exposure, normal_share, slope))
    hosts = max(line.hosts, effect.size, *(len(one) for one in (drug, share) if one.ndim == 2), 1)
    begin = None if start is None else np.asarray(start, dtype=float)
    _check(line, hosts, at, drug, share, effect, begin)
    shape = (hosts, at.size)
    drug, share = np.broadcast_to(drug, shape), np.broadcast_to(share, shape)
    model = _Model(line, hosts, np.broadcast_to(effect, hosts))
    state = model.at_rest(share[:, 0]) if begin is None else np.array(np.broadcast_to(begin, (hosts, 5)))
    states = np.empty((hosts, at.size, 5))
    states[:, 0] = state
    for place in range(1, at.size):
        state = model.advance(state, at[place - 1 : place + 1], drug[:, place - 1 : place + 1],
                              share[:, place - 1 : place + 1])  # fmt: skip
        states[:, place] = state
    return Counts(at, states)


class _Model:
    """Derivatives of all hosts, and steps with a common length."""

    def __init__(self, line: Line, hosts: int, slope: Floats) -> None:
        named = (line.baseline, line.transit, line.loss, line.feedback)
        self.baseline, self.transit, self.loss, self.feedback = (
            np.broadcast_to(np.asarray(one, dtype=float), hosts) for one in named
        )
        self.slope, self.step, self.steps = slope, 1.0, 0

    def at_rest(self, share: Floats) -> Floats:
        return Line(self.baseline, self.transit, self.loss, self.feedback).steady(share)

    def slopes(self, state: Floats, drug: Floats, share: Floats) -> Floats:
        """Derivatives [hosts, 5]."""
        factor = (1.0 - self.slope * np.log1p(drug)) * share
        answer = factor * (self.baseline / state[:, 4]) ** self.feedback
        found = np.empty_like(state)
        found[:, 0] = self.transit * state[:, 0] * (answer - 1.0)
        found[:, 1:4] = self.transit[:, np.newaxis] * (state[:, :3] - state[:, 1:4])
        found[:, 4] = self.transit * state[:, 3] - self.loss * state[:, 4]
        return found

    def advance(self, state: Floats, span: Floats, drug: Floats, share: Floats) -> Floats:
        """The state at the end of a span in which drug and share [hosts, 2] are linear."""
        begin, end = span.tolist()
        now = begin
        while now < end:
            self.steps += 1
            if self.steps > MOST_STEPS:
                raise SimulationError(f"blood counts: more than {MOST_STEPS:,} steps by {now:g} h; give fewer hours")
            last = self.step >= end - now
            step = end - now if last else self.step
            with np.errstate(all="ignore"):  # a step that is too long can leave the domain; it is then refused
                new, error = self._try(state, step, (now - begin) / (end - begin), step / (end - begin), drug, share)
            if not error <= 1.0:
                self.step = step * (0.2 if not np.isfinite(error) else max(0.2, 0.9 * error**-0.2))
                continue
            longer = step * min(5.0, 0.9 * max(error, 1e-12) ** -0.2)
            self.step = max(self.step, longer) if last else longer
            state, now = new, end if last else now + step
        return state

    def _try(
        self, state: Floats, step: float, at: float, part: float, drug: Floats, share: Floats
    ) -> tuple[Floats, float]:
        """The state a step later, and its error over what is allowed; at, part: place and length within the span."""
        found: list[Floats] = []
        for fraction, weights in zip(RK45.C, RK45.A, strict=True):
            inner = state + step * sum((w * k for w, k in zip(weights, found, strict=False)), np.zeros_like(state))
            found.append(self._at(inner, at + fraction * part, drug, share))
        new = state + step * sum((w * k for w, k in zip(RK45.B, found, strict=True)), np.zeros_like(state))
        found.append(self._at(new, at + part, drug, share))
        wrong = step * sum((w * k for w, k in zip(RK45.E, found, strict=True)), np.zeros_like(state))
        allowed = TOLERANCE * np.maximum(np.abs(state), np.abs(new)) + 1e-30
        ratio = float(np.max(np.abs(wrong) / allowed))
        return new, ratio if (new[:, 4] > 0.0).all() else np.inf

    def _at(self, state: Floats, place: float, drug: Floats, share: Floats) -> Floats:
        return self.slopes(
            state, drug[:, 0] + place * (drug[:, 1] - drug[:, 0]), share[:, 0] + place * (share[:, 1] - share[:, 0])
        )


def _check(
    line: Line, hosts: int, at: Floats, drug: Floats, share: Floats, slope: Floats, start: Floats | None
) -> None:
    """All faults of the arguments of `counts`."""
    faults = []
    if at.ndim != 1 or not at.size or not np.isfinite(at).all() or (np.diff(at) < 0.0).any():
        faults.append(Fault("times", str(at)[:80], "finite hours that never go back, at least one"))
    if line.hosts not in (1, hosts):
        faults.append(Fault("hosts", f"{line.hosts} and {hosts}", "one number of hosts"))
    for name, value in (("exposure", drug), ("normal_share", share)):
        if value.shape not in ((), (at.size,), (1, at.size), (hosts, at.size)):
            faults.append(
                Fault(name, f"an array of shape {value.shape}", f"a number, [{at.size}] or [{hosts}, {at.size}]")
            )
    if slope.shape not in ((), (1,), (hosts,)):
        faults.append(Fault("slope", f"an array of shape {slope.shape}", f"a number, or one for each of {hosts} hosts"))
    if start is not None and start.shape not in ((5,), (1, 5), (hosts, 5)):
        faults.append(Fault("start", f"an array of shape {start.shape}", f"[5] or [{hosts}, 5]"))
    bounded = [("exposure", drug, drug >= 0.0, "from 0"), ("slope", slope, slope >= 0.0, "from 0"),
               ("normal_share", share, (share > 0.0) & (share <= 1.0), "above 0, at most 1")]  # fmt: skip
    if start is not None:
        bounded.append(("start", start, start > 0.0, "above 0"))
    for name, value, allowed, words in bounded:
        wrong = value[~(allowed & np.isfinite(value))]
        if wrong.size:
            faults.append(Fault(name, f"{wrong.flat[0]:g} ({wrong.size} in all)", f"finite numbers {words}"))
    if faults:
        raise InvalidInput(faults)
