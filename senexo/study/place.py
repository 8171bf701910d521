"""One place of a study file: its value, its path, and the faults found so far.

Readers ask a place for what they need (`text`, `whole`, `quantity`, `table` ...) and get it, or None after the fault
has been noted; so one pass over a file finds all its faults.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from senexo.base.errors import Fault, InvalidInput
from senexo.base.units import Kind, parse, shown

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
MOST_NAMED = 40  # names listed in one message


@dataclass(frozen=True, slots=True)
class Place:
    """A value with its path, such as ``arms.mimic.dose.copies[2]`` in ``study.toml``."""

    value: Any
    path: str
    file: str
    faults: list[Fault]

    def fault(self, expected: str, *, found: str | None = None) -> None:
        """Note a fault; `found` is this place's value unless given."""
        self.faults.append(Fault(f"{self.file}: {self.path}", found or shown(self.value), expected))

    def at(self, key: str | int) -> Place:
        """The place below by a table's key or a list's index."""
        if isinstance(key, int):
            return Place(self.value[key], f"{self.path}[{key}]", self.file, self.faults)
        name = key if _BARE_KEY.fullmatch(key) else f'"{key}"'
        return Place(self.value[key], f"{self.path}.{name}" if self.path else name, self.file, self.faults)

    def get(self, key: str) -> Place | None:
        """The place below, or None when this is no table or the key is absent."""
        return self.at(key) if isinstance(self.value, dict) and key in self.value else None

    def table(self, allowed: Iterable[str] | None = None, *, expected: str = "a table") -> bool:
        """Whether this is a table; keys that are not allowed are faults that suggest the nearest name."""
        if not isinstance(self.value, dict):
            self.fault(expected)
            return False
        for key in self.value if allowed is not None else ():
            known = list(allowed or ())
            if key not in known:
                self.at(key).fault(named(key, known, "keys"), found=f"the unknown key {shown(key)}")
        return True

    def items(self) -> Iterator[tuple[str, Place]]:
        """Key and place of every entry of a table, in the file's order; nothing for what is no table."""
        if isinstance(self.value, dict):
            for key in self.value:
                yield key, self.at(key)

    def elements(self) -> list[Place]:
        """The places of a list's elements; anything else is its own only element."""
        return [self.at(k) for k in range(len(self.value))] if isinstance(self.value, list) else [self]

    def listed(self, expected: str) -> list[Place]:
        """The elements of what must be a list with something in it."""
        if not isinstance(self.value, list) or not self.value:
            self.fault(expected, found="an empty list" if self.value == [] else None)
            return []
        return self.elements()

    def text(self, expected: str = "a text", *, most: int = 500) -> str | None:
        """A text with something in it, of one line."""
        value = self.value
        if isinstance(value, str) and value.strip() and len(value) <= most and value.isprintable():
            return value
        self.fault(expected)
        return None

    def one_of(self, known: Iterable[str], what: str) -> str | None:
        """A text that is one of the known names."""
        names = list(known)
        if isinstance(self.value, str) and self.value in names:
            return self.value
        self.fault(named(self.value, names, what))
        return None

    def whole(self, low: int, high: int, example: int) -> int | None:
        """A whole number within bounds (true and false are no numbers)."""
        value = self.value
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.fault(f"a whole number from {low} to {high}, e.g. {example}")
        return None

    def quantity(self, kind: Kind) -> float | None:
        """A quantity with its unit, in the unit of `kind`."""
        try:
            return parse(self.value, kind, where=f"{self.file}: {self.path}")
        except InvalidInput as error:
            self.faults.extend(error.faults)
            return None


def named(found: object, known: Iterable[str], what: str) -> str:
    """What a message expects instead of an unknown name: the nearest one if there is any, and the list.

    what: the kind of names, in the plural.

    >>> named("dosis", ["dose", "cut"], "keys")
    '"dose"? (keys: dose, cut)'
    """
    names = list(known)
    if not names:
        return f"nothing: there are no {what} here"
    close = _nearest(found, names) if isinstance(found, str) and found else []
    listed = ", ".join(names[:MOST_NAMED]) + (", ..." if len(names) > MOST_NAMED else "")
    return f'"{close[0]}"? ({what}: {listed})' if close else f"one of the {what}: {listed}"


def _nearest(found: str, names: list[str]) -> list[str]:
    """The most similar name, else one that goes on where `found` stops; capitals do not count."""
    folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(found.casefold(), folded, n=1, cutoff=0.65)
    longer = [name for name in folded if name.startswith(found.casefold())]
    return [folded[name] for name in near or longer[:1]]
