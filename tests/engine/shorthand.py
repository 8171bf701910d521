"""Short constructors of networks, with formulas as text."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.model.expression import OPERATORS, Call, Expression, Invoke, Number, Symbol, Time
from senexo.model.network import (
    Event,
    EventAssignment,
    KineticLaw,
    Network,
    Parameter,
    Reaction,
    Rule,
    SpeciesReference,
    Trigger,
)

_BINARY = {ast.Add: "plus", ast.Sub: "minus", ast.Mult: "times", ast.Div: "divide", ast.Pow: "power"}
_COMPARE = {ast.Lt: "lt", ast.LtE: "leq", ast.Gt: "gt", ast.GtE: "geq", ast.Eq: "eq", ast.NotEq: "neq"}


def formula(text: str | float) -> Expression:
    """The tree of a formula written as in Python: operators of MathML by name, `time`, other calls are functions."""
    return _tree(ast.parse(str(text), mode="eval").body)


def _tree(node: ast.expr) -> Expression:
    match node:
        case ast.Constant(value):
            return Number(float(value))
        case ast.Name("time"):
            return Time()
        case ast.Name(id):
            return Call(id) if id in OPERATORS and OPERATORS[id] == (0, 0) else Symbol(id)
        case ast.BinOp(left, operator, right):
            return Call(_BINARY[type(operator)], (_tree(left), _tree(right)))
        case ast.UnaryOp(ast.USub(), operand):
            return Call("minus", (_tree(operand),))
        case ast.UnaryOp(ast.Not(), operand):
            return Call("not", (_tree(operand),))
        case ast.BoolOp(operator, values):
            return Call("and" if isinstance(operator, ast.And) else "or", tuple(map(_tree, values)))
        case ast.Compare(left, (operator,), (right,)):
            return Call(_COMPARE[type(operator)], (_tree(left), _tree(right)))
        case ast.Call(ast.Name(id), arguments):
            trees = tuple(map(_tree, arguments))
            operator_name = id.removesuffix("_")  # and_, or_, not_ are the operators with any number of arguments
            return Call(operator_name, trees) if operator_name in OPERATORS else Invoke(id, trees)
    raise ValueError(ast.dump(node))


def reaction(id: str, law: str | float | None, reactants: str = "", products: str = "", **local: float) -> Reaction:
    """A reaction whose sides are written "A 2*B"; `local` are the parameters of its law."""

    def side(text: str) -> tuple[SpeciesReference, ...]:
        parts = [part.rpartition("*") for part in text.split()]
        return tuple(SpeciesReference(name, float(number or 1)) for number, _, name in parts)

    constants = tuple(Parameter(name, value) for name, value in local.items())
    return Reaction(
        id, side(reactants), side(products), kinetic_law=KineticLaw(None if law is None else formula(law), constants)
    )


def rules(kind: str, **maths: str | float) -> tuple[Rule, ...]:
    return tuple(Rule(kind, variable, formula(text)) for variable, text in maths.items())  # type: ignore[arg-type]


def event(
    trigger: str, id: str = "e", *, initial: bool = True, persistent: bool = True, delay: str | float | None = None,
    priority: str | float | None = None, from_trigger: bool = True, **assignments: str | float,
) -> Event:  # fmt: skip
    """An event of SBML; the assignments are variable=formula."""
    return Event(
        id=id,
        trigger=Trigger(formula(trigger), initial, persistent),
        assignments=tuple(EventAssignment(variable, formula(text)) for variable, text in assignments.items()),
        delay=None if delay is None else formula(delay),
        priority=None if priority is None else formula(priority),
        use_values_from_trigger_time=from_trigger,
    )


def system(
    start: Mapping[str, float],
    rates: Mapping[str, str] | None = None,
    assigned: Mapping[str, str] | None = None,
    events: Sequence[Event] = (),
) -> Lowered:
    """Parameters that rate rules, assignment rules and events move."""
    return lower(
        Network(
            "system",
            parameters=tuple(Parameter(id, value, constant=False) for id, value in start.items()),
            rules=(*rules("rate", **(rates or {})), *rules("assignment", **(assigned or {}))),
            events=tuple(events),
        )
    )
