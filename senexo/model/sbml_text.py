"""The text of an SBML file before libSBML sees it: what only draws is taken out, what is no number is refused.

libSBML refuses packages in Level 2 and faults in drawings, and reads numbers as C does (`0x10` is 16).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from senexo.base.errors import InvalidModel, UnsupportedFeature

# Packages that only draw or group; namespaces of the drawings that Level 2 files carry.
DRAWINGS = {"layout", "render", "groups"}
_LEVEL_2_DRAWING = "http://projects.eml.org/bcb/sbml"
FLATTENED = "comp"  # models made of models: libSBML's converter makes one of them
LENT = "l3v2extendedmath"  # functions of L3V2 lent to L3V1, which core reads anyway
_PACKAGE = re.compile(r"http://www\.sbml\.org/sbml/level3/version\d+/(?!core)([A-Za-z0-9_]+)/version\d+")
_CORE = re.compile(r"http://www\.sbml\.org/sbml/level(2(/version\d)?|3/version\d/core)")
_MATHML = "http://www.w3.org/1998/Math/MathML"
# XML Schema double (https://www.w3.org/TR/xmlschema-2/#double), which SBML's numbers are
_DOUBLE = re.compile(r"\s*([+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|-?INF|NaN)\s*\Z")
_NUMBERS = {
    "size", "volume", "initialAmount", "initialConcentration", "value", "stoichiometry", "multiplier", "exponent",
    "scale", "offset", "spatialDimensions",
}  # fmt: skip


def package_name(namespace: str) -> str:
    """The short name of a package: "layout" of its namespace; "" for what is no package of Level 3.

    >>> package_name("http://www.sbml.org/sbml/level3/version1/layout/version1")
    'layout'
    """
    found = _PACKAGE.fullmatch(namespace)
    return found[1] if found else ""


def is_drawing(namespace: str) -> bool:
    return package_name(namespace) in DRAWINGS or namespace.startswith(_LEVEL_2_DRAWING)


@dataclass
class _Seen:
    """What one pass over the file finds."""

    core: str = ""
    required: dict[str, bool] = field(default_factory=dict)  # declared packages, by namespace
    used: set[str] = field(default_factory=set)  # namespaces of elements outside annotations
    attributes: set[str] = field(default_factory=set)  # namespaces of attributes, but for `required` of <sbml>
    drawn: list[tuple[int, int]] = field(default_factory=list)  # bytes of elements that draw
    root_end: int = 0


def prepared(data: bytes) -> bytes:
    """The file without drawings and without declarations of packages that nothing uses; lines stay where they are.

    data: in UTF-8. Raises `UnsupportedFeature` for a package that changes the mathematics and has an element or
    attribute in the file, and `InvalidModel` for a number that is none.
    """
    seen = _pass(data)
    level_2 = _CORE.fullmatch(seen.core) is not None and "level2" in seen.core
    useless = set()
    for namespace, required in seen.required.items():
        used = namespace in seen.used | seen.attributes
        name = package_name(namespace) or namespace
        if name == LENT or (name == FLATTENED and used):
            continue
        if is_drawing(namespace) or not used or (level_2 and not required):
            if namespace not in seen.attributes:
                useless.add(namespace)
        elif required:
            raise UnsupportedFeature(f"package {name}", "it changes the mathematics of the model")
    head, body = data[: seen.root_end], data[seen.root_end :]
    text = bytearray(data)
    for begin, end in seen.drawn:
        text[begin:end] = re.sub(rb"[^\n]", b" ", data[begin:end])
    body = bytes(text[seen.root_end :])
    return _without(head, useless, body) + body


def _without(head: bytes, namespaces: set[str], body: bytes) -> bytes:
    """The root's tag without the declarations of these namespaces, where nothing behind it has their prefix."""
    for prefix, uri in re.findall(rb"""xmlns:([\w.-]+)\s*=\s*["']([^"']*)["']""", head):
        if uri.decode() in namespaces and not re.search(rb"[</\s]" + re.escape(prefix) + rb":", body):
            quoted = rb"""\s*=\s*("[^"]*"|'[^']*')"""
            head = re.sub(rb"\sxmlns:" + re.escape(prefix) + quoted, _blank, head)
            head = re.sub(rb"\s" + re.escape(prefix) + rb":[\w.-]+" + quoted, _blank, head)
    return head


def _blank(found: re.Match[bytes]) -> bytes:
    return re.sub(rb"[^\n]", b" ", found[0])


def _pass(data: bytes) -> _Seen:
    seen = _Seen()
    parser = expat.ParserCreate(namespace_separator="|")
    parser.buffer_text = True
    inside: list[tuple[str, str]] = []  # namespace and name of the open elements
    drawing: list[int] = []  # where the outermost open element that draws begins, and its depth
    numbers: list[str] = []  # text of the open <cn>

    def start(name: str, attributes: Mapping[str, str]) -> None:
        namespace, _, local = name.rpartition("|")
        place, line = parser.CurrentByteIndex, parser.CurrentLineNumber
        if len(inside) == 1 and not seen.root_end:
            seen.root_end = _end_of_root(data)
        if not inside:
            seen.core = namespace
        described = any(tag in ("annotation", "notes") for _, tag in inside)
        for attribute, value in attributes.items():
            package, _, key = attribute.rpartition("|")
            if not inside and package and key == "required":
                seen.required[package] = value.strip() in ("true", "1")
            elif package and not described and not drawing:
                seen.attributes.add(package)
            elif not package and not described and _CORE.fullmatch(namespace) and key in _NUMBERS:
                _check(value, line, f"{key} of <{local}>")
        if not drawing and inside and is_drawing(namespace) and not described:
            drawing.extend((place, len(inside)))
        if not described and not drawing:
            seen.used.add(namespace)
        inside.append((namespace, local))
        if namespace == _MATHML and local == "cn" and "base" not in attributes and not described:
            numbers.append("")

    def end(name: str) -> None:
        inside.pop()
        if drawing and len(inside) == drawing[1]:
            seen.drawn.append((drawing[0], _end_of_tag(data, parser.CurrentByteIndex)))
            drawing.clear()
        if numbers and name == f"{_MATHML}|cn":
            for part in numbers.pop().split("\0"):
                _check(part, parser.CurrentLineNumber, "<cn>")
        elif numbers and name == f"{_MATHML}|sep":
            numbers[-1] += "\0"

    def text(characters: str) -> None:
        if numbers:
            numbers[-1] += characters

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.Parse(data, True)
    seen.root_end = seen.root_end or len(data)
    return seen


def _end_of_root(data: bytes) -> int:
    """Behind the start tag of <sbml>; a `>` may stand in the value of an attribute."""
    begin = re.search(rb"<(?![?!])", data)
    return _end_of_tag(data, begin.start() if begin else 0)


def _end_of_tag(data: bytes, begin: int) -> int:
    """Behind the tag that begins there."""
    found = re.compile(rb"""<(?:[^"'>]|"[^"]*"|'[^']*')*>""").match(data, begin)
    return found.end() if found else begin


def _check(value: str, line: int, where: str) -> None:
    if not _DOUBLE.match(value):
        raise InvalidModel(
            f"line {line}: {where} is {value.strip()[:40]!r}, expected a number as in XML Schema (16, 1.6e1, INF, NaN)"
        )
