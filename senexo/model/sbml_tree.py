"""Small steps over libSBML's objects, shared by all that reads them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import count
from typing import Any

import libsbml


def each(parent: Any, plural: str) -> Iterable[Any]:
    """The elements of a listOf."""
    items = getattr(parent, f"getListOf{plural}")()
    return (items.get(i) for i in range(items.size()))


def optional(element: Any, name: str) -> Any:
    """An attribute's value, None where it is not set."""
    return getattr(element, f"get{name}")() if getattr(element, f"isSet{name}")() else None


def known(element: Any, name: str) -> float | None:
    """A number's value; in SBML NaN and a value left out both mean that it is not known."""
    value = optional(element, name)
    return None if value is None or math.isnan(value) else value


class FreshIds:
    """Ids that nothing in a model has."""

    def __init__(self, model: libsbml.Model) -> None:
        elements = model.getListOfAllElements()
        self.taken = {e.getId() for i in range(elements.getSize()) if (e := elements.get(i)).isSetId()}
        self.numbers = count(1)

    def take(self, stem: str) -> str:
        id = next(id for number in self.numbers if (id := f"{stem}_{number}") not in self.taken)
        self.taken.add(id)
        return id
