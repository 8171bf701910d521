"""A place in a study file: the value as it is written there, its path, and the faults found so far."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from senexo.base.errors import Fault, InvalidInput
from senexo.base.units import Kind, parse, shown

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
MAX_NAMED = 40  # names listed in one message


@dataclass(frozen=True, slots=True)
class Cursor:
    """A value with its path, such as ``arms.mimic.dose.amount[2]`` in ``study.toml``."""

    value: Any
    path: str
    file: str
    faults: list[Fault]

    @property
    def where(self) -> str:
        """The place as messages name it."""
        return f"{self.file}: {self.path}"

    def fault(self, expected: str, *, found: str | None = None) -> None:
        """Note a fault; `found` is this place's value unless given."""
        self.faults.append(Fault(self.where, found or shown(self.value), expected))

    def has_fault(self) -> bool:
        """Whether a fault was noted here or below."""
        below = (self.where, f"{self.where}.", f"{self.where}[")
        return any(fault.where == below[0] or fault.where.startswith(below[1:]) for fault in self.faults)

    def at(self, key: str | int) -> Cursor:
        """The place below by a table's key or a list's index; its value is None where nothing is."""
        if isinstance(key, int):
            return Cursor(self.value[key], f"{self.path}[{key}]", self.file, self.faults)
        name = key if _BARE_KEY.fullmatch(key) else f'"{key}"'
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return Cursor(value, f"{self.path}.{name}" if self.path else name, self.file, self.faults)

    def __contains__(self, key: str) -> bool:
        """Whether this is a table that has the key."""
        return isinstance(self.value, dict) and key in self.value

    def keys(self) -> list[str]:
        """The keys of a table; none for what is no table."""
        return list(self.value) if isinstance(self.value, dict) else []

    def get(self, key: str) -> Cursor | None:
        """The place below, or None where this is no table or the key is absent."""
        return self.at(key) if key in self else None

    def items(self) -> Iterator[tuple[str, Cursor]]:
        """Key and place of every entry of a table, in the file's order; nothing for what is no table."""
        for key in self.keys():
            yield key, self.at(key)

    def elements(self) -> list[Cursor]:
        """The places of a list's elements; anything else is its own only element."""
        return [self.at(k) for k in range(len(self.value))] if isinstance(self.value, list) else [self]

    def one_of(self, known: Iterable[str], what: str) -> str | None:
        """A text that is one of the known names."""
        names = list(known)
        if isinstance(self.value, str) and self.value in names:
            return self.value
        self.fault(named(self.value, names, what))
        return None

    def quantity(self, kind: Kind) -> float | None:
        """A quantity with its unit, in the unit of `kind`."""
        try:
            return parse(self.value, kind, where=self.where)
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
    listed = ", ".join(names[:MAX_NAMED]) + (", ..." if len(names) > MAX_NAMED else "")
    return f'"{close[0]}"? ({what}: {listed})' if close else f"one of the {what}: {listed}"


def _nearest(found: str, names: list[str]) -> list[str]:
    """The most similar name, else one that goes on where `found` stops; capitals do not count."""
    folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(found.casefold(), folded, n=1, cutoff=0.65)
    longer = [name for name in folded if name.startswith(found.casefold())]
    return [folded[name] for name in near or longer[:1]]
