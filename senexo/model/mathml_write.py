"""Closed expression trees as MathML, in the form that reads back as the same tree with the same floats."""

from __future__ import annotations

import math
from decimal import Decimal
from xml.etree.ElementTree import Element, SubElement

from senexo.model.expression import Call, Expression, Invoke, Number, Slot, Symbol, Time

MATHML = "http://www.w3.org/1998/Math/MathML"
_CSYMBOL = "http://www.sbml.org/sbml/symbols/"
_CONSTANTS = {"true", "false", "pi", "exponentiale"}
# The first argument stands in an element of its own, and is left out where it is what readers take for granted.
_QUALIFIED = {"log": ("logbase", Number(10.0)), "root": ("degree", Number(2.0))}


def math_element(math: Expression) -> Element:
    """The `math` element of a formula."""
    root = Element("math", xmlns=MATHML)
    write_formula(root, math)
    return root


def lambda_element(arguments: tuple[str, ...], body: Expression | None) -> Element:
    """The `math` element of a function definition."""
    root = Element("math", xmlns=MATHML)
    function = SubElement(root, "lambda")
    for argument in arguments:
        SubElement(SubElement(function, "bvar"), "ci").text = argument
    if body is not None:
        write_formula(function, body)
    return root


def write_formula(parent: Element, node: Expression) -> None:
    """Append the formula to `parent`."""
    match node:
        case Number(value):
            _write_number(parent, value)
        case Symbol(id):
            SubElement(parent, "ci").text = id
        case Time():
            _write_csymbol(parent, "time")
        case Call("avogadro"):
            _write_csymbol(parent, "avogadro")
        case Call(operator) if operator in _CONSTANTS:
            SubElement(parent, operator)
        case Call("piecewise", arguments):
            _write_piecewise(parent, arguments)
        case Call(operator, arguments):
            apply = SubElement(parent, "apply")
            if operator in ("rateOf", "delay"):
                _write_csymbol(apply, operator)
            else:
                SubElement(apply, operator)
            if operator in _QUALIFIED:
                tag, usual = _QUALIFIED[operator]
                if arguments[0] != usual:
                    write_formula(SubElement(apply, tag), arguments[0])
                arguments = arguments[1:]
            for argument in arguments:
                write_formula(apply, argument)
        case Invoke(function, arguments):
            apply = SubElement(parent, "apply")
            SubElement(apply, "ci").text = function
            for argument in arguments:
                write_formula(apply, argument)
        case Slot():
            raise TypeError("a lowered formula has no MathML")


def _write_csymbol(parent: Element, name: str) -> None:
    SubElement(parent, "csymbol", encoding="text", definitionURL=_CSYMBOL + name).text = name


def _write_piecewise(parent: Element, arguments: tuple[Expression, ...]) -> None:
    piecewise = SubElement(parent, "piecewise")
    for i in range(0, len(arguments) - 1, 2):
        piece = SubElement(piecewise, "piece")
        write_formula(piece, arguments[i])
        write_formula(piece, arguments[i + 1])
    if len(arguments) % 2:
        write_formula(SubElement(piecewise, "otherwise"), arguments[-1])


def _write_number(parent: Element, value: float) -> None:
    if math.isnan(value):
        SubElement(parent, "notanumber")
    elif math.isinf(value):
        if value < 0:
            parent = SubElement(parent, "apply")
            SubElement(parent, "minus")
        SubElement(parent, "infinity")
    else:
        _write_finite(parent, value)


def _write_finite(parent: Element, value: float) -> None:
    """A `cn` that gives the same float back: plain decimals, or e-notation where these would be long.

    Readers see the mantissa of e-notation as a float of its own, so 17 digits may not survive in it; then
    the long decimal is written after all.
    """
    exact = Decimal(repr(value))
    shift = exact.adjusted()
    if not -6 <= shift <= 15:
        mantissa = exact.scaleb(-shift)
        if Decimal(repr(float(mantissa))).scaleb(shift) == exact:
            cn = SubElement(parent, "cn", type="e-notation")
            cn.text = f"{mantissa:f}"
            SubElement(cn, "sep").tail = str(shift)
            return
    SubElement(parent, "cn").text = f"{exact:f}"
