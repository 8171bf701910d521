"""Where the formulas of a network change with time by themselves, so that no step of an integration skips a pulse.

A term that depends on time and on constants alone, such as exp(-((time - 3.21)/0.01)^2), is bounded over intervals of
time (`senexo.engine.formula.intervals`). Intervals in which it may change by more than a share of all its change are
halved; what is proved to be flat is not looked at again. A pulse is found however narrow it is, without sampling.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.graph import COMPARISONS, TRUTH, Graph, Node
from senexo.engine.formula.intervals import ranges
from senexo.engine.formula.network import Lowered
from senexo.model.expression import Time, walk

Floats = NDArray[np.float64]

SHARE = 0.25  # of all the change of a term: what it may change by within one interval
MOST_INTERVALS = 200_000
_FINEST = 2.0**-40  # of the run: no interval is halved below it
# Sums, products and choices change where what they are made of does; jumps are found by other means.
_MADE_UP = {"plus", "minus", "negate", "times", "divide", "select"}
_RISING = {"plus", "minus", "negate", "times", "exp", "tanh", "sinh", "arctan", "arcsinh"}  # of one timed argument
_JUMPS = TRUTH | {"time", "number", "slot", "floor", "ceiling", "quotient", "rem"}


class Forcing:
    """The terms of one network that depend on time and on what changes at most at events."""

    def __init__(self, lowered: Lowered) -> None:
        formulas = [
            *(item.math for item in (*lowered.rates, *lowered.rate_rules)),
            *(reaction.rate for reaction in lowered.reactions),
            *(event.trigger for event in lowered.events),
        ]
        graph = self.graph = Graph()
        self.terms: list[Node] = []
        self.nodes: list[Node] = []
        self.slots: list[int] = []
        if not any(isinstance(n, Time) for m in (*formulas, *(a.math for a in lowered.assignments)) for n in walk(m)):
            return
        inlined: dict[int, Node] = {}
        for item in lowered.assignments:
            inlined[item.slot] = graph.add(item.math, inlined)
        roots = [graph.add(math, inlined) for math in formulas]
        moving = {item.slot for item in lowered.rates}
        moving |= {change.slot for reaction in lowered.reactions for change in reaction.changes}
        timed: dict[Node, bool] = {}  # nodes without moving quantities: do they depend on time?
        for node in graph.reachable(roots):
            if graph.operator(node) == "slot" and int(graph.keys[node][1]) in moving:
                continue
            arguments = graph.arguments(node)
            if all(argument in timed for argument in arguments):
                timed[node] = graph.operator(node) == "time" or any(timed[argument] for argument in arguments)
        self.terms = self._terms(roots, timed)
        self.nodes = graph.reachable(self.terms)
        self.slots = [int(graph.keys[node][1]) for node in self.nodes if graph.operator(node) == "slot"]

    def without_monotone(self) -> Forcing:
        """The same without terms that, by their form, only rise or only fall in time, such as exp(-k time).

        A step that is too long for one of these is seen to be so at its end, since the term does not come back.
        """
        kept = copy(self)
        kept.terms = [term for term in self.terms if not self._monotone(term)]
        kept.nodes = self.graph.reachable(kept.terms)
        kept.slots = [int(self.graph.keys[node][1]) for node in kept.nodes if self.graph.operator(node) == "slot"]
        return kept

    def _monotone(self, term: Node) -> bool:
        constant: dict[Node, bool] = {}
        monotone: dict[Node, bool] = {}
        for node in self.graph.reachable([term]):
            operator, arguments = self.graph.operator(node), self.graph.arguments(node)
            constant[node] = operator != "time" and all(constant[argument] for argument in arguments)
            timed = [argument for argument in arguments if not constant[argument]]
            monotone[node] = constant[node] or operator == "time" or (
                operator in _RISING and len(timed) == 1 and monotone[timed[0]]
            )  # fmt: skip
        return monotone[term]

    def _terms(self, roots: list[Node], timed: Mapping[Node, bool]) -> list[Node]:
        """The largest parts that depend on time alone, of sums, products and choices their parts in turn."""
        found: dict[Node, None] = {}
        seen: set[Node] = set()
        ahead = list(roots)
        while ahead:
            node = ahead.pop()
            if node in seen or not timed.get(node, True):
                continue
            seen.add(node)
            operator, arguments = self.graph.operator(node), self.graph.arguments(node)
            if node in timed and operator in COMPARISONS:
                if self._curved(node):
                    found[node] = None
                continue
            quotient = operator == "divide" and timed.get(arguments[1], False)
            if node not in timed or (operator in _MADE_UP | TRUTH and not quotient):
                ahead.extend(arguments)
            elif operator not in _JUMPS:
                found[node] = None
        return sorted(found)

    def _curved(self, node: Node) -> bool:
        """Is it made of more than straight lines and jumps, whose turns other parts of the engine find?"""
        straight = _MADE_UP | _JUMPS - TRUTH
        return any(self.graph.operator(part) not in straight for part in self.graph.reachable([node]) if part != node)

    def read(self, values: Floats) -> dict[int, float]:
        """Of the value vector what the terms stand on; equal numbers, equal marks."""
        return {slot: float(values[slot]) for slot in self.slots}

    def marks(self, begin: float, end: float, slots: Mapping[int, float]) -> tuple[Floats, bool]:
        """Times that no step should pass in one go, ascending, and whether all changes of the terms are between them.

        In between, no term changes by more than `SHARE` of all its change, but for intervals of 1e-12 of the run. A
        comparison turns only in intervals as short as that. No marks where it would take too many.
        """
        edges = np.array([begin, end])
        if not self.terms or not end > begin:
            return edges[1:], True
        low, high = self._bounds(edges, slots)
        while len(edges) <= MOST_INTERVALS:
            wide = self._wide(low, high) & (np.diff(edges) > _FINEST * (end - begin))
            if not np.any(wide):
                return self._merged(edges, low, high), True
            places = np.flatnonzero(wide)
            middles = 0.5 * (edges[places] + edges[places + 1])
            halves = np.column_stack((edges[places], middles, middles, edges[places + 1])).reshape(-1, 2)
            new_low, new_high = self._of(halves, slots)
            keep = np.flatnonzero(~wide)
            edges = np.concatenate((edges, middles))
            starts = np.concatenate((edges[keep], halves[:, 0]))
            order = np.argsort(starts, kind="stable")
            low = np.concatenate((low[:, keep], new_low), axis=1)[:, order]
            high = np.concatenate((high[:, keep], new_high), axis=1)[:, order]
            edges = np.sort(edges)
        return edges[-1:], False

    def _bounds(self, edges: Floats, slots: Mapping[int, float]) -> tuple[Floats, Floats]:
        return self._of(np.column_stack((edges[:-1], edges[1:])), slots)

    def _of(self, intervals: Floats, slots: Mapping[int, float]) -> tuple[Floats, Floats]:
        """Lowest and highest values [terms, intervals]."""
        found = ranges(self.graph, self.nodes, (intervals[:, 0], intervals[:, 1]), slots)
        shape = len(intervals)
        return (np.array([np.broadcast_to(found[term][0], shape) for term in self.terms]),
                np.array([np.broadcast_to(found[term][1], shape) for term in self.terms]))  # fmt: skip

    def _change(self, low: Floats, high: Floats) -> Floats:
        """All the change of each term, from what is known to be finite."""
        least = np.min(np.where(np.isfinite(low), low, np.inf), axis=1)
        most = np.max(np.where(np.isfinite(high), high, -np.inf), axis=1)
        return np.maximum(most - least, 0.0)[:, np.newaxis]

    def _wide(self, low: Floats, high: Floats) -> NDArray[np.bool_]:
        with np.errstate(invalid="ignore"):
            return np.any(~(high - low <= SHARE * self._change(low, high)), axis=0)

    def _merged(self, edges: Floats, low: Floats, high: Floats) -> Floats:
        """The ends of intervals, neighbours taken together while no term changes by more than its share."""
        allowed = (SHARE * self._change(low, high)[:, 0]).tolist()
        lows, highs = low.T.tolist(), high.T.tolist()
        bottom, top = lows[0], highs[0]
        ends: list[float] = []
        for edge, lower, upper in zip(edges[1:-1].tolist(), lows[1:], highs[1:], strict=True):
            new_bottom, new_top = list(map(min, bottom, lower)), list(map(max, top, upper))
            if all(t - b <= a for t, b, a in zip(new_top, new_bottom, allowed, strict=True)):
                bottom, top = new_bottom, new_top
            else:
                ends.append(edge)
                bottom, top = lower, upper
        return np.array([*ends, float(edges[-1])])


def evenly(begin: float, end: float, longest: float) -> Floats:
    """Times at most `longest` apart, from behind `begin` to `end`."""
    count = max(1, int(np.ceil((end - begin) / longest * (1.0 - 1e-12))))
    return np.linspace(begin, end, count + 1)[1:]
