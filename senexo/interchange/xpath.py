"""The XPath of SED-ML targets: steps by name with predicates on attributes; parsed, never handed to an engine.

    path      = {("/" | "//") step} ["/@" name]
    step      = [prefix ":"] (name | "*") {"[" predicate "]"}
    predicate = "@" name "=" quoted {"and" ...} | number

Prefixes are read over: a step matches the local name in any namespace.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from senexo.base.errors import UnsupportedFeature

MOST_STEPS = 64
MOST_VISITS = 20_000_000  # elements that the targets of one document go through
MOST_DEEP = 1  # steps at any depth: each goes through all elements below
_STEP = re.compile(r"(/{1,2})(?:child::|descendant::)?(?:[\w.-]+:)?([\w.-]+|\*)")
_ATTRIBUTE = re.compile(r"/(?:@|attribute::)(?:[\w.-]+:)?([\w.-]+)\Z")
_TEST = re.compile(r"""\s*@(?:[\w.-]+:)?([\w.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')\s*""")
_PLACE = re.compile(r"\s*(\d{1,6})\s*")


@dataclass(frozen=True, slots=True)
class Step:
    """Elements called `name` ("*": any), `deep`: at any depth; with these attributes, and of them the `place`-th."""

    name: str
    deep: bool
    attributes: tuple[tuple[str, str], ...] = ()
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """The steps from the root, and the attribute at the end."""

    steps: tuple[Step, ...]
    attribute: str | None
    text: str


def parse_xpath(text: str) -> Path:
    """The steps of a target; raises `UnsupportedFeature` for more of XPath than the grammar above.

    >>> parse_xpath("/sbml:sbml/sbml:model/sbml:listOfSpecies/sbml:species[@id='S']/@initialAmount").attribute
    'initialAmount'
    """
    found = _ATTRIBUTE.search(text)
    attribute, end = (found.group(1), found.start()) if found else (None, len(text))
    steps: list[Step] = []
    at = 0
    while at < end:
        step = _STEP.match(text, at, end)
        if step is None or len(steps) == MOST_STEPS:
            raise _refused(text, at)
        at = step.end()
        deep = step.group(1) == "//" or "descendant::" in step.group()
        attributes: list[tuple[str, str]] = []
        place = None
        while at < end and text[at] == "[":
            at, tests, number = _predicate(text, at + 1, end)
            attributes += tests
            place = number if number is not None else place
        steps.append(Step(step.group(2), deep, tuple(attributes), place))
        if sum(one.deep for one in steps) > MOST_DEEP:
            raise UnsupportedFeature(f"XPath with more than {MOST_DEEP} steps at any depth (//)", repr(text[:200]))
    if not steps:
        raise _refused(text, 0)
    return Path(tuple(steps), attribute, text)


def _predicate(text: str, at: int, end: int) -> tuple[int, list[tuple[str, str]], int | None]:
    place = _PLACE.match(text, at, end)
    if place and text[place.end() : place.end() + 1] == "]":
        return place.end() + 1, [], int(place.group(1))
    tests = []
    while test := _TEST.match(text, at, end):
        tests.append((test.group(1), test.group(2) if test.group(2) is not None else test.group(3)))
        at = test.end()
        if text.startswith("and", at):
            at += 3
            continue
        if text[at : at + 1] == "]":
            return at + 1, tests, None
        break
    raise _refused(text, at)


def _refused(text: str, at: int) -> UnsupportedFeature:
    return UnsupportedFeature("XPath beyond names, attributes and positions", f"{text[:200]!r}, character {at + 1}")


def select(root: Element, path: Path) -> list[tuple[Element | None, Element]]:
    """Every element that a path names, with its parent (None: of the root), in the order of the document."""
    found: list[tuple[Element | None, Element]] = [(None, _above(root))]
    for step in path.steps:
        # each element once: what // finds from several parents
        found = list(
            {id(element): (parent, element) for _, start in found for parent, element in _hits(start, step)}.values()
        )
    return [(None if parent is not None and parent.tag == "" else parent, element) for parent, element in found]


def _above(root: Element) -> Element:
    above = Element("")
    above.append(root)
    return above


def _hits(element: Element, step: Step) -> list[tuple[Element | None, Element]]:
    pairs = _below(element) if step.deep else ((element, child) for child in element)
    hits: list[tuple[Element | None, Element]] = [
        (parent, child) for parent, child in pairs
        if isinstance(child.tag, str) and step.name in ("*", local(child))
        and all(_attribute(child, name) == value for name, value in step.attributes)
    ]  # fmt: skip
    if step.place is not None:
        return hits[step.place - 1 : step.place] if step.place else []
    return hits


def _below(element: Element) -> Iterator[tuple[Element, Element]]:
    pending = deque([element])
    while pending:
        parent = pending.popleft()
        for child in parent:
            yield parent, child
            pending.append(child)


def _attribute(element: Element, name: str) -> str | None:
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), None)


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]
