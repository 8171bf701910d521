"""Reference implementation of the step in `senexo.engine.population.langevin`: plain Python, dense algebra."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from senexo.base.streams import threefry
from senexo.engine.formula.differentiate import derivative
from senexo.engine.formula.evaluate import apply_assignments, evaluate
from senexo.engine.formula.network import Lowered, LoweredReaction
from senexo.model.expression import Call, Expression, Slot

NOISE, AGAIN, ROUGH = 5, 256, 30.0
Floats = NDArray[np.float64]


def inlined(network: Lowered, math: Expression) -> Expression:
    """The formula with assignment rules written in place."""
    rules = {rule.slot: rule.math for rule in network.assignments}
    match math:
        case Slot(index) if index in rules:
            return inlined(network, rules[index])
        case Call(operator, arguments):
            return Call(operator, tuple(inlined(network, argument) for argument in arguments))
    return math


def normal(key: tuple[int, int], first: int, number: int) -> float:
    """Noise `number` of a step: the ones among 64 bits, less 32, in units of their deviation."""
    word = threefry(key, (first + number // 2, NOISE))[number % 2]
    return (bin(word).count("1") - 32) / 4.0


def step(
    network: Lowered, states: list[int], flowing: list[LoweredReaction], v: Floats, key: tuple[int, int], h: float,
    first: int,
) -> Floats:  # fmt: skip
    """The values [slots] after a step of length h."""
    change = solved(network, states, flowing, v, key, h, first, 0.5)
    after = v.copy()
    after[states] += change
    if ((after[states] >= 0.0) & (np.abs(change) <= 0.5 * v[states] + ROUGH)).all():
        return after
    after = v.copy()
    for part in range(2):
        after[states] += solved(network, states, flowing, after, key, h / 2.0, first + AGAIN * (part + 1), 1.0)
        after[states] = np.maximum(after[states], 0.0)
    return after


def solved(
    network: Lowered, states: list[int], flowing: list[LoweredReaction], v: Floats, key: tuple[int, int], h: float,
    first: int, share: float,
) -> Floats:  # fmt: skip
    """dY of (1 - share h J) dY = h f + noise."""
    v = v.copy()
    apply_assignments(network, v, 0.0)
    n = len(states)
    drift, jacobian, noise = np.zeros(n), np.zeros((n, n)), np.zeros(n)
    along: dict[tuple[tuple[int, float], ...], float] = {}
    for reaction in flowing:
        moved = np.zeros(n)
        for change in reaction.changes:
            moved[states.index(change.slot)] += float(evaluate(change.coefficient, v, 0.0))
        law = inlined(network, reaction.rate)
        rate = float(evaluate(law, v, 0.0))
        drift += moved * rate
        jacobian += np.outer(moved, [float(evaluate(derivative(law, slot), v, 0.0)) for slot in states])
        if moved.any():
            moved = moved * math.copysign(1.0, moved[np.flatnonzero(moved)[0]])
            direction = tuple((int(i), float(moved[i])) for i in np.flatnonzero(moved))
            along[direction] = along.get(direction, 0.0) + rate
    for number, (direction, rate) in enumerate(along.items()):
        kick = math.sqrt(max(0.0, h * rate)) * normal(key, first, number)
        for i, copies in direction:
            noise[i] += copies * kick
    return np.linalg.solve(np.eye(n) - share * h * jacobian, h * drift + noise)
