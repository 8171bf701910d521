"""Reference implementation of the direct method: plain Python, everything recomputed after every event.

`senexo.engine.ssa.sampler` has four kernels for it, which keep what has not changed; this one is their oracle, event by
event for the same uniforms. It knows propensities that change at reactions, at events, and where the clock is
compared with a number (`time >= 24`); rates that change smoothly in time it does not know.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from reference.formulas import value
from senexo.base.streams import DRAW, INTEGER, derive, threefry
from senexo.engine.formula.network import Lowered, LoweredEvent
from senexo.model.expression import Call, Expression, Time, walk

LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
LOG = (
    6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
    1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01,
)  # fmt: skip
TIES = 3


def exponential(word: int) -> float:
    """-log((word // 2^11 + 1) / 2^53), by fdlibm's method (e_log.c, Sun Microsystems, 1993)."""
    m, e = math.frexp((word >> 11) + 1)
    m, e = 2.0 * m, e - 1 - 53
    if m > 1.4142135623730951:
        m, e = 0.5 * m, e + 1
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (LOG[1] + w * (LOG[3] + w * LOG[5]))
    odd = z * (LOG[0] + w * (LOG[2] + w * (LOG[4] + w * LOG[6])))
    half = 0.5 * f * f
    return ((half - (s * (half + (even + odd)) + e * LN2_LOW)) - f) - e * LN2_HIGH


@dataclass
class Waiting:
    """A triggered event that has not executed."""

    event: LoweredEvent
    due: float
    values: list[float] | None


@dataclass
class Run:
    """One trajectory: a clock, the values, what waits, and everything that has happened."""

    lowered: Lowered
    v: list[float]
    seed: int
    run: int = 0
    time: float = 0.0
    fired: list[tuple[float, int]] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key = derive(self.seed, "ssa", self.run)
        assert derive(self.seed, "ssa", self.run) == threefry(derive(self.seed, "ssa"), (self.run, INTEGER))
        self.was = [event.initial_value for event in self.lowered.events]
        self.n_ties = 0

    def until(self, times: list[float]) -> list[list[float]]:
        """Run on, and give the values at each of these times."""
        outputs: list[list[float]] = []
        energy = choice = None
        self.settle()
        while True:
            if energy is None:
                x, y = threefry(self.key, (len(self.fired), DRAW))
                energy, choice = exponential(x), (y >> 11) * 2.0**-53
            propensities = [self.value(reaction.rate) for reaction in self.lowered.reactions]
            running, total = running_sums(propensities)
            due = self.time + energy / total if total > 0.0 else math.inf
            cut = self.next_cut()
            while len(outputs) < len(times) and times[len(outputs)] < min(due, cut):
                outputs.append(self.at(times[len(outputs)]))
            if len(outputs) == len(times):
                return outputs
            if cut <= due:
                energy = max(0.0, energy - (cut - self.time) * total)
                self.time = cut
                self.settle()
                continue
            self.time = due
            fires = next(i for i, upto in enumerate(running) if upto > choice * total)
            self.fired.append((due, fires))
            for change in self.lowered.reactions[fires].changes:
                self.v[change.slot] += self.value(change.coefficient)
            energy = None
            self.settle()

    def value(self, formula: Expression) -> float:
        return value(formula, self.v, self.time)

    def at(self, time: float) -> list[float]:
        """The values at a time at which nothing happens."""
        v = list(self.v)
        for rule in self.lowered.assignments:
            v[rule.slot] = value(rule.math, v, time)
        return v

    def next_cut(self) -> float:
        """When an event is due, or a comparison of the clock may turn: at its number, or just after (`time > 5`)."""
        cuts = [waiting.due for waiting in self.waiting]
        formulas = [event.trigger for event in self.lowered.events]
        formulas += [reaction.rate for reaction in self.lowered.reactions]
        formulas += [rule.math for rule in self.lowered.assignments]
        for formula in formulas:
            for node in walk(formula):
                if isinstance(node, Call) and Time() in node.arguments:
                    assert node.operator in ("gt", "lt", "geq", "leq", "eq", "neq"), "smooth in time"
                    turn = sum(self.value(side) for side in node.arguments if side != Time())
                    cuts.append(turn if turn > self.time else math.nextafter(self.time, math.inf))
                    if turn < self.time:
                        cuts.pop()
        return min(cuts, default=math.inf)

    # ---- events (SBML Level 3 Version 2 Core, section 4.12)

    def settle(self) -> None:
        """Let everything happen that happens at this instant."""
        while True:
            for rule in self.lowered.assignments:
                self.v[rule.slot] = self.value(rule.math)
            self.notice()
            ready = [waiting for waiting in self.waiting if waiting.due <= self.time]
            if not ready:
                return
            self.execute(self.next_of(ready))

    def notice(self) -> None:
        for number, event in enumerate(self.lowered.events):
            now = self.value(event.trigger) != 0.0
            if now and not self.was[number]:
                delay = 0.0 if event.delay is None else self.value(event.delay)
                values = [self.value(item.math) for item in event.assignments]
                early = event.use_values_from_trigger_time
                self.waiting.append(Waiting(event, self.time + delay, values if early else None))
            elif self.was[number] and not now and not event.persistent:
                self.waiting = [waiting for waiting in self.waiting if waiting.event is not event]
            self.was[number] = now

    def next_of(self, ready: list[Waiting]) -> Waiting:
        """The highest priority; among equals by lot; without any, the first that was triggered."""
        best, highest, equals = ready[0], -math.inf, 0
        for waiting in ready:
            priority = -math.inf if waiting.event.priority is None else self.value(waiting.event.priority)
            if priority > highest:
                best, highest, equals = waiting, priority, 1
            elif priority == highest > -math.inf:
                equals += 1
                x, _ = threefry(self.key, (self.n_ties, TIES))
                self.n_ties += 1
                if (x >> 11) * 2.0**-53 * equals < 1.0:
                    best = waiting
        return best

    def execute(self, waiting: Waiting) -> None:
        self.waiting.remove(waiting)
        items = waiting.event.assignments
        values = waiting.values or [self.value(item.math) for item in items]
        sizes = [1.0 if item.size < 0 else self.v[item.size] for item in items]  # those before the event
        for item, new, size in zip(items, values, sizes, strict=True):
            self.v[item.slot] = new * size
        for rule in self.lowered.assignments:
            self.v[rule.slot] = self.value(rule.math)
        for slot in {change.slot for reaction in self.lowered.reactions for change in reaction.changes}:
            assert self.v[slot] == round(self.v[slot]) >= 0


def running_sums(propensities: list[float]) -> tuple[list[float], float]:
    """Sums up to and with each propensity: inside blocks of 1.5 times the root of their number, then over blocks.

    In this shape a kernel can mend the sums of one block and gets, to the last bit, what adding anew would give.
    """
    size = max(1, math.ceil(1.5 * math.sqrt(len(propensities))))
    running: list[float] = []
    before = 0.0
    for first in range(0, len(propensities), size):
        within = 0.0
        for propensity in propensities[first : first + size]:
            within += propensity
            running.append(before + within)
        before += within
    return running, before
