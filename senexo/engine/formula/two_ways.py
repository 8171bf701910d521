"""Laws of reversible reactions that are a difference, f - g, as their two parts: both ways happen in exact runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from senexo.engine.formula.network import Change, Lowered, LoweredReaction
from senexo.model.expression import Call, Expression, Number, Slot, walk


def both_ways(law: Expression, reactants: Iterable[int], products: Iterable[int]) -> dict[str, Expression]:
    """`forward` and `backward` of a law f - g, if f names all reactants and g all products; {} otherwise.

    >>> law = Call("times", (Slot(9), Call("minus", (Slot(0), Slot(1)))))
    >>> both_ways(law, [0], [1])["backward"]
    Call(operator='times', arguments=(Slot(index=9), Slot(index=1)))
    >>> both_ways(law, [0], [2])
    {}
    """
    parts = _parts(law)
    if parts is None:
        return {}
    forward, backward = parts
    if set(reactants) <= _slots(forward) and set(products) <= _slots(backward):
        return {"forward": forward, "backward": backward}
    return {}


def _slots(math: Expression) -> set[int]:
    return {node.index for node in walk(math) if isinstance(node, Slot)}


def _parts(law: Expression) -> tuple[Expression, Expression] | None:
    """(f, g) with law = f - g, as it is written: a difference, or one times or over something."""
    match law:
        case Call("minus", (a, b)):
            return a, b
        case Call("plus", terms):
            negative = [term.arguments[0] for term in terms if _is_negative(term)]  # type: ignore[union-attr]
            positive = [term for term in terms if not _is_negative(term)]
            return (_sum(positive), _sum(negative)) if positive and negative else None
        case Call("times", factors):
            split = [(k, parts) for k, factor in enumerate(factors) if (parts := _parts(factor)) is not None]
            if len(split) != 1:
                return None
            k, (f, g) = split[0]
            before, behind = factors[:k], factors[k + 1 :]
            return Call("times", (*before, f, *behind)), Call("times", (*before, g, *behind))
        case Call("divide", (a, b)):
            parts = _parts(a)
            return None if parts is None else (Call("divide", (parts[0], b)), Call("divide", (parts[1], b)))
        case _:
            return None


def _is_negative(term: Expression) -> bool:
    return isinstance(term, Call) and term.operator == "minus" and len(term.arguments) == 1


def _sum(terms: list[Expression]) -> Expression:
    return terms[0] if len(terms) == 1 else Call("plus", tuple(terms))


def in_two_ways(lowered: Lowered) -> Lowered:
    """The network with each reaction with both parts as two: forward, and backward by the name "ID, backward"."""
    if not any(reaction.backward is not None for reaction in lowered.reactions):
        return lowered
    reactions: list[LoweredReaction] = []
    for reaction in lowered.reactions:
        if reaction.forward is None or reaction.backward is None:
            reactions.append(reaction)
            continue
        reactions.append(replace(reaction, rate=reaction.forward, forward=None, backward=None))
        changes = tuple(Change(change.slot, _negated(change.coefficient)) for change in reaction.changes)
        taken = tuple((c.slot, _negated(c.coefficient)) for c in changes if _is_below_zero(c.coefficient))
        reactions.append(LoweredReaction(f"{reaction.id}, backward", reaction.backward, changes, taken))
    return replace(lowered, reactions=tuple(reactions))


def _negated(coefficient: Expression) -> Expression:
    return Number(-coefficient.value) if isinstance(coefficient, Number) else Call("times", (Number(-1.0), coefficient))


def _is_below_zero(coefficient: Expression) -> bool:
    return isinstance(coefficient, Number) and coefficient.value < 0.0
