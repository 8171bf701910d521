"""A network as plain data (lists, strings, numbers) and back: what crosses from the parser's process.

Every dataclass becomes the list of its fields in order; every formula becomes a list in postfix order, so
that neither direction recurses into formulas. Reading back trusts nothing: types, operators, argument
counts, identifiers and depth are checked.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import senexo.model.network as words
from senexo.base.errors import InvalidModel
from senexo.model.expression import OPERATORS, Call, Expression, Invoke, Number, Slot, Symbol, Time, children
from senexo.model.network import Network

SID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

# Formulas are compared and walked by recursion, up to four frames a level; Python allows 1000 frames.
MOST_LEVELS = 200

_FORMULA = {Number, Symbol, Time, Slot, Call, Invoke}

# Every part a network is made of, with the names and types of its fields.
_PARTS: dict[type, tuple[tuple[str, Any], ...]] = {
    part: tuple(get_type_hints(part).items())
    for part in vars(words).values()
    if isinstance(part, type) and is_dataclass(part)
}


def to_plain(network: Network) -> list[Any]:
    """The network as JSON-ready lists.

    >>> to_plain(Network("m"))[:2]
    ['m', None]
    """
    plain: list[Any] = _plain(network)
    return plain


def from_plain(plain: object) -> Network:
    """The network that `to_plain` wrote; raises `InvalidModel` for anything else.

    >>> from_plain(to_plain(Network("m"))) == Network("m")
    True
    """
    network = _built(Network, plain, "network")
    assert isinstance(network, Network)
    return network


def postfix(math: Expression) -> list[list[Any]]:
    """A formula as tokens, arguments before what they are arguments of."""
    tokens: list[list[Any]] = []
    pending = [math]
    while pending:
        node = pending.pop()
        tokens.append(_token(node))
        pending.extend(children(node))
    tokens.reverse()
    return tokens


def _token(node: Expression) -> list[Any]:
    match node:
        case Number(value):
            return ["n", value]
        case Symbol(id):
            return ["s", id]
        case Time():
            return ["t"]
        case Call(operator, arguments):
            return ["c", operator, len(arguments)]
        case Invoke(function, arguments):
            return ["i", function, len(arguments)]
        case Slot():
            raise TypeError("a lowered formula cannot be stored")


def from_postfix(tokens: object) -> Expression:
    """The formula of `postfix`; every token is checked."""
    if not isinstance(tokens, list):
        raise InvalidModel("a formula is not a list")
    stack: list[tuple[Expression, int]] = []
    for token in tokens:
        match token:
            case ["n", int() | float() as value] if not isinstance(value, bool):
                stack.append((Number(_float(value)), 1))
            case ["s", str() as id]:
                stack.append((Symbol(checked_id(id)), 1))
            case ["t"]:
                stack.append((Time(), 1))
            case ["c" | "i" as kind, str() as name, int() as count] if 0 <= count <= len(stack):
                taken = stack[len(stack) - count :]
                del stack[len(stack) - count :]
                depth = 1 + max((depth for _, depth in taken), default=0)
                if depth > MOST_LEVELS:
                    raise InvalidModel(f"a formula is nested more than {MOST_LEVELS} deep")
                arguments = tuple(node for node, _ in taken)
                stack.append((_applied(kind, name, arguments), depth))
            case _:
                raise InvalidModel(f"not a part of a formula: {token!r:.60}")
    if len(stack) != 1:
        raise InvalidModel("a formula is incomplete")
    return stack[0][0]


def _applied(kind: str, name: str, arguments: tuple[Expression, ...]) -> Expression:
    if kind == "i":
        return Invoke(checked_id(name), arguments)
    if name not in OPERATORS:
        raise InvalidModel(f"no operator is called {name!r:.60}")
    try:
        return Call(name, arguments)
    except ValueError as error:
        raise InvalidModel(str(error)) from None


def checked_id(id: str) -> str:
    """The id, if it is one by SBML's grammar for SIds; nothing else may become a name inside senexo."""
    if not SID.match(id):
        raise InvalidModel(f"{id!r:.60} is not a valid id (a letter or _, then letters, digits or _)")
    return id


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _plain(value: object) -> Any:
    if type(value) in _FORMULA:
        return postfix(value)  # type: ignore[arg-type]
    if is_dataclass(value):
        return [_plain(getattr(value, f.name)) for f in fields(value)]
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _built(hint: Any, value: object, where: str) -> Any:
    """The value as the type hint wants it."""
    if hint == Expression:
        return from_postfix(value)
    if hint in _PARTS:
        items = _listed(value, where, len(_PARTS[hint]))
        return hint(*(_built(h, item, name) for (name, h), item in zip(_PARTS[hint], items, strict=True)))
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        if value is None:
            return None
        rest = [h for h in get_args(hint) if h is not NoneType]
        return _built(Expression if set(rest) == _FORMULA else rest[0], value, where)
    if origin is tuple:
        return tuple(_built(get_args(hint)[0], item, where) for item in _listed(value, where))
    return _simple(hint, value, where)


def _simple(hint: Any, value: object, where: str) -> Any:
    if get_origin(hint) is Literal:
        if value in get_args(hint):
            return value
    elif hint is float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _float(value)
    elif type(value) is hint:
        # `name` is free text for people; every other string is an id.
        return value if hint is not str or where == "name" else checked_id(str(value))
    raise InvalidModel(f"{where}: {value!r:.60} is not allowed here")


def _listed(value: object, where: str, length: int | None = None) -> Iterable[Any]:
    if not isinstance(value, list) or (length is not None and len(value) != length):
        raise InvalidModel(f"{where}: {value!r:.60} is not allowed here")
    return value
