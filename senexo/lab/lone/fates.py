"""What becomes of a cell: each fate happens when its integrated hazard reaches the cell's own exponential number.

A cell's clock for a fate with hazard h(t) rings when H(t) = integral of h from 0 to t reaches E, E standard
exponential; that is the exact law of a first event with that hazard (time change of a Poisson process; Ogata
1981, doi 10.1109/TIT.1981.1056305). H comes from the ODE solver itself, as one more quantity of the network
(`with_quadratures`), so nothing is lost between output times: a fate falls into the right grid step exactly,
and within the step it is placed by a straight line.

Fates compete. Death ends everything. A fate that comes `after` another one (escape after commitment) counts
its hazard from the moment of the other. In this first form a fate is read off a trajectory that goes on
undisturbed: a committed cell that escapes is no longer counted as senescent, but its circuit is not set back,
and it does not commit a second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from senexo.base.streams import generator
from senexo.model.expression import Symbol
from senexo.model.network import Network, Parameter, Rule

Floats = NDArray[np.float64]


class FateLike(Protocol):
    """What this module needs to know of a circuit's fate."""

    @property
    def name(self) -> str: ...
    @property
    def hazard(self) -> str: ...
    @property
    def after(self) -> str | None: ...


def with_quadratures(network: Network, hazards: Sequence[str]) -> tuple[Network, tuple[str, ...]]:
    """The network with one more quantity per hazard, whose rate of change is that hazard; and their new ids.

    The new quantities start at 0, act on nothing, and are integrated with the same error control as the rest.
    """
    taken = {c.id for c in network.compartments} | {s.id for s in network.species} | {p.id for p in network.parameters}
    taken |= {r.id for r in network.reactions} | {f.id for f in network.function_definitions}
    taken |= {side.id or "" for r in network.reactions for side in (*r.reactants, *r.products)}
    ids = []
    for hazard in hazards:
        name = f"integral_of_{hazard}"
        while name in taken:
            name += "_"
        taken.add(name)
        ids.append(name)
    parameters = tuple(Parameter(id=name, value=0.0, constant=False) for name in ids)
    rules = tuple(Rule("rate", name, Symbol(hazard)) for name, hazard in zip(ids, hazards, strict=True))
    return replace(network, parameters=network.parameters + parameters, rules=network.rules + rules), tuple(ids)


@lru_cache(maxsize=64)  # every arm of a donor asks again
def thresholds(seed: int, donor: int, cells: Sequence[int], fate: str) -> Floats:
    """The cells' exponential numbers for one fate: the same in every arm, so that arms compare the same cells."""
    return np.array([generator(seed, "fate", donor, cell, fate).standard_exponential() for cell in cells])


def draw(
    fates: Sequence[FateLike], times: Floats, integrals: Mapping[str, Floats], limits: Mapping[str, Floats]
) -> dict[str, Floats]:
    """When each fate happens to each cell (hours; nan = not within `times`).

    `times` [k]; `integrals` and `limits` by fate name: the integrated hazard [cells, k] and the exponential
    number [cells]. A fate `after` another must stand behind it in `fates`.
    """
    happened: dict[str, Floats] = {}
    for fate in fates:
        integral = integrals[fate.name]
        start = happened[fate.after] if fate.after else np.full(len(integral), times[0])
        happened[fate.name] = crossing(times, integral, limits[fate.name] + at(times, integral, start))
    if "death" in happened:
        for name, when in happened.items():
            if name != "death":
                when[when > happened["death"]] = np.nan
    return happened


def at(times: Floats, values: Floats, when: Floats) -> Floats:
    """Each row of `values` [n, k], given on `times` [k], at its own time `when` [n]; nan stays nan."""
    known = np.where(np.isnan(when), times[0], when)
    right = np.clip(np.searchsorted(times, known, side="left"), 1, len(times) - 1)
    row = np.arange(len(values))
    low, high = values[row, right - 1], values[row, right]
    part = (known - times[right - 1]) / (times[right] - times[right - 1])
    return np.where(np.isnan(when), np.nan, low + part * (high - low))


def crossing(times: Floats, values: Floats, target: Floats) -> Floats:
    """When each rising row of `values` [n, k] reaches its target [n]; nan where it does not (or has none)."""
    reached = values >= target[:, None]
    index = np.clip(np.argmax(reached, axis=1), 1, len(times) - 1)
    row = np.arange(len(values))
    low, high = values[row, index - 1], values[row, index]
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.clip(np.where(high > low, (target - low) / (high - low), 0.0), 0.0, 1.0)
    when = times[index - 1] + part * (times[index] - times[index - 1])
    return np.where(reached.any(axis=1), when, np.nan)


def below_throughout(times: Floats, values: Floats, threshold: float, begin: float, end: float) -> NDArray[np.bool_]:
    """Which rows of `values` [n, k], straight lines between `times` [k], are below the threshold from begin to end.

    None are where that begins before the first time or ends after the last.
    """
    if begin < times[0] or end > times[-1]:
        return np.zeros(len(values), dtype=bool)
    edges = [at(times, values, np.full(len(values), edge)) for edge in (begin, end)]
    inner = values[:, (times >= begin) & (times <= end)]
    below: NDArray[np.bool_] = np.all(np.column_stack([*edges, inner]) < threshold, axis=1)
    return below


def longest_below(times: Floats, values: Floats, threshold: float, until: Floats) -> Floats:
    """The longest unbroken time each row of `values` [n, k] spends below the threshold, up to `until` [n].

    Between two times the value is a straight line, and its crossing is where that line crosses. nan in `until`
    means the end of `times`.
    """
    end_of_time = np.where(np.isnan(until), times[-1], until)
    below = values < threshold
    start = np.where(below[:, 0], times[0], np.nan)  # of the run each row is in; nan outside
    longest = np.zeros(len(values))
    for k in range(1, len(times)):
        a, b, change = values[:, k - 1], values[:, k], below[:, k] != below[:, k - 1]
        with np.errstate(invalid="ignore", divide="ignore"):
            crossed = times[k - 1] + (threshold - a) / (b - a) * (times[k] - times[k - 1])
        end = np.minimum(np.where(change, crossed, times[k]), end_of_time)
        inside = ~np.isnan(start)
        longest[inside] = np.maximum(longest, end - start)[inside]
        start = np.where(change, np.where(below[:, k], crossed, np.nan), start)
    return longest
