"""Virtual donors and their cells: who differs from whom, and by how much.

A donor draws every uncertain parameter from its range by its law; a cell then varies around its donor. Every
draw has a stream of its own, keyed by the parameter's NAME (and the donor's and the cell's number): another
parameter, another arm, more donors or another order change none of the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from senexo.base.streams import generator

ANEW = "donor, drawn anew"
FARTHEST = 3.0  # standard deviations: a cell 20-fold off its donor would be a draw of the law's tail, not a cell


class DrawLike(Protocol):
    """What this module needs to know of a parameter's law."""

    @property
    def law(self) -> str: ...
    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


def donor_values(draws: Mapping[str, DrawLike], seed: int, donor: int) -> dict[str, float]:
    """One donor's parameters: `fixed` keeps the central value, the other laws spread over [low, high].

    uniform: low + u (high - low); log-uniform: low (high/low)^u; u in [0, 1) of the donor's own stream, or of a second
    one where a named world draws the parameter anew.
    """
    return {
        name: _drawn(draw, generator(seed, ANEW if getattr(draw, "anew", False) else "donor", donor, name).random())
        for name, draw in draws.items()
    }


def _drawn(draw: DrawLike, u: float) -> float:
    if draw.law == "fixed":
        return draw.value
    if draw.law == "uniform":
        return draw.low + u * (draw.high - draw.low)
    return draw.low * (draw.high / draw.low) ** u


def cell_values(
    variation: Mapping[str, float],
    donor: Mapping[str, float],
    draws: Mapping[str, DrawLike],
    *,
    seed: int,
    number: int,
    cells: Sequence[int],
) -> dict[str, NDArray[np.float64]]:
    """The parameters of the cells numbered `cells` of donor `number`, as arrays [cells], for what varies.

    A varying parameter is the donor's value times exp(s z - s^2/2), s^2 = ln(1 + CV^2), z standard normal: mean
    1 and the asked coefficient of variation. z is cut at +-3, and a share (a parameter whose whole range lies
    in [0, 1] by a uniform law) at 1.
    """
    values = {}
    for name, cv in variation.items():
        spread = math.sqrt(math.log1p(cv * cv))
        z = np.array([generator(seed, "cell", number, cell, name).standard_normal() for cell in cells])
        value = donor[name] * np.exp(spread * np.clip(z, -FARTHEST, FARTHEST) - spread * spread / 2)
        draw = draws[name]
        share = draw.law == "uniform" and draw.low >= 0 and draw.high <= 1
        values[name] = np.minimum(value, 1.0) if share else value
    return values
