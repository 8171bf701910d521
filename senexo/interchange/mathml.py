"""Content MathML of SED-ML as closed expression trees, with the standard library alone.

libSBML reads MathML too, but cannot share a process with libSEDML: their bindings mix up each other's types.
"""

from __future__ import annotations

from xml.etree import ElementTree

from senexo.base.errors import InvalidModel
from senexo.model.expression import OPERATORS, Call, Expression, Invoke, Number, Symbol, Time

_SPELLED = {"ceil": "ceiling", "rateof": "rateOf"}
_FIRST = {"log": ("logbase", 10.0), "root": ("degree", 2.0)}
AGGREGATES = ("min", "max", "sum", "product")  # functions of SED-ML that make one number of all values
_TIMES = ("urn:sedml:symbol:time", "http://www.sbml.org/sbml/symbols/time")
MOST_DEPTH = 200


def read_mathml(text: str, where: str) -> Expression:
    """The formula of a ``<math>`` element; raises `InvalidModel` for what SED-ML's MathML does not have."""
    root = ElementTree.fromstring(text)
    parts = [child for child in root if isinstance(child.tag, str)]
    if _tag(root) != "math" or len(parts) != 1:
        raise InvalidModel(f"{where}: its math has {len(parts)} formulas, not one")
    return _formula(parts[0], where, 0)


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _formula(element: ElementTree.Element, where: str, depth: int) -> Expression:
    if depth > MOST_DEPTH:
        raise InvalidModel(f"{where}: a formula is nested more than {MOST_DEPTH} deep")
    tag, text = _tag(element), (element.text or "").strip()
    match tag:
        case "cn":
            return _number(element, where)
        case "ci":
            return Symbol(text)
        case "csymbol" if element.get("definitionURL") in _TIMES:
            return Time()
        case "apply":
            return _applied(element, where, depth)
        case "piecewise":
            parts = [one for piece in element for one in piece]
            return Call("piecewise", tuple(_formula(one, where, depth + 1) for one in parts))
        case _ if OPERATORS.get(tag) == (0, 0):
            return Call(tag)
        case "notanumber":
            return Number(float("nan"))
        case "infinity":
            return Number(float("inf"))
    raise InvalidModel(f"{where}: {tag} in a formula is not supported")


def _number(element: ElementTree.Element, where: str) -> Expression:
    parts = [(element.text or "").strip(), *((child.tail or "").strip() for child in element)]
    kind = element.get("type", "real")
    try:
        if kind == "e-notation" and len(parts) == 2:
            return Number(float(f"{parts[0]}e{parts[1]}"))
        if kind == "rational" and len(parts) == 2:
            return Number(float(parts[0]) / float(parts[1]))
        return Number(float(parts[0]))
    except (ValueError, ZeroDivisionError):
        raise InvalidModel(f"{where}: {' '.join(parts)!r:.60} is not a number") from None


def _applied(element: ElementTree.Element, where: str, depth: int) -> Expression:
    if not len(element):
        raise InvalidModel(f"{where}: an empty apply")
    head, *rest = list(element)
    tag = _tag(head)
    first: tuple[Expression, ...] = ()
    if tag in _FIRST:
        name, default = _FIRST[tag]
        given = [child[0] for child in rest if _tag(child) == name and len(child)]
        rest = [child for child in rest if _tag(child) != name]
        first = (_formula(given[0], where, depth + 1) if given else Number(default),)
    arguments = (*first, *(_formula(child, where, depth + 1) for child in rest))
    if tag in ("ci", "csymbol"):
        name = (head.text or "").strip()
        if name not in AGGREGATES or len(arguments) != 1:
            raise InvalidModel(f"{where}: the function {name!r:.60} is not supported (only {', '.join(AGGREGATES)})")
        return Invoke(name, arguments)
    try:
        return Call(_SPELLED.get(tag, tag), arguments)
    except (KeyError, ValueError):
        raise InvalidModel(f"{where}: {tag} of {len(arguments)} arguments is not supported in a formula") from None
