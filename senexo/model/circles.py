"""Circular definitions, which SBML forbids (L3V2 section 4.9.5, doi 10.1515/jib-2017-0080)."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from senexo.base.errors import InvalidModel
from senexo.model.expression import Expression, Symbol, walk
from senexo.model.network import Network


def refuse_circles(network: Network) -> None:
    """Raise `InvalidModel`, naming the circle, when initial assignments, assignment rules and kinetic laws form one.

    >>> from senexo.model.network import Rule
    >>> refuse_circles(Network("m", rules=(Rule("assignment", "a", Symbol("b")), Rule("assignment", "b", Symbol("a")))))
    Traceback (most recent call last):
    senexo.base.errors.InvalidModel: circular definition: a -> b -> a
    """
    needs: dict[str, set[str]] = {}
    for id, formula, shadowed in _definitions(network):
        if formula is not None:
            names = {node.id for node in walk(formula) if isinstance(node, Symbol)}
            needs.setdefault(id, set()).update(names - shadowed)
    try:
        TopologicalSorter({id: sorted(names) for id, names in needs.items()}).prepare()
    except CycleError as error:
        circle = error.args[1][::-1]
        raise InvalidModel("circular definition: " + " -> ".join(circle)) from None


def _definitions(network: Network) -> Iterator[tuple[str, Expression | None, set[str]]]:
    """What is defined, by which formula, and the names that mean something local in it."""
    for assignment in network.initial_assignments:
        yield assignment.symbol, assignment.math, set()
    for rule in network.rules:
        if rule.kind == "assignment":
            yield rule.variable, rule.math, set()
    for reaction in network.reactions:
        if reaction.kinetic_law is not None:
            yield reaction.id, reaction.kinetic_law.math, {p.id for p in reaction.kinetic_law.local_parameters}
