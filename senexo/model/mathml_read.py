"""libSBML's formula trees as closed expression trees; runs only in the parser's process."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import libsbml

from senexo.base.errors import InvalidModel
from senexo.model.expression import OPERATORS, Call, Expression, Invoke, Number, Symbol, Time

# libSBML's node type -> our operator, wherever the two differ only in spelling
_NAMED = {
    libsbml.AST_PLUS: "plus",
    libsbml.AST_MINUS: "minus",
    libsbml.AST_TIMES: "times",
    libsbml.AST_DIVIDE: "divide",
    libsbml.AST_POWER: "power",
    libsbml.AST_FUNCTION_POWER: "power",
    libsbml.AST_CONSTANT_E: "exponentiale",
    libsbml.AST_CONSTANT_PI: "pi",
    libsbml.AST_CONSTANT_TRUE: "true",
    libsbml.AST_CONSTANT_FALSE: "false",
    libsbml.AST_NAME_AVOGADRO: "avogadro",
    libsbml.AST_FUNCTION_RATE_OF: "rateOf",
    **{
        getattr(libsbml, f"AST_{group}_{name.upper()}"): name
        for name in OPERATORS
        for group in ("FUNCTION", "LOGICAL", "RELATIONAL")
        if hasattr(libsbml, f"AST_{group}_{name.upper()}")
    },
}

# (a + b) + c is a + b + c, term for term in the same order; libSBML gives every sum as nested pairs.
_FLAT = {"plus", "times", "and", "or", "xor"}

# What MathML leaves out: log is to base 10, root is the square root.
_FIRST_ARGUMENT = {"log": Number(10.0), "root": Number(2.0)}

# Without arguments L3V2 gives these no value.
_VALUELESS = {"min", "max", "piecewise"}


def formula(root: libsbml.ASTNode, where: str) -> Expression:
    """The closed tree of a libSBML formula, built without recursion.

    Raises `InvalidModel` for anything that SBML's MathML does not have.
    """
    built: list[Expression] = []
    pending: list[tuple[libsbml.ASTNode, bool]] = [(root, False)]
    while pending:
        node, ready = pending.pop()
        count = node.getNumChildren()
        if count and not ready:
            pending.append((node, True))
            pending.extend((node.getChild(i), False) for i in reversed(range(count)))
            continue
        arguments = tuple(built[len(built) - count :])
        del built[len(built) - count :]
        built.append(_node(node, arguments, where))
    return built[0]


def formula_of(element: Any, where: str) -> Expression | None:
    """The formula inside an SBML element; None where the element or its formula is missing."""
    tree = element.getMath() if element is not None and element.isSetMath() else None
    return None if tree is None else formula(tree, where)


def _node(node: libsbml.ASTNode, arguments: tuple[Expression, ...], where: str) -> Expression:
    kind = node.getType()
    if kind in _NAMED:
        return _call(_NAMED[kind], arguments, where)
    if node.isNumber():
        return Number(_number(node))
    if kind == libsbml.AST_NAME:
        return Symbol(node.getName())
    if kind == libsbml.AST_NAME_TIME:
        return Time()
    if kind == libsbml.AST_FUNCTION:
        return Invoke(node.getName(), arguments)
    raise InvalidModel(f"{where}: SBML has no {node.getName() or node.getOperatorName() or 'such element'} in formulas")


def _call(operator: str, arguments: tuple[Expression, ...], where: str) -> Expression:
    if operator in _FLAT and arguments:
        first = arguments[0]
        if isinstance(first, Call) and first.operator == operator and len(first.arguments) > 1:
            arguments = first.arguments + arguments[1:]
    elif operator in _FIRST_ARGUMENT and len(arguments) == 1:
        arguments = (_FIRST_ARGUMENT[operator], *arguments)
    elif operator == "minus" and arguments == (Number(math.inf),):
        return Number(-math.inf)  # MathML has no other way to write it
    elif operator in _VALUELESS and not arguments:
        return Number(math.nan)
    elif operator == "rateOf" and not (len(arguments) == 1 and isinstance(arguments[0], Symbol)):
        raise InvalidModel(f"{where}: rateOf takes the name of one quantity")
    try:
        return Call(operator, arguments)
    except ValueError as error:
        raise InvalidModel(f"{where}: {error}") from None


def _number(node: libsbml.ASTNode) -> float:
    kind = node.getType()
    if kind == libsbml.AST_INTEGER:
        return float(node.getInteger())
    if kind == libsbml.AST_REAL_E and math.isfinite(node.getMantissa()):
        return _scaled(node.getMantissa(), node.getExponent())
    return float(node.getValue())


def _scaled(mantissa: float, exponent: int) -> float:
    """mantissa * 10^exponent rounded once, by way of its decimal digits."""
    sign, digits, shift = Decimal(repr(mantissa)).as_tuple()
    return float(Decimal((sign, digits, int(shift) + exponent)))
