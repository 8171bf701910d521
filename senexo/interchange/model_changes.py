"""Changes of a model's XML: attributes, computed values, and elements added, changed and removed.

They are made on a tree of the standard library, of a text that `senexo.base.sandbox.scan_xml` has passed; the changed
text is then read like any other model.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from senexo.base.errors import InvalidModel
from senexo.base.sandbox import MOST_BYTES, scan_xml
from senexo.interchange.document import Change, Formula
from senexo.interchange.values import number_of
from senexo.interchange.xpath import MOST_VISITS, Path, local, parse_xpath, select

_VALUE = {"parameter": "value", "localParameter": "value", "compartment": "size", "speciesReference": "stoichiometry"}


def changed(root: ElementTree.Element, changes: Sequence[Change], model: str) -> None:
    """Make all changes of a model, in their order, in place.

    Raises
    ------
    InvalidModel
        A target that names no element, or new XML that is none.
    UnsupportedFeature
        An XPath beyond `senexo.interchange.xpath`.
    """
    if (visits := len(changes) * sum(1 for _ in root.iter())) > MOST_VISITS:
        raise InvalidModel(
            f"model {model}: {len(changes):,} changes of a model of this size ({visits:,} elements to look at)"
        )
    for change in changes:
        path = parse_xpath(change.target)
        hits = select(root, path)
        if not hits:
            raise InvalidModel(f"model {model}: the target {path.text[:200]!r} names nothing")
        match change.kind:
            case "attribute":
                for _, element in hits:
                    _set(element, path, change.value or "", model)
            case "compute":
                assert change.formula is not None
                value = repr(_computed(root, change.formula, model))
                for _, element in hits:
                    _set(element, path, value, model)
            case "add":
                for _, element in hits:
                    element.extend(_new(change.xml or "", model))
            case "change" | "remove":
                _replace(hits, path, _new(change.xml or "", model) if change.kind == "change" else [], model)


def _set(element: ElementTree.Element, path: Path, value: str, model: str) -> None:
    name = path.attribute or _value_of(element)
    if name is None:
        raise InvalidModel(f"model {model}: the target {path.text[:200]!r} names no attribute")
    element.set(name, value)
    if name in _OTHER:  # a species has one of the two
        element.attrib.pop(_OTHER[name], None)


_OTHER = {"initialAmount": "initialConcentration", "initialConcentration": "initialAmount"}


def _value_of(element: ElementTree.Element) -> str | None:
    """The attribute that holds the value of a quantity."""
    if local(element) == "species":
        return "initialAmount" if element.get("initialAmount") is not None else "initialConcentration"
    return _VALUE.get(local(element))


def _computed(root: ElementTree.Element, formula: Formula, model: str) -> float:
    """A formula of numbers that stand in the model's attributes."""
    values: dict[str, float] = {}
    for variable in formula.variables:
        path = parse_xpath(variable.target or "")
        hits = select(root, path)
        name = path.attribute or (_value_of(hits[0][1]) if len(hits) == 1 else None)
        text = hits[0][1].get(name) if len(hits) == 1 and name is not None else None
        try:
            values[variable.id] = float(text if text is not None else "none")
        except ValueError:
            where = f"model {model}: computeChange, variable {variable.id}"
            raise InvalidModel(f"{where}: the target {path.text[:200]!r} names no number in the model") from None
    return number_of(formula, values, f"model {model}: computeChange")


def _new(text: str, model: str) -> list[ElementTree.Element]:
    """The elements in the text of <newXML>."""
    data = text.encode()
    if not data.strip() or len(data) > MOST_BYTES:
        raise InvalidModel(f"model {model}: newXML without an element, or larger than {MOST_BYTES // 2**20} MiB")
    try:
        scan_xml(data)
    except InvalidModel as error:
        raise InvalidModel(f"model {model}: newXML: {error}") from None
    root = ElementTree.fromstring(data)
    return list(root) if local(root) == "newXML" else [root]


def _replace(
    hits: list[tuple[ElementTree.Element | None, ElementTree.Element]], path: Path, new: list[ElementTree.Element],
    model: str,
) -> None:  # fmt: skip
    for parent, element in hits:
        if path.attribute is not None and not new:
            element.attrib.pop(path.attribute, None)
        elif parent is None or path.attribute is not None:
            raise InvalidModel(f"model {model}: the target {path.text[:200]!r} cannot be replaced or removed")
        else:
            at = list(parent).index(element)
            parent.remove(element)
            for k, one in enumerate(new):
                parent.insert(at + k, one)


def text_of(root: ElementTree.Element) -> bytes:
    """A tree as XML whose elements have no prefixes, as libSBML reads them best; the tree is not changed.

    Notes and annotations are left out, but for those of functions, which may say what a function means.
    """
    copy = _unprefixed(root, "")
    return ElementTree.tostring(copy, encoding="utf-8", xml_declaration=True)


def _unprefixed(root: ElementTree.Element, outer: str) -> ElementTree.Element:
    top = ElementTree.Element("")
    pending = [(root, outer, top)]
    while pending:
        element, default, parent = pending.pop()
        if not isinstance(element.tag, str):
            continue
        space, _, name = element.tag.rpartition("}")
        if name == "notes" or (name == "annotation" and parent.tag != "functionDefinition"):
            continue
        space = space.removeprefix("{") or default
        copy = ElementTree.SubElement(parent, name, element.attrib)
        if space != default:
            copy.set("xmlns", space)
        copy.text, copy.tail = element.text, element.tail
        pending += [(child, space, copy) for child in reversed(list(element))]
    return top[0]
